//! Orders in an SQL database. Everything here is the same for all of them; what differs stands in [`sqlite`] and
//! [`postgres`].
//!
//! ```text
//! one     BEGIN  UPDATE … WHERE id = X AND version = 7: 1 row    key, event, charge    COMMIT      200
//! other       BEGIN  UPDATE … WHERE id = X AND version = 7 ┄┄┄┄┄ waits for one's row ┄┄┄┄┄ 0 rows  412
//! ```
//!
//! `READ COMMITTED` suffices: the `UPDATE` that waited looks at its `WHERE` again on the row as it was committed. Every
//! transaction takes its rows in one order (order, key, rider), so that no two wait for each other.

use std::sync::Arc;

use jiff::Timestamp;

use super::super::access::Viewer;
use super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::orders::{Charge, Event, Order, OrderId, Restaurant, Rider, Status};
use super::super::seeds::Seeds;
use super::super::transition::Change;
use super::{Boxed, Claimed, Listed, Locked, Page, Reply, Store, StoreError, Written};
use keys::Broom;
use rows::{order_row, update_and_end, write_rows};
use statements::{INSERT_ORDER, INSERT_RIDER_UNLESS_KNOWN};
use value::{Row, Value, joined, json_list, named};

#[macro_use]
mod statements;
mod careless;
mod keys;
pub(super) mod postgres;
mod rows;
pub(super) mod sqlite;
mod value;

/// A database, as far as a store needs to know it. Statements have their parameters as `$1`, `$2` …, which both read.
trait Database: Send + Sync {
    /// One statement, committed by itself. Returns how many rows it wrote.
    fn execute(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, u64>;

    /// One statement that only reads.
    fn query(&self, statement: &'static str, values: Vec<Value>) -> Reply<'_, Vec<Row>>;

    /// Begins a transaction that writes. Dropped without a commit, it never was.
    fn begin(&self) -> Reply<'_, Box<dyn Transaction>>;

    /// Begins a transaction that asks for a lock when it comes to need it.
    fn begin_lazily(&self) -> Reply<'_, Box<dyn Transaction>>;

    /// Selects the restaurant whose id is `$1` and locks it until the end of the transaction.
    fn lock_restaurant(&self) -> &'static str;

    /// Selects the order whose id is `$1` and locks it until the end of the transaction.
    fn lock_order(&self) -> &'static str;

    /// Selects `id, name` of those restaurants whose ids are in the JSON list `$1`.
    fn restaurants_among(&self) -> &'static str;

    /// The same of riders.
    fn riders_among(&self) -> &'static str;
}

/// Several statements that are one.
trait Transaction: Send {
    fn execute(&mut self, statement: &'static str, values: Vec<Value>) -> Reply<'_, u64>;
    fn query(&mut self, statement: &'static str, values: Vec<Value>) -> Reply<'_, Vec<Row>>;
    /// Whoever hears `Ok` hears it after the database has said that the transaction is durable.
    fn commit(self: Box<Self>) -> Reply<'static, ()>;
    /// Undoes everything, and returns when the rows are free again. If that fails, the connection is thrown away, and
    /// the database undoes it.
    fn rollback(self: Box<Self>) -> Boxed<'static, ()>;
}

/// A store on a database.
pub(in super::super) struct SqlStore {
    database: Box<dyn Database>,
    broom: Broom,
}

/// A transaction that has locked an order.
struct LockedRow {
    transaction: Box<dyn Transaction>,
    order: Arc<Order>,
}

impl SqlStore {
    fn on(database: impl Database + 'static) -> Self {
        Self { database: Box::new(database), broom: Broom::new(Timestamp::now()) }
    }

    async fn insert(&self, order: Order, completion: Option<Completion>) -> Result<Written, StoreError> {
        let mut transaction = self.database.begin().await?;
        if !keys::finish(&mut *transaction, completion.as_ref()).await? {
            transaction.rollback().await;
            return Ok(Written::ClaimLost);
        }
        transaction.execute(INSERT_ORDER, order_row(order)).await?;
        transaction.commit().await?;
        Ok(Written::Done)
    }

    async fn load_all(&self, seeds: Seeds) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let unless_known = "INSERT INTO restaurants (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
        for Restaurant { id, name } in seeds.restaurants {
            transaction.execute(unless_known, vec![id.into(), name.into()]).await?;
        }
        for Rider { id, name } in seeds.riders {
            transaction.execute(INSERT_RIDER_UNLESS_KNOWN, vec![id.into(), name.into()]).await?;
        }
        for order in seeds.orders {
            let unless_known = concat!(insert_order!(), " ON CONFLICT (id) DO NOTHING");
            transaction.execute(unless_known, order_row(order)).await?;
        }
        transaction.commit().await
    }

    /// The conditional write: the comparison is part of the `UPDATE`, and everything else hangs on its one row.
    async fn update(&self, change: Change, completion: Option<Completion>) -> Result<Written, StoreError> {
        let transaction = self.database.begin().await?;
        update_and_end(transaction, change, completion).await
    }

    async fn select_for_update(&self, id: OrderId) -> Result<Option<LockedRow>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let order = self.order_locked_by(&mut *transaction, id).await?;
        locked_row(transaction, order).await
    }

    async fn order_locked_by(
        &self,
        transaction: &mut dyn Transaction,
        id: OrderId,
    ) -> Result<Option<Order>, StoreError> {
        let found = transaction.query(self.database.lock_order(), vec![id.into()]).await?;
        found.into_iter().next().map(|mut row| row.order()).transpose()
    }

    /// V1's write: no condition, and the version is counted by the database.
    async fn put_unconditionally(&self, change: Change) -> Result<Option<Arc<Order>>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let updated = transaction
            .query(
                "UPDATE orders SET status = $1, rider = $2, version = version + 1, etag = $3, updated_at = $4 \
                 WHERE id = $5 RETURNING version",
                vec![
                    change.order.status.into(),
                    change.order.rider.clone().into(),
                    change.order.tag.opaque().into(),
                    change.order.updated_at.into(),
                    change.order.id.into(),
                ],
            )
            .await?;
        let Some(mut row) = updated.into_iter().next() else {
            transaction.rollback().await;
            return Ok(None);
        };
        let change = change.numbered(row.count()?);
        let order = Arc::new(change.order.clone());
        write_rows(&mut *transaction, change).await?;
        transaction.commit().await?;
        Ok(Some(order))
    }

    async fn page(&self, viewer: Viewer, page: Page) -> Result<Vec<Listed>, StoreError> {
        let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
        let status = page.status.map_or("", Status::name);
        let mut values = vec![page.after.into(), limit.into(), status.into()];
        let (statement, whose) = match viewer {
            Viewer::Everyone => (list_orders!(""), None),
            Viewer::Customer(name) => (list_orders!("AND o.customer = $4 "), Some(name)),
            Viewer::Restaurant(id) => (list_orders!("AND o.restaurant = $4 "), Some(id)),
            Viewer::Rider(name) => (list_orders!("AND (o.rider IS NULL OR o.rider = $4) "), Some(name)),
        };
        values.extend(whose.map(Value::Text));
        let rows = self.database.query(statement, values).await?;
        rows.into_iter()
            .map(|mut row| {
                let order = row.order()?;
                Ok((row.count()?, Arc::new(order)))
            })
            .collect()
    }
}

/// A transaction that has locked `order`; the end of it, if there is none.
async fn locked_row(transaction: Box<dyn Transaction>, order: Option<Order>) -> Result<Option<LockedRow>, StoreError> {
    if let Some(order) = order {
        return Ok(Some(LockedRow { transaction, order: Arc::new(order) }));
    }
    transaction.rollback().await;
    Ok(None)
}

impl Locked for LockedRow {
    fn order(&self) -> &Arc<Order> {
        &self.order
    }

