//! What no sound service does to its store.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::super::orders::{Charge, Order, OrderId};
use super::super::super::transition::Change;
use super::super::{Boxed, Careless, Claimed, Locked, Reply, Sequence, Store, StoreError, Written};
use super::{MemoryStore, atomically};

/// How long one of several locks is waited for: there is nobody here who sees that two wait for each other.
const PATIENCE: Duration = Duration::from_millis(100);

async fn patiently<T>(locking: Reply<'_, T>) -> Result<T, StoreError> {
    let too_long = StoreError::Database("a lock did not become free in time");
    timeout(PATIENCE, locking).await.unwrap_or(Err(too_long))
}

/// An order and its restaurant, unlocked together.
struct LockedBoth {
    order: Box<dyn Locked>,
    _restaurant: OwnedMutexGuard<()>,
}

impl Locked for LockedBoth {
    fn order(&self) -> &Arc<Order> {
        self.order.order()
    }

    fn commit(self: Box<Self>, change: Change, completion: Option<Completion>) -> Reply<'static, Written> {
        self.order.commit(change, completion)
    }

    fn unlock(self: Box<Self>) -> Boxed<'static, ()> {
        self.order.unlock()
    }
}

impl MemoryStore {
    fn lock_restaurant(&self, id: &str) -> Reply<'_, OwnedMutexGuard<()>> {
        let turn = atomically(&self.tables, |tables| tables.restaurant_turn(id));
        Box::pin(async move { Ok(turn?.lock_owned().await) })
    }
}

impl Careless for MemoryStore {
    fn overwrite(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        self.atomically(|tables| tables.overwrite(change, completion))
    }

    fn charge(&self, id: OrderId, charge: Charge) -> Reply<'_, ()> {
        self.atomically(move |tables| tables.charge(id, charge))
    }

    fn lock_both<'a>(
        &'a self,
        order: OrderId,
        restaurant: &'a str,
        sequence: Sequence,
        gap: Boxed<'a, ()>,
    ) -> Reply<'a, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let (order, restaurant) = match sequence {
                Sequence::OrderFirst => {
                    let order = patiently(self.lock(order)).await?;
                    gap.await;
                    (order, patiently(self.lock_restaurant(restaurant)).await?)
                }
                Sequence::RestaurantFirst => {
                    let restaurant = patiently(self.lock_restaurant(restaurant)).await?;
                    gap.await;
                    (patiently(self.lock(order)).await?, restaurant)
                }
            };
            Ok(order.map(|order| Box::new(LockedBoth { order, _restaurant: restaurant }) as Box<dyn Locked>))
        })
    }

    fn recall(&self, lease: Lease, now: Timestamp) -> Reply<'_, Claimed> {
        self.atomically(move |tables| tables.keys().recall(&lease.key, now))
    }

    fn remember(&self, completion: Completion, fingerprint: Fingerprint) -> Reply<'_, ()> {
        self.atomically(|tables| tables.remember(completion, fingerprint))
    }
}
