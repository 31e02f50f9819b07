//! Where in each request of a volley the gate sits.
//!
//! ```text
//!           POST /orders/1/acceptance HTTP/1.1 … if-match: "3" ␍␊␍ ␊ {"minutes": 2 5 }
//! barrier  │ nothing is sent before the gate opens
//! head      ───────────────────────────────────────────────────── │ the last byte of the header section, and the body
//! tail      ───────────────────────────────────────────────────────────────────── │ the last byte of the body
//! ```
//!
//! What is found depends on it: a server that checks a precondition as soon as it has the headers keeps its check open for as
//! long as a *tail* is withheld; one that begins its work when the body has come does not. So that it gets as far, the gate
//! dwells on a tail ([`Delivery::dwell`]).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where in each request of a volley the gate sits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Before the request.
    Barrier,
    /// Before the last byte of the header section.
    #[default]
    Head,
    /// Before the last byte of the body; where there is none, before the last byte of the header section.
    Tail,
}

/// The text is not the name of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no delivery `{0}`; there are barrier, head and tail")]
pub struct UnknownDelivery(String);

impl Delivery {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Barrier, Self::Head, Self::Tail];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Barrier => "barrier",
            Self::Head => "head",
            Self::Tail => "tail",
        }
    }

    /// How long the gate stays closed after the last contender is there, where a warm read took its server `read` at most: the
    /// answer to a read takes the way there, a look at the headers, and the way back. Twice that, but no more than a
    /// quarter of the `limit` that a request has.
    pub fn dwell(self, read: Duration, limit: Duration) -> Duration {
        match self {
            Self::Barrier | Self::Head => Duration::ZERO,
            Self::Tail => (2 * read).min(limit / 4),
        }
    }

    /// What is held back, in one line.
    pub const fn withholds(self) -> &'static str {
        match self {
            Self::Barrier => "the whole request",
            Self::Head => "the last byte of the header section and the body: no server can judge anything yet",
            Self::Tail => {
                "the last byte of the body: a server that checks as soon as it has the headers holds its check open. A \
                 request without a body has no tail, and is held at the head"
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
        let dwells = |read| Delivery::ALL.map(|delivery| delivery.dwell(read, limit));
        assert_eq!(dwells(read), [Duration::ZERO, Duration::ZERO, 2 * read]);
        assert_eq!(dwells(limit), [Duration::ZERO, Duration::ZERO, limit / 4]);
    }

    #[test]
    fn every_delivery_is_known_by_its_name() {
        assert_eq!(Delivery::ALL.map(|delivery| delivery.name().parse()), Delivery::ALL.map(Ok));
        assert_eq!("body".parse::<Delivery>(), Err(UnknownDelivery("body".to_owned())));
    }
}
