//! The share of conditional requests refused as stale, over the number of contenders.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::plot::{Chart, percents, share, x, y};
use crate::report::html::words::{Px, grouped};
use crate::report::words::percent;
use crate::run_result::ScenarioResult;
use crate::text::harmless;

/// The chart; nothing where no request was conditional.
pub(super) fn chart(scenarios: &[ScenarioResult]) -> Option<Markup> {
    let conditional: Vec<&ScenarioResult> =
        scenarios.iter().filter(|scenario| scenario.conditional_requests > 0).collect();
    let most = conditional.iter().map(|scenario| scenario.contenders).max()?.max(4);
    let place = |contenders: u64| x(share(contenders.saturating_sub(1), most));
    let rate = |scenario: &ScenarioResult| share(scenario.precondition_failed, scenario.conditional_requests);
    let together = together(&conditional);
    let step = most.div_ceil(12).max(1);
    let ticks = (1..=most)
        .filter(|number| (number - 1) % step == 0)
        .map(|number| (share(number - 1, most), number.to_string()));
    let corner = |number: u64| format!("{} {}", Px(place(number)), Px(y(share(number - 1, number))));
    let reference = format!("M{}", (1..=most.min(400)).map(corner).collect::<Vec<_>>().join("L"));
    let drawing = html! {
        path class="reference" d=(reference) { title { "one winner: (n − 1) / n are refused" } }
        @for scenario in &conditional {
            circle class="faint" cx=(Px(place(scenario.contenders))) cy=(Px(y(rate(scenario)))) r="4" {
                title { (harmless(&scenario.name, 60)) ": " (percent(rate(scenario))) " of " (grouped(scenario.conditional_requests)) }
            }
        }
        @for (contenders, (failed, all)) in &together {
            circle class="point" cx=(Px(place(*contenders))) cy=(Px(y(share(*failed, *all)))) r="4.5" {
                title { (contenders) " contenders, all scenarios: " (percent(share(*failed, *all))) " of " (grouped(*all)) }
            }
        }
    };
    Some(
        Chart {
            title: "Refused as stale (412)",
            says: "The share of conditional requests, by how many raced: strong dots for all scenarios together, faint ones for each. \
                   Dashed: what one winner a round leaves, (n − 1) / n."
                .to_owned(),
            x_axis: ("contenders", ticks.collect()),
            y_axis: ("refused", percents()),
            drawing,
            columns: &["scenario", "contenders", "refused", "of", "share"],
            rows: conditional.iter().map(|scenario| row(scenario)).collect(),
        }
        .render(),
    )
}

/// By number of contenders: requests refused as stale, and all conditional ones.
fn together(conditional: &[&ScenarioResult]) -> BTreeMap<u64, (u64, u64)> {
    let mut together: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for scenario in conditional {
        let (failed, all) = together.entry(scenario.contenders).or_default();
        *failed = failed.saturating_add(scenario.precondition_failed);
        *all = all.saturating_add(scenario.conditional_requests);
    }
    together
}

fn row(scenario: &ScenarioResult) -> Vec<String> {
    vec![
        harmless(&scenario.name, 60),
        scenario.contenders.to_string(),
        grouped(scenario.precondition_failed),
        grouped(scenario.conditional_requests),
        percent(share(scenario.precondition_failed, scenario.conditional_requests)),
    ]
}
