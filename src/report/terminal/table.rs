//! The numbers, a row a scenario: wide where there is room, compact on a narrow terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::super::words::{self, percent};
use crate::measure::Quantiles;
use crate::run_result::ScenarioResult;
use crate::text::micros;

/// Columns that the wide table needs, with the longest built-in names and ordinary numbers.
const WIDE: u16 = 120;

/// The table of `scenarios`, within `width` columns if one is given.
pub(super) fn render(scenarios: &[ScenarioResult], width: Option<u16>) -> String {
    let is_compact = width.is_some_and(|width| width < WIDE);
    let mut table = Table::new();
    table.load_style(if is_compact { presets::NOTHING } else { presets::UTF8_BORDERS_ONLY });
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(60));
    }
    if is_compact {
        table.set_header(["scenario", "verdict", "raced", "lost", "dupl.", "412", "p50/p95/p99", "skew"]);
        table.add_rows(scenarios.iter().map(compact_row));
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
    } else {
        table.set_header([
            "scenario",
            "verdict",
            "rounds",
            "over-\nlapped",
            "lost\nupdates",
            "duplicate\neffects",
            "412\nrate",
            "p50 / p95 / p99\nlatency",
            "p50 skew\n/ arrival",
        ]);
        table.add_rows(scenarios.iter().map(wide_row));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let text = table.to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn wide_row(scenario: &ScenarioResult) -> Vec<Cell> {
    cells([
        scenario.name.clone(),
        words::verdict(scenario.verdict),
        scenario.rounds.to_string(),
        scenario.rounds_overlapped.to_string(),
        scenario.lost_updates.to_string(),
        scenario.duplicate_effects.to_string(),
        scenario.rate_412.map_or_else(none, percent),
        latencies(&scenario.latency_us, " / "),
        skew(scenario, " / "),
    ])
}

fn compact_row(scenario: &ScenarioResult) -> Vec<Cell> {
    cells([
        scenario.name.clone(),
        words::verdict(scenario.verdict),
        format!("{}/{}", scenario.rounds_overlapped, scenario.rounds),
        scenario.lost_updates.to_string(),
        scenario.duplicate_effects.to_string(),
        scenario.rate_412.map_or_else(none, percent),
        latencies(&scenario.latency_us, "/"),
        skew(scenario, "/"),
    ])
}

fn cells<const N: usize>(texts: [String; N]) -> Vec<Cell> {
    texts.into_iter().map(Cell::new).collect()
}

fn none() -> String {
    "–".to_owned()
}

/// How far apart a volley was let go and, where the server tells, how far apart it arrived there.
fn skew(scenario: &ScenarioResult, between: &str) -> String {
    if scenario.rounds_overlapped == 0 {
        return none();
    }
    let released = scenario.skew_us.p50;
    scenario.arrival_spread_us.map_or_else(|| micros(released), |arrived| pair(released, arrived.p50, between))
}

/// Two spans in microseconds, in the unit that suits the greater.
#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
fn pair(one: u64, other: f64, between: &str) -> String {
    let one = one as f64;
    let shown = |value: f64| if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
    if one.max(other) < 1e3 {
        format!("{one:.0}{between}{} µs", shown(other))
    } else {
        format!("{}{between}{} ms", shown(one / 1e3), shown(other / 1e3))
    }
}

/// Three quantiles in the unit that suits the last of them.
#[expect(clippy::cast_precision_loss, reason = "few digits are shown")]
fn latencies(latency: &Quantiles, between: &str) -> String {
    if latency.count == 0 {
        return none();
    }
    let (unit, divisor) = match latency.p99 {
        0..1_000 => ("µs", 1.0),
        1_000..1_000_000 => ("ms", 1e3),
        _ => ("s", 1e6),
    };
    let shown = [latency.p50, latency.p95, latency.p99].map(|value| {
        let value = value as f64 / divisor;
        if divisor > 1.0 && value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
    });
    format!("{} {unit}", shown.join(between))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_arrivals_share_the_unit_of_the_greater() {
        assert_eq!(pair(6, 0.84, " / "), "6 / 0.8 µs");
        assert_eq!(pair(5, 412.6, "/"), "5/413 µs");
        assert_eq!(pair(5, 1_260.0, "/"), "0.0/1.3 ms");
        assert_eq!(pair(48_000, 51_200.0, "/"), "48/51 ms");
    }

    #[test]
    fn latencies_share_the_unit_of_the_slowest() {
        let quantiles = |p50, p95, p99| Quantiles { p50, p95, p99, count: 1, ..Quantiles::default() };
        assert_eq!(latencies(&quantiles(35, 56, 105), "/"), "35/56/105 µs");
        assert_eq!(latencies(&quantiles(850, 2_300, 7_650), "/"), "0.8/2.3/7.7 ms");
        assert_eq!(latencies(&quantiles(500_000, 1_500_000, 4_000_000), "/"), "0.5/1.5/4.0 s");
        assert_eq!(latencies(&Quantiles::default(), "/"), "–");
    }
}
