//! The clients that are loops of this program: 64 connections on one thread for the time of a slice, then one line: how many
//! requests were answered, and in how many seconds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use quickeats_bench::api::Request;
use quickeats_bench::clock::{Clock, Stamp};
use quickeats_bench::history::Window;
use quickeats_bench::target::{Endpoint, Patience, Persistent, Prepared, Route};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use crate::contender::LINES;
use crate::{CONNECTIONS, SLICE};

/// `ask` and `send` are this crate's, and record what load records: each latency in two histograms, and the status. The
/// others record nothing.
pub(crate) const NAMES: [&str; 4] = ["ask", "send", "hyper", "reqwest"];

const TIME: Duration = Duration::from_secs(SLICE);

/// Runs one of them.
pub(crate) fn drive(name: &str, url: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let started = Instant::now();
    let requests = runtime.block_on(async {
        match name {
            "ask" => persistent(url, false).await,
            "send" => persistent(url, true).await,
            "hyper" => hyper(url).await,
            _ => reqwest(url).await,
        }
    });
    println!("{requests} {}", started.elapsed().as_secs_f64());
}

/// What load keeps of each request.
struct Record {
    /// Latency (ns).
    latency: Histogram<u64>,
    /// Latency from when it should have been sent (ns).
    intended: Histogram<u64>,
    statuses: [u64; 600],
}

impl Record {
    fn new() -> Self {
        let histogram = || Histogram::new_with_bounds(1_000, 60_000_000_000, 3).unwrap();
        Self { latency: histogram(), intended: histogram(), statuses: [0; 600] }
    }

    /// Takes one down, and says when it ended.
    fn take(&mut self, window: Window, status: u16) -> Stamp {
        let latency = u64::try_from(window.closed.since(window.opened).as_nanos()).unwrap();
        self.latency.saturating_record(latency);
        self.intended.saturating_record(latency);
        self.statuses[usize::from(status)] += 1;
        window.closed
    }
}

async fn persistent(url: &str, is_whole: bool) -> u64 {
    let clock = Clock::start();
    let endpoint = Endpoint::parse(url).unwrap();
    let route = Route::new(&endpoint, clock, Patience { request: Duration::from_secs(30) }).await.unwrap();
    let request = Arc::new(Request { method: "GET".into(), path: "/".to_owned(), headers: Vec::new(), body: None });
    let prepared = Prepared::new(&route, &request).unwrap();
    let record = Arc::new(Mutex::new(Record::new()));
    let end = Stamp::from_nanos(u64::try_from(TIME.as_nanos()).unwrap());
    let mut lines = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (route, request, prepared, record) =
            (route.clone(), Arc::clone(&request), prepared.clone(), Arc::clone(&record));
        lines.spawn(async move {
            let mut line = Persistent::new(route);
            loop {
                let (window, status) = if is_whole {
                    let exchange = line.send(&request).await;
                    (exchange.window, exchange.result.unwrap().status)
                } else {
                    let brief = line.ask(&prepared).await;
                    (brief.window, brief.result.unwrap().status)
                };
                if record.lock().unwrap().take(window, status) >= end {
                    break;
                }
            }
        });
    }
    lines.join_all().await;
    let record = record.lock().unwrap();
    assert_eq!(record.latency.len(), record.intended.len());
    assert_eq!(record.statuses.iter().sum::<u64>(), record.statuses[200]);
    record.latency.len()
}

async fn hyper(url: &str) -> u64 {
    let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let (requests, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + TIME);
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, requests) = (address.clone(), Arc::clone(&requests));
        loops.spawn(async move {
            let tcp = TcpStream::connect(&*address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tcp)).await.unwrap();
            tokio::spawn(connection);
            while Instant::now() < end {
                let mut request = hyper::Request::get("/").header("host", &address);
                for (name, value) in LINES {
                    request = request.header(name, value);
                }
                sender.ready().await.unwrap();
                let response = sender.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
                assert_eq!(response.status(), 200);
                let mut body = response.into_body();
                while let Some(frame) = body.frame().await {
                    frame.unwrap();
                }
                requests.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    loops.join_all().await;
    requests.load(Ordering::Relaxed)
}

async fn reqwest(url: &str) -> u64 {
    // It wants to know one, though nothing here is encrypted.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).http1_only().build().unwrap();
    let (requests, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + TIME);
    let mut loops = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, requests, url) = (client.clone(), Arc::clone(&requests), url.to_owned());
        loops.spawn(async move {
            while Instant::now() < end {
                let mut request = client.get(&url);
                for (name, value) in LINES {
                    request = request.header(name, value);
                }
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 200);
                response.bytes().await.unwrap();
                requests.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    loops.join_all().await;
    requests.load(Ordering::Relaxed)
}
