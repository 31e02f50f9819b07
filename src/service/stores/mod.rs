//! Where orders live: one trait that speaks in whole atomic operations.
//!
//! Each method of [`Store`] is one transaction. The one that matters is [`Store::commit`]; in SQL it is
//!
//! ```sql
//! BEGIN;
//! UPDATE orders SET status = …, version = …, etag = … WHERE id = … AND version = :expected;   -- 0 rows: Conflict
//! UPDATE idempotency_keys SET answer = … WHERE key = … AND lease = … AND answer IS NULL;      -- 0 rows: ClaimLost
//! INSERT INTO events …; INSERT INTO charges …; INSERT INTO riders … ON CONFLICT DO NOTHING;
//! COMMIT;
//! ```
//!
//! so that comparing and writing are one step, and the effect and the stored answer are both there or neither is.

use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use super::access::Viewer;
use super::answer::Answer;
use super::idempotency::{Completion, Fingerprint, Lease};
use super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider, Status};
use super::seeds::Seeds;
use super::transition::Change;

mod beside;
mod choice;
mod key_table;
mod memory;
mod process_keys;
mod progress;
mod redis;
mod sharded;
mod sql;
#[cfg(test)]
mod tests;

use beside::Beside;
pub use choice::{KeyStoreChoice, OpenError, PostgresUrl, StoreChoice, UnknownKeyStore, UnknownStore};
use memory::MemoryStore;
use process_keys::ProcessKeys;
pub(super) use progress::{GivenUp, Watched, to_its_end, within};
use progress::{count_statement, point_of_no_return};
pub use redis::RedisUrl;

/// The store cannot answer. But for [`OutcomeUnknown`](Self::OutcomeUnknown), nothing was applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StoreError {
    /// A writer panicked half-way, so that what it left behind cannot be trusted.
    #[error("the store in memory was left half-written by a failure; restart the service")]
    HalfWritten,
    /// The database refused, or could not be asked. What it said goes no further: it may tell about the inside.
    #[error("the database cannot answer now: {0}; nothing was applied")]
    Database(&'static str),
    /// The database was told to commit, and how that went was not heard.
    #[error("the database did not say whether it committed")]
    OutcomeUnknown,
    /// A row says what this service never writes.
    #[error("the database holds something that this version of the service cannot read")]
    Unreadable,
}

impl StoreError {
    /// What went wrong with a commit. A refusal is an answer; anything else leaves open what became of it.
    fn of_commit(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(_) => error.into(),
            _ => Self::OutcomeUnknown,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Database("no connection became free in time"),
            sqlx::Error::PoolClosed => Self::Database("its connections are closed"),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Self::Database("the connection to it broke")
            }
            sqlx::Error::Database(_) => Self::Database("it refused a statement"),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Unreadable,
            _ => Self::Database("it could not be asked"),
        }
    }
}

/// A store's reply, when it comes. Boxed, so that a service can choose its store at start.
pub(super) type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Something that comes later, and cannot fail.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store in memory answers before anybody else gets a turn; one on a disk or behind a wire does not. This is the
/// turn that others get, for code that is wrong *because* of it: a hop to another thread and back, some tens of
/// microseconds.
pub(super) async fn let_others_have_a_turn() {
    // It fails only when the runtime is shutting down: then there is nobody to wait for.
    let _ = tokio::task::spawn_blocking(|| ()).await;
}

/// `orders`, with their keys in this process's memory.
pub(super) fn with_keys_in_this_process(orders: Arc<dyn Careless>) -> Arc<dyn Careless> {
    Arc::new(Beside::new(orders, ProcessKeys::default()))
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// The order is no longer at the expected version: nothing was written.
    Conflict,
    /// The claim ran out and somebody else has taken it: nothing was written.
    ClaimLost,
}

/// What became of a claim on an idempotency key.
#[derive(Clone, Debug)]
pub(super) enum Claimed {
    Fresh,
    /// The key is taken, by a request with this fingerprint; without an answer it is still in flight.
    Known {
        fingerprint: Fingerprint,
        answer: Option<Answer>,
    },
}

/// Which orders to list: oldest first, after a place in that order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) status: Option<Status>,
    pub(super) after: u64,
    pub(super) limit: usize,
}

