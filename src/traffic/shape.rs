//! When requests are to begin, as data: as fast as clients are served (closed), or at times that nobody's slowness moves (open).
//!
//! An open load is a row of stages, each with a rate that goes evenly from one value to another. The area under the rate is how many
//! slots there were: slot number *i* begins where the area is *i*. Arrivals by chance (Poisson) are spaced by chance in that area.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::seed::Dice;

/// How requests are offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Each client begins its next request when the last one is answered.
    Closed,
    /// Requests begin by the clock, whether or not earlier ones were answered.
    Open {
        /// How the rate changes.
        stages: Vec<Stage>,
        /// How requests are spaced.
        arrivals: Spacing,
    },
}

/// A stretch of an open load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Stage {
    /// How long it lasts, in milliseconds.
    pub duration_ms: u64,
    /// Requests in a second at its beginning.
    pub from: f64,
    /// Requests in a second at its end.
    pub to: f64,
}

/// How requests are spaced at a given rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// Evenly.
    #[default]
    Constant,
    /// By chance: a Poisson process, as independent users arrive.
    Poisson,
}

impl Stage {
    /// How many requests it offers, on average.
    fn area(&self) -> f64 {
        self.seconds() * f64::midpoint(self.from, self.to)
    }

    #[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 ms")]
    fn seconds(&self) -> f64 {
        self.duration_ms as f64 / 1e3
    }

    /// When, in seconds from its beginning, it has offered `area`, which is within its own.
    fn when(&self, area: f64) -> f64 {
        // from·t + slope·t²/2 = area, in the form that does not cancel where the slope is small.
        let slope = (self.to - self.from) / self.seconds();
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        let divisor = self.from + root;
        if divisor <= 0.0 { 0.0 } else { (2.0 * area / divisor).min(self.seconds()) }
    }
}

impl Shape {
    /// How long it lasts, if it says so.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Closed => None,
            Self::Open { stages, .. } => {
                Some(Duration::from_millis(stages.iter().map(|stage| stage.duration_ms).sum()))
            }
        }
    }

    /// How long one of so many clients may wait from one turn to its next, at most or nearly so: turns go round.
    pub fn longest_pause(&self, clients: u32) -> Duration {
        let Self::Open { stages, arrivals } = self else { return Duration::ZERO };
        // By chance a pause is longer now and then.
        let turns = f64::from(clients) * if *arrivals == Spacing::Poisson { 4.0 } else { 1.0 };
        let (mut longest, mut idle) = (0.0_f64, 0.0);
        for stage in stages {
            let round = turns / stage.from.min(stage.to);
            if round < stage.seconds() {
                longest = longest.max(round);
            } else {
                idle += stage.seconds();
            }
        }
        Duration::try_from_secs_f64(longest + idle).unwrap_or(Duration::MAX)
    }

    /// How many requests it offers, on average, if it says so.
    pub fn offers(&self) -> Option<f64> {
        match self {
            Self::Closed => None,
            Self::Open { stages, .. } => Some(stages.iter().map(Stage::area).sum()),
        }
    }
}

/// Which part of a load this is: one of several processes, and within it one of several threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 0.
    pub index: u32,
    /// Of so many.
    pub of: u32,
}

impl Part {
    /// The whole.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// The part `inner` of this part.
    #[must_use]
    pub const fn split(self, inner: Self) -> Self {
        Self { index: self.index * inner.of + inner.index, of: self.of * inner.of }
    }

    /// How many of `total` things it gets, if they are dealt out in turn.
    pub const fn share(self, total: u64) -> u64 {
        let (index, of) = (self.index as u64, self.of as u64);
        total / of + if index < total % of { 1 } else { 0 }
    }

    /// The number, from 1, of the thing that this part has as its `count`-th, from 0: no other part has it. They are dealt out in turn;
    /// where there are several parts, one more is left in each turn for what all of them have ([`Self::joint_number`]).
    pub const fn own_number(self, count: u32) -> u32 {
        count.wrapping_mul(self.dealt()).wrapping_add(self.index).wrapping_add(1)
    }

    /// The number, from 1, of the `count`-th thing, from 0, that all parts have. `None` where there is but one part, or no number left.
    pub const fn joint_number(self, count: u32) -> Option<u32> {
        match (self.of > 1, count.checked_mul(self.dealt())) {
            (true, Some(before)) => before.checked_add(self.of + 1),
            (true, None) | (false, _) => None,
        }
    }

