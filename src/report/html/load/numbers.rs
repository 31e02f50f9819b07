//! The tables and facts of a load.

use maud::{Markup, html};

use super::super::scenarios::chip;
use super::super::words::{capital, grouped, prose};
use crate::load_result::{LoadResult, RequestFigures, Times};
use crate::report::load::told;
use crate::run_result::TargetKind;
use crate::text::harmless;

/// Kinds of request that are told.
const MOST: usize = 200;
/// The percentiles of the table.
const TOLD: [(&str, f64); 4] = [("p50", 50.0), ("p95", 95.0), ("p99", 99.0), ("p99.9", 99.9)];

/// All requests, and each kind: both views.
pub(super) fn requests(load: &LoadResult) -> Markup {
    html! {
        section id="requests" aria-labelledby="requests-title" {
            h2 id="requests-title" { "Request by request" }
            p class="lead" {
                "Times from when a request was meant to begin, which count what it had to wait for before it was sent, and from when it did. "
                "Where a percentile is left open, no request lies beyond it."
            }
            div class="wide" tabindex="0" role="region" aria-label="Requests, scrolls sideways" {
                table class="scenarios requests" {
                    thead {
                        tr {
                            th scope="col" rowspan="2" { "request" } th scope="col" rowspan="2" class="n" { "sent" }
                            th scope="col" rowspan="2" class="n" { "done" } th scope="col" rowspan="2" class="n" { "errors" }
                            th scope="col" rowspan="2" class="n" { "412 rate" }
                            th scope="colgroup" colspan="5" class="n" { "from the intended start" }
                            th scope="colgroup" colspan="5" class="n" { "from the actual start" }
                        }
                        tr { @for _ in 0..2 { @for (name, _) in TOLD { th scope="col" class="n" { (name) } } th scope="col" class="n" { "max" } } }
                    }
                    tbody { @for figures in std::iter::once(&load.all).chain(&load.requests).take(MOST + 1) { (row(figures)) } }
                }
            }
            @if load.requests.len() > MOST { p class="note" { "Told: the first " (MOST) " of " (load.requests.len()) " kinds. load.json has all." } }
            (intervals(load))
        }
    }
}

fn row(figures: &RequestFigures) -> Markup {
    let none = || "–".to_owned();
    let share = |share: Option<f64>| share.map_or_else(none, told::share);
    html! {
        tr {
            th scope="row" { (harmless(&figures.name, 60)) }
            td class="n" { (grouped(figures.sent)) }
            td class="n" { (grouped(figures.achieved)) }
            td class={ "n" @if figures.error_rate.is_some_and(|rate| rate > 0.0) { " bad" } } { (share(figures.error_rate)) }
            td class="n" { (share(figures.rate_412)) }
            @for times in [&figures.from_intended, &figures.from_actual] {
                @for (_, percent) in TOLD { td class="n" { (told::percentile(times, percent).map_or_else(none, told::span)) } }
                td class="n" { (if times.count > 0 { told::span(times.max_us) } else { none() }) }
            }
        }
    }
}

/// Where the percentiles of all requests lie.
fn intervals(load: &LoadResult) -> Markup {
    let told: Vec<String> = [("intended", &load.all.from_intended), ("actual", &load.all.from_actual)]
        .into_iter()
        .filter_map(|(view, times)| Some(format!("from the {view} start {}", interval(times)?)))
        .collect();
    html! {
        @if !told.is_empty() {
            p class="note" { "Of all requests, at 95 % confidence, if requests are independent: " (told.join("; ")) "." }
        }
    }
}

fn interval(times: &Times) -> Option<String> {
    let told: Vec<String> = times
        .percentiles
        .iter()
        .filter(|one| [50.0, 95.0, 99.0].iter().any(|told| (told - one.percent).abs() < 1e-9))
        .filter_map(|one| one.interval_us.map(|(low, high)| (one.percent, low, high)))
        .map(|(percent, low, high)| format!("p{percent} lies in {} … {}", told::span(low), told::span(high)))
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}

/// What was judged, and what that amounts to; nothing where nothing was.
pub(super) fn judged(load: &LoadResult) -> Markup {
    let Some(judged) = &load.judged else { return html! {} };
    html! {
        section id="s-1" aria-labelledby="judged-title" {
            h2 id="judged-title" { "What was judged" }
            p { (chip(judged.scenario.verdict)) " " (grouped(judged.good)) " operations did what they asked for on resources whose whole history is lawful, after the warm-up." }
            ul class="facts" {
                @if let Some(told) = told::judged(load) { li { (told) "." } }
                @if let Some(excluded) = told::excluded(load) { li { "That it holds means: " (excluded) "." } }
            }
        }
    }
}

/// How well the load kept up: slots, lag, fairness.
pub(super) fn effort(load: &LoadResult) -> Markup {
    let facts = [
        Some(format!("Rates: {}", told::rates(load))),
        Some(format!("Slots: {}", told::slots(load))),
        told::dropped(load),
        Some(format!("Answers by status: {}", told::statuses(&load.status_counts))),
        told::refused(load),
        told::tries(load).map(|tries| capital(&tries)),
        told::fairness(load).map(|fairness| format!("Fairness: {fairness}")),
        Some(format!("Generator: {}", told::generator(load))),
    ];
    html! {
        section id="effort" aria-labelledby="effort-title" {
            h2 id="effort-title" { "How well the load kept up" }
            p class="lead" { (capital(&told::shape(&load.plan))) ", on " (crate::text::count(load.plan.threads.into(), "thread")) "; a limit of " (told::time(load.plan.timeout_ms)) " a request." }
            ul class="facts" {
                @for fact in facts.into_iter().flatten() { li { (prose(&fact)) "." } }
                @if load.target.kind == TargetKind::InProcess {
                    li { "The service ran in the same process and shared the cores with the load: times compare runs, not servers." }
                }
            }
        }
    }
}
