//! Orders in memory: one lock around plain tables, held for a few map operations and never across an await.
//!
//! That the lock makes every operation atomic is this store's private matter. The service above it relies on the
//! conditional write alone, as it has to with a database and several replicas.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::super::access::Viewer;
use super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider};
use super::super::seeds::Seeds;
use super::super::transition::Change;
use super::{Boxed, Claimed, Listed, Locked, Page, Reply, Store, StoreError, Written};

mod ages;
mod careless;
mod listing;
mod tables;
#[cfg(test)]
mod tests;

use tables::Tables;

/// The store that `serve` uses unless told otherwise.
#[derive(Debug)]
pub(in super::super) struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

/// An order whose turn it is.
struct LockedOrder {
    tables: Arc<Mutex<Tables>>,
    order: Arc<Order>,
    turn: OwnedMutexGuard<()>,
}

impl MemoryStore {
    /// An empty one, which forgets orders that nobody changed for as long as `retention`.
    pub(in super::super) fn new(retention: Option<Duration>) -> Self {
        Self { tables: Arc::new(Mutex::new(Tables::new(retention))) }
    }

    /// One critical section, done by the time this returns.
    fn atomically<T: Send + 'static>(&self, section: impl FnOnce(&mut Tables) -> T) -> Reply<'_, T> {
        Box::pin(ready(atomically(&self.tables, section)))
    }
}

fn atomically<T>(tables: &Mutex<Tables>, section: impl FnOnce(&mut Tables) -> T) -> Result<T, StoreError> {
    match tables.lock() {
        Ok(mut tables) => Ok(section(&mut tables)),
        Err(_) => Err(StoreError::HalfWritten),
    }
}

impl Locked for LockedOrder {
    fn order(&self) -> &Arc<Order> {
        &self.order
    }

    fn commit(self: Box<Self>, change: Change, completion: Option<Completion>) -> Reply<'static, Written> {
        let written = atomically(&self.tables, |tables| tables.commit(change, completion));
        drop(self.turn);
        Box::pin(ready(written))
    }

    fn unlock(self: Box<Self>) -> Boxed<'static, ()> {
        drop(self.turn);
        Box::pin(ready(()))
    }
}

impl Store for MemoryStore {
    fn load(&self, seeds: Seeds) -> Reply<'_, ()> {
        self.atomically(|tables| tables.load(seeds))
    }

    fn create(&self, order: Order, completion: Option<Completion>) -> Reply<'_, Written> {
        self.atomically(|tables| tables.create(order, completion))
    }

    fn commit(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        self.atomically(|tables| tables.commit(change, completion))
    }

    fn put(&self, change: Change) -> Reply<'_, Option<Arc<Order>>> {
        self.atomically(|tables| tables.put(change))
    }

    fn lock(&self, id: OrderId) -> Reply<'_, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let turn = atomically(&self.tables, |tables| tables.turn(id))?;
            let Some(turn) = turn else {
                return Ok(None);
            };
            let turn = turn.lock_owned().await;
            let order = atomically(&self.tables, |tables| tables.order(id))?;
            let tables = Arc::clone(&self.tables);
            Ok(order.map(|order| Box::new(LockedOrder { tables, order, turn }) as Box<dyn Locked>))
        })
    }

    fn order(&self, id: OrderId) -> Reply<'_, Option<Arc<Order>>> {
        self.atomically(|tables| tables.order(id))
    }

    fn list(&self, viewer: Viewer, page: Page) -> Reply<'_, Vec<Listed>> {
        self.atomically(|tables| tables.list(&viewer, page))
    }

    fn charges(&self, id: OrderId) -> Reply<'_, Option<Vec<Charge>>> {
        self.atomically(|tables| tables.charges(id))
    }

    fn events(&self, id: OrderId) -> Reply<'_, Option<Vec<Event>>> {
        self.atomically(|tables| tables.events(id))
    }

    fn restaurants(&self, ids: Vec<String>) -> Reply<'_, Vec<Restaurant>> {
        self.atomically(|tables| tables.restaurants(&ids))
    }

    fn riders(&self, ids: Vec<String>) -> Reply<'_, Vec<Rider>> {
        self.atomically(|tables| tables.riders(&ids))
    }

    fn claim(&self, lease: Lease, fingerprint: Fingerprint, now: Timestamp, until: Timestamp) -> Reply<'_, Claimed> {
        self.atomically(|tables| tables.keys().claim(lease, fingerprint, now, until))
    }

    fn settle(&self, completion: Completion) -> Reply<'_, ()> {
        self.atomically(|tables| tables.settle(completion))
    }

    fn release(&self, lease: Lease) -> Reply<'_, ()> {
        self.atomically(move |tables| tables.keys().release(&lease))
    }
}
