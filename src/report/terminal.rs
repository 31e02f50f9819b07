//! The report for a terminal: the answer, then each finding as a short story, then the numbers.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{Palette, Renderer};
use crate::check::{Severity, Verdict};
use crate::run_result::{FindingResult, RunResult, ScenarioResult, TargetKind, ThresholdResult, WitnessLine};
use crate::text::{count, micros};

/// Witness operations shown of one finding; `run.json` has all.
const MOST_WITNESS_LINES: usize = 8;

/// The report for people.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Whether to colour.
    pub palette: Palette,
    /// Columns to stay within; `None` on a pipe.
    pub width: Option<u16>,
}

impl Renderer for Terminal {
    fn render(&self, result: &RunResult) -> String {
        let mut out = String::new();
        self.answer(&mut out, result).expect("writing to a string does not fail");
        for scenario in &result.scenarios {
            self.scenario(&mut out, scenario).expect("writing to a string does not fail");
        }
        self.table(&mut out, result).expect("writing to a string does not fail");
        self.footer(&mut out, result).expect("writing to a string does not fail");
        out
    }
}

impl Terminal {
    fn answer(self, out: &mut String, result: &RunResult) -> std::fmt::Result {
        let totals = &result.totals;
        let of = format!("of {}", count(totals.scenarios, "scenario"));
        let answer = match result.verdict {
            Verdict::Violated => format!("✗ violated: {} {of}", totals.violated),
            Verdict::Inconclusive if totals.scenarios == 0 => "? inconclusive: no scenario was raced".to_owned(),
            Verdict::Inconclusive => format!("? inconclusive: {} {of}", totals.inconclusive),
            Verdict::Holds => format!("✓ holds: {} {of}", totals.holds),
        };
        let target = match (result.target.kind, &result.target.defect) {
            (TargetKind::Remote, _) => result.target.url.clone(),
            (TargetKind::InProcess, None) => "the reference service, in-process".to_owned(),
            (TargetKind::InProcess, Some(defect)) => format!("the reference service, in-process, with defect {defect}"),
        };
        let interrupted = if result.interrupted { " (interrupted: judged is what was seen)" } else { "" };
        writeln!(out, "{}, {} against {target}{interrupted}", self.palette.verdict(result.verdict, &answer), result.api)
    }

    fn scenario(self, out: &mut String, scenario: &ScenarioResult) -> std::fmt::Result {
        for finding in &scenario.findings {
            self.finding(out, scenario, finding)?;
        }
        for doubt in &scenario.doubts {
            let word = self.palette.verdict(Verdict::Inconclusive, "? inconclusive");
            writeln!(out, "\n{word} {}: {doubt}", self.palette.strong(&scenario.name))?;
        }
        Ok(())
    }

    fn finding(self, out: &mut String, scenario: &ScenarioResult, finding: &FindingResult) -> std::fmt::Result {
        let mark = match finding.severity {
            Severity::Violation => self.palette.verdict(Verdict::Violated, "✗ violation"),
            Severity::Warning => self.palette.warning("! warning"),
        };
        let name = self.palette.strong(&format!("{} in {}", finding.kind, scenario.name));
        let rounds = count(scenario.rounds, "round");
        let controls = format!("{}, where nothing raced", count(finding.controls, "serial control"));
        let seen = match (finding.first_round, finding.controls) {
            (0, _) => format!("in {controls}, and in none of {rounds}"),
            (first, 0) => format!("{} of {rounds}, first in round {first}", finding.count),
            (first, _) => format!("{} of {rounds}, first in round {first}, and in {controls}", finding.count),
        };
        writeln!(out, "\n{mark} {name}: {seen}")?;
        let mut sentence = finding.sentence.clone();
        if let Some(initial) = sentence.get(..1) {
            let initial = initial.to_uppercase();
            sentence.replace_range(..1, &initial);
        }
        let width = usize::from(self.width.unwrap_or(120).clamp(40, 140)) - 2;
        for line in wrap(&sentence, width) {
            writeln!(out, "  {line}")?;
        }
        self.timeline(out, &finding.witness)?;
        if !finding.also.is_empty() {
            let also: Vec<&str> = finding.also.iter().map(|kind| kind.name()).collect();
            writeln!(out, "  {}", self.palette.dim(&format!("also shows: {}", also.join(", "))))?;
        }
        Ok(())
    }

    /// Who said what when, in order of opening, with what came back.
    fn timeline(self, out: &mut String, witness: &[WitnessLine]) -> std::fmt::Result {
        let actor_width = witness.iter().map(|line| line.actor.chars().count()).max().unwrap_or(0);
        for line in witness.iter().take(MOST_WITNESS_LINES) {
            let opened = format!("{:>9}", at(line.opened_us));
            let mut request = line.request.clone();
            if let Some(token) = &line.precondition {
                let _ = write!(request, "  if version is {token}");
            }
            if let Some(key) = &line.idempotency_key {
                let _ = write!(request, "  key {key}");
            }
            writeln!(out, "    {} {:actor_width$}  {request}", self.palette.dim(&opened), line.actor)?;
            let released = line.released_us.map(|stamp| format!(", released at {}", at(stamp))).unwrap_or_default();
            let times = self.palette.dim(&format!("(answered at {}{released})", at(line.closed_us)));
            writeln!(out, "    {:9} {:actor_width$}  → {} {times}", "", "", line.answer)?;
        }
        if witness.len() > MOST_WITNESS_LINES {
            let text = format!("    showing {MOST_WITNESS_LINES} of {} operations; run.json has all", witness.len());
            writeln!(out, "{}", self.palette.dim(&text))?;
        }
        Ok(())
    }

