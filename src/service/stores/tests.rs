//! What every store promises, told once. (PostgreSQL keeps the same promises in `tests/order_service`.)

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::answer::Answer;
use super::super::etag::{Preconditions, TagList};
use super::super::idempotency::{CallerKey, Completion, Lease};
use super::super::identity::Principal;
use super::super::orders::{Minted, Order, OrderId, Status};
use super::super::transition::{Change, Command, Rules, plan};
use super::{Careless, StoreChoice, Written};

struct Kept {
    store: Arc<dyn Careless>,
    order: Arc<Order>,
    _folder: TempDir,
}

/// Each kind of store that needs nothing but this machine, with one order in it.
async fn stores() -> Vec<Kept> {
    let mut all = Vec::new();
    for kind in ["memory", "sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        let choice = match kind {
            "memory" => StoreChoice::Memory,
            _ => StoreChoice::Sqlite(folder.path().join("orders.db")),
        };
        let store = choice.open(None).await.unwrap();
        let Minted { at, tag, id } = Minted::now();
        let order = Order {
            id: OrderId::new(id),
            customer: None,
            restaurant: "trattoria-roma".to_owned(),
            restaurant_name: "Trattoria Roma".to_owned(),
            rider: None,
            status: Status::PendingPayment,
            amount: 100,
            version: 1,
            created_at: at,
            updated_at: at,
            tag,
        };
        store.create(order.clone(), None).await.unwrap();
        all.push(Kept { store, order: Arc::new(order), _folder: folder });
    }
    all
}

fn payment(order: &Order) -> Change {
    let command = Command::Pay { method: "card".to_owned(), amount: order.amount };
    let any = Preconditions { if_match: Some(TagList::Any), if_none_match: None };
    plan(&Rules::SOUND, order, &command, &any, &Principal::Anonymous, Minted::now()).unwrap()
}

#[tokio::test]
async fn of_two_changes_planned_on_one_version_one_is_written_whole_and_one_not_at_all() {
    for Kept { store, order, _folder } in stores().await {
        let (one, other) = (payment(&order), payment(&order));
        assert_eq!(store.commit(one, None).await, Ok(Written::Done));
        assert_eq!(store.commit(other, None).await, Ok(Written::Conflict));
        assert_eq!(store.charges(order.id).await.unwrap().unwrap().len(), 1);
        assert_eq!(store.events(order.id).await.unwrap().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_change_under_a_lost_claim_is_not_written() {
    for Kept { store, order, _folder } in stores().await {
        let change = payment(&order);
        let lost = Completion {
            lease: Lease { key: Arc::new(CallerKey::new("anonymous", "k")), token: Uuid::nil() },
            answer: Answer::to_change(&change),
            keep_until: Timestamp::MAX,
            order: None,
        };
        assert_eq!(store.commit(change, Some(lost)).await, Ok(Written::ClaimLost));
        assert_eq!(store.order(order.id).await.unwrap().unwrap().version, 1);
        assert!(store.charges(order.id).await.unwrap().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_v1_write_takes_the_version_above_the_one_it_finds() {
    for Kept { store, order, _folder } in stores().await {
        store.commit(payment(&order), None).await.unwrap();
        let late = store.put(payment(&order)).await.unwrap().unwrap();
        assert_eq!(late.version, 3);
        let events = store.events(order.id).await.unwrap().unwrap();
        assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [2, 3]);
    }
}

#[tokio::test]
async fn a_locked_order_is_anothers_when_it_is_unlocked_written_or_dropped() {
    for Kept { store, order, _folder } in stores().await {
        let first = store.lock(order.id).await.unwrap().unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), store.lock(order.id)).await.is_err());
        first.unlock().await;
        drop(store.lock(order.id).await.unwrap().unwrap());
        let writer = store.lock(order.id).await.unwrap().unwrap();
        let change = payment(writer.order());
        assert_eq!(writer.commit(change, None).await, Ok(Written::Done));
        let last = store.lock(order.id).await.unwrap().unwrap();
        assert_eq!(last.order().version, 2);
        last.unlock().await;
        assert!(store.lock(OrderId::new(Uuid::nil())).await.unwrap().is_none());
        assert_eq!(store.charges(order.id).await.unwrap().unwrap().len(), 1);
    }
}
