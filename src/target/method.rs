//! Where in each request of a volley the gate sits, and over which HTTP.
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
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Which methods a run is asked to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// All that the target speaks, and then those that pay.
    #[default]
    Auto,
    /// [`Method::Barrier`].
    Barrier,
    /// [`Method::Head`].
    Head,
    /// [`Method::Tail`].
    Tail,
    /// Both over HTTP/2, and then the one that pays.
    SinglePacket,
    /// [`Method::SinglePacketHead`].
    SinglePacketHead,
    /// [`Method::SinglePacketTail`].
    SinglePacketTail,
}

/// The text is not the name of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no delivery `{0}`; there are {names}", names = Delivery::ALL.map(Delivery::name).join(", "))]
pub struct UnknownDelivery(String);

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Auto,
        Self::Barrier,
        Self::Head,
        Self::Tail,
        Self::SinglePacket,
        Self::SinglePacketHead,
        Self::SinglePacketTail,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SinglePacket => "single-packet",
            Self::Barrier => Method::Barrier.name(),
            Self::Head => Method::Head.name(),
            Self::Tail => Method::Tail.name(),
            Self::SinglePacketHead => Method::SinglePacketHead.name(),
            Self::SinglePacketTail => Method::SinglePacketTail.name(),
        }
    }

    /// The methods it stands for, whatever the target speaks.
    pub const fn methods(self) -> &'static [Method] {
        match self {
            // The best known first: where there are few rounds, they are played so.
            Self::Auto => {
                &[Method::Head, Method::SinglePacketHead, Method::Tail, Method::SinglePacketTail, Method::Barrier]
            }
            Self::Barrier => &[Method::Barrier],
            Self::Head => &[Method::Head],
            Self::Tail => &[Method::Tail],
            Self::SinglePacket => &[Method::SinglePacketHead, Method::SinglePacketTail],
            Self::SinglePacketHead => &[Method::SinglePacketHead],
            Self::SinglePacketTail => &[Method::SinglePacketTail],
        }
    }

    /// What is held back, in one line.
    pub const fn withholds(self) -> &'static str {
        match self {
            Self::Auto => {
                "all of the methods below that the target speaks, in turn; the rounds that remain are spent on those that pay"
            }
            Self::Barrier => "HTTP/1.1: the whole request",
            Self::Head => {
                "HTTP/1.1: the last byte of the header section and the body: no server can judge anything yet"
            }
            Self::Tail => {
                "HTTP/1.1: the last byte of the body: a server that checks as soon as it has the headers holds its check open. A \
                 request without a body has no tail, and is held at the head"
            }
            Self::SinglePacket => {
                "HTTP/2: both of the following, in turn; the rounds that remain are spent on the one that pays"
            }
            Self::SinglePacketHead => "HTTP/2, one connection: the requests, which then leave in one write",
            Self::SinglePacketTail => {
                "HTTP/2, one connection: the last frame of each request, which then leave in one write"
            }
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Delivery {
    type Err = UnknownDelivery;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|delivery| delivery.name() == name);
        known.ok_or_else(|| UnknownDelivery(name.to_owned()))
    }
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

    #[test]
    fn every_delivery_is_known_by_its_name() {
        assert_eq!(Delivery::ALL.map(|delivery| delivery.name().parse()), Delivery::ALL.map(Ok));
        let error = "body".parse::<Delivery>().unwrap_err().to_string();
        assert!(error.contains("`body`") && error.contains("tail, single-packet"), "{error}");
    }

    #[test]
    fn auto_stands_for_every_method() {
        let mut methods = Delivery::Auto.methods().to_vec();
        methods.sort_unstable();
        assert_eq!(methods, Method::ALL);
    }
}
