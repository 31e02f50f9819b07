//! Whoever is measured: the bare handler and the service on each store, each on a runtime of its own.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use axum::{Json, Router};
use quickeats_bench::jwt::{Claims, Secret};
use quickeats_bench::service::{Auth, OrderService, ServiceConfig, StoreChoice};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::real_parts;
use crate::wire::{Reply, rate, send};

const LONG_FROM_NOW: u64 = 4_000_000_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `POST /api/v2/orders`
    Create,
    /// `GET /api/v2/orders/{id}`
    Read,
    /// `POST /api/v2/orders/{id}/acceptance` of an order that is pending acceptance, with its tag in `If-Match`.
    Action,
}

impl Operation {
    pub(crate) const ALL: [Self; 3] = [Self::Create, Self::Read, Self::Action];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Action => "action",
        }
    }
}

/// A server that runs until the program ends.
pub(crate) struct Contender {
    pub(crate) name: String,
    address: SocketAddr,
    /// How many requests a slice has.
    slice: usize,
    secret: Option<Secret>,
    is_bare: bool,
    _folder: Option<TempDir>,
}

impl Contender {
    /// All that can run here, the bare one first.
    pub(crate) fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = StoreChoice::Sqlite(folder.path().join("orders.db"));
        let open = |store| ServiceConfig { store, ..ServiceConfig::default() };
        let secret = Secret::random();
        let guarded = ServiceConfig { auth: Auth::Jwt(secret.clone()), ..ServiceConfig::default() };
        let mut contenders = vec![
            Self::bare(),
            Self::service("memory", 4000, open(StoreChoice::Memory)),
            Self { secret: Some(secret), ..Self::service("memory, jwt", 4000, guarded) },
            Self { _folder: Some(folder), ..Self::service("SQLite file", 200, open(sqlite)) },
        ];
        if real_parts::has_postgres("PostgreSQL's rows of the table") {
            let store = real_parts::postgres().parse().unwrap();
            contenders.push(Self::service("PostgreSQL, no fsync", 400, open(store)));
        }
        contenders
    }

    fn bare() -> Self {
        let app = Router::new().fallback(async || Json(json!({"id": 7, "status": "ok", "version": 1})));
        let address = on_a_runtime_of_its_own(async |listener| axum::serve(listener, app).await.unwrap());
        Self { name: "bare axum".to_owned(), address, slice: 4000, secret: None, is_bare: true, _folder: None }
    }

    fn service(name: &str, slice: usize, config: ServiceConfig) -> Self {
        let address = on_a_runtime_of_its_own(async |listener| {
            let service = OrderService::open(config).await.unwrap();
            service.serve(listener, std::future::pending()).await.unwrap();
        });
        Self { name: name.to_owned(), address, slice, secret: None, is_bare: false, _folder: None }
    }

    /// Requests per second in one slice.
    pub(crate) fn measure(&self, operation: Operation) -> f64 {
        let (requests, expected) = match operation {
            Operation::Create => (vec![self.create(); self.slice], 201),
            Operation::Read => {
                let orders = self.send_all(&vec![self.create(); 100], 201);
                let reads: Vec<_> = orders.iter().map(|order| self.read(order)).collect();
                (reads.into_iter().cycle().take(self.slice).collect(), 200)
            }
            Operation::Action => {
                let created = self.send_all(&vec![self.create(); self.slice], 201);
                let payments: Vec<_> = created.iter().map(|order| self.payment(order)).collect();
                let paid = self.send_all(&payments, 200);
                (paid.iter().map(|order| self.acceptance(order)).collect(), 200)
            }
        };
        rate(self.address, &requests, if self.is_bare { 200 } else { expected })
    }

    /// What the service answers, or, for the bare handler, what it might have.
    fn send_all(&self, requests: &[Vec<u8>], expected: u16) -> Vec<Reply> {
        if self.is_bare {
            let made_up = Reply {
                id: "3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned(),
                tag: "\"3fa85f6457174562b3fc2c963f66afa6\"".to_owned(),
            };
            return vec![made_up; requests.len()];
        }
        send(self.address, requests, expected)
    }

    fn create(&self) -> Vec<u8> {
        self.request("customer", "POST /api/v2/orders", "", r#"{"restaurant":"sushi-kaze","amount":25000}"#)
    }

    fn read(&self, order: &Reply) -> Vec<u8> {
        self.request("customer", &format!("GET /api/v2/orders/{}", order.id), "", "")
    }

    fn payment(&self, order: &Reply) -> Vec<u8> {
        let headers = format!("if-match: {}\r\nidempotency-key: \"{}\"\r\n", order.tag, order.id);
        let body = r#"{"payment_method":"card","amount":25000}"#;
        self.request("customer", &format!("POST /api/v2/orders/{}/payment", order.id), &headers, body)
    }

    fn acceptance(&self, order: &Reply) -> Vec<u8> {
        let headers = format!("if-match: {}\r\n", order.tag);
        self.request("restaurant", &format!("POST /api/v2/orders/{}/acceptance", order.id), &headers, "{}")
    }

    fn request(&self, role: &str, line: &str, headers: &str, body: &str) -> Vec<u8> {
        let token = self.secret.as_ref().map(|secret| {
            let sub = if role == "restaurant" { "sushi-kaze" } else { "ann" };
            let claims = Claims { sub: sub.to_owned(), role: role.to_owned(), exp: LONG_FROM_NOW };
            format!("authorization: Bearer {}\r\n", secret.mint(&claims))
        });
        let token = token.unwrap_or_default();
        let content = match body.len() {
            0 => String::new(),
            length => format!("content-type: application/json\r\ncontent-length: {length}\r\n"),
        };
        format!("{line} HTTP/1.1\r\nhost: bench\r\n{headers}{token}{content}\r\n{body}").into_bytes()
    }
}

/// Starts a thread with a runtime of one worker, and a server on it that nobody stops.
fn on_a_runtime_of_its_own<F: Future<Output = ()>>(
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap()).await });
    });
    wait_until_it_answers(address);
    address
}

/// A socket listens before its server does; the first answer says that its store is open.
fn wait_until_it_answers(address: SocketAddr) {
    let request = b"GET /healthz HTTP/1.1\r\nhost: bench\r\n\r\n".to_vec();
    let answered = crate::wire::within(Duration::from_mins(1), address, &[request]);
    assert!(answered, "the server at {address} does not answer");
}
