//! Any URL as a target: `reqwest` for what is not measured, [`Connection`]s for contenders.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;

use super::wire::Connection;
use super::{BODY_LIMIT, Delivery, Endpoint, Exchange, Failure, Patience, Target, TlsError, tls};
use crate::api::{Headers, Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};
use crate::text::harmless;

/// Who asks.
pub(super) const USER_AGENT: &str = concat!("quickeats-bench/", env!("CARGO_PKG_VERSION"));
/// What is understood.
pub(super) const ACCEPT: &str = "application/json, application/problem+json";

/// A server at a URL.
#[derive(Debug, Clone)]
pub struct HttpTarget {
    endpoint: Arc<Endpoint>,
    client: reqwest::Client,
    tls: Arc<ClientConfig>,
    clock: Clock,
    delivery: Delivery,
    limit: Duration,
}

impl HttpTarget {
    /// A client of `endpoint`. Nothing is sent yet.
    ///
    /// # Errors
    /// If TLS is asked for and cannot be set up.
    pub fn new(endpoint: Endpoint, clock: Clock, patience: Patience) -> Result<Self, TlsError> {
        let tls = tls::config(&endpoint)?;
        Ok(Self::with_tls(endpoint, tls, clock, patience))
    }

    fn with_tls(endpoint: Endpoint, tls: ClientConfig, clock: Clock, patience: Patience) -> Self {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy() // measured requests go straight to the target, so must the others
            .tcp_nodelay(true)
            .http1_only()
            .connect_timeout(patience.request)
            .build()
            .expect("every option is valid and TLS is configured");
        let (endpoint, tls, delivery) = (Arc::new(endpoint), Arc::new(tls), Delivery::default());
        Self { endpoint, client, tls, clock, delivery, limit: patience.request }
    }

    /// Holds contenders' requests there.
    #[must_use]
    pub const fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    async fn exchange(&self, request: &Request) -> Result<Response, Failure> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).expect("descriptions name known methods");
        let mut message = self.client.request(method, self.endpoint.join(&request.path)).header("accept", ACCEPT);
        for (name, value) in &request.headers {
            message = message.header(&**name, &**value);
        }
        if let Some(body) = &request.body {
            message = message.body(body.clone());
        }
        let mut response = message.send().await.map_err(|error| failure(&error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Failure::Unknown(Cause::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        Ok(Response { status, headers: headers(response.headers()), body: body.freeze() })
    }
}

impl Target for HttpTarget {
    type Contender = Connection;

    async fn send(&self, request: &Request) -> Exchange {
        let opened = self.clock.now();
        let result = match tokio::time::timeout(self.limit, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Unknown(Cause::TimedOut)),
        };
        let closed = self.clock.now();
        Exchange { window: Window { opened, released: None, closed }, result }
    }

    async fn contender(&self) -> Result<Connection, Cause> {
        Connection::open(Arc::clone(&self.endpoint), Arc::clone(&self.tls), self.clock, self.delivery, self.limit).await
    }
}

/// Header lines as text; a value that is not visible ASCII is left out.
pub(super) fn headers(map: &http::HeaderMap) -> Headers {
    map.iter().filter_map(|(name, value)| Some((name.as_str().into(), value.to_str().ok()?.into()))).collect()
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        return Failure::NotSent(if has_source::<rustls::Error>(error) {
            Cause::Tls(innermost(error))
        } else {
            Cause::Connect(innermost(error))
        });
    }
    if error.is_builder() {
        return Failure::NotSent(Cause::Broken(innermost(error)));
    }
    let is_parse = sources(error).any(|source| source.downcast_ref().is_some_and(hyper::Error::is_parse));
    Failure::Unknown(broken(error, is_parse))
}

