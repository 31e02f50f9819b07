//! Counting a scenario's rounds: outcomes, statuses, 412 rate, latency, skew, arrivals and overlap.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spread;
use crate::clock::Stamp;
use crate::history::{Delivered, Meaning, Operation, Outcome, Phase, Verb, overlapped, starved};
use crate::ids::RoundId;

/// How many servers a scenario's contenders are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// All to one.
    One,
    /// To the target and to a replica of it.
    Two,
}

/// Running counts of one scenario, or of several added up.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Raced rounds.
    pub rounds: u64,
    /// Raced rounds in which at least two contenders were on their way at the same time.
    pub rounds_overlapped: u64,
    /// Raced rounds that nobody raced in, as their set-up was not answered.
    pub rounds_unanswered: u64,
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
    /// Contenders' requests that named a version token, or were conditional by headers of their own (`If-None-Match: *`).
    pub conditional_requests: u64,
    /// Those of them that were refused as stale.
    pub precondition_failed: u64,
    latency_us: Histogram<u64>,
    waited_us: Histogram<u64>,
    skew_us: Histogram<u64>,
    arrival_spread_ns: Histogram<u64>,
    /// Whether contenders go to one server, so that their arrivals are by one clock.
    one_server: bool,
    /// Whether every volley is held apart, as its scenario says.
    held_apart: bool,
    /// What is conditional whatever token it names.
    conditions: Vec<Verb>,
}

impl Default for Tally {
    fn default() -> Self {
        let histogram = span_histogram;
        Self {
            rounds: 0,
            rounds_overlapped: 0,
            rounds_unanswered: 0,
            requests: 0,
            answered: 0,
            not_sent: 0,
            unknown: 0,
            status_counts: BTreeMap::new(),
            conditional_requests: 0,
            precondition_failed: 0,
            latency_us: histogram(),
            waited_us: histogram(),
            skew_us: histogram(),
            arrival_spread_ns: Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds are valid"),
            one_server: true,
            held_apart: false,
            conditions: Vec::new(),
        }
    }
}

impl Tally {
    /// Of a scenario whose contenders go to these servers. Arrivals at two are by two clocks, and are not compared.
    pub fn of(servers: Servers) -> Self {
        Self { one_server: servers == Servers::One, ..Self::default() }
    }

    /// The same of a scenario that lets some contenders leave later than others, if it does.
    #[must_use]
    pub fn held_apart(self, held_apart: bool) -> Self {
        Self { held_apart, ..self }
    }

    /// The same of an API where requests for these are conditional by headers of their own.
    #[must_use]
    pub fn with_conditions(self, conditions: Vec<Verb>) -> Self {
        Self { conditions, ..self }
    }