/// An order, and its place in the list of all.
pub(super) type Listed = (u64, Arc<Order>);

/// Orders with their ledgers and events, and the idempotency keys that must change together with them.
pub(super) trait Store: Send + Sync {
    /// Adds rows, all of them or none; those whose ids are there already are left as they are.
    fn load(&self, seeds: Seeds) -> Reply<'_, ()>;

    /// Adds an order at version 1, and keeps the answer.
    fn create(&self, order: Order, completion: Option<Completion>) -> Reply<'_, Written>;

    /// Applies a change if the order still is at the version that the change was planned on, and keeps the answer.
    fn commit(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written>;

    /// Writes V1's whole order over whatever there is: the last one wins. Only the version is the store's own, one
    /// above what it finds, so that V2's condition can never mistake this write for another. None: no such order.
    fn put(&self, change: Change) -> Reply<'_, Option<Arc<Order>>>;

    /// Waits until nobody else has locked the order, and locks it. None: no such order.
    fn lock(&self, id: OrderId) -> Reply<'_, Option<Box<dyn Locked>>>;

    fn order(&self, id: OrderId) -> Reply<'_, Option<Arc<Order>>>;
    /// What `viewer` may see of the list.
    fn list(&self, viewer: Viewer, page: Page) -> Reply<'_, Vec<Listed>>;
    /// The ledger, oldest first. None: no such order.
    fn charges(&self, id: OrderId) -> Reply<'_, Option<Vec<Charge>>>;
    /// Every transition applied, oldest first. None: no such order.
    fn events(&self, id: OrderId) -> Reply<'_, Option<Vec<Event>>>;

    /// Those of the named restaurants that exist.
    fn restaurants(&self, ids: Vec<String>) -> Reply<'_, Vec<Restaurant>>;
    /// Those of the named riders that exist.
    fn riders(&self, ids: Vec<String>) -> Reply<'_, Vec<Rider>>;

    /// Claims a key, unless it is taken and has not run out: an insert that fails on a duplicate.
    fn claim(&self, lease: Lease, fingerprint: Fingerprint, now: Timestamp, until: Timestamp) -> Reply<'_, Claimed>;

    /// Keeps an answer that has no effect beside it; does nothing if the claim is lost.
    fn settle(&self, completion: Completion) -> Reply<'_, ()>;

    /// Gives a key back; does nothing if the claim is over or lost.
    fn release(&self, lease: Lease) -> Reply<'_, ()>;
}

/// An order that no other holder of a lock can change. Dropped, it is unlocked soon.
///
/// Only a lock keeps out a lock: [`Store::put`] asks nobody. So the write is conditional here, too.
pub(super) trait Locked: Send {
    /// The order as it was when the lock was taken.
    fn order(&self) -> &Arc<Order>;

    /// What [`Store::commit`] does, and unlocks.
    fn commit(self: Box<Self>, change: Change, completion: Option<Completion>) -> Reply<'static, Written>;

    /// Unlocks, and returns when others can have the order.
    fn unlock(self: Box<Self>) -> Boxed<'static, ()>;
}

/// Which of two locks is taken first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    OrderFirst,
    RestaurantFirst,
}

/// What no sound service does to its store. Only the deliberate mistakes in [`defects`](super::defects) get to see it.
pub(super) trait Careless: Store {
    /// Applies a change to whatever there is, and keeps the answer.
    fn overwrite(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written>;

    /// Adds a row to the ledger, and nothing to the order.
    fn charge(&self, id: OrderId, charge: Charge) -> Reply<'_, ()>;

    /// Locks an order and its restaurant, with a `gap` between the two; what [`Store::lock`] does, and one lock more.
    fn lock_both<'a>(
        &'a self,
        order: OrderId,
        restaurant: &'a str,
        sequence: Sequence,
        gap: Boxed<'a, ()>,
    ) -> Reply<'a, Option<Box<dyn Locked>>>;

    /// Looks a key up without claiming it.
    fn recall(&self, lease: Lease, now: Timestamp) -> Reply<'_, Claimed>;

    /// Keeps an answer under a key that nobody claimed.
    fn remember(&self, completion: Completion, fingerprint: Fingerprint) -> Reply<'_, ()>;
}
