//! The sweep: how long contenders are held apart, so that what collides is their critical sections, not their
//! departures.
//!
//! ```text
//! entry 0  leaves ───────── on its way ─────────► check ─ save
//! entry 1       └─ delay ─► leaves ── on its way ─► check ─ save      collides only near one delay: the crossing
//! ```
//!
//! Nobody knows the crossing beforehand. Each entry beyond the first has an [`Axis`] of its own, the delay at which it
//! leaves after the first entry (before it, below zero); contenders of one entry leave together. Where there is one
//! entry only, its axis is the time between one contender and the next. A [`Sweep`] names the delays of the next round,
//! is told what the round showed, and moves to where the collisions are; some rounds it spends elsewhere, so that a
//! wrong belief does not last. Where several methods of delivery take turns, they learn from each other ([`Sweeps`]).
//!
//! ```text
//! let mut sweep = Sweep::new(seed, &[1, 1], &[Some(cancel_took), Some(accept_took)]);
//! let stagger = sweep.next();                       // hold each contender for offset(&stagger, entry, place)
//! sweep.note(&stagger, &Seen { hit, acknowledged: vec![Some(true), Some(false)] });
//! ```
//!
//! Pure: the same seed and the same notes in the same order make the same plan. Rounds may overlap: any number of plans
//! may be out before their notes come back.

mod axis;
mod belief;
mod shared;
mod sight;
#[cfg(test)]
pub(super) mod simulated;

use std::time::Duration;

use crate::history::Stagger;
use crate::seed::Seed;
use axis::Axis;
pub(super) use shared::Sweeps;
use sight::Sight;

/// An entry leaves at most this long after the first one, or before it, in µs. A volley of one entry lasts no longer
/// than this.
const LONGEST_US: i32 = 50_000;

/// How long after the earliest departure of its volley a contender leaves: of which entry, and at which place of the volley's
/// (shuffled) order. At most 50 ms; 100 ms with more than two entries.
pub(super) fn offset(stagger: &Stagger, entry: usize, place: usize) -> Duration {
    let us = match stagger {
        Stagger::Kinds(delays) => {
            let earliest = delays.iter().copied().fold(0, i32::min);
            let own = entry.checked_sub(1).and_then(|axis| delays.get(axis)).copied().unwrap_or(0);
            own.saturating_sub(earliest)
        }
        Stagger::Steps(step) => step.saturating_mul(i32::try_from(place).unwrap_or(i32::MAX)).min(LONGEST_US),
    };
    Duration::from_micros(u64::try_from(us).unwrap_or(0))
}

/// The stagger that was, where it differs from the planned one: `left` says when each entry left (by entry), or where there
/// is one entry, each contender (by place). The clock may start anywhere. As planned if `left` is too short.
pub(super) fn as_left(stagger: &Stagger, left: &[Duration]) -> Stagger {
    match stagger {
        Stagger::Kinds(delays) if left.len() > delays.len() => {
            let first = left[0];
            Stagger::Kinds(left[1..=delays.len()].iter().map(|own| between(first, *own)).collect())
        }
        Stagger::Steps(_) if left.len() > 1 => {
            let steps = i32::try_from(left.len() - 1).unwrap_or(i32::MAX);
            Stagger::Steps((between(left[0], left[left.len() - 1]) / steps).max(0))
        }
        Stagger::Kinds(_) | Stagger::Steps(_) => stagger.clone(),
    }
}

/// When each kind left, without the offsets that its scenario asks for: what is swept comes on top of them. The clock may
/// start anywhere.
pub(super) fn without_offsets(left: &[Duration], offsets: &[Duration]) -> Vec<Duration> {
    let latest = offsets.iter().copied().max().unwrap_or_default();
    // Moved all together, so that none leaves before the clock starts.
    left.iter().zip(offsets).map(|(left, offset)| *left + latest.saturating_sub(*offset)).collect()
}

/// The delay that belongs to an axis.
fn delay(stagger: &Stagger, axis: usize) -> Option<i32> {
    match stagger {
        Stagger::Kinds(delays) => delays.get(axis).copied(),
        Stagger::Steps(step) => (axis == 0).then_some(*step),
    }
}

/// From one moment to another, in µs, within what a sweep explores.
fn between(first: Duration, second: Duration) -> i32 {
    let us = |span: Duration| i32::try_from(span.as_micros()).unwrap_or(i32::MAX).min(LONGEST_US);
    us(second.saturating_sub(first)) - us(first.saturating_sub(second))
}

