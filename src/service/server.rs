//! Connections: accept, serve HTTP/1.1 within limits, stop without cutting anybody off.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::problem::Problem;
use super::stores::within;

/// How long to wait before accepting again when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What a connection may take its time for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
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
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut panicked = 0_usize;
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => panicked += usize::from(is_panic(&ended)),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(stream, router.clone(), limits, stopping.clone());
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
async fn serve_connection(stream: TcpStream, router: Router, limits: Limits, mut stopping: watch::Receiver<()>) {
    // An answer is one small write: held back for an acknowledgment (Nagle), it would wait for tens of milliseconds.
    // A socket that cannot be told is served all the same.
    let _ = stream.set_nodelay(true);
    let app = TowerToHyperService::new(router);
    let within_limit = service_fn(move |request| {
        let answered = app.call(request);
        async move {
            match within(limits.request, answered).await {
                Ok(answered) => answered,
                Err(given_up) => Ok::<_, Infallible>(Problem::timed_out(given_up).into_response()),
            }
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
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
