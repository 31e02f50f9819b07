//! A service that takes its time over actions.

use std::time::Duration;

use quickeats_bench::service::{LatencyRule, ServiceConfig};

use crate::caller::{Service, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    one_action_is_let_ahead_of_another,
    an_action_that_takes_too_long_has_not_reached_the_store,
);

async fn one_action_is_let_ahead_of_another(venue: Venue) {
    let rule: LatencyRule = "acceptance=500ms".parse().unwrap();
    let config = ServiceConfig { latency: [rule].into_iter().collect(), ..ServiceConfig::default() };
    let service = Service::with(venue, config).await;
    let order = service.order_in("pending_acceptance").await;
    let replies = race([service.act(&order, "acceptance"), service.act(&order, "cancellation")]).await;
    assert_eq!(statuses(&replies), [200, 412]);
    assert_eq!(service.now(&order).await.body["status"], "cancelled");
}

async fn an_action_that_takes_too_long_has_not_reached_the_store(venue: Venue) {
    let config = ServiceConfig {
        latency: [LatencyRule::of_all(Duration::from_mins(1))].into_iter().collect(),
        request_timeout: Duration::from_millis(50),
        ..ServiceConfig::default()
    };
    let service = Service::with(venue, config).await;
    let order = service.order().await;
    for action in ["payment", "cancellation", "acceptance"] {
        assert_eq!(service.act(&order, action).send().await.status, 503, "{action}");
    }
    assert_eq!(service.now(&order).await.tag(), order.tag);
    assert!(service.ledger(&order).await.is_empty());
}