/// What a round showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The judge found a violation in it.
    pub(super) hit: bool,
    /// By entry: whether one of its contenders was acknowledged (`Some(true)`), all were refused (`Some(false)`), or
    /// that is not known (an answer is missing). A round that is not known in full says nothing against its delay.
    pub(super) acknowledged: Vec<Option<bool>>,
}

impl Seen {
    fn of(&self, entry: usize) -> Option<bool> {
        self.acknowledged.get(entry).copied().flatten()
    }

    /// Whether the first entry and `entry` were both acknowledged.
    fn both(&self, entry: usize) -> bool {
        self.of(0) == Some(true) && self.of(entry) == Some(true)
    }

    /// Whether a violation is put down to the first entry and `entry`: if both were acknowledged, or if the answers do
    /// not say which two it was, because fewer than two entries were.
    fn hit_of(&self, entry: usize) -> bool {
        let acknowledged = self.acknowledged.iter().filter(|is| **is == Some(true)).count();
        self.hit && (self.both(entry) || acknowledged < 2)
    }

    /// What it showed of the axis between the first entry and `entry` (the same one, if there is no other).
    fn sight(&self, entry: usize) -> Option<Sight> {
        if self.hit_of(entry) {
            return Some(Sight::Hit);
        }
        match (self.of(0)?, self.of(entry)?) {
            (true, false) => Some(Sight::FirstWon),
            (false, true) => Some(Sight::SecondWon),
            // A third may have won against both: then these two have not met.
            (false, false) if entry > 0 && self.acknowledged.contains(&Some(true)) => None,
            (true, true) | (false, false) => Some(Sight::Miss),
        }
    }
}

/// Finds the delays at which contenders collide.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    axes: Vec<Axis>,
    is_stepped: bool,
}

impl Sweep {
    /// A sweep of a volley with so many `contenders` of each entry. `typical` says, by entry, how long the target took
    /// to answer it alone, where that is known.
    pub(super) fn new(seed: Seed, contenders: &[usize], typical: &[Option<Duration>]) -> Self {
        let dice = |label: usize| seed.child("sweep").child(&label.to_string()).dice();
        let took = |entry: usize| {
            let us = typical.get(entry).copied().flatten()?.as_micros();
            Some(i32::try_from(us).unwrap_or(i32::MAX).min(LONGEST_US))
        };
        if let [] | [_] = contenders {
            let steps = contenders.first().map_or(1, |count| count.saturating_sub(1)).max(1);
            let longest = LONGEST_US / i32::try_from(steps).unwrap_or(i32::MAX);
            return Self { axes: vec![Axis::of_steps(dice(0), longest)], is_stepped: true };
        }
        let axis = |entry| Axis::of_entry(dice(entry), took(0).zip(took(entry)));
        Self { axes: (1..contenders.len()).map(axis).collect(), is_stepped: false }
    }

    /// How the contenders of the next round shall leave.
    pub(super) fn next(&mut self) -> Stagger {
        let delays: Vec<i32> = self.axes.iter_mut().map(Axis::next).collect();
        if self.is_stepped { Stagger::Steps(delays[0]) } else { Stagger::Kinds(delays) }
    }

    /// Takes in what a round showed whose contenders left like this. Returns how likely that was, as far as was believed.
    pub(super) fn note(&mut self, stagger: &Stagger, seen: &Seen) -> f64 {
        let first = usize::from(!self.is_stepped);
        let axes = self.axes.iter_mut().enumerate();
        let noted = axes.filter_map(|(index, axis)| Some(axis.note(delay(stagger, index)?, seen.sight(index + first))));
        noted.product()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scenario_asks_for_is_no_part_of_what_was_swept() {
        let us = |all: [u64; 3]| all.map(Duration::from_micros);
        // Swept: the second 40 µs after the first, the third 30 µs before it. Asked for: the second 2 ms later, the third 5 ms.
        let left = without_offsets(&us([30, 2_070, 5_000]), &us([0, 2_000, 5_000]));
        assert_eq!(as_left(&Stagger::Kinds(vec![0, 0]), &left), Stagger::Kinds(vec![40, -30]));
        assert_eq!(without_offsets(&us([7, 0, 9]), &us([0, 0, 0])), us([7, 0, 9]));
    }
}