    /// Whether a number is that of a thing that all parts have.
    pub const fn is_joint(self, number: u32) -> bool {
        self.of > 1 && number.wrapping_sub(1) % self.dealt() == self.of
    }

    /// Whether a number is that of a thing that this part alone has.
    pub const fn is_own(self, number: u32) -> bool {
        number.wrapping_sub(1) % self.dealt() == self.index
    }

    /// How many numbers are dealt in a turn.
    const fn dealt(self) -> u32 {
        self.of + if self.of > 1 { 1 } else { 0 }
    }
}

/// The moments at which one part's slots begin, from the load's beginning, in order.
#[derive(Debug, Clone)]
pub struct Arrivals {
    stages: Vec<Stage>,
    /// The stage under way, what was offered before it, and when it began, in seconds.
    at: usize,
    area_before: f64,
    seconds_before: f64,
    /// The area at which the next slot begins.
    next: f64,
    step: Step,
}

#[derive(Debug, Clone)]
enum Step {
    Every(f64),
    /// By chance, so much on average.
    About(f64, Dice),
}

impl Arrivals {
    /// The slots of `part`. Evenly spaced ones are dealt out to the parts in turn; a Poisson process parts into such processes.
    pub fn new(stages: &[Stage], spacing: Spacing, part: Part, dice: Dice) -> Self {
        let of = f64::from(part.of);
        let mut step = match spacing {
            Spacing::Constant => Step::Every(of),
            Spacing::Poisson => Step::About(of, dice),
        };
        let next = match &mut step {
            Step::Every(_) => f64::from(part.index),
            Step::About(..) => step.draw(),
        };
        Self { stages: stages.to_vec(), at: 0, area_before: 0.0, seconds_before: 0.0, next, step }
    }
}

