//! The scenarios: one table of numbers, and of each what it was made of.

use maud::{Markup, html};

use super::charts;
use super::effort;
use super::findings::{copied, mark};
use super::words::{grouped, prose};
use crate::check::Verdict;
use crate::report::replay;
use crate::report::words::percent;
use crate::run_result::{RunResult, ScenarioResult};
use crate::text::{count, harmless, micros};

/// Scenarios told one by one; the table has all.
const MOST_TOLD: usize = 200;
/// Doubts told of one scenario.
const MOST_DOUBTS: usize = 3;

/// The section; it says so where none was raced.
pub(super) fn section(result: &RunResult) -> Markup {
    html! {
        section id="scenarios" aria-labelledby="scenarios-title" {
            h2 id="scenarios-title" { "Scenario by scenario" }
            @if result.scenarios.is_empty() { p { "No scenario was raced." } } @else { (table(&result.scenarios)) }
            @for (at, scenario) in result.scenarios.iter().enumerate().take(MOST_TOLD) { (told(result, scenario, at + 1)) }
            @if result.scenarios.len() > MOST_TOLD {
                p class="note" { "Told one by one: the first " (MOST_TOLD) " of " (result.scenarios.len()) ". run.json has all." }
            }
        }
    }
}

/// The symbol and the word of a verdict.
pub(super) fn chip(verdict: Verdict) -> Markup {
    let symbol = match verdict {
        Verdict::Holds => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Violated => "✗",
    };
    html! { span class={ "chip " (verdict) } { (symbol) " " (verdict) } }
}

fn table(scenarios: &[ScenarioResult]) -> Markup {
    html! {
        div class="wide" tabindex="0" role="region" aria-label="Scenarios, scrolls sideways" {
            table class="scenarios" {
                thead { tr {
                    th scope="col" { "scenario" } th scope="col" { "verdict" } th scope="col" class="n" { "rounds" }
                    th scope="col" class="n" { "overlapped" } th scope="col" class="n" { "evidence" }
                    th scope="col" class="n" { "lost updates" } th scope="col" class="n" { "duplicate effects" }
                    th scope="col" class="n" { "412 rate" } th scope="col" class="n" { "p50" } th scope="col" class="n" { "p95" }
                    th scope="col" class="n" { "p99" } th scope="col" class="n" { "skew, p50" }
                    th scope="col" class="n" { "took" }
                } }
                tbody { @for (at, scenario) in scenarios.iter().enumerate() { (row(scenario, at + 1)) } }
            }
        }
    }
}

fn row(scenario: &ScenarioResult, id: usize) -> Markup {
    let latency = &scenario.latency_us;
    let span = |value: u64| if latency.count == 0 { "–".to_owned() } else { micros(value) };
    let skew = if scenario.rounds_overlapped == 0 { "–".to_owned() } else { micros(scenario.skew_us.p50) };
    html! {
        tr {
            th scope="row" { @if id <= MOST_TOLD { a href={ "#s-" (id) } { (harmless(&scenario.name, 60)) } } @else { (harmless(&scenario.name, 60)) } }
            td { (chip(scenario.verdict)) }
            @for number in [scenario.rounds, scenario.rounds_overlapped, scenario.trials] { td class="n" { (grouped(number)) } }
            @for number in [scenario.lost_updates, scenario.duplicate_effects] {
                td class={ "n" @if number > 0 { " bad" } } { (grouped(number)) }
            }
            td class="n" { (scenario.rate_412.map_or_else(|| "–".to_owned(), percent)) }
            @for value in [latency.p50, latency.p95, latency.p99] { td class="n" { (span(value)) } }
            td class="n" { (skew) }
            td class="n" { (scenario.duration_ms.map_or_else(|| "–".to_owned(), |took| micros(took.saturating_mul(1_000)))) }
        }
    }
}

fn told(result: &RunResult, scenario: &ScenarioResult, id: usize) -> Markup {
    html! {
        details class="scenario" id={ "s-" (id) } {
            summary {
                span class="name" { (harmless(&scenario.name, 80)) } " " (chip(scenario.verdict))
                @if !scenario.findings.is_empty() { " " span class="note" { (count(scenario.findings.len() as u64, "finding")) } }
            }
            div class="inside" {
                @for doubt in scenario.doubts.iter().take(MOST_DOUBTS) {
                    p class="doubt" { b { "Why it is not decided. " } (prose(&harmless(doubt, 500))) }
                }
                @if scenario.doubts.len() > MOST_DOUBTS { p class="note" { "Told: the first " (MOST_DOUBTS) " of " (scenario.doubts.len()) " reasons." } }
                p { (effort::told(scenario)) }
                @if !scenario.findings.is_empty() { (found(scenario)) }
                (answers(scenario))
                (effort::deliveries(scenario))
                div class="charts" { (charts::swept(scenario)) (charts::latencies(&scenario.latency_bins, "this scenario")) }
                @if let Some(command) = replay::command(result, scenario) { (copied("Race it again", &command)) }
            }
        }
    }
}

fn found(scenario: &ScenarioResult) -> Markup {
    html! {
        ul { @for finding in scenario.findings.iter().take(40) {
            li { (mark(finding.severity)) " " b { (finding.kind.name()) } ", " (grouped(finding.count)) " of " (grouped(scenario.rounds)) " rounds" }
        } }
    }
}

fn answers(scenario: &ScenarioResult) -> Markup {
    let outcomes = scenario.outcomes;
    html! {
        p {
            (grouped(scenario.requests)) " requests, set-up and observation included: " (grouped(outcomes.answered)) " answered, "
            (grouped(outcomes.not_sent)) " not sent, " (grouped(outcomes.unknown)) " with unknown outcome."
            @if !scenario.status_counts.is_empty() {
                " Contenders were answered "
                @for (at, (status, number)) in scenario.status_counts.iter().enumerate() {
                    @if at > 0 { ", " } b { (status) } " " (grouped(*number)) " ×"
                }
                "."
            }
            @if let Some(arrival) = scenario.arrival_spread_us {
                " By the server’s own clock, half of the volleys arrived within " (format!("{:.1} µs", arrival.p50)) ", 95 % within "
                (format!("{:.1} µs", arrival.p95)) "."
            }
        }
    }
}
