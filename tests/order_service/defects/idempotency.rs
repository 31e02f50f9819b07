//! Mistakes about idempotency keys.

use std::time::Instant;

use quickeats_bench::service::Defect;

use super::LONG_ENOUGH;
use crate::caller::{Service, fresh_key, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    idempotency_check_then_act_charges_twice_under_one_key,
    idempotency_check_then_act_needs_no_added_window_to_show,
    idempotency_check_then_act_charges_once_under_different_keys,
    idempotency_check_then_act_keeps_the_other_rules_of_keys,
);

async fn idempotency_check_then_act_charges_twice_under_one_key(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::IdempotencyCheckThenAct).await;
    let order = service.order().await;
    let replies = race((0..2).map(|_| service.payment(&order).key("k"))).await;
    assert_eq!(statuses(&replies), [200, 412]);
    assert_eq!(service.ledger(&order).await.len(), 2);
    assert_eq!(service.events(&order).await.len(), 1);
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    let late = service.payment(&order).key("k").send().await;
    assert!(late.is_replayed());
    assert_eq!(late.bytes, winner.bytes);
}

async fn idempotency_check_then_act_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::IdempotencyCheckThenAct).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order().await;
        let key = fresh_key();
        race((0..10).map(|_| service.payment(&order).key(&key))).await;
        if service.ledger(&order).await.len() > 1 {
            return;
        }
    }
    panic!("a minute, and nobody was charged twice");
}

async fn idempotency_check_then_act_charges_once_under_different_keys(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::IdempotencyCheckThenAct).await;
    let order = service.order().await;
    let mut contenders: Vec<_> = (0..4).map(|_| service.act(&order, "payment")).collect();
    contenders.push(service.act(&order, "cancellation"));
    let replies = race(contenders).await;
    assert_eq!(statuses(&replies), [200, 412, 412, 412, 412]);
    let paid = service.now(&order).await.body["status"] == "pending_acceptance";
    assert_eq!(service.ledger(&order).await.len(), usize::from(paid));
}

async fn idempotency_check_then_act_keeps_the_other_rules_of_keys(venue: Venue) {
    let service = Service::with_defect(venue, Defect::IdempotencyCheckThenAct).await;
    let (order, other) = (service.order().await, service.order().await);
    assert_eq!(service.payment(&order).key("k").send().await.status, 200);
    assert_eq!(service.payment(&other).key("k").send().await.status, 422);
    let theirs = service.payment(&other).key("k").actor("customer:ann");
    assert_eq!(theirs.send().await.status, 200);
    let stale = service.act(&order.tagged("\"x\""), "acceptance").key("s");
    assert_eq!(stale.send().await.status, 412);
    let current = order.tagged(&service.now(&order).await.tag());
    let fresh = service.act(&current, "acceptance").key("s").send().await;
    assert_eq!(fresh.status, 200);
    let place = || service.post("/api/v2/orders").key("place").send();
    assert_eq!(place().await.bytes, place().await.bytes);
}
