//! The report for a terminal: the answer, then each finding as a short story, then the numbers.

mod checked;
mod delivery;
mod footer;
mod outlined;
mod played;
mod probed;
mod table;
mod timeline;

use std::fmt::Write as _;

pub use outlined::Detail;

use super::{Palette, Renderer};
use crate::check::{Severity, Verdict};
use crate::run_result::{FindingResult, RunResult, ScenarioResult, ServiceInfo};
use crate::text::count;

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
        if !result.scenarios.is_empty() {
            let _ = writeln!(out, "\n{}", table::render(&result.scenarios, self.width));
        }
        self.footer(&mut out, result).expect("writing to a string does not fail");
        match self.width {
            None => out,
            Some(width) => {
                out.lines().flat_map(|line| wrap(line, usize::from(width))).map(|line| line + "\n").collect()
            }
        }
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
        let target = match &result.target.service {
            None => result.target.url.clone(),
            Some(service) => reference_service(service, result.target.defect.as_deref()),
        };
        let interrupted = if result.interrupted { " (interrupted: judged is what was seen)" } else { "" };
        writeln!(out, "{}, {} against {target}{interrupted}", self.palette.verdict(result.verdict, &answer), result.api)
    }

    fn scenario(self, out: &mut String, scenario: &ScenarioResult) -> std::fmt::Result {
        for finding in &scenario.findings {
            self.finding(out, scenario, finding)?;
        }
        self.delivered(out, scenario)?;
        for note in unanswered(scenario).into_iter().chain(thin_overlap(scenario)) {
            writeln!(out, "\n{}", self.palette.dim(&format!("note: {note}")))?;
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
        for line in wrap(&format!("  {sentence}"), usize::from(self.width.unwrap_or(120).min(120))) {
            writeln!(out, "{line}")?;
        }
        out.push_str(&timeline::render(&finding.witness, finding.aftermath.as_ref(), self.palette));
        if !finding.also.is_empty() {
            let also: Vec<&str> = finding.also.iter().map(|kind| kind.name()).collect();
            writeln!(out, "  {}", self.palette.dim(&format!("also shows: {}", also.join(", "))))?;
        }
        Ok(())
    }
}

/// What to know of rounds whose set-up nobody answered.
fn unanswered(scenario: &ScenarioResult) -> Option<String> {
    let unanswered = scenario.rounds_unanswered;
    let were = if unanswered == 1 { "was" } else { "were" };
    let void = format!("in {} {} {were} void (set-up unanswered", scenario.name, count(unanswered, "round"));
    match scenario.parallel {
        _ if unanswered == 0 => None,
        Some(parallel @ 2..) => Some(format!(
            "{void} while up to {parallel} rounds ran side by side): does the server limit connections? Try --parallel 1"
        )),
        Some(0 | 1) | None => Some(format!("{void}): is the server up to it? --timeout gives it more time")),
    }
}

/// What to know where so few of the rounds that were begun overlapped that the reader should.
#[expect(clippy::cast_precision_loss, reason = "counts of rounds are far below 2^52")]
fn thin_overlap(scenario: &ScenarioResult) -> Option<String> {
    let raced = scenario.rounds.saturating_sub(scenario.rounds_unanswered).max(1);
    let share = scenario.rounds_overlapped as f64 / raced as f64;
    (scenario.rounds_overlapped > 0 && share < 0.9).then(|| {
        format!(
            "in {} only {} of the rounds overlapped; in the others one contender was answered before another was sent. Is the \
             machine busy?",
            scenario.name,
            percent(share)
        )
    })
}

/// A share as people read it, with the digits that matter.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

/// Breaks a line at blanks into lines of at most `width` characters, where words allow, each indented like the first.
/// Escape sequences take no room.
fn wrap(line: &str, width: usize) -> Vec<String> {
    if visible_width(line) <= width {
        return vec![line.to_owned()];
    }
    let text = line.trim_start_matches(' ');
    let indent = &line[..line.len() - text.len()];
    let mut lines = vec![indent.to_owned()];
    let mut room = width.saturating_sub(indent.len());
    let mut is_first_word = true;
    for word in text.split(' ') {
        let needed = visible_width(word) + usize::from(!is_first_word);
        if needed > room && !is_first_word {
            lines.push(indent.to_owned());
            room = width.saturating_sub(indent.len());
            is_first_word = true;
        }
        let line = lines.last_mut().expect("starts with one");
        if !is_first_word {
            line.push(' ');
        }
        line.push_str(word);
        room = room.saturating_sub(visible_width(word) + usize::from(!is_first_word));
        is_first_word = false;
    }
    lines
}

