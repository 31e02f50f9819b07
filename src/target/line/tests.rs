//! What servers have of a request, and when: on real sockets, plain and over TLS.

mod multiplexed;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::api::Request;
use crate::clock::Clock;
use crate::history::Window;
use crate::target::gate::{Gate, Leave, Ticket};
use crate::target::{Contender, Endpoint, HttpTarget, Method, Patience, Target, Version, tls};
use std::sync::Arc;
use std::time::Duration;

/// Long enough for everything that happens at all.
const LIMIT: Duration = Duration::from_secs(20);

fn request() -> Request {
    let headers = vec![("content-type".into(), "application/json".into())];
    Request { method: "POST".into(), path: "/orders/1".into(), headers, body: Some("{\"a\":1}".into()) }
}

fn target(listener: &TcpListener, scheme: &str, tls: &ClientConfig) -> HttpTarget {
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
const fn halves(method: Method, has_body: bool) -> (&'static [u8], &'static [u8]) {
    match (method, has_body) {
        (Method::Barrier, _) => (b"", b"\r\n\r\n{\"a\":1}"),
        (Method::Head, true) => (b"\r\n\r", b"\n{\"a\":1}"),
        (Method::Tail, true) => (b"\r\n\r\n{\"a\":1", b"}"),
        (Method::Head | Method::Tail, false) => (b"\r\n\r", b"\n"),
        (Method::SinglePacketHead | Method::SinglePacketTail, _) => (b"", b""),
    }
}

/// The server's side of one held request: it gets all but `end` of it, which is what `before` ends; then, while the
/// gate is closed, nothing; and the end as soon as the `latecomer` no longer keeps the gate closed.
async fn serve_held(mut stream: impl AsyncRead + AsyncWrite + Unpin, (before, end): (&[u8], &[u8]), latecomer: Ticket) {
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
    assert!(got.starts_with(b"POST /orders/1 HTTP/1.1\r\n") && (before.is_empty() || got.len() == length + end.len()));
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
}

/// Races one request whose gate waits for a second ticket, which the server drops. How long it was held.
async fn race_one(
    target: HttpTarget,
    (request, method): (Request, Method),
    server: impl Future<Output = ()> + Send + 'static,
    gate: Gate,
    own: Ticket,
) -> Duration {
    let server = tokio::spawn(server);
    let racer = tokio::spawn(async move {
        let mut contender = target.contender(Version::Http1).await.unwrap();
        contender.race(&request, method, own).await
    });
    assert_eq!(gate.open(&at_once(2), LIMIT).await, Ok(1));
    let exchange = racer.await.unwrap();
    server.await.unwrap();
    assert_eq!(exchange.result.unwrap().status, 204);
    let Window { opened, released, closed } = exchange.window;
    let released = released.unwrap();
    assert!(opened <= released && released <= closed, "{:?}", exchange.window);
    released.since(opened)
}

fn at_once(contenders: usize) -> Vec<Leave> {
    (0..contenders).map(|index| Leave { index, delay: Duration::ZERO }).collect()
}

fn two_tickets() -> (Gate, Ticket, Ticket) {
    let (gate, tickets) = Gate::new(2);
    let [own, latecomer] = <[Ticket; 2]>::try_from(tickets).unwrap();
    (gate, own, latecomer)
}

/// Races a request that is held so, at a plain server or over TLS, which looks at every byte.
async fn hold_one(method: Method, request: Request, is_tls: bool) {
    let halves = halves(method, request.body.is_some());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (server_tls, client_tls) = private_tls();
    let scheme = if is_tls { "https" } else { "http" };
    let target = target(&listener, scheme, &client_tls);
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
    let held = race_one(target, (request, method), server, gate, own).await;
    // A barrier lets nothing through that would tell the server from when on to wait.
    assert!(method == Method::Barrier || held >= Duration::from_millis(100), "{method}: {held:?}");
}

#[tokio::test]
async fn no_server_has_a_complete_header_section_before_the_gate_opens() {
    hold_one(Method::Head, request(), false).await;
    hold_one(Method::Head, request(), true).await;
}

#[tokio::test]
async fn no_server_has_any_of_a_request_that_waits_at_a_barrier() {
    hold_one(Method::Barrier, request(), false).await;
    hold_one(Method::Barrier, request(), true).await;
}

#[tokio::test]
async fn a_server_has_all_but_the_last_byte_of_a_body_whose_tail_is_held() {
    hold_one(Method::Tail, request(), false).await;
    hold_one(Method::Tail, request(), true).await;
}

#[tokio::test]
async fn a_request_without_a_body_has_no_tail_and_is_held_at_its_head() {
    let bare = || Request { body: None, ..request() };
    hold_one(Method::Tail, bare(), false).await;
    hold_one(Method::Tail, bare(), true).await;
}

#[tokio::test]
async fn an_answer_before_the_tail_is_an_answer_and_nothing_was_let_go() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(&listener, "http", &private_tls().1);
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
    let mut contender = target.contender(Version::Http1).await.unwrap();
    let exchange = contender.race(&request(), Method::Tail, own).await;
    assert_eq!(exchange.result.unwrap().status, 412);
    assert!(exchange.window.released.is_none() && exchange.window.opened <= exchange.window.closed);
    assert!(!contender.is_usable(), "the rest of the request is in the way of the next one");
    drop(latecomer);
    assert_eq!(gate.open(&at_once(2), LIMIT).await, Ok(1), "it does not hold the volley up");
    drop(server.await.unwrap());
}
