//! One connection: HTTP/1.1, or HTTP/2 by prior knowledge, on the same port and with the same limits.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::super::log::{Begun, RequestLog};
use super::super::problem::Problem;
use super::super::stores::{Watched, within};
use super::Limits;
use super::preface::{self, Protocol};
use super::streams::Streams;
use crate::clock::{Clock, Stamp};

/// How many requests one HTTP/2 connection may have under way. Of one that wants more, they wait at its end.
const STREAMS: u32 = 256;

/// What arrivals are told by: one clock for all replicas of a process, so that their stamps can be compared.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::start);

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Starts the clock that arrivals are told by, if it does not run yet.
pub(super) fn start_clock() {
    LazyLock::force(&CLOCK);
}

/// Serves one connection until it ends, or until `stopping` closes and the requests in flight are answered.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    limits: Limits,
    log: Option<RequestLog>,
    mut stopping: watch::Receiver<()>,
) {
    // An answer is one small write: held back for an acknowledgment (Nagle), it would wait for tens of milliseconds.
    // A socket that cannot be told is served all the same.
    let _ = stream.set_nodelay(true);
    let told = tokio::select! {
        told = timeout(limits.head, preface::tell(stream)) => told,
        // Nothing was asked yet, so nobody is cut off.
        _ = stopping.changed() => return,
    };
    let service = answering(router, limits.request, log);
    match told {
        Ok(Ok((Protocol::Http1, stream))) => serve_http1(stream, service, limits, stopping).await,
        Ok(Ok((Protocol::Http2, stream))) => serve_http2(stream, service, limits, stopping).await,
        // It ended, or said nothing for too long.
        Ok(Err(_)) | Err(_) => {}
    }
}

/// Answers requests by `router` within `limit`, and says of each what it took and when it came.
fn answering(
    router: Router,
    limit: Duration,
    log: Option<RequestLog>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<Body>,
    Error = Infallible,
    Future: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
> {
    let app = TowerToHyperService::new(router);
    service_fn(move |request: Request<Incoming>| {
        // Before anything else: how far apart two requests arrived is told by this alone.
        let arrived = CLOCK.now();
        let line = log.as_ref().map(|log| Begun::new(log, &request));
        let answered = app.call(request);
        async move {
            let Watched { ended, statements } = within(limit, answered).await;
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
    })
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

async fn serve_http1(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: impl Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(limits.head_bytes)
            // The buffer alone is no limit: how far it grows depends on the pieces that a head comes in.
            .max_header_size(limits.head_bytes)
            .serve_connection(TokioIo::new(stream), service)
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

/// The limits mean the same as for HTTP/1.1: a peer that asks for nothing is let go after [`Limits::head`] (twice that, at
/// most), and so is one that does not even answer a ping. A head that is too large is refused with 431 by the protocol.
async fn serve_http2(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: impl Service<
        Request<Incoming>,
        Response = Response<Body>,
        Error = Infallible,
        Future: Future<Output = Result<Response<Body>, Infallible>> + Send + 'static,
    >,
    limits: Limits,
    mut stopping: watch::Receiver<()>,
) {
    let streams = Streams::default();
    {
        let mut connection = pin!(
            http2::Builder::new(streams.executor())
                .timer(TokioTimer::new())
                .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
                .max_concurrent_streams(STREAMS)
                .keep_alive_interval(limits.head)
                .keep_alive_timeout(limits.head)
                .serve_connection(TokioIo::new(stream), service)
        );
        let over = tokio::select! {
            _ = connection.as_mut() => true,
            () = streams.rest(limits.head) => false,
            _ = stopping.changed() => false,
        };
        if !over {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    streams.end().await;
}
