//! Where an order stands, and what may be done to it there.
//!
//! ```text
//! pending_payment ──payment──► pending_acceptance ──acceptance──► preparing ──preparation-complete──► ready_for_pickup
//!   │  │ (declined)              │  │                                                                     │ pickup
//!   │  └──► payment_failed       │  └──rejection──► rejected                                              ▼
//!   └──cancellation──► cancelled ◄──cancellation                                  delivered ◄──delivery── in_transit
//! ```

use serde::{Serialize, Serializer};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in super::super) enum Status {
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
    pub(in super::super) const ALL: [Self; 9] = [
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
    pub(in super::super) const fn name(self) -> &'static str {
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

    pub(in super::super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The state that `action` leads to from here; none where the lifecycle forbids it.
    pub(in super::super) fn after(self, action: Action) -> Option<Self> {
        let (from, to) = action.rule();
        from.contains(&self).then_some(to)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What people may do to an order in V2: the last segment of the request's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Action {
    Payment,
    Cancellation,
    Rejection,
    Acceptance,
    PreparationComplete,
    Pickup,
    Delivery,
}

impl Action {
    pub(in super::super) const ALL: [Self; 7] = [
        Self::Payment,
        Self::Cancellation,
        Self::Rejection,
        Self::Acceptance,
        Self::PreparationComplete,
        Self::Pickup,
        Self::Delivery,
    ];

    /// The name on the wire.
    pub(in super::super) const fn name(self) -> &'static str {
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
}