    /// Counts one round. Serial controls count as requests, not as rounds, and their contenders did not race.
    pub fn absorb(&mut self, id: RoundId, delivered: Option<&Delivered>, operations: &[Operation]) {
        for operation in operations {
            self.requests += 1;
            match &operation.outcome {
                Outcome::Answered(_) => self.answered += 1,
                Outcome::NotSent(_) => self.not_sent += 1,
                Outcome::Unknown(_) => self.unknown += 1,
            }
        }
        if !id.is_raced() {
            return;
        }
        self.rounds += 1;
        self.rounds_unanswered += u64::from(starved(operations));
        let contenders: Vec<&Operation> = (operations.iter())
            .filter(|operation| operation.phase == Phase::Contend)
            .filter(|operation| !matches!(operation.outcome, Outcome::NotSent(_)))
            .collect();
        for contender in &contenders {
            self.absorb_contender(contender);
        }
        self.rounds_overlapped += u64::from(overlapped(contenders.iter().copied()));
        if self.held_apart || delivered.is_some_and(|delivered| delivered.planned.is_some()) {
            return; // they were held apart: how far apart they left and came says nothing of how tight a volley is
        }
        let released: Vec<Stamp> = contenders.iter().filter_map(|contender| contender.window.released).collect();
        if let (true, Some(first), Some(last)) = (released.len() > 1, released.iter().min(), released.iter().max()) {
            record_span(&mut self.skew_us, last.since(*first));
        }
        // A request whose tail alone is withheld arrives, for most servers, before the gate opens.
        let arrives_when_let_go = delivered.is_none_or(|delivered| !delivered.method.is_tail());
        if self.one_server
            && arrives_when_let_go
            && let Some(nanos) = spread::of_arrivals(&contenders)
        {
            self.arrival_spread_ns.saturating_record(nanos);
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
        if contender.call.precondition.token().is_some() || self.conditions.contains(&contender.call.verb) {
            self.conditional_requests += 1;
            self.precondition_failed += u64::from(meaning == Some(Meaning::Stale));
        }
        if meaning.is_some() {
            record_span(&mut self.latency_us, contender.latency());
        }
        if contender.window.released.is_some() {
            record_span(&mut self.waited_us, contender.latency());
        }
    }

    /// Adds another scenario's counts.
    pub fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.rounds_overlapped += other.rounds_overlapped;
        self.rounds_unanswered += other.rounds_unanswered;
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
        self.waited_us.add(&other.waited_us).expect("all have the same bounds");
        self.skew_us.add(&other.skew_us).expect("all have the same bounds");
        self.arrival_spread_ns.add(&other.arrival_spread_ns).expect("all have the same bounds");
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

    /// The distribution that [`Self::latency_us`] sums up: bins in order, none empty.
    pub fn latency_bins(&self) -> Vec<Bin> {
        Bin::of(&self.latency_us)
    }

    /// The same of all contenders that were let go: one that was not answered counts with the time until it was given up.
    /// What a limit on latency is held against, since a hang is not fast.
    pub fn waited_us(&self) -> Quantiles {
        Quantiles::of(&self.waited_us)
    }

    /// Microseconds between the first and the last release of a volley.
    pub fn skew_us(&self) -> Quantiles {
        Quantiles::of(&self.skew_us)
    }

    /// Nanoseconds between the first and the last arrival of a volley, by the server's own clock: of the volleys of which it
    /// told every arrival.
    pub fn arrival_spread_ns(&self) -> Quantiles {
        Quantiles::of(&self.arrival_spread_ns)
    }
}

/// A histogram of spans in µs: a minute at three digits. What lasts longer counts as a minute (and the time limit is far
/// below).
pub(super) fn span_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("these bounds are valid")
}

pub(super) fn record_span(histogram: &mut Histogram<u64>, span: std::time::Duration) {
    histogram.saturating_record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1));
}

/// A part of a distribution of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bin {
    /// The longest span that belongs to it, in µs; those of the bins before belong there.
    pub up_to_us: u64,
    /// How many belong to it.
    pub count: u64,
}

impl Bin {
    /// Bins in one of these are as wide as a part of its size: 1 %.
    const DIGITS: u8 = 2;

