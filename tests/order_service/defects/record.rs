//! Mistakes in what is written down about an order.

use std::time::Instant;

use quickeats_bench::service::Defect;
use serde_json::{Value, json};

use super::LONG_ENOUGH;
use crate::caller::{Service, count, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    lost_event_applies_every_third_transition_without_telling,
    version_skips_gives_the_loser_of_a_race_a_number_that_nobody_gets,
    version_skips_counts_by_one_where_there_is_no_race,
);
on_venues!(one process: version_skips_needs_no_added_window_to_show);

fn versions(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["version"].clone()).collect()
}

async fn lost_event_applies_every_third_transition_without_telling(venue: Venue) {
    for (defect, told) in [(None, json!([2, 3, 4, 5, 6])), (Some(Defect::LostEvent), json!([2, 3, 5, 6]))] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order_in("delivered").await;
        assert_eq!(json!(versions(&service.events(&order).await)), told, "{defect:?}");
        assert_eq!(service.now(&order).await.body["version"], 6);
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}

async fn version_skips_gives_the_loser_of_a_race_a_number_that_nobody_gets(venue: Venue) {
    for defect in [None, Some(Defect::VersionSkips)] {
        let service = Service::perhaps_widely_with(venue, defect).await;
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..3).map(|_| service.act(&order, "acceptance"))).await;
        assert_eq!(statuses(&replies), [200, 412, 412]);
        let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
        let next = service.act(&order.tagged(&winner.tag()), "preparation-complete").send().await;
        // Whichever of 3, 4 and 5 the winner had drawn, all three are gone.
        assert_eq!(next.body["version"], if defect.is_some() { 6 } else { 4 }, "{defect:?}");
        assert_ne!(next.tag(), winner.tag());
        assert_eq!(service.now(&order).await.bytes, next.bytes);
        let told = versions(&service.events(&order).await);
        assert_eq!(told, [&json!(2), &winner.body["version"], &next.body["version"]].map(Value::clone));
    }
}

async fn version_skips_counts_by_one_where_there_is_no_race(venue: Venue) {
    let service = Service::with_defect(venue, Defect::VersionSkips).await;
    let order = service.order_in("pending_acceptance").await;
    assert_eq!(service.act(&order.tagged("\"stale\""), "acceptance").send().await.status, 412);
    assert_eq!(service.act(&order, "pickup").send().await.status, 409);
    assert_eq!(service.act(&order, "acceptance").send().await.body["version"], 3);
}

async fn version_skips_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::VersionSkips).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..10).map(|_| service.act(&order, "acceptance"))).await;
        assert_eq!(count(&replies, 200), 1);
        if service.now(&order).await.body["version"] != 3 {
            return;
        }
    }
    panic!("a minute, and no number was skipped");
}
