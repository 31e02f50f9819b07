//! Markdown for a comment on a pull request, or a page of a CI server: the answer, the findings, each with its timeline and what mends
//! it to unfold, and the scenarios. GitHub's dialect, of which GitLab understands all that is used here.
//!
//! GitHub refuses a comment of more than 65,536 characters. So rows and timelines are added as long as they fit, the most telling
//! first, and what is left out is counted.

mod advised;
mod escape;

use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(super) use advised::examples;
pub(super) use escape::{code, escaped, fenced};

use super::clean::clean;
use super::terminal::timeline;
use super::words::{self, Counted, Limit, percent};
use super::{Palette, Renderer};
use crate::check::Severity;
use crate::load_result::LoadResult;
use crate::report::replay;
use crate::run_result::{FindingResult, RunResult, ScenarioResult};
use crate::text::{count, micros};

/// Markdown, at most [`Markdown::MOST`] characters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Markdown;

impl Markdown {
    /// The longest comment that GitHub takes (characters).
    pub const MOST: usize = 65_536;
}

/// The first line of every comment: by it, the last one is found again and replaced.
pub(super) const MARK: &str = "<!-- quickeats-bench -->\n";
/// The part of a comment that a table may take.
pub(super) const TABLE: usize = Markdown::MOST / 4;
/// Kept for what is said of what was left out.
pub(super) const ANNOUNCED: usize = 500;
/// Characters of one text in a table, and beside it.
pub(super) const CELL: usize = 200;
const PROSE: usize = 2_000;

impl Renderer for Markdown {
    fn render(&self, result: &RunResult) -> String {
        let result = &clean(result);
        let (head, foot) = (head(result), foot(result));
        let mut room = Self::MOST - ANNOUNCED - length(&head) - length(&foot);
        let found: Vec<(&ScenarioResult, &FindingResult)> = findings(result);
        let findings = table(
            "\n| | finding | scenario | seen |\n|---|---|---|---|\n",
            found.iter().map(|(scenario, finding)| finding_row(result, scenario, finding)),
            &mut room,
        );
        let mut sorted: Vec<&ScenarioResult> = result.scenarios.iter().collect();
        sorted.sort_by_key(|scenario| std::cmp::Reverse(scenario.verdict));
        let scenarios = table(
            "\n| scenario | verdict | rounds | overlapped | 412 rate | p95 | excluded at 95 % |\n|---|---|--:|--:|--:|--:|--:|\n",
            sorted.into_iter().map(scenario_row),
            &mut room,
        );
        let stories = fitting(stories(result, &found), &mut room);
        let left_out = left_out(&[
            (findings.left_out, "finding"),
            (stories.left_out, "timeline"),
            (scenarios.left_out, "scenario"),
        ]);
        [head, findings.text, stories.text, scenarios.text, left_out, foot].concat()
    }

    fn render_load(&self, result: &LoadResult) -> String {
        super::load::markdown::render(&clean(result))
    }
}

/// All findings, with their scenarios: violations before warnings, and the most telling kind first.
pub(super) fn findings(result: &RunResult) -> Vec<(&ScenarioResult, &FindingResult)> {
    let mut found: Vec<_> = (result.scenarios.iter())
        .flat_map(|scenario| scenario.findings.iter().map(move |finding| (scenario, finding)))
        .collect();
    found.sort_by_key(|(_, finding)| (std::cmp::Reverse(finding.severity), finding.kind));
    found
}

fn head(result: &RunResult) -> String {
    let mut head = format!("{MARK}## {}\n\n{}\n", words::answer(result), prose(&words::raced(result)));
    let doubts =
        result.scenarios.iter().flat_map(|scenario| scenario.doubts.iter().map(move |doubt| (scenario, doubt)));
    let mut room = TABLE;
    let doubts = fitting(
        doubts.map(|(scenario, doubt)| {
            format!("- ? inconclusive {}: {}\n", code(&clip(&scenario.name, CELL)), prose(doubt))
        }),
        &mut room,
    );
    if !doubts.text.is_empty() {
        let _ = write!(head, "\n{}", doubts.text);
    }
    head += &left_out(&[(doubts.left_out, "doubt")]);
    head
}

fn foot(result: &RunResult) -> String {
    let mut foot = String::from("\n");
    for threshold in &result.thresholds {
        let (limit, told) = words::threshold(threshold);
        let mark = match limit {
            Limit::Kept => "✓ threshold kept",
            Limit::Crossed => "✗ threshold crossed",
            Limit::NotMeasured => "? threshold not measured",
        };
        let _ = writeln!(foot, "- {}", escaped(&format!("{mark} {}", clip(&told, CELL))));
    }
    let totals = &result.totals;
    let _ = write!(
        foot,
        "\n<sub>{} of {} overlapped ({} void), {}; seed {}, run {}, quickeats-bench {}</sub>\n",
        totals.rounds_overlapped,
        count(totals.rounds, "round"),
        totals.rounds_void,
        count(totals.requests, "request"),
        result.seed,
        code(&clip(&result.run_id, CELL)),
        escaped(&clip(&result.tool_version, CELL)),
    );
    foot
}

