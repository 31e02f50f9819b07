//! The lists of orders: for each of those who may ask, and by status, so that a page costs what it shows and not what it
//! leaves out.

use std::collections::{BTreeMap, HashMap};
use std::iter::from_fn;

use super::super::super::access::Viewer;
use super::super::super::orders::{Order, OrderId, Status};
use super::super::Page;

/// Orders by place: their number in order of creation.
type Places = BTreeMap<u64, OrderId>;

/// The orders that one kind of asker sees, by status: a handful of lists at most.
#[derive(Debug, Default)]
struct Shelf(Vec<(Status, Places)>);

impl Shelf {
    fn add(&mut self, status: Status, place: u64, id: OrderId) {
        let index = self.0.iter().position(|(known, _)| *known == status).unwrap_or_else(|| {
            self.0.push((status, Places::new()));
            self.0.len() - 1
        });
        self.0[index].1.insert(place, id);
    }

    fn remove(&mut self, status: Status, place: u64) {
        if let Some((_, places)) = self.0.iter_mut().find(|(known, _)| *known == status) {
            places.remove(&place);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, places)| places.is_empty())
    }

    fn of(&self, status: Option<Status>) -> impl Iterator<Item = &Places> {
        self.0.iter().filter(move |(known, _)| status.is_none_or(|status| *known == status)).map(|(_, places)| places)
    }
}

/// Shelves that have a name. One that becomes empty is taken down.
#[derive(Debug, Default)]
struct Named(HashMap<String, Shelf>);

impl Named {
    fn add(&mut self, name: &str, status: Status, place: u64, id: OrderId) {
        match self.0.get_mut(name) {
            Some(known) => known.add(status, place, id),
            None => self.0.entry(name.to_owned()).or_default().add(status, place, id),
        }
    }

    fn remove(&mut self, name: &str, status: Status, place: u64) {
        if let Some(shelf) = self.0.get_mut(name) {
            shelf.remove(status, place);
            if shelf.is_empty() {
                self.0.remove(name);
            }
        }
    }
}

/// What [`Viewer::sees`] says of every order, kept ready.
#[derive(Debug, Default)]
pub(super) struct Listing {
    everyones: Shelf,
    customers: Named,
    restaurants: Named,
    riders: Named,
    /// What nobody carries yet is for all riders to see.
    riderless: Shelf,
}

impl Listing {
    /// Lists an order that is not listed.
    pub(super) fn add(&mut self, place: u64, order: &Order) {
        let Order { id, status, .. } = *order;
        self.everyones.add(status, place, id);
        self.restaurants.add(&order.restaurant, status, place, id);
        if let Some(customer) = &order.customer {
            self.customers.add(customer, status, place, id);
        }
        match &order.rider {
            Some(rider) => self.riders.add(rider, status, place, id),
            None => self.riderless.add(status, place, id),
        }
    }

    /// Takes an order off the lists, which is as it was when it was added.
    pub(super) fn remove(&mut self, place: u64, order: &Order) {
        let status = order.status;
        self.everyones.remove(status, place);
        self.restaurants.remove(&order.restaurant, status, place);
        if let Some(customer) = &order.customer {
            self.customers.remove(customer, status, place);
        }
        match &order.rider {
            Some(rider) => self.riders.remove(rider, status, place),
            None => self.riderless.remove(status, place),
        }
    }

    /// Lists an order as it has become.
    pub(super) fn replace(&mut self, place: u64, old: &Order, new: &Order) {
        if (old.status, &old.rider, &old.customer, &old.restaurant)
            != (new.status, &new.rider, &new.customer, &new.restaurant)
        {
            self.remove(place, old);
            self.add(place, new);
        }
    }

    /// The orders of a page, oldest first.
    pub(super) fn page(&self, viewer: &Viewer, page: Page) -> impl Iterator<Item = (u64, OrderId)> {
        let mut lists: Vec<_> = (self.shelves(viewer).into_iter().flatten())
            .flat_map(|shelf| shelf.of(page.status))
            .map(|places| places.range(page.after.saturating_add(1)..).peekable())
            .collect();
        // Each order is in one of the lists: the first of all is the first of one.
        let next = move || {
            let lists = lists.iter_mut().filter_map(|list| Some((*list.peek()?.0, list)));
            let (_, first) = lists.min_by_key(|(place, _)| *place)?;
            first.next().map(|(place, id)| (*place, *id))
        };
        from_fn(next).take(page.limit)
    }

