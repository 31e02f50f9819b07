//! The tables themselves, and what each critical section does to them.
//!
//! With a retention, every write also forgets a few orders whose time is over, each with all that belongs to it and in one
//! step: more than it adds, so that the tables stay as large as what is placed and changed in that time, and few enough that no
//! request waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::super::super::access::Viewer;
use super::super::super::idempotency::{CallerKey, Completion, Fingerprint, after};
use super::super::super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider};
use super::super::super::seeds::Seeds;
use super::super::super::transition::Change;
use super::super::key_table::KeyTable;
use super::super::sharded::Sharded;
use super::super::{Listed, Page, Written};
use super::ages::Ages;
use super::listing::Listing;

/// How many orders one write looks at, to forget them. Each write adds one at most.
const LOOKED_AT_PER_WRITE: usize = 4;

/// What one may wait for its turn at.
type Turn = Arc<tokio::sync::Mutex<()>>;

/// One order's current version, and the rows that belong to it.
#[derive(Debug)]
struct Row {
    order: Arc<Order>,
    /// Its number in order of creation, counted from 1: the cursor of a list.
    place: u64,
    changed: Instant,
    /// Held by whoever has locked the order.
    turn: Turn,
    charges: Vec<Charge>,
    events: Vec<Event>,
    /// The keys whose answers tell of it.
    keys: Vec<Arc<CallerKey>>,
}

impl Row {
    /// Whether a request has it in hand: the order as it is now, or its lock. (Which had an earlier version in hand was there
    /// when that was changed, and no request lasts as long as an order is kept.)
    fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.order) > 1 || Arc::strong_count(&self.turn) > 1
    }
}

/// A rider, and how many orders name them.
#[derive(Debug)]
struct Carrier {
    rider: Rider,
    orders: usize,
    /// Was loaded at start, and is there whether or not an order names them.
    stays: bool,
}

#[derive(Debug)]
pub(super) struct Tables {
    orders: Sharded<OrderId, Row>,
    placed: u64,
    listing: Listing,
    restaurants: HashMap<String, Restaurant>,
    riders: Sharded<String, Carrier>,
    keys: KeyTable,
    /// None: nothing is forgotten.
    ages: Option<Ages>,
    /// Held by whoever has locked a restaurant, which only a mistake does.
    restaurant_turns: HashMap<String, Turn>,
}

impl Tables {
    pub(super) fn new(retention: Option<Duration>) -> Self {
        Self {
            orders: Sharded::default(),
            placed: 0,
            listing: Listing::default(),
            restaurants: Restaurant::seeded().into_iter().map(|known| (known.id.clone(), known)).collect(),
            riders: Sharded::default(),
            keys: KeyTable::default(),
            ages: retention.map(Ages::new),
            restaurant_turns: HashMap::new(),
        }
    }

    pub(super) fn load(&mut self, seeds: Seeds) {
        for restaurant in seeds.restaurants {
            self.restaurants.entry(restaurant.id.clone()).or_insert(restaurant);
        }
        for rider in seeds.riders {
            meet(&mut self.riders, rider, true);
        }
        for order in seeds.orders {
            if !self.orders.contains_key(&order.id) {
                self.create(order, None);
            }
        }
    }

    pub(super) fn create(&mut self, order: Order, completion: Option<Completion>) -> Written {
        if !self.keys.allows(completion.as_ref()) {
            return Written::ClaimLost;
        }
        let (id, now) = (order.id, self.forget_some());
        let keys = completion.iter().map(|completion| Arc::clone(&completion.lease.key)).collect();
        self.keys.finish(completion.map(|completion| Completion { order: Some(id), ..completion }));
        self.placed += 1;
        self.listing.add(self.placed, &order);
        if let Some(ages) = &mut self.ages {
            ages.add(id, now);
        }
        let row = Row {
            order: Arc::new(order),
            place: self.placed,
            changed: now,
            turn: Turn::default(),
            charges: Vec::new(),
            events: Vec::new(),
            keys,
        };
        self.orders.insert(id, row);
        Written::Done
    }

    pub(super) fn commit(&mut self, change: Change, completion: Option<Completion>) -> Written {
        let current = self.orders.get(&change.order.id);
        if current.is_none_or(|row| row.order.version != change.expected_version) {
            return Written::Conflict;
        }
        self.overwrite(change, completion)
    }

    pub(super) fn put(&mut self, change: Change) -> Option<Arc<Order>> {
        let found = self.orders.get(&change.order.id)?.order.version;
        let id = change.order.id;
        self.overwrite(change.numbered(found + 1), None);
        self.order(id)
    }

