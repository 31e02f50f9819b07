//! SQL that is said in more than one place.

/// The columns of an order, as [`Row::order`](super::Row::order) takes them, and then its place in the list.
macro_rules! select_orders {
    ($rest:expr) => {
        concat!(
            "SELECT o.id, o.customer, o.restaurant, r.name, o.rider, o.status, o.amount, o.version, o.etag, o.created_at, ",
            "o.updated_at, o.place FROM orders o JOIN restaurants r ON r.id = o.restaurant ",
            $rest
        )
    };
}

/// A page of orders: `$1` the place to start after, `$2` how many, `$3` their status or nothing; and whose.
macro_rules! list_orders {
    ($whose:literal) => {
        select_orders!(concat!(
            "WHERE o.place > $1 AND ($3 = '' OR o.status = $3) ",
            $whose,
            "ORDER BY o.place LIMIT $2"
        ))
    };
}

/// Adds what [`order_row`](super::order_row) has.
macro_rules! insert_order {
    () => {
        concat!(
            "INSERT INTO orders (id, customer, restaurant, rider, status, amount, version, etag, created_at, updated_at) ",
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        )
    };
}

pub(super) const INSERT_ORDER: &str = insert_order!();
pub(super) const INSERT_RIDER_UNLESS_KNOWN: &str =
    "INSERT INTO riders (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
