//! The top of a load's page, and its end.

use maud::{Markup, html};

use super::super::answer::{mark, started};
use super::super::findings::{Found, copied};
use super::super::words::{grouped, prose};
use crate::check::{Severity, Verdict};
use crate::load_result::{LimitResult, LoadResult};
use crate::report::load::told;
use crate::report::replay;
use crate::report::words::Limit;
use crate::text::harmless;

/// Doubts, void warnings and thresholds told at the top.
const MOST: usize = 12;

/// The name of the browser's tab.
pub(super) fn title(load: &LoadResult) -> String {
    let verdict = load.verdict.map_or_else(|| "measured".to_owned(), |verdict| verdict.to_string());
    format!("{verdict}: load of {} – quickeats-bench", harmless(&load.plan.traffic, 60))
}

/// The top of the page.
pub(super) fn section(load: &LoadResult, found: &[Found<'_>]) -> Markup {
    let class = load.verdict.map_or_else(|| "measured".to_owned(), |verdict| verdict.to_string());
    html! {
        header class={ "answer " (class) } {
            div class="top" {
                p class="brand" { "quickeats-bench" }
                button type="button" id="theme" hidden { "Dark" }
            }
            h1 { @if let Some(verdict) = load.verdict { span class="mark" aria-hidden="true" { (mark(verdict)) } " " } (headline(load)) }
            p class="lede" { (lede(load, found)) }
            @if let Some(ended) = told::ended(load) { p class="doubt" { b { "Not the whole load. " } (prose(&ended)) } }
            @for caveat in told::caveats(load) { p class="doubt" { (prose(&caveat)) } }
            @for why in load.generator.void.iter().take(MOST) { p class="doubt" { b { "Times are void. " } (prose(why)) } }
            @for doubt in load.judged.iter().flat_map(|judged| &judged.scenario.doubts).take(MOST) {
                p class="doubt" { b { "In doubt. " } (prose(&harmless(doubt, 400))) }
            }
            @for limit in load.thresholds.iter().take(MOST) { (threshold(limit)) }
            @if load.thresholds.len() > MOST { p class="note" { "Told: the first " (MOST) " of " (load.thresholds.len()) " thresholds. load.json has all." } }
            (figures(load))
            p class="about" { (about(load)) }
            nav aria-label="Sections" {
                @if !found.is_empty() { a href="#findings" { "What was found" } a href="#mend" { "What mends it" } }
                a href="#requests" { "Request by request" }
                @if load.all.sent > 0 { a href="#numbers" { "Latency and contention" } }
                @if load.judged.is_some() { a href="#s-1" { "What was judged" } }
                a href="#effort" { "How well the load kept up" } a href="#again" { "Load it again" }
            }
        }
    }
}

fn headline(load: &LoadResult) -> String {
    match load.verdict {
        Some(Verdict::Holds) => "Holds under load".to_owned(),
        Some(Verdict::Violated) => "Violated under load".to_owned(),
        Some(Verdict::Inconclusive) => "Inconclusive under load".to_owned(),
        None => "Measured, not judged".to_owned(),
    }
}

/// The one number, and what the verdict rests on.
fn lede(load: &LoadResult, found: &[Found<'_>]) -> Markup {
    let api = harmless(load.plan.api.as_deref().unwrap_or(&load.plan.traffic), 80);
    let kinds = |severity: Severity| {
        let kinds: Vec<&str> =
            found.iter().filter(|(_, one)| one.severity == severity).map(|(_, one)| one.kind.name()).collect();
        crate::text::list(&kinds)
    };
    let resources = load.judged.as_ref().map_or(0, |judged| judged.scenario.rounds);
    html! {
        b { (told::number(load)) } ". "
        @match load.verdict {
            Some(Verdict::Violated) => {
                b { (api) } " did not stay correct: among " (grouped(resources)) " resources was found "
                (if told::has_findings(load, Severity::Violation) { kinds(Severity::Violation) } else { kinds(Severity::Warning) }) "."
            },
            Some(Verdict::Holds) => {
                b { (api) } " stayed correct on all of " (grouped(resources)) " resources. That is evidence, not proof: " a href="#s-1" { "what was judged" } "."
                @if told::has_findings(load, Severity::Warning) { " Worth knowing, though no violation: " (kinds(Severity::Warning)) "." }
            },
            Some(Verdict::Inconclusive) => {
                "No violation was seen of " b { (api) } ", and too little was seen to say that it holds."
            },
            None => { "Whether the answers were right was not judged: there is no traffic to judge them by." },
        }
    }
}

fn threshold(limit: &LimitResult) -> Markup {
    let (kept, text) = told::threshold(limit);
    let (class, word) = match kept {
        Limit::Kept => ("threshold", "✓ Threshold kept. "),
        Limit::Crossed => ("threshold crossed", "✗ Threshold crossed. "),
        Limit::NotMeasured => ("threshold unmeasured", "? Threshold not measured. "),
    };
    html! { p class=(class) { b { (word) } (text) "." } }
}

fn figures(load: &LoadResult) -> Markup {
    let figure = |value: String, name: &str| html! { div { dt { (name) } dd { (value) } } };
    let p95 = |times| told::percentile(times, 95.0).map_or_else(|| "–".to_owned(), told::span);
    html! {
        dl class="figures" {
            @if let Some(goodput) = load.rates.goodput { (figure(format!("{}/s", told::rate(goodput)), "goodput")) }
            (figure(format!("{}/s", told::rate(load.rates.answered)), "answered"))
            (figure(grouped(load.slots.sent), "requests"))
            (figure(p95(&load.all.from_intended), "p95, intended start"))
            (figure(p95(&load.all.from_actual), "p95, actual start"))
            @if let Some(rate) = load.all.rate_412 { (figure(told::share(rate), "refused as stale")) }
            @if let Some(rate) = load.all.error_rate { (figure(told::share(rate), "errors")) }
        }
    }
}

fn about(load: &LoadResult) -> Markup {
    html! {
        "Loaded with " (harmless(&told::loaded(load), 600)) ". Begun " time { (harmless(&started(&load.started_at), 40)) } "."
    }
}

/// The end of the page: how to make the load again, and what it was.
pub(super) fn footer(load: &LoadResult) -> Markup {
    html! {
        footer id="again" {
            h2 { "Load it again" }
            p { "The same seed makes the same choices: what each client does, and in which order. The server’s own timing makes the interleaving: it may differ." }
            @if let Some(rerun) = &load.rerun { (copied("The load", &replay::load_command(rerun))) }
            dl class="origin" {
                div { dt { "run" } dd { (harmless(&load.run_id, 120)) } }
                div { dt { "seed" } dd { (load.seed) } }
                div { dt { "exit code" } dd { (load.exit_code) ", fails on " (load.fail_on) } }
                div { dt { "traffic" } dd { (harmless(&load.plan.traffic, 120)) } }
                @if let Some(api) = &load.plan.api { div { dt { "API description" } dd { (harmless(api, 120)) } } }
                div { dt { "target" } dd { (harmless(&load.target.url, 200)) } }
                div { dt { "tool" } dd { "quickeats-bench " (harmless(&load.tool_version, 40)) ", " (harmless(&load.schema, 60)) } }
            }
        }
    }
}
