//! Orders in one store, and their idempotency keys in another.
//!
//! The two do not commit together: an effect comes first, and its answer is kept after it. What may go wrong in between
//! is told in [`redis`](super::redis).

use std::sync::Arc;

use jiff::Timestamp;

use super::super::access::Viewer;
use super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider};
use super::super::seeds::Seeds;
use super::super::transition::Change;
use super::{Boxed, Careless, Claimed, Listed, Locked, Page, Reply, Sequence, Store, StoreError, Written};

/// Keys alone. What the methods do is told at [`Store`] and [`Careless`].
pub(super) trait KeyStore: Clone + Send + Sync + 'static {
    fn claim(
        &self,
        lease: &Lease,
        fingerprint: &Fingerprint,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    fn recall(&self, lease: &Lease, now: Timestamp) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    fn finish(&self, completion: &Completion) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn release(&self, lease: &Lease) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn remember(
        &self,
        completion: &Completion,
        fingerprint: &Fingerprint,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Finishes what has had its effect. That is done, whatever the keys' store says: a key that cannot be finished runs out.
async fn finish_after(keys: &impl KeyStore, written: Written, completion: Option<Completion>) -> Written {
    if let (Written::Done, Some(completion)) = (written, completion) {
        let _ = keys.finish(&completion).await;
    }
    written
}

/// Orders in one store, and their keys beside them.
pub(super) struct Beside<K> {
    orders: Arc<dyn Careless>,
    keys: K,
}

impl<K> Beside<K> {
    pub(super) fn new(orders: Arc<dyn Careless>, keys: K) -> Self {
        Self { orders, keys }
    }
}

impl<K: KeyStore> Beside<K> {
    fn with_keys(&self, locked: Option<Box<dyn Locked>>) -> Option<Box<dyn Locked>> {
        let keys = self.keys.clone();
        locked.map(|locked| Box::new(LockedBeside { locked, keys }) as Box<dyn Locked>)
    }
}

/// A locked order whose key is elsewhere.
struct LockedBeside<K> {
    locked: Box<dyn Locked>,
    keys: K,
}

impl<K: KeyStore> Locked for LockedBeside<K> {
    fn order(&self) -> &Arc<Order> {
        self.locked.order()
    }

    fn commit(self: Box<Self>, change: Change, completion: Option<Completion>) -> Reply<'static, Written> {
        Box::pin(async move {
            let written = self.locked.commit(change, None).await?;
            Ok(finish_after(&self.keys, written, completion).await)
        })
    }

    fn unlock(self: Box<Self>) -> Boxed<'static, ()> {
        self.locked.unlock()
    }
}

impl<K: KeyStore> Store for Beside<K> {
    fn load(&self, seeds: Seeds) -> Reply<'_, ()> {
        self.orders.load(seeds)
    }

    fn create(&self, order: Order, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(async move {
            let written = self.orders.create(order, None).await?;
            Ok(finish_after(&self.keys, written, completion).await)
        })
    }

    fn commit(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(async move {
            let written = self.orders.commit(change, None).await?;
            Ok(finish_after(&self.keys, written, completion).await)
        })
    }

    fn put(&self, change: Change) -> Reply<'_, Option<Arc<Order>>> {
        self.orders.put(change)
    }

    fn lock(&self, id: OrderId) -> Reply<'_, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let locked = self.orders.lock(id).await?;
            Ok(self.with_keys(locked))
        })
    }

    fn order(&self, id: OrderId) -> Reply<'_, Option<Arc<Order>>> {
        self.orders.order(id)
    }

    fn list(&self, viewer: Viewer, page: Page) -> Reply<'_, Vec<Listed>> {
        self.orders.list(viewer, page)
    }

    fn charges(&self, id: OrderId) -> Reply<'_, Option<Vec<Charge>>> {
        self.orders.charges(id)
    }

    fn events(&self, id: OrderId) -> Reply<'_, Option<Vec<Event>>> {
        self.orders.events(id)
    }

    fn restaurants(&self, ids: Vec<String>) -> Reply<'_, Vec<Restaurant>> {
        self.orders.restaurants(ids)
    }

    fn riders(&self, ids: Vec<String>) -> Reply<'_, Vec<Rider>> {
        self.orders.riders(ids)
    }

    fn claim(&self, lease: Lease, fingerprint: Fingerprint, now: Timestamp, until: Timestamp) -> Reply<'_, Claimed> {
        Box::pin(async move { self.keys.claim(&lease, &fingerprint, now, until).await })
    }

    fn settle(&self, completion: Completion) -> Reply<'_, ()> {
        Box::pin(async move { self.keys.finish(&completion).await })
    }

    fn release(&self, lease: Lease) -> Reply<'_, ()> {
        Box::pin(async move { self.keys.release(&lease).await })
    }
}

impl<K: KeyStore> Careless for Beside<K> {
    fn overwrite(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(async move {
            let written = self.orders.overwrite(change, None).await?;
            Ok(finish_after(&self.keys, written, completion).await)
        })
    }

    fn charge(&self, id: OrderId, charge: Charge) -> Reply<'_, ()> {
        self.orders.charge(id, charge)
    }

    fn lock_both<'a>(
        &'a self,
        order: OrderId,
        restaurant: &'a str,
        sequence: Sequence,
        gap: Boxed<'a, ()>,
    ) -> Reply<'a, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let locked = self.orders.lock_both(order, restaurant, sequence, gap).await?;
            Ok(self.with_keys(locked))
        })
    }

    fn recall(&self, lease: Lease, now: Timestamp) -> Reply<'_, Claimed> {
        Box::pin(async move { self.keys.recall(&lease, now).await })
    }

    fn remember(&self, completion: Completion, fingerprint: Fingerprint) -> Reply<'_, ()> {
        Box::pin(async move { self.keys.remember(&completion, &fingerprint).await })
    }
}
