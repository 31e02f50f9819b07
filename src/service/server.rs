//! Connections: accept, serve HTTP/1.1 within limits, stop without cutting anybody off.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::log::{Begun, RequestLog};
use super::problem::Problem;
use super::stores::{Watched, within};
use crate::clock::{Clock, Stamp};

/// How long to wait before accepting again when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What arrivals are told by: one clock for all replicas of a process, so that their stamps can be compared.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What connections may take: of time, of memory, of each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many are served at once. Whoever comes then waits to be let in.
    pub(super) connections: usize,
    /// The head of a request, in bytes; a larger one is refused with 431.
    pub(super) head_bytes: usize,
    /// The head of a request, waiting for it included.
    pub(super) head: Duration,
    /// A request, from its head to the start of its answer.
    pub(super) request: Duration,
    /// Finishing what is in flight at shutdown.
    pub(super) grace: Duration,
}

pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    log: Option<RequestLog>,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    LazyLock::force(&CLOCK);
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut panicked = 0_usize;
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => panicked += usize::from(is_panic(&ended)),
            accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(stream, router.clone(), limits, log.clone(), stopping.clone());
                    connections.spawn(connection);
                }
                // The peer is gone already, or there are too many sockets: neither is the end of the service.
                Err(error) if is_the_peers(&error) => {}
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    drop(stop);
    let drained = timeout(limits.grace, async {
        while let Some(ended) = connections.join_next().await {
            panicked += usize::from(is_panic(&ended));
        }
    });
    if drained.await.is_err() {
        connections.shutdown().await;
    }
    match panicked {
        0 => Ok(()),
        count => Err(io::Error::other(format!("{count} connections of the order service ended in a panic"))),
    }
}

/// What an answer took (<https://www.w3.org/TR/server-timing/>): SQL statements, and milliseconds until it began; and when
/// its request arrived, in milliseconds on [`CLOCK`], to the nanosecond.
fn server_timing(statements: u32, took: Duration, arrived: Stamp) -> HeaderValue {
    let plural = if statements == 1 { "" } else { "s" };
    let micros = took.as_micros();
    let nanos = arrived.nanos();
    let text = format!(
        "db;desc=\"{statements} statement{plural}\", total;dur={}.{:03}, arrival;dur={}.{:06}",
        micros / 1000,
        micros % 1000,
        nanos / 1_000_000,
        nanos % 1_000_000,
    );
    HeaderValue::try_from(text).expect("numbers and names are visible ASCII")
}

fn is_panic(ended: &Result<(), JoinError>) -> bool {
    ended.as_ref().is_err_and(JoinError::is_panic)
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// Serves one connection until it ends, or until `stopping` closes and the request in flight, if any, is answered.
async fn serve_connection(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    log: Option<RequestLog>,
    mut stopping: watch::Receiver<()>,
) {
    // An answer is one small write: held back for an acknowledgment (Nagle), it would wait for tens of milliseconds.
    // A socket that cannot be told is served all the same.
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(router);
    let within_limit = service_fn(move |request: Request<Incoming>| {
        // Before anything else: how far apart two requests arrived is told by this alone.
        let arrived = CLOCK.now();
        let line = log.as_ref().map(|log| Begun::new(log, &request));
        let answered = app.call(request);
        async move {
            let Watched { ended, statements } = within(limits.request, answered).await;
            let mut response = match ended {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(given_up) => Problem::timed_out(given_up).into_response(),
            };
            let took = CLOCK.now().since(arrived);
            response.headers_mut().insert(SERVER_TIMING, server_timing(statements, took, arrived));
            if let Some(line) = line {
                line.answered(response.status().as_u16(), took, statements);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(limits.head_bytes)
            .serve_connection(TokioIo::new(stream), within_limit)
    );
    // How a connection ends is its peer's affair: resets and half requests are daily bread in a race.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
