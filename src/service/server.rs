//! Connections: accept, serve HTTP/1.1 and HTTP/2 within limits, stop without cutting anybody off.

use std::io;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use super::log::RequestLog;

mod connection;
mod preface;
mod streams;

/// How long to wait before accepting again when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
    connection::start_clock();
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
                    let serving = connection::serve(stream, router.clone(), limits, log.clone(), stopping.clone());
                    connections.spawn(serving);
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
