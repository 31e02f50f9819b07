//! `Idempotency-Key`: one request and its retries, one effect, one answer.

use std::time::Duration;

use quickeats_bench::service::{Defect, ServiceConfig};
use serde_json::json;

use crate::caller::{Service, count, fresh_key, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    a_payment_without_a_key_is_malformed,
    keys_are_one_to_255_visible_characters_quoted_or_bare,
    a_retry_hears_the_first_answer_whatever_if_match_says_now,
    a_retried_placement_is_the_same_order,
    refusals_of_the_business_are_replayed_and_passing_ones_are_not,
    a_malformed_request_leaves_its_key_unused,
    a_key_is_good_for_one_path_and_one_payload,
    another_callers_key_is_another_key,
    a_key_is_forgotten_after_its_time,
    fifty_requests_under_one_key_have_one_effect_and_one_answer,
);

on_venues!(one process:
    a_key_in_flight_is_a_conflict_that_tells_where_the_order_stands,
    a_caller_who_hangs_up_before_the_effect_leaves_the_key_free,
);

/// Vector 51.
async fn a_payment_without_a_key_is_malformed(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let reply = service.payment(&order).send().await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.body["title"], "Idempotency-Key is missing");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}

/// Vectors 52–55.
async fn keys_are_one_to_255_visible_characters_quoted_or_bare(venue: Venue) {
    let service = Service::sound(venue).await;
    let longest = "x".repeat(255);
    let too_long = "x".repeat(256);
    for (key, status) in [
        ("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", 200),
        ("8e03978e-40d5-43dd-bc93-6894a57f9325", 200),
        ("\"k\";a=1", 200),
        (&longest, 200),
        (&too_long, 400),
        ("\"\"", 400),
        ("", 400),
        ("\"open", 400),
        ("\"two words\"", 400),
        ("clé", 400),
    ] {
        let order = service.order().await;
        let reply = service.payment(&order).key(key).send().await;
        assert_eq!(reply.status, status, "{key}");
    }
    let order = service.order().await;
    let two_lines = service.payment(&order).key("a").key("b").send().await;
    assert_eq!(two_lines.status, 400);
}

/// Vectors 56, 57, 62.
async fn a_retry_hears_the_first_answer_whatever_if_match_says_now(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let first = service.payment(&order).key("\"k-1\"").send().await;
    assert_eq!(first.status, 200);
    assert!(!first.is_replayed());
    service.act(&order.tagged(&first.tag()), "cancellation").send().await;
    for (key, path) in [("\"k-1\"", ""), ("k-1", ""), ("\"k-1\";a=1", "/")] {
        let again = service
            .post(&format!("/api/v2/orders/{}/payment{path}", order.id))
            .if_match(&order.tag)
            .key(key)
            .text("application/json", "{ \"amount\": 25000,\n \"payment_method\": \"card\" }")
            .send()
            .await;
        assert_eq!(again.status, 200, "{again:?}");
        assert!(again.is_replayed());
        assert_eq!(again.bytes, first.bytes);
        assert_eq!(again.tag(), first.tag());
    }
    assert_eq!(service.ledger(&order).await.len(), 1);
}

/// Vector 57.
async fn a_retried_placement_is_the_same_order(venue: Venue) {
    let service = Service::sound(venue).await;
    let place = || service.post("/api/v2/orders").key("place-1").send();
    let (first, again) = (place().await, place().await);
    assert_eq!((first.status, again.status), (201, 201));
    assert!(again.is_replayed());
    assert_eq!(again.bytes, first.bytes);
    assert_eq!(again.header("location"), first.header("location"));
}

/// Vector 58.
async fn refusals_of_the_business_are_replayed_and_passing_ones_are_not(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("pending_acceptance").await;

    let illegal = || service.act(&order, "delivery").key("illegal").send();
    assert_eq!(illegal().await.status, 409);
    assert!(illegal().await.is_replayed());

    let wrong_amount = || {
        service
            .post(&format!("/api/v2/orders/{}/payment", order.id))
            .if_match(&order.tag)
            .key("wrong-amount")
            .json(&json!({"payment_method": "card", "amount": 1}))
            .send()
    };
    assert_eq!(wrong_amount().await.status, 422);
    assert!(wrong_amount().await.is_replayed());

    let stale = service.act(&order.tagged("\"stale\""), "acceptance").key("k");
    assert_eq!(stale.send().await.status, 412);
    let missing = service.bare_act(&order, "acceptance").key("k");
    assert_eq!(missing.send().await.status, 428);
    let fresh = service.act(&order, "acceptance").key("k").send().await;
    assert_eq!(fresh.status, 200);
    assert!(!fresh.is_replayed());
}

