//! A comparison of strategies, as a table and a chart of one sign per step.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::load_result::{Cell, Strategies};
use crate::report::Terminal;
use crate::report::words::percent;
use crate::text::micros;

/// How long the longest bar is.
const LONGEST: usize = 40;

impl Terminal {
    /// The report of a comparison of strategies.
    pub fn render_strategies(self, result: &Strategies) -> String {
        let mut out = String::new();
        let seconds = std::time::Duration::from_millis(result.duration_ms).as_secs_f64();
        let _ = writeln!(
            out,
            "{} clients, {} contended orders, store {}, {seconds} s a load, median of {}",
            result.clients, result.resources, result.store, result.repeats
        );
        if let Some(verdict) = result.verdict {
            let word = self.palette.verdict(verdict, &crate::report::words::verdict(verdict));
            let _ = writeln!(out, "the judge of all loads together: {word}");
        }
        let _ = writeln!(out, "\n{}\n\n{}", table(result), chart(result));
        out
    }
}

/// Goodput, a bar each.
fn chart(result: &Strategies) -> String {
    let goodput = |cell: &Cell| cell.median(|load| Some(load.goodput)).unwrap_or_default();
    let most = result.cells.iter().map(goodput).fold(0.0, f64::max);
    let mut lines = vec!["correct operations/s".to_owned()];
    for cell in &result.cells {
        let value = goodput(cell);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of the longest bar"
        )]
        let length = if most > 0.0 { (value / most * LONGEST as f64).round() as usize } else { 0 };
        let sign = if cell.strategy == "optimistic" { "█" } else { "░" };
        let share = percent(cell.hot_share);
        lines.push(format!("{share:>7} hot  {:<11} {} {value:.0}", cell.strategy, sign.repeat(length)));
    }
    lines.join("\n")
}

fn table(result: &Strategies) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["hot", "strategy", "goodput/s", "(least–most)", "p95", "412", "tries a change"]);
    for cell in &result.cells {
        let none = || "–".to_owned();
        let goodput = |load: &crate::load_result::CellLoad| Some(load.goodput);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time is not negative")]
        let shown = |us: f64| micros(us.round() as u64);
        table.add_row([
            percent(cell.hot_share),
            cell.strategy.clone(),
            cell.median(goodput).map_or_else(none, |value| format!("{value:.0}")),
            cell.range(goodput).map_or_else(none, |(least, most)| format!("({least:.0}–{most:.0})")),
            cell.median(|load| Some(load.p95_us)).map_or_else(none, shown),
            cell.median(|load| load.rate_412).map_or_else(none, percent),
            cell.median(|load| load.tries).map_or_else(none, |tries| format!("{tries:.2}")),
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}
