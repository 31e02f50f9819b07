//! What a round shows of a crossing, and how likely each kind of race makes it.

/// What a round at some delay showed of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// A violation: both were within the window.
    Hit,
    /// The first entry alone was acknowledged.
    FirstWon,
    /// The other entry alone was acknowledged.
    SecondWon,
    /// No violation, and nothing that says who came first.
    Miss,
}

/// How often a round within the window is a hit. Below 1: not every collision does harm.
const HIT_SHARE: f64 = 0.8;

/// How often what a round shows has nothing to do with its delay. A stray hit is rarer by [`STRAY_HITS`].
const STRAY: f64 = 0.04;
const STRAY_HITS: f64 = 0.2;

/// How far apart two may reach their critical sections and still collide, in µs. 0: they never do.
const WINDOWS_US: [f64; 9] = [0.0, 20.0, 60.0, 160.0, 400.0, 1_000.0, 2_500.0, 6_000.0, 15_000.0];

/// How much the time scatters that lies between the two, in µs.
const SPREADS_US: [f64; 3] = [20.0, 120.0, 700.0];

/// How many shapes there are.
pub(super) const SHAPES: usize = WINDOWS_US.len() * SPREADS_US.len();

/// The part of each before the first round.
#[expect(clippy::cast_precision_loss, reason = "a few dozen")]
pub(super) const EVEN: f64 = 1.0 / SHAPES as f64;

/// The shape of a race around its crossing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    window: f64,
    spread: f64,
}

/// All shapes that are reckoned with.
pub(super) fn shapes() -> [Shape; SHAPES] {
    let shape =
        |index| Shape { window: WINDOWS_US[index / SPREADS_US.len()], spread: SPREADS_US[index % SPREADS_US.len()] };
    std::array::from_fn(shape)
}

impl Shape {
    /// How far from the crossing a hit is still likely, in µs.
    pub(super) fn reach(&self) -> f64 {
        self.window + self.spread
    }

    /// How likely a sight is at `beyond` µs beyond a crossing that is known to within `width` µs: if the one who comes
    /// first wins, and if winners say nothing about the crossing (then `usual` is how often this one wins).
    pub(super) fn likelihood(&self, sight: Sight, beyond: f64, width: f64, usual: f64) -> (f64, f64) {
        let per_us = 1.0 / (self.spread + width / 4.0);
        let after = rise((beyond - self.window) * per_us);
        let within = rise((beyond + self.window) * per_us) - after;
        let hit = HIT_SHARE * within;
        // A collision without harm leaves one winner, either of them.
        let harmless = (1.0 - HIT_SHARE) * within / 2.0;
        let (directed, free, stray) = match sight {
            Sight::Hit => (hit, hit, STRAY / 2.0 * STRAY_HITS),
            Sight::Miss => (1.0 - hit, 1.0 - hit, STRAY / 2.0),
            Sight::FirstWon => (after + harmless, (1.0 - hit) * usual, STRAY / 2.0),
            Sight::SecondWon => (1.0 - within - after + harmless, (1.0 - hit) * usual, STRAY / 2.0),
        };
        ((1.0 - STRAY) * directed + stray, (1.0 - STRAY) * free + stray)
    }
}

/// A distribution function with heavy tails (Student's t with two degrees of freedom): servers pause. It needs
/// no more than a square root, which is the same on every platform.
fn rise(x: f64) -> f64 {
    0.5 + 0.5 * x / (1.0 + x * x).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_race_may_show_adds_up_to_one() {
        for shape in shapes() {
            for beyond in [-50_000.0, -300.0, -5.0, 0.0, 40.0, 2_000.0] {
                let of = |sight, usual| shape.likelihood(sight, beyond, 10.0, usual);
                let (hit, first, second) = (of(Sight::Hit, 0.0), of(Sight::FirstWon, 0.3), of(Sight::SecondWon, 0.7));
                // All but what stray hits are rarer by.
                assert!((hit.0 + first.0 + second.0 - 1.0).abs() < STRAY, "{shape:?} {beyond}");
                assert!((hit.1 + first.1 + second.1 - 1.0).abs() < STRAY, "{shape:?} {beyond}");
            }
        }
    }

    #[test]
    fn far_beyond_the_crossing_the_first_wins_and_at_it_there_are_hits() {
        for shape in shapes().iter().filter(|shape| shape.window > 2.0 * shape.spread) {
            let of = |sight, beyond| shape.likelihood(sight, beyond, 10.0, 0.5).0;
            assert!(of(Sight::Hit, 0.0) > 0.6, "{shape:?}");
            assert!(of(Sight::FirstWon, 50_000.0) > 0.9, "{shape:?}");
            assert!(of(Sight::SecondWon, -50_000.0) > 0.9, "{shape:?}");
        }
    }
}
