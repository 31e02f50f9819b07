//! Measured requests: hyper's low-level HTTP/1.1 client over a stream whose end can be withheld.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::gate::Ticket;
use super::hold::{HeldSocket, Hold, Splitter};
use super::{BODY_LIMIT, Contender, Delivery, Endpoint, Exchange, Failure};
use crate::api::{Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};

/// One open HTTP/1.1 connection.
#[derive(Debug)]
pub struct Connection {
    endpoint: Arc<Endpoint>,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    hold: Arc<Hold>,
    clock: Clock,
    delivery: Delivery,
    limit: Duration,
    /// A request on it ended without a complete answer (what comes next might be that answer), or the server said that
    /// it closes.
    is_spent: bool,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects, with `TCP_NODELAY`; over TLS if the endpoint says so.
    pub(super) async fn open(
        endpoint: Arc<Endpoint>,
        tls: Arc<ClientConfig>,
        clock: Clock,
        delivery: Delivery,
        limit: Duration,
    ) -> Result<Self, Cause> {
        let connecting = Self::connect(endpoint, tls, clock, delivery, limit);
        match tokio::time::timeout(limit, connecting).await {
            Ok(result) => result,
            Err(_) => Err(Cause::Connect(format!("not accepted within {limit:?}"))),
        }
    }

    async fn connect(
        endpoint: Arc<Endpoint>,
        tls: Arc<ClientConfig>,
        clock: Clock,
        delivery: Delivery,
        limit: Duration,
    ) -> Result<Self, Cause> {
        let refused = |error: std::io::Error| Cause::Connect(error.to_string());
        let tcp = TcpStream::connect((endpoint.host(), endpoint.port())).await.map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        let hold = Hold::new(tcp, clock);
        let socket = HeldSocket(Arc::clone(&hold));
        let stream = if endpoint.is_tls() {
            let name = ServerName::try_from(endpoint.host()).map_err(|error| Cause::Tls(error.to_string()))?;
            let session = TlsConnector::from(tls).connect(name, socket).await;
            Stream::Tls(Box::new(session.map_err(|error| Cause::Tls(error.to_string()))?))
        } else {
            Stream::Plain(socket)
        };
        let io = TokioIo::new(Splitter::new(stream, Arc::clone(&hold)));
        let (sender, connection) = http1::handshake(io).await.map_err(|error| Cause::Connect(error.to_string()))?;
        // What ends a connection is told to the request that waits on it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { endpoint, sender, driver, hold, clock, delivery, limit, is_spent: false })
    }

    async fn exchange(&mut self, request: &Request, ticket: Option<Ticket>) -> Exchange {
        let opened = self.clock.now();
        let is_raced = ticket.is_some();
        let patience = patience(Arc::clone(&self.hold), self.clock, self.limit, is_raced);
        let result = tokio::select! {
            biased;
            result = self.converse(request, ticket) => result,
            () = patience => Err(Failure::Unknown(Cause::TimedOut)),
        };
        let closed = self.clock.now();
        let released = if is_raced { self.hold.disarm() } else { None };
        // The gate may open between an early answer and here: it was an early answer all the same.
        let released = released.filter(|released| *released <= closed);
        // An answer before the end was let go leaves the rest of the request in the way of the next one.
        self.is_spent |= result.is_err() || is_raced && released.is_none();
        Exchange { window: Window { opened, released, closed }, result }
    }

    async fn converse(&mut self, request: &Request, ticket: Option<Ticket>) -> Result<Response, Failure> {
        let message = self.message(request)?;
        let lost = |error: hyper::Error| Failure::NotSent(Cause::Connect(error.to_string()));
        self.sender.ready().await.map_err(lost)?;
        if let Some(ticket) = ticket {
            self.hold.arm(ticket, self.delivery, request.body.as_ref().map_or(0, Bytes::len));
        }
        let response = self.sender.send_request(message).await.map_err(|error| unknown(&error))?;
        // The connection's own task may come to know of it later than the next request is sent.
        self.is_spent |= closes(&response);
        read(response).await
    }

    fn message(&self, request: &Request) -> Result<hyper::Request<Full<Bytes>>, Failure> {
        let mut builder = hyper::Request::builder()
            .method(&*request.method)
            .uri(self.endpoint.path(&request.path))
            .header("host", self.endpoint.authority())
            .header("user-agent", super::http::USER_AGENT)
            .header("accept", super::http::ACCEPT);
        for (name, value) in &request.headers {
            builder = builder.header(&**name, &**value);
        }
        // Names, values and paths were checked when the description was read; tokens are visible ASCII by then.
        builder
            .body(Full::new(request.body.clone().unwrap_or_default()))
            .map_err(|error| Failure::NotSent(Cause::Broken(error.to_string())))
    }
}

/// Whether the connection ends with this response (RFC 9112 §9.3).
fn closes<B>(response: &hyper::Response<B>) -> bool {
    let says = |option: &str| {
        (response.headers().get_all("connection").iter())
            .filter_map(|line| line.to_str().ok())
            .any(|line| line.split(',').any(|word| word.trim().eq_ignore_ascii_case(option)))
    };
    says("close") || response.version() < hyper::Version::HTTP_11 && !says("keep-alive")
}

/// Ends when waiting has lasted `limit`: from now, or, of a request that was held, from its release.
async fn patience(hold: Arc<Hold>, clock: Clock, limit: Duration, is_raced: bool) {
    tokio::time::sleep(limit).await;
    if let Some(released) = hold.released().filter(|_| is_raced) {
        tokio::time::sleep(limit.saturating_sub(clock.now().since(released))).await;
    }
}

async fn read(response: hyper::Response<hyper::body::Incoming>) -> Result<Response, Failure> {
    let status = response.status().as_u16();
    let headers = super::http::headers(response.headers());
    let mut incoming = response.into_body();
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| unknown(&error))?;
        if let Some(data) = frame.data_ref() {
            if body.len() + data.len() > BODY_LIMIT {
                return Err(Failure::Unknown(Cause::TooLarge));
            }
            body.extend_from_slice(data);
        }
    }
    Ok(Response { status, headers, body: body.freeze() })
}

/// Bytes have left: whatever broke, the request may have been served.
fn unknown(error: &hyper::Error) -> Failure {
    Failure::Unknown(super::http::broken(error, error.is_parse()))
}

impl Contender for Connection {
    async fn send(&mut self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn race(&mut self, request: &Request, ticket: Ticket) -> Exchange {
        self.exchange(request, Some(ticket)).await
    }

    fn is_usable(&self) -> bool {
        !self.is_spent && !self.sender.is_closed()
    }
}

/// Plain or encrypted.
#[derive(Debug)]
enum Stream {
    Plain(HeldSocket),
    Tls(Box<TlsStream<HeldSocket>>),
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(session) => Pin::new(session).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(session) => Pin::new(session).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(session) => Pin::new(session).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(session) => Pin::new(session).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::Version;

    use super::*;

    #[test]
    fn a_server_says_that_it_closes_by_header_or_by_version() {
        for (version, connection, expected) in [
            (Version::HTTP_11, "", false),
            (Version::HTTP_11, "keep-alive", false),
            (Version::HTTP_11, "Close", true),
            (Version::HTTP_11, "x-other, close", true),
            (Version::HTTP_11, "closed", false),
            (Version::HTTP_10, "", true),
            (Version::HTTP_10, "Keep-Alive", false),
        ] {
            let response =
                hyper::Response::builder().version(version).header("connection", connection).body(()).unwrap();
            assert_eq!(closes(&response), expected, "{version:?} {connection}");
        }
    }
}
