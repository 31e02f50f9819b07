//! Mistakes about `If-Match`.

use std::time::Instant;

use quickeats_bench::service::Defect;

use super::LONG_ENOUGH;
use crate::caller::{Order, Reply, Service, count, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    check_then_save_tells_both_contenders_that_they_made_the_same_version,
    check_then_save_lets_each_of_two_payments_charge,
    check_then_save_needs_no_added_window_to_show,
    ignore_if_match_accepts_a_stale_tag_and_still_wants_one,
    optional_if_match_lets_a_request_without_one_through_and_compares_the_others,
);

on_venues!(each strategy:
    weak_compare_takes_a_weak_tag_for_a_strong_one,
    spurious_412_refuses_every_fourth_current_tag,
);

async fn accept_against_cancel(service: &Service, order: &Order) -> Vec<Reply> {
    race([service.act(order, "acceptance"), service.act(order, "cancellation")]).await
}

async fn check_then_save_tells_both_contenders_that_they_made_the_same_version(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order_in("pending_acceptance").await;
    let replies = accept_against_cancel(&service, &order).await;
    assert_eq!(statuses(&replies), [200, 200]);
    assert!(replies.iter().all(|reply| reply.body["version"] == 3));
    assert_ne!(replies[0].tag(), replies[1].tag());
    assert_eq!(service.events(&order).await.len(), 3);
    assert_eq!(service.now(&order).await.body["version"], 3);
}

async fn check_then_save_lets_each_of_two_payments_charge(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let replies = race((0..2).map(|_| service.act(&order, "payment"))).await;
    assert_eq!(statuses(&replies), [200, 200]);
    assert_eq!(service.ledger(&order).await.len(), 2);
}

async fn check_then_save_needs_no_added_window_to_show(venue: Venue) {
    let service = Service::with_defect(venue, Defect::CheckThenSave).await;
    let started = Instant::now();
    while started.elapsed() < LONG_ENOUGH {
        let order = service.order_in("pending_acceptance").await;
        let replies = race((0..10).map(|i| service.act(&order, ["acceptance", "cancellation"][i % 2]))).await;
        if count(&replies, 200) > 1 {
            return;
        }
    }
    panic!("a minute, and nobody was overwritten");
}

async fn ignore_if_match_accepts_a_stale_tag_and_still_wants_one(venue: Venue) {
    let service = Service::with_defect(venue, Defect::IgnoreIfMatch).await;
    let order = service.order().await;
    let missing = service.bare_act(&order, "payment").send().await;
    assert_eq!(missing.status, 428);
    let stale = service.act(&order.tagged("\"stale\""), "payment").send().await;
    assert_eq!(stale.status, 200);
    let illegal = service.act(&order, "payment").send().await;
    assert_eq!(illegal.status, 409);
    assert_eq!(service.ledger(&order).await.len(), 1);
}

async fn optional_if_match_lets_a_request_without_one_through_and_compares_the_others(venue: Venue) {
    let service = Service::with_defect(venue, Defect::OptionalIfMatch).await;
    let order = service.order().await;
    let stale = service.act(&order.tagged("\"stale\""), "payment").send().await;
    assert_eq!(stale.status, 412);
    let missing = service.bare_act(&order, "payment").send().await;
    assert_eq!(missing.status, 200);
    let illegal = service.bare_act(&order, "payment").send().await;
    assert_eq!(illegal.status, 409);
}

async fn weak_compare_takes_a_weak_tag_for_a_strong_one(venue: Venue) {
    for (defect, expected) in [(None, 412), (Some(Defect::WeakCompare), 200)] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order().await;
        let weak = order.tagged(&format!("\"other\", W/{}", order.tag));
        let none_match = service.act(&weak, "payment").header("if-none-match", &order.tag);
        assert_eq!(none_match.send().await.status, 412, "{defect:?}");
        assert_eq!(service.act(&weak.tagged("W/\"stale\""), "payment").send().await.status, 412, "{defect:?}");
        assert_eq!(service.bare_act(&order, "payment").send().await.status, 428, "{defect:?}");
        assert_eq!(service.act(&weak, "payment").send().await.status, expected, "{defect:?}");
        assert_eq!(service.ledger(&order).await.len(), usize::from(expected == 200), "{defect:?}");
    }
}

async fn spurious_412_refuses_every_fourth_current_tag(venue: Venue) {
    for (defect, fourth) in [(None, 200), (Some(Defect::Spurious412), 412)] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order_in("ready_for_pickup").await;
        // What is stale, or names no tag, is judged as ever, and is not counted.
        assert_eq!(service.act(&order.tagged("\"stale\""), "pickup").send().await.status, 412);
        let other = service.order().await;
        assert_eq!(service.act(&other.tagged("*"), "payment").send().await.status, 200);
        let refused = service.act(&order, "pickup").key("k").send().await;
        assert_eq!(refused.status, fourth, "{defect:?}");
        let again = service.act(&order, "pickup").key("k").send().await;
        assert_eq!(again.status, 200, "{defect:?}");
        assert_eq!(again.is_replayed(), fourth == 200);
    }
}