    fn commit(self: Box<Self>, change: Change, completion: Option<Completion>) -> Reply<'static, Written> {
        Box::pin(update_and_end(self.transaction, change, completion))
    }

    fn unlock(self: Box<Self>) -> Boxed<'static, ()> {
        self.transaction.rollback()
    }
}

impl Store for SqlStore {
    fn load(&self, seeds: Seeds) -> Reply<'_, ()> {
        Box::pin(self.load_all(seeds))
    }

    fn create(&self, order: Order, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(self.insert(order, completion))
    }

    fn commit(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(self.update(change, completion))
    }

    fn put(&self, change: Change) -> Reply<'_, Option<Arc<Order>>> {
        Box::pin(self.put_unconditionally(change))
    }

    fn lock(&self, id: OrderId) -> Reply<'_, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let locked = self.select_for_update(id).await?;
            Ok(locked.map(|locked| Box::new(locked) as Box<dyn Locked>))
        })
    }

    fn order(&self, id: OrderId) -> Reply<'_, Option<Arc<Order>>> {
        Box::pin(async move {
            let found = self.database.query(select_orders!("WHERE o.id = $1"), vec![id.into()]).await?;
            found.into_iter().next().map(|mut row| row.order().map(Arc::new)).transpose()
        })
    }

    fn list(&self, viewer: Viewer, page: Page) -> Reply<'_, Vec<Listed>> {
        Box::pin(self.page(viewer, page))
    }

    fn charges(&self, id: OrderId) -> Reply<'_, Option<Vec<Charge>>> {
        Box::pin(async move {
            let ledger = "SELECT c.id, c.amount, c.payment_method, c.created_at FROM orders o \
                          LEFT JOIN charges c ON c.order_id = o.id WHERE o.id = $1 ORDER BY c.seq";
            joined(self.database.query(ledger, vec![id.into()]).await?, Row::charge)
        })
    }

    fn events(&self, id: OrderId) -> Reply<'_, Option<Vec<Event>>> {
        Box::pin(async move {
            let history = "SELECT e.action, e.actor, e.from_status, e.to_status, e.version, e.at, e.reason \
                           FROM orders o LEFT JOIN events e ON e.order_id = o.id WHERE o.id = $1 ORDER BY e.seq";
            joined(self.database.query(history, vec![id.into()]).await?, Row::event)
        })
    }

    fn restaurants(&self, ids: Vec<String>) -> Reply<'_, Vec<Restaurant>> {
        Box::pin(async move {
            let rows = self.database.query(self.database.restaurants_among(), vec![json_list(&ids)]).await?;
            named(rows, |id, name| Restaurant { id, name })
        })
    }

    fn riders(&self, ids: Vec<String>) -> Reply<'_, Vec<Rider>> {
        Box::pin(async move {
            let rows = self.database.query(self.database.riders_among(), vec![json_list(&ids)]).await?;
            named(rows, |id, name| Rider { id, name })
        })
    }

    fn claim(&self, lease: Lease, fingerprint: Fingerprint, now: Timestamp, until: Timestamp) -> Reply<'_, Claimed> {
        Box::pin(async move {
            let claimed = keys::claim(&*self.database, &lease, &fingerprint, now, until).await?;
            self.broom.sweep(&*self.database, now).await;
            Ok(claimed)
        })
    }

    fn settle(&self, completion: Completion) -> Reply<'_, ()> {
        Box::pin(async move {
            let mut transaction = self.database.begin().await?;
            keys::finish(&mut *transaction, Some(&completion)).await?;
            transaction.commit().await
        })
    }

    fn release(&self, lease: Lease) -> Reply<'_, ()> {
        Box::pin(async move { keys::release(&*self.database, &lease).await })
    }
}
