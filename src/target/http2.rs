//! Contenders over HTTP/2: one connection carries the whole volley, whose frames leave in one write.
//!
//! The protocol is the `h2` crate's; [`weir`] stands below it and holds the frames of raced streams back.

mod frame;
mod said;
mod weir;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use h2::Ping;
use h2::client::{Builder, ResponseFuture, SendRequest};
use rustls::ClientConfig;
use tokio::task::JoinHandle;

use super::gate::Ticket;
use super::hold::Charge;
use super::message::{self, Body, misshapen, patience};
use super::stream::Stream;
use super::{BODY_LIMIT, Endpoint, Exchange, Failure, Method, Version};
use crate::api::{Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};
use crate::text::harmless;
use weir::{Frames, Weir};

/// The largest header section of an answer (bytes).
const HEAD_LIMIT: u32 = 256 << 10;

/// How often a server that allows no stream is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// One contender's place on an open HTTP/2 connection.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    sender: SendRequest<Bytes>,
    /// It was made from another one.
    is_twin: bool,
}

/// The connection.
#[derive(Debug)]
struct Shared {
    endpoint: Arc<Endpoint>,
    driver: JoinHandle<()>,
    weir: Arc<Weir>,
    clock: Clock,
    limit: Duration,
    /// Contenders that have a place on it.
    places: AtomicUsize,
    /// A request on it ended without a complete answer.
    is_spent: AtomicBool,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Place {
    /// Opens a connection and takes the first place on it. Over TLS the server must choose HTTP/2 (RFC 9113 §3.2); in plain text
    /// it is known to speak it (§3.3).
    pub(super) async fn open(
        endpoint: Arc<Endpoint>,
        tls: &Arc<ClientConfig>,
        clock: Clock,
        limit: Duration,
    ) -> Result<Self, Cause> {
        let (stream, hold) = Stream::connect(&endpoint, tls, clock).await?;
        if endpoint.is_tls() && stream.protocol() != Some(super::tls::HTTP_2) {
            return Err(Cause::Connect("the server did not choose HTTP/2 (ALPN h2)".to_owned()));
        }
        let weir = Weir::new(hold);
        let window = u32::try_from(BODY_LIMIT).expect("the limit is 4 MiB");
        let (sender, mut connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(window)
            .initial_connection_window_size(2 * window)
            .max_header_list_size(HEAD_LIMIT)
            .handshake(Frames::new(stream, Arc::clone(&weir)))
            .await
            .map_err(|error| Cause::Connect(harmless(&error.to_string(), 300)))?;
        let pings = connection.ping_pong();
        // What ends a connection is told to the requests that wait on it.
        let driver = tokio::spawn(async move { drop(connection.await) });
        let (places, is_spent) = (AtomicUsize::new(1), AtomicBool::new(false));
        let shared = Shared { endpoint, driver, weir, clock, limit, places, is_spent };
        if let Some(mut pings) = pings {
            // The answer comes after the server's settings, which say how many streams it allows.
            let answered = pings.ping(Ping::opaque()).await;
            answered.map_err(|error| Cause::Connect(harmless(&error.to_string(), 300)))?;
        }
        allows_streams(&sender, limit / 4).await?;
        Ok(Self { shared: Arc::new(shared), sender, is_twin: false })
    }

    /// Another place on the same connection, unless the server allows no more (RFC 9113 §5.1.2).
    pub(super) fn twin(&self) -> Option<Self> {
        if self.shared.places.load(Ordering::Relaxed) >= self.sender.current_max_send_streams() {
            return None;
        }
        self.shared.places.fetch_add(1, Ordering::Relaxed);
        Some(Self { shared: Arc::clone(&self.shared), sender: self.sender.clone(), is_twin: true })
    }

    pub(super) const fn is_twin(&self) -> bool {
        self.is_twin
    }

    /// Sends `request`: at once, or held as the method says until the ticket's gate opens.
    pub(super) async fn exchange(&mut self, request: &Request, held: Option<(Method, Ticket)>) -> Exchange {
        let (clock, limit) = (self.shared.clock, self.shared.limit);
        let opened = clock.now();
        let charge = held.is_some().then(|| self.shared.weir.charge());
        let result = tokio::select! {
            biased;
            result = self.converse(request, held.zip(charge.clone())) => result,
            () = patience(charge.as_deref(), clock, limit) => Err(Failure::Unknown(Cause::TimedOut)),
        };
        let closed = clock.now();
        if let Some(charge) = &charge {
            self.shared.weir.give_up(charge);
        }
        let released = charge.as_deref().and_then(Charge::released).filter(|released| *released <= closed);
        if result.is_err() || charge.is_some() && released.is_none() {
            self.shared.is_spent.store(true, Ordering::Relaxed);
        }
        Exchange { window: Window { opened, released, closed }, result }
    }

    async fn converse(
        &mut self,
        request: &Request,
        held: Option<((Method, Ticket), Arc<Charge>)>,
    ) -> Result<Response, Failure> {
        let shared = Arc::clone(&self.shared);
        let message = message::head(&shared.endpoint, request, Version::Http2);
        let message = message.body(()).map_err(|error| misshapen(&error))?;
        let lost = |error: h2::Error| Failure::NotSent(Cause::Connect(harmless(&error.to_string(), 300)));
        poll_fn(|cx| self.sender.poll_ready(cx)).await.map_err(lost)?;
        let tail = held.as_ref().is_some_and(|((method, _), _)| method.is_tail());
        let body = request.body.clone().filter(|body| !body.is_empty());
        let length = body.as_ref().map_or(0, Bytes::len);
        if held.is_some() && length > shared.weir.said().window() {
            return Err(Failure::NotSent(Cause::Connect(no_room(shared.weir.said().window(), length))));
        }
        if held.is_some() {
            shared.weir.begin(tail);
        }
        let response = self.send(message, body, tail)?;
        if let Some(((_, ticket), charge)) = held {
            shared.weir.hold_back(response.stream_id().as_u32(), ticket, charge);
        }
        read(response).await
    }

    /// Queues the request's frames. With a `tail`, a frame of its own ends it.
    fn send(&mut self, message: http::Request<()>, body: Option<Bytes>, tail: bool) -> Result<ResponseFuture, Failure> {
        let is_bare = body.is_none() && !tail;
        let (response, mut stream) = self.sender.send_request(message, is_bare).map_err(|error| unknown(&error))?;
        if is_bare {
            return Ok(response);
        }
        let mut end = body.unwrap_or_default();
        if tail && end.len() > 1 {
            let beginning = end.split_to(end.len() - 1);
            stream.send_data(beginning, false).map_err(|error| unknown(&error))?;
        }
        stream.send_data(end, true).map_err(|error| unknown(&error))?;
        Ok(response)
    }

    pub(super) fn is_usable(&self) -> bool {
        let shared = &self.shared;
        let is_open = !shared.is_spent.load(Ordering::Relaxed) && !shared.driver.is_finished();
        // The server may have lowered its limit since the place was taken.
        let allowed = self.sender.current_max_send_streams();
        let has_room = if self.is_twin { shared.places.load(Ordering::Relaxed) <= allowed } else { allowed > 0 };
        is_open && has_room && !shared.weir.said().is_leaving()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.places.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits until the server allows a stream, for so long: it may begin with none and raise that later (RFC 9113 §6.5.2).
async fn allows_streams(sender: &SendRequest<Bytes>, limit: Duration) -> Result<(), Cause> {
    let allowed = async {
        while sender.current_max_send_streams() == 0 {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let none = "the server allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0)";
    tokio::time::timeout(limit, allowed).await.map_err(|_| Cause::Connect(none.to_owned()))
}

/// Why a body of so many bytes cannot be held: the server's window (RFC 9113 §5.2) grows only when it has got what is held.
fn no_room(window: usize, length: usize) -> String {
    format!(
        "the server takes {window} bytes of a body before it has read any (SETTINGS_INITIAL_WINDOW_SIZE), and this one has \
         {length}: it cannot leave in a single packet"
    )
}

async fn read(response: ResponseFuture) -> Result<Response, Failure> {
    let (head, mut incoming) = response.await.map_err(|error| unknown(&error))?.into_parts();
    let mut body = Body::default();
    while let Some(data) = incoming.data().await {
        let data = data.map_err(|error| unknown(&error))?;
        body.push(&data)?;
        // It fails only where the stream is gone already.
        let _ = incoming.flow_control().release_capacity(data.len());
    }
    Ok(body.complete(&head))
}

/// Frames may have left: whatever broke, the request may have been served. (A server may say of a stream that it was not
/// (RFC 9113 §8.7); that is a claim, and servers are what is doubted here.)
fn unknown(error: &h2::Error) -> Failure {
    Failure::Unknown(Cause::Broken(harmless(&error.to_string(), 300)))
}
