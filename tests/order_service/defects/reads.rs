//! Mistakes in reading.

use quickeats_bench::service::Defect;
use serde_json::json;

use crate::caller::{Order, Service};
use crate::venue::{Venue, on_venues};

on_venues!(one process:
    stale_reads_show_a_client_less_than_it_has_done_and_than_it_has_seen,
    stale_reads_are_about_one_order_and_its_content,
);

async fn versions(service: &Service, order: &Order, reads: usize) -> Vec<u64> {
    let mut versions = Vec::new();
    for _ in 0..reads {
        versions.push(service.now(order).await.body["version"].as_u64().unwrap());
    }
    versions
}

async fn stale_reads_show_a_client_less_than_it_has_done_and_than_it_has_seen(venue: Venue) {
    for (defect, expected) in [(None, [2; 6]), (Some(Defect::StaleReads), [1, 1, 1, 2, 1, 1])] {
        let service = Service::perhaps_widely_with(venue, defect).await;
        let order = service.order().await;
        assert_eq!(versions(&service, &order, 1).await, [1]);
        let paid = service.act(&order, "payment").send().await;
        assert_eq!(paid.body["version"], 2);
        assert_eq!(versions(&service, &order, 6).await, expected, "{defect:?}");
        // The cache forgets.
        let started = std::time::Instant::now();
        while versions(&service, &order, 3).await != [2; 3] {
            assert!(started.elapsed() < super::LONG_ENOUGH);
        }
    }
}

async fn stale_reads_are_about_one_order_and_its_content(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::StaleReads).await;
    let order = service.order().await;
    let before = service.now(&order).await;
    let paid = service.act(&order, "payment").send().await;
    let stale = service.now(&order).await;
    assert_eq!((stale.tag(), &stale.bytes), (before.tag(), &before.bytes));
    let list = service.get("/api/v2/orders").send().await;
    assert_eq!(list.body["results"][0]["version"], 2);
    assert_eq!(service.ledger(&order).await.len(), 1);
    assert_eq!(service.events(&order).await.len(), 1);
    // Actions are judged by what the store says.
    assert_eq!(service.act(&order, "acceptance").send().await.status, 412);
    let accepted = service.act(&order.tagged(&paid.tag()), "acceptance").send().await;
    assert_eq!(accepted.body["status"], json!("preparing"));
    // An order that nobody has read is read as it is.
    let other = service.order_in("preparing").await;
    assert_eq!(service.now(&other).await.tag(), other.tag);
}
