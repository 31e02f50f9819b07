//! One volley after the other on warm connections, released as `race` does it, or without a gate.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use quickeats_bench::api::{Request, Response};
use quickeats_bench::clock::Clock;
use quickeats_bench::seed::Dice;
use quickeats_bench::target::gate::{Gate, Leave};
use quickeats_bench::target::{Contender, Endpoint, Exchange, HttpTarget, Line, Method, Patience, Target, Version};
use tokio::task::JoinSet;

const LIMIT: Duration = Duration::from_secs(5);

/// How a volley is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Without a gate, each request by a task of its own; over HTTP/2 on one connection.
    Naive(Version),
    Held(Method),
}

impl Sending {
    pub(crate) const fn version(self) -> Version {
        match self {
            Self::Naive(version) => version,
            Self::Held(method) => method.version(),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Naive(Version::Http1) => "naive",
            Self::Naive(Version::Http2) => "naive, HTTP/2",
            Self::Held(method) => method.name(),
        }
    }
}

/// What a volley came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    /// From the first arrival to the last.
    pub(crate) spread: Duration,
    /// From the first release to the last; without a gate, from when the first was begun until the last was.
    pub(crate) skew: Duration,
    /// The last had left before the first was answered.
    pub(crate) at_once: bool,
}

/// The contenders of one row.
pub(crate) struct Volley {
    pub(crate) target: HttpTarget,
    pub(crate) sending: Sending,
    contenders: usize,
    lines: Vec<Line>,
}

impl Volley {
    pub(crate) fn new(scheme: &str, address: SocketAddr, sending: Sending, contenders: usize) -> Self {
        let endpoint = Endpoint::parse(&format!("{scheme}://{address}")).unwrap();
        let target = HttpTarget::new(endpoint, Clock::start(), Patience { request: LIMIT }).unwrap();
        Self { target, sending, contenders, lines: Vec::new() }
    }

    /// Sends the request once for each contender, in an order that the dice decide. None if a contender was answered before its
    /// end had left: it did not race.
    pub(crate) async fn shoot(&mut self, read: &Request, request: &Arc<Request>, dice: &mut Dice) -> Option<Shot> {
        self.connect().await;
        let reads = join_all(self.lines.iter_mut().map(|line| line.send(read))).await;
        let slowest = reads.iter().map(|read| read.window.closed.since(read.window.opened)).max().unwrap();
        dice.shuffle(&mut self.lines);
        let lines = std::mem::take(&mut self.lines);
        let shot = match self.sending {
            Sending::Naive(_) => naive(lines, request).await,
            Sending::Held(method) => held(lines, request, method, method.dwell(slowest, LIMIT)).await,
        };
        let (lines, exchanges): (Vec<_>, Vec<_>) = shot.into_iter().unzip();
        self.lines = lines;
        self.judge(&exchanges)
    }

    async fn connect(&mut self) {
        if self.lines.len() == self.contenders && self.lines.iter().all(Line::is_usable) {
            return;
        }
        self.lines.clear();
        while self.lines.len() < self.contenders {
            let line = match self.lines.first().and_then(Line::twin) {
                Some(twin) => twin,
                None => self.target.contender(self.sending.version()).await.unwrap(),
            };
            self.lines.push(line);
        }
    }

    fn judge(&self, exchanges: &[Exchange]) -> Option<Shot> {
        // A tail is there when the whole request is.
        let mark = match self.sending {
            Sending::Held(method) if method.is_tail() => "whole",
            Sending::Held(_) | Sending::Naive(_) => "arrival",
        };
        let (mut arrivals, mut left, mut answered) = (Vec::new(), Vec::new(), Vec::new());
        for exchange in exchanges {
            left.push(match self.sending {
                Sending::Naive(_) => exchange.window.opened,
                Sending::Held(_) => exchange.window.released?,
            });
            answered.push(exchange.window.closed);
            arrivals.push(arrival(exchange.result.as_ref().unwrap(), mark));
        }
        let spread = arrivals.iter().max()?.saturating_sub(*arrivals.iter().min()?);
        let last = left.iter().max()?;
        Some(Shot { spread, skew: last.since(*left.iter().min()?), at_once: last < answered.iter().min()? })
    }
}

async fn naive(lines: Vec<Line>, request: &Arc<Request>) -> Vec<(Line, Exchange)> {
    let mut tasks = JoinSet::new();
    for mut line in lines {
        let request = Arc::clone(request);
        tasks.spawn(async move {
            let exchange = line.send(&request).await;
            (line, exchange)
        });
    }
    tasks.join_all().await
}

async fn held(lines: Vec<Line>, request: &Arc<Request>, method: Method, dwell: Duration) -> Vec<(Line, Exchange)> {
    let (gate, tickets) = Gate::new(lines.len());
    let leaves: Vec<Leave> = (0..lines.len()).map(|index| Leave { index, delay: Duration::ZERO }).collect();
    let mut tasks = JoinSet::new();
    for (mut line, ticket) in lines.into_iter().zip(tickets) {
        let request = Arc::clone(request);
        let mut task = Box::pin(async move {
            let exchange = line.race(&request, method, ticket).await;
            (line, exchange)
        });
        // As in a race: begun here, so that places on one connection are taken in this order.
        match poll_fn(|cx| Poll::Ready(task.as_mut().poll(cx))).await {
            Poll::Ready(done) => tasks.spawn(std::future::ready(done)),
            Poll::Pending => tasks.spawn(task),
        };
    }
    gate.dwelling(dwell).open(&leaves, LIMIT).await.unwrap();
    tasks.join_all().await
}

/// The moment that the answer's `Server-Timing` has under this name.
fn arrival(response: &Response, mark: &str) -> Duration {
    let (_, timing) = response.headers.iter().find(|(name, _)| &**name == "server-timing").unwrap();
    let metric = timing.split(", ").find_map(|metric| metric.strip_prefix(mark)?.strip_prefix(";dur="));
    Duration::from_secs_f64(metric.unwrap().parse::<f64>().unwrap() / 1e3)
}
