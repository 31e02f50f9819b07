//! `If-Match` and `If-None-Match` (RFC 9110 §13, RFC 6585 §3), alone and under race.

use reqwest::Method;

use crate::caller::{Service, count, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    an_action_goes_ahead_exactly_when_if_match_names_the_current_tag_strongly,
    a_verbatim_retry_without_a_key_is_stale,
    judgment_comes_in_the_contracts_order,
    a_missing_precondition_is_explained_and_never_cached,
    a_read_is_conditional_too,
    head_is_get_without_the_body,
    an_idle_order_is_the_same_bytes_under_the_same_tag,
    of_twenty_contenders_with_one_tag_one_wins_and_the_order_is_its,
    contenders_with_a_star_are_judged_on_what_the_winner_left,
);

/// Vectors 3, 4, 6, 8–13, 16, 17, 22, 41.
async fn an_action_goes_ahead_exactly_when_if_match_names_the_current_tag_strongly(venue: Venue) {
    let service = Service::sound(venue).await;
    // E1 stands for the order's current tag.
    let cases: [(&[&str], u16); 15] = [
        (&["E1"], 200),
        (&["*"], 200),
        (&["\"x\", E1, \"y\""], 200),
        (&["\"x\"", "E1"], 200),
        (&["E1 ,, \"x\""], 200),
        (&[" ,\tE1 , "], 200),
        (&["\"stale\""], 412),
        (&["W/E1"], 412),
        (&["\"x\",\"y\""], 412),
        (&["\"a,b\""], 412),
        (&[""], 412),
        (&["*, E1"], 400),
        (&["*", "E1"], 400),
        (&["unquoted"], 400),
        (&[], 428),
    ];
    for action in ["payment", "cancellation"] {
        for (lines, expected) in cases {
            let order = service.order().await;
            let request = lines.iter().fold(service.bare_act(&order, action), |request, line| {
                request.if_match(&line.replace("E1", &order.tag))
            });
            let reply = request.send().await;
            assert_eq!(reply.status, expected, "{action} {lines:?} {reply:?}");
            let now = service.now(&order).await;
            let changed = now.tag() != order.tag;
            assert_eq!(changed, expected == 200, "{action} {lines:?}");
            assert_eq!(service.events(&order).await.len(), usize::from(changed));
        }
    }
}

/// Vector 5.
async fn a_verbatim_retry_without_a_key_is_stale(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    assert_eq!(service.act(&order, "cancellation").send().await.status, 200);
    let reply = service.act(&order, "cancellation").send().await;
    assert_eq!(reply.status, 412);
    assert_eq!(reply.body["error"], "precondition_failed");
    assert_eq!(reply.body["current_status"], "cancelled");
    assert_eq!(reply.body["current_version"], 2);
}

/// Vector 18.
async fn judgment_comes_in_the_contracts_order(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("delivered").await;
    let nowhere = order.tagged("\"stale\"");
    let payment = |body: &str, tag: &str, key: &str| {
        service
            .post(&format!("/api/v2/orders/{}/payment", order.id))
            .if_match(tag)
            .key(key)
            .text("application/json", body)
    };
    let good = r#"{"payment_method":"card","amount":25000}"#;
    let cheap = r#"{"payment_method":"card","amount":1}"#;
    let none = r#"{"payment_method":"card","amount":0}"#;
    // Malformed before stale, senseless before stale, stale before illegal.
    for (request, status) in [
        (payment("{", "\"stale\"", "a"), 400),
        (payment(r#"{"amount":25000}"#, "\"stale\"", "b"), 400),
        (payment(cheap, "\"stale\"", "c"), 422),
        (payment(none, "\"stale\"", "d"), 422),
        (payment(good, "\"stale\"", "e"), 412),
        (payment(good, &order.tag, "f"), 409),
        (payment(good, "\"stale\"", ""), 400),
        (service.act(&nowhere, "acceptance"), 412),
        (service.bare_act(&order, "acceptance"), 428),
        (service.act(&order, "acceptance"), 409),
    ] {
        assert_eq!(request.send().await.status, status);
    }
}

/// Vectors 41, 42.
async fn a_missing_precondition_is_explained_and_never_cached(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let reply = service.bare_act(&order, "cancellation").send().await;
    assert_eq!(reply.status, 428);
    assert!(reply.body["detail"].as_str().unwrap().contains("If-Match"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

/// Vectors 23–27.
async fn a_read_is_conditional_too(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let path = format!("/api/v2/orders/{}", order.id);
    let weak = format!("W/{}", order.tag);
    for (name, value, status) in [
        ("if-none-match", order.tag.as_str(), 304),
        ("if-none-match", &weak, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"x\"", 200),
        ("if-match", &order.tag, 200),
        ("if-match", "\"x\"", 412),
    ] {
        let reply = service.get(&path).header(name, value).send().await;
        assert_eq!(reply.status, status, "{name}: {value}");
        if status == 304 {
            assert!(reply.bytes.is_empty());
            assert_eq!(reply.tag(), order.tag);
        }
    }
}

/// Vector 35.
async fn head_is_get_without_the_body(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let path = format!("/api/v2/orders/{}", order.id);
    let got = service.get(&path).send().await;
    let head = service.request(Method::HEAD, &path).send().await;
    assert_eq!(head.status, 200);
    assert!(head.bytes.is_empty());
    assert_eq!(head.tag(), got.tag());
    for name in ["content-type", "content-length"] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
}

/// Vector 2.
async fn an_idle_order_is_the_same_bytes_under_the_same_tag(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let (one, two) = (service.now(&order).await, service.now(&order).await);
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(one.tag(), two.tag());
}

/// Vectors 38, 50.
async fn of_twenty_contenders_with_one_tag_one_wins_and_the_order_is_its(venue: Venue) {
    let service = Service::sound(venue).await;
    for _ in 0..20 {
        let order = service.order_in("pending_acceptance").await;
        let actions = ["acceptance", "cancellation", "rejection", "cancellation"];
        let contenders = (0..20).map(|i| service.act(&order, actions[i % actions.len()]));
        let replies = race(contenders).await;
        assert_eq!(count(&replies, 200), 1, "{:?}", statuses(&replies));
        assert_eq!(count(&replies, 412), 19, "{:?}", statuses(&replies));
        let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
        let now = service.now(&order).await;
        assert_eq!(now.bytes, winner.bytes);
        assert_eq!(now.body["version"], 3);
        assert_eq!(service.events(&order).await.len(), 2);
    }
}

/// Vectors 13, 50.
async fn contenders_with_a_star_are_judged_on_what_the_winner_left(venue: Venue) {
    let service = Service::sound(venue).await;
    for _ in 0..20 {
        let order = service.order().await.tagged("*");
        let replies = race((0..10).map(|_| service.act(&order, "payment"))).await;
        assert_eq!(count(&replies, 200), 1, "{:?}", statuses(&replies));
        assert_eq!(count(&replies, 409), 9, "{:?}", statuses(&replies));
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}
