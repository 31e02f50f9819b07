//! Which operations are done: two small bit sets, and their shortest spelling as a key.
//!
//! Required operations are numbered by opening, so those done are all up to some point and a few after it, as many as
//! were in flight together. Only the words in between make the key: its length depends on how much overlaps, not on how
//! long the history is. Optional operations, which may be left out for ever, have a set of their own.

use super::Entry;

/// A set of operations.
#[derive(Debug)]
pub(super) struct Done {
    /// Each entry's number within its own set.
    numbers: Vec<u32>,
    required: Bits,
    optional: Bits,
    required_left: usize,
    required_count: usize,
}

#[derive(Debug)]
struct Bits {
    words: Vec<u64>,
    /// All words before this one are full.
    first: usize,
    /// All words from this one on are empty.
    end: usize,
}

impl Done {
    /// Nothing is done yet.
    pub(super) fn none_of<Op>(entries: &[Entry<Op>]) -> Self {
        let mut by_opening: Vec<usize> = (0..entries.len()).collect();
        by_opening.sort_by_key(|index| entries[*index].opened);
        let mut numbers = vec![0; entries.len()];
        let (mut required, mut optional) = (0, 0);
        for index in by_opening {
            let counter = if entries[index].optional { &mut optional } else { &mut required };
            numbers[index] = *counter;
            *counter += 1;
        }
        let count = required as usize;
        let (required, optional) = (Bits::empty(required), Bits::empty(optional));
        Self { numbers, required, optional, required_left: count, required_count: count }
    }

    pub(super) fn insert<Op>(&mut self, index: usize, entry: &Entry<Op>) {
        if entry.optional {
            self.optional.set(self.numbers[index]);
        } else {
            self.required.set(self.numbers[index]);
            self.required_left -= 1;
        }
    }

    pub(super) fn remove<Op>(&mut self, index: usize, entry: &Entry<Op>) {
        if entry.optional {
            self.optional.clear(self.numbers[index]);
        } else {
            self.required.clear(self.numbers[index]);
            self.required_left += 1;
        }
    }

    pub(super) fn contains<Op>(&self, index: usize, entry: &Entry<Op>) -> bool {
        let bits = if entry.optional { &self.optional } else { &self.required };
        bits.has(self.numbers[index])
    }

    /// The place of `index` in order of opening: among the optional operations if it is one, else among the others.
    pub(super) fn number(&self, index: usize) -> usize {
        self.numbers[index] as usize
    }

    /// How many required operations are still to come.
    pub(super) const fn required_left(&self) -> usize {
        self.required_left
    }

    /// How many required operations are done.
    pub(super) const fn required_done(&self) -> usize {
        self.required_count - self.required_left
    }

    /// The shortest spelling of the set. Different sets have different spellings: the first word tells how many words
    /// of optional operations follow, and how many full words of required ones are left out.
    pub(super) fn spell(&self, key: &mut Vec<u64>) {
        key.clear();
        key.push((self.optional.end as u64) << 32 | self.required.first as u64);
        key.extend_from_slice(&self.optional.words[..self.optional.end]);
        key.extend_from_slice(&self.required.words[self.required.first..self.required.end.max(self.required.first)]);
    }
}

impl Bits {
    fn empty(count: u32) -> Self {
        Self { words: vec![0; (count as usize).div_ceil(64)], first: 0, end: 0 }
    }

    fn has(&self, number: u32) -> bool {
        self.words[number as usize / 64] & (1 << (number % 64)) != 0
    }

    fn set(&mut self, number: u32) {
        let word = number as usize / 64;
        self.words[word] |= 1 << (number % 64);
        self.end = self.end.max(word + 1);
        while self.words.get(self.first) == Some(&u64::MAX) {
            self.first += 1;
        }
    }

    fn clear(&mut self, number: u32) {
        let word = number as usize / 64;
        self.words[word] &= !(1 << (number % 64));
        self.first = self.first.min(word);
        while self.end > 0 && self.words[self.end - 1] == 0 {
            self.end -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn different_sets_are_spelt_differently_and_equal_sets_alike() {
        let mut dice = fastrand::Rng::with_seed(11);
        let entries: Vec<Entry<()>> = (0..300)
            .map(|at| if at % 3 == 0 { Entry::unknown((), at) } else { Entry::closed((), at, at + 5) })
            .collect();
        let mut done = Done::none_of(&entries);
        let mut truth = vec![false; entries.len()];
        let mut seen: HashMap<Vec<u64>, Vec<bool>> = HashMap::new();
        let mut key = Vec::new();
        for step in 0..60_000 {
            // Mostly in order, so that words fill up; with a few before and behind.
            let index = if dice.u8(0..4) == 0 { dice.usize(0..300) } else { step % 300 };
            if truth[index] {
                done.remove(index, &entries[index]);
            } else {
                done.insert(index, &entries[index]);
            }
            truth[index] = !truth[index];
            assert_eq!(done.contains(index, &entries[index]), truth[index]);
            done.spell(&mut key);
            let known = seen.entry(key.clone()).or_insert_with(|| truth.clone());
            assert_eq!(*known, truth);
        }
        let left = (0..300).filter(|index| index % 3 != 0 && !truth[*index]).count();
        assert_eq!(done.required_left(), left);
    }
}