/// How many columns `text` takes where it is seen: escape sequences take none, Korean letters two.
pub fn visible_width(text: &str) -> usize {
    let mut in_escape = false;
    let seen = text.chars().filter(|character| {
        let starts = *character == '\u{1b}';
        let hidden = in_escape || starts;
        in_escape = (in_escape || starts) && *character != 'm';
        !hidden
    });
    console::measure_text_width(&seen.collect::<String>())
}

/// `the reference service, in-process, on sqlite:orders.db, pessimistic, with defect …`: what is not the default is told.
fn reference_service(service: &ServiceInfo, defect: Option<&str>) -> String {
    let mut told = "the reference service, in-process".to_owned();
    if service.store != "memory" {
        let _ = write!(told, ", on {}", service.store);
    }
    if service.idempotency_store != "same" {
        let _ = write!(told, ", keys in {}", service.idempotency_store);
    }
    if service.strategy != "optimistic" {
        let _ = write!(told, ", {}", service.strategy);
    }
    if !service.latency.is_empty() {
        let _ = write!(told, ", latency {}", service.latency.join(", "));
    }
    if let Some(defect) = defect {
        let _ = write!(told, ", with defect {defect}");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_blanks() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrap("\u{1b}[1mone\u{1b}[0m two three", 7), ["\u{1b}[1mone\u{1b}[0m two", "three"]);
    }

    /// The committed sample run, at a terminal of so many columns.
    fn sample(width: u16, palette: Palette) -> String {
        let result =
            serde_json::from_str(include_str!("../../../reports/sample/run.json")).expect("the sample is valid");
        Terminal { palette, width: Some(width) }.render(&result)
    }

    #[test]
    fn rounds_whose_set_up_was_not_answered_are_told_apart_from_those_that_did_not_overlap() {
        let result: RunResult =
            serde_json::from_str(include_str!("../../../reports/sample/run.json")).expect("the sample is valid");
        let mut scenario = result.scenarios.first().expect("it has one").clone();
        (scenario.name, scenario.rounds, scenario.rounds_overlapped) = ("put-put".to_owned(), 30, 10);
        let notes = |scenario: &ScenarioResult| (unanswered(scenario), thin_overlap(scenario));
        let (none, thin) = notes(&scenario);
        assert!(none.is_none() && thin.is_some_and(|thin| thin.contains("only 33 % of the rounds")));
        (scenario.rounds_unanswered, scenario.parallel) = (20, Some(16));
        let expected = "in put-put 20 rounds were void (set-up unanswered while up to 16 rounds ran side by side): does the server \
                        limit connections? Try --parallel 1";
        assert_eq!(notes(&scenario), (Some(expected.to_owned()), None));
        (scenario.rounds_unanswered, scenario.parallel) = (1, Some(1));
        assert!(
            unanswered(&scenario).is_some_and(|note| note.contains("1 round was void") && !note.contains("--parallel"))
        );
    }

    #[test]
    fn a_report_stays_within_its_terminal() {
        for width in [60, 80, 100, 120, 160] {
            for palette in [Palette::Plain, Palette::Colour] {
                let report = sample(width, palette);
                let longest = report.lines().map(visible_width).max();
                assert!(longest <= Some(usize::from(width)), "{longest:?} of {width}:\n{report}");
                assert!(report.contains("cancel-vs-accept") && report.contains("lost-update"), "{report}");
            }
        }
    }

    #[test]
    fn colour_adds_escapes_and_nothing_else() {
        let (plain, colour) = (sample(100, Palette::Plain), sample(100, Palette::Colour));
        assert!(!plain.contains('\u{1b}') && colour.contains("\u{1b}["));
        assert_eq!(visible_width(&plain), visible_width(&colour));
    }

    #[test]
    fn shares_show_the_digits_that_matter() {
        assert_eq!([percent(0.0), percent(0.003), percent(0.5), percent(1.0)], ["0 %", "0.3 %", "50 %", "100 %"]);
    }
}