    fn table(self, out: &mut String, result: &RunResult) -> std::fmt::Result {
        if result.scenarios.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        if let Some(width) = self.width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(60));
        }
        table.set_header([
            "scenario",
            "verdict",
            "rounds",
            "over-\nlapped",
            "lost\nupdates",
            "duplicate\neffects",
            "412\nrate",
            "p50 / p95 / p99\nlatency",
            "p50\nskew",
        ]);
        for scenario in &result.scenarios {
            table.add_row(row(scenario));
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(out, "\n{table}")
    }

    fn footer(self, out: &mut String, result: &RunResult) -> std::fmt::Result {
        let totals = &result.totals;
        for threshold in &result.thresholds {
            writeln!(out, "{}", self.threshold(threshold))?;
        }
        let OfRequests { unknown, not_sent } = of_requests(result);
        writeln!(
            out,
            "{} of {} overlapped ({} void), {}{unknown}{not_sent}, {:.1} s",
            totals.rounds_overlapped,
            count(totals.rounds, "round"),
            totals.rounds_void,
            count(totals.requests, "request"),
            f64::from(u32::try_from(result.duration_ms).unwrap_or(u32::MAX)) / 1e3,
        )?;
        if let Some(bound) = loosest_bound(result) {
            writeln!(
                out,
                "No violation in a scenario that holds means: at 95 % confidence below {} of its overlapped rounds",
                percent(bound)
            )?;
        }
        if result.target.kind == TargetKind::InProcess {
            writeln!(out, "{}", self.palette.dim("The service ran in-process and shared the cores with the harness: latencies compare runs, not servers"))?;
        }
        writeln!(out, "Repeat with --seed {} (same choices; the interleaving may differ)", result.seed)
    }

    fn threshold(self, threshold: &ThresholdResult) -> String {
        let show = |value: f64| match threshold.name.as_str() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency in whole µs")]
            "max-p95" => micros(value as u64),
            _ => percent(value),
        };
        let limit = show(threshold.limit);
        match (threshold.measured, &threshold.scenario) {
            (Some(measured), Some(scenario)) if threshold.crossed => {
                let mark = self.palette.verdict(Verdict::Violated, "✗ threshold crossed");
                format!("{mark} --{} {limit}: {} in {scenario}", threshold.name, show(measured))
            }
            (Some(measured), Some(scenario)) => {
                let mark = self.palette.verdict(Verdict::Holds, "✓ threshold kept");
                format!("{mark} --{} {limit}: at most {}, in {scenario}", threshold.name, show(measured))
            }
            (None, _) | (_, None) => {
                let mark = self.palette.verdict(Verdict::Inconclusive, "? threshold not measured");
                format!("{mark} --{} {limit}: no request it applies to was answered", threshold.name)
            }
        }
    }
}

struct OfRequests {
    unknown: String,
    not_sent: String,
}

fn of_requests(result: &RunResult) -> OfRequests {
    let part = |number: u64, word: &str| if number == 0 { String::new() } else { format!(", {number} {word}") };
    OfRequests {
        unknown: part(result.totals.outcomes.unknown, "with unknown outcome"),
        not_sent: part(result.totals.outcomes.not_sent, "not sent"),
    }
}

/// The largest upper bound among scenarios that hold: what "holds" amounts to at least.
fn loosest_bound(result: &RunResult) -> Option<f64> {
    (result.scenarios.iter())
        .filter(|scenario| scenario.verdict == Verdict::Holds)
        .filter_map(|scenario| scenario.rate_upper_bound_95)
        .max_by(f64::total_cmp)
}

fn row(scenario: &ScenarioResult) -> Vec<Cell> {
    let symbol = match scenario.verdict {
        Verdict::Holds => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Violated => "✗",
    };
    let latency = &scenario.latency_us;
    let latencies = if latency.count == 0 {
        "–".to_owned()
    } else {
        format!("{} / {} / {}", micros(latency.p50), micros(latency.p95), micros(latency.p99))
    };
    let skew = if scenario.rounds_overlapped == 0 { "–".to_owned() } else { micros(scenario.skew_us.p50) };
    [
        scenario.name.clone(),
        format!("{symbol} {}", scenario.verdict),
        scenario.rounds.to_string(),
        scenario.rounds_overlapped.to_string(),
        scenario.lost_updates.to_string(),
        scenario.duplicate_effects.to_string(),
        scenario.rate_412.map_or_else(|| "–".to_owned(), percent),
        latencies,
        skew,
    ]
    .into_iter()
    .map(Cell::new)
    .collect()
}

/// A share as people read it, with the digits that matter.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

/// A moment of a timeline: milliseconds.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn at(micros: i64) -> String {
    format!("{:.2} ms", micros as f64 / 1e3)
}

/// Breaks `text` at blanks into lines of at most `width` characters, where words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("starts with one");
        let fits = line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width;
        if fits {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
    }

    #[test]
    fn shares_show_the_digits_that_matter() {
        assert_eq!([percent(0.0), percent(0.003), percent(0.5), percent(1.0)], ["0 %", "0.3 %", "50 %", "100 %"]);
    }
}
