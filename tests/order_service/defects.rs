//! Each mistake happens, and everything else stays right.

use std::time::{Duration, Instant};

use quickeats_bench::service::Defect;
use serde_json::json;

use crate::caller::{Order, Reply, Service, count, fresh_key, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    check_then_save_tells_both_contenders_that_they_made_the_same_version,
    check_then_save_lets_each_of_two_payments_charge,
    check_then_save_needs_no_added_window_to_show,
    ignore_if_match_accepts_a_stale_tag_and_still_wants_one,
    optional_if_match_lets_a_request_without_one_through_and_compares_the_others,
    stale_412_applies_refuses_what_it_has_done,
    idempotency_check_then_act_charges_twice_under_one_key,
    idempotency_check_then_act_needs_no_added_window_to_show,
    idempotency_check_then_act_charges_once_under_different_keys,
    idempotency_check_then_act_keeps_the_other_rules_of_keys,
    double_charge_charges_whom_it_refuses,
    double_charge_does_not_charge_for_a_repeated_key_or_a_request_it_need_not_judge,
    every_defect_leaves_the_rest_right,
);

/// How long chance is given to bring two requests together.
const LONG_ENOUGH: Duration = Duration::from_mins(1);

async fn accept_against_cancel(service: &Service, order: &Order) -> Vec<Reply> {
    race([service.act(order, "acceptance"), service.act(order, "cancellation")]).await
}

async fn check_then_save_tells_both_contenders_that_they_made_the_same_version(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order_in("pending_acceptance").await;
    let replies = accept_against_cancel(&service, &order).await;
    assert_eq!(statuses(&replies), [200, 200]);
    assert!(replies.iter().all(|reply| reply.body["version"] == 3));
    assert_ne!(replies[0].tag(), replies[1].tag());
    assert_eq!(service.events(&order).await.len(), 3);
    assert_eq!(service.now(&order).await.body["version"], 3);
}

async fn check_then_save_lets_each_of_two_payments_charge(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let replies = race((0..2).map(|_| service.act(&order, "payment"))).await;
    assert_eq!(statuses(&replies), [200, 200]);
    assert_eq!(service.ledger(&order).await.len(), 2);
}

async fn check_then_save_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::CheckThenSave).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..10).map(|i| service.act(&order, ["acceptance", "cancellation"][i % 2]))).await;
        if count(&replies, 200) > 1 {
            return;
        }
    }
    panic!("a minute, and nobody was overwritten");
}

async fn ignore_if_match_accepts_a_stale_tag_and_still_wants_one(venue: Venue) {
    let service = Service::with_defect(venue, Defect::IgnoreIfMatch).await;
    let order = service.order().await;
    let missing = service.bare_act(&order, "payment").send().await;
    assert_eq!(missing.status, 428);
    let stale = service.act(&order.tagged("\"stale\""), "payment").send().await;
    assert_eq!(stale.status, 200);
    let illegal = service.act(&order, "payment").send().await;
    assert_eq!(illegal.status, 409);
    assert_eq!(service.ledger(&order).await.len(), 1);
}

async fn optional_if_match_lets_a_request_without_one_through_and_compares_the_others(venue: Venue) {
    let service = Service::with_defect(venue, Defect::OptionalIfMatch).await;
    let order = service.order().await;
    let stale = service.act(&order.tagged("\"stale\""), "payment").send().await;
    assert_eq!(stale.status, 412);
    let missing = service.bare_act(&order, "payment").send().await;
    assert_eq!(missing.status, 200);
    let illegal = service.bare_act(&order, "payment").send().await;
    assert_eq!(illegal.status, 409);
}

async fn stale_412_applies_refuses_what_it_has_done(venue: Venue) {
    let service = Service::with_defect(venue, Defect::Stale412Applies).await;
    let order = service.order().await;
    let stale = order.tagged("\"stale\"");
    let refused = service.payment(&stale).key("k").send().await;
    assert_eq!(refused.status, 412);
    assert_eq!(refused.body["current_version"], 1);
    let now = service.now(&order).await;
    assert_eq!(now.body["status"], "pending_acceptance");
    assert_eq!(now.body["version"], 2);
    assert_eq!(service.ledger(&order).await.len(), 1);
    assert_eq!(service.events(&order).await.len(), 1);
    // What the lifecycle forbids is refused and not applied; the key was not kept for the 412.
    let again = service.payment(&stale).key("k").send().await;
    assert_eq!(again.status, 412);
    assert!(!again.is_replayed());
    assert_eq!(service.now(&order).await.tag(), now.tag());
    let missing = service.bare_act(&order, "acceptance").send().await;
    assert_eq!(missing.status, 428);
    assert_eq!(service.now(&order).await.tag(), now.tag());
}

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

async fn double_charge_charges_whom_it_refuses(venue: Venue) {
    let service = Service::with_defect(venue, Defect::DoubleCharge).await;
    let order = service.order().await;
    let first = service.payment(&order).key("one").send().await;
    assert_eq!(first.status, 200);
    assert_eq!(service.payment(&order).key("two").send().await.status, 412);
    let ledger = service.ledger(&order).await;
    assert_eq!(ledger.len(), 2);
    assert_eq!(ledger[0]["id"], first.body["payment"]["id"]);
    assert_eq!(service.events(&order).await.len(), 1);
}

async fn double_charge_does_not_charge_for_a_repeated_key_or_a_request_it_need_not_judge(venue: Venue) {
    let service = Service::with_defect(venue, Defect::DoubleCharge).await;
    let order = service.order().await;
    let pay = |body| {
        service.post(&format!("/api/v2/orders/{}/payment", order.id)).if_match(&order.tag).key(&fresh_key()).json(&body)
    };
    let cheap = pay(json!({"payment_method": "card", "amount": 1}));
    assert_eq!(cheap.send().await.status, 422);
    assert_eq!(service.bare_act(&order, "payment").send().await.status, 428);
    assert!(service.ledger(&order).await.is_empty());
    race((0..20).map(|_| service.payment(&order).key("k"))).await;
    assert_eq!(service.ledger(&order).await.len(), 1);
}

/// Asked one after the other, whatever no mistake is about is answered as the sound service answers it.
async fn every_defect_leaves_the_rest_right(venue: Venue) {
    for defect in Defect::ALL {
        let service = Service::with_defect(venue, *defect).await;
        let order = service.order_in("delivered").await;
        let now = service.now(&order).await;
        assert_eq!(now.body["version"], 6, "{defect}");
        assert_eq!(service.events(&order).await.len(), 5, "{defect}");
        assert_eq!(service.ledger(&order).await.len(), 1, "{defect}");
        let illegal = service.act(&order, "cancellation").send().await;
        assert_eq!(illegal.status, 409, "{defect}");

        let order = service.order().await;
        let one = format!("/api/v2/orders/{}", order.id);
        let not_modified = service.get(&one).header("if-none-match", &order.tag);
        assert_eq!(not_modified.send().await.status, 304, "{defect}");
        assert_eq!(service.payment(&order).send().await.status, 400, "{defect}");
        let first = service.payment(&order).key("k").send().await;
        assert_eq!(first.status, 200, "{defect}");
        let again = service.payment(&order).key("k").send().await;
        assert!(again.is_replayed(), "{defect}");
        assert_eq!(again.bytes, first.bytes, "{defect}");
        let elsewhere = service.act(&order, "cancellation").key("k").send().await;
        assert_eq!(elsewhere.status, 422, "{defect}");
        assert_eq!(service.ledger(&order).await.len(), 1, "{defect}");
    }
}
