//! What is about the stores themselves: what outlives a service, and what is said when a store cannot be had.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quickeats_bench::service::{OrderService, ServiceConfig, StoreChoice};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::caller::{Order, Service};
use crate::real_parts;
use crate::venue::{Venue, on_venues};

on_venues!(memory: Memory => seed_data_is_loaded_once);
on_venues!(sqlite: Sqlite =>
    orders_and_keys_outlive_the_service,
    a_service_that_starts_finds_its_schema,
    seed_data_is_loaded_once,
);
on_venues!(postgres: Postgres =>
    orders_and_keys_outlive_the_service,
    a_service_that_starts_finds_its_schema,
    seed_data_is_loaded_once,
    replicas_may_start_together,
    while_the_database_is_away_nothing_is_applied_and_then_all_is_well,
);

async fn orders_and_keys_outlive_the_service(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("in_transit").await;
    let other = service.order().await;
    let first = service.payment(&other).key("k").send().await;
    let before = service.now(&order).await;
    let props = service.stop().await.unwrap();

    let service = Service::open(props, ServiceConfig::default()).await;
    let after = service.now(&order).await;
    assert_eq!((after.bytes, after.headers.get("etag")), (before.bytes, before.headers.get("etag")));
    assert_eq!(service.events(&order).await.len(), 4);
    let again = service.payment(&other).key("k").send().await;
    assert!(again.is_replayed());
    assert_eq!((again.status, &again.bytes), (200, &first.bytes));
    for name in ["etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name));
    }
    assert_eq!(service.ledger(&other).await.len(), 1);
}

async fn seed_data_is_loaded_once(venue: Venue) {
    let config = ServiceConfig { seed_data: 30, ..ServiceConfig::default() };
    let service = Service::with(venue, config.clone()).await;
    let all = |service: &Service| service.get("/api/v2/orders?limit=100&include=restaurant,rider").send();
    let page = all(&service).await;
    assert_eq!(page.body["results"].as_array().unwrap().len(), 30);
    assert_eq!(page.body["included"]["restaurants"].as_array().unwrap().len(), 30);
    assert_eq!(service.get("/api/v2/riders/rider-30").send().await.body["name"], "Rider 30");
    let first = &page.body["results"][0];
    let order = Order { id: first["id"].as_str().unwrap().to_owned(), tag: "*".to_owned() };
    assert_eq!(service.act(&order, "cancellation").send().await.status, 200);
    let props = service.stop().await.unwrap();
    if !matches!(venue, Venue::Memory | Venue::Http2) {
        let service = Service::open(props, config).await;
        assert_eq!(all(&service).await.body["results"].as_array().unwrap().len(), 30);
        assert_eq!(service.now(&order).await.body["status"], "cancelled");
    }
}

async fn a_service_that_starts_finds_its_schema(venue: Venue) {
    let props = venue.props();
    for _ in 0..3 {
        let config = ServiceConfig { store: props.store.clone(), ..ServiceConfig::default() };
        OrderService::open(config).await.unwrap();
    }
}

async fn replicas_may_start_together(venue: Venue) {
    let props = venue.props();
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let config = ServiceConfig { store: props.store.clone(), ..ServiceConfig::default() };
        starting.spawn(async { OrderService::open(config).await.map(|_| ()) });
    }
    while let Some(started) = starting.join_next().await {
        started.unwrap().unwrap();
    }
}

/// Between a service and its database, and gone on demand.
struct Wire {
    port: u16,
    cut: Arc<AtomicBool>,
    carried: JoinSet<()>,
}

impl Wire {
    async fn to(database: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        let mut carried = JoinSet::new();
        carried.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let is_cut = Arc::clone(&is_cut);
                connections.spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", database)).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        () = until(&is_cut) => {}
                    }
                });
            }
        });
        Self { port, cut, carried }
    }
}

async fn until(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

async fn while_the_database_is_away_nothing_is_applied_and_then_all_is_well(venue: Venue) {
    let url = real_parts::postgres();
    let port = url.rsplit(['/', ':']).nth(1).unwrap().to_owned();
    let wire = Wire::to(port.parse().unwrap()).await;
    let store: StoreChoice = url.replace(&port, &wire.port.to_string()).parse().unwrap();
    let mut props = venue.props();
    props.store = store;
    let service = Service::open(props, ServiceConfig::default()).await;
    let order = service.order().await;

    wire.cut.store(true, Ordering::SeqCst);
    let away = service.payment(&order).key("k").send().await;
    assert_eq!(away.status, 503, "{away:?}");
    assert_eq!(away.header("content-type"), Some("application/problem+json"));
    assert_eq!(service.get("/healthz").send().await.status, 200);
    wire.cut.store(false, Ordering::SeqCst);

    assert_eq!(service.now(&order).await.tag(), order.tag);
    let back = service.payment(&order).key("k").send().await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(service.ledger(&order).await.len(), 1);
    drop(wire.carried);
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_named_without_its_password() {
    let nobody_listens = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    for store in [format!("postgres://ann:hunter2@127.0.0.1:{nobody_listens}/d"), "sqlite:/nowhere/orders.db".into()] {
        let config = ServiceConfig { store: store.parse().unwrap(), ..ServiceConfig::default() };
        let Err(error) = OrderService::open(config).await else { panic!("{store} was opened") };
        let message = error.to_string();
        assert!(message.contains("cannot be opened"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
