//! Killed at the worst places: between the claim on a key and the commit, and between the commit and the answer.

use std::time::{Duration, Instant};

use crate::real_parts;
use crate::served::Served;
use crate::wire::Wire;

const LEASE: Duration = Duration::from_secs(2);
/// What starting a service and asking it may take on a busy machine, on top.
const SLACK: Duration = Duration::from_secs(20);

/// The port of `scheme://…@host:port/…`, and the same URL with another one.
fn port(url: &str) -> u16 {
    url.rsplit([':', '/']).nth(1).unwrap().parse().unwrap()
}

fn with_port(url: &str, port: u16) -> String {
    url.replace(&format!(":{}/", self::port(url)), &format!(":{port}/"))
}

fn serve(store: &str, keys: &str) -> Served {
    Served::start(&["--store", store, "--idempotency-store", keys, "--idempotency-lease", "2s"])
}

/// Window 1, wherever keys are kept: nothing has happened, and the key is free when its lease is over.
async fn claimed_and_killed(database: &str, keys: &str) {
    let mut wire = Wire::until("UPDATE orders", port(database)).await;
    let served = serve(&with_port(database, wire.port), keys);
    let caller = served.caller();
    let order = caller.order().await.unwrap();
    let paying = tokio::spawn({
        let order = order.clone();
        async move { caller.pay(&order, "k").await }
    });
    wire.word_was_said().await;
    let killed = Instant::now();
    served.kill();
    assert!(paying.await.unwrap().is_none());

    let served = serve(database, keys);
    let caller = served.caller();
    assert_eq!(caller.now(&order).await["version"], 1);
    assert!(caller.rows(&order, "payments").await.is_empty());
    let (status, body) = caller.pay_when_free(&order, "k").await;
    assert_eq!(status, 200, "{body}");
    assert!(killed.elapsed() < LEASE + SLACK);
    assert_eq!(caller.rows(&order, "payments").await.len(), 1);
    assert_eq!(caller.rows(&order, "events").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_with_a_claim_in_the_database_leaves_nothing_behind() {
    if real_parts::has_postgres("crash::a_process_that_dies_with_a_claim_in_the_database") {
        claimed_and_killed(&real_parts::postgres(), "same").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_with_a_claim_in_redis_leaves_nothing_behind() {
    let test = "crash::a_process_that_dies_with_a_claim_in_redis";
    if real_parts::has_postgres(test) && real_parts::has_redis(test) {
        claimed_and_killed(&real_parts::postgres(), &real_parts::redis()).await;
    }
}

/// Window 2, which only Redis has: the charge stays, its answer is lost, and there is never a second charge.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_between_the_commit_and_redis_has_charged_once() {
    let test = "crash::a_process_that_dies_between_the_commit_and_redis";
    if !real_parts::has_postgres(test) || !real_parts::has_redis(test) {
        return;
    }
    let (database, keys) = (real_parts::postgres(), real_parts::redis());
    // Claiming is a SET; the first script to be sent is the one that finishes the key.
    let mut wire = Wire::until("EVAL", port(&keys)).await;
    let served = serve(&database, &with_port(&keys, wire.port));
    let caller = served.caller();
    let order = caller.order().await.unwrap();
    let paying = tokio::spawn({
        let order = order.clone();
        async move { caller.pay(&order, "k").await }
    });
    wire.word_was_said().await;
    let killed = Instant::now();
    served.kill();
    assert!(paying.await.unwrap().is_none());

    let served = serve(&database, &keys);
    let caller = served.caller();
    assert_eq!(caller.now(&order).await["status"], "pending_acceptance");
    let charged = caller.rows(&order, "payments").await;
    assert_eq!(charged.len(), 1);
    let (status, body) = caller.pay_when_free(&order, "k").await;
    assert_eq!(status, 412, "{body}");
    assert!(killed.elapsed() < LEASE + SLACK);
    let mut whatever_version = order.clone();
    whatever_version.tag = "*".to_owned();
    let (status, body) = caller.pay_when_free(&whatever_version, "other").await;
    assert_eq!((status, &body["error"]), (409, &"illegal_transition".into()));
    assert_eq!(caller.rows(&order, "payments").await, charged);
}

/// A promise is kept if the write came first; the defect `ack-before-commit` makes it come later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_it_was_committed_is_lost_by_a_crash() {
    for (defect, kept) in [(&[][..], 2), (&["--defect", "ack-before-commit", "--defect-window", "60s"], 1)] {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("orders.db").display());
        let served = Served::start(&[&["--store", &store], defect].concat());
        let caller = served.caller();
        let order = caller.order().await.unwrap();
        let (status, body) = caller.pay(&order, "k").await.unwrap();
        assert_eq!((status, &body["version"]), (200, &2.into()));
        served.kill();
        let served = Served::start(&["--store", &store]);
        assert_eq!(served.caller().now(&order).await["version"], kept, "{defect:?}");
    }
}
