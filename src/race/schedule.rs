//! The schedule: by which method the next round's volley is delivered, and how far apart its contenders leave.
//!
//! ```text
//! each method in turn, TRIES rounds each ──► nothing found yet: those that overlap, in turn
//!                                       └──► something found: the one that finds most, and every fourth round another
//! ```
//!
//! What a defect needs is not known beforehand: where the check comes before the body is read a *tail* shows it in every round
//! and a *head* seldom, elsewhere it is the other way round. So all are tried, and as long as none has found anything none is
//! preferred: rounds in which nothing was found say nothing of which method would have. Only one whose contenders
//! hardly ever overlap is left out, since its rounds are evidence of nothing.
//!
//! With a sweep, each method has one of its own: how long a request takes to its critical section depends on what of it was
//! there before.
//!
//! Choices come from the seed and from what rounds showed, in order; the same rounds make the same choices.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Noted;
use super::sweep::{Seen, Sweep};
use crate::history::{Delivered, Method, Operation, Phase, Stagger, overlapped};
use crate::ids::RoundId;
use crate::seed::{Dice, Seed};

/// Rounds that each method is played before any is preferred.
const TRIES: u32 = 8;
/// Among so many rounds, one is played by another method than the one that finds most.
const OTHERS: usize = 4;

/// How a round is to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Orders {
    pub(super) method: Method,
    /// `None` if contenders leave together.
    pub(super) stagger: Option<Stagger>,
}

/// What a round that was played showed of its volley.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volleyed {
    /// How the contenders left.
    pub(super) left: Option<Stagger>,
    /// By kind of contender: whether one was acknowledged, if that is known.
    pub(super) acknowledged: Vec<Option<bool>>,
}

impl Orders {
    /// What is written down of a raced round.
    pub(super) fn delivered(&self, round: RoundId, volleyed: Option<&Volleyed>) -> Delivered {
        let left = volleyed.and_then(|volleyed| volleyed.left.clone()).filter(|_| self.stagger.is_some());
        Delivered { method: self.method, round, planned: self.stagger.clone(), left }
    }
}

/// Decides how rounds are played.
#[derive(Debug)]
pub(super) struct Schedule {
    tried: Vec<Tried>,
    dice: Dice,
    /// What a sweep is about, if there is to be one.
    swept: Option<Swept>,
    /// Rounds that are to be played as they were once.
    replay: BTreeMap<u32, Orders>,
}

#[derive(Debug)]
struct Tried {
    method: Method,
    begun: u32,
    noted: u32,
    overlapped: u32,
    violated: u32,
    sweep: Option<Sweep>,
}

#[derive(Debug)]
struct Swept {
    seed: Seed,
    /// Contenders of each kind.
    contenders: Vec<usize>,
    /// How long the target took to answer each kind alone.
    typical: Vec<Option<Duration>>,
}

impl Schedule {
    /// A schedule of these methods, of which there is one at least; with a sweep if it is told how many `contenders` of each
    /// kind there are.
    pub(super) fn new(methods: &[Method], seed: Seed, contenders: Option<Vec<usize>>) -> Self {
        let tried =
            |method: &Method| Tried { method: *method, begun: 0, noted: 0, overlapped: 0, violated: 0, sweep: None };
        let seed = seed.child("schedule");
        let swept = contenders.map(|contenders| Swept { seed, typical: vec![None; contenders.len()], contenders });
        Self { tried: methods.iter().map(tried).collect(), dice: seed.dice(), swept, replay: BTreeMap::new() }
    }

    /// The same, but these rounds are played as they were, if their method is still among those to be used.
    pub(super) fn replaying(mut self, rounds: &[Delivered]) -> Self {
        let orders = |was: &Delivered| Orders { method: was.method, stagger: was.planned.clone() };
        self.replay = rounds.iter().map(|was| (was.round.number(), orders(was))).collect();
        self
    }

