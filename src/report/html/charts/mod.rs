//! Charts in SVG, each with the numbers behind it as a table.

mod contention;
mod delays;
mod latency;
mod load;
mod plot;

use maud::{Markup, html};

use crate::run_result::RunResult;

pub(super) use delays::swept;
pub(super) use latency::latencies;
pub(super) use load::section as of_load;

/// Scenarios whose sweep is drawn here; the others' charts stand with their scenarios.
const MOST_SWEPT: usize = 12;

/// The section of charts over all scenarios; nothing where nothing was answered.
pub(super) fn section(result: &RunResult) -> Markup {
    let bins = latency::merged(&result.scenarios);
    let contention = contention::chart(&result.scenarios);
    html! {
        @if !bins.is_empty() || contention.is_some() {
            section id="numbers" aria-labelledby="numbers-title" {
                h2 id="numbers-title" { "Latency and contention" }
                div class="charts" {
                    (latencies(&bins, "all scenarios"))
                    @if let Some(contention) = contention { (contention) }
                    @for scenario in result.scenarios.iter().filter(|one| delays::is_telling(one)).take(MOST_SWEPT) { (swept(scenario)) }
                }
            }
        }
    }
}