/// The cause of a connection that broke, or spoke something else.
pub(super) fn broken(error: &(dyn Error + 'static), is_parse: bool) -> Cause {
    if is_parse { Cause::NotHttp(innermost(error)) } else { Cause::Broken(innermost(error)) }
}

/// `error` and all that stands behind it. An I/O error that carries another is not its source in the standard
/// library's terms (it speaks for it), and carries may be nested: what is carried comes next here.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let behind = |error: &'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => error.source(),
        }
    };
    std::iter::successors(Some(error), move |error| behind(*error))
}

/// Whether an error of type `E` stands behind `error`.
fn has_source<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<E>)
}

/// What the lowest layer said: the part that helps.
fn innermost(error: &(dyn Error + 'static)) -> String {
    sources(error).last().map_or_else(String::new, |last| harmless(&last.to_string(), 300))
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::{RootCertStore, ServerConfig};
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::time::timeout;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::target::Contender;
    use crate::target::gate::{Gate, Ticket};

    /// Long enough for everything that happens at all.
    const LIMIT: Duration = Duration::from_secs(20);

    fn request() -> Request {
        let headers = vec![("content-type".into(), "application/json".into())];
        Request { method: "POST".into(), path: "/orders/1".into(), headers, body: Some("{\"a\":1}".into()) }
    }

    fn target(listener: &TcpListener, scheme: &str, tls: ClientConfig) -> HttpTarget {
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        HttpTarget::with_tls(Endpoint::parse(&url).unwrap(), tls, Clock::start(), Patience { request: LIMIT })
    }

    /// A server's configuration, and a client's that trusts it alone.
    fn private_tls() -> (ServerConfig, ClientConfig) {
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = signed.cert.der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
        let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        (server, tls::trusting(roots))
    }

    /// How a request that is held so ends before the gate opens, and what comes after.
    const fn halves(delivery: Delivery, has_body: bool) -> (&'static [u8], &'static [u8]) {
        match (delivery, has_body) {
            (Delivery::Barrier, _) => (b"", b"\r\n\r\n{\"a\":1}"),
            (Delivery::Head, true) => (b"\r\n\r", b"\n{\"a\":1}"),
            (Delivery::Tail, true) => (b"\r\n\r\n{\"a\":1", b"}"),
            (Delivery::Head | Delivery::Tail, false) => (b"\r\n\r", b"\n"),
        }
    }

    /// The server's side of one held request: it gets all but `end` of it, which is what `before` ends; then, while the
    /// gate is closed, nothing; and the end as soon as the `latecomer` no longer keeps the gate closed.
    async fn serve_held(
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        (before, end): (&[u8], &[u8]),
        latecomer: Ticket,
    ) {
        let mut got = Vec::new();
        while !got.ends_with(before) {
            assert_ne!(stream.read_buf(&mut got).await.unwrap(), 0, "{}", String::from_utf8_lossy(&got));
        }
        let is_begun = got.starts_with(b"POST /orders/1 HTTP/1.1\r\n");
        assert_eq!(is_begun, !before.is_empty(), "{}", String::from_utf8_lossy(&got));
        let length = got.len();
        let early = timeout(Duration::from_millis(100), stream.read_buf(&mut got)).await;
        assert!(early.is_err(), "{}", String::from_utf8_lossy(&got[length..]));
        drop(latecomer);
        while !got.ends_with(end) {
            assert_ne!(stream.read_buf(&mut got).await.unwrap(), 0);
        }
        assert!(
            got.starts_with(b"POST /orders/1 HTTP/1.1\r\n") && (before.is_empty() || got.len() == length + end.len())
        );
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        stream.flush().await.unwrap();
    }

    /// Races one request whose gate waits for a second ticket, which the server drops. How long it was held.
    async fn race_one(
        target: HttpTarget,
        request: Request,
        server: impl Future<Output = ()> + Send + 'static,
        gate: Gate,
        own: Ticket,
    ) -> Duration {
        let server = tokio::spawn(server);
        let racer = tokio::spawn(async move {
            let mut contender = target.contender().await.unwrap();
            contender.race(&request, own).await
        });
        assert_eq!(gate.open(&[0, 1], LIMIT).await, Ok(1));
        let exchange = racer.await.unwrap();
        server.await.unwrap();
        assert_eq!(exchange.result.unwrap().status, 204);
        let Window { opened, released, closed } = exchange.window;
        let released = released.unwrap();
        assert!(opened <= released && released <= closed, "{:?}", exchange.window);
        released.since(opened)
    }

    fn two_tickets() -> (Gate, Ticket, Ticket) {
        let (gate, tickets) = Gate::new(2);
        let [own, latecomer] = <[Ticket; 2]>::try_from(tickets).unwrap();
        (gate, own, latecomer)
    }

    /// Races a request that is held so, at a plain server or over TLS, which looks at every byte.
    async fn hold_one(delivery: Delivery, request: Request, is_tls: bool) {
        let halves = halves(delivery, request.body.is_some());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server_tls, client_tls) = private_tls();
        let scheme = if is_tls { "https" } else { "http" };
        let target = target(&listener, scheme, client_tls).with_delivery(delivery);
        let (gate, own, latecomer) = two_tickets();
        let server = async move {
            let (tcp, _) = listener.accept().await.unwrap();
            if is_tls {
                let stream = TlsAcceptor::from(Arc::new(server_tls)).accept(tcp).await.unwrap();
                serve_held(stream, halves, latecomer).await;
            } else {
                serve_held(tcp, halves, latecomer).await;
            }
        };
        let held = race_one(target, request, server, gate, own).await;
        // A barrier lets nothing through that would tell the server from when on to wait.
        assert!(delivery == Delivery::Barrier || held >= Duration::from_millis(100), "{delivery}: {held:?}");
    }

    #[tokio::test]
    async fn no_server_has_a_complete_header_section_before_the_gate_opens() {
        hold_one(Delivery::Head, request(), false).await;
        hold_one(Delivery::Head, request(), true).await;
    }

    #[tokio::test]
    async fn no_server_has_any_of_a_request_that_waits_at_a_barrier() {
        hold_one(Delivery::Barrier, request(), false).await;
        hold_one(Delivery::Barrier, request(), true).await;
    }

    #[tokio::test]
    async fn a_server_has_all_but_the_last_byte_of_a_body_whose_tail_is_held() {
        hold_one(Delivery::Tail, request(), false).await;
        hold_one(Delivery::Tail, request(), true).await;
    }

    #[tokio::test]
    async fn a_request_without_a_body_has_no_tail_and_is_held_at_its_head() {
        let bare = || Request { body: None, ..request() };
        hold_one(Delivery::Tail, bare(), false).await;
        hold_one(Delivery::Tail, bare(), true).await;
    }

    #[tokio::test]
    async fn an_answer_before_the_tail_is_an_answer_and_nothing_was_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = target(&listener, "http", private_tls().1).with_delivery(Delivery::Tail);
        let (gate, own, latecomer) = two_tickets();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            while !got.ends_with(b"{\"a\":1") {
                assert_ne!(stream.read_buf(&mut got).await.unwrap(), 0);
            }
            stream.write_all(b"HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            stream
        });
        let mut contender = target.contender().await.unwrap();
        let exchange = contender.race(&request(), own).await;
        assert_eq!(exchange.result.unwrap().status, 412);
        assert!(exchange.window.released.is_none() && exchange.window.opened <= exchange.window.closed);
        assert!(!contender.is_usable(), "the rest of the request is in the way of the next one");
        drop(latecomer);
        assert_eq!(gate.open(&[0, 1], LIMIT).await, Ok(1), "it does not hold the volley up");
        drop(server.await.unwrap());
    }

    #[test]
    fn an_error_is_found_however_deep_io_errors_carry_it() {
        let tls = rustls::Error::DecryptError;
        let shown = tls.to_string();
        let nested = io::Error::other(io::Error::other(tls));
        assert!(has_source::<rustls::Error>(&nested));
        assert!(!has_source::<hyper::Error>(&nested));
        assert_eq!(innermost(&nested), shown);
    }
}
