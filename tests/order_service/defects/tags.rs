//! Mistakes about which version a tag names.

use quickeats_bench::service::Defect;
use reqwest::Method;
use serde_json::json;

use crate::caller::{Order, Service};
use crate::venue::{Venue, on_venues};

on_venues!(each strategy:
    etag_unchanged_lets_a_stale_tag_pass,
    etag_per_status_lets_an_old_tag_pass_when_v1_has_brought_its_status_back,
    etag_per_status_tells_orders_and_statuses_apart,
);

async fn put(service: &Service, order: &Order, status: &str) {
    let path = format!("/api/v1/orders/{}", order.id);
    let put = service.request(Method::PUT, &path).json(&json!({"status": status})).send().await;
    assert_eq!(put.status, 200);
}

async fn etag_unchanged_lets_a_stale_tag_pass(venue: Venue) {
    for (defect, expected) in [(None, 412), (Some(Defect::EtagUnchanged), 200)] {
        let service = Service::perhaps_with(venue, defect).await;
        let (order, other) = (service.order().await, service.order().await);
        assert_ne!(order.tag, other.tag);
        let paid = service.act(&order, "payment").send().await;
        assert_eq!(paid.tag() == order.tag, defect.is_some());
        assert_eq!(service.now(&order).await.tag(), paid.tag());
        put(&service, &order, "pending_acceptance").await;
        assert_eq!(service.now(&order).await.tag() == order.tag, defect.is_some());
        assert_eq!(service.act(&order, "acceptance").send().await.status, expected, "{defect:?}");
        assert_eq!(service.act(&other.tagged("\"another\""), "payment").send().await.status, 412);
    }
}

async fn etag_per_status_lets_an_old_tag_pass_when_v1_has_brought_its_status_back(venue: Venue) {
    for (defect, expected) in [(None, 412), (Some(Defect::EtagPerStatus), 200)] {
        let service = Service::perhaps_with(venue, defect).await;
        let order = service.order_in("preparing").await;
        put(&service, &order, "cancelled").await;
        assert_eq!(service.act(&order, "preparation-complete").send().await.status, 412);
        put(&service, &order, "preparing").await;
        let late = service.act(&order, "preparation-complete").send().await;
        assert_eq!(late.status, expected, "{defect:?}");
        assert_eq!(service.now(&order).await.body["version"], if expected == 200 { 6 } else { 5 });
    }
}

async fn etag_per_status_tells_orders_and_statuses_apart(venue: Venue) {
    let service = Service::with_defect(venue, Defect::EtagPerStatus).await;
    let (order, other) = (service.order().await, service.order().await);
    assert_ne!(order.tag, other.tag);
    let paid = service.act(&order, "payment").send().await;
    assert_ne!(paid.tag(), order.tag);
    assert_eq!(service.now(&order).await.tag(), paid.tag());
    assert_eq!(service.act(&order, "acceptance").send().await.status, 412);
}
