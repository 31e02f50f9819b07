//! Preconditions that did not protect: `stale-write-accepted`, `precondition-not-required`.

use super::evidence::{Evidence, acknowledged, answer, whose};
use super::kind::Kind;
use super::round::{Ack, Round};
use crate::history::{Operation, Precondition};
use crate::text::harmless;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(stale_write_accepted(round));
    found.extend(precondition_not_required(round));
}

/// A write was accepted on token T, although a change acknowledged before it began had replaced T.
///
/// Three facts prove it: T was the current token before that change (somebody was shown it, or the change itself was
/// conditional on it); the change was acknowledged, with another token, before the write was opened; and nobody was
/// shown T again since (that would be another mistake: a token that comes back).
fn stale_write_accepted(round: Round<'_>) -> Option<Evidence> {
    round.acks().find_map(|write| {
        let token = write.operation.call.precondition.strong_token()?;
        let change = round.acks().find(|change| {
            let replaced = change.reply.token.as_ref().is_some_and(|new| new != token);
            replaced
                && change.operation.precedes(write.operation)
                && !change.is_same_as(&write)
                && was_current_before(round, change, token)
                && !was_shown_since(round, change, token)
        })?;
        let sentence = format!(
            "{}, conditional on {}, although {} had been acknowledged ({}) before it was sent",
            acknowledged(&write),
            harmless(token, 60),
            whose(change.operation),
            answer(change.operation),
        );
        Some(Evidence::new(Kind::StaleWriteAccepted, sentence, [change.id(), write.id()]))
    })
}

fn was_current_before(round: Round<'_>, change: &Ack<'_>, token: &str) -> bool {
    let consumed = change.operation.call.precondition.strong_token().is_some_and(|own| **own == *token);
    consumed || shows(round, token).any(|operation| operation.precedes(change.operation))
}

fn was_shown_since(round: Round<'_>, change: &Ack<'_>, token: &str) -> bool {
    shows(round, token).any(|operation| !operation.precedes(change.operation))
}

/// The operations whose reply carried `token`.
fn shows<'a>(round: Round<'a>, token: &str) -> impl Iterator<Item = &'a Operation> {
    (round.operations.iter()).filter(move |operation| {
        let shown = operation.outcome.reply().and_then(|reply| reply.token.as_ref());
        shown.is_some_and(|shown| **shown == *token)
    })
}

/// An action without a precondition was done where the API requires one (RFC 6585 §3: 428). One reply proves it.
fn precondition_not_required(round: Round<'_>) -> Option<Evidence> {
    if !round.model.precondition_required {
        return None;
    }
    let ack = round.acks().find(|ack| ack.operation.call.precondition == Precondition::Absent)?;
    let sentence = format!("{}, although it was sent without any precondition", acknowledged(&ack));
    Some(Evidence::new(Kind::PreconditionNotRequired, sentence, [ack.id()]))
}