/// Vector 64.
async fn a_malformed_request_leaves_its_key_unused(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let malformed = service
        .post(&format!("/api/v2/orders/{}/payment", order.id))
        .if_match(&order.tag)
        .key("k")
        .json(&json!({"amount": 25_000}));
    assert_eq!(malformed.send().await.status, 400);
    assert_eq!(service.payment(&order).key("k").send().await.status, 200);
}

/// Vectors 59, 60.
async fn a_key_is_good_for_one_path_and_one_payload(venue: Venue) {
    let service = Service::sound(venue).await;
    let (order, other) = (service.order().await, service.order().await);
    let first = service.act(&order, "cancellation").key("k").send().await;
    assert_eq!(first.status, 200);
    let other_payload = service
        .post(&format!("/api/v2/orders/{}/cancellation", order.id))
        .if_match(&order.tag)
        .key("k")
        .json(&json!({"reason": "something else"}));
    let other_order = service.act(&other, "cancellation").key("k");
    let other_action = service.post("/api/v2/orders").key("k");
    for request in [other_payload, other_order, other_action] {
        let reply = request.send().await;
        assert_eq!(reply.status, 422);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert!(!reply.is_replayed());
    }
    assert_eq!(service.now(&other).await.tag(), other.tag);
}

/// Vector 63.
async fn another_callers_key_is_another_key(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let first = service.payment(&order).key("k").actor("customer:ann").send().await;
    assert_eq!(first.status, 200);
    for other in ["customer:bea", "rider:ann"] {
        let reply = service.payment(&order).key("k").actor(other).send().await;
        assert_eq!(reply.status, 412, "{other}");
    }
    assert_eq!(service.payment(&order).key("k").send().await.status, 412);
    let again = service.payment(&order).key("k").actor("customer:ann").send().await;
    assert!(again.is_replayed());
}

/// Vector 65.
async fn a_key_is_forgotten_after_its_time(venue: Venue) {
    let service =
        Service::with(venue, ServiceConfig { idempotency_ttl: Duration::ZERO, ..ServiceConfig::default() }).await;
    let order = service.order().await;
    let pay = || service.payment(&order).key("k").send();
    assert_eq!(pay().await.status, 200);
    assert_eq!(pay().await.status, 412);
}

/// Vectors 61, 65.
async fn fifty_requests_under_one_key_have_one_effect_and_one_answer(venue: Venue) {
    let service = Service::sound(venue).await;
    for _ in 0..10 {
        let order = service.order().await;
        let key = fresh_key();
        let replies = race((0..50).map(|_| service.payment(&order).key(&key))).await;
        let paid: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(paid.len() + count(&replies, 409), 50, "{:?}", statuses(&replies));
        assert_eq!(paid.iter().filter(|reply| !reply.is_replayed()).count(), 1);
        assert!(paid.iter().all(|reply| reply.bytes == paid[0].bytes));
        assert_eq!(service.ledger(&order).await.len(), 1);
        assert_eq!(service.events(&order).await.len(), 1);
        let late = service.payment(&order).key(&key).send().await;
        assert_eq!(late.bytes, paid[0].bytes);
    }
}

/// The defect is used for its slowness alone: it keeps a request in flight, with its key claimed as it should be.
///
/// Vector 61.
async fn a_key_in_flight_is_a_conflict_that_tells_where_the_order_stands(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let replies = race((0..2).map(|_| service.payment(&order).key("k"))).await;
    assert_eq!(statuses(&replies), [200, 409]);
    let conflict = replies.iter().find(|reply| reply.status == 409).unwrap();
    assert_eq!(conflict.body["error"], "idempotency_key_in_use");
    assert_eq!(conflict.body["current_status"], "pending_payment");
    assert_eq!(service.ledger(&order).await.len(), 1);
}

async fn a_caller_who_hangs_up_before_the_effect_leaves_the_key_free(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let first = service.payment(&order).key("k");
    first.abandon_after(Duration::from_millis(100)).await;
    let reply = loop {
        let reply = service.payment(&order).key("k").send().await;
        if reply.status != 409 {
            break reply;
        }
    };
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(!reply.is_replayed());
    assert_eq!(service.ledger(&order).await.len(), 1);
}
