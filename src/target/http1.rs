//! Contenders over HTTP/1.1: hyper's low-level client over a stream whose end can be withheld.

mod splitter;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::task::JoinHandle;

use super::gate::Ticket;
use super::hold::Charge;
use super::message::{self, Body, misshapen, patience};
use super::stream::Stream;
use super::{Endpoint, Exchange, Failure, Method, Version};
use crate::api::{Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};
use splitter::{Aim, Splitter};

/// One open HTTP/1.1 connection.
#[derive(Debug)]
pub(super) struct Connection {
    endpoint: Arc<Endpoint>,
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    aim: Arc<Aim>,
    clock: Clock,
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
    pub(super) async fn open(
        endpoint: Arc<Endpoint>,
        tls: &Arc<ClientConfig>,
        clock: Clock,
        limit: Duration,
    ) -> Result<Self, Cause> {
        let (stream, hold) = Stream::connect(&endpoint, tls, clock).await?;
        let aim = Aim::new(hold);
        let io = TokioIo::new(Splitter::new(stream, Arc::clone(&aim)));
        let (sender, connection) = http1::handshake(io).await.map_err(|error| Cause::Connect(error.to_string()))?;
        // What ends a connection is told to the request that waits on it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { endpoint, sender, driver, aim, clock, limit, is_spent: false })
    }

    /// Sends `request`: at once, or held as the method says until the ticket's gate opens.
    pub(super) async fn exchange(&mut self, request: &Request, held: Option<(Method, Ticket)>) -> Exchange {
        let opened = self.clock.now();
        let charge = held.is_some().then(|| self.aim.charge());
        let (clock, limit) = (self.clock, self.limit);
        let result = tokio::select! {
            biased;
            result = self.converse(request, held.zip(charge.clone())) => result,
            () = patience(charge.as_deref(), clock, limit) => Err(Failure::Unknown(Cause::TimedOut)),
        };
        let closed = self.clock.now();
        self.aim.lower();
        // The gate may open between an early answer and here: it was an early answer all the same.
        let released = charge.as_deref().and_then(Charge::released).filter(|released| *released <= closed);
        // An answer before the end was let go leaves the rest of the request in the way of the next one.
        self.is_spent |= result.is_err() || charge.is_some() && released.is_none();
        Exchange { window: Window { opened, released, closed }, result }
    }

    async fn converse(
        &mut self,
        request: &Request,
        held: Option<((Method, Ticket), Arc<Charge>)>,
    ) -> Result<Response, Failure> {
        let body = Full::new(request.body.clone().unwrap_or_default());
        let message = message::head(&self.endpoint, request, Version::Http1);
        let message = message.body(body).map_err(|error| misshapen(&error))?;
        let lost = |error: hyper::Error| Failure::NotSent(Cause::Connect(error.to_string()));
        self.sender.ready().await.map_err(lost)?;
        if let Some(((method, ticket), charge)) = held {
            self.aim.take(charge, ticket, method, request.body.as_ref().map_or(0, Bytes::len));
        }
        let response = self.sender.send_request(message).await.map_err(|error| unknown(&error))?;
        // The connection's own task may come to know of it later than the next request is sent.
        self.is_spent |= closes(&response);
        read(response).await
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.is_spent && !self.sender.is_closed()
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

async fn read(response: hyper::Response<hyper::body::Incoming>) -> Result<Response, Failure> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Body::default();
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| unknown(&error))?;
        if let Some(data) = frame.data_ref() {
            body.push(data)?;
        }
    }
    Ok(body.complete(&head))
}

/// Bytes have left: whatever broke, the request may have been served.
fn unknown(error: &hyper::Error) -> Failure {
    Failure::Unknown(super::http::broken(error, error.is_parse()))
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