    /// How the next round is to be played. Controls are alone, and played by the first method.
    pub(super) fn begin(&mut self, id: RoundId) -> Orders {
        if !id.is_raced() {
            return Orders { method: self.tried[0].method, stagger: None };
        }
        if let Some(orders) = self.replay.remove(&id.number())
            && let Some(tried) = self.tried.iter_mut().find(|tried| tried.method == orders.method)
        {
            tried.begun += 1;
            return orders;
        }
        let index = self.choose();
        let tried = &mut self.tried[index];
        tried.begun += 1;
        let stagger = self.swept.as_ref().map(|swept| {
            let sweep = tried.sweep.get_or_insert_with(|| {
                Sweep::new(swept.seed.child(tried.method.name()), &swept.contenders, &swept.typical)
            });
            sweep.next()
        });
        Orders { method: tried.method, stagger }
    }

    fn choose(&mut self) -> usize {
        let least = |tried: &[Tried], of: &dyn Fn(&Tried) -> bool| {
            let allowed = tried.iter().enumerate().filter(|(_, tried)| of(tried));
            allowed.min_by_key(|(_, tried)| tried.begun).map_or(0, |(index, _)| index)
        };
        if self.tried.iter().any(|tried| tried.begun < TRIES) {
            return least(&self.tried, &|_| true);
        }
        let best_overlap = self.tried.iter().map(Tried::overlap).fold(0.0, f64::max);
        let races = |tried: &Tried| tried.overlap() >= best_overlap / 2.0;
        let has_found = self.tried.iter().any(|tried| tried.violated > 0);
        if !has_found || self.dice.below(OTHERS) == 0 {
            return least(&self.tried, &races);
        }
        let by_rate = self.tried.iter().enumerate().max_by(|(_, one), (_, other)| one.rate().total_cmp(&other.rate()));
        by_rate.map_or(0, |(index, _)| index)
    }

    /// Takes in what a round showed that was played by these orders.
    pub(super) fn note(
        &mut self,
        (id, orders): (RoundId, &Orders),
        volleyed: Option<&Volleyed>,
        operations: &[Operation],
        noted: Noted,
    ) {
        let contenders = || operations.iter().filter(|operation| operation.phase == Phase::Contend);
        if let RoundId::Control(kind) = id {
            if let Some(swept) = &mut self.swept
                && let Some(typical) = swept.typical.get_mut(kind as usize - 1)
            {
                *typical = contenders().find(|one| one.outcome.reply().is_some()).map(Operation::latency);
            }
            return;
        }
        let Some(tried) = self.tried.iter_mut().find(|tried| tried.method == orders.method) else { return };
        tried.noted += 1;
        tried.overlapped += u32::from(overlapped(contenders()));
        tried.violated += u32::from(noted.is_violated);
        if let (Some(sweep), Some(Volleyed { left: Some(left), acknowledged })) = (&mut tried.sweep, volleyed) {
            sweep.note(left, &Seen { hit: noted.is_violated, acknowledged: acknowledged.clone() });
        }
    }
}

impl Tried {
    /// The share of rounds in which contenders overlapped.
    fn overlap(&self) -> f64 {
        f64::from(self.overlapped) / f64::from(self.noted.max(1))
    }

