//! What no sound service does to its database.

use jiff::Timestamp;

use super::super::super::idempotency::{Completion, Fingerprint, Lease};
use super::super::super::orders::{Charge, OrderId};
use super::super::super::transition::Change;
use super::super::{Boxed, Careless, Claimed, Locked, Reply, Sequence, StoreError, Written};
use super::rows::{charge_row, write_rows};
use super::{SqlStore, keys, locked_row};

impl SqlStore {
    /// `UPDATE … WHERE id = $6`, and nothing about the version: what an ORM's `save()` does.
    async fn save(&self, change: Change, completion: Option<Completion>) -> Result<Written, StoreError> {
        let mut transaction = self.database.begin().await?;
        let updated = transaction
            .execute(
                "UPDATE orders SET status = $1, rider = $2, version = $3, etag = $4, updated_at = $5 WHERE id = $6",
                vec![
                    change.order.status.into(),
                    change.order.rider.clone().into(),
                    change.order.version.into(),
                    change.order.tag.opaque().into(),
                    change.order.updated_at.into(),
                    change.order.id.into(),
                ],
            )
            .await?;
        if updated == 0 || !keys::finish(&mut *transaction, completion.as_ref()).await? {
            transaction.rollback().await;
            return Ok(if updated == 0 { Written::Conflict } else { Written::ClaimLost });
        }
        write_rows(&mut *transaction, change).await?;
        transaction.commit().await?;
        Ok(Written::Done)
    }
}

impl Careless for SqlStore {
    fn overwrite(&self, change: Change, completion: Option<Completion>) -> Reply<'_, Written> {
        Box::pin(self.save(change, completion))
    }

    fn charge(&self, id: OrderId, charge: Charge) -> Reply<'_, ()> {
        Box::pin(async move {
            let (statement, values) = charge_row(id, charge);
            self.database.execute(statement, values).await?;
            Ok(())
        })
    }

    fn lock_both<'a>(
        &'a self,
        order: OrderId,
        restaurant: &'a str,
        sequence: Sequence,
        gap: Boxed<'a, ()>,
    ) -> Reply<'a, Option<Box<dyn Locked>>> {
        Box::pin(async move {
            let mut transaction = self.database.begin_lazily().await?;
            let found = match sequence {
                Sequence::OrderFirst => {
                    let found = self.order_locked_by(&mut *transaction, order).await?;
                    gap.await;
                    transaction.query(self.database.lock_restaurant(), vec![restaurant.into()]).await?;
                    found
                }
                Sequence::RestaurantFirst => {
                    transaction.query(self.database.lock_restaurant(), vec![restaurant.into()]).await?;
                    gap.await;
                    self.order_locked_by(&mut *transaction, order).await?
                }
            };
            let locked = locked_row(transaction, found).await?;
            Ok(locked.map(|locked| Box::new(locked) as Box<dyn Locked>))
        })
    }

    fn recall(&self, lease: Lease, now: Timestamp) -> Reply<'_, Claimed> {
        Box::pin(async move { keys::recall(&*self.database, &lease, now).await })
    }

    fn remember(&self, completion: Completion, fingerprint: Fingerprint) -> Reply<'_, ()> {
        Box::pin(async move { keys::remember(&*self.database, &completion, &fingerprint).await })
    }
}
