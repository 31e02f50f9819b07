//! The answer in one sentence, what it rests on in a few numbers, and at the end where the run came from.

use maud::{Markup, html};

use super::findings::{Found, copied};
use super::words::{grouped, prose};
use crate::check::{Kind, Severity, Verdict};
use crate::report::replay;
use crate::report::words::{percent, reference_service};
use crate::run_result::{RunResult, ThresholdResult};
use crate::text::{count, harmless, micros};

/// The name of the browser's tab.
pub(super) fn title(result: &RunResult) -> String {
    format!("{}: {} – quickeats-bench", result.verdict, harmless(&result.api, 60))
}

/// The top of the page.
pub(super) fn section(result: &RunResult, found: &[Found<'_>]) -> Markup {
    html! {
        header class={ "answer " (result.verdict) } {
            div class="top" {
                p class="brand" { "quickeats-bench" }
                button type="button" id="theme" hidden { "Dark" }
            }
            h1 { span class="mark" aria-hidden="true" { (mark(result.verdict)) } " " (headline(result)) }
            p class="lede" { (lede(result, found)) }
            @for doubt in doubts(result) { p class="doubt" { (doubt) } }
            @for threshold in &result.thresholds { (threshold_told(threshold)) }
            (figures(result))
            p class="about" { (about(result)) }
            nav aria-label="Sections" {
                @if !found.is_empty() { a href="#findings" { "What was found" } a href="#mend" { "What mends it" } }
                a href="#scenarios" { "Scenarios" }
                @if result.totals.latency_us.count > 0 { a href="#numbers" { "Latency and contention" } }
                a href="#effort" { "How hard we looked" } a href="#again" { "Race it again" }
            }
        }
    }
}

pub(super) const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Violated => "✗",
    }
}

fn headline(result: &RunResult) -> String {
    let totals = &result.totals;
    let of = count(totals.scenarios, "scenario");
    match result.verdict {
        Verdict::Violated if totals.violated == totals.scenarios && totals.scenarios == 1 => {
            "Violated in the one scenario raced".to_owned()
        }
        Verdict::Violated => format!("Violated in {} of {of}", totals.violated),
        Verdict::Inconclusive if totals.scenarios == 0 => "Inconclusive: no scenario was raced".to_owned(),
        Verdict::Inconclusive if totals.scenarios == 1 => "Inconclusive in the one scenario raced".to_owned(),
        Verdict::Inconclusive => format!("Inconclusive in {} of {of}", totals.inconclusive),
        Verdict::Holds => format!(
            "Holds in {}",
            if totals.scenarios == 1 { "the one scenario raced".to_owned() } else { format!("all {of}") }
        ),
    }
}

