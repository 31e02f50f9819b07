//! Mistakes that show only in company.

use std::time::{Duration, Instant};

use quickeats_bench::service::{Defect, ServiceConfig};

use super::LONG_ENOUGH;
use crate::caller::{Order, Reply, Service, count, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    error_after_commit_answers_500_for_what_it_has_done,
    error_after_commit_needs_no_added_window_to_show,
    error_after_commit_does_not_touch_who_is_alone_or_refused,
    deadlock_keeps_one_of_two_kinds_of_action_from_its_answer,
    deadlock_does_not_catch_who_comes_alone,
);
on_venues!(redis: Redis => deadlock_keeps_one_of_two_kinds_of_action_from_its_answer);
on_venues!(one process: deadlock_needs_no_added_window_to_show);

async fn error_after_commit_answers_500_for_what_it_has_done(venue: Venue) {
    for defect in [None, Some(Defect::ErrorAfterCommit)] {
        let service = Service::perhaps_widely_with(venue, defect).await;
        let order = service.order().await;
        let keys = ["one", "two"];
        let replies = race(keys.map(|key| service.payment(&order).key(key))).await;
        let expected = if defect.is_some() { [412, 500] } else { [200, 412] };
        assert_eq!(statuses(&replies), expected, "{defect:?}");
        assert_eq!(service.ledger(&order).await.len(), 1);
        let now = service.now(&order).await;
        assert_eq!(now.body["status"], "pending_acceptance");
        // The key knows better.
        let winner = replies.iter().position(|reply| reply.status != 412).unwrap();
        let again = service.payment(&order).key(keys[winner]).send().await;
        assert_eq!((again.status, again.is_replayed(), again.tag()), (200, true, now.tag()));
    }
}

async fn error_after_commit_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::ErrorAfterCommit).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..10).map(|i| service.act(&order, ["acceptance", "cancellation"][i % 2]))).await;
        if count(&replies, 500) > 0 {
            return;
        }
    }
    panic!("a minute, and nobody was in company");
}

async fn error_after_commit_does_not_touch_who_is_alone_or_refused(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::ErrorAfterCommit).await;
    let (order, other) = (service.order().await, service.order().await);
    let apart = race([service.act(&order, "payment"), service.act(&other, "cancellation")]).await;
    assert_eq!(statuses(&apart), [200, 200]);
    let stale = race((0..3).map(|_| service.act(&order, "acceptance"))).await;
    assert_eq!(statuses(&stale), [412; 3]);
}

/// A gap that both of two requests are in, and that is shorter than anybody's patience.
async fn service_with(venue: Venue, defect: Option<Defect>) -> Service {
    let config = ServiceConfig { defect, defect_window: Duration::from_millis(60), ..ServiceConfig::default() };
    Service::with(venue, config).await
}

async fn accept_against_cancel(service: &Service, order: &Order) -> Vec<Reply> {
    race([service.act(order, "acceptance").key("a"), service.act(order, "cancellation").key("c")]).await
}

async fn deadlock_keeps_one_of_two_kinds_of_action_from_its_answer(venue: Venue) {
    let sound = service_with(venue, None).await;
    let order = sound.order_in("pending_acceptance").await;
    assert_eq!(statuses(&accept_against_cancel(&sound, &order).await), [200, 412]);

    let service = service_with(venue, Some(Defect::Deadlock)).await;
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < LONG_ENOUGH, "a minute, and no two requests met");
        let order = service.order_in("pending_acceptance").await;
        let replies = accept_against_cancel(&service, &order).await;
        let done = count(&replies, 200);
        assert!(done <= 1);
        // Whoever heard 503 was not applied.
        assert_eq!(service.now(&order).await.body["version"], 2 + done);
        assert_eq!(service.events(&order).await.len(), 1 + done);
        if count(&replies, 503) > 0 {
            return;
        }
    }
}

async fn deadlock_does_not_catch_who_comes_alone(venue: Venue) {
    let service = service_with(venue, Some(Defect::Deadlock)).await;
    for _ in 0..3 {
        let order = service.order_in("delivered").await;
        assert_eq!(service.now(&order).await.body["version"], 6);
        let order = service.order_in("pending_acceptance").await;
        assert_eq!(service.act(&order.tagged("\"stale\""), "acceptance").send().await.status, 412);
        assert_eq!(service.act(&order, "acceptance").send().await.status, 200);
    }
    assert_eq!(service.post("/api/v2/orders/00000000-0000-4000-8000-000000000000/pickup").send().await.status, 404);
}

async fn deadlock_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::Deadlock).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..4).map(|i| service.act(&order, ["acceptance", "cancellation"][i % 2]))).await;
        if count(&replies, 503) > 0 {
            return;
        }
    }
    panic!("a minute, and no two requests waited for each other");
}
