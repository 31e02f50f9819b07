//! Killed again and again under a load of payments: what was acknowledged is there once, and nothing is there by halves.

use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinSet;

use crate::real_parts;
use crate::served::{Caller, Order, Served};

/// `KILLS=500` makes the long run.
fn kills() -> u32 {
    std::env::var("KILLS").map_or(50, |kills| kills.parse().expect("KILLS is a number"))
}

/// A payment that was asked for, and what was heard of it.
struct Asked {
    order: Order,
    key: String,
    acknowledged: Option<Value>,
}

/// Places orders and pays for them until the service is gone.
async fn pay_on(caller: Caller) -> Vec<Asked> {
    let mut asked = Vec::new();
    while let Some(order) = caller.order().await {
        let key = order.id.clone();
        let heard = caller.pay(&order, &key).await;
        let gone = heard.is_none();
        let acknowledged = heard.map(|(status, body)| {
            assert_eq!(status, 200, "{body}");
            body["payment"]["id"].clone()
        });
        asked.push(Asked { order, key, acknowledged });
        if gone {
            break;
        }
    }
    asked
}

async fn survive(store: &str) {
    let arguments = ["--store", store, "--idempotency-lease", "1s"];
    let mut asked = Vec::new();
    for kill in 0..kills() {
        let served = Served::start(&arguments);
        let mut load: JoinSet<_> = (0..4).map(|_| pay_on(served.caller())).collect();
        // A different moment each time, with no pattern in it and no chance either.
        tokio::time::sleep(Duration::from_millis(20 + u64::from(kill * 37 % 83))).await;
        served.kill();
        while let Some(done) = load.join_next().await {
            asked.extend(done.unwrap());
        }
    }
    let served = Served::start(&arguments);
    let caller = served.caller();
    let acknowledged = asked.iter().filter(|one| one.acknowledged.is_some()).count();
    let cut_off = asked.len() - acknowledged;
    assert!(acknowledged > 0 && cut_off > 0, "{acknowledged} acknowledged, {cut_off} cut off: no test");
    for Asked { order, key, acknowledged } in asked {
        let ledger = caller.rows(&order, "payments").await;
        let version = caller.now(&order).await["version"].as_u64().unwrap();
        let events = caller.rows(&order, "events").await;
        assert_eq!(events.len() as u64 + 1, version, "as many events as transitions");
        assert_eq!(ledger.len() as u64 + 1, version, "a charge exactly where there was a payment");
        if let Some(charge) = &acknowledged {
            assert_eq!(ledger.len(), 1, "acknowledged, and lost");
            assert_eq!(ledger[0]["id"], *charge);
        }
        // The key is answered or free by now, whatever the process was doing when it died.
        let (status, body) = caller.pay_when_free(&order, &key).await;
        assert_eq!(status, 200, "{body}");
        let ledger = caller.rows(&order, "payments").await;
        assert_eq!(ledger.len(), 1);
        assert_eq!(ledger[0]["id"], body["payment"]["id"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_payments_survive_kills_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    survive(&format!("sqlite:{}", folder.path().join("orders.db").display())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_payments_survive_kills_on_postgresql() {
    if real_parts::has_postgres("crash::acknowledged_payments_survive_kills_on_postgresql") {
        survive(&real_parts::postgres()).await;
    }
}
