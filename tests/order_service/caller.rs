//! A service of a test's own, and somebody who calls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Version;
use quickeats_bench::service::{Defect, OrderService, ServiceConfig};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::described::Described;
use crate::http2;
use crate::venue::{Props, Venue};

/// A running service, or several on one store. Stops when it is dropped, or, with its result, by [`stop`](Self::stop).
pub(crate) struct Service {
    replicas: Vec<Replica>,
    turn: AtomicUsize,
    client: Client,
    described: Arc<Described>,
    defect: Option<Defect>,
    props: Props,
}

struct Replica {
    base: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Service {
    pub(crate) async fn sound(venue: Venue) -> Self {
        Self::with(venue, ServiceConfig::default()).await
    }

    pub(crate) async fn with_defect(venue: Venue, defect: Defect) -> Self {
        Self::perhaps_with(venue, Some(defect)).await
    }

    pub(crate) async fn perhaps_with(venue: Venue, defect: Option<Defect>) -> Self {
        Self::with(venue, ServiceConfig { defect, ..ServiceConfig::default() }).await
    }

    /// A defect whose gap is wide enough for requests that are sent together to meet in it.
    pub(crate) async fn with_wide_defect(venue: Venue, defect: Defect) -> Self {
        Self::perhaps_widely_with(venue, Some(defect)).await
    }

    pub(crate) async fn perhaps_widely_with(venue: Venue, defect: Option<Defect>) -> Self {
        let defect_window = Duration::from_millis(500);
        Self::with(venue, ServiceConfig { defect, defect_window, ..ServiceConfig::default() }).await
    }

    /// A service that behaves as `config` says, but for its store, which is the venue's.
    pub(crate) async fn with(venue: Venue, config: ServiceConfig) -> Self {
        Self::open(venue.props(), config).await
    }

    /// The same on a store that is there already.
    pub(crate) async fn open(props: Props, config: ServiceConfig) -> Self {
        let mut replicas = Vec::new();
        for strategy in &props.strategies {
            let config = ServiceConfig {
                store: props.store.clone(),
                key_store: props.key_store.clone(),
                strategy: *strategy,
                ..config.clone()
            };
            replicas.push(Replica::start(OrderService::open(config).await.unwrap()).await);
        }
        Self::of(replicas, config.defect, props).await
    }

    /// Two services on one store, also if it is in memory; each request goes to the other one than the request before.
    pub(crate) async fn two_replicas(venue: Venue, defect: Option<Defect>) -> Self {
        let props = venue.props();
        let config = ServiceConfig {
            store: props.store.clone(),
            key_store: props.key_store.clone(),
            strategy: props.strategies[0],
            defect,
            ..ServiceConfig::default()
        };
        let mut replicas = Vec::new();
        for service in OrderService::open_replicas(config, 2).await.unwrap() {
            replicas.push(Replica::start(service).await);
        }
        Self::of(replicas, defect, props).await
    }

    async fn of(replicas: Vec<Replica>, defect: Option<Defect>, props: Props) -> Self {
        let client = client();
        let described = Described::fetch(&client, &replicas[0].base).await;
        Self { replicas, turn: AtomicUsize::new(0), client, described, defect, props }
    }

    /// Stops in good order, and hands back the store.
    pub(crate) async fn stop(self) -> std::io::Result<Props> {
        for Replica { stop, task, .. } in self.replicas {
            drop(stop);
            task.await.unwrap()?;
        }
        Ok(self.props)
    }

    /// The address of whoever is to be asked next.
    pub(crate) fn base(&self) -> &str {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.replicas[turn % self.replicas.len()].base
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        let builder = self.client.request(method, format!("{}{path}", self.base()));
        let version = self.props.version;
        Request {
            builder,
            version,
            described: says_what_is_described(self.defect).then(|| Arc::clone(&self.described)),
        }
    }

    pub(crate) fn described(&self) -> &Described {
        &self.described
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Request {
        self.request(Method::POST, path)
    }

    /// A fresh order, pending payment.
    pub(crate) async fn order(&self) -> Order {
        let reply = self.post("/api/v2/orders").send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        Order { id: reply.body["id"].as_str().unwrap().to_owned(), tag: reply.tag() }
    }

    /// An order that was brought to a state, with its tag in that state.
    pub(crate) async fn order_in(&self, status: &str) -> Order {
        let mut order = self.order().await;
        let actions = ["payment", "acceptance", "preparation-complete", "pickup", "delivery"];
        let way = ["pending_payment", "pending_acceptance", "preparing", "ready_for_pickup", "in_transit", "delivered"];
        let steps = way.iter().position(|state| *state == status).unwrap();
        for action in &actions[..steps] {
            let reply = self.act(&order, action).send().await;
            assert_eq!(reply.status, 200, "{reply:?}");
            order.tag = reply.tag();
        }
        order
    }

    /// A well-formed action with the order's tag, and for a payment with a key of its own.
    pub(crate) fn act(&self, order: &Order, action: &str) -> Request {
        self.bare_act(order, action).if_match(&order.tag)
    }

    /// The same without `If-Match`.
    pub(crate) fn bare_act(&self, order: &Order, action: &str) -> Request {
        let request = self.post(&format!("/api/v2/orders/{}/{action}", order.id));
        match action {
            "payment" => request.key(&fresh_key()).json(&json!({"payment_method": "card", "amount": 25_000})),
            "cancellation" | "rejection" => request.json(&json!({"reason": "changed my mind"})),
            _ => request,
        }
    }

    /// A payment without a key.
    pub(crate) fn payment(&self, order: &Order) -> Request {
        self.post(&format!("/api/v2/orders/{}/payment", order.id))
            .if_match(&order.tag)
            .json(&json!({"payment_method": "card", "amount": 25_000}))
    }

    /// Where the order stands now.
    pub(crate) async fn now(&self, order: &Order) -> Reply {
        let reply = self.get(&format!("/api/v2/orders/{}", order.id)).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    pub(crate) async fn ledger(&self, order: &Order) -> Vec<Value> {
        self.rows(order, "payments").await
    }

    pub(crate) async fn events(&self, order: &Order) -> Vec<Value> {
        self.rows(order, "events").await
    }

    async fn rows(&self, order: &Order, what: &str) -> Vec<Value> {
        let path = format!("/api/v2/orders/{}/{what}", order.id);
        let reply = self.get(&path).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["results"].as_array().unwrap().clone()
    }
}

impl Replica {
    async fn start(service: OrderService) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        Self { base, stop, task: tokio::spawn(service.serve(listener, stopped)) }
    }
}

fn client() -> Client {
    // reqwest wants a TLS provider even for plain HTTP. A second installation fails, and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().tls_certs_only([]).no_proxy().timeout(Duration::from_mins(1)).build().unwrap()
}

pub(crate) fn fresh_key() -> String {
    format!("\"{}\"", uuid::Uuid::new_v4())
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) tag: String,
}

impl Order {
    pub(crate) fn tagged(&self, tag: &str) -> Self {
        Self { tag: tag.to_owned(), ..self.clone() }
    }
}

/// Whether a service says only what its description tells of. These defects are heard: two repeat what was no answer to
/// this request, and one lets a framework answer.
fn says_what_is_described(defect: Option<Defect>) -> bool {
    !matches!(
        defect,
        Some(Defect::IdempotencyReplaysAnything | Defect::IdempotencyStores412 | Defect::ErrorAfterCommit)
    )
}

/// A request whose answer must be one that the description tells of, if there is one to go by.
pub(crate) struct Request {
    builder: RequestBuilder,
    version: Version,
    described: Option<Arc<Described>>,
}

impl Request {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    pub(crate) fn if_match(self, value: &str) -> Self {
        self.header("if-match", value)
    }

