//! Who wrote what a finding's reads show: part of its story, not of its proof.

use super::left::left;
use super::round::{Picture, Round, is_refused};
use crate::history::{Operation, Outcome, Phase, Verb};
use crate::ids::OpId;

/// The operations that wrote what is shown by the reads among `told`, one a read, and are not told themselves.
pub(super) fn authors(round: Round<'_>, told: &[OpId]) -> Vec<OpId> {
    let mut found: Vec<OpId> = (round.reads())
        .filter(|read| told.contains(&read.operation.id))
        .filter_map(|read| author(round, &read, told))
        .filter(|author| !told.contains(author))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The likeliest author of what `read` shows: it leaves that state, or was answered with that token. Of several, the one that
/// agrees in more, was answered, is told already, and came last.
fn author(round: Round<'_>, read: &Picture<'_>, told: &[OpId]) -> Option<OpId> {
    let rank = |one: &Operation| {
        let reply = one.outcome.reply();
        let is_own = leaves(round, one, read);
        let has_token =
            read.strong_token().is_some() && reply.and_then(|reply| reply.token.as_ref()) == read.strong_token();
        let has_version = read.reply.version.is_some() && reply.and_then(|reply| reply.version) == read.reply.version;
        (is_own, has_token, has_version, reply.is_some(), told.contains(&one.id), one.window.opened)
    };
    (round.operations.iter())
        .filter(|one| may_have_written(one) && !read.operation.precedes(one))
        .filter(|one| matches!(rank(one), (true, ..) | (_, true, ..)))
        .max_by_key(|one| rank(one))
        .map(|one| one.id)
}

/// Whether this changes the round's resource, or made it with a value.
fn may_have_written(operation: &Operation) -> bool {
    let is_change = match operation.call.verb {
        Verb::Act(_) => !is_refused(operation),
        Verb::Create => operation.phase == Phase::SetUp && operation.call.value.is_some(),
        Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
    };
    is_change && !matches!(operation.outcome, Outcome::NotSent(_))
}

/// Whether `operation` leaves what `read` shows, by what it asked for; where that does not tell, by what it was answered.
fn leaves(round: Round<'_>, operation: &Operation, read: &Picture<'_>) -> bool {
    let shown = read.reply.state.as_ref();
    match (left(round, operation), &operation.call.verb) {
        (Some(state), _) => shown.and_then(|shown| round.model.state(shown)) == Some(state),
        (None, Verb::Create) => operation.call.value.as_ref() == shown,
        (None, _) => operation.outcome.reply().is_some_and(|reply| reply.state.as_ref() == shown),
    }
}
