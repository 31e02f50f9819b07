//! What a load came to, on a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::check::Verdict;
use crate::load_result::{LoadResult, RequestFigures, Times};
use crate::report::Terminal;
use crate::report::words::percent;
use crate::text::micros;

impl Terminal {
    /// The report of a load.
    pub fn render_load(self, result: &LoadResult) -> String {
        let mut out = String::new();
        let seconds = std::time::Duration::from_millis(result.measured_ms).as_secs_f64();
        let answer = match result.verdict {
            Some(Verdict::Holds) => self.palette.verdict(Verdict::Holds, "✓ holds"),
            Some(Verdict::Violated) => self.palette.verdict(Verdict::Violated, "✗ violated"),
            Some(Verdict::Inconclusive) => self.palette.verdict(Verdict::Inconclusive, "? inconclusive"),
            None => "measured, nothing judged".to_owned(),
        };
        let _ = writeln!(
            out,
            "{answer}: {} requests answered in {seconds:.1} s, {:.0}/s",
            result.slots.answered, result.rates.answered
        );
        if let Some(goodput) = result.rates.goodput {
            let _ = writeln!(out, "goodput: {goodput:.0} correct operations/s");
        }
        let _ = writeln!(out, "\n{}", self.figures(result));
        for why in &result.generator.void {
            let _ = writeln!(out, "{}", self.palette.warning(&format!("! times are void: {why}")));
        }
        out
    }

    fn figures(self, result: &LoadResult) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["request", "from", "sent", "p50", "p95", "p99", "p99.9", "max", "412", "errors"]);
        for figures in std::iter::once(&result.all).chain(&result.requests) {
            table.add_row(row(figures, "intended", &figures.from_intended));
            table.add_row(row(figures, "actual", &figures.from_actual));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table.to_string()
    }
}

fn row(figures: &RequestFigures, view: &str, times: &Times) -> [String; 10] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time is not negative")]
    let shown = |us: f64| micros(us.round() as u64);
    let at = |percent: f64| times.percentile(percent).map_or_else(|| "–".to_owned(), shown);
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    [
        figures.name.clone(),
        view.to_owned(),
        figures.sent.to_string(),
        at(50.0),
        at(95.0),
        at(99.0),
        at(99.9),
        shown(times.max_us),
        share(figures.rate_412),
        share(figures.error_rate),
    ]
}