    pub(crate) fn key(self, value: &str) -> Self {
        self.header("idempotency-key", value)
    }

    pub(crate) fn actor(self, value: &str) -> Self {
        self.header("x-actor", value)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    pub(crate) fn text(self, content_type: &str, body: &str) -> Self {
        let named = self.header("content-type", content_type);
        Self { builder: named.builder.body(body.to_owned()), ..named }
    }

    /// Sends, and gives up after a while without an answer.
    pub(crate) async fn abandon_after(self, patience: Duration) {
        assert!(tokio::time::timeout(patience, self.send()).await.is_err());
    }

    pub(crate) async fn send(self) -> Reply {
        let (client, request) = self.builder.build_split();
        let request = request.unwrap();
        let (method, url) = (request.method().clone(), request.url().clone());
        let response = match self.version {
            Version::HTTP_2 => http2::ask(request).await,
            _ => client.execute(request).await.unwrap(),
        };
        assert_eq!(response.version(), self.version);
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let reply = Reply { status, headers, bytes, body };
        if let Some(described) = self.described {
            assert_eq!(described.check(&method, &url, &reply), Ok(()), "{method} {url}: {reply:?}");
        }
        reply
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn tag(&self) -> String {
        self.header("etag").unwrap().to_owned()
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }
}

/// Sends all requests at once and waits for all answers.
pub(crate) async fn race(requests: impl IntoIterator<Item = Request>) -> Vec<Reply> {
    let running: Vec<_> = requests.into_iter().map(|request| tokio::spawn(request.send())).collect();
    let mut replies = Vec::with_capacity(running.len());
    for reply in running {
        replies.push(reply.await.unwrap());
    }
    replies
}

pub(crate) fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    statuses
}

pub(crate) fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}
