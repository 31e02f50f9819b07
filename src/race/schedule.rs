//! The schedule: by which method the next round's volley is delivered, and how far apart its contenders leave.
//!
//! ```text
//! each method in turn, TRIES rounds each ──► nothing found yet: those that overlap, in turn
//!                                       └──► something found: drawn, each as often as it is likely to find most
//! ```
//!
//! What a defect needs is not known beforehand: where the check comes before the body is read a *tail* shows it in every round
//! and a *head* seldom, elsewhere it is the other way round. So all are tried, and as long as none has found anything none is
//! preferred: rounds in which nothing was found say nothing of which method would have. Only one whose contenders
//! hardly ever overlap is left out, since its rounds are evidence of nothing.
//!
//! With a sweep, methods learn from each other where they can ([`Sweeps`]).
//!
//! Choices come from the seed and from what rounds showed, in order; the same rounds make the same choices.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Noted;
use super::sweep::{Seen, Sweeps};
use crate::history::{Delivered, Method, Operation, Phase, Stagger, overlapped};
use crate::ids::RoundId;
use crate::seed::{Dice, Seed};

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

/// Rounds that each method is played before any is preferred.
const TRIES: u32 = 8;
/// How much a round still counts after each further one, in how often a method finds something: a sweep gets better at it.
const REMEMBERED: f64 = 0.99;
/// How many rounds of evidence it is that methods mostly find as much as all do together.
const ALIKE: f64 = 2.0;

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
    /// Begun with the first round that is raced: controls come before.
    sweeps: Option<Sweeps>,
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
    recent: Recent,
}

/// Rounds that count the less the longer they are past.
#[derive(Debug, Default)]
struct Recent {
    rounds: f64,
    violated: f64,
}

/// What a raced round showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    is_overlapped: bool,
    is_violated: bool,
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
        let tried = |method: &Method| Tried {
            method: *method,
            begun: 0,
            noted: 0,
            overlapped: 0,
            violated: 0,
            recent: Recent::default(),
        };
        let seed = seed.child("schedule");
        let swept = contenders.map(|contenders| Swept { seed, typical: vec![None; contenders.len()], contenders });
        let tried = methods.iter().map(tried).collect();
        Self { tried, dice: seed.dice(), swept, sweeps: None, replay: BTreeMap::new() }
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
        self.tried[index].begun += 1;
        let stagger = self.swept.as_ref().map(|Swept { seed, contenders, typical }| {
            let methods = self.tried.iter().map(|tried| tried.method);
            let sweeps = self.sweeps.get_or_insert_with(|| Sweeps::new(*seed, methods, contenders, typical));
            sweeps.next(index)
        });
        Orders { method: self.tried[index].method, stagger }
    }

    fn choose(&mut self) -> usize {
        let least = |tried: &[Tried], of: &dyn Fn(&Tried) -> bool| {
            let allowed = tried.iter().enumerate().filter(|(_, tried)| of(tried));
            allowed.min_by_key(|(_, tried)| tried.begun).map_or(0, |(index, _)| index)
        };
        if self.tried.iter().any(|tried| tried.begun < TRIES) {
            return least(&self.tried, &|_| true);
        }
        if self.tried.iter().all(|tried| tried.violated == 0) {
            let best_overlap = self.tried.iter().map(Tried::overlap).fold(0.0, f64::max);
            return least(&self.tried, &|tried| tried.overlap() >= best_overlap / 2.0);
        }
        let sum = |of: fn(&Recent) -> f64| self.tried.iter().map(|tried| of(&tried.recent)).sum::<f64>();
        let usual = (sum(|recent| recent.violated) + 1.0) / (sum(|recent| recent.rounds) + 2.0);
        let dice = &mut self.dice;
        let guesses = self.tried.iter().map(|tried| tried.recent.guess(usual, dice)).enumerate();
        guesses.max_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |(index, _)| index)
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
        let shown = Shown { is_overlapped: overlapped(contenders()), is_violated: noted.is_violated };
        self.learn(orders.method, shown, volleyed);
    }

    fn learn(&mut self, method: Method, shown: Shown, volleyed: Option<&Volleyed>) {
        let Some(index) = self.tried.iter().position(|tried| tried.method == method) else { return };
        self.tried.iter_mut().for_each(|tried| tried.recent.fade());
        let tried = &mut self.tried[index];
        tried.noted += 1;
        tried.overlapped += u32::from(shown.is_overlapped);
        tried.violated += u32::from(shown.is_violated);
        tried.recent.rounds += 1.0;
        tried.recent.violated += f64::from(u8::from(shown.is_violated));
        if let (Some(sweeps), Some(Volleyed { left: Some(left), acknowledged })) = (&mut self.sweeps, volleyed) {
            sweeps.note(index, left, &Seen { hit: shown.is_violated, acknowledged: acknowledged.clone() });
        }
    }
}

impl Tried {
    /// The share of rounds in which contenders overlapped.
    fn overlap(&self) -> f64 {
        f64::from(self.overlapped) / f64::from(self.noted.max(1))
    }
}

impl Recent {
    fn fade(&mut self) {
        self.rounds *= REMEMBERED;
        self.violated *= REMEMBERED;
    }

    /// A guess at the share of rounds that show a violation, where `usual` is that of all methods: the surer, the more rounds
    /// there were (Thompson sampling; the distribution is taken for a normal one).
    fn guess(&self, usual: f64, dice: &mut Dice) -> f64 {
        let rounds = self.rounds + ALIKE;
        let mean = (self.violated + ALIKE * usual) / rounds;
        mean + (mean * (1.0 - mean) / (rounds + 1.0)).sqrt() * bell(dice)
    }
}

/// About normal, with a spread of 1: the sum of twelve even ones, which is the same on every platform.
fn bell(dice: &mut Dice) -> f64 {
    (0..12).map(|_| dice.fraction()).sum::<f64>() - 6.0
}
