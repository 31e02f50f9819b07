//! Mistakes about when a write is one.

use std::time::Duration;

use quickeats_bench::service::{Defect, ServiceConfig};

use crate::caller::{Order, Service, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    ack_before_commit_tells_of_what_is_not_there_yet,
    ack_before_commit_lets_one_of_two_contenders_win,
    ack_before_commit_needs_no_added_window_to_show,
);
on_venues!(two_replicas: TwoReplicas => ack_before_commit_may_promise_what_never_comes);

/// Returns when nothing that was promised about an order is still to be written.
pub(super) async fn all_is_written(service: &Service, order: &Order) {
    let stale = service.act(&order.tagged("\"stale\""), "cancellation").send().await;
    assert_eq!(stale.status, 412);
}

async fn ack_before_commit_tells_of_what_is_not_there_yet(venue: Venue) {
    for defect in [None, Some(Defect::AckBeforeCommit)] {
        let service = Service::perhaps_widely_with(venue, defect).await;
        let order = service.order().await;
        let pay = || service.payment(&order).key("k").send();
        let paid = pay().await;
        assert_eq!((paid.status, &paid.body["version"]), (200, &2.into()));
        let seen = service.now(&order).await;
        assert_eq!(seen.body["version"], if defect.is_some() { 1 } else { 2 });
        assert_eq!(service.ledger(&order).await.len(), usize::from(defect.is_none()));
        // A retry waits for the write, and so does the next action.
        let again = pay().await;
        assert!(again.is_replayed());
        assert_eq!(again.bytes, paid.bytes);
        let now = service.now(&order).await;
        assert_eq!((now.tag(), &now.body["version"]), (paid.tag(), &2.into()));
        assert_eq!(service.ledger(&order).await.len(), 1);
        assert_eq!(service.events(&order).await.len(), 1);
    }
}

async fn ack_before_commit_lets_one_of_two_contenders_win(venue: Venue) {
    let service = Service::with_defect(venue, Defect::AckBeforeCommit).await;
    let order = service.order_in("pending_acceptance").await;
    let replies = race([service.act(&order, "acceptance"), service.act(&order, "cancellation")]).await;
    assert_eq!(statuses(&replies), [200, 412]);
    all_is_written(&service, &order).await;
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(service.now(&order).await.tag(), winner.tag());
}

async fn ack_before_commit_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::AckBeforeCommit).await;
    let started = std::time::Instant::now();
    while started.elapsed() < super::LONG_ENOUGH {
        let order = service.order().await;
        let paid = service.act(&order, "payment").send().await;
        if service.now(&order).await.body["version"] != paid.body["version"] {
            return;
        }
    }
    panic!("a minute, and every promise was kept at once");
}

/// Two processes each promise the next version. (The one that locks the order holds the lock until it has written.)
async fn ack_before_commit_may_promise_what_never_comes(venue: Venue) {
    let mut props = venue.props();
    props.strategies.fill(quickeats_bench::service::Strategy::Optimistic);
    let config = ServiceConfig {
        defect: Some(Defect::AckBeforeCommit),
        defect_window: Duration::from_millis(500),
        ..ServiceConfig::default()
    };
    let service = Service::open(props, config).await;
    let order = service.order().await;
    let replies = race([service.act(&order, "payment"), service.act(&order, "cancellation")]).await;
    assert_eq!(statuses(&replies), [200, 200]);
    // Each of the two has its own queue.
    all_is_written(&service, &order).await;
    all_is_written(&service, &order).await;
    assert_eq!(service.events(&order).await.len(), 1);
}
