//! Where persistent connections lead: looked up once, shared by all of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::clock::Clock;
use crate::history::Cause;
use crate::target::tls::{self, Offers};
use crate::target::{Endpoint, Patience, TlsError, Version};

/// The way to a target: its addresses, TLS, the clock, how long an answer is waited for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Route(Arc<Way>);

#[derive(Debug)]
struct Way {
    endpoint: Endpoint,
    addresses: Vec<SocketAddr>,
    /// The address that accepted a connection last: the first to be tried.
    accepting: AtomicUsize,
    tls: Option<Tls>,
    clock: Clock,
    limit: Duration,
}

struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

/// There is no way to a target.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// TLS cannot be set up on this side.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The name has no address, or is none that a certificate could have.
    #[error("{host}: {cause}")]
    Nowhere {
        /// The host of the target's URL.
        host: String,
        /// What is wrong with it.
        cause: Cause,
    },
}

impl Route {
    /// Looks the address up. No connection is made.
    ///
    /// # Errors
    /// If the host has no address, or TLS is asked for and cannot be set up.
    pub async fn new(endpoint: &Endpoint, clock: Clock, patience: Patience) -> Result<Self, RouteError> {
        let tls = tls::config(endpoint)?;
        Self::with_tls(endpoint, &tls, clock, patience).await
    }

    pub(in crate::target) async fn with_tls(
        endpoint: &Endpoint,
        tls: &ClientConfig,
        clock: Clock,
        patience: Patience,
    ) -> Result<Self, RouteError> {
        let nowhere = |cause| RouteError::Nowhere { host: endpoint.host(), cause };
        let lookup = tokio::net::lookup_host((endpoint.host(), endpoint.port()));
        let addresses: Vec<_> = match tokio::time::timeout(patience.request, lookup).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(nowhere(Cause::Connect(error.to_string()))),
            Err(_) => return Err(nowhere(Cause::TimedOut)),
        };
        if addresses.is_empty() {
            return Err(nowhere(Cause::Connect("the name has no address".to_owned())));
        }
        let tls = if endpoint.is_tls() {
            let name = ServerName::try_from(endpoint.host());
            let name = name.map_err(|error| nowhere(Cause::Tls(error.to_string())))?;
            let connector = TlsConnector::from(Arc::clone(Offers::new(tls).of(Version::Http1)));
            Some(Tls { connector, name })
        } else {
            None
        };
        let accepting = AtomicUsize::new(0);
        let (endpoint, limit) = (endpoint.clone(), patience.request);
        Ok(Self(Arc::new(Way { endpoint, addresses, accepting, tls, clock, limit })))
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }

    pub(super) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(super) fn limit(&self) -> Duration {
        self.0.limit
    }

    /// Connects, with `TCP_NODELAY`, and over TLS where the target wants it, within the limit for a request.
    pub(super) async fn connect(&self) -> Result<Stream, Cause> {
        let limit = self.0.limit;
        match tokio::time::timeout(limit, self.0.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(Cause::Connect(format!("not accepted within {limit:?}"))),
        }
    }
}

impl Way {
    async fn connect(&self) -> Result<Stream, Cause> {
        let tcp = self.connect_tcp().await.map_err(|error| Cause::Connect(error.to_string()))?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        let session = tls.connector.connect(tls.name.clone(), tcp).await;
        session.map(|session| Stream::Tls(Box::new(session))).map_err(|error| Cause::Tls(error.to_string()))
    }

    /// Tries the addresses in turn. The error is that of the last one.
    async fn connect_tcp(&self) -> io::Result<TcpStream> {
        let first = self.accepting.load(Ordering::Relaxed);
        let mut refused = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for at in (0..self.addresses.len()).map(|turn| (first + turn) % self.addresses.len()) {
            match TcpStream::connect(self.addresses[at]).await {
                Ok(tcp) => {
                    tcp.set_nodelay(true)?;
                    self.accepting.store(at, Ordering::Relaxed);
                    return Ok(tcp);
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_address_that_accepts_is_found_once_and_remembered() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = listener.local_addr().unwrap();
        let closed = {
            let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
            gone.local_addr().unwrap()
        };
        let way = |addresses| Way {
            endpoint: Endpoint::parse("http://localhost").unwrap(),
            addresses,
            accepting: AtomicUsize::new(0),
            tls: None,
            clock: Clock::start(),
            limit: Duration::from_secs(20),
        };
        let some = way(vec![closed, open, closed]);
        for _ in 0..2 {
            assert_eq!(some.connect_tcp().await.unwrap().peer_addr().unwrap(), open);
            assert_eq!(some.accepting.load(Ordering::Relaxed), 1);
        }
        assert_eq!(way(vec![closed]).connect_tcp().await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }

    #[tokio::test]
    async fn a_host_without_an_address_leads_nowhere() {
        let endpoint = Endpoint::parse("http://no-such-host.invalid:80").unwrap();
        let limit = Patience { request: Duration::from_secs(20) };
        let error = Route::new(&endpoint, Clock::start(), limit).await.unwrap_err().to_string();
        assert!(error.starts_with("no-such-host.invalid: no connection ("), "{error}");
    }
}
