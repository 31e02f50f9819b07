//! Actions done for those who may not: `authorization-bypass`.

use super::evidence::{Evidence, acknowledged};
use super::kind::Kind;
use super::round::{Ack, Round};
use crate::api::Allowed;
use crate::history::Verb;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(authorization_bypass(round));
}

/// An action was acknowledged to a principal who may not do it.
///
/// Sound where the API description says who may, and the request carried something that tells the server who is asking: a
/// token of the wrong role, or of another person than the one whose token created the resource. Where nothing proves who
/// asks, or all persons of a role have one token, nobody is accused.
fn authorization_bypass(round: Round<'_>) -> Option<Evidence> {
    let creation = round.operations.iter().find(|operation| operation.call.verb == Verb::Create)?;
    let (ack, why) =
        round.acks().find_map(|ack| Some((ack, trespass(round, &ack, creation.call.principal.as_deref())?)))?;
    let sentence = format!("{}, although {why}", acknowledged(&ack));
    Some(Evidence::new(Kind::AuthorizationBypass, sentence, [creation.id, ack.id()]))
}

fn trespass(round: Round<'_>, ack: &Ack<'_>, creator: Option<&str>) -> Option<String> {
    let action = round.model.action(ack.action())?;
    let only = action.only?;
    let principal = ack.operation.call.principal.as_deref()?;
    let role = &ack.operation.call.actor.role;
    // One token for two roles: to the server it is one principal that may.
    let is_in_both = (round.operations.iter())
        .any(|other| other.call.actor.role == action.actor && other.call.principal.as_deref() == Some(principal));
    if *role != action.actor && !is_in_both {
        return Some(format!("only a {} may do that, and a {role} asked", action.actor));
    }
    let is_stranger = creator.is_some_and(|creator| creator != principal);
    (only == Allowed::Creator && is_stranger)
        .then(|| format!("the {} is another {role}'s, and only its creator may do that", round.model.noun))
}
