//! A target in memory, for tests on paused time: orders that can be paid, accepted and cancelled, as slowly as is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::api::{Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};
use crate::target::gate::{Parked, Ticket};
use crate::target::{Contender, Exchange, Failure, Method, Target, Version};

/// The limit for one request.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// How long a request to order `number` takes.
pub(super) type Pace = Box<dyn Fn(&Request, usize) -> Duration + Send + Sync>;

/// The target; clones are the same one.
#[derive(Clone)]
pub(super) struct Fake(Arc<World>);

struct World {
    clock: Clock,
    pace: Pace,
    /// Who may work at one time.
    workers: Semaphore,
    connecting: Duration,
    /// Whether its events are answered, and never tell of anything.
    is_forgetful: bool,
    orders: Mutex<Vec<Order>>,
    connections: AtomicUsize,
    connecting_now: AtomicUsize,
    connecting_most: AtomicUsize,
}

struct Order {
    status: &'static str,
    version: u64,
}

impl Fake {
    /// A target whose requests take as long as `pace` says, with so many workers.
    pub(super) fn new(clock: Clock, workers: usize, pace: Pace) -> Self {
        Self(Arc::new(World::new(clock, workers, pace)))
    }

    /// One that takes no time, and whose events never tell of anything.
    pub(super) fn forgetful(clock: Clock) -> Self {
        let world = World::new(clock, Semaphore::MAX_PERMITS, Box::new(|_, _| Duration::ZERO));
        Self(Arc::new(World { is_forgetful: true, ..world }))
    }

    /// One whose `POST`s take so long, and nothing else takes any time.
    pub(super) fn acting(clock: Clock, time: Duration) -> Self {
        let pace = move |asked: &Request, _| if &*asked.method == "POST" { time } else { Duration::ZERO };
        Self::new(clock, Semaphore::MAX_PERMITS, Box::new(pace))
    }

    /// Orders that were made, or asked for.
    pub(super) fn orders(&self) -> usize {
        self.0.orders.lock().unwrap().len()
    }

    /// Contenders' connections that were opened, and the most that were being opened at one time.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.0.connections.load(Ordering::Relaxed), self.0.connecting_most.load(Ordering::Relaxed))
    }

    async fn exchange(&self, request: &Request, ticket: Option<Ticket>) -> Exchange {
        let opened = self.0.clock.now();
        let mut released = None;
        if let Some(ticket) = ticket {
            let gate = Arc::new(Held(Notify::new()));
            ticket.park(Arc::clone(&gate) as Arc<dyn Parked>);
            gate.0.notified().await;
            released = Some(self.0.clock.now());
        }
        let answer = tokio::time::timeout(LIMIT, self.answer(request)).await;
        let result = answer.map_err(|_| Failure::Unknown(Cause::TimedOut));
        Exchange { window: Window { opened, released, closed: self.0.clock.now() }, result }
    }

    async fn answer(&self, request: &Request) -> Response {
        let parts: Vec<&str> = request.path.split('/').skip(4).collect();
        let number = match parts.first() {
            None => {
                let mut orders = self.0.orders.lock().unwrap();
                orders.push(Order { status: "pending_payment", version: 1 });
                orders.len()
            }
            Some(id) => id.parse().unwrap(),
        };
        let worker = self.0.workers.acquire().await.unwrap();
        tokio::time::sleep((self.0.pace)(request, number)).await;
        drop(worker);
        let mut orders = self.0.orders.lock().unwrap();
        let order = &mut orders[number - 1];
        let tag = format!("\"{}\"", order.version);
        let next = match (parts.get(1).copied(), order.status) {
            (None, _) => return order.shown(number, if parts.is_empty() { 201 } else { 200 }),
            (Some("payment"), "pending_payment") => "pending_acceptance",
            (Some("acceptance"), "pending_acceptance") => "preparing",
            (Some("cancellation"), "pending_acceptance") => "cancelled",
            (Some("events"), _) if self.0.is_forgetful => {
                return Response { status: 200, headers: Vec::new(), body: r#"{"results":[]}"#.into() };
            }
            (Some(_), _) => return Response { status: 404, ..Response::default() },
        };
        if !request.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("if-match") && **value == *tag) {
            return Response { status: 412, ..Response::default() };
        }
        (order.status, order.version) = (next, order.version + 1);
        order.shown(number, 200)
    }
}

impl World {
    fn new(clock: Clock, workers: usize, pace: Pace) -> Self {
        Self {
            clock,
            pace,
            workers: Semaphore::new(workers),
            connecting: Duration::from_millis(1),
            is_forgetful: false,
            orders: Mutex::default(),
            connections: AtomicUsize::new(0),
            connecting_now: AtomicUsize::new(0),
            connecting_most: AtomicUsize::new(0),
        }
    }
}

impl Order {
    fn shown(&self, number: usize, status: u16) -> Response {
        let body = format!(r#"{{"id":"{number}","status":"{}","version":{}}}"#, self.status, self.version);
        let headers = vec![("etag".into(), format!("\"{}\"", self.version).into())];
        Response { status, headers, body: body.into() }
    }
}

pub(super) struct Held(pub(super) Notify);

impl Parked for Held {
    fn fire(&self) {
        self.0.notify_one();
    }
}

impl Target for Fake {
    type Contender = Self;

    async fn send(&self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn contender(&self, _: Version) -> Result<Self, Cause> {
        self.0.connections.fetch_add(1, Ordering::Relaxed);
        let now = self.0.connecting_now.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.connecting_most.fetch_max(now, Ordering::Relaxed);
        tokio::time::sleep(self.0.connecting).await;
        self.0.connecting_now.fetch_sub(1, Ordering::Relaxed);
        Ok(self.clone())
    }
}

impl Contender for Fake {
    async fn send(&mut self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn race(&mut self, request: &Request, _: Method, ticket: Ticket) -> Exchange {
        self.exchange(request, Some(ticket)).await
    }

    fn is_usable(&self) -> bool {
        true
    }
}
