//! Mistakes about what a refused request may leave behind.

use quickeats_bench::service::Defect;
use serde_json::json;

use crate::caller::{Service, fresh_key, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    stale_412_applies_refuses_what_it_has_done,
    double_charge_charges_whom_it_refuses,
    double_charge_does_not_charge_for_a_repeated_key_or_a_request_it_need_not_judge,
);

on_venues!(each strategy:
    charge_outside_transaction_keeps_the_charge_of_whom_it_refuses,
    charge_outside_transaction_charges_nobody_whose_request_was_refused_at_first_sight,
);

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

async fn charge_outside_transaction_keeps_the_charge_of_whom_it_refuses(venue: Venue) {
    for defect in [None, Some(Defect::ChargeOutsideTransaction)] {
        let service = Service::perhaps_widely_with(venue, defect).await;
        let order = service.order().await;
        let replies = race((0..2).map(|_| service.act(&order, "payment"))).await;
        assert_eq!(statuses(&replies), [200, 412], "{defect:?}");
        let ledger = service.ledger(&order).await;
        assert_eq!(ledger.len(), if defect.is_some() { 2 } else { 1 }, "{defect:?}");
        let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
        assert!(ledger.iter().any(|charge| charge["id"] == winner.body["payment"]["id"]));
        assert_eq!(service.now(&order).await.body["version"], 2);
        assert_eq!(service.events(&order).await.len(), 1);
    }
}

async fn charge_outside_transaction_charges_nobody_whose_request_was_refused_at_first_sight(venue: Venue) {
    let service = Service::with_defect(venue, Defect::ChargeOutsideTransaction).await;
    let order = service.order().await;
    assert_eq!(service.act(&order.tagged("\"stale\""), "payment").send().await.status, 412);
    assert_eq!(service.bare_act(&order, "payment").send().await.status, 428);
    assert!(service.ledger(&order).await.is_empty());
    let paid = service.act(&order, "payment").send().await;
    let paid = order.tagged(&paid.tag());
    assert_eq!(service.act(&paid, "payment").send().await.status, 409);
    assert_eq!(service.ledger(&order).await.len(), 1);
}
