//! What came of a request (judging R2): answered, certainly not sent, or unknown. There is no `is_ok`: a refusal is
//! a claim to be judged like any other.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Digest;

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A complete response that the API description can read, refusals included.
    Answered(Reply),
    /// Certainly without effect: no byte of it left.
    NotSent(Cause),
    /// May have taken effect, once or never, now or at any later time.
    Unknown(Cause),
}

impl Outcome {
    /// The reply, if there was one.
    pub const fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Answered(reply) => Some(reply),
            Self::NotSent(_) | Self::Unknown(_) => None,
        }
    }

    /// Whether an effect may still come after the window closed.
    pub const fn is_open_ended(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// No connection: refused, unreachable, or the name has no address.
    Connect(String),
    /// No TLS session.
    Tls(String),
    /// No complete response within the limit.
    TimedOut,
    /// The connection broke before the response was complete.
    Broken(String),
    /// The response exceeded the size limit.
    TooLarge,
    /// What came back is not HTTP.
    NotHttp(String),
    /// A status that leaves open whether the work was done: 5xx, 408, 425.
    Status(u16),
    /// A success whose body the API description cannot read.
    Unreadable {
        /// The response's status.
        status: u16,
        /// What was expected and what came.
        detail: String,
    },
    /// Given up before an answer came: the run was interrupted, or the volley never assembled.
    Abandoned,
}

impl Cause {
    /// The response's status, where one was seen.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) | Self::Unreadable { status, .. } => Some(*status),
            Self::Connect(_)
            | Self::Tls(_)
            | Self::TimedOut
            | Self::Broken(_)
            | Self::TooLarge
            | Self::NotHttp(_)
            | Self::Abandoned => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(why) => write!(f, "no connection ({why})"),
            Self::Tls(why) => write!(f, "no TLS session ({why})"),
            Self::TimedOut => f.write_str("no complete answer within the time limit"),
            Self::Broken(why) => write!(f, "the connection broke before the answer was complete ({why})"),
            Self::TooLarge => f.write_str("the answer exceeded the size limit"),
            Self::NotHttp(why) => write!(f, "the answer was not HTTP ({why})"),
            Self::Status(status) => write!(f, "status {status}, which leaves open whether the work was done"),
            Self::Unreadable { status, detail } => write!(f, "status {status}, but {detail}"),
            Self::Abandoned => f.write_str("given up before an answer came"),
        }
    }
}

/// A complete response, read by the API description. Everything optional is absent where the API does not say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// What it means in this API.
    pub meaning: Meaning,
    /// The resource's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Arc<str>>,
    /// The resource's state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Arc<str>>,
    /// The resource's version: up by exactly one with each change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The resource's version token, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Arc<str>>,
    /// The id of the effect that this request had (a charge, say).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Arc<str>>,
    /// How much that effect was (the money charged, say).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// The rows of a list: effects or events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Vec<Record>>,
    /// A digest of the body without its volatile fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// When the request arrived, by the server's own clock. For the spread of a volley alone, never for order or judgment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Arrival>,
}

/// When a request arrived at a server: nanoseconds since that server's clock started, whenever that was. Only differences
/// between arrivals at one server mean anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrival(u64);

impl Arrival {
    /// The moment `nanos` nanoseconds after the start of the server's clock.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start of the server's clock.
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

impl Reply {
    /// A reply of which nothing else is known.
    pub const fn new(status: u16, meaning: Meaning) -> Self {
        Self {
            status,
            meaning,
            resource: None,
            state: None,
            version: None,
            token: None,
            effect: None,
            amount: None,
            records: None,
            digest: None,
            arrived: None,
        }
    }
}

/// What a reply claims, in the API description's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// Done (for a read: here it is).
    Applied,
    /// The stored answer to an earlier request with the same idempotency key.
    Replayed,
    /// Refused: the version token is not the current one.
    Stale,
    /// Refused: the resource's state, or the request itself, does not allow it.
    Refused,
    /// Refused: a condition is required and there was none.
    MissingPrecondition,
    /// Refused for now: a request with the same idempotency key is being worked on.
    InProgress,
    /// Refused: there is no such resource, or none that the caller may see.
    NotFound,
    /// Refused: the caller may not do it.
    Unauthorized,
    /// An answer that the API description has no reading for: it may mean done or not done.
    Unclear,
}

impl Meaning {
    /// Whether the server says for good that this request changed nothing. `Replayed` had its effect in an earlier
    /// request; `InProgress` may be told by something that sent the very request twice; `Unclear` says nothing.
    pub const fn is_refusal(self) -> bool {
        match self {
            Self::Stale | Self::Refused | Self::MissingPrecondition | Self::NotFound | Self::Unauthorized => true,
            Self::Applied | Self::Replayed | Self::InProgress | Self::Unclear => false,
        }
    }

    /// Whether the answer leaves open whether this very request was done.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::InProgress | Self::Unclear)
    }

    /// The word for it in reports and files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Replayed => "replayed",
            Self::Stale => "stale",
            Self::Refused => "refused",
            Self::MissingPrecondition => "missing-precondition",
            Self::InProgress => "in-progress",
            Self::NotFound => "not-found",
            Self::Unauthorized => "unauthorized",
            Self::Unclear => "unclear",
        }
    }
}

/// One row of a list of effects or events; what a row does not say is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The row's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Arc<str>>,
    /// How much it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<i64>,
    /// The action that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Arc<str>>,
    /// The state before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Arc<str>>,
    /// The state after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Arc<str>>,
    /// The version after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}
