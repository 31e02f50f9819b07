//! From judgments and counts to results.

use super::{
    ArrivalSpread, DelayResult, DeliveryResult, FindingResult, LawfulOrder, OutcomeCounts, RoundStory, ScenarioResult,
    Totals, WitnessLine,
};
use crate::check::{Finding, Judgment, Severity, Story, Verdict};
use crate::clock::Stamp;
use crate::history::{Method, Operation, Precondition};
use crate::measure::{Bucket, Deliveries, Played, Tally, upper_bound};
use crate::text::harmless;

/// What a scenario result is made of, beside its judgment and counts.
#[derive(Debug, Clone, Copy)]
pub struct ScenarioFacts<'a> {
    /// The scenario's name.
    pub name: &'a str,
    /// How many raced in each round.
    pub contenders: usize,
    /// How many rounds ran side by side at most, where that is known.
    pub parallel: Option<u32>,
    /// The severity from which on a finding counts.
    pub fail_on: Severity,
}

impl ScenarioResult {
    /// Puts a scenario's judgment and counts together.
    pub(super) fn new(
        facts: ScenarioFacts<'_>,
        judgment: &Judgment,
        tally: &Tally,
        (deliveries, kinds): (&Deliveries, &[String]),
    ) -> Self {
        Self {
            name: facts.name.to_owned(),
            verdict: judgment.verdict(facts.fail_on),
            duration_ms: None,
            contenders: facts.contenders as u64,
            parallel: facts.parallel,
            rounds: tally.rounds,
            rounds_overlapped: tally.rounds_overlapped,
            rounds_void: judgment.rounds_void,
            rounds_unanswered: tally.rounds_unanswered,
            trials: judgment.trials,
            requests: tally.requests,
            outcomes: outcomes(tally),
            status_counts: tally.status_counts.clone(),
            conditional_requests: tally.conditional_requests,
            precondition_failed: tally.precondition_failed,
            rate_412: tally.rate_412(),
            lost_updates: judgment.lost_updates,
            duplicate_effects: judgment.duplicate_effects,
            latency_us: tally.latency_us(),
            waited_us: tally.waited_us(),
            latency_bins: tally.latency_bins(),
            skew_us: tally.skew_us().into(),
            arrival_spread_us: ArrivalSpread::of_nanos(tally.arrival_spread_ns()),
            rate_upper_bound_95: upper_bound(judgment.rounds_violated, judgment.trials, 0.95),
            deliveries: deliveries.methods().map(|(method, played)| DeliveryResult::new(method, played)).collect(),
            delays: deliveries.over_delay().map(|(kind, buckets)| DelayResult::new(kinds, kind, buckets)).collect(),
            doubts: doubts(judgment, tally, deliveries),
            findings: judgment.findings.iter().map(FindingResult::new).collect(),
            script: None,
        }
    }
}

fn doubts(judgment: &Judgment, tally: &Tally, deliveries: &Deliveries) -> Vec<String> {
    let mut doubts = judgment.doubts.clone();
    if tally.rounds_overlapped == 0 && tally.rounds_unanswered > 0 && doubts.is_empty() {
        let unanswered = tally.rounds_unanswered;
        doubts.push(format!("no round overlapped: the set-up of {unanswered} was not answered"));
    } else if tally.rounds_overlapped == 0 && doubts.is_empty() {
        let early: u64 = deliveries.methods().map(|(_, played)| played.answered_early).sum();
        doubts.push(match early {
            0 => "no round overlapped: nothing raced".to_owned(),
            early => format!(
                "no round overlapped: the target answered {early} contenders before the end of their requests had left, so \
                 nothing raced; --delivery head lets it answer none"
            ),
        });
    } else if judgment.trials == 0 && doubts.is_empty() {
        doubts.push("rounds overlapped, but none was answered, observed and decided: nothing was shown".to_owned());
    }
    doubts
}

fn outcomes(tally: &Tally) -> OutcomeCounts {
    OutcomeCounts { answered: tally.answered, not_sent: tally.not_sent, unknown: tally.unknown }
}

impl DeliveryResult {
    fn new(method: Method, played: &Played) -> Self {
        Self {
            method,
            rounds: played.rounds,
            rounds_overlapped: played.overlapped,
            trials: played.trials,
            rounds_violated: played.violated,
            answered_early: played.answered_early,
            skew_us: played.skew_us().into(),
        }
    }
}

