//! Each mistake happens, and everything else stays right.

use std::time::Duration;

use quickeats_bench::service::{Defect, OrderService, ServiceConfig, Strategy};

use crate::caller::{Reply, Request, Service};
use crate::venue::{Venue, on_venues};

mod access;
mod commits;
mod distress;
mod effects;
mod idempotency;
mod keys;
mod lifecycle;
mod preconditions;
mod reads;
mod record;
mod tags;

on_venues!(memory: Memory => a_defect_that_could_not_show_is_refused_at_start);
on_venues!(one process: every_defect_leaves_the_rest_right);

/// How long chance is given to bring two requests together.
const LONG_ENOUGH: Duration = Duration::from_mins(1);

/// Sends a request that may be refused once by mistake.
async fn insist(defect: Defect, request: impl Fn() -> Request) -> Reply {
    let reply = request().send().await;
    if defect == Defect::Spurious412 && reply.status == 412 { request().send().await } else { reply }
}

/// Asked one after the other, whatever no mistake is about is answered as the sound service answers it.
async fn every_defect_leaves_the_rest_right(venue: Venue) {
    for defect in Defect::ALL.iter().copied() {
        // Those that want to know who is asking are told of in `access`.
        if (ServiceConfig { defect: Some(defect), ..ServiceConfig::default() }).check().is_err() {
            continue;
        }
        let service = Service::with_defect(venue, defect).await;
        let mut order = service.order().await;
        for action in ["payment", "acceptance", "preparation-complete", "pickup", "delivery"] {
            let done = insist(defect, || service.act(&order, action)).await;
            assert_eq!(done.status, 200, "{defect} {action}");
            order.tag = done.tag();
        }
        if defect == Defect::AckBeforeCommit {
            commits::all_is_written(&service, &order).await;
        }
        let now = service.now(&order).await;
        assert_eq!(now.body["version"], 6, "{defect}");
        let events = if defect == Defect::LostEvent { 4 } else { 5 };
        assert_eq!(service.events(&order).await.len(), events, "{defect}");
        assert_eq!(service.ledger(&order).await.len(), 1, "{defect}");
        let illegal = insist(defect, || service.act(&order, "cancellation")).await;
        assert_eq!(illegal.status, 409, "{defect}");

        let order = service.order().await;
        let one = format!("/api/v2/orders/{}", order.id);
        let not_modified = service.get(&one).header("if-none-match", &order.tag);
        assert_eq!(not_modified.send().await.status, 304, "{defect}");
        assert_eq!(service.payment(&order).send().await.status, 400, "{defect}");
        let first = insist(defect, || service.payment(&order).key("k")).await;
        assert_eq!(first.status, 200, "{defect}");
        let again = service.payment(&order).key("k").send().await;
        assert!(again.is_replayed(), "{defect}");
        assert_eq!(again.bytes, first.bytes, "{defect}");
        let elsewhere = service.act(&order, "cancellation").key("k").send().await;
        assert_eq!(elsewhere.status == 422, defect != Defect::IdempotencyReplaysAnything, "{defect}");
        assert_eq!(service.ledger(&order).await.len(), 1, "{defect}");
    }
}

async fn a_defect_that_could_not_show_is_refused_at_start(_venue: Venue) {
    let open = async |defect, strategy| {
        let config = ServiceConfig { defect: Some(defect), strategy, ..ServiceConfig::default() };
        OrderService::open(config).await.err().map(|error| error.to_string())
    };
    for defect in Defect::ALL.iter().copied() {
        let refused = open(defect, Strategy::Optimistic).await;
        let is_about_who_may = matches!(defect, Defect::WrongActor | Defect::OthersOrders);
        assert_eq!(refused.is_some_and(|why| why.contains("--auth jwt")), is_about_who_may, "{defect}");
        let refused = open(defect, Strategy::Pessimistic).await;
        let takes_no_lock =
            matches!(defect, Defect::CheckThenSave | Defect::Stale412Applies | Defect::IdempotencyCheckThenAct);
        assert_eq!(refused.is_some_and(|why| why.contains("--strategy optimistic")), takes_no_lock, "{defect}");
        let key_store = "redis://127.0.0.1:1".parse().unwrap();
        let elsewhere = ServiceConfig { defect: Some(defect), key_store, ..ServiceConfig::default() };
        let refused = elsewhere.check().err().is_some_and(|why| why.to_string().contains("--idempotency-store same"));
        assert_eq!(refused, defect == Defect::IdempotencyMemoryPerReplica, "{defect}");
    }
}
