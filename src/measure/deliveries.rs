//! Counting by the way volleys were delivered: which method found what, and at which delays.

use std::collections::BTreeMap;

use super::delays::{Bucket, buckets};
use super::tally::record_span;
use super::{Quantiles, tally};
use crate::history::{Delivered, Method, Operation, Outcome, Phase, Stagger, overlapped};
use hdrhistogram::Histogram;

/// What one method came to.
#[derive(Debug, Clone)]
pub struct Played {
    /// Rounds that were played so.
    pub rounds: u64,
    /// Those in which contenders truly overlapped.
    pub overlapped: u64,
    /// Those that are evidence for or against.
    pub trials: u64,
    /// Those that showed a violation.
    pub violated: u64,
    /// Contenders that were answered before the end of their request was let go.
    pub answered_early: u64,
    skew_us: Histogram<u64>,
}

/// Running counts of one scenario, method by method.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    methods: BTreeMap<Method, Played>,
    /// By axis: each round's delay in µs, and whether it showed a violation.
    delays: Vec<Vec<(i32, bool)>>,
    is_stepped: bool,
}

impl Played {
    fn new() -> Self {
        Self { rounds: 0, overlapped: 0, trials: 0, violated: 0, answered_early: 0, skew_us: tally::span_histogram() }
    }

    /// Microseconds between the first and the last release of a volley.
    pub fn skew_us(&self) -> Quantiles {
        Quantiles::of(&self.skew_us)
    }
}

impl Deliveries {
    /// Counts one raced round: whether it is evidence, and whether it showed a violation.
    pub fn absorb(&mut self, delivered: &Delivered, operations: &[Operation], is_trial: bool, is_violated: bool) {
        let played = self.methods.entry(delivered.method).or_insert_with(Played::new);
        let contenders = || operations.iter().filter(|operation| operation.phase == Phase::Contend);
        played.rounds += 1;
        played.overlapped += u64::from(overlapped(contenders()));
        played.trials += u64::from(is_trial);
        played.violated += u64::from(is_violated);
        let is_early = |operation: &&Operation| {
            operation.window.released.is_none() && matches!(operation.outcome, Outcome::Answered(_))
        };
        played.answered_early += contenders().filter(is_early).count() as u64;
        let released = || contenders().filter_map(|contender| contender.window.released);
        if let (Some(first), Some(last)) = (released().min(), released().max())
            && released().count() > 1
        {
            record_span(&mut played.skew_us, last.since(first));
        }
        let delays: &[i32] = match delivered.left.as_ref().filter(|_| delivered.planned.is_some()) {
            Some(Stagger::Kinds(delays)) => delays,
            Some(Stagger::Steps(step)) => std::slice::from_ref(step),
            None => return,
        };
        self.is_stepped |= matches!(delivered.left, Some(Stagger::Steps(_)));
        self.delays.resize(self.delays.len().max(delays.len()), Vec::new());
        for (axis, delay) in self.delays.iter_mut().zip(delays) {
            axis.push((*delay, is_violated));
        }
    }

    /// Each method that was played.
    pub fn methods(&self) -> impl Iterator<Item = (Method, &Played)> {
        self.methods.iter().map(|(method, played)| (*method, played))
    }

    /// Violations over delay: for each kind of contender whose delay was explored, its index and the stretches of delay; of index 0
    /// where contenders of one kind were held apart.
    pub fn over_delay(&self) -> impl Iterator<Item = (usize, Vec<Bucket>)> {
        let first = usize::from(!self.is_stepped);
        self.delays.iter().enumerate().map(move |(axis, rounds)| (axis + first, buckets(rounds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;
    use crate::history::{Actor, Call, Meaning, Precondition, Reply, Verb, Window};
    use crate::ids::{ClientId, OpId, RoundId};

    fn contender(released: Option<u64>) -> Operation {
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
                precondition: Precondition::Absent,
                key: None,
                payload: None,
                value: None,
                principal: None,
            },
            window: Window { opened: at(0), released: released.map(at), closed: at(500) },
            outcome: Outcome::Answered(Reply::new(200, Meaning::Applied)),
        }
    }

    fn delivered(method: Method, left: Option<Stagger>) -> Delivered {
        Delivered { method, round: RoundId::Raced(1), planned: left.clone(), left }
    }

    #[test]
    fn methods_are_counted_apart() {
        let mut deliveries = Deliveries::default();
        let (together, early) = ([contender(Some(10)), contender(Some(30))], [contender(None), contender(Some(30))]);
        deliveries.absorb(&delivered(Method::Head, None), &together, true, true);
        deliveries.absorb(&delivered(Method::Head, None), &together, true, false);
        deliveries.absorb(&delivered(Method::Tail, None), &early, false, false);
        let counts: Vec<_> = (deliveries.methods())
            .map(|(method, one)| (method, one.rounds, one.overlapped, one.trials, one.violated, one.answered_early))
            .collect();
        assert_eq!(counts, [(Method::Head, 2, 2, 2, 1, 0), (Method::Tail, 1, 0, 0, 0, 1)]);
        let skews: Vec<_> = deliveries.methods().map(|(_, one)| (one.skew_us().max, one.skew_us().count)).collect();
        assert_eq!(skews, [(20, 2), (0, 0)]);
        assert_eq!(deliveries.over_delay().count(), 0);
    }

    #[test]
    fn violations_are_counted_over_the_delays_that_were() {
        let mut deliveries = Deliveries::default();
        let round = [contender(Some(10)), contender(Some(30))];
        for (delay, is_violated) in [(300, true), (310, true), (-40, false)] {
            let kinds = delivered(Method::Head, Some(Stagger::Kinds(vec![delay])));
            deliveries.absorb(&kinds, &round, true, is_violated);
        }
        // One that was planned, and whose contenders never left, tells nothing.
        let never = Delivered { left: None, ..delivered(Method::Head, Some(Stagger::Kinds(vec![5]))) };
        deliveries.absorb(&never, &round, false, false);
        let over_delay: Vec<_> = deliveries.over_delay().collect();
        let bucket = |from_us, to_us, rounds, hits| Bucket { from_us, to_us, rounds, hits };
        assert_eq!(over_delay, [(1, vec![bucket(-50, -20, 1, 0), bucket(200, 500, 2, 2)])]);
    }
}