impl DelayResult {
    fn new(kinds: &[String], kind: usize, buckets: Vec<Bucket>) -> Self {
        let named = |kind: usize| kinds.get(kind).cloned().unwrap_or_else(|| format!("contender {}", kind + 1));
        Self { of: named(kind), after: named(0), buckets }
    }
}

impl FindingResult {
    fn new(finding: &Finding) -> Self {
        let told = || finding.witness.iter().chain(&finding.authors);
        let origin = told().map(|operation| operation.window.opened).min();
        let line = |operation: &Operation| {
            let beside = finding.witness.iter().all(|witness| witness.id != operation.id);
            WitnessLine { beside, ..WitnessLine::new(operation, origin) }
        };
        let mut witness: Vec<WitnessLine> = told().map(line).collect();
        witness.sort_by_key(|line| line.operation);
        Self {
            kind: finding.kind,
            severity: finding.severity,
            count: finding.count,
            controls: finding.controls,
            first_round: finding.first_round.number(),
            sentence: finding.sentence.clone(),
            witness,
            aftermath: finding.aftermath.as_ref().map(|operation| WitnessLine::new(operation, origin)),
            also: finding.also.clone(),
            round: origin.map(|origin| RoundStory::new(finding, origin)),
        }
    }
}

impl RoundStory {
    fn new(finding: &Finding, origin: Stamp) -> Self {
        let Story { operations, count, order } = &finding.story;
        let gate = operations.iter().filter_map(|operation| operation.window.released).min();
        Self {
            name: finding.first_round.to_string(),
            operations: operations.iter().map(|operation| WitnessLine::new(operation, Some(origin))).collect(),
            count: *count as u64,
            gate_us: gate.map(|stamp| stamp.micros_from(origin)),
            order: order.as_ref().map(|order| LawfulOrder {
                operations: order.operations.iter().map(|id| id.0).collect(),
                stuck: order.stuck.map(|id| id.0),
            }),
        }
    }
}

impl WitnessLine {
    /// An operation in words; its times count from `origin`, or from its own opening.
    pub fn new(operation: &Operation, origin: Option<Stamp>) -> Self {
        let origin = origin.unwrap_or(operation.window.opened);
        let shown = |text: &str| harmless(text, 200);
        Self {
            round: operation.round.to_string(),
            operation: operation.id.0,
            client: operation.client.0,
            actor: operation.call.actor.to_string(),
            request: shown(&operation.call.request),
            precondition: match &operation.call.precondition {
                Precondition::Absent => None,
                Precondition::Token(token) => Some(shown(token)),
            },
            idempotency_key: operation.call.key.as_deref().map(shown),
            phase: Some(operation.phase),
            answer: crate::check::answer(operation),
            status: operation.outcome.reply().map(|reply| reply.status),
            meaning: operation.outcome.reply().map(|reply| reply.meaning),
            state: operation.outcome.reply().and_then(|reply| reply.state.as_deref().map(shown)),
            version: operation.outcome.reply().and_then(|reply| reply.version),
            token: operation.outcome.reply().and_then(|reply| reply.token.as_deref().map(shown)),
            opened_us: operation.window.opened.micros_from(origin),
            released_us: operation.window.released.map(|stamp| stamp.micros_from(origin)),
            closed_us: operation.window.closed.micros_from(origin),
            beside: false,
        }
    }
}

impl Totals {
    /// Adds `scenarios` up; `tally` holds their counts added.
    pub fn new(scenarios: &[ScenarioResult], tally: &Tally) -> Self {
        let with = |verdict| scenarios.iter().filter(|scenario| scenario.verdict == verdict).count() as u64;
        let sum = |field: fn(&ScenarioResult) -> u64| scenarios.iter().map(field).sum();
        Self {
            scenarios: scenarios.len() as u64,
            holds: with(Verdict::Holds),
            violated: with(Verdict::Violated),
            inconclusive: with(Verdict::Inconclusive),
            rounds: tally.rounds,
            rounds_overlapped: tally.rounds_overlapped,
            rounds_void: sum(|scenario| scenario.rounds_void),
            requests: tally.requests,
            outcomes: outcomes(tally),
            status_counts: tally.status_counts.clone(),
            conditional_requests: tally.conditional_requests,
            precondition_failed: tally.precondition_failed,
            rate_412: tally.rate_412(),
            lost_updates: sum(|scenario| scenario.lost_updates),
            duplicate_effects: sum(|scenario| scenario.duplicate_effects),
            findings: sum(|scenario| scenario.findings.len() as u64),
            latency_us: tally.latency_us(),
        }
    }
}
