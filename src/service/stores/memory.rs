//! Orders in memory: one lock around plain tables, held for a few map operations and never across an await.
//!
//! That the lock makes every operation atomic is this store's private matter. The service above it relies on the
//! conditional write alone, as it has to with a database and several replicas.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;

use super::super::access::Viewer;
use super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider};
use super::super::seeds::Seeds;
use super::super::transition::Change;
use super::key_table::KeyTable;
use super::{Boxed, Claimed, Listed, Locked, Page, Reply, Store, StoreError, Written};

mod careless;

/// One order's current version, and the rows that belong to it.
#[derive(Debug)]
struct Row {
    order: Arc<Order>,
    /// Held by whoever has locked the order.
    turn: Arc<tokio::sync::Mutex<()>>,
    charges: Vec<Charge>,
    events: Vec<Event>,
}

#[derive(Debug, Default)]
struct Tables {
    orders: HashMap<OrderId, Row>,
    /// In order of creation; the place in the list, counted from 1, is the cursor.
    listing: Vec<OrderId>,
    restaurants: HashMap<String, Restaurant>,
    riders: HashMap<String, Rider>,
    keys: KeyTable,
    /// Held by whoever has locked a restaurant, which only a mistake does.
    restaurant_turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

impl Tables {
    fn load(&mut self, seeds: Seeds) {
        for restaurant in seeds.restaurants {
            self.restaurants.entry(restaurant.id.clone()).or_insert(restaurant);
        }
        for rider in seeds.riders {
            self.riders.entry(rider.id.clone()).or_insert(rider);
        }
        for order in seeds.orders {
            if !self.orders.contains_key(&order.id) {
                self.create(order, None);
            }
        }
    }

    fn create(&mut self, order: Order, completion: Option<Completion>) -> Written {
        if !self.keys.allows(completion.as_ref()) {
            return Written::ClaimLost;
        }
        self.keys.finish(completion);
        self.listing.push(order.id);
        let row = Row { order: Arc::new(order), turn: Arc::default(), charges: Vec::new(), events: Vec::new() };
        self.orders.insert(row.order.id, row);
        Written::Done
    }

    fn commit(&mut self, change: Change, completion: Option<Completion>) -> Written {
        let current = self.orders.get(&change.order.id);
        if current.is_none_or(|row| row.order.version != change.expected_version) {
            return Written::Conflict;
        }
        self.overwrite(change, completion)
    }

    fn put(&mut self, change: Change) -> Option<Arc<Order>> {
        let found = self.orders.get(&change.order.id)?.order.version;
        let id = change.order.id;
        self.overwrite(change.numbered(found + 1), None);
        self.order(id)
    }

    fn overwrite(&mut self, change: Change, completion: Option<Completion>) -> Written {
        let Some(row) = self.orders.get_mut(&change.order.id) else {
            return Written::Conflict;
        };
        if !self.keys.allows(completion.as_ref()) {
            return Written::ClaimLost;
        }
        self.keys.finish(completion);
        row.order = Arc::new(change.order);
        row.events.extend(change.event);
        row.charges.extend(change.charge);
        if let Some(rider) = change.rider {
            self.riders.entry(rider.id.clone()).or_insert(rider);
        }
        Written::Done
    }

    fn order(&self, id: OrderId) -> Option<Arc<Order>> {
        self.orders.get(&id).map(|row| Arc::clone(&row.order))
    }

    fn list(&self, viewer: &Viewer, page: Page) -> Vec<Listed> {
        let skipped = usize::try_from(page.after).unwrap_or(usize::MAX);
        self.listing
            .iter()
            .zip(1..)
            .skip(skipped)
            .filter_map(|(id, place)| Some((place, self.order(*id)?)))
            .filter(|(_, order)| viewer.sees(order))
            .filter(|(_, order)| page.status.is_none_or(|status| order.status == status))
            .take(page.limit)
            .collect()
    }
}

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
    pub(in super::super) fn new() -> Self {
        let restaurants = Restaurant::seeded().into_iter().map(|known| (known.id.clone(), known)).collect();
        Self { tables: Arc::new(Mutex::new(Tables { restaurants, ..Tables::default() })) }
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
            let turn = atomically(&self.tables, |tables| tables.orders.get(&id).map(|row| Arc::clone(&row.turn)))?;
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
        self.atomically(|tables| tables.orders.get(&id).map(|row| row.charges.clone()))
    }

    fn events(&self, id: OrderId) -> Reply<'_, Option<Vec<Event>>> {
        self.atomically(|tables| tables.orders.get(&id).map(|row| row.events.clone()))
    }

    fn restaurants(&self, ids: Vec<String>) -> Reply<'_, Vec<Restaurant>> {
        self.atomically(|tables| ids.iter().filter_map(|id| tables.restaurants.get(id).cloned()).collect())
    }

    fn riders(&self, ids: Vec<String>) -> Reply<'_, Vec<Rider>> {
        self.atomically(|tables| ids.iter().filter_map(|id| tables.riders.get(id).cloned()).collect())
    }

    fn claim(&self, lease: Lease, fingerprint: Fingerprint, now: Timestamp, until: Timestamp) -> Reply<'_, Claimed> {
        self.atomically(|tables| tables.keys.claim(lease, fingerprint, now, until))
    }

    fn settle(&self, completion: Completion) -> Reply<'_, ()> {
        self.atomically(|tables| tables.keys.finish(Some(completion)))
    }

    fn release(&self, lease: Lease) -> Reply<'_, ()> {
        self.atomically(move |tables| tables.keys.release(&lease))
    }
}
