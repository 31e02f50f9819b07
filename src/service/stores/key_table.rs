//! The idempotency keys of the store in memory. Each method is called under the store's lock.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::idempotency::{CallerKey, Completion, Fingerprint, Lease};
use super::super::orders::OrderId;
use super::Claimed;
use super::sharded::Sharded;

/// How many expired keys one claim sweeps out: more than it adds, so that the table shrinks, and few enough that no
/// request waits for it.
const SWEPT_PER_CLAIM: usize = 4;

#[derive(Debug)]
struct Entry {
    fingerprint: Fingerprint,
    expires: Timestamp,
    /// The order that the answer tells of.
    order: Option<OrderId>,
    state: State,
}

#[derive(Debug)]
enum State {
    InProgress(Uuid),
    Finished(Answer),
}

#[derive(Debug, Default)]
pub(super) struct KeyTable {
    entries: Sharded<Arc<CallerKey>, Entry>,
    by_expiry: BTreeSet<(Timestamp, Arc<CallerKey>)>,
}

impl KeyTable {
    pub(super) fn claim(
        &mut self,
        lease: Lease,
        fingerprint: Fingerprint,
        now: Timestamp,
        until: Timestamp,
    ) -> Claimed {
        self.sweep(now);
        if let known @ Claimed::Known { .. } = self.recall(&lease.key, now) {
            return known;
        }
        let entry = Entry { fingerprint, expires: until, order: None, state: State::InProgress(lease.token) };
        self.insert(lease.key, entry);
        Claimed::Fresh
    }

    pub(super) fn recall(&self, key: &CallerKey, now: Timestamp) -> Claimed {
        match self.entries.get(key) {
            Some(entry) if entry.expires > now => Claimed::Known {
                fingerprint: entry.fingerprint.clone(),
                answer: match &entry.state {
                    State::InProgress(_) => None,
                    State::Finished(answer) => Some(answer.clone()),
                },
            },
            Some(_) | None => Claimed::Fresh,
        }
    }

    /// Whether a write under this completion may go ahead: it has no key, or its claim is still its own.
    pub(super) fn allows(&self, completion: Option<&Completion>) -> bool {
        completion.is_none_or(|completion| self.holds(&completion.lease))
    }

    /// Keeps the answer of a claim that [`allows`](Self::allows) found to be held.
    pub(super) fn finish(&mut self, completion: Option<Completion>) {
        if let Some(completion) = completion
            && self.holds(&completion.lease)
            && let Some(entry) = self.remove(&completion.lease.key)
        {
            self.remember(completion, entry.fingerprint);
        }
    }

    pub(super) fn release(&mut self, lease: &Lease) {
        if self.holds(lease) {
            self.remove(&lease.key);
        }
    }

    pub(super) fn remember(&mut self, completion: Completion, fingerprint: Fingerprint) {
        let Completion { lease, answer, keep_until, order } = completion;
        self.insert(lease.key, Entry { fingerprint, expires: keep_until, order, state: State::Finished(answer) });
    }

    /// Forgets a key whose answer told of an order that is forgotten, unless it has become another request's since.
    pub(super) fn forget(&mut self, key: &Arc<CallerKey>, order: OrderId) {
        if self.entries.get(key).is_some_and(|entry| entry.order == Some(order)) {
            self.remove(key);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.by_expiry.len());
        self.entries.len()
    }

    fn holds(&self, lease: &Lease) -> bool {
        self.entries.get(&lease.key).is_some_and(|entry| match entry.state {
            State::InProgress(token) => token == lease.token,
            State::Finished(_) => false,
        })
    }

