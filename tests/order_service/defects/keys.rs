//! Mistakes about what a key is, what is known by it, and for how long.

use quickeats_bench::service::{Defect, ServiceConfig};
use serde_json::json;

use crate::caller::{Order, Reply, Request, Service};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    replays_anything_answers_another_request_with_the_first_answer,
    key_global_gives_one_callers_answer_to_another,
    replay_differs_tells_of_the_order_as_it_is_now,
    stores_412_repeats_a_refusal_that_a_fresh_tag_would_cure,
);
on_venues!(each strategy: memory_per_replica_is_unknown_to_the_other_replica);
on_venues!(on_a_disk: Sqlite => memory_per_replica_is_gone_after_a_restart);
on_venues!(on_a_server: Postgres => memory_per_replica_is_gone_after_a_restart);

async fn replays_anything_answers_another_request_with_the_first_answer(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyReplaysAnything)] {
        let service = Service::perhaps_with(venue, defect).await;
        let (order, other) = (service.order().await, service.order().await);
        let first = service.payment(&order).key("k").send().await;
        assert_eq!(first.status, 200);
        let cheap = service.post(&format!("/api/v2/orders/{}/payment", order.id)).if_match(&order.tag).key("k");
        let cheap = cheap.json(&json!({"payment_method": "card", "amount": 1}));
        for request in [cheap, service.payment(&other).key("k"), service.post("/api/v2/orders").key("k")] {
            let again = request.send().await;
            if defect.is_none() {
                assert_eq!(again.status, 422);
            } else {
                assert!(again.is_replayed());
                assert_eq!(again.bytes, first.bytes);
            }
        }
        assert_eq!(service.ledger(&order).await.len(), 1);
        assert!(service.ledger(&other).await.is_empty());
    }
}

async fn key_global_gives_one_callers_answer_to_another(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyKeyGlobal)] {
        let service = Service::perhaps_with(venue, defect).await;
        let place = |who| service.post("/api/v2/orders").actor(who).key("k").send();
        let anns = place("customer:ann").await;
        let beas = place("customer:bea").await;
        assert_eq!(beas.is_replayed(), defect.is_some());
        assert_eq!(beas.body["id"] == anns.body["id"], defect.is_some());
        assert!(place("customer:ann").await.is_replayed());
        let order = service.order().await;
        let pay = |who| service.payment(&order).actor(who).key("p").send();
        assert_eq!(pay("customer:ann").await.status, 200);
        assert_eq!(pay("customer:bea").await.status, if defect.is_some() { 200 } else { 412 });
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}

async fn replay_differs_tells_of_the_order_as_it_is_now(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyReplayDiffers)] {
        let service = Service::perhaps_with(venue, defect).await;
        let place = || service.post("/api/v2/orders").key("o").send();
        let placed = place().await;
        let order = Order { id: placed.body["id"].as_str().unwrap().to_owned(), tag: placed.tag() };
        let pay = || service.payment(&order).key("k").send();
        let paid = pay().await;
        assert_eq!(pay().await.bytes, paid.bytes);
        let accepted = service.act(&order.tagged(&paid.tag()), "acceptance").send().await;
        let again = pay().await;
        assert!(again.is_replayed());
        assert_eq!((again.status, &again.body["payment"]), (200, &paid.body["payment"]));
        assert_eq!(again.body["status"], if defect.is_some() { "preparing" } else { "pending_acceptance" });
        assert_eq!(again.tag(), if defect.is_some() { accepted.tag() } else { paid.tag() });
        let replaced = place().await;
        assert!(replaced.is_replayed());
        assert_eq!(replaced.status, 201);
        assert_eq!(replaced.body["version"], if defect.is_some() { 3 } else { 1 });
        // A refusal is replayed as it was.
        let illegal = || service.act(&order.tagged(&accepted.tag()), "acceptance").key("r").send();
        assert_eq!(illegal().await.bytes, illegal().await.bytes);
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}

async fn stores_412_repeats_a_refusal_that_a_fresh_tag_would_cure(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyStores412)] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order().await;
        let stale = service.payment(&order.tagged("\"stale\"")).key("k").send().await;
        assert_eq!(stale.status, 412);
        let again = service.payment(&order).key("k").send().await;
        assert_eq!(again.is_replayed(), defect.is_some());
        assert_eq!(again.status, if defect.is_some() { 412 } else { 200 });
        // What has not been judged is not kept.
        let other = service.order().await;
        let missing = |order: &Order| service.post(&format!("/api/v2/orders/{}/payment", order.id)).key("m");
        let body = json!({"payment_method": "card", "amount": 25_000});
        assert_eq!(missing(&other).json(&body).send().await.status, 428);
        assert_eq!(missing(&other).if_match(&other.tag).json(&body).send().await.status, 200);
    }
}

async fn twice(request: impl Fn() -> Request) -> (Reply, Reply) {
    (request().send().await, request().send().await)
}

async fn memory_per_replica_is_unknown_to_the_other_replica(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyMemoryPerReplica)] {
        let service = Service::two_replicas(venue, defect).await;
        let (one, other) = twice(|| service.post("/api/v2/orders").key("o")).await;
        assert_eq!(other.is_replayed(), defect.is_none());
        assert_eq!(one.body["id"] == other.body["id"], defect.is_none());
        // Each replica knows its own.
        let (again, again_other) = twice(|| service.post("/api/v2/orders").key("o")).await;
        assert_eq!((again.bytes, again_other.bytes), (one.bytes, other.bytes));
        // What has a version to be fenced by happens once, and its retry hears that it is too late.
        let order = service.order().await;
        let (paid, late) = twice(|| service.payment(&order).key("k")).await;
        assert_eq!((paid.status, late.status), (200, if defect.is_some() { 412 } else { 200 }));
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}

async fn memory_per_replica_is_gone_after_a_restart(venue: Venue) {
    for defect in [None, Some(Defect::IdempotencyMemoryPerReplica)] {
        let service = Service::perhaps_with(venue, defect).await;
        let one = service.post("/api/v2/orders").key("o").send().await;
        let props = service.stop().await.unwrap();
        let service = Service::open(props, ServiceConfig { defect, ..ServiceConfig::default() }).await;
        let again = service.post("/api/v2/orders").key("o").send().await;
        assert_eq!(again.body["id"] == one.body["id"], defect.is_none());
    }
}