pub(super) fn finding_row(result: &RunResult, scenario: &ScenarioResult, finding: &FindingResult) -> String {
    let seen = escaped(&words::seen(Counted::of(result), scenario, finding));
    format!("| {} | **{}** | {} | {seen} |\n", mark(finding), finding.kind, code(&clip(&scenario.name, CELL)))
}

fn mark(finding: &FindingResult) -> &'static str {
    match finding.severity {
        Severity::Violation => "✗ violation",
        Severity::Warning => "! warning",
    }
}

fn scenario_row(scenario: &ScenarioResult) -> String {
    let none = || "–".to_owned();
    let latency = &scenario.latency_us;
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        code(&clip(&scenario.name, CELL)),
        words::verdict(scenario.verdict),
        scenario.rounds,
        scenario.rounds_overlapped,
        scenario.rate_412.map_or_else(none, percent),
        if latency.count == 0 { none() } else { micros(latency.p95) },
        words::excluded(scenario)
            .and(scenario.rate_upper_bound_95)
            .map_or_else(none, |bound| format!("≥ {}", percent(bound))),
    )
}

/// Findings to unfold; what to do about a kind stands with the first of it.
pub(super) fn stories<'a>(
    result: &'a RunResult,
    found: &'a [(&ScenarioResult, &FindingResult)],
) -> impl Iterator<Item = String> + 'a {
    let mut advised = BTreeSet::new();
    found.iter().map(move |(scenario, finding)| {
        let is_first = advised.insert(finding.kind);
        story(result, scenario, finding, &advised::told(finding.kind, is_first))
    })
}

/// A finding to unfold, with what to do about it.
fn story(result: &RunResult, scenario: &ScenarioResult, finding: &FindingResult, advised: &str) -> String {
    let name = format!(
        "{} in {}: {}",
        finding.kind,
        clip(&scenario.name, CELL),
        words::seen(Counted::of(result), scenario, finding)
    );
    let shown = timeline::render(&finding.witness, finding.aftermath.as_ref(), Palette::Plain, None);
    let mut out = format!(
        "\n<details><summary>{} {}</summary>\n\n{}\n\n{}",
        mark(finding),
        escaped(&name),
        prose(&words::sentence(finding)),
        fenced(&shown)
    );
    if !finding.also.is_empty() {
        let also: Vec<&str> = finding.also.iter().map(|kind| kind.name()).collect();
        let _ = writeln!(out, "\nAlso shows: {}", also.join(", "));
    }
    out += advised;
    if let Some(command) = replay::command(result, scenario) {
        let _ = write!(out, "\nPlay it again (the interleaving may differ):\n\n{}", fenced(&command));
    }
    if let Some(script) = &scenario.script {
        let _ = write!(out, "\nThe same with curl:\n\n{}", fenced(script));
    }
    out + "\n</details>\n"
}

/// Text of the report's own, or of a stranger's, as it stands in a paragraph.
pub(super) fn prose(text: &str) -> String {
    escaped(&clip(text, PROSE))
}

/// The beginning of a text.
pub(super) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Pieces that fit, and how many do not.
#[derive(Default)]
pub(super) struct Fitting {
    pub(super) text: String,
    pub(super) left_out: u64,
}

/// Takes pieces as long as there is room for them: the first that does not fit ends it.
pub(super) fn fitting(pieces: impl Iterator<Item = String>, room: &mut usize) -> Fitting {
    let mut taken = Fitting::default();
    for piece in pieces {
        match room.checked_sub(length(&piece)) {
            Some(rest) if taken.left_out == 0 => {
                *room = rest;
                taken.text += &piece;
            }
            Some(_) | None => taken.left_out += 1,
        }
    }
    taken
}

/// A table of its rows, if there is any; within its part of the room.
pub(super) fn table(header: &str, rows: impl Iterator<Item = String>, room: &mut usize) -> Fitting {
    let mut own = (*room).min(TABLE).saturating_sub(length(header));
    let before = own;
    let mut table = fitting(rows, &mut own);
    if !table.text.is_empty() {
        *room -= before - own + length(header);
        table.text.insert_str(0, header);
    }
    table
}

pub(super) fn left_out(parts: &[(u64, &str)]) -> String {
    let told: Vec<String> = parts.iter().filter(|(left, _)| *left > 0).map(|(left, noun)| count(*left, noun)).collect();
    if told.is_empty() {
        return String::new();
    }
    format!(
        "\n*Left out, to stay below {} characters: {}. The saved result has all.*\n",
        Markdown::MOST,
        crate::text::list(&told)
    )
}

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}
