//! The judgment of one action on one version of an order: pure.
//!
//! [`plan`] says what applying the action would write, or why it may not be applied. Whether the order still *is*
//! that version is for the store to say, in the same step that writes (see [`actions`](super::actions)).

use super::etag::{EntityTag, Preconditions, Unmet};
use super::identity::Principal;
use super::orders::{Action, Cause, Charge, Event, Minted, Order, Rider, Status};

pub(super) use command::{Command, charge};

mod command;

/// Why an order does not take an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The amount to be paid is not the order's: 422.
    Unpayable { amount: i64 },
    /// 428
    PreconditionMissing,
    /// 412
    PreconditionFailed,
    /// The lifecycle forbids it: 409.
    Illegal(Action),
}

/// Everything that one transition writes, to be applied as a whole or not at all.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The version that was judged, and that must still be current when this is written.
    pub(super) expected_version: u64,
    /// The order as it will be.
    pub(super) order: Order,
    /// The row of the order's history; every transition has one.
    pub(super) event: Option<Event>,
    pub(super) charge: Option<Charge>,
    pub(super) rider: Option<Rider>,
}

impl Change {
    /// The same as the version of this number.
    pub(super) fn numbered(mut self, version: u64) -> Self {
        self.order.version = version;
        if let Some(event) = &mut self.event {
            event.version = version;
        }
        self
    }
}

/// What an action is judged by.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Whether a write may go ahead on the version that has this tag.
    pub(super) precondition: fn(&Preconditions, &EntityTag) -> Result<(), Unmet>,
    /// The state that an action leads to from another; none where it is forbidden there.
    pub(super) lifecycle: fn(Status, Action) -> Option<Status>,
}

impl Rules {
    /// The contract's.
    pub(super) const SOUND: Self = Self { precondition: Preconditions::judge_write, lifecycle: Status::after };
}

/// Judges `command` on `order`, in the contract's order: the sense of the body, the precondition, the lifecycle.
pub(super) fn plan(
    rules: &Rules,
    order: &Order,
    command: &Command,
    preconditions: &Preconditions,
    caller: &Principal,
    minted: Minted,
) -> Result<Change, Refusal> {
    check_amount(order, command)?;
    (rules.precondition)(preconditions, &order.tag).map_err(|unmet| match unmet {
        Unmet::Missing => Refusal::PreconditionMissing,
        Unmet::Failed => Refusal::PreconditionFailed,
    })?;
    let action = command.action();
    let to = (rules.lifecycle)(order.status, action).ok_or(Refusal::Illegal(action))?;
    Ok(apply(order, command, to, caller, minted))
}

/// A payment of anything but the order's amount makes no sense at any version of the order: an order's amount never
/// changes. So it is judged with the body, before the precondition (RFC 9110 §13.2.1: preconditions come after the
/// normal checks), and no reload with a fresh tag could cure it. Orders cost more than nothing, so that the right
/// amount is a positive one goes without saying.
fn check_amount(order: &Order, command: &Command) -> Result<(), Refusal> {
    match command {
        Command::Pay { amount, .. } if *amount != order.amount => Err(Refusal::Unpayable { amount: *amount }),
        Command::Pay { .. }
        | Command::Cancel { .. }
        | Command::Reject { .. }
        | Command::Accept
        | Command::CompletePreparation
        | Command::PickUp
        | Command::Deliver => Ok(()),
    }
}

