//! How hard we looked: what "holds" amounts to, and how contenders were delivered.

use maud::{Markup, html};

use super::words::grouped;
use crate::check::Verdict;
use crate::report::words::percent;
use crate::run_result::{DeliveryResult, RunResult, ScenarioResult, TargetKind};
use crate::text::{harmless, list, micros};

/// The section.
pub(super) fn section(result: &RunResult) -> Markup {
    let totals = &result.totals;
    html! {
        section id="effort" aria-labelledby="effort-title" {
            h2 id="effort-title" { "How hard we looked" }
            p class="lead" {
                (grouped(totals.rounds)) " rounds, each on a fresh resource. In " b { (grouped(totals.rounds_overlapped)) }
                " of them contenders truly overlapped"
                @match totals.rounds_void { 0 => { ". " }, 1 => { "; 1 was void and counts for nothing. " }, void => { "; " (grouped(void)) " were void and count for nothing. " } }
                (loosest(&result.scenarios))
            }
            ul class="facts" {
                @for fact in facts(result) { li { (fact) } }
            }
            (methods(result))
        }
    }
}

/// What a scenario that holds amounts to at least: the weakest claim.
fn loosest(scenarios: &[ScenarioResult]) -> String {
    let bound = (scenarios.iter())
        .filter(|scenario| scenario.verdict == Verdict::Holds)
        .filter_map(|scenario| scenario.rate_upper_bound_95)
        .max_by(f64::total_cmp);
    bound.map_or_else(String::new, |bound| {
        format!(
            "Where a scenario holds, a violation happens, at 95 % confidence, in less than {} of such rounds{}.",
            percent(bound),
            one_in(bound)
        )
    })
}

/// `, once in 67`
fn one_in(share: f64) -> String {
    if share <= 0.0 || share > 0.4 { String::new() } else { format!(" (once in {:.0})", (1.0 / share).floor()) }
}

/// One scenario's claim in words.
pub(super) fn told(scenario: &ScenarioResult) -> String {
    let raced = format!(
        "{} contenders raced in each of {} rounds; in {} they overlapped, {} are evidence, {} void.",
        scenario.contenders,
        grouped(scenario.rounds),
        grouped(scenario.rounds_overlapped),
        grouped(scenario.trials),
        grouped(scenario.rounds_void),
    );
    let abreast = scenario.parallel.filter(|parallel| *parallel > 1);
    let abreast = abreast.map(|parallel| format!(" At most {parallel} rounds ran side by side.")).unwrap_or_default();
    let bound = scenario.rate_upper_bound_95.map_or_else(
        || " No round was evidence, so nothing is said of how rare a violation is.".to_owned(),
        |bound| {
            format!(
                " At 95 % confidence, less than {} of such rounds have a violation{}.",
                percent(bound),
                one_in(bound)
            )
        },
    );
    raced + &abreast + &bound
}

fn facts(result: &RunResult) -> Vec<String> {
    let mut facts = Vec::new();
    if result.interrupted {
        facts.push("The run was interrupted: what was seen until then is judged.".to_owned());
    }
    if let Some(extent) = &result.extent {
        let names = |names: &[String]| {
            let shown: Vec<String> = names.iter().take(50).map(|name| harmless(name, 60)).collect();
            list(&shown)
        };
        let until: Vec<String> = extent.until.iter().map(|until| format!("--until {}", harmless(until, 80))).collect();
        if !extent.settled.is_empty() {
            facts.push(format!("Ended early, having shown enough ({}): {}.", until.join(" "), names(&extent.settled)));
        }
        if !extent.out_of_time.is_empty() {
            let time = micros(extent.duration_ms.unwrap_or_default().saturating_mul(1_000));
            let rounds = grouped(extent.rounds.into());
            facts.push(format!(
                "Out of time (--duration, {time}) before {rounds} rounds: {}.",
                names(&extent.out_of_time)
            ));
        }
    }
    let thin = |scenario: &&ScenarioResult| {
        scenario.rounds_overlapped > 0
            && scenario.rounds_overlapped.saturating_mul(10) < scenario.rounds.saturating_mul(9)
    };
    let thin: Vec<String> = result.scenarios.iter().filter(thin).take(50).map(|one| harmless(&one.name, 60)).collect();
    if !thin.is_empty() {
        facts.push(format!(
            "In {} less than 90 % of the rounds overlapped: one contender was answered before another was sent.",
            list(&thin)
        ));
    }
    if result.target.kind == TargetKind::InProcess {
        facts.push(
            "The service ran in the same process and shared the cores with the harness: latencies compare runs, not servers."
                .to_owned(),
        );
    }
    facts
}

/// All scenarios' deliveries, added up by method.
fn methods(result: &RunResult) -> Markup {
    let mut methods: Vec<(String, u64, u64, u64)> = Vec::new();
    for DeliveryResult { method, rounds, rounds_overlapped, rounds_violated, .. } in
        result.scenarios.iter().flat_map(|scenario| &scenario.deliveries)
    {
        let name = method.to_string();
        match methods.iter_mut().find(|(known, ..)| *known == name) {
            Some((_, all, overlapped, violated)) => {
                *all = all.saturating_add(*rounds);
                *overlapped = overlapped.saturating_add(*rounds_overlapped);
                *violated = violated.saturating_add(*rounds_violated);
            }
            None => methods.push((name, *rounds, *rounds_overlapped, *rounds_violated)),
        }
    }
    html! {
        @if !methods.is_empty() {
            h3 { "Rounds by delivery" }
            p class="note" { "Where the gate held a request back: before it, before the end of its header section (head) or of its body (tail), or all "
                "contenders in one HTTP/2 write (single packet). What is found depends on it." }
            div class="wide" tabindex="0" role="region" aria-label="Rounds by delivery, scrolls sideways" {
                table {
                    thead { tr { th scope="col" { "delivery" } th scope="col" class="n" { "rounds" } th scope="col" class="n" { "overlapped" }
                        th scope="col" class="n" { "with a violation" } } }
                    tbody { @for (name, rounds, overlapped, violated) in methods {
                        tr { th scope="row" { (name) } @for number in [rounds, overlapped, violated] { td class="n" { (grouped(number)) } } }
                    } }
                }
            }
        }
    }
}

/// One scenario's deliveries.
pub(super) fn deliveries(scenario: &ScenarioResult) -> Markup {
    html! {
        @if !scenario.deliveries.is_empty() {
            div class="wide" tabindex="0" role="region" aria-label="Deliveries, scrolls sideways" {
                table {
                    thead { tr {
                        th scope="col" { "delivery" } th scope="col" class="n" { "rounds" } th scope="col" class="n" { "overlapped" }
                        th scope="col" class="n" { "evidence" } th scope="col" class="n" { "with a violation" }
                        th scope="col" class="n" { "answered early" } th scope="col" class="n" { "skew p50" } th scope="col" class="n" { "skew p95" }
                    } }
                    tbody { @for one in scenario.deliveries.iter().take(20) {
                        tr {
                            th scope="row" { (one.method) }
                            @for number in [one.rounds, one.rounds_overlapped, one.trials, one.rounds_violated, one.answered_early] {
                                td class="n" { (grouped(number)) }
                            }
                            td class="n" { (micros(one.skew_us.p50)) } td class="n" { (micros(one.skew_us.p95)) }
                        }
                    } }
                }
            }
        }
    }
}
