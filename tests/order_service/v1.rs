//! V1: unsafe by design, on the same orders.

use serde_json::json;

use crate::caller::{Reply, Service, race};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    every_answer_says_that_there_is_something_better,
    any_known_status_is_accepted_from_anyone,
    an_old_tag_stays_stale_when_v1_moves_an_order_away_and_back,
    pay_charges_every_time,
    racing_v1_writers_are_all_told_200_and_leave_a_whole_history,
);

fn assert_is_deprecated(reply: &Reply) {
    for name in ["deprecation", "sunset", "link"] {
        assert!(reply.header(name).is_some(), "{name} of {reply:?}");
    }
    assert!(reply.header("deprecation").unwrap().starts_with('@'));
    assert!(reply.header("link").unwrap().contains("successor-version"));
    assert!(reply.header("etag").is_none());
}

async fn every_answer_says_that_there_is_something_better(venue: Venue) {
    let service = Service::sound(venue).await;
    let created = service.post("/api/v1/orders").send().await;
    assert_eq!(created.status, 201);
    let one = created.header("location").unwrap().to_owned();
    assert_is_deprecated(&created);
    for (reply, status) in [
        (service.get("/api/v1/orders").send().await, 200),
        (service.get("/api/v1/orders/").send().await, 200),
        (service.get(&one).send().await, 200),
        (service.get(&format!("{one}/")).send().await, 200),
        (service.get("/api/v1/nothing").send().await, 404),
        (service.get(&format!("{one}/pay")).send().await, 405),
    ] {
        assert_eq!(reply.status, status);
        assert_is_deprecated(&reply);
    }
    assert!(service.get("/healthz").send().await.header("deprecation").is_none());
    let unknown = service.get("/api/v2/nothing").send().await;
    assert!(unknown.header("deprecation").is_none());
}

async fn any_known_status_is_accepted_from_anyone(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("delivered").await;
    let one = format!("/api/v1/orders/{}", order.id);
    let put = |body| service.request(reqwest::Method::PUT, &one).json(&body).send();
    let reply = put(json!({"status": "pending_payment"})).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["status"], "pending_payment");
    assert_eq!(reply.body["version"], 7);
    assert_is_deprecated(&reply);
    assert_eq!(put(json!({"status": "eaten"})).await.status, 400);
    assert_eq!(put(json!({})).await.status, 400);

    let now = service.now(&order).await;
    assert_eq!(now.body["status"], "pending_payment");
    assert_ne!(now.tag(), order.tag);
    let event = service.events(&order).await.pop().unwrap();
    assert_eq!(event["action"], "v1-put");
    assert_eq!(event["version"], 7);
}

async fn an_old_tag_stays_stale_when_v1_moves_an_order_away_and_back(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let one = format!("/api/v1/orders/{}", order.id);
    for status in ["cancelled", "pending_payment"] {
        let put = service.request(reqwest::Method::PUT, &one);
        assert_eq!(put.json(&json!({"status": status})).send().await.status, 200);
    }
    assert_eq!(service.act(&order, "payment").send().await.status, 412);
}

async fn pay_charges_every_time(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let pay = || service.post(&format!("/api/v1/orders/{}/pay", order.id)).send();
    let first = pay().await;
    assert_eq!(first.status, 200);
    assert_eq!(first.body["status"], "pending_acceptance");
    assert_eq!(first.body["payment"]["amount"], 25_000);
    let second = pay().await;
    assert_eq!(second.body["status"], "pending_acceptance");
    assert_eq!(second.body["version"], 3);
    assert_ne!(second.body["payment"]["id"], first.body["payment"]["id"]);
    assert_eq!(service.ledger(&order).await.len(), 2);
    assert_eq!(service.events(&order).await[1]["action"], "v1-pay");
}

async fn racing_v1_writers_are_all_told_200_and_leave_a_whole_history(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("pending_acceptance").await;
    let one = format!("/api/v1/orders/{}", order.id);
    let put = |i: usize| {
        let status = ["preparing", "cancelled"][i % 2];
        service.request(reqwest::Method::PUT, &one).json(&json!({"status": status}))
    };
    let replies = race((0..20).map(put)).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    let versions: Vec<_> =
        service.events(&order).await.iter().map(|event| event["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, (2..=22).collect::<Vec<_>>());
    assert_eq!(service.now(&order).await.body["version"], 22);
}
