//! A hash map in parts. One in a single piece moves all that it holds when it grows, and again whenever what was taken out has left
//! too many holes, with the store locked meanwhile; of this one a small part moves at a time.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// As many parts. Of a hundred thousand entries each has some thousand and a half.
const PARTS: usize = 64;

#[derive(Debug)]
pub(super) struct Sharded<K, V> {
    hasher: RandomState,
    parts: Vec<HashMap<K, V>>,
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), parts: (0..PARTS).map(|_| HashMap::new()).collect() }
    }
}

impl<K: Hash + Eq, V> Sharded<K, V> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.parts[self.part(key)].get(key)
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let part = self.part(key);
        self.parts[part].get_mut(key)
    }

    pub(super) fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        let part = self.part(&key);
        self.parts[part].insert(key, value);
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let part = self.part(key);
        self.parts[part].remove(key)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(HashMap::len).sum()
    }

    /// By another hash than the parts' own, or each would fill a few of its places alone.
    fn part<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        let hash = self.hasher.hash_one(key) % PARTS as u64;
        usize::try_from(hash).expect("there are few parts")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_whose_entries_are_spread_over_its_parts() {
        let mut map = Sharded::default();
        for number in 0..10_000 {
            map.insert(number.to_string(), number);
        }
        map.insert("7".to_owned(), 70);
        *map.get_mut("8").unwrap() = 80;
        assert_eq!(map.remove("9"), Some(9));
        assert_eq!(["6", "7", "8", "9"].map(|key| map.get(key).copied()), [Some(6), Some(70), Some(80), None]);
        assert!(map.contains_key("6") && !map.contains_key("9"));
        assert_eq!(map.len(), 9_999);
        assert!(map.parts.iter().all(|part| (50..400).contains(&part.len())));
    }
}