impl Step {
    fn draw(&mut self) -> f64 {
        match self {
            Self::Every(step) => *step,
            // The inverse of the exponential distribution; 1 − u is never 0.
            Self::About(mean, dice) => -*mean * (1.0 - dice.fraction()).ln(),
        }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        while let Some(stage) = self.stages.get(self.at) {
            let within = self.next - self.area_before;
            if within < stage.area() {
                self.next += self.step.draw();
                return Some(Duration::from_secs_f64(self.seconds_before + stage.when(within)));
            }
            self.area_before += stage.area();
            self.seconds_before += stage.seconds();
            self.at += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed::Seed;

    fn stage(seconds: u64, from: f64, to: f64) -> Stage {
        Stage { duration_ms: seconds * 1_000, from, to }
    }

    fn arrivals(stages: &[Stage], spacing: Spacing, part: Part) -> Vec<Duration> {
        let dice = Seed::new(7).child(&format!("part {}", part.index)).dice();
        Arrivals::new(stages, spacing, part, dice).collect()
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let found = arrivals(&[stage(2, 100.0, 100.0)], Spacing::Constant, Part::WHOLE);
        let expected: Vec<u128> = (0..200).map(|slot| slot * 10_000).collect();
        assert_eq!(found.iter().map(Duration::as_micros).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_ramp_offers_what_lies_under_it() {
        let found = arrivals(&[stage(10, 0.0, 200.0)], Spacing::Constant, Part::WHOLE);
        assert_eq!(found.len(), 1_000);
        // Half of the time, a quarter of the area.
        let early = found.iter().filter(|at| at.as_secs() < 5).count();
        assert!((249..=251).contains(&early), "{early}");
    }

    #[test]
    fn a_spike_is_a_stage_between_others_and_silence_offers_nothing() {
        let stages = [stage(1, 10.0, 10.0), stage(1, 1_000.0, 1_000.0), stage(1, 0.0, 0.0), stage(1, 10.0, 10.0)];
        let found = arrivals(&stages, Spacing::Constant, Part::WHOLE);
        let by_second = [0, 1, 2, 3].map(|second| found.iter().filter(|at| at.as_secs() == second).count());
        assert_eq!(by_second, [10, 1_000, 0, 10]);
        assert_eq!(Shape::Open { stages: stages.into(), arrivals: Spacing::Constant }.offers(), Some(1_020.0));
    }

    #[test]
    fn arrivals_by_chance_come_at_the_rate_and_vary_as_a_poisson_process_does() {
        let found = arrivals(&[stage(100, 200.0, 200.0)], Spacing::Poisson, Part::WHOLE);
        assert!((19_400..20_600).contains(&found.len()), "{}", found.len());
        // The variance of the count in a second is its mean.
        let counts: Vec<f64> = (0..100)
            .map(|second| u32::try_from(found.iter().filter(|at| at.as_secs() == second).count()).unwrap().into())
            .collect();
        let mean = counts.iter().sum::<f64>() / 100.0;
        let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / 99.0;
        assert!((0.6..1.5).contains(&(variance / mean)), "{}", variance / mean);
    }

    #[test]
    fn shares_add_up_to_the_whole() {
        for total in [0, 1, 7, 100] {
            let parts = (0..8).map(|index| Part { index, of: 8 }.share(total));
            assert_eq!(parts.sum::<u64>(), total);
        }
    }

    #[test]
    fn turns_go_round_as_fast_as_the_rate_lets_them() {
        let open = |stages: &[Stage], arrivals| Shape::Open { stages: stages.to_vec(), arrivals };
        let pause = |shape: &Shape| shape.longest_pause(256).as_secs_f64();
        assert!((pause(&open(&[stage(60, 10.0, 10.0)], Spacing::Constant)) - 25.6).abs() < 1e-6);
        assert!((pause(&open(&[stage(60, 256.0, 512.0)], Spacing::Poisson)) - 4.0).abs() < 1e-6);
        // Nothing, between two busy stages; and a rise from nothing.
        let busy = stage(10, 256.0, 256.0);
        assert!((pause(&open(&[busy, stage(30, 0.0, 0.0), busy], Spacing::Constant)) - 31.0).abs() < 1e-6);
        assert!((pause(&open(&[stage(20, 0.0, 2_000.0)], Spacing::Constant)) - 20.0).abs() < 1e-6);
        assert_eq!(Shape::Closed.longest_pause(256), Duration::ZERO);
    }

    #[test]
    fn a_number_is_one_parts_own_or_all_have_it() {
        for of in [1, 2, 4] {
            let parts: Vec<Part> = (0..of).map(|index| Part { index, of }).collect();
            let mut numbers: Vec<u32> =
                parts.iter().flat_map(|part| (0..50).map(|count| part.own_number(count))).collect();
            let joint: Vec<u32> = (0..50).filter_map(|count| parts[0].joint_number(count)).collect();
            assert!(
                parts.iter().all(|part| (0..50).filter_map(|count| part.joint_number(count)).eq(joint.iter().copied()))
            );
            numbers.extend(&joint);
            for number in &numbers {
                let own = parts.iter().filter(|part| part.is_own(*number)).count();
                assert_eq!(
                    (own, joint.contains(number)),
                    if parts[0].is_joint(*number) { (0, true) } else { (1, false) }
                );
            }
            numbers.sort_unstable();
            let expected: Vec<u32> = (1..=u32::try_from(numbers.len()).unwrap()).collect();
            assert_eq!(numbers, expected, "none is left out and none dealt twice");
        }
        assert_eq!(Part { index: 0, of: 4 }.joint_number(u32::MAX / 5), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

        #[test]
        fn the_slots_of_all_parts_are_the_slots_of_the_whole(
            rates in prop::collection::vec((1_u64..4, 0_u32..300, 0_u32..300), 1..4),
            processes in 1_u32..5,
            threads in 1_u32..4,
        ) {
            let stages: Vec<Stage> =
                rates.iter().map(|(seconds, from, to)| stage(*seconds, f64::from(*from), f64::from(*to))).collect();
            let mut parts: Vec<Duration> = (0..processes)
                .flat_map(|index| (0..threads).map(move |inner| Part { index, of: processes }.split(Part { index: inner, of: threads })))
                .flat_map(|part| arrivals(&stages, Spacing::Constant, part))
                .collect();
            parts.sort_unstable();
            prop_assert_eq!(parts, arrivals(&stages, Spacing::Constant, Part::WHOLE));
        }

        #[test]
        fn slots_are_in_order_and_within_the_load(
            rates in prop::collection::vec((1_u64..4, 0_u32..300, 0_u32..300), 1..4),
            by_chance: bool,
        ) {
            let stages: Vec<Stage> =
                rates.iter().map(|(seconds, from, to)| stage(*seconds, f64::from(*from), f64::from(*to))).collect();
            let spacing = if by_chance { Spacing::Poisson } else { Spacing::Constant };
            let found = arrivals(&stages, spacing, Part::WHOLE);
            let total: u64 = rates.iter().map(|(seconds, ..)| seconds).sum();
            let end = Duration::from_secs(total) + Duration::from_nanos(1);
            prop_assert!(found.is_sorted());
            prop_assert!(found.iter().all(|at| *at <= end));
        }
    }
}
