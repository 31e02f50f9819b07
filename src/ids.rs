//! Identities that appear in histories and reports. Each is a type of its own, so none is taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An operation's place in its history: dense, in order of opening within a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct OpId(pub u32);

/// One sequential client: a lane of the history. A client whose request ended Unknown is retired, and its
/// successor gets a new id (judging R3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct ClientId(pub u32);

/// One fresh resource: raced by a volley, or visited by one contender alone as a serial control.
///
/// Written `r17` (the 17th raced round, from 1) and `c2` (the 2nd control).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoundId {
    /// A contender alone, nothing racing: what the race is compared with.
    Control(u32),
    /// A volley of contenders released together.
    Raced(u32),
}

impl RoundId {
    /// Whether this round raced (and so counts as one).
    pub const fn is_raced(self) -> bool {
        matches!(self, Self::Raced(_))
    }

    /// The number reports show: raced rounds count from 1, every control is 0.
    pub const fn number(self) -> u32 {
        match self {
            Self::Control(_) => 0,
            Self::Raced(number) => number,
        }
    }
}

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control(number) => write!(f, "c{number}"),
            Self::Raced(number) => write!(f, "r{number}"),
        }
    }
}

impl FromStr for RoundId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a round such as `r17` or `c2`, found `{text}`");
        let number = |digits: &str| digits.parse().map_err(|_| expected());
        match text.split_at_checked(1) {
            Some(("r", digits)) => Ok(Self::Raced(number(digits)?)),
            Some(("c", digits)) => Ok(Self::Control(number(digits)?)),
            Some(_) | None => Err(expected()),
        }
    }
}

impl Serialize for RoundId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RoundId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_reads_back_as_it_was_written() {
        for round in [RoundId::Raced(17), RoundId::Control(2)] {
            assert_eq!(round.to_string().parse(), Ok(round));
        }
    }

    #[test]
    fn a_malformed_round_says_what_was_expected() {
        for text in ["", "r", "x3", "r-1", "17", "é1"] {
            let error = text.parse::<RoundId>().unwrap_err();
            assert!(error.contains("r17"), "{error}");
        }
    }
}
