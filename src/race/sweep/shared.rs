//! A sweep for each method of delivery, and one that they share.
//!
//! ```text
//! head    ─┬─ own ────┐                               trust: how much better the shared one told what a round showed
//!          └─ shared ─┴─► the delay of its next round
//! tail    ─┬─ own ...
//! ```
//!
//! How long a request takes to its critical section depends on what of it was there before, so each method may have a crossing
//! of its own, and mostly it does not: a server that begins when it has the whole request has one crossing for all. Five
//! methods that each look for it alone need five times the rounds. So what one has seen counts for all, until the
//! rounds of a method show that its crossing lies elsewhere. Neither of the two is ever given up.

use std::time::Duration;

use super::{Seen, Sweep};
use crate::history::{Method, Stagger};
use crate::seed::{Dice, Seed};

/// How much the shared sweep is trusted before the first round: the part of a method's rounds that it plans.
const FIRST_TRUST: f64 = 0.7;

/// The least and the most that it is trusted, whatever rounds show.
const TRUST: [f64; 2] = [0.1, 0.9];

/// A method that trusts the shared sweep less than this is left out of it: its rounds would lead the others astray.
const ASTRAY: f64 = 0.3;

/// The sweeps of methods that take turns.
#[derive(Debug, Clone)]
pub(in crate::race) struct Sweeps {
    /// By method.
    own: Vec<Own>,
    /// None where there is one method only.
    shared: Option<Sweep>,
    dice: Dice,
}

#[derive(Debug, Clone)]
struct Own {
    sweep: Sweep,
    trust: f64,
}

impl Sweeps {
    /// For these methods; the rest as in [`Sweep::new`].
    pub(in crate::race) fn new(
        seed: Seed,
        methods: impl Iterator<Item = Method>,
        contenders: &[usize],
        typical: &[Option<Duration>],
    ) -> Self {
        let sweep = |label: &str| Sweep::new(seed.child(label), contenders, typical);
        let own: Vec<Own> = methods.map(|method| Own { sweep: sweep(method.name()), trust: FIRST_TRUST }).collect();
        let shared = (own.len() > 1).then(|| sweep("shared"));
        Self { own, shared, dice: seed.child("sweeps").dice() }
    }

    /// How the contenders of the next round of a method shall leave, by its index.
    pub(in crate::race) fn next(&mut self, method: usize) -> Stagger {
        let own = &mut self.own[method];
        match &mut self.shared {
            Some(shared) if self.dice.fraction() < own.trust => shared.next(),
            Some(_) | None => own.sweep.next(),
        }
    }

    /// Takes in what a round of a method showed whose contenders left like this.
    pub(in crate::race) fn note(&mut self, method: usize, stagger: &Stagger, seen: &Seen) {
        let Own { sweep, trust } = &mut self.own[method];
        let by_own = sweep.note(stagger, seen);
        let Some(shared) = &mut self.shared else { return };
        let by_shared = if *trust < ASTRAY { shared.clone().note(stagger, seen) } else { shared.note(stagger, seen) };
        // Bayes' rule, for which of the two tells of this method.
        let (for_shared, for_own) = (*trust * by_shared, (1.0 - *trust) * by_own);
        *trust = (for_shared / (for_shared + for_own)).clamp(TRUST[0], TRUST[1]);
    }
}
