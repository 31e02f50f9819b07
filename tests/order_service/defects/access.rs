//! Mistakes about who may act.

use quickeats_bench::service::Defect;

use crate::auth::Guarded;
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    wrong_actor_lets_a_rider_accept_and_a_restaurant_cancel,
    others_orders_lets_any_customer_cancel_any_order,
);

const ROMA: &str = "restaurant:trattoria-roma";

async fn wrong_actor_lets_a_rider_accept_and_a_restaurant_cancel(venue: Venue) {
    for (defect, expected) in [(None, 403), (Some(Defect::WrongActor), 200)] {
        let guarded = Guarded::perhaps_with(venue, defect).await;
        for (who, action) in [("rider:bob", "acceptance"), (ROMA, "cancellation")] {
            let order = guarded.after(&["payment"]).await;
            let stale = order.tagged("\"stale\"");
            assert_eq!(guarded.act(who, &stale, action).await.status, if expected == 200 { 412 } else { 403 });
            let acted = guarded.act(who, &order, action).await;
            assert_eq!(acted.status, expected, "{defect:?} {action}");
        }
        // Everybody else is kept from everything else, and from what is not theirs.
        let order = guarded.after(&["payment"]).await;
        assert_eq!(guarded.act("customer:ann", &order, "acceptance").await.status, 403);
        assert_eq!(guarded.act("rider:bob", &order, "rejection").await.status, 403);
        assert_eq!(guarded.act("customer:bea", &order, "cancellation").await.status, 404);
        let elsewhere = guarded.act("restaurant:sushi-kaze", &order, "cancellation").await;
        assert_eq!(elsewhere.status, if expected == 200 { 404 } else { 403 });
        assert_eq!(guarded.act(ROMA, &order, "acceptance").await.status, 200);
    }
}

async fn others_orders_lets_any_customer_cancel_any_order(venue: Venue) {
    for (defect, expected) in [(None, 404), (Some(Defect::OthersOrders), 200)] {
        let guarded = Guarded::perhaps_with(venue, defect).await;
        let order = guarded.order_of("ann").await;
        let pay = guarded.service.payment(&order).key("k");
        assert_eq!(guarded.by("customer:bea", pay).send().await.status, 404);
        assert_eq!(guarded.act("rider:bob", &order, "cancellation").await.status, 403);
        let cancelled = guarded.act("customer:bea", &order, "cancellation").await;
        assert_eq!(cancelled.status, expected, "{defect:?}");
        if defect.is_none() {
            assert_eq!(guarded.act("customer:ann", &order, "cancellation").await.status, 200);
        }
    }
}
