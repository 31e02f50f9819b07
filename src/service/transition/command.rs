//! What a caller wants done to an order, and the payment provider, who is asked for one of it.

use jiff::Timestamp;
use uuid::Uuid;

use super::super::body::JsonObject;
use super::super::orders::{Action, Charge};
use super::super::problem::Problem;

/// The payment method that the payment provider of this service always declines.
const DECLINED: &str = "declined";

/// What a caller wants done to an order.
#[derive(Clone, Debug)]
pub(in super::super) enum Command {
    Pay { method: String, amount: i64 },
    Cancel { reason: String },
    Reject { reason: String },
    Accept,
    CompletePreparation,
    PickUp,
    Deliver,
}

impl Command {
    /// Reads the body of a request for `action`.
    pub(in super::super) fn read(action: Action, body: &JsonObject) -> Result<Self, Problem> {
        Ok(match action {
            Action::Payment => Self::Pay {
                method: body.required_text("payment_method")?.to_owned(),
                amount: body.required_integer("amount")?,
            },
            Action::Cancellation => Self::Cancel { reason: body.required_text("reason")?.to_owned() },
            Action::Rejection => Self::Reject { reason: body.required_text("reason")?.to_owned() },
            Action::Acceptance => Self::Accept,
            Action::PreparationComplete => Self::CompletePreparation,
            Action::Pickup => Self::PickUp,
            Action::Delivery => Self::Deliver,
        })
    }

    pub(in super::super) const fn action(&self) -> Action {
        match self {
            Self::Pay { .. } => Action::Payment,
            Self::Cancel { .. } => Action::Cancellation,
            Self::Reject { .. } => Action::Rejection,
            Self::Accept => Action::Acceptance,
            Self::CompletePreparation => Action::PreparationComplete,
            Self::PickUp => Action::Pickup,
            Self::Deliver => Action::Delivery,
        }
    }

    /// The charge that the payment provider makes for this; none where it declines, or where nothing is to be paid.
    pub(in super::super) fn charge(&self, id: Uuid, at: Timestamp) -> Option<Charge> {
        match self {
            Self::Pay { method, amount } => charge(method, *amount, id, at),
            Self::Cancel { .. }
            | Self::Reject { .. }
            | Self::Accept
            | Self::CompletePreparation
            | Self::PickUp
            | Self::Deliver => None,
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Cancel { reason } | Self::Reject { reason } => Some(reason),
            Self::Pay { .. } | Self::Accept | Self::CompletePreparation | Self::PickUp | Self::Deliver => None,
        }
    }
}

/// The payment provider: takes every method but one.
pub(in super::super) fn charge(method: &str, amount: i64, id: Uuid, at: Timestamp) -> Option<Charge> {
    (method != DECLINED).then(|| Charge { id, amount, payment_method: method.to_owned(), created_at: at })
}
