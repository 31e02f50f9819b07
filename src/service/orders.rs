//! The order and its lifecycle: pure, no clock, no store.
//!
//! ```text
//! pending_payment ──payment──► pending_acceptance ──acceptance──► preparing ──preparation-complete──► ready_for_pickup
//!   │  │ (declined)              │  │                                                                     │ pickup
//!   │  └──► payment_failed       │  └──rejection──► rejected                                              ▼
//!   └──cancellation──► cancelled ◄──cancellation                                  delivered ◄──delivery── in_transit
//! ```

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::etag::EntityTag;

/// Names one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema, Serialize)]
#[serde(transparent)]
#[schemars(inline)]
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

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Status {
    PendingPayment,
    PendingAcceptance,
    Preparing,
    ReadyForPickup,
    InTransit,
    Delivered,
    Cancelled,
    Rejected,
    PaymentFailed,
}

impl Status {
    pub(super) const ALL: [Self; 9] = [
        Self::PendingPayment,
        Self::PendingAcceptance,
        Self::Preparing,
        Self::ReadyForPickup,
        Self::InTransit,
        Self::Delivered,
        Self::Cancelled,
        Self::Rejected,
        Self::PaymentFailed,
    ];

    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::PendingAcceptance => "pending_acceptance",
            Self::Preparing => "preparing",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::InTransit => "in_transit",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::PaymentFailed => "payment_failed",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The state that `action` leads to from here; none where the lifecycle forbids it.
    pub(super) fn after(self, action: Action) -> Option<Self> {
        let (from, to) = action.rule();
        from.contains(&self).then_some(to)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom("`status` must be the name of an order's state"))
    }
}

impl JsonSchema for Status {
    fn schema_name() -> Cow<'static, str> {
        "Status".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "Where an order stands.", "type": "string", "enum": Self::ALL.map(Self::name)})
    }
}

/// What people may do to an order in V2: the last segment of the request's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Payment,
    Cancellation,
    Rejection,
    Acceptance,
    PreparationComplete,
    Pickup,
    Delivery,
}

impl Action {
    pub(super) const ALL: [Self; 7] = [
        Self::Payment,
        Self::Cancellation,
        Self::Rejection,
        Self::Acceptance,
        Self::PreparationComplete,
        Self::Pickup,
        Self::Delivery,
    ];

    /// The name on the wire.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Cancellation => "cancellation",
            Self::Rejection => "rejection",
            Self::Acceptance => "acceptance",
            Self::PreparationComplete => "preparation-complete",
            Self::Pickup => "pickup",
            Self::Delivery => "delivery",
        }
    }

    /// The lifecycle, one row per action: allowed from these states, leading to that one.
    const fn rule(self) -> (&'static [Status], Status) {
        match self {
            Self::Payment => (&[Status::PendingPayment], Status::PendingAcceptance),
            Self::Cancellation => (&[Status::PendingPayment, Status::PendingAcceptance], Status::Cancelled),
            Self::Rejection => (&[Status::PendingAcceptance], Status::Rejected),
            Self::Acceptance => (&[Status::PendingAcceptance], Status::Preparing),
            Self::PreparationComplete => (&[Status::Preparing], Status::ReadyForPickup),
            Self::Pickup => (&[Status::ReadyForPickup], Status::InTransit),
            Self::Delivery => (&[Status::InTransit], Status::Delivered),
        }
    }
}

/// One version of one order. A version never changes: a transition makes the next one.
#[derive(Clone, Debug, JsonSchema, Serialize)]
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
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct Charge {
    pub(super) id: Uuid,
    pub(super) amount: i64,
    pub(super) payment_method: String,
    #[serde(serialize_with = "rfc3339")]
    pub(super) created_at: Timestamp,
}

/// A transition that was applied: one row of an order's history.
#[derive(Clone, Debug, JsonSchema, Serialize)]
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
    #[schemars(with = "String")]
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
    fn all() -> impl Iterator<Item = Self> {
        Action::ALL.into_iter().map(Self::Action).chain([Self::V1Put, Self::V1Pay])
    }

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
        Self::all().find(|cause| cause.name() == name).ok_or(UnknownCause)
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Cause {
    fn schema_name() -> Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::all().map(Self::name).collect();
        json_schema!({"description": "What brought an event about.", "type": "string", "enum": names})
    }
}

/// Who carries an order; known from the first pickup on.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub(super) struct Rider {
    pub(super) id: String,
    pub(super) name: String,
}

/// Who cooks.
#[derive(Clone, Debug, JsonSchema, Serialize)]
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
    fn the_lifecycle_allows_what_the_contract_lists_and_nothing_else() {
        use Action::{Acceptance, Cancellation, Delivery, Payment, Pickup, PreparationComplete, Rejection};
        use Status::{
            Cancelled, Delivered, InTransit, PendingAcceptance, PendingPayment, Preparing, ReadyForPickup, Rejected,
        };
        let allowed = [
            (PendingPayment, Payment, PendingAcceptance),
            (PendingPayment, Cancellation, Cancelled),
            (PendingAcceptance, Acceptance, Preparing),
            (PendingAcceptance, Rejection, Rejected),
            (PendingAcceptance, Cancellation, Cancelled),
            (Preparing, PreparationComplete, ReadyForPickup),
            (ReadyForPickup, Pickup, InTransit),
            (InTransit, Delivery, Delivered),
        ];
        for status in Status::ALL {
            for action in Action::ALL {
                let expected =
                    allowed.iter().find(|(from, by, _)| *from == status && *by == action).map(|(_, _, to)| *to);
                assert_eq!(status.after(action), expected, "{status:?} {action:?}");
            }
        }
    }

    #[test]
    fn every_status_is_found_by_its_name() {
        for status in Status::ALL {
            assert_eq!(Status::named(status.name()), Some(status));
        }
        assert_eq!(Status::named("eaten"), None);
    }

    #[test]
    fn every_cause_is_found_by_its_name() {
        for name in Action::ALL.map(Action::name).into_iter().chain(["v1-put", "v1-pay"]) {
            assert_eq!(name.parse().map(Cause::name), Ok(name));
        }
        assert_eq!("eating".parse::<Cause>(), Err(UnknownCause));
    }
}
