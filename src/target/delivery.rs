//! Which methods of delivery a run is to use.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::history::Method;

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