    /// What is written to is not forgotten meanwhile: whoever writes has the order in hand, and it is changed before others are
    /// looked at.
    pub(super) fn overwrite(&mut self, change: Change, completion: Option<Completion>) -> Written {
        let Some(row) = self.orders.get_mut(&change.order.id) else {
            return Written::Conflict;
        };
        if !self.keys.allows(completion.as_ref()) {
            return Written::ClaimLost;
        }
        row.keys.extend(completion.iter().map(|completion| Arc::clone(&completion.lease.key)));
        self.keys.finish(completion);
        row.changed = Instant::now();
        self.listing.replace(row.place, &row.order, &change.order);
        if let Some(rider) = change.rider {
            meet(&mut self.riders, rider, false);
        }
        if row.order.rider != change.order.rider {
            count(&mut self.riders, row.order.rider.as_ref(), |orders| orders.saturating_sub(1));
            count(&mut self.riders, change.order.rider.as_ref(), |orders| orders + 1);
        }
        row.order = Arc::new(change.order);
        row.events.extend(change.event);
        row.charges.extend(change.charge);
        self.forget_some();
        Written::Done
    }

    pub(super) fn charge(&mut self, id: OrderId, charge: Charge) {
        if let Some(row) = self.orders.get_mut(&id) {
            row.charges.push(charge);
        }
    }

    /// Keeps an answer that has no effect beside it as long as the order that it tells of.
    pub(super) fn settle(&mut self, completion: Completion) {
        match completion.order.and_then(|id| self.orders.get_mut(&id)) {
            Some(row) => row.keys.push(Arc::clone(&completion.lease.key)),
            None => return self.keys.finish(Some(self.for_retention(completion))),
        }
        self.keys.finish(Some(completion));
    }

    pub(super) fn remember(&mut self, completion: Completion, fingerprint: Fingerprint) {
        self.keys.remember(self.for_retention(completion), fingerprint);
    }

    /// An answer that no order takes along when it is forgotten is kept no longer than one.
    fn for_retention(&self, completion: Completion) -> Completion {
        let Some(ages) = &self.ages else { return completion };
        let keep_until = completion.keep_until.min(after(Timestamp::now(), ages.kept()));
        Completion { keep_until, order: None, ..completion }
    }

    pub(super) fn order(&self, id: OrderId) -> Option<Arc<Order>> {
        self.orders.get(&id).map(|row| Arc::clone(&row.order))
    }

    pub(super) fn turn(&self, id: OrderId) -> Option<Turn> {
        self.orders.get(&id).map(|row| Arc::clone(&row.turn))
    }

    pub(super) fn charges(&self, id: OrderId) -> Option<Vec<Charge>> {
        self.orders.get(&id).map(|row| row.charges.clone())
    }

    pub(super) fn events(&self, id: OrderId) -> Option<Vec<Event>> {
        self.orders.get(&id).map(|row| row.events.clone())
    }

    pub(super) fn list(&self, viewer: &Viewer, page: Page) -> Vec<Listed> {
        self.listing.page(viewer, page).filter_map(|(place, id)| Some((place, self.order(id)?))).collect()
    }

    pub(super) fn restaurants(&self, ids: &[String]) -> Vec<Restaurant> {
        ids.iter().filter_map(|id| self.restaurants.get(id).cloned()).collect()
    }

    pub(super) fn riders(&self, ids: &[String]) -> Vec<Rider> {
        ids.iter().filter_map(|id| self.riders.get(id)).map(|carrier| carrier.rider.clone()).collect()
    }

    pub(super) fn restaurant_turn(&mut self, id: &str) -> Turn {
        Arc::clone(self.restaurant_turns.entry(id.to_owned()).or_default())
    }

    pub(super) const fn keys(&mut self) -> &mut KeyTable {
        &mut self.keys
    }

    /// How many orders, keys and riders there are.
    #[cfg(test)]
    pub(super) fn counted(&self) -> [usize; 3] {
        [self.orders.len(), self.keys.len(), self.riders.len()]
    }

    /// Looks at a few of the orders that were placed or last looked at long ago. Returns the time of it.
    fn forget_some(&mut self) -> Instant {
        let now = Instant::now();
        for _ in 0..LOOKED_AT_PER_WRITE {
            let Some(ages) = &mut self.ages else { break };
            let Some(id) = ages.take_due(now) else { break };
            match self.orders.get(&id) {
                Some(row) if row.is_in_use() => ages.add(id, now),
                Some(row) if !ages.is_over(row.changed, now) => ages.add(id, row.changed),
                Some(_) => self.forget(id),
                None => {}
            }
        }
        now
    }

    fn forget(&mut self, id: OrderId) {
        let Some(row) = self.orders.remove(&id) else { return };
        self.listing.remove(row.place, &row.order);
        for key in &row.keys {
            self.keys.forget(key, id);
        }
        if let Some(rider) = &row.order.rider {
            count(&mut self.riders, Some(rider), |orders| orders.saturating_sub(1));
            if self.riders.get(rider).is_some_and(|carrier| carrier.orders == 0 && !carrier.stays) {
                self.riders.remove(rider);
            }
        }
    }
}

/// Adds a rider whom nobody knew.
fn meet(riders: &mut Sharded<String, Carrier>, rider: Rider, stays: bool) {
    if !riders.contains_key(&rider.id) {
        riders.insert(rider.id.clone(), Carrier { rider, orders: 0, stays });
    }
}

fn count(riders: &mut Sharded<String, Carrier>, id: Option<&String>, counted: impl Fn(usize) -> usize) {
    if let Some(carrier) = id.and_then(|id| riders.get_mut(id)) {
        carrier.orders = counted(carrier.orders);
    }
}
