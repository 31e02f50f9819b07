//! The findings: each the sentence, its round, what to do about it, and how to see it again.

use maud::{Markup, html};

use super::timeline;
use super::words::{capital, grouped, prose};
use crate::check::Severity;
use crate::report::advice::Advice;
use crate::report::replay;
use crate::report::words::Counted;
use crate::run_result::{FindingResult, RunResult, ScenarioResult};
use crate::text::{count, harmless};

/// Findings shown in full; the rest are rows of a table.
pub(super) const MOST_CARDS: usize = 100;
/// Rows of that table.
const MOST_ROWS: usize = 1_000;
/// Operations drawn of one finding,
const MOST_OPERATIONS: usize = 48;
/// until the timelines of a page take so many bytes; from then on,
const MOST_DRAWN: usize = 1_500_000;
/// so many.
const FEWEST_OPERATIONS: usize = 6;
/// Characters shown of a sentence, and of a script.
const LONGEST_SENTENCE: usize = 1_000;
const LONGEST_SCRIPT: usize = 8_000;

/// A finding and the scenario that has it.
pub(super) type Found<'a> = (&'a ScenarioResult, &'a FindingResult);

/// All findings: violations first, otherwise as the scenarios stand.
pub(super) fn all(result: &RunResult) -> Vec<Found<'_>> {
    let mut all: Vec<Found<'_>> =
        result.scenarios.iter().flat_map(|scenario| scenario.findings.iter().map(move |one| (scenario, one))).collect();
    all.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
    all
}

/// The section; nothing where nothing was found.
pub(super) fn section(result: &RunResult) -> Markup {
    let all = all(result);
    let (cards, rows) = all.split_at(all.len().min(MOST_CARDS));
    let mut drawn = 0;
    html! {
        @if !all.is_empty() {
            section id="findings" aria-labelledby="findings-title" {
                h2 id="findings-title" { "What was found" }
                @if all.len() > 3 { (filter(&all)) }
                @for (at, found) in cards.iter().enumerate() { (card(result, *found, at + 1, &mut drawn)) }
                @if !rows.is_empty() { (table(rows, all.len())) }
            }
        }
    }
}

fn filter(all: &[Found<'_>]) -> Markup {
    let mut kinds: Vec<&str> = Vec::new();
    for (_, finding) in all {
        if !kinds.contains(&finding.kind.name()) {
            kinds.push(finding.kind.name());
        }
    }
    html! {
        form class="filter" role="search" aria-label="Filter findings" hidden {
            label { "Kind " select name="kind" {
                option value="" { "all kinds" }
                @for kind in kinds { option value=(kind) { (kind) } }
            } }
            label { "Containing " input name="text" type="search" placeholder="scenario, actor, word" autocomplete="off"; }
            output aria-live="polite" { (grouped(all.len() as u64)) " findings" }
        }
    }
}

fn card(result: &RunResult, (scenario, finding): Found<'_>, id: usize, drawn: &mut usize) -> Markup {
    let most = if *drawn < MOST_DRAWN { MOST_OPERATIONS } else { FEWEST_OPERATIONS };
    let timeline = timeline::draw(finding, id, most);
    *drawn += timeline.0.len();
    let severity = finding.severity.to_string();
    html! {
        article class={ "card " (severity) } id={ "f" (id) } data-kind=(finding.kind.name()) {
            p class="eyebrow" {
                span class={ "chip " (severity) } { (mark(finding.severity)) " " (severity) }
                " " a href={ "#mend-" (finding.kind.name()) } { (finding.kind.name()) }
                " in " a href={ "#s-" (position(result, scenario)) } { (harmless(&scenario.name, 80)) }
            }
            h3 { (prose(&capital(&harmless(&finding.sentence, LONGEST_SENTENCE)))) }
            p class="seen" { (seen(Counted::of(result), scenario, finding)) }
            (timeline)
            p class="cause" { b { "What usually causes it. " } (prose(Advice::of(finding.kind).cause)) " "
                a href={ "#mend-" (finding.kind.name()) } { "What mends it" } }
            (again(result, (scenario, finding), position(result, scenario)))
        }
    }
}

pub(super) fn mark(severity: Severity) -> &'static str {
    match severity {
        Severity::Violation => "✗",
        Severity::Warning => "!",
    }
}

