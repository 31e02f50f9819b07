//! What a load measures, slot by slot: counts that add up, and each request's time from when it was meant to begin and from when
//! it did.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Spans;

/// On how many requests under way for one resource the 412 rate is told apart; more count as this many.
pub const MOST_ABREAST: usize = 16;
/// How many tries of one change are told apart; more count as this many.
pub const MOST_TRIES: usize = 8;

/// What became of the slots in which requests were to begin. `offered` = `sent` + `dropped`, and `sent` = `answered` + `failed` +
/// `unknown`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Requests that were to be sent.
    pub offered: u64,
    /// Those that were begun.
    pub sent: u64,
    /// Those that could not begin in time: all clients were waiting for answers.
    pub dropped: u64,
    /// Those that were answered, whatever the answer.
    pub answered: u64,
    /// Those of which certainly no byte left: no connection.
    pub failed: u64,
    /// Those without an answer that may have taken effect, or with one that leaves that open (5xx).
    pub unknown: u64,
}

impl Slots {
    /// Whether all that was offered is accounted for.
    pub const fn add_up(&self) -> bool {
        self.offered == self.sent + self.dropped && self.sent == self.answered + self.failed + self.unknown
    }

    const fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.dropped += other.dropped;
        self.answered += other.answered;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}

/// What came of one request, as far as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was answered.
    Answered,
    /// No byte of it left.
    Failed,
    /// It may have taken effect.
    Unknown,
}

/// One request that was sent.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is counted on its own")]
pub struct Sample {
    /// What it asked for: an index into the load's labels.
    pub label: usize,
    /// From when it was meant to begin until it ended.
    pub from_intended: Duration,
    /// From when it began until it ended.
    pub from_actual: Duration,
    /// What came of it.
    pub ended: Ended,
    /// Whether that counts as an error: no answer, one that tells nothing (5xx) or, where nothing is known of answers but their status, 4xx.
    pub is_error: bool,
    /// Whether it ran into its time limit: then its times are as long as it was waited for, and would have been longer.
    pub timed_out: bool,
    /// The status of its answer, if there was one.
    pub status: Option<u16>,
    /// Whether it did what it asked for.
    pub achieved: bool,
    /// Whether it was conditional on a version token.
    pub conditional: bool,
    /// Whether it was refused as stale.
    pub stale: bool,
    /// How many requests were under way for its resource when it began, itself included; 0 where that is not known.
    pub abreast: usize,
}

/// What was measured of one kind of request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// From when requests were meant to begin: answered, and timed out.
    pub from_intended: Spans,
    /// From when they began: the same.
    pub from_actual: Spans,
    /// Those that were sent.
    pub sent: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that did what they asked for.
    pub achieved: u64,
    /// Those of which no byte left.
    pub failed: u64,
    /// Those that may have taken effect.
    pub unknown: u64,
    /// Those that count as errors.
    pub errors: u64,
    /// Those of them that ran into the time limit.
    pub timed_out: u64,
    /// Those that were conditional on a version token.
    pub conditional: u64,
    /// Those of them that were refused as stale.
    pub stale: u64,
}

impl Figures {
    fn record(&mut self, sample: &Sample) {
        self.sent += 1;
        match sample.ended {
            Ended::Answered => self.answered += 1,
            Ended::Failed => self.failed += 1,
            Ended::Unknown => self.unknown += 1,
        }
        self.errors += u64::from(sample.is_error);
        self.achieved += u64::from(sample.achieved);
        self.timed_out += u64::from(sample.timed_out);
        self.conditional += u64::from(sample.conditional);
        self.stale += u64::from(sample.stale);
        // What broke early took no time, and would make a failing server look fast. (A 5xx is an answer all the same.)
        if sample.status.is_some() || sample.timed_out {
            self.from_intended.record(sample.from_intended);
            self.from_actual.record(sample.from_actual);
        }
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.from_intended.add(&other.from_intended);
        self.from_actual.add(&other.from_actual);
        self.sent += other.sent;
        self.answered += other.answered;
        self.achieved += other.achieved;
        self.errors += other.errors;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.timed_out += other.timed_out;
        self.conditional += other.conditional;
        self.stale += other.stale;
    }

    /// The share of conditional requests that were refused as stale; `None` without any.
    pub fn rate_412(&self) -> Option<f64> {
        share(self.stale, self.conditional)
    }

    /// The share of requests that were sent and not answered, or answered with 5xx; `None` without any.
    pub fn error_rate(&self) -> Option<f64> {
        share(self.errors, self.sent)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Conditional requests, and those of them that were refused as stale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusals {
    /// All of them.
    pub conditional: u64,
    /// Those refused.
    pub stale: u64,
}

/// What was measured: of one stretch of time, of one thread, or of all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meter {
    /// What became of the slots.
    pub slots: Slots,
    /// By label; `None` where nothing was sent.
    pub by_label: Vec<Option<Box<Figures>>>,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Conditional requests by how many requests were under way for their resource: one, two …
    pub abreast: [Refusals; MOST_ABREAST],
    /// Changes by how often they were tried until they were done: once, twice …
    pub tries: [u64; MOST_TRIES],
    /// Changes that were given up, refused each time.
    pub given_up: u64,
}

impl Meter {
    /// Counts a slot that could not begin in time.
    pub const fn drop_slot(&mut self) {
        self.slots.offered += 1;
        self.slots.dropped += 1;
    }