/// What the verdict rests on.
fn lede(result: &RunResult, found: &[Found<'_>]) -> Markup {
    let overlapped = format!("{} rounds in which requests truly overlapped", grouped(result.totals.rounds_overlapped));
    let violations = kinds(found, Severity::Violation);
    let warnings = kinds(found, Severity::Warning);
    html! {
        @match result.verdict {
            Verdict::Violated => {
                b { (harmless(&result.api, 80)) } " did not stay correct when requests met"
                @if let Some(kinds) = violations.as_ref().or(warnings.as_ref()) { ": " (kinds) } "."
            },
            Verdict::Holds => {
                b { (harmless(&result.api, 80)) } " stayed correct in all of " (overlapped) ". That is evidence, not proof: "
                a href="#effort" { "how hard we looked" } "."
            },
            Verdict::Inconclusive => {
                "No violation was seen of " b { (harmless(&result.api, 80)) } ", and too little was seen to say that it holds."
            },
        }
        @if let Some(warnings) = warnings.as_ref().filter(|_| result.verdict != Verdict::Violated || violations.is_some()) {
            " Worth knowing, though no violation: " (warnings) "."
        }
        @if result.interrupted { " The run was interrupted: judged is what was seen until then." }
    }
}

/// `lost-update in 4 scenarios, oversell in 1` for this severity, the most frequent first; none where there is none.
fn kinds(found: &[Found<'_>], severity: Severity) -> Option<Markup> {
    let with = |kind: Kind| found.iter().filter(|(_, one)| one.kind == kind && one.severity == severity).count() as u64;
    let mut kinds: Vec<(u64, Kind)> = Kind::ALL.into_iter().map(|kind| (with(kind), kind)).collect();
    kinds.retain(|(number, _)| *number > 0);
    kinds.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let last = kinds.len().checked_sub(1)?;
    Some(html! {
        @for (at, (number, kind)) in kinds.iter().enumerate() {
            @if at == 0 { span class="word" { (kind) } " in " (count(*number, "scenario")) } @else {
                @if at == last { " and " } @else { ", " } span class="word" { (kind) } " in " (number)
            }
        }
    })
}

/// Why it is inconclusive, where that is the answer.
fn doubts(result: &RunResult) -> Vec<Markup> {
    const MOST: usize = 3;
    let undecided: Vec<_> = result.scenarios.iter().filter(|one| one.verdict == Verdict::Inconclusive).collect();
    let told = undecided.iter().take(MOST).filter_map(|scenario| {
        let doubt = scenario.doubts.first()?;
        Some(html! { b { (harmless(&scenario.name, 60)) } " is inconclusive: " (prose(&harmless(doubt, 400))) })
    });
    let more = undecided.len().saturating_sub(MOST) as u64;
    let more = (more > 0).then(|| html! { (count(more, "more scenario")) " inconclusive, told below." });
    told.chain(more).collect()
}

fn threshold_told(threshold: &ThresholdResult) -> Markup {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency in whole µs")]
    let show = |value: f64| if threshold.name == "max-p95" { micros(value as u64) } else { percent(value) };
    let name = harmless(&threshold.name, 40);
    let limit = show(threshold.limit);
    let of = |scenario: &str| harmless(scenario, 60);
    html! {
        @match (threshold.measured, &threshold.scenario) {
            (Some(measured), Some(scenario)) if threshold.crossed => {
                p class="threshold crossed" { b { "✗ Threshold crossed. " } "--" (name) " " (limit) ": " (show(measured)) " in " (of(scenario)) "." }
            },
            (Some(measured), Some(scenario)) => {
                p class="threshold" { b { "✓ Threshold kept. " } "--" (name) " " (limit) ": at most " (show(measured)) ", in " (of(scenario)) "." }
            },
            (None, _) | (_, None) => {
                p class="threshold unmeasured" { b { "? Threshold not measured. " } "--" (name) " " (limit) ": no request it applies to was answered." }
            },
        }
    }
}

fn figures(result: &RunResult) -> Markup {
    let totals = &result.totals;
    let figure = |value: String, name: &str| html! { div { dt { (name) } dd { (value) } } };
    html! {
        dl class="figures" {
            (figure(grouped(totals.findings), "findings"))
            (figure(format!("{} / {}", grouped(totals.rounds_overlapped), grouped(totals.rounds)), "rounds overlapped"))
            (figure(grouped(totals.requests), "requests"))
            @if let Some(rate) = totals.rate_412 { (figure(percent(rate), "refused as stale")) }
            @if totals.latency_us.count > 0 { (figure(micros(totals.latency_us.p95), "p95 latency")) }
        }
    }
}

fn about(result: &RunResult) -> Markup {
    let target = match &result.target.service {
        None => result.target.url.clone(),
        Some(service) => reference_service(service, result.target.defect.as_deref()),
    };
    html! {
        "Raced " (harmless(&target, 200)) ", " time { (harmless(&started(&result.started_at), 40)) } ", for " (micros(result.duration_ms.saturating_mul(1_000))) "."
    }
}

/// `2026-01-31 12:00:05 UTC`: to the second.
pub(super) fn started(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..19)) {
        (Some(day), Some(time)) if rfc3339.ends_with('Z') => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}

/// The end of the page: how to race the whole run again, and what it was.
pub(super) fn footer(result: &RunResult) -> Markup {
    let typed = replay::run_command(result);
    html! {
        footer id="again" {
            h2 { "Race it again" }
            p { "The same seed makes the same choices, and " code { "--replay" } " the same plan, round for round. The server’s own timing makes the "
                "interleaving: it may differ." }
            @if let Some(command) = typed { (copied("The whole run", &command)) }
            dl class="origin" {
                div { dt { "run" } dd { (harmless(&result.run_id, 120)) } }
                div { dt { "seed" } dd { (result.seed) } }
                div { dt { "verdict" } dd { (result.verdict) ", exit code " (result.exit_code) ", fails on " (result.fail_on) } }
                div { dt { "API description" } dd { (harmless(&result.api, 120)) } }
                div { dt { "target" } dd { (harmless(&result.target.url, 200)) } }
                div { dt { "tool" } dd { "quickeats-bench " (harmless(&result.tool_version, 40)) ", " (harmless(&result.schema, 60)) } }
            }
        }
    }
}