    fn of(histogram: &Histogram<u64>) -> Vec<Self> {
        let mut coarse =
            Histogram::<u64>::new_with_bounds(1, 60_000_000, Self::DIGITS).expect("these bounds are valid");
        for step in histogram.iter_recorded() {
            coarse.saturating_record_n(step.value_iterated_to(), step.count_at_value());
        }
        let bin = |up_to_us, count| Self { up_to_us, count };
        coarse.iter_recorded().map(|step| bin(step.value_iterated_to(), step.count_at_value())).collect()
    }
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
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Actor, Arrival, Call, Cause, Precondition, Reply, Window};
    use crate::history::{Method, Stagger};
    use crate::ids::{ClientId, OpId};

    /// A contender on token `"a"`: opened at 0, let go and answered at these microseconds.
    fn contender(released: u64, closed: u64, outcome: Outcome) -> Operation {
        let at = |micros: u64| Stamp::from_nanos(micros * 1_000);
        Operation {
            id: OpId(0),
            client: ClientId(0),
            round: RoundId::Raced(1),
            phase: Phase::Contend,
            call: Call {
                verb: Verb::Act("acceptance".into()),
                actor: Actor { role: "restaurant".into(), person: 1 },
                request: "POST /orders/1/acceptance".into(),
                precondition: Precondition::Token("\"a\"".into()),
                key: None,
                payload: None,
                value: None,
                principal: None,
            },
            window: Window { opened: at(0), released: Some(at(released)), closed: at(closed) },
            outcome,
        }
    }

    fn answered(status: u16, meaning: Meaning) -> Outcome {
        Outcome::Answered(Reply::new(status, meaning))
    }

    fn tally(operations: &[Operation]) -> Tally {
        let mut tally = Tally::default();
        tally.absorb(RoundId::Raced(1), None, operations);
        tally
    }

    #[test]
    fn latency_counts_from_the_release_and_skew_between_releases() {
        let won = contender(100, 300, answered(200, Meaning::Applied));
        let lost = contender(105, 405, answered(412, Meaning::Stale));
        let tally = tally(&[won, lost]);
        assert_eq!((tally.latency_us().p50, tally.latency_us().max, tally.latency_us().count), (200, 300, 2));
        assert_eq!(tally.skew_us().max, 5);
        assert_eq!((tally.rounds, tally.rounds_overlapped), (1, 1));
        assert_eq!((tally.conditional_requests, tally.precondition_failed, tally.rate_412()), (2, 1, Some(0.5)));
        assert_eq!(tally.status_counts, BTreeMap::from([(200, 1), (412, 1)]));
    }

    #[test]
    fn what_is_conditional_by_its_own_headers_is_so_without_a_token() {
        let mut won = contender(100, 300, answered(201, Meaning::Applied));
        let mut lost = contender(105, 405, answered(412, Meaning::Stale));
        for operation in [&mut won, &mut lost] {
            operation.call.precondition = Precondition::Absent;
        }
        let rate = |conditions| {
            let mut tally = Tally::default().with_conditions(conditions);
            tally.absorb(RoundId::Raced(1), None, &[won.clone(), lost.clone()]);
            (tally.conditional_requests, tally.rate_412())
        };
        assert_eq!(rate(vec![Verb::Act("acceptance".into())]), (2, Some(0.5)));
        assert_eq!(rate(vec![Verb::Act("rejection".into()), Verb::Create]), (0, None));
    }

    #[test]
    fn a_round_whose_set_up_was_not_answered_is_counted_as_such() {
        let set_up = |outcome| Operation { phase: Phase::SetUp, ..contender(0, 9, outcome) };
        let silent = || set_up(Outcome::Unknown(Cause::TimedOut));
        let raced = contender(100, 300, answered(200, Meaning::Applied));
        for (operations, expected) in [
            (vec![silent()], 1),
            (vec![set_up(Outcome::NotSent(Cause::Connect("reset".to_owned())))], 1),
            (vec![set_up(answered(409, Meaning::Refused))], 0),
            (vec![set_up(Outcome::Unknown(Cause::Status(503)))], 0),
            (vec![set_up(answered(201, Meaning::Applied)), contender(0, 9, Outcome::NotSent(Cause::TimedOut))], 1),
            (vec![silent(), raced.clone()], 0),
            (vec![], 0),
        ] {
            assert_eq!(tally(&operations).rounds_unanswered, expected, "{operations:?}");
        }
    }

    #[test]
    fn bins_hold_every_answered_contender_within_a_percent() {
        let spans = [40_u64, 41, 41, 1_000, 1_001, 123_456, 70_000_000];
        let volley: Vec<Operation> =
            spans.iter().map(|span| contender(0, *span, answered(200, Meaning::Applied))).collect();
        let bins = tally(&volley).latency_bins();
        assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 7);
        assert!(
            bins.windows(2).all(|pair| pair[0].up_to_us < pair[1].up_to_us) && bins.iter().all(|bin| bin.count > 0)
        );
        for span in &spans[..6] {
            let bin = bins.iter().find(|bin| bin.up_to_us >= *span).unwrap();
            assert!((bin.up_to_us - span) * 100 <= *span, "{span} in {bin:?}");
        }
    }

    #[test]
    fn contenders_that_were_served_one_after_the_other_did_not_overlap() {
        let first = contender(100, 200, answered(200, Meaning::Applied));
        let second = contender(201, 300, answered(412, Meaning::Stale));
        assert_eq!(tally(&[first.clone(), second]).rounds_overlapped, 0);
        let touching = contender(200, 300, answered(412, Meaning::Stale));
        assert_eq!(tally(&[touching, first]).rounds_overlapped, 1);
    }

    #[test]
    fn one_that_was_not_answered_has_no_latency_but_was_waited_for() {
        let silent = contender(100, 5_000_100, Outcome::Unknown(Cause::TimedOut));
        let tally = tally(&[contender(100, 300, answered(200, Meaning::Applied)), silent]);
        assert_eq!(tally.latency_us().count, 1);
        assert!(tally.waited_us().max >= 5_000_000);
        assert_eq!((tally.answered, tally.unknown, tally.requests), (1, 1, 2));
    }

    /// A contender that was let go and answered at these microseconds, and arrived at this nanosecond of the server's clock.
    fn arrived(released: u64, closed: u64, nanos: u64) -> Operation {
        let reply = Reply { arrived: Some(Arrival::from_nanos(nanos)), ..Reply::new(200, Meaning::Applied) };
        contender(released, closed, Outcome::Answered(reply))
    }

    #[test]
    fn arrivals_are_counted_to_the_nanosecond_whenever_the_servers_clock_started() {
        for origin in [0, 77_000_000, 1_764_000_000_000_000_000] {
            let tally =
                tally(&[arrived(100, 300, origin + 640), arrived(105, 405, origin), arrived(101, 500, origin + 3)]);
            assert_eq!((tally.arrival_spread_ns().max, tally.arrival_spread_ns().count), (640, 1), "{origin}");
        }
        let together = tally(&[arrived(100, 300, 5), arrived(100, 300, 5)]).arrival_spread_ns();
        assert_eq!((together.max, together.count), (0, 1));
    }

    #[test]
    fn a_round_is_left_out_unless_every_contender_has_an_arrival() {
        let unheld = Operation { window: Window { released: None, ..arrived(0, 9, 7).window }, ..arrived(0, 9, 7) };
        let silent = contender(100, 500, Outcome::Unknown(Cause::TimedOut));
        for other in [contender(100, 300, answered(412, Meaning::Stale)), silent, unheld] {
            assert_eq!(tally(&[arrived(100, 300, 5), other.clone(), arrived(1, 300, 9)]).arrival_spread_ns().count, 0);
        }
        assert_eq!(tally(&[arrived(100, 300, 5)]).arrival_spread_ns().count, 0);
        // Of one that never left there is nothing to arrive.
        let unsent = contender(100, 100, Outcome::NotSent(Cause::Abandoned));
        assert_eq!(tally(&[arrived(100, 300, 5), unsent, arrived(100, 300, 9)]).arrival_spread_ns().max, 4);
    }

    #[test]
    fn arrivals_by_two_clocks_are_not_compared() {
        // All were on their way for 500 µs at most, and their arrivals are a millisecond apart.
        assert_eq!(tally(&[arrived(100, 300, 0), arrived(100, 500, 1_000_000)]).arrival_spread_ns().count, 0);
        let mut apart = Tally::of(Servers::Two);
        apart.absorb(RoundId::Raced(1), None, &[arrived(100, 300, 5), arrived(100, 300, 9)]);
        assert_eq!((apart.arrival_spread_ns().count, apart.skew_us().count), (0, 1));
    }

    #[test]
    fn volleys_that_were_held_apart_and_arrivals_of_tails_tell_nothing_of_how_tight_a_volley_is() {
        let counts = |method, planned| {
            let mut tally = Tally::of(Servers::One);
            let delivered = Delivered { method, round: RoundId::Raced(1), planned, left: None };
            let volley = [arrived(100, 300, 5), arrived(100, 300, 9)];
            tally.absorb(RoundId::Raced(1), Some(&delivered), &volley);
            (tally.skew_us().count, tally.arrival_spread_ns().count, tally.rounds_overlapped)
        };
        assert_eq!(counts(Method::SinglePacketHead, None), (1, 1, 1));
        assert_eq!(counts(Method::Tail, None), (1, 0, 1));
        assert_eq!(counts(Method::Head, Some(Stagger::Steps(40))), (0, 0, 1));
    }

    #[test]
    fn a_control_is_no_round_and_did_not_race() {
        let mut tally = Tally::default();
        tally.absorb(RoundId::Control(1), None, &[contender(100, 300, answered(200, Meaning::Applied))]);
        assert_eq!((tally.requests, tally.rounds, tally.latency_us().count), (1, 0, 0));
    }

    #[test]
    fn sums_of_tallies_are_tallies_of_sums() {
        let one = contender(100, 300, answered(200, Meaning::Applied));
        let other = contender(100, 900, answered(412, Meaning::Stale));
        let mut sum = tally(std::slice::from_ref(&one));
        sum.add(&tally(std::slice::from_ref(&other)));
        assert_eq!((sum.requests, sum.precondition_failed), (2, 1));
        assert_eq!(sum.latency_us(), tally(&[one, other]).latency_us());
    }
}
