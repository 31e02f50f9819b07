//! Orders: placing, reading, listing, and the whole way to the door.

use serde_json::{Value, json};

use crate::caller::Service;
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    an_order_goes_from_placed_to_delivered_one_version_at_a_time,
    an_unnamed_rider_is_given_an_id_that_can_be_looked_up,
    a_new_order_says_where_it_is_and_has_the_contracts_members,
    a_payment_tells_the_charge_that_the_ledger_has,
    a_declined_payment_fails_the_order_and_charges_nothing,
    a_reason_is_kept_with_its_event,
    lists_come_in_pages_with_each_related_row_once,
    restaurants_riders_and_health_are_there_to_be_asked,
);

async fn an_order_goes_from_placed_to_delivered_one_version_at_a_time(venue: Venue) {
    let service = Service::sound(venue).await;
    let mut order = service.order().await;
    let steps = [
        ("payment", "pending_acceptance"),
        ("acceptance", "preparing"),
        ("preparation-complete", "ready_for_pickup"),
        ("pickup", "in_transit"),
        ("delivery", "delivered"),
    ];
    let mut tags = vec![order.tag.clone()];
    for (version, (action, status)) in (2..).zip(steps) {
        let reply = service.act(&order, action).actor("rider:bob").send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.body["status"], status);
        assert_eq!(reply.body["version"], version);
        assert_eq!(service.now(&order).await.tag(), reply.tag());
        order.tag = reply.tag();
        tags.push(reply.tag());
    }
    let distinct: std::collections::BTreeSet<_> = tags.iter().collect();
    assert_eq!(distinct.len(), tags.len());
    assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");

    let events = service.events(&order).await;
    assert_eq!(events.len(), 5);
    assert_eq!(events[0]["seq"], 1);
    assert_eq!(events[0]["action"], "payment");
    assert_eq!(events[0]["from"], "pending_payment");
    assert_eq!(events[0]["actor"], "rider:bob");
    assert_eq!(events[4]["to"], "delivered");
    assert_eq!(events[4]["version"], 6);
    assert_eq!(service.ledger(&order).await.len(), 1);
    assert_eq!(service.now(&order).await.body["rider"], "bob");
    let rider = service.get("/api/v2/riders/bob").send().await;
    assert_eq!(rider.body, json!({"id": "bob", "name": "bob"}));
}

async fn an_unnamed_rider_is_given_an_id_that_can_be_looked_up(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("in_transit").await;
    let rider = service.now(&order).await.body["rider"].as_str().unwrap().to_owned();
    rider.parse::<uuid::Uuid>().unwrap();
    let found = service.get(&format!("/api/v2/riders/{rider}")).send().await;
    assert_eq!(found.body["id"], rider);
}

async fn a_new_order_says_where_it_is_and_has_the_contracts_members(venue: Venue) {
    let service = Service::sound(venue).await;
    let reply = service
        .post("/api/v2/orders/")
        .json(&json!({"restaurant": "sushi-kaze", "amount": 4200, "items": [1, 2]}))
        .send()
        .await;
    assert_eq!(reply.status, 201);
    let members: Vec<_> = reply.body.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["id", "restaurant", "restaurant_name", "rider", "status", "amount", "version", "created_at", "updated_at"]
    );
    assert_eq!(reply.body["restaurant_name"], "Sushi Kaze");
    assert_eq!(reply.body["amount"], 4200);
    assert_eq!(reply.body["version"], 1);
    assert_eq!(reply.body["rider"], Value::Null);
    let created_at = reply.body["created_at"].as_str().unwrap();
    created_at.parse::<jiff::Timestamp>().unwrap();

    let found = service.get(reply.header("location").unwrap()).send().await;
    assert_eq!(found.bytes, reply.bytes);
    assert_eq!(found.tag(), reply.tag());
}

async fn a_payment_tells_the_charge_that_the_ledger_has(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let reply = service.act(&order, "payment").send().await;
    let payment = &reply.body["payment"];
    assert_eq!(payment["amount"], 25_000);
    assert_eq!(payment["payment_method"], "card");
    assert!(payment["status"].is_string());
    let ledger = service.ledger(&order).await;
    assert_eq!(ledger.len(), 1);
    assert_eq!(ledger[0]["id"], payment["id"]);
    assert!(ledger[0]["created_at"].is_string());
}

async fn a_declined_payment_fails_the_order_and_charges_nothing(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let declined = || {
        service
            .post(&format!("/api/v2/orders/{}/payment", order.id))
            .if_match(&order.tag)
            .key("declined-1")
            .json(&json!({"payment_method": "declined", "amount": 25_000}))
    };
    let reply = declined().send().await;
    assert_eq!(reply.status, 402);
    assert_eq!(reply.body["current_status"], "payment_failed");
    assert_eq!(reply.body["current_version"], 2);
    assert!(service.ledger(&order).await.is_empty());
    assert_eq!(service.now(&order).await.tag(), reply.tag());
    assert_eq!(service.events(&order).await.len(), 1);
    let again = declined().send().await;
    assert!(again.is_replayed());
    assert_eq!(again.bytes, reply.bytes);
}

async fn a_reason_is_kept_with_its_event(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    service.act(&order, "cancellation").send().await;
    assert_eq!(service.events(&order).await[0]["reason"], "changed my mind");
}

async fn lists_come_in_pages_with_each_related_row_once(venue: Venue) {
    let service = Service::sound(venue).await;
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(service.order().await.id);
    }
    let moving = service.order_in("in_transit").await;
    placed.push(moving.id.clone());

    let mut seen = Vec::new();
    let mut path = "/api/v2/orders?limit=3&include=restaurant,rider".to_owned();
    loop {
        let page = service.get(&path).send().await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.body["included"]["restaurants"].as_array().unwrap().len(), 1);
        for order in page.body["results"].as_array().unwrap() {
            seen.push(order["id"].as_str().unwrap().to_owned());
        }
        match page.body["next_cursor"].as_str() {
            Some(cursor) => {
                path = format!("/api/v2/orders/?limit=3&include=restaurant&cursor={cursor}");
            }
            None => break,
        }
    }
    assert_eq!(seen, placed);

    let filtered = service.get("/api/v2/orders?status=in_transit&include=rider").send().await;
    assert_eq!(filtered.body["results"][0]["id"], moving.id);
    assert_eq!(filtered.body["results"].as_array().unwrap().len(), 1);
    assert_eq!(filtered.body["included"]["riders"].as_array().unwrap().len(), 1);
    assert_eq!(filtered.body["included"]["restaurants"], json!([]));
    assert_eq!(filtered.body["next_cursor"], Value::Null);

    for bad in [
        "limit=0",
        "limit=x",
        "status=eaten",
        "cursor=x",
        "cursor=%2B1",
        "limit=%2B1",
        "include=chef",
        "stauts=cancelled",
    ] {
        let reply = service.get(&format!("/api/v2/orders?{bad}")).send().await;
        assert_eq!(reply.status, 400, "{bad}");
    }
}

async fn restaurants_riders_and_health_are_there_to_be_asked(venue: Venue) {
    let service = Service::sound(venue).await;
    for (path, status) in [
        ("/healthz", 200),
        ("/healthz/", 200),
        ("/api/v2/restaurants/trattoria-roma", 200),
        ("/api/v2/restaurants/trattoria-roma/", 200),
        ("/api/v2/restaurants/nowhere", 404),
        ("/api/v2/riders/nobody", 404),
        ("/api/v2/riders/%ff", 404),
    ] {
        assert_eq!(service.get(path).send().await.status, status, "{path}");
    }
}
