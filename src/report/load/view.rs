//! A load as a run of one scenario, for what is told of findings in the same way.
//!
//! It keeps the load's own schema: by that, renderers know that its "rounds" are resources ([`Counted`](crate::report::words::Counted)).

use crate::check::Verdict;
use crate::load_result::LoadResult;
use crate::run_result::{FindingResult, RunResult, ScenarioResult, ThresholdResult, Totals};

/// The load as a run. Its thresholds stay behind: they are told otherwise.
pub(in crate::report) fn as_run(load: &LoadResult) -> RunResult {
    let mut scenarios: Vec<ScenarioResult> = load.judged.iter().map(|judged| judged.scenario.clone()).collect();
    for scenario in &mut scenarios {
        scenario.name.clone_from(&load.plan.traffic);
        scenario.findings.iter_mut().for_each(ungated);
        for doubt in &mut scenario.doubts {
            *doubt = of_resources(doubt);
        }
    }
    RunResult {
        schema: load.schema.clone(),
        tool_version: load.tool_version.clone(),
        run_id: load.run_id.clone(),
        started_at: load.started_at.clone(),
        duration_ms: load.duration_ms,
        seed: load.seed,
        api: api(load),
        target: load.target.clone(),
        interrupted: load.interrupted,
        extent: None,
        delivery: crate::run_result::Delivery::default(),
        fail_on: load.fail_on,
        verdict: load.verdict.unwrap_or(Verdict::Inconclusive),
        exit_code: load.exit_code,
        rerun: load.rerun.clone(),
        totals: totals(load, &scenarios),
        thresholds: Vec::<ThresholdResult>::new(),
        scenarios,
    }
}

/// No gate held the requests of a load: that they left when they were opened is not worth a word.
fn ungated(finding: &mut FindingResult) {
    let round = finding.round.iter_mut().flat_map(|round| &mut round.operations);
    for line in finding.witness.iter_mut().chain(&mut finding.aftermath).chain(round) {
        line.released_us = line.released_us.filter(|released| *released != line.opened_us);
    }
}

/// What was loaded: the API description's name, or the request that was sent over and over.
pub(in crate::report) fn api(load: &LoadResult) -> String {
    load.plan.api.clone().unwrap_or_else(|| load.plan.traffic.clone())
}

/// A doubt of the judge's, which speaks of rounds, in a load's words.
fn of_resources(doubt: &str) -> String {
    const SAID: [(&str, &str); 2] = [
        ("no round overlapped: nothing raced", "on no resource did requests meet: nothing raced"),
        (
            "rounds overlapped, but none was answered, observed and decided",
            "requests met, but nowhere was all answered, observed and decided",
        ),
    ];
    SAID.iter().fold(doubt.to_owned(), |doubt, (race, load)| doubt.replace(race, load))
}

fn totals(load: &LoadResult, scenarios: &[ScenarioResult]) -> Totals {
    let with = |verdict| scenarios.iter().filter(|scenario| scenario.verdict == verdict).count() as u64;
    let sum = |of: fn(&ScenarioResult) -> u64| scenarios.iter().map(of).sum::<u64>();
    Totals {
        scenarios: scenarios.len() as u64,
        holds: with(Verdict::Holds),
        violated: with(Verdict::Violated),
        inconclusive: with(Verdict::Inconclusive),
        rounds: sum(|one| one.rounds),
        rounds_overlapped: sum(|one| one.rounds_overlapped),
        rounds_void: sum(|one| one.rounds_void),
        requests: load.slots.sent,
        outcomes: crate::run_result::OutcomeCounts {
            answered: load.slots.answered,
            not_sent: load.slots.failed,
            unknown: load.slots.unknown,
        },
        status_counts: load.status_counts.clone(),
        conditional_requests: load.all.conditional,
        precondition_failed: load.all.stale,
        rate_412: load.all.rate_412,
        lost_updates: sum(|one| one.lost_updates),
        duplicate_effects: sum(|one| one.duplicate_effects),
        findings: scenarios.iter().map(|one| one.findings.len() as u64).sum(),
        latency_us: crate::measure::Quantiles::default(),
    }
}
