//! What was visited already. Hashes only find the place: whole keys are compared, so that no collision can make the
//! search skip an order that it never tried, which would be a false accusation.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Visited (operations done, state) pairs. Keys lie end to end in one arena.
#[derive(Debug)]
pub(super) struct Memo<S> {
    table: HashTable<u32>,
    visited: Vec<Visited<S>>,
    words: Vec<u64>,
    hasher: FixedState,
}

#[derive(Debug)]
struct Visited<S> {
    hash: u64,
    /// Where its key ends; it begins where the one before it ends.
    end: usize,
    state: S,
}

impl<S: Eq + Hash> Memo<S> {
    pub(super) fn new() -> Self {
        // A fixed state: the same history takes the same steps on every machine.
        let hasher = FixedState::with_seed(0);
        Self { table: HashTable::new(), visited: Vec::new(), words: Vec::new(), hasher }
    }

    /// Whether this pair is new; it is known from now on.
    pub(super) fn insert(&mut self, done: &[u64], state: &S) -> bool
    where
        S: Clone,
    {
        let mut hasher = self.hasher.build_hasher();
        for word in done {
            hasher.write_u64(*word);
        }
        state.hash(&mut hasher);
        let hash = hasher.finish();
        let Self { table, visited, words, .. } = self;
        let key = |number: u32| {
            let start = if number == 0 { 0 } else { visited[number as usize - 1].end };
            &words[start..visited[number as usize].end]
        };
        let is_same = |number: &u32| {
            let known = &visited[*number as usize];
            known.hash == hash && key(*number) == done && known.state == *state
        };
        if table.find(hash, is_same).is_some() {
            return false;
        }
        let number = u32::try_from(visited.len()).expect("budgets end before 2^32 states");
        words.extend_from_slice(done);
        visited.push(Visited { hash, end: words.len(), state: state.clone() });
        table.insert_unique(hash, number, |number| visited[*number as usize].hash);
        true
    }

    pub(super) fn len(&self) -> u64 {
        self.visited.len() as u64
    }
}
