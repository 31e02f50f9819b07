//! What one transaction writes: an order's new version, and the rows that go with it.

use super::super::super::idempotency::Completion;
use super::super::super::orders::{Charge, Event, Order, OrderId};
use super::super::super::transition::Change;
use super::super::{StoreError, Written};
use super::statements::INSERT_RIDER_UNLESS_KNOWN;
use super::{Transaction, Value, keys};

/// Writes everything, or nothing.
pub(super) async fn update_and_end(
    mut transaction: Box<dyn Transaction>,
    change: Change,
    completion: Option<Completion>,
) -> Result<Written, StoreError> {
    let written = update_within(&mut *transaction, change, completion.as_ref()).await?;
    match written {
        Written::Done => transaction.commit().await?,
        Written::Conflict | Written::ClaimLost => transaction.rollback().await,
    }
    Ok(written)
}

pub(super) async fn update_within(
    transaction: &mut dyn Transaction,
    change: Change,
    completion: Option<&Completion>,
) -> Result<Written, StoreError> {
    let updated = transaction
        .execute(
            "UPDATE orders SET status = $1, rider = $2, version = $3, etag = $4, updated_at = $5 \
             WHERE id = $6 AND version = $7",
            vec![
                change.order.status.into(),
                change.order.rider.clone().into(),
                change.order.version.into(),
                change.order.tag.opaque().into(),
                change.order.updated_at.into(),
                change.order.id.into(),
                change.expected_version.into(),
            ],
        )
        .await?;
    if updated == 0 {
        return Ok(Written::Conflict);
    }
    if !keys::finish(transaction, completion).await? {
        return Ok(Written::ClaimLost);
    }
    write_rows(transaction, change).await?;
    Ok(Written::Done)
}

/// The rows that go with an order's new version.
pub(super) async fn write_rows(transaction: &mut dyn Transaction, change: Change) -> Result<(), StoreError> {
    let Change { order, event, charge, rider, .. } = change;
    if let Some(event) = event {
        let (statement, values) = event_row(order.id, event);
        transaction.execute(statement, values).await?;
    }
    if let Some(charge) = charge {
        let (statement, values) = charge_row(order.id, charge);
        transaction.execute(statement, values).await?;
    }
    if let Some(rider) = rider {
        transaction.execute(INSERT_RIDER_UNLESS_KNOWN, vec![rider.id.into(), rider.name.into()]).await?;
    }
    Ok(())
}

pub(super) fn order_row(order: Order) -> Vec<Value> {
    vec![
        order.id.into(),
        order.customer.into(),
        order.restaurant.into(),
        order.rider.into(),
        order.status.into(),
        order.amount.into(),
        order.version.into(),
        order.tag.opaque().into(),
        order.created_at.into(),
        order.updated_at.into(),
    ]
}

pub(super) fn event_row(order: OrderId, event: Event) -> (&'static str, Vec<Value>) {
    let insert = "INSERT INTO events (order_id, action, actor, from_status, to_status, version, at, reason) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let Event { action, actor, from, to, version, at, reason } = event;
    let action = action.name();
    let values = vec![
        order.into(),
        action.into(),
        actor.into(),
        from.into(),
        to.into(),
        version.into(),
        at.into(),
        reason.into(),
    ];
    (insert, values)
}

pub(super) fn charge_row(order: OrderId, charge: Charge) -> (&'static str, Vec<Value>) {
    let insert = "INSERT INTO charges (order_id, id, amount, payment_method, created_at) VALUES ($1, $2, $3, $4, $5)";
    let Charge { id, amount, payment_method, created_at } = charge;
    (insert, vec![order.into(), id.into(), amount.into(), payment_method.into(), created_at.into()])
}
