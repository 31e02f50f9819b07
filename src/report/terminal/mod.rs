//! The report for a terminal: the answer, then each finding as a short story, then the numbers.

mod checked;
mod delivery;
mod footer;
mod outlined;
mod played;
mod probed;
mod table;
pub(super) mod timeline;

use std::collections::BTreeSet;
use std::fmt::Write as _;

pub use outlined::Detail;

use super::clean::clean;
use super::words::{self, Counted, percent};
use super::{Palette, Renderer};
use crate::check::{Kind, Severity, Verdict};
use crate::load_result::LoadResult;
use crate::report::advice::Advice;
use crate::report::replay;
use crate::run_result::{FindingResult, RunResult, ScenarioResult};
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
        let result = &clean(result);
        let mut out = String::new();
        self.answer(&mut out, result).expect("writing to a string does not fail");
        let mut told = BTreeSet::new();
        for scenario in &result.scenarios {
            let again = replay::command(result, scenario);
            self.scenario(&mut out, scenario, again.as_deref(), &mut told).expect("writing to a string does not fail");
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

    fn render_load(&self, result: &LoadResult) -> String {
        self.of_load(result)
    }
}

impl Terminal {
    fn answer(self, out: &mut String, result: &RunResult) -> std::fmt::Result {
        let answer = self.palette.verdict(result.verdict, &words::answer(result));
        writeln!(out, "{answer}, {}", words::raced(result))
    }

    /// A scenario's findings, notes and doubts. The first finding of a kind is told in full, with the command that races it
    /// `again`; `told` knows of which it was.
    fn scenario(
        self,
        out: &mut String,
        scenario: &ScenarioResult,
        again: Option<&str>,
        told: &mut BTreeSet<Kind>,
    ) -> std::fmt::Result {
        for finding in &scenario.findings {
            self.finding(out, Counted::Rounds, scenario, finding)?;
            if told.insert(finding.kind) {
                self.example(out, finding)?;
                if let Some(command) = again {
                    writeln!(out, "  {}", self.palette.dim(&format!("again:         {command}")))?;
                }
            }
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

    /// What was found, how often, and its sentence.
    pub(in crate::report) fn finding(
        self,
        out: &mut String,
        counted: Counted,
        scenario: &ScenarioResult,
        finding: &FindingResult,
    ) -> std::fmt::Result {
        let mark = match finding.severity {
            Severity::Violation => self.palette.verdict(Verdict::Violated, "✗ violation"),
            Severity::Warning => self.palette.warning("! warning"),
        };
        let name = self.palette.strong(&format!("{} in {}", finding.kind, scenario.name));
        writeln!(out, "\n{mark} {name}: {}", words::seen(counted, scenario, finding))?;
        for line in wrap(&format!("  {}", words::sentence(finding)), usize::from(self.width.unwrap_or(120).min(120))) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    /// The round that shows it, and what usually helps.
    pub(in crate::report) fn example(self, out: &mut String, finding: &FindingResult) -> std::fmt::Result {
        out.push_str(&timeline::render(&finding.witness, finding.aftermath.as_ref(), self.palette, self.width));
        if !finding.also.is_empty() {
            let also: Vec<&str> = finding.also.iter().map(|kind| kind.name()).collect();
            writeln!(out, "  {}", self.palette.dim(&format!("also shows:    {}", also.join(", "))))?;
        }
        let Advice { cause, mend, .. } = Advice::of(finding.kind);
        for (label, text) in [("usual cause:  ", cause), ("what mends it:", mend)] {
            for line in wrap(&format!("  {label} {text}"), usize::from(self.width.unwrap_or(120).min(120))) {
                writeln!(out, "{line}")?;
            }
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

/// Breaks a line at blanks into lines of at most `width` characters, where words allow, each indented like the first.
/// Escape sequences take no room.
pub(super) fn wrap(line: &str, width: usize) -> Vec<String> {
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
    fn the_first_finding_of_a_kind_is_told_in_full_and_the_others_by_their_sentence() {
        let text = include_str!("../../../reports/sample/run.json");
        let mut result: RunResult = serde_json::from_str(text).expect("the sample is valid");
        let mut second = result.scenarios[0].clone();
        second.name = "another".to_owned();
        result.scenarios.push(second);
        let report = Terminal { palette: Palette::Plain, width: None }.render(&result);
        let times = |part: &str| report.matches(part).count();
        assert_eq!((times("✗ violation lost-update in"), times("→ 200: cancelled")), (2, 1), "{report}");
        assert_eq!((times("usual cause:"), times("what mends it:"), times("again:")), (1, 1, 1), "{report}");
    }

    #[test]
    fn colour_adds_escapes_and_nothing_else() {
        let (plain, colour) = (sample(100, Palette::Plain), sample(100, Palette::Colour));
        assert!(!plain.contains('\u{1b}') && colour.contains("\u{1b}["));
        assert_eq!(visible_width(&plain), visible_width(&colour));
    }
}
