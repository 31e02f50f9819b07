//! Persistent connections over HTTP/1.1 (RFC 9112 §9.3), as fast as they can honestly be: for load, where the client must not be
//! what is measured.
//!
//! ```text
//! Route ──► Persistent ── ask(Prepared) ──► Brief      status and size: no allocation, two system calls
//!                     └── send(Request) ──► Exchange   the whole response
//! ```
//!
//! One request at a time, sent once and never again. A connection is opened when the first request needs one, and again after
//! the server has ended it; that it has is noticed before a byte of the next request leaves, or else is that request's
//! outcome: unknown.
//!
//! hyper's client is not what is used here: its connection is a task of its own, and what a request takes outside the kernel is
//! more than twice as much with it (`benches/load`). The parser of header sections is its own, though (`httparse`).

mod answer;
mod chunked;
mod deadline;
mod framing;
mod prepared;
mod route;
mod stream;
mod wire;

use bytes::BytesMut;
use httparse::Header;

pub use prepared::Prepared;
pub use route::{Route, RouteError};

use super::{Exchange, Failure};
use crate::api::{Headers, Request, Response};
use crate::clock::Stamp;
use crate::history::{Cause, Window};
use answer::Keep;
use deadline::Deadline;
use stream::Idle;
use wire::Wire;

/// A line to a target that is kept from one request to the next.
#[derive(Debug)]
pub struct Persistent {
    route: Route,
    /// None while a request is on its way: who drops its future drops the connection.
    wire: Option<Box<Wire>>,
    /// What the next request is put in.
    request: Vec<u8>,
    connections: u64,
}

/// What is kept of an answer when only its status and size matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefReply {
    /// The status code.
    pub status: u16,
    /// The size of the body (bytes), without chunks' framing.
    pub bytes: u64,
}

/// What came of one request, in brief.
#[derive(Debug, Clone)]
pub struct Brief {
    /// When: opened before the first byte could leave (and before the connection was opened, if it had to be), closed after the
    /// last one came.
    pub window: Window,
    /// A complete response, or why there is none.
    pub result: Result<BriefReply, Failure>,
}

impl Persistent {
    /// A line along `route`. Nothing is connected yet.
    pub const fn new(route: Route) -> Self {
        Self { route, wire: None, request: Vec::new(), connections: 0 }
    }

    /// Connects, if there is no connection.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn connect(&mut self) -> Result<(), Cause> {
        if self.wire.is_none() {
            self.wire = Some(self.open().await?);
        }
        Ok(())
    }

    /// How many connections it has opened.
    pub const fn connections(&self) -> u64 {
        self.connections
    }

    /// Sends one request and waits for its whole answer. The limit for a request counts from its first byte, and as much again
    /// may go into connecting before.
    ///
    /// Dropping the future is safe: the connection goes with it.
    pub async fn send(&mut self, request: &Request) -> Exchange {
        let opened = self.route.clock().now();
        let mut bytes = std::mem::take(&mut self.request);
        bytes.clear();
        let mut kept = Kept::default();
        let result = match prepared::write(self.route.endpoint(), request, &mut bytes) {
            Ok(()) => self.exchange(&bytes, prepared::is_head(request), opened, &mut kept).await,
            Err(failure) => Err(failure),
        };
        self.request = bytes;
        let closed = self.route.clock().now();
        let result = result.map(|status| Response { status, headers: kept.headers, body: kept.body.freeze() });
        Exchange { window: Window { opened, released: None, closed }, result }
    }

    /// Sends one request that is in bytes already, and keeps of its answer the status and size. Otherwise as [`Self::send`].
    pub async fn ask(&mut self, prepared: &Prepared) -> Brief {
        let opened = self.route.clock().now();
        let mut size = Size(0);
        let result = self.exchange(&prepared.bytes, prepared.is_head, opened, &mut size).await;
        let closed = self.route.clock().now();
        let result = result.map(|status| BriefReply { status, bytes: size.0 });
        Brief { window: Window { opened, released: None, closed }, result }
    }

    async fn exchange<K: Keep>(
        &mut self,
        request: &[u8],
        to_head: bool,
        opened: Stamp,
        keep: &mut K,
    ) -> Result<u16, Failure> {
        if let Some(mut wire) = self.wire.take()
            && matches!(wire.idle().await, Idle::Silent)
        {
            let result = wire.ask(request, to_head, opened, keep).await;
            // A connection that breaks before it takes a single byte was dead before.
            if !matches!(result, Err(Failure::NotSent(Cause::Broken(_)))) {
                return self.keep(wire, result);
            }
        }
        let mut wire = self.open().await.map_err(Failure::NotSent)?;
        match wire.idle().await {
            Idle::Silent => {}
            Idle::Ended(cause) => return Err(Failure::NotSent(cause)),
            Idle::Talking => {
                return Err(Failure::NotSent(Cause::NotHttp("it came before anything was asked".to_owned())));
            }
        }
        let since = self.route.clock().now();
        let result = wire.ask(request, to_head, since, keep).await;
        self.keep(wire, result)
    }

    /// Keeps the connection, if it can be used again.
    fn keep(&mut self, wire: Box<Wire>, result: Result<wire::End, Failure>) -> Result<u16, Failure> {
        let end = result?;
        if end.is_reusable {
            self.wire = Some(wire);
        }
        Ok(end.status)
    }

    async fn open(&mut self) -> Result<Box<Wire>, Cause> {
        let stream = self.route.connect().await?;
        self.connections += 1;
        Ok(Box::new(Wire::new(stream, Deadline::new(self.route.clock(), self.route.limit()))))
    }
}

/// Keeps all of an answer.
#[derive(Debug, Default)]
struct Kept {
    headers: Headers,
    body: BytesMut,
}

impl Keep for Kept {
    fn head(&mut self, headers: &[Header<'_>]) {
        self.headers = headers.iter().filter_map(shown).collect();
    }

    fn data(&mut self, data: &[u8]) {
        self.body.extend_from_slice(data);
    }
}

/// A header line as text; none if its value is not visible ASCII.
fn shown(header: &Header<'_>) -> Option<(std::sync::Arc<str>, std::sync::Arc<str>)> {
    let is_visible = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let value = std::str::from_utf8(header.value).ok().filter(|value| value.as_bytes().iter().all(is_visible))?;
    Some((header.name.to_ascii_lowercase().into(), value.into()))
}

/// Counts an answer's body.
struct Size(u64);

impl Keep for Size {
    fn head(&mut self, _: &[Header<'_>]) {}

    fn data(&mut self, data: &[u8]) {
        self.0 += data.len() as u64;
    }
}

#[cfg(test)]
mod tests;
