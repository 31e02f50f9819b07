//! What a retention forgets, and what it does not. The clock is the test's own.

use jiff::Timestamp;
use tokio::time::advance;
use uuid::Uuid;

use super::super::super::answer::Answer;
use super::super::super::body::JsonObject;
use super::super::super::etag::{Preconditions, TagList};
use super::super::super::idempotency::CallerKey;
use super::super::super::identity::{Principal, Role};
use super::super::super::orders::{Action, Minted, Status};
use super::super::super::transition::{Command, Rules, plan};
use super::*;

const KEPT: Duration = Duration::from_secs(64);
/// So long after its last change an order is there for certain.
const ALMOST: Duration = Duration::from_millis(63_999);
/// And then it takes so much longer until it may be gone for certain: it may be forgotten a 64th of the time too late.
const MORE: Duration = Duration::from_secs(2);
const LONG_AGO: Duration = Duration::from_secs(66);

fn store() -> MemoryStore {
    MemoryStore::new(Some(KEPT))
}

fn order() -> Order {
    let Minted { at, tag, id } = Minted::now();
    Order {
        id: OrderId::new(id),
        customer: Some("ann".to_owned()),
        restaurant: "trattoria-roma".to_owned(),
        restaurant_name: "Trattoria Roma".to_owned(),
        rider: None,
        status: Status::PendingPayment,
        amount: 100,
        version: 1,
        created_at: at,
        updated_at: at,
        tag,
    }
}

fn change(order: &Order, action: Action, caller: &Principal) -> Change {
    let command = match action {
        Action::Payment => Command::Pay { method: "card".to_owned(), amount: order.amount },
        Action::Pickup => Command::PickUp,
        Action::Acceptance => Command::Accept,
        other => panic!("{other:?} is no part of these tests"),
    };
    let any = Preconditions { if_match: Some(TagList::Any), if_none_match: None };
    plan(&Rules::SOUND, order, &command, &any, caller, Minted::now()).unwrap()
}

fn payment(order: &Order) -> Change {
    change(order, Action::Payment, &Principal::Anonymous)
}

fn lease(key: &str) -> Lease {
    Lease { key: Arc::new(CallerKey::new("customer:ann", key)), token: Uuid::from_u128(1) }
}

fn fingerprint() -> Fingerprint {
    Fingerprint::of("POST", "/", &JsonObject::default())
}

async fn claim(store: &MemoryStore, key: &str) -> Claimed {
    let now = Timestamp::now();
    store.claim(lease(key), fingerprint(), now, now + Duration::from_mins(1)).await.unwrap()
}

/// The answer to a request about `order`, under a key that has just been claimed.
async fn completion(store: &MemoryStore, key: &str, order: &Order, answer: Answer) -> Option<Completion> {
    assert!(matches!(claim(store, key).await, Claimed::Fresh));
    let known = store.order(order.id).await.unwrap().map(|order| order.id);
    Some(Completion { lease: lease(key), answer, keep_until: Timestamp::MAX, order: known })
}

async fn place(store: &MemoryStore) -> Order {
    let order = order();
    store.create(order.clone(), None).await.unwrap();
    order
}

async fn is_there(store: &MemoryStore, order: &Order) -> bool {
    let there = store.order(order.id).await.unwrap().is_some();
    assert_eq!(store.charges(order.id).await.unwrap().is_some(), there);
    assert_eq!(store.events(order.id).await.unwrap().is_some(), there);
    assert_eq!(store.lock(order.id).await.unwrap().is_some(), there);
    let page = Page { status: None, after: 0, limit: 1000 };
    let listed = store.list(Viewer::Customer("ann".to_owned()), page).await.unwrap();
    assert_eq!(listed.iter().any(|(_, listed)| listed.id == order.id), there);
    there
}

#[tokio::test(start_paused = true)]
async fn an_order_is_forgotten_with_all_that_belongs_to_it_by_a_later_write() {
    let store = store();
    let placed = order();
    let kept = completion(&store, "place", &placed, Answer::created(&placed)).await;
    store.create(placed.clone(), kept).await.unwrap();
    let paid = payment(&placed);
    let kept = completion(&store, "pay", &placed, Answer::to_change(&paid)).await;
    assert_eq!(store.commit(paid.clone(), kept).await, Ok(Written::Done));
    advance(ALMOST).await;
    place(&store).await;
    assert!(is_there(&store, &placed).await);
    for key in ["place", "pay"] {
        assert!(matches!(claim(&store, key).await, Claimed::Known { answer: Some(_), .. }), "{key}");
    }
    advance(MORE).await;
    let other = place(&store).await;
    assert!(!is_there(&store, &placed).await);
    assert!(is_there(&store, &other).await);
    for key in ["place", "pay"] {
        assert!(matches!(claim(&store, key).await, Claimed::Fresh), "{key}");
    }
    assert_eq!(store.commit(paid, None).await, Ok(Written::Conflict));
}

