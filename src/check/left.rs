//! What a write leaves behind, as far as that can be told from what it asked for.

use std::sync::Arc;

use super::round::{Ack, Round, is_refused};
use crate::api::StateIx;
use crate::history::{Operation, Verb};

/// The state that `operation` leaves wherever it is done; nothing where that depends on where it was done.
pub(super) fn left(round: Round<'_>, operation: &Operation) -> Option<StateIx> {
    let action = operation.call.action().and_then(|name| round.model.action(name))?;
    let mut steps = action.transitions.iter();
    let first = steps.next()?.to;
    steps.all(|step| step.to == first).then_some(first)
}

/// Whether `operation` may lead to `state`, whatever came of it. (What is not known may.)
pub(super) fn leads_to(round: Round<'_>, operation: &Operation, state: StateIx) -> bool {
    let action = operation.call.action().and_then(|name| round.model.action(name));
    action.is_none_or(|action| action.transitions.iter().any(|step| step.to == state))
}

/// Whether `third` is another action than the two, was or may have been done, and not before both.
pub(super) fn is_third(third: &Operation, a: &Ack<'_>, b: &Ack<'_>) -> bool {
    let before_both = third.precedes(a.operation) && third.precedes(b.operation);
    third.id != a.id() && third.id != b.id() && !is_refused(third) && !before_both
}

/// The states that a strong token is known to have stood for: as shown under it, or as left by a write beside which nothing else
/// was done, and which was answered with it. (One at most, at a server that keeps RFC 9110 §8.8.1.)
pub(super) fn states_under(round: Round<'_>, token: &Arc<str>) -> Vec<StateIx> {
    let is_telling = |operation: &Operation| !round.may_be_replay(operation) && !round.is_aside(operation);
    let shown = (round.pictures_of_one_moment())
        .filter(|picture| picture.strong_token() == Some(token) && is_telling(picture.operation))
        .filter_map(|picture| round.model.state(picture.reply.state.as_ref()?));
    let mut states: Vec<StateIx> = shown.chain(made_as(round, token)).collect();
    states.sort_unstable();
    states.dedup();
    states
}

/// The value that the resource was made with, if that was answered with `token`.
fn made_as(round: Round<'_>, token: &Arc<str>) -> Option<StateIx> {
    let is_answered_so = round.at_first()?.token.as_ref() == Some(token);
    let mut creations = round.sent().filter(|one| one.call.verb == Verb::Create);
    let value = creations.next().filter(|_| is_answered_so)?.call.value.as_ref()?;
    round.model.state(value)
}
