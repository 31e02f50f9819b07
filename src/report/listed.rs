//! The runs that were saved in a folder, a row each.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::load::{told, view};
use super::words;
use super::{Terminal, terminal::wrap};
use crate::check::Verdict;
use crate::load_result::LoadResult;
use crate::run_result::RunResult;
use crate::text::{count, harmless, micros};

/// Characters of one name that are shown.
const NAME: usize = 200;

/// One saved run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its folder: what `report`, `compare` and `race --replay` take.
    pub folder: String,
    /// `race` or `load`.
    pub kind: &'static str,
    /// Its name.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    /// The API description's name.
    pub api: String,
    /// What was raced.
    pub target: String,
    /// What it came to; null of a load that was not judged.
    pub verdict: Option<Verdict>,
    /// Its exit code.
    pub exit_code: u8,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Scenarios, and those of them that are violated.
    pub scenarios: u64,
    /// Findings, one a kind and scenario.
    pub findings: u64,
    /// Raced rounds; of a load, resources.
    pub rounds: u64,
    /// Correct operations in a second, of a load that was judged.
    pub goodput: Option<f64>,
    /// The 95th percentile of a load's times from the intended start (µs).
    pub p95_us: Option<f64>,
    /// How long it took (ms).
    pub duration_ms: u64,
    /// Its seed.
    pub seed: u64,
}

impl Listed {
    /// A run and the folder that it was read from. Its texts are made harmless.
    pub fn new(folder: &Path, result: &RunResult) -> Self {
        let shown = |text: &str| harmless(text, NAME);
        Self {
            folder: shown(&folder.display().to_string()),
            kind: "race",
            run_id: shown(&result.run_id),
            started_at: shown(&result.started_at),
            api: shown(&result.api),
            target: shown(&words::target(result)),
            verdict: Some(result.verdict),
            exit_code: result.exit_code,
            interrupted: result.interrupted,
            scenarios: result.totals.scenarios,
            findings: result.totals.findings,
            rounds: result.totals.rounds,
            goodput: None,
            p95_us: None,
            duration_ms: result.duration_ms,
            seed: result.seed,
        }
    }

    /// A load and the folder that it was read from. Its texts are made harmless.
    pub fn of_load(folder: &Path, result: &LoadResult) -> Self {
        let run = view::as_run(result);
        Self {
            kind: "load",
            verdict: result.verdict,
            goodput: result.rates.goodput,
            p95_us: told::percentile(&result.all.from_intended, 95.0),
            ..Self::new(folder, &run)
        }
    }
}

impl Terminal {
    /// A table of `runs` in `folder`, of which there are `all`, with their age at `now`; and what is wrong with other folders there.
    pub fn render_runs(
        &self,
        folder: &str,
        runs: &[Listed],
        all: usize,
        unreadable: &[String],
        now: jiff::Timestamp,
    ) -> String {
        let mut out = String::new();
        if runs.is_empty() {
            let _ = writeln!(out, "no run is saved in {folder}");
        } else {
            let _ = writeln!(out, "{}", self.table(runs, now));
        }
        if runs.len() < all {
            let _ = writeln!(out, "showing {} of {}", runs.len(), count(all as u64, "run"));
        }
        for why in unreadable {
            let _ = writeln!(out, "{} {why}", self.palette.warning("! unreadable"));
        }
        match self.width {
            None => out,
            Some(width) => {
                out.lines().flat_map(|line| wrap(line, usize::from(width))).map(|line| line + "\n").collect()
            }
        }
    }

    fn table(self, runs: &[Listed], now: jiff::Timestamp) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if let Some(width) = self.width {
            table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_width(width.max(60));
        }
        // Races have neither: the columns are there where they say something.
        let has_loads = runs.iter().any(|run| run.kind == "load");
        let (kind, of_loads): (&[&str], &[&str]) =
            if has_loads { (&["kind"], &["goodput", "p95"]) } else { (&[], &[]) };
        // On a narrow terminal what `report RUN` tells is left out, so that the rest can be read.
        let is_narrow = self.width.is_some_and(|width| width < 130);
        let rest: &[&str] = if is_narrow { &["target"] } else { &["took", "seed", "api", "target"] };
        let header = [&["run"], kind, &["age", "verdict", "findings", "rounds"], of_loads, rest].concat();
        let right: Vec<usize> = (0..header.len())
            .filter(|at| ["age", "findings", "rounds", "goodput", "p95", "took", "seed"].contains(&header[*at]))
            .collect();
        table.set_header(header);
        for run in runs {
            let interrupted = if run.interrupted { " (interrupted)" } else { "" };
            let verdict = run.verdict.map_or_else(|| "not judged".to_owned(), words::verdict);
            let mut row = vec![run.run_id.clone()];
            row.extend(has_loads.then(|| run.kind.to_owned()));
            row.extend([
                age(&run.started_at, now),
                verdict + interrupted,
                run.findings.to_string(),
                run.rounds.to_string(),
            ]);
            if has_loads {
                let none = || "–".to_owned();
                row.push(run.goodput.map_or_else(none, |goodput| told::rate(goodput) + "/s"));
                row.push(run.p95_us.map_or_else(none, told::span));
            }
            if !is_narrow {
                row.extend([micros(run.duration_ms.saturating_mul(1_000)), run.seed.to_string(), run.api.clone()]);
            }
            row.push(run.target.clone());
            table.add_row(row);
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // A name is to be copied.
        if let Some(names) = table.column_mut(0) {
            names.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        }
        for right in right {
            if let Some(column) = table.column_mut(right) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

/// How long ago that was, in the largest unit that fits: `3 min`, `2 d`.
fn age(started_at: &str, now: jiff::Timestamp) -> String {
    let Ok(started) = started_at.parse::<jiff::Timestamp>() else { return "?".to_owned() };
    let seconds = now.as_second() - started.as_second();
    match seconds {
        ..0 => "in the future".to_owned(),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Palette;

    #[test]
    fn ages_are_told_in_the_largest_unit_that_fits() {
        let now = "2026-03-01T12:00:00Z".parse().expect("a moment");
        for (started, told) in [
            ("2026-03-01T11:59:18Z", "42 s"),
            ("2026-03-01T11:01:00Z", "59 min"),
            ("2026-02-28T12:00:01Z", "23 h"),
            ("2026-01-31T12:00:00Z", "29 d"),
            ("2026-03-01T12:00:01Z", "in the future"),
            ("yesterday", "?"),
        ] {
            assert_eq!(age(started, now), told, "{started}");
        }
    }

    #[test]
    fn a_list_says_what_it_leaves_out_and_what_cannot_be_read() {
        let result = serde_json::from_str(include_str!("../../reports/sample/run.json")).expect("valid");
        let run = Listed::new(Path::new("reports/sample"), &result);
        let terminal = Terminal { palette: Palette::Plain, width: None };
        let now = "2027-01-01T00:00:00Z".parse().expect("a moment");
        let told = terminal.render_runs("reports", &[run], 3, &["reports/x cannot be read: gone".to_owned()], now);
        for part in
            ["✗ violated", "check-then-save", "showing 1 of 3 runs", "! unreadable reports/x cannot be read: gone"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(terminal.render_runs("reports", &[], 0, &[], now), "no run is saved in reports\n");
    }
}
