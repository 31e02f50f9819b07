//! One axis: the delays between two departures, and which of them the next round tries.

use super::LONGEST_US;
use super::belief::Belief;
use super::sight::Sight;
use crate::seed::Dice;

/// Of all rounds, the part that tries any delay at all, whatever is believed, while there are no hits.
const ANYWHERE: f64 = 0.1;

/// Of all rounds, the part that tries a delay drawn from the belief (Thompson sampling).
const DRAWN: f64 = 0.15;

/// Of all rounds, the part that tries the delay with half of the belief on either side (bisection). The others try the
/// delay where a hit is likeliest. These parts did best among those tried on simulated servers.
const HALVING: f64 = 0.15;

/// The part of these three that is left at least, however many rounds are hits: what was found may move.
const LEAST_EXPLORED: f64 = 0.1;

/// How much the latest round counts in the share of hits among recent ones.
const LATEST: f64 = 0.05;

/// One axis of a sweep. Delays are in µs.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    dice: Dice,
    belief: Belief,
    /// The share of hits among recent rounds.
    recent: f64,
}

impl Axis {
    /// The delay of an entry against the first one. `typical`: how long the target took to answer each alone, in µs.
    pub(super) fn of_entry(dice: Dice, typical: Option<(i32, i32)>) -> Self {
        Self::new(dice, Belief::signed(LONGEST_US, typical))
    }

    /// The delay between contenders of the same entry, at most `longest`.
    pub(super) fn of_steps(dice: Dice, longest: i32) -> Self {
        Self::new(dice, Belief::unsigned(longest))
    }

    const fn new(dice: Dice, belief: Belief) -> Self {
        Self { dice, belief, recent: 0.0 }
    }

    /// The delay to try next.
    pub(super) fn next(&mut self) -> i32 {
        // The more rounds hit, the less there is to be learned elsewhere; if hits become rare, others are tried again.
        let explored = (1.0 - self.recent).powi(2).max(LEAST_EXPLORED);
        let anywhere = ANYWHERE * explored;
        let (drawn, halving) = (anywhere + DRAWN * explored, anywhere + (DRAWN + HALVING) * explored);
        match self.dice.fraction() {
            part if part < anywhere => self.belief.anywhere(&mut self.dice),
            part if part < drawn => self.belief.drawn(&mut self.dice),
            part if part < halving => self.belief.halving(&mut self.dice),
            _ => self.belief.likeliest(&mut self.dice),
        }
    }

    /// Takes in a round: its delay, and what it showed, if anything. Returns how likely that was, as far as was believed.
    pub(super) fn note(&mut self, delay: i32, sight: Option<Sight>) -> f64 {
        let delay = delay.clamp(-LONGEST_US, LONGEST_US);
        let Some(sight) = sight else { return 1.0 };
        self.recent += (f64::from(u8::from(sight == Sight::Hit)) - self.recent) * LATEST;
        self.belief.note(delay, sight)
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> f64 {
        self.belief.total()
    }
}