    fn shelves(&self, viewer: &Viewer) -> [Option<&Shelf>; 2] {
        match viewer {
            Viewer::Everyone => [Some(&self.everyones), None],
            Viewer::Customer(name) => [self.customers.0.get(name), None],
            Viewer::Restaurant(id) => [self.restaurants.0.get(id), None],
            Viewer::Rider(name) => [Some(&self.riderless), self.riders.0.get(name)],
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::super::super::etag::EntityTag;
    use super::*;
    use crate::seed::{Dice, Seed};

    fn order(number: u128, customer: Option<&str>, restaurant: &str, rider: Option<&str>, status: Status) -> Order {
        Order {
            id: OrderId::new(Uuid::from_u128(number)),
            customer: customer.map(str::to_owned),
            restaurant: restaurant.to_owned(),
            restaurant_name: restaurant.to_owned(),
            rider: rider.map(str::to_owned),
            status,
            amount: 100,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            tag: EntityTag::strong("one".to_owned()),
        }
    }

    fn some_order(number: u128, dice: &mut Dice) -> Order {
        let mut one_of = |names: [Option<&'static str>; 3]| names[dice.below(3)];
        let customer = one_of([None, Some("ann"), Some("bea")]);
        let restaurant = one_of([Some("trattoria"), Some("sushi"), Some("tacos")]).unwrap();
        let rider = one_of([None, Some("rob"), Some("ria")]);
        let status = Status::ALL[dice.below(9)];
        order(number, customer, restaurant, rider, status)
    }

    /// The slow obvious version: all orders, filtered.
    fn filtered(orders: &BTreeMap<u64, Order>, viewer: &Viewer, page: Page) -> Vec<(u64, OrderId)> {
        (orders.iter().filter(|(place, _)| **place > page.after))
            .filter(|(_, order)| viewer.sees(order) && page.status.is_none_or(|status| order.status == status))
            .map(|(place, order)| (*place, order.id))
            .take(page.limit)
            .collect()
    }

    fn check(listing: &Listing, orders: &BTreeMap<u64, Order>) {
        let mut viewers = vec![Viewer::Everyone];
        viewers.extend(["ann", "bea", "cem"].map(|name| Viewer::Customer(name.to_owned())));
        viewers.extend(["trattoria", "sushi", "none"].map(|name| Viewer::Restaurant(name.to_owned())));
        viewers.extend(["rob", "ria", "rex"].map(|name| Viewer::Rider(name.to_owned())));
        for viewer in &viewers {
            for status in Status::ALL.map(Some).into_iter().chain([None]) {
                for (after, limit) in [(0, 7), (0, 1000), (40, 20), (u64::MAX, 5)] {
                    let page = Page { status, after, limit };
                    let listed: Vec<_> = listing.page(viewer, page).collect();
                    assert_eq!(listed, filtered(orders, viewer, page), "{viewer:?} {page:?}");
                }
            }
        }
    }

    #[test]
    fn a_page_is_what_filtering_all_orders_gives() {
        let mut dice = Seed::new(3).dice();
        let (mut listing, mut orders) = (Listing::default(), BTreeMap::new());
        for place in 1..=120 {
            let order = some_order(place.into(), &mut dice);
            listing.add(place, &order);
            orders.insert(place, order);
        }
        check(&listing, &orders);
        for place in 1..=120 {
            let old = orders.remove(&place).unwrap();
            listing.remove(place, &old);
            if dice.below(3) > 0 {
                let new = some_order(place.into(), &mut dice);
                listing.add(place, &old);
                listing.replace(place, &old, &new);
                orders.insert(place, new);
            }
        }
        check(&listing, &orders);
    }

    #[test]
    fn a_shelf_that_becomes_empty_is_taken_down() {
        let mut listing = Listing::default();
        let placed = order(1, Some("ann"), "trattoria", Some("rob"), Status::InTransit);
        listing.add(1, &placed);
        listing.remove(1, &placed);
        for named in [listing.customers, listing.restaurants, listing.riders] {
            assert!(named.0.is_empty());
        }
    }
}