    /// Counts a request that was sent.
    pub fn record(&mut self, sample: &Sample) {
        self.slots.offered += 1;
        self.slots.sent += 1;
        match sample.ended {
            Ended::Answered => self.slots.answered += 1,
            Ended::Failed => self.slots.failed += 1,
            Ended::Unknown => self.slots.unknown += 1,
        }
        if let Some(status) = sample.status {
            *self.statuses.entry(status).or_default() += 1;
        }
        if sample.conditional && sample.abreast > 0 {
            let refusals = &mut self.abreast[sample.abreast.min(MOST_ABREAST) - 1];
            refusals.conditional += 1;
            refusals.stale += u64::from(sample.stale);
        }
        if self.by_label.len() <= sample.label {
            self.by_label.resize(sample.label + 1, None);
        }
        self.by_label[sample.label].get_or_insert_default().record(sample);
    }

    /// Counts a change that was done with the try of this number, from 1.
    pub fn done_after(&mut self, tries: usize) {
        self.tries[tries.clamp(1, MOST_TRIES) - 1] += 1;
    }

    /// Adds all of `other`: the sum of parts is what one meter would have come to.
    pub fn add(&mut self, other: &Self) {
        self.slots.add(&other.slots);
        if self.by_label.len() < other.by_label.len() {
            self.by_label.resize(other.by_label.len(), None);
        }
        for (own, other) in self.by_label.iter_mut().zip(&other.by_label) {
            match (own, other) {
                (_, None) => {}
                (Some(own), Some(other)) => own.add(other),
                (own @ None, Some(other)) => *own = Some(other.clone()),
            }
        }
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (own, other) in self.abreast.iter_mut().zip(&other.abreast) {
            own.conditional += other.conditional;
            own.stale += other.stale;
        }
        for (own, other) in self.tries.iter_mut().zip(&other.tries) {
            *own += other;
        }
        self.given_up += other.given_up;
    }

    /// All kinds of request together.
    pub fn all(&self) -> Figures {
        let mut all = Figures::default();
        self.by_label.iter().flatten().for_each(|figures| all.add(figures));
        all
    }
}

/// How evenly something was shared out, from 1/n (one got it all) to 1 (all got the same): Jain's fairness index (Jain, Chiu and
/// Hawe, DEC-TR-301, 1984). `None` where there was nothing to share.
///
/// ```
/// use quickeats_bench::measure::fairness;
/// assert_eq!(fairness(&[5, 5, 5, 5]), Some(1.0));
/// assert_eq!(fairness(&[20, 0, 0, 0]), Some(0.25));
/// assert_eq!(fairness(&[0, 0]), None);
/// ```
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn fairness(shares: &[u64]) -> Option<f64> {
    let sum: f64 = shares.iter().map(|share| *share as f64).sum();
    let squares: f64 = shares.iter().map(|share| (*share as f64).powi(2)).sum();
    (sum > 0.0).then(|| sum * sum / (shares.len() as f64 * squares))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> impl Strategy<Value = Sample> {
        let ended = prop_oneof![Just(Ended::Answered), Just(Ended::Failed), Just(Ended::Unknown)];
        (0..4_usize, 1..10_000_000_u64, 1..10_000_000_u64, ended, any::<[bool; 3]>(), 0..20_usize).prop_map(
            |(label, actual, queued, ended, [timed_out, conditional, stale], abreast)| Sample {
                label,
                from_intended: Duration::from_nanos(actual + queued),
                from_actual: Duration::from_nanos(actual),
                ended,
                is_error: ended != Ended::Answered,
                timed_out: timed_out && ended == Ended::Unknown,
                status: (ended == Ended::Answered).then_some(if stale { 412 } else { 200 }),
                achieved: ended == Ended::Answered && !stale,
                conditional,
                stale: conditional && stale && ended == Ended::Answered,
                abreast,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

        #[test]
        fn parts_add_up_to_the_whole_and_slots_are_accounted_for(
            samples in prop::collection::vec(sample(), 0..40),
            cut in 0_usize..40,
            dropped in 0_u32..5,
        ) {
            let mut whole = Meter::default();
            for sample in &samples {
                whole.record(sample);
            }
            (0..dropped).for_each(|_| whole.drop_slot());
            let (mut first, mut second) = (Meter::default(), Meter::default());
            let cut = cut.min(samples.len());
            for sample in &samples[..cut] {
                first.record(sample);
            }
            for sample in &samples[cut..] {
                second.record(sample);
            }
            (0..dropped).for_each(|_| second.drop_slot());
            first.add(&second);
            prop_assert!(whole.slots.add_up() && first.slots.add_up());
            prop_assert_eq!(whole.slots.offered, samples.len() as u64 + u64::from(dropped));
            prop_assert_eq!(first, whole);
        }
    }

    #[test]
    fn what_broke_early_does_not_make_a_server_look_fast() {
        let mut meter = Meter::default();
        let broken = Sample {
            label: 0,
            from_intended: Duration::from_micros(1),
            from_actual: Duration::from_micros(1),
            ended: Ended::Unknown,
            is_error: true,
            timed_out: false,
            status: None,
            achieved: false,
            conditional: false,
            stale: false,
            abreast: 0,
        };
        meter.record(&broken);
        let limit = Duration::from_secs(5);
        meter.record(&Sample { timed_out: true, from_intended: limit, from_actual: limit, ..broken });
        let all = meter.all();
        assert_eq!((all.sent, all.from_actual.count(), all.error_rate()), (2, 1, Some(1.0)));
        assert!(all.from_actual.at(0.5) >= limit);
    }
}