    /// The share of rounds that showed a violation, as far as is known.
    fn rate(&self) -> f64 {
        f64::from(self.violated + 1) / f64::from(self.noted + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;
    use crate::history::{Actor, Call, Cause, Outcome, Precondition, Verb, Window};
    use crate::ids::{ClientId, OpId};

    const METHODS: [Method; 3] = [Method::Head, Method::Tail, Method::SinglePacketHead];

    fn contender(released: u64, closed: u64) -> Operation {
        let at = |micros: u64| Stamp::from_nanos(micros * 1_000);
        Operation {
            id: OpId(0),
            client: ClientId(0),
            round: RoundId::Raced(1),
            phase: Phase::Contend,
            call: Call {
                verb: Verb::Read,
                actor: Actor { role: "customer".into(), person: 1 },
                request: "GET /orders/1".into(),
                precondition: Precondition::Absent,
                principal: None,
                key: None,
                payload: None,
            },
            window: Window { opened: at(0), released: Some(at(released)), closed: at(closed) },
            outcome: Outcome::Unknown(Cause::TimedOut),
        }
    }

    /// How often each method is played of so many rounds, after `overlaps` and `finds` say what its rounds show.
    fn played(rounds: u32, overlaps: fn(Method) -> bool, finds: fn(Method, u32) -> bool) -> [usize; 3] {
        let mut schedule = Schedule::new(&METHODS, Seed::new(1), None);
        let mut methods = Vec::new();
        for round in 1..=rounds {
            let id = RoundId::Raced(round);
            let orders = schedule.begin(id);
            let second = if overlaps(orders.method) { 20 } else { 2_000 };
            let noted = Noted { is_violated: finds(orders.method, round), is_enough: false };
            schedule.note((id, &orders), None, &[contender(10, 1_000), contender(second, 3_000)], noted);
            methods.push(orders.method);
        }
        METHODS.map(|method| methods.iter().filter(|played| **played == method).count())
    }

    #[test]
    fn while_nothing_is_found_all_methods_that_race_are_played_in_turn() {
        assert_eq!(played(300, |_| true, |_, _| false), [100, 100, 100]);
        let [head, tail, single] = played(300, |method| method != Method::Tail, |_, _| false);
        assert_eq!((head, tail, single), (146, 8, 146), "one whose contenders do not overlap is evidence of nothing");
    }

    #[test]
    fn a_method_that_finds_something_gets_most_rounds_and_the_others_some() {
        let [head, tail, single] = played(400, |_| true, |method, _| method == Method::Tail);
        assert!(tail > 250 && head >= 30 && single >= 30, "{head}, {tail}, {single}");
    }

    #[test]
    fn a_method_that_finds_more_takes_over_from_one_that_was_first() {
        let finds = |method, round| match method {
            Method::Head => round == 1,
            Method::SinglePacketHead => round > 100,
            _ => false,
        };
        let [head, _, single] = played(400, |_| true, finds);
        assert!(single > 200 && single > 2 * head, "{head}, {single}");
    }

    #[test]
    fn every_method_is_tried_before_any_is_preferred() {
        assert_eq!(played(24, |_| true, |method, _| method == Method::Head), [8, 8, 8]);
        assert_eq!(played(2, |_| true, |_, _| true), [1, 1, 0]);
    }

    #[test]
    fn rounds_are_played_again_as_they_were() {
        let was = |round, method, planned| Delivered { method, round: RoundId::Raced(round), planned, left: None };
        let apart = Some(Stagger::Kinds(vec![-300]));
        let rounds = [was(1, Method::Tail, apart.clone()), was(2, Method::Barrier, None), was(3, Method::Tail, None)];
        let mut schedule = Schedule::new(&METHODS, Seed::new(1), None).replaying(&rounds);
        let played: Vec<Orders> = (1..=4).map(|round| schedule.begin(RoundId::Raced(round))).collect();
        let orders = |method, stagger| Orders { method, stagger };
        let expected = [
            orders(Method::Tail, apart),
            orders(Method::Head, None), // what is not to be used any more is played as if there were no replay
            orders(Method::Tail, None),
            orders(Method::SinglePacketHead, None),
        ];
        assert_eq!(played, expected);
    }

    #[test]
    fn controls_are_played_by_the_first_method_and_tell_how_long_a_kind_takes() {
        let mut schedule = Schedule::new(&METHODS, Seed::new(1), Some(vec![1, 1]));
        let orders = schedule.begin(RoundId::Control(2));
        assert_eq!(orders, Orders { method: Method::Head, stagger: None });
        schedule.note((RoundId::Control(2), &orders), None, &[contender(10, 1_000)], Noted::default());
        assert_eq!(schedule.swept.as_ref().unwrap().typical, [None, None], "it was not answered");
        let staggered = schedule.begin(RoundId::Raced(1));
        assert!(matches!(staggered.stagger, Some(Stagger::Kinds(delays)) if delays.len() == 1));
    }
}
