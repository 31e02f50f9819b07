//! Who may do what to which order: pure.
//!
//! | role | may act | may see |
//! |---|---|---|
//! | customer | place; pay for and cancel their own orders | their own orders |
//! | restaurant | accept, reject, complete the preparation of orders placed with it | orders placed with it |
//! | rider | pick up any order, deliver those they picked up | orders without a rider, and their own |
//!
//! A wrong role is told so (403); an order that is somebody else's is not there (404). Pickup asks for the role alone: it
//! *makes* the order a rider's, and whoever comes second is to hear from the precondition (412) that it was too late.

use super::identity::{Principal, Role};
use super::orders::{Action, Order};

/// Whose orders a list is to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Viewer {
    Everyone,
    Customer(String),
    Restaurant(String),
    Rider(String),
}

impl Viewer {
    pub(super) fn of(caller: &Principal) -> Self {
        match caller {
            Principal::Anonymous => Self::Everyone,
            Principal::Named { role: Role::Customer, name } => Self::Customer(name.clone()),
            Principal::Named { role: Role::Restaurant, name } => Self::Restaurant(restaurant(name).to_owned()),
            Principal::Named { role: Role::Rider, name } => Self::Rider(name.clone()),
        }
    }

    pub(super) fn sees(&self, order: &Order) -> bool {
        match self {
            Self::Everyone => true,
            Self::Customer(name) => order.customer.as_ref() == Some(name),
            Self::Restaurant(id) => order.restaurant == *id,
            Self::Rider(name) => order.rider.as_ref().is_none_or(|rider| rider == name),
        }
    }
}

/// The role that an action takes.
pub(super) const fn role_for(action: Action) -> Role {
    match action {
        Action::Payment | Action::Cancellation => Role::Customer,
        Action::Rejection | Action::Acceptance | Action::PreparationComplete => Role::Restaurant,
        Action::Pickup | Action::Delivery => Role::Rider,
    }
}

/// The rules of who may act on what.
#[derive(Clone, Copy)]
pub(super) struct ActRules {
    /// Whether an action is for callers of this role.
    pub(super) may_try: fn(&Principal, Action) -> bool,
    /// Whether an order is one that this caller, of the right role, may act on.
    pub(super) may_act: fn(&Principal, Action, &Order) -> bool,
}

impl ActRules {
    /// Those of the table above.
    pub(super) const SOUND: Self = Self { may_try: |caller, action| has_role(caller, role_for(action)), may_act };
}

pub(super) fn has_role(caller: &Principal, wanted: Role) -> bool {
    match caller {
        Principal::Anonymous => true,
        Principal::Named { role, .. } => *role == wanted,
    }
}

fn may_act(caller: &Principal, action: Action, order: &Order) -> bool {
    match action {
        Action::Pickup => true,
        Action::Delivery => caller.rider().is_none() || order.rider.as_deref() == caller.rider(),
        Action::Payment
        | Action::Cancellation
        | Action::Rejection
        | Action::Acceptance
        | Action::PreparationComplete => Viewer::of(caller).sees(order),
    }
}

/// The restaurant that somebody works for: `trattoria-roma`, or `trattoria-roma/ann` for one of several there.
fn restaurant(name: &str) -> &str {
    name.split_once('/').map_or(name, |(restaurant, _)| restaurant)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::super::etag::EntityTag;
    use super::super::orders::{OrderId, Status};
    use super::*;

    fn order(rider: Option<&str>) -> Order {
        Order {
            id: OrderId::new(Uuid::nil()),
            customer: Some("ann".to_owned()),
            restaurant: "sushi-kaze".to_owned(),
            restaurant_name: "Sushi Kaze".to_owned(),
            rider: rider.map(str::to_owned),
            status: Status::PendingPayment,
            amount: 1,
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
            tag: EntityTag::strong("1".to_owned()),
        }
    }

    fn somebody(text: &str) -> Principal {
        Principal::parse(text).unwrap()
    }

    #[test]
    fn an_order_is_seen_by_those_whose_it_is() {
        for (caller, without_rider, of_bob) in [
            ("customer:ann", true, true),
            ("customer:bea", false, false),
            ("restaurant:sushi-kaze", true, true),
            ("restaurant:sushi-kaze/chef", true, true),
            ("restaurant:sushi", false, false),
            ("rider:bob", true, true),
            ("rider:cyd", true, false),
            // A role is not a name: a rider called like the customer is somebody else.
            ("rider:ann", true, false),
        ] {
            let viewer = Viewer::of(&somebody(caller));
            assert_eq!(viewer.sees(&order(None)), without_rider, "{caller}");
            assert_eq!(viewer.sees(&order(Some("bob"))), of_bob, "{caller}");
        }
    }

    #[test]
    fn every_action_takes_its_role_and_all_but_pickup_their_own_order() {
        let of_bob = order(Some("bob"));
        for action in Action::ALL {
            let allowed: Vec<_> = ["customer:ann", "restaurant:sushi-kaze", "rider:bob"]
                .into_iter()
                .filter(|text| has_role(&somebody(text), role_for(action)))
                .collect();
            let [one] = allowed[..] else { panic!("{action:?} is for {allowed:?}") };
            assert!(may_act(&somebody(one), action, &of_bob), "{action:?}");
            let (role, _) = one.split_once(':').unwrap();
            let other = somebody(&format!("{role}:other"));
            assert_eq!(may_act(&other, action, &of_bob), action == Action::Pickup, "{action:?}");
            assert!(has_role(&Principal::Anonymous, role_for(action)));
            assert!(may_act(&Principal::Anonymous, action, &of_bob));
        }
    }
}
