//! The server under test, as the race sees it: something that answers requests, and takes contenders' requests all
//! but their end.
//!
//! - [`HttpTarget`] is any URL. Set-up and observation go through `reqwest` ([`http`](self)), raced requests over
//!   connections whose end is withheld ([`hold`](self)): HTTP/1.1 one by one ([`http1`](self)), HTTP/2 all on one
//!   ([`http2`](self)).
//! - [`Persistent`] is one connection for load, kept from request to request, along a [`Route`].
//! - [`gate`] releases a volley; [`Method`] says where in a request it sits, [`Delivery`] which methods a run is to use, and
//!   [`Spoken`] which the target allows.
//! - [`Endpoint`] says where the target is, and whether it may be raced.
//!
//! One request on the wire is one operation: nothing here follows a redirect or sends a request again.

mod delivery;
mod endpoint;
pub mod gate;
mod hold;
mod http;
mod http1;
mod http2;
mod line;
mod login;
mod message;
mod persistent;
mod spoken;
mod stream;
mod tls;
mod transport;
mod trust;

use std::future::Future;
use std::time::Duration;

pub use crate::history::{Method, Version};
pub use delivery::{Delivery, UnknownDelivery};
pub use endpoint::{Endpoint, EndpointError};
pub use http::HttpTarget;
pub use line::Line;
pub use login::{LoginError, log_in};
pub use persistent::{Brief, BriefReply, Persistent, Prepared, Route, RouteError};
pub use spoken::Spoken;
pub use tls::TlsError;
pub use transport::{TlsFacts, Transport};
pub use trust::{Trust, TrustError};

use crate::api::{Request, Response};
use crate::history::{Cause, Window};
use gate::Ticket;

/// The largest response body that is read (bytes). A longer one is an Unknown outcome, not a reason to swell.
const BODY_LIMIT: usize = 4 << 20;

/// What came of one request on the wire.
#[derive(Debug)]
pub struct Exchange {
    /// When: opened before the first byte could leave, closed after the last one came.
    pub window: Window,
    /// A complete response, or why there is none.
    pub result: Result<Response, Failure>,
}

/// Why there is no complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Certainly without effect: no byte of the request left.
    NotSent(Cause),
    /// May have taken effect.
    Unknown(Cause),
}

impl Failure {
    /// What went wrong.
    pub const fn cause(&self) -> &Cause {
        match self {
            Self::NotSent(cause) | Self::Unknown(cause) => cause,
        }
    }
}

/// Something that answers requests.
pub trait Target: Send + Sync + 'static {
    /// A connection of one contender.
    type Contender: Contender;

    /// Sends one request and waits for its answer.
    fn send(&self, request: &Request) -> impl Future<Output = Exchange> + Send;

    /// Lets go of connections that are kept for [`Self::send`]: the target is another process now.
    fn forget_connections(&self) {}

    /// Opens a line for one contender whose requests are carried by this version of HTTP.
    ///
    /// # Errors
    /// Why none could be opened; no request was sent.
    fn contender(&self, version: Version) -> impl Future<Output = Result<Self::Contender, Cause>> + Send;
}

/// One contender's open line.
pub trait Contender: Send + Sized + 'static {
    /// Sends one request at once and waits for its answer: to warm the connection, and to read what must be known.
    fn send(&mut self, request: &Request) -> impl Future<Output = Exchange> + Send;

    /// Sends one request but for its end, which the gate lets go, and waits for its answer. (The answer may come before.) Of
    /// contenders on one connection, all race before any of them races again.
    fn race(&mut self, request: &Request, method: Method, ticket: Ticket) -> impl Future<Output = Exchange> + Send;

    /// What it carries requests by.
    fn version(&self) -> Version {
        Version::Http1
    }

    /// A line for another contender on the same connection, if that carries several at once.
    fn twin(&self) -> Option<Self> {
        None
    }

    /// Whether it is the twin of another.
    fn is_twin(&self) -> bool {
        false
    }

    /// Whether another request can be sent on it.
    fn is_usable(&self) -> bool;
}

/// How patient the client is.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The limit for one request, from its first byte (or the gate's release) to the last byte of its answer.
    pub request: Duration,
}
