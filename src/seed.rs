//! Chance that can be repeated: what a run chooses (the orders within its volleys) comes from one printed seed. What must
//! never repeat (ids, idempotency keys) is drawn the same way from a seed that nobody chose.
//!
//! A run's [`Seed`] is split by labels, so that round 17 of a scenario makes the same choices however many
//! rounds or scenarios ran before it: `seed.child("cancel-vs-accept").child("r17")`.

use std::fmt;

/// The root of all chance in a run, or in a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The seed a user names with `--seed`.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// A seed nobody chose. Kept below 2^53, so that it survives readers that hold JSON numbers as doubles.
    pub fn arbitrary() -> Self {
        Self(fastrand::u64(..(1 << 53)))
    }

    /// The number to give to `--seed`.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The seed of the part called `label`.
    #[must_use]
    pub fn child(self, label: &str) -> Self {
        // FNV-1a over the label, started from the parent: stable across versions and platforms, unlike std's hasher.
        let start = 0xcbf2_9ce4_8422_2325 ^ self.0.rotate_left(17);
        let hash = label.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        Self(hash)
    }

    /// A generator for this part.
    pub fn dice(self) -> Dice {
        Dice(fastrand::Rng::with_seed(self.0))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A seeded generator.
#[derive(Debug, Clone)]
pub struct Dice(fastrand::Rng);

impl Dice {
    /// Puts `items` in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// A number below `limit`, which is above zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.usize(..limit)
    }

    /// A number from 0 to just below 1.
    pub fn fraction(&mut self) -> f64 {
        self.0.f64()
    }

    /// A UUID with the shape of version 4, drawn from the seed: repeatable, and unique within a run.
    pub fn uuid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.0.u128(..).to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_choices() {
        let draw = |seed: u64| {
            let mut items: Vec<u32> = (0..20).collect();
            let mut dice = Seed::new(seed).child("cancel-vs-accept").child("r17").dice();
            dice.shuffle(&mut items);
            (items, dice.uuid())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn different_labels_lead_to_different_parts() {
        let seed = Seed::new(7);
        assert_ne!(seed.child("a").child("b"), seed.child("b").child("a"));
        assert_ne!(seed.child("r1"), seed.child("r2"));
    }
}
