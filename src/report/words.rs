//! What every report says in the same words: the answer, what was raced, how often a finding was seen, how to play it again.

use std::fmt::Write as _;

use crate::check::Verdict;
use crate::load_result;
use crate::run_result::{FindingResult, RunResult, ScenarioResult, ServiceInfo, ThresholdResult};
use crate::text::{count, micros};

/// `✗ violated: 2 of 9 scenarios`: a sign with its word, and how many.
pub(super) fn answer(result: &RunResult) -> String {
    let totals = &result.totals;
    let of = format!("of {}", count(totals.scenarios, "scenario"));
    match result.verdict {
        Verdict::Violated => format!("✗ violated: {} {of}", totals.violated),
        Verdict::Inconclusive if totals.scenarios == 0 => "? inconclusive: no scenario was raced".to_owned(),
        Verdict::Inconclusive => format!("? inconclusive: {} {of}", totals.inconclusive),
        Verdict::Holds => format!("✓ holds: {} {of}", totals.holds),
    }
}

/// `quickeats-v2 against http://…`, and whether the run was interrupted.
pub(super) fn raced(result: &RunResult) -> String {
    let interrupted = if result.interrupted { " (interrupted: judged is what was seen)" } else { "" };
    format!("{} against {}{interrupted}", result.api, target(result))
}

/// The server: its URL, or what the reference service was set up to be.
pub(super) fn target(result: &RunResult) -> String {
    match &result.target.service {
        None => result.target.url.clone(),
        Some(service) => reference_service(service, result.target.defect.as_deref()),
    }
}

/// `the reference service, in-process, on sqlite:orders.db, pessimistic, with defect …`: what is not the default is told.
pub(super) fn reference_service(service: &ServiceInfo, defect: Option<&str>) -> String {
    let mut told = "the reference service, in-process".to_owned();
    if service.store != "memory" {
        let _ = write!(told, ", on {}", service.store);
    }
    if service.idempotency_store != "same" {
        let _ = write!(told, ", keys in {}", service.idempotency_store);
    }
    if service.strategy != "optimistic" {
        let _ = write!(told, ", {}", service.strategy);
    }
    if !service.latency.is_empty() {
        let _ = write!(told, ", latency {}", service.latency.join(", "));
    }
    if let Some(defect) = defect {
        let _ = write!(told, ", with defect {defect}");
    }
    told
}

/// `✗ violated`: a verdict with its sign.
pub(super) fn verdict(verdict: Verdict) -> String {
    let sign = match verdict {
        Verdict::Holds => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Violated => "✗",
    };
    format!("{sign} {verdict}")
}

/// What findings are counted in. Each is a fresh resource on which requests met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// The rounds of a race.
    Rounds,
    /// The resources of a load: nobody held its requests until all could leave.
    Resources,
}

impl Counted {
    /// Of a result: a load that is told as a run keeps its own schema.
    pub(super) fn of(result: &RunResult) -> Self {
        if result.schema == load_result::SCHEMA { Self::Resources } else { Self::Rounds }
    }

    /// One of them.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Rounds => "round",
            Self::Resources => "resource",
        }
    }
}

/// `431 of 500 rounds, first in round 1`: how often a finding was seen, and where first.
pub(super) fn seen(counted: Counted, scenario: &ScenarioResult, finding: &FindingResult) -> String {
    let noun = counted.noun();
    let rounds = count(scenario.rounds, noun);
    let controls = format!("{}, where nothing raced", count(finding.controls, "serial control"));
    match (finding.first_round, finding.controls) {
        (0, _) => format!("in {controls}, and in none of {rounds}"),
        (first, 0) => format!("{} of {rounds}, first in {noun} {first}", finding.count),
        (first, _) => format!("{} of {rounds}, first in {noun} {first}, and in {controls}", finding.count),
    }
}

/// What was seen, as a sentence that begins with a capital.
pub(super) fn sentence(finding: &FindingResult) -> String {
    let mut characters = finding.sentence.chars();
    characters.next().map(|initial| initial.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

/// `at 95 % confidence, below 0.6 % of such rounds`: what a scenario without a violation excludes; none where it shows nothing.
pub(super) fn excluded(scenario: &ScenarioResult) -> Option<String> {
    let bound = scenario.rate_upper_bound_95.filter(|_| scenario.verdict == Verdict::Holds)?;
    Some(format!("at 95 % confidence, a violation in less than {} of such rounds", percent(bound)))
}

/// What a threshold came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The worst value is within it.
    Kept,
    /// The worst value is beyond it.
    Crossed,
    /// Nothing that it applies to was measured.
    NotMeasured,
}

/// A threshold in words, `--max-p95 50.0 ms: 61.2 ms in swarm`, and what it came to.
pub(super) fn threshold(threshold: &ThresholdResult) -> (Limit, String) {
    let show = |value: f64| match threshold.name.as_str() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency in whole µs")]
        "max-p95" => micros(value as u64),
        _ => percent(value),
    };
    let limit = format!("--{} {}", threshold.name, show(threshold.limit));
    match (threshold.measured, &threshold.scenario) {
        (Some(measured), Some(scenario)) if threshold.crossed => {
            (Limit::Crossed, format!("{limit}: {} in {scenario}", show(measured)))
        }
        (Some(measured), Some(scenario)) => {
            (Limit::Kept, format!("{limit}: at most {}, in {scenario}", show(measured)))
        }
        (None, _) | (_, None) => (Limit::NotMeasured, format!("{limit}: no request it applies to was answered")),
    }
}

/// A share as people read it, with the digits that matter.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_show_the_digits_that_matter() {
        assert_eq!([percent(0.0), percent(0.003), percent(0.5), percent(1.0)], ["0 %", "0.3 %", "50 %", "100 %"]);
    }
}
