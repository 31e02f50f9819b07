//! Counting a scenario's rounds: outcomes, statuses, 412 rate, latency, skew and overlap.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::history::{Meaning, Operation, Outcome, Phase, overlapped};
use crate::ids::RoundId;

/// Running counts of one scenario, or of several added up.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Raced rounds.
    pub rounds: u64,
    /// Raced rounds in which at least two contenders were on their way at the same time.
    pub rounds_overlapped: u64,
    /// Requests of all phases.
    pub requests: u64,
    /// Requests with a complete answer.
    pub answered: u64,
    /// Requests of which no byte left.
    pub not_sent: u64,
    /// Requests that may have taken effect.
    pub unknown: u64,
    /// Answers to contenders, by status.
    pub status_counts: BTreeMap<u16, u64>,
    /// Contenders' requests that named a version token.
    pub conditional_requests: u64,
    /// Those of them that were refused as stale.
    pub precondition_failed: u64,
    latency_us: Histogram<u64>,
    skew_us: Histogram<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        // A minute at three digits; what lasts longer counts as a minute (and the time limit is far below).
        let histogram = || Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid");
        Self {
            rounds: 0,
            rounds_overlapped: 0,
            requests: 0,
            answered: 0,
            not_sent: 0,
            unknown: 0,
            status_counts: BTreeMap::new(),
            conditional_requests: 0,
            precondition_failed: 0,
            latency_us: histogram(),
            skew_us: histogram(),
        }
    }
}

impl Tally {
    /// Counts one round. Serial controls count as requests, not as rounds, and their contenders did not race.
    pub fn absorb(&mut self, id: RoundId, operations: &[Operation]) {
        for operation in operations {
            self.requests += 1;
            match &operation.outcome {
                Outcome::Answered(_) => self.answered += 1,
                Outcome::NotSent(_) => self.not_sent += 1,
                Outcome::Unknown(_) => self.unknown += 1,
            }
        }
        debug_assert_eq!(self.requests, self.answered + self.not_sent + self.unknown);
        if !id.is_raced() {
            return;
        }
        self.rounds += 1;
        let contenders: Vec<&Operation> = (operations.iter())
            .filter(|operation| operation.phase == Phase::Contend)
            .filter(|operation| !matches!(operation.outcome, Outcome::NotSent(_)))
            .collect();
        for contender in &contenders {
            self.absorb_contender(contender);
        }
        self.rounds_overlapped += u64::from(overlapped(contenders.iter().copied()));
        let released: Vec<Stamp> = contenders.iter().filter_map(|contender| contender.window.released).collect();
        if let (true, Some(first), Some(last)) = (released.len() > 1, released.iter().min(), released.iter().max()) {
            record(&mut self.skew_us, last.since(*first));
        }
    }

    fn absorb_contender(&mut self, contender: &Operation) {
        let (status, meaning) = match &contender.outcome {
            Outcome::Answered(reply) => (Some(reply.status), Some(reply.meaning)),
            Outcome::Unknown(cause) | Outcome::NotSent(cause) => (cause.status(), None),
        };
        if let Some(status) = status {
            *self.status_counts.entry(status).or_default() += 1;
        }
        if contender.call.precondition.token().is_some() {
            self.conditional_requests += 1;
            self.precondition_failed += u64::from(meaning == Some(Meaning::Stale));
        }
        if meaning.is_some() {
            record(&mut self.latency_us, contender.latency());
        }
    }

    /// Adds another scenario's counts.
    pub fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.rounds_overlapped += other.rounds_overlapped;
        self.requests += other.requests;
        self.answered += other.answered;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
        for (status, count) in &other.status_counts {
            *self.status_counts.entry(*status).or_default() += count;
        }
        self.conditional_requests += other.conditional_requests;
        self.precondition_failed += other.precondition_failed;
        self.latency_us.add(&other.latency_us).expect("all have the same bounds");
        self.skew_us.add(&other.skew_us).expect("all have the same bounds");
    }

    /// The share of conditional requests that were refused as stale; `None` if there were none.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    pub fn rate_412(&self) -> Option<f64> {
        (self.conditional_requests > 0).then(|| self.precondition_failed as f64 / self.conditional_requests as f64)
    }

    /// Microseconds from the gate's release to the last response byte, of contenders that were answered.
    pub fn latency_us(&self) -> Quantiles {
        Quantiles::of(&self.latency_us)
    }

    /// Microseconds between the first and the last release of a volley.
    pub fn skew_us(&self) -> Quantiles {
        Quantiles::of(&self.skew_us)
    }
}

fn record(histogram: &mut Histogram<u64>, span: std::time::Duration) {
    histogram.saturating_record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1));
}

/// Quantiles of a distribution, in its unit; zeros if nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// Half are at or below.
    pub p50: u64,
    /// 90 % are at or below.
    pub p90: u64,
    /// 95 % are at or below.
    pub p95: u64,
    /// 99 % are at or below.
    pub p99: u64,
    /// The largest.
    pub max: u64,
    /// How many were recorded.
    pub count: u64,
}

impl Quantiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        Self {
            p50: histogram.value_at_quantile(0.50),
            p90: histogram.value_at_quantile(0.90),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
            max: histogram.max(),
            count: histogram.len(),
        }
    }
}
