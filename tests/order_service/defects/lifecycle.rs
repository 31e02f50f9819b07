//! Mistakes about which state may follow which.

use quickeats_bench::service::Defect;

use crate::caller::Service;
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    terminal_resurrects_accepts_what_was_cancelled_or_rejected,
    skips_a_state_lets_a_rider_pick_up_what_is_being_prepared,
);

async fn terminal_resurrects_accepts_what_was_cancelled_or_rejected(venue: Venue) {
    for (defect, expected) in [(None, 409), (Some(Defect::TerminalResurrects), 200)] {
        let service = Service::perhaps_with(venue, defect).await;
        for (end, state) in [("cancellation", "cancelled"), ("rejection", "rejected")] {
            let order = service.order_in("pending_acceptance").await;
            let over = service.act(&order, end).send().await;
            assert_eq!(over.body["status"], state);
            assert_eq!(service.act(&order, "acceptance").send().await.status, 412);
            let over = order.tagged(&over.tag());
            assert_eq!(service.act(&over, "pickup").send().await.status, 409);
            assert_eq!(service.act(&over, "acceptance").send().await.status, expected, "{defect:?} {state}");
            let now = service.now(&order).await.body["status"].clone();
            assert_eq!(now, if expected == 200 { "preparing" } else { state });
            if expected == 200 {
                assert_eq!(service.events(&order).await.last().unwrap()["from"], state);
            }
        }
        let delivered = service.order_in("delivered").await;
        assert_eq!(service.act(&delivered, "acceptance").send().await.status, 409);
    }
}

async fn skips_a_state_lets_a_rider_pick_up_what_is_being_prepared(venue: Venue) {
    for (defect, expected) in [(None, 409), (Some(Defect::SkipsAState), 200)] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order_in("preparing").await;
        assert_eq!(service.act(&order.tagged("\"stale\""), "pickup").send().await.status, 412);
        assert_eq!(service.act(&order, "pickup").send().await.status, expected, "{defect:?}");
        let too_soon = service.order_in("pending_acceptance").await;
        assert_eq!(service.act(&too_soon, "pickup").send().await.status, 409);
    }
}
