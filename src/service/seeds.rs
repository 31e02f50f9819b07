//! Something to look at in an empty store: `serve --seed-data N`.
//!
//! The same N always makes the same rows, and rows that are there already are left as they are: a service that starts
//! again on its store adds nothing.

use uuid::Uuid;

use super::etag::EntityTag;
use super::orders::{Minted, Order, OrderId, Restaurant, Rider, Status};

/// Rows to load.
#[derive(Clone, Debug)]
pub(super) struct Seeds {
    pub(super) restaurants: Vec<Restaurant>,
    pub(super) riders: Vec<Rider>,
    pub(super) orders: Vec<Order>,
}

/// The first half of a seeded order's id, which no random (version 4) id has.
const SEEDED: u128 = 0x5eed << 112;

impl Seeds {
    /// `count` restaurants, riders and fresh orders: the i-th order is `customer-i`'s at `restaurant-i`.
    pub(super) fn new(count: u32) -> Self {
        let Minted { at, .. } = Minted::now();
        let restaurant = |i| Restaurant { id: format!("restaurant-{i}"), name: format!("Restaurant {i}") };
        let order = |i: u32| {
            let Restaurant { id, name } = restaurant(i);
            Order {
                id: OrderId::new(Uuid::from_u128(SEEDED | u128::from(i))),
                customer: Some(format!("customer-{i}")),
                restaurant: id,
                restaurant_name: name,
                rider: None,
                status: Status::PendingPayment,
                amount: 1_000 + i64::from(i % 90) * 100,
                version: 1,
                created_at: at,
                updated_at: at,
                tag: EntityTag::strong(Uuid::new_v4().simple().to_string()),
            }
        };
        Self {
            restaurants: (1..=count).map(restaurant).collect(),
            riders: (1..=count).map(|i| Rider { id: format!("rider-{i}"), name: format!("Rider {i}") }).collect(),
            orders: (1..=count).map(order).collect(),
        }
    }
}