    fn insert(&mut self, key: Arc<CallerKey>, entry: Entry) {
        self.remove(&key);
        self.by_expiry.insert((entry.expires, Arc::clone(&key)));
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &Arc<CallerKey>) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.by_expiry.remove(&(entry.expires, Arc::clone(key)));
        Some(entry)
    }

    fn sweep(&mut self, now: Timestamp) {
        for _ in 0..SWEPT_PER_CLAIM {
            match self.by_expiry.pop_first() {
                Some((expires, key)) if expires <= now => {
                    self.entries.remove(&key);
                }
                Some(living) => {
                    self.by_expiry.insert(living);
                    return;
                }
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::super::body::JsonObject;
    use super::*;

    const TTL: i64 = 100;
    const LEASE: i64 = 10;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn lease(key: &str, token: u128) -> Lease {
        Lease { key: Arc::new(CallerKey::new("anonymous", key)), token: Uuid::from_u128(token) }
    }

    fn fingerprint() -> Fingerprint {
        Fingerprint::of("POST", "/", &JsonObject::default())
    }

    fn claim(table: &mut KeyTable, key: &str, token: u128, second: i64) -> Claimed {
        let until = at(second + LEASE);
        table.claim(lease(key, token), fingerprint(), at(second), until)
    }

    fn completion(key: &str, token: u128, second: i64) -> Completion {
        Completion {
            lease: lease(key, token),
            answer: Answer::json(StatusCode::OK, &token),
            keep_until: at(second + TTL),
            order: None,
        }
    }

    fn is_fresh(claimed: &Claimed) -> bool {
        matches!(claimed, Claimed::Fresh)
    }

    fn is_finished(claimed: &Claimed) -> bool {
        matches!(claimed, Claimed::Known { answer: Some(_), .. })
    }

    #[test]
    fn one_of_two_claims_on_a_key_wins() {
        let mut table = KeyTable::default();
        assert!(is_fresh(&claim(&mut table, "k", 1, 0)));
        assert!(matches!(claim(&mut table, "k", 2, 1), Claimed::Known { answer: None, .. }));
        assert!(is_fresh(&claim(&mut table, "other", 3, 1)));
    }

    #[test]
    fn a_released_key_is_as_new() {
        let mut table = KeyTable::default();
        claim(&mut table, "k", 1, 0);
        table.release(&lease("k", 1));
        assert!(is_fresh(&claim(&mut table, "k", 2, 1)));
    }

    #[test]
    fn a_claim_that_ran_out_is_taken_over_and_its_first_holder_can_write_no_more() {
        let mut table = KeyTable::default();
        claim(&mut table, "k", 1, 0);
        assert!(is_fresh(&claim(&mut table, "k", 2, LEASE)));
        assert!(!table.allows(Some(&completion("k", 1, LEASE))));
        table.release(&lease("k", 1));
        assert!(table.allows(Some(&completion("k", 2, LEASE))));
    }

    #[test]
    fn a_finished_answer_is_kept_for_its_time_and_outlives_a_late_release() {
        let mut table = KeyTable::default();
        claim(&mut table, "k", 1, 0);
        table.finish(Some(completion("k", 1, 0)));
        table.release(&lease("k", 1));
        assert!(is_finished(&claim(&mut table, "k", 2, TTL - 1)));
        assert!(is_fresh(&claim(&mut table, "k", 3, TTL)));
    }

    #[test]
    fn a_key_is_forgotten_with_the_order_that_it_tells_of_and_no_other() {
        let (order, other) = (OrderId::new(Uuid::from_u128(1)), OrderId::new(Uuid::from_u128(2)));
        let mut table = KeyTable::default();
        claim(&mut table, "k", 1, 0);
        table.finish(Some(Completion { order: Some(order), ..completion("k", 1, 0) }));
        table.forget(&lease("k", 1).key, other);
        assert!(is_finished(&claim(&mut table, "k", 2, 1)));
        table.forget(&lease("k", 1).key, order);
        assert!(is_fresh(&claim(&mut table, "k", 2, 1)));
        table.forget(&lease("k", 1).key, order);
        assert!(matches!(claim(&mut table, "k", 3, 1), Claimed::Known { answer: None, .. }));
    }

    #[test]
    fn expired_keys_are_swept_out_by_the_claims_of_others() {
        let mut table = KeyTable::default();
        for key in 0..100_u128 {
            claim(&mut table, &key.to_string(), key, 0);
        }
        for key in 100..150_u128 {
            claim(&mut table, &key.to_string(), key, LEASE);
        }
        assert_eq!(table.len(), 50);
    }
}