#[tokio::test(start_paused = true)]
async fn what_is_changed_is_kept_from_its_last_change_on() {
    let store = store();
    let placed = place(&store).await;
    advance(KEPT / 2).await;
    let paid = payment(&placed);
    store.commit(paid.clone(), None).await.unwrap();
    advance(ALMOST).await;
    place(&store).await;
    assert!(is_there(&store, &placed).await);
    store.put(change(&paid.order, Action::Acceptance, &Principal::Anonymous)).await.unwrap().unwrap();
    advance(ALMOST).await;
    place(&store).await;
    assert!(is_there(&store, &placed).await);
    advance(MORE).await;
    place(&store).await;
    assert!(!is_there(&store, &placed).await);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_somebody_works_on_is_not_forgotten_meanwhile() {
    let store = store();
    let placed = place(&store).await;
    let locked_one = place(&store).await;
    let in_hand = store.order(placed.id).await.unwrap().unwrap();
    let locked = store.lock(locked_one.id).await.unwrap().unwrap();
    for _ in 0..3 {
        advance(LONG_AGO).await;
        place(&store).await;
    }
    assert_eq!(store.commit(payment(&in_hand), None).await, Ok(Written::Done));
    let change = payment(locked.order());
    assert_eq!(locked.commit(change, None).await, Ok(Written::Done));
    drop(in_hand);
    assert!(is_there(&store, &placed).await && is_there(&store, &locked_one).await);
    advance(2 * LONG_AGO).await;
    place(&store).await;
    assert!(!is_there(&store, &placed).await && !is_there(&store, &locked_one).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_kept_as_long_as_its_order() {
    let store = store();
    let placed = place(&store).await;
    let refused = completion(&store, "k", &placed, Answer::created(&placed)).await.unwrap();
    store.settle(refused).await.unwrap();
    advance(KEPT / 2).await;
    store.commit(payment(&placed), None).await.unwrap();
    advance(ALMOST).await;
    place(&store).await;
    assert!(matches!(claim(&store, "k").await, Claimed::Known { answer: Some(_), .. }));
    advance(LONG_AGO).await;
    place(&store).await;
    assert!(matches!(claim(&store, "k").await, Claimed::Fresh));
}

#[tokio::test(start_paused = true)]
async fn a_rider_is_forgotten_with_the_last_order_that_names_them() {
    let store = store();
    let known = || async { store.riders(vec!["rob".to_owned()]).await.unwrap().len() };
    let rob = Principal::Named { role: Role::Rider, name: "rob".to_owned() };
    for _ in 0..2 {
        let ready = Order { status: Status::ReadyForPickup, ..order() };
        store.create(ready.clone(), None).await.unwrap();
        store.commit(change(&ready, Action::Pickup, &rob), None).await.unwrap();
        advance(KEPT / 2).await;
    }
    advance(MORE).await;
    place(&store).await;
    assert_eq!(known().await, 1);
    advance(LONG_AGO).await;
    place(&store).await;
    assert_eq!(known().await, 0);
}

/// Each row, key and rider that a store in memory has.
fn counted(store: &MemoryStore) -> [usize; 3] {
    store.tables.lock().unwrap().counted()
}

#[tokio::test(start_paused = true)]
async fn a_store_under_load_stays_as_large_as_what_is_changed_within_the_time() {
    let store = store();
    let mut largest = [0; 3];
    for number in 0..5_000 {
        let ready = Order { status: Status::ReadyForPickup, ..order() };
        let kept = completion(&store, &number.to_string(), &ready, Answer::created(&ready)).await;
        store.create(ready.clone(), kept).await.unwrap();
        store.commit(change(&ready, Action::Pickup, &Principal::Anonymous), None).await.unwrap();
        advance(Duration::from_secs(1)).await;
        largest = std::array::from_fn(|index| largest[index].max(counted(&store)[index]));
    }
    assert_eq!(largest, [65; 3]);
}

#[tokio::test(start_paused = true)]
async fn without_a_retention_nothing_is_forgotten() {
    let store = MemoryStore::new(None);
    let placed = place(&store).await;
    advance(Duration::from_hours(1000)).await;
    place(&store).await;
    assert!(is_there(&store, &placed).await);
}
