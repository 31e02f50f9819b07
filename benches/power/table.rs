//! Tables in Markdown, printed row by row as they are measured.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cell::{Caught, Cell};

/// What is raced in one row, a cell for each method.
pub(crate) struct Row {
    pub(crate) heads: Vec<String>,
    pub(crate) cells: Vec<Cell>,
}

pub(crate) struct Table {
    pub(crate) title: String,
    /// What the first columns are about.
    pub(crate) heads: &'static [&'static str],
    pub(crate) rows: Vec<Row>,
}

impl Table {
    /// Measures every cell once with each seed, and prints what came of it. Returns the names of what was found.
    pub(crate) fn measure(&self, seeds: &[u64]) -> BTreeSet<&'static str> {
        let methods = self.rows.first().map(|row| row.cells.iter().map(|cell| cell.method.name()));
        let columns: Vec<&str> = self.heads.iter().copied().chain(methods.into_iter().flatten()).collect();
        println!("{}:\n\n| {} |\n|{}", self.title, columns.join(" | "), "---|".repeat(columns.len()));
        let mut kinds = BTreeSet::new();
        for row in &self.rows {
            let told = row.cells.iter().map(|cell| {
                let runs: Vec<Caught> = seeds.iter().map(|seed| cell.run(*seed)).collect();
                kinds.extend(runs.iter().flat_map(|run| &run.kinds));
                told(&runs, cell.is_swept)
            });
            let words: Vec<String> = row.heads.iter().cloned().chain(told).collect();
            println!("| {} |", words.join(" | "));
        }
        println!();
        kinds
    }
}

/// The share of rounds that showed it, over all runs; with a sweep and the round of the first catch, in the run in which that
/// came last.
fn told(runs: &[Caught], is_swept: bool) -> String {
    let counts = runs.iter().map(|run| run.counts(is_swept));
    let (rounds, caught) = counts.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    let share = percent(caught, rounds);
    if !is_swept {
        return share;
    }
    let firsts: Option<Vec<usize>> = runs.iter().map(Caught::first).collect();
    let first = firsts.and_then(|firsts| firsts.into_iter().max());
    format!("{share}, {}", first.map_or("never".to_owned(), |first| format!("#{first}")))
}

/// Whole percents; tenths where there are few. Nothing is rounded to 0 or to 100.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rounds")]
fn percent(part: usize, whole: usize) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    let is_near_an_end = part > 0 && part < whole && !(1.5..=98.5).contains(&share);
    if is_near_an_end { format!("{share:.1} %") } else { format!("{share:.0} %") }
}

/// A time as it is written in a table.
pub(crate) fn span(time: Duration) -> String {
    match (time.as_micros(), time.as_secs_f64() * 1e3) {
        (0, _) => "0".to_owned(),
        (us @ ..1_000, _) => format!("{us} µs"),
        (_, ms) => format!("{ms} ms"),
    }
}