/// What follows from an action that leads to a state.
fn apply(order: &Order, command: &Command, to: Status, caller: &Principal, minted: Minted) -> Change {
    let action = command.action();
    let Minted { at, tag, id } = minted;
    let charge = command.charge(id, at);
    let declined = action == Action::Payment && charge.is_none();
    let status = if declined { Status::PaymentFailed } else { to };
    let rider = (action == Action::Pickup).then(|| {
        let name = caller.rider().map_or_else(|| id.to_string(), str::to_owned);
        Rider { id: name.clone(), name }
    });
    let version = order.version + 1;
    Change {
        expected_version: order.version,
        event: Some(Event {
            action: Cause::Action(action),
            actor: caller.to_string(),
            from: order.status,
            to: status,
            version,
            at,
            reason: command.reason().map(str::to_owned),
        }),
        order: Order {
            status,
            version,
            tag,
            updated_at: at,
            rider: rider.as_ref().map(|rider| rider.id.clone()).or_else(|| order.rider.clone()),
            ..order.clone()
        },
        charge,
        rider,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::etag::{EntityTag, TagList};
    use super::super::orders::OrderId;
    use super::*;

    fn order(status: Status) -> Order {
        Order {
            id: OrderId::new(Uuid::from_u128(1)),
            customer: None,
            restaurant: "trattoria-roma".to_owned(),
            restaurant_name: "Trattoria Roma".to_owned(),
            rider: None,
            status,
            amount: 25_000,
            version: 7,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            tag: EntityTag::strong("seven".to_owned()),
        }
    }

    fn minted() -> Minted {
        Minted {
            at: Timestamp::from_second(60).unwrap(),
            tag: EntityTag::strong("eight".to_owned()),
            id: Uuid::from_u128(2),
        }
    }

    fn pay(method: &str, amount: i64) -> Command {
        Command::Pay { method: method.to_owned(), amount }
    }

    fn current() -> Preconditions {
        Preconditions { if_match: Some(TagList::Any), if_none_match: None }
    }

    fn stale() -> Preconditions {
        Preconditions { if_match: Some(TagList::Tags(vec![EntityTag::strong("six".to_owned())])), if_none_match: None }
    }

    #[test]
    fn the_sense_of_the_body_is_judged_before_the_precondition_and_that_before_the_lifecycle() {
        let none = Preconditions::default();
        for (command, preconditions, expected) in [
            (pay("card", 1), &stale(), Refusal::Unpayable { amount: 1 }),
            (pay("card", -1), &none, Refusal::Unpayable { amount: -1 }),
            (pay("card", 25_000), &none, Refusal::PreconditionMissing),
            (pay("card", 25_000), &stale(), Refusal::PreconditionFailed),
            (pay("card", 25_000), &current(), Refusal::Illegal(Action::Payment)),
            (Command::Accept, &stale(), Refusal::PreconditionFailed),
            (Command::Accept, &current(), Refusal::Illegal(Action::Acceptance)),
        ] {
            let refusal = plan(
                &Rules::SOUND,
                &order(Status::Delivered),
                &command,
                preconditions,
                &Principal::Anonymous,
                minted(),
            )
            .unwrap_err();
            assert_eq!(refusal, expected, "{command:?}");
        }
    }

    #[test]
    fn a_payment_makes_one_charge_one_event_and_the_next_version() {
        let change = plan(
            &Rules::SOUND,
            &order(Status::PendingPayment),
            &pay("card", 25_000),
            &current(),
            &Principal::Anonymous,
            minted(),
        )
        .unwrap();
        assert_eq!(change.expected_version, 7);
        assert_eq!(change.order.version, 8);
        assert_eq!(change.order.status, Status::PendingAcceptance);
        assert_eq!(change.order.tag, EntityTag::strong("eight".to_owned()));
        let event = change.event.unwrap();
        assert_eq!((event.version, event.from), (8, Status::PendingPayment));
        assert_eq!(change.charge.unwrap().amount, 25_000);
    }

    #[test]
    fn a_declined_payment_fails_the_order_and_charges_nothing() {
        let change = plan(
            &Rules::SOUND,
            &order(Status::PendingPayment),
            &pay("declined", 25_000),
            &current(),
            &Principal::Anonymous,
            minted(),
        )
        .unwrap();
        assert_eq!(change.order.status, Status::PaymentFailed);
        assert!(change.charge.is_none());
    }

    #[test]
    fn whoever_picks_the_order_up_becomes_its_rider() {
        let named = Principal::Named { role: super::super::identity::Role::Rider, name: "bob".to_owned() };
        for (caller, expected) in [(named, "bob".to_owned()), (Principal::Anonymous, Uuid::from_u128(2).to_string())] {
            let order = order(Status::ReadyForPickup);
            let change = plan(&Rules::SOUND, &order, &Command::PickUp, &current(), &caller, minted()).unwrap();
            assert_eq!(change.order.rider, Some(expected.clone()));
            assert_eq!(change.rider.unwrap().id, expected);
        }
    }
}
