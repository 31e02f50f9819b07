//! Hits over delay: at which delays between contenders rounds showed a violation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stretch of delays, and what was seen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// The earliest delay that belongs to it, in µs.
    pub from_us: i32,
    /// The earliest delay beyond it, in µs.
    pub to_us: i32,
    /// How many rounds were made at a delay within it.
    pub rounds: u32,
    /// How many of them showed a violation.
    pub hits: u32,
}

/// Bounds of the buckets, before any is cut: these and the same below zero, in µs.
const BOUNDS_US: [i32; 13] = [5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_001];

/// A bucket is cut in two while it holds more than one of so many rounds,
const PARTS: usize = 12;
/// and at least so many,
const FEWEST: usize = 24;
/// and its halves are no narrower than this, in µs.
const NARROWEST_US: i32 = 5;

/// Sorts rounds (delay in µs, whether it was a hit) into buckets: wider with distance from zero, narrower where many
/// rounds were made.
pub(super) fn buckets(rounds: &[(i32, bool)]) -> Vec<Bucket> {
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable();
    let below = BOUNDS_US.iter().rev().map(|bound| -bound);
    let bounds: Vec<i32> = below.chain([0]).chain(BOUNDS_US).collect();
    let most = (rounds.len() / PARTS).max(FEWEST);
    let mut found = Vec::new();
    for pair in bounds.windows(2) {
        cut(within(&sorted, pair[0], pair[1]), pair[0], pair[1], most, &mut found);
    }
    found
}

/// Those of the sorted rounds whose delay lies in a stretch.
fn within(sorted: &[(i32, bool)], from: i32, to: i32) -> &[(i32, bool)] {
    let place = |bound| sorted.partition_point(|(delay, _)| *delay < bound);
    &sorted[place(from)..place(to)]
}

fn cut(rounds: &[(i32, bool)], from: i32, to: i32, most: usize, found: &mut Vec<Bucket>) {
    if rounds.is_empty() {
        return;
    }
    if rounds.len() > most && to - from >= 2 * NARROWEST_US {
        let middle = from + (to - from) / 2;
        cut(within(rounds, from, middle), from, middle, most, found);
        cut(within(rounds, middle, to), middle, to, most, found);
        return;
    }
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let hits = rounds.iter().filter(|(_, is_hit)| *is_hit).count();
    found.push(Bucket { from_us: from, to_us: to, rounds: count(rounds.len()), hits: count(hits) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_is_in_one_bucket() {
        let rounds: Vec<(i32, bool)> = (-50_000..=50_000).step_by(37).map(|delay| (delay, delay % 2 == 0)).collect();
        let buckets = buckets(&rounds);
        let total = |of: fn(&Bucket) -> u32| usize::try_from(buckets.iter().map(of).sum::<u32>()).unwrap();
        assert_eq!(total(|bucket| bucket.rounds), rounds.len());
        assert_eq!(total(|bucket| bucket.hits), rounds.iter().filter(|(_, is_hit)| *is_hit).count());
        assert!(buckets.windows(2).all(|pair| pair[0].to_us <= pair[1].from_us));
    }

    #[test]
    fn buckets_are_narrow_where_many_rounds_were_made() {
        let mut rounds: Vec<(i32, bool)> = (0..400).map(|index| (3_000 + index % 50, true)).collect();
        rounds.push((-30_000, false));
        let buckets = buckets(&rounds);
        let lone = Bucket { from_us: -50_001, to_us: -20_000, rounds: 1, hits: 0 };
        assert_eq!(buckets[0], lone);
        assert!(buckets[1..].iter().all(|bucket| bucket.to_us - bucket.from_us < 20), "{buckets:?}");
    }

    #[test]
    fn no_rounds_no_buckets() {
        assert_eq!(buckets(&[]), []);
    }
}
