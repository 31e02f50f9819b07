//! How a volley was delivered: where in each request the gate sat, over which HTTP, and how far apart contenders left.
//!
//! ```text
//!                      POST /orders/1/acceptance HTTP/1.1 … if-match: "3" ␍␊␍ ␊ {"minutes": 2 5 }
//! barrier             │ nothing is sent before the gate opens
//! head                 ───────────────────────────────────────────────────── │ the last byte of the header section, and the body
//! tail                 ───────────────────────────────────────────────────────────────────── │ the last byte of the body
//!
//!                      HEADERS 1  DATA 1  HEADERS 3  DATA 3 …      (HTTP/2: all contenders on one connection)
//! single-packet-head  │ nothing of any of them; then all frames in one write
//! single-packet-tail   HEADERS and DATA of each │ but the last DATA frame of each; those in one write
//! ```
//!
//! What is found depends on it: a server that checks a precondition as soon as it has the headers keeps its check open for as
//! long as a *tail* is withheld; one that begins its work when the body has come does not. So that it gets as far, the gate
//! dwells on a tail ([`Method::dwell`]). Over HTTP/2 the contenders arrive in one packet, whatever the network does to
//! packets, and its server hears of all of them at once.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::RoundId;

/// One way to deliver a volley.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// HTTP/1.1, held before the request.
    Barrier,
    /// HTTP/1.1, held before the last byte of the header section.
    Head,
    /// HTTP/1.1, held before the last byte of the body; where there is none, before the last byte of the header section.
    Tail,
    /// HTTP/2, all contenders on one connection, held before the requests.
    SinglePacketHead,
    /// HTTP/2, all contenders on one connection, held before the last byte of each body; where there is none, before the
    /// empty frame that ends the request.
    SinglePacketTail,
}

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1: one request at a time on a connection (RFC 9112).
    Http1,
    /// HTTP/2: many at a time (RFC 9113).
    Http2,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Barrier, Self::Head, Self::Tail, Self::SinglePacketHead, Self::SinglePacketTail];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Head => "head",
            Self::Tail => "tail",
            Self::SinglePacketHead => "single-packet-head",
            Self::SinglePacketTail => "single-packet-tail",
        }
    }

    /// What the target must speak for it.
    pub const fn version(self) -> Version {
        match self {
            Self::Barrier | Self::Head | Self::Tail => Version::Http1,
            Self::SinglePacketHead | Self::SinglePacketTail => Version::Http2,
        }
    }

    /// Whether servers have all but the end of a request before the gate opens.
    pub const fn is_tail(self) -> bool {
        matches!(self, Self::Tail | Self::SinglePacketTail)
    }

    /// How long the gate stays closed after the last contender is there, where a warm read took its server `read` at most: the
    /// answer to a read takes the way there, a look at the headers, and the way back. Twice that, but no more than a
    /// quarter of the `limit` that a request has.
    pub fn dwell(self, read: Duration, limit: Duration) -> Duration {
        if self.is_tail() { (2 * read).min(limit / 4) } else { Duration::ZERO }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How the contenders of a volley leave: together, or held apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stagger {
    /// Each kind of contender beyond the first leaves so many µs after the first kind (before it, below zero).
    Kinds(Vec<i32>),
    /// All are of one kind, and each leaves so many µs after the one before it.
    Steps(i32),
}

/// How a raced round's volley was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// How.
    pub method: Method,
    /// The round.
    pub round: RoundId,
    /// How its contenders were to leave, where they were held apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Stagger>,
    /// How they did: a timer may be late. Missing if they did not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Stagger>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_dwells_on_tails_alone_and_never_for_long() {
        let (read, limit) = (Duration::from_millis(3), Duration::from_secs(5));
        for method in Method::ALL {
            let dwells = [read, limit].map(|read| method.dwell(read, limit));
            let expected = if method.is_tail() { [2 * read, limit / 4] } else { [Duration::ZERO; 2] };
            assert_eq!(dwells, expected, "{method}");
        }
    }
}