/// Where a scenario stands in the run, from 1: what links to it say.
fn position(result: &RunResult, scenario: &ScenarioResult) -> usize {
    result.scenarios.iter().position(|one| std::ptr::eq(one, scenario)).map_or(0, |at| at + 1)
}

fn seen(counted: Counted, scenario: &ScenarioResult, finding: &FindingResult) -> Markup {
    let noun = counted.noun();
    let rounds = format!("{} {noun}{}", grouped(scenario.rounds), if scenario.rounds == 1 { "" } else { "s" });
    let controls = format!("{}, where nothing raced", count(finding.controls, "serial control"));
    html! {
        @match (finding.first_round, finding.controls) {
            (0, _) => { "Seen in " (controls) ", and in none of " (rounds) "." },
            (first, 0) => { "Seen in " b { (grouped(finding.count)) " of " (rounds) } ", first in " (noun) " " (first) "." },
            (first, _) => { "Seen in " b { (grouped(finding.count)) " of " (rounds) } ", first in " (noun) " " (first) ", and in " (controls) "." },
        }
        @if !finding.also.is_empty() {
            " The same " (noun) "s are evidence of "
            @for (at, kind) in finding.also.iter().enumerate() {
                @if at > 0 { ", " } a href={ "#mend-" (kind.name()) } { (kind.name()) }
            }
            "."
        }
    }
}

/// The command that races the scenario again, and the race as a script.
fn again(result: &RunResult, (scenario, finding): Found<'_>, position: usize) -> Markup {
    let command = replay::command(result, scenario);
    let worst = scenario.findings.iter().map(|one| one.severity).max();
    let is_first = scenario
        .findings
        .iter()
        .find(|one| Some(one.severity) == worst)
        .is_some_and(|first| std::ptr::eq(first, finding));
    html! {
        @if let Some(command) = &command { (copied("See it again", command)) }
        @if let Some(script) = &scenario.script {
            @if is_first {
                details class="script" id={ "script-" (position) } {
                    summary { "The race as a shell script with curl" }
                    (code(&lines_of(script, LONGEST_SCRIPT)))
                }
            } @else {
                p { a href={ "#script-" (position) } { "The race as a shell script with curl" } " stands with the first finding of this scenario." }
            }
        }
    }
}

/// A command with a button that copies it.
pub(super) fn copied(label: &str, command: &str) -> Markup {
    html! {
        div class="command" {
            span class="label" { (label) }
            code tabindex="0" { (command) }
            button type="button" class="copy" hidden { "Copy" }
        }
    }
}

/// Code of several lines, with a button that copies it.
pub(super) fn code(text: &str) -> Markup {
    html! {
        div class="code" {
            button type="button" class="copy" hidden { "Copy" }
            pre tabindex="0" { code { (text) } }
        }
    }
}

/// Lines of a stranger, each made harmless, of so many characters in all.
fn lines_of(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    let note = if cut.len() < text.len() { "\n… the rest is left out; run.json has all" } else { "" };
    let lines: Vec<String> = cut.lines().map(|line| harmless(line, usize::MAX)).collect();
    lines.join("\n") + note
}

fn table(rows: &[Found<'_>], all: usize) -> Markup {
    let shown = &rows[..rows.len().min(MOST_ROWS)];
    html! {
        h3 id="more-findings" { "And " (count(rows.len() as u64, "finding")) " more" }
        p class="seen" {
            "Shown in full: the first " (MOST_CARDS) " of " (all) "."
            @if shown.len() < rows.len() { " Listed here: the next " (shown.len()) "." }
            " run.json has all."
        }
        div class="wide" tabindex="0" role="region" aria-label="More findings, scrolls sideways" {
            table {
                thead { tr {
                    th scope="col" { "kind" } th scope="col" { "scenario" } th scope="col" class="n" { "rounds" } th scope="col" { "in words" }
                } }
                tbody { @for (scenario, finding) in shown {
                    tr data-kind=(finding.kind.name()) {
                        th scope="row" { (mark(finding.severity)) " " a href={ "#mend-" (finding.kind.name()) } { (finding.kind.name()) } }
                        td { (harmless(&scenario.name, 60)) }
                        td class="n" { (finding.count) }
                        td { (prose(&capital(&harmless(&finding.sentence, 240)))) }
                    }
                } }
            }
        }
    }
}
