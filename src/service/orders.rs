//! The order, what belongs to it, and its lifecycle: pure, no clock, no store.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::etag::EntityTag;
pub(super) use lifecycle::{Action, Status};

mod lifecycle;

/// Names one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub(super) struct OrderId(Uuid);

impl OrderId {
    pub(super) const fn new(id: Uuid) -> Self {
        Self(id)
    }

    pub(super) const fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OrderId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// One version of one order. A version never changes: a transition makes the next one.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Order {
    pub(super) id: OrderId,
    /// Who placed it, if they said; decides whose order it is, and is not told.
    #[serde(skip)]
    pub(super) customer: Option<String>,
    pub(super) restaurant: String,
    pub(super) restaurant_name: String,
    pub(super) rider: Option<String>,
    pub(super) status: Status,
    pub(super) amount: i64,
    /// Starts at 1 and goes up by exactly 1 per applied transition.
    pub(super) version: u64,
    #[serde(serialize_with = "rfc3339")]
    pub(super) created_at: Timestamp,
    #[serde(serialize_with = "rfc3339")]
    pub(super) updated_at: Timestamp,
    /// Names this version and no other; travels in the `ETag` header, not in the body.
    #[serde(skip)]
    pub(super) tag: EntityTag,
}

/// What a transition needs and a pure function cannot have: the time, and names that nobody used before.
#[derive(Clone, Debug)]
pub(super) struct Minted {
    pub(super) at: Timestamp,
    /// The tag of the version about to be written.
    pub(super) tag: EntityTag,
    /// The id of whatever the transition brings into being: an order, a charge or an unnamed rider.
    pub(super) id: Uuid,
}

impl Minted {
    pub(super) fn now() -> Self {
        // To the microsecond, as it will be kept: the first answer and the next reading tell the same time.
        let at = Timestamp::from_microsecond(Timestamp::now().as_microsecond()).expect("a time that was a time before");
        Self { at, tag: EntityTag::strong(Uuid::new_v4().simple().to_string()), id: Uuid::new_v4() }
    }
}

/// A charge really made: one row of an order's ledger.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Charge {
    pub(super) id: Uuid,
    pub(super) amount: i64,
    pub(super) payment_method: String,
    #[serde(serialize_with = "rfc3339")]
    pub(super) created_at: Timestamp,
}

/// A transition that was applied: one row of an order's history.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    pub(super) action: Cause,
    pub(super) actor: String,
    pub(super) from: Status,
    pub(super) to: Status,
    /// The version that this transition made.
    pub(super) version: u64,
    #[serde(serialize_with = "rfc3339")]
    pub(super) at: Timestamp,
    /// Why, in the words of whoever cancelled or rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// What brought an event about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Action(Action),
    V1Put,
    V1Pay,
}

impl Cause {
    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Action(action) => action.name(),
            Self::V1Put => "v1-put",
            Self::V1Pay => "v1-pay",
        }
    }
}

/// The text is not the name of a [`Cause`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownCause;

impl FromStr for Cause {
    type Err = UnknownCause;

    fn from_str(name: &str) -> Result<Self, UnknownCause> {
        let actions = Action::ALL.into_iter().map(Self::Action);
        actions.chain([Self::V1Put, Self::V1Pay]).find(|cause| cause.name() == name).ok_or(UnknownCause)
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Who carries an order; known from the first pickup on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Rider {
    pub(super) id: String,
    pub(super) name: String,
}

/// Who cooks.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Restaurant {
    pub(super) id: String,
    pub(super) name: String,
}

impl Restaurant {
    /// The restaurants that every store starts with, as (id, name); an order that names none goes to the first.
    pub(super) const SEEDED: [(&'static str, &'static str); 4] = [
        ("trattoria-roma", "Trattoria Roma"),
        ("sushi-kaze", "Sushi Kaze"),
        ("taqueria-sol", "Taquería Sol"),
        ("curry-palace", "Curry Palace"),
    ];

    pub(super) fn seeded() -> Vec<Self> {
        Self::SEEDED.map(|(id, name)| Self { id: id.to_owned(), name: name.to_owned() }).into()
    }
}

/// Microseconds: what every store we know of keeps.
fn rfc3339<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.6}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_name() {
        for name in Action::ALL.map(Action::name).into_iter().chain(["v1-put", "v1-pay"]) {
            assert_eq!(name.parse().map(Cause::name), Ok(name));
        }
        assert_eq!("eating".parse::<Cause>(), Err(UnknownCause));
    }
}
