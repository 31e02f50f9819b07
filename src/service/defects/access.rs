//! Mistakes about who may act. With authentication off nobody is kept from anything, and they cannot be made.

use super::super::access::ActRules;
use super::super::identity::{Principal, Role};
use super::super::orders::{Action, Order};
use super::Mistake;

/// Wrong rules of who may act.
pub(super) struct Misruled(pub(super) ActRules);

impl Mistake for Misruled {
    fn access(&self) -> ActRules {
        self.0
    }
}

/// `wrong-actor`: a rider may accept what no rider has yet, and a restaurant may cancel its orders.
pub(super) const WRONG_ACTOR: ActRules = ActRules { may_try: may_try_too_much, ..ActRules::SOUND };

fn may_try_too_much(caller: &Principal, action: Action) -> bool {
    match (caller, action) {
        (Principal::Named { role: Role::Rider, .. }, Action::Acceptance)
        | (Principal::Named { role: Role::Restaurant, .. }, Action::Cancellation) => true,
        (_, _) => (ActRules::SOUND.may_try)(caller, action),
    }
}

/// `others-orders`: any customer may cancel any order whose id they know (the classic missing look at the owner).
pub(super) const OTHERS_ORDERS: ActRules = ActRules { may_act: may_cancel_anything, ..ActRules::SOUND };

fn may_cancel_anything(caller: &Principal, action: Action, order: &Order) -> bool {
    action == Action::Cancellation || (ActRules::SOUND.may_act)(caller, action, order)
}
