//! Preconditions that did not protect, or refused what they should not: `stale-write-accepted`,
//! `precondition-not-required`, `weak-etag-accepted`, `spurious-412`, `key-poisoned`.

use super::evidence::{Evidence, acknowledged, answer, whose};
use super::kind::Kind;
use super::round::{Ack, Round, is_about_the_resource, is_refused};
use crate::api::ActionModel;
use crate::history::{Meaning, Operation, Phase, Precondition, Verb};
use crate::text::{harmless, short};

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(stale_write_accepted(round));
    found.extend(precondition_not_required(round));
    found.extend(weak_etag_accepted(round));
    found.extend(refused_though_current(round));
}

/// A write was accepted on token T, although a change acknowledged before it began had replaced T.
///
/// Three facts prove it: T was the current token before that change (somebody was shown it, or the change itself was
/// conditional on it); the change was acknowledged before the write was opened, and replaced T (it was answered with
/// another token, or was conditional on T and left the state); and T has not come back since: nobody was shown it again,
/// and nothing else was or may have been done between the two that could have brought it back. What may be done already is
/// lawful on any token (RFC 9110 §13.1.1).
fn stale_write_accepted(round: Round<'_>) -> Option<Evidence> {
    round.own_acks().find_map(|write| {
        let token = write.operation.call.precondition.strong_token()?;
        if round.may_be_done_already(write.operation) {
            return None;
        }
        let change = round.own_acks().find(|change| {
            change.operation.precedes(write.operation)
                && !change.operation.repeats(write.operation)
                && replaced(round, change, token)
                && was_current_before(round, change, token)
                && !was_shown_since(round, change, token)
                && !may_have_come_back(round, change, &write)
        })?;
        let sentence = format!(
            "{}, conditional on {}, although {} had been acknowledged ({}) before it was sent",
            acknowledged(&write),
            harmless(&short(token), 60),
            whose(change.operation),
            answer(change.operation),
        );
        Some(Evidence::new(Kind::StaleWriteAccepted, sentence, [change.id(), write.id()]))
    })
}

/// Whether `token` was another's after `change`: the change was conditional on it and left the state, or was answered with
/// another strong token of the same kind. (A weakened token may be the old one still; another reader's, and an older API's, says
/// nothing about this one.)
fn replaced(round: Round<'_>, change: &Ack<'_>, token: &str) -> bool {
    let new = change.reply.token.as_ref();
    let consumed = change.operation.call.precondition.strong_token().is_some_and(|own| **own == *token);
    let left = round.model.action(change.action()).is_some_and(ActionModel::always_changes);
    let actor = &change.operation.call.actor;
    let is_of_its_kind = !round.is_aside(change.operation)
        && (consumed || shows(round, token).any(|operation| operation.call.actor == *actor));
    let is_another = new.is_some_and(|new| !new.starts_with("W/") && **new != *token);
    (consumed && left && new.is_none_or(|new| **new != *token)) || (is_of_its_kind && is_another)
}

/// Whether anything but the two was, or may have been, done between them.
fn may_have_come_back(round: Round<'_>, change: &Ack<'_>, write: &Ack<'_>) -> bool {
    round.actions().any(|third| {
        let is_third = third.id != change.id() && third.id != write.id() && !is_refused(third);
        is_third && !third.precedes(change.operation) && !write.operation.precedes(third)
    })
}

fn was_current_before(round: Round<'_>, change: &Ack<'_>, token: &str) -> bool {
    let consumed = change.operation.call.precondition.strong_token().is_some_and(|own| **own == *token);
    consumed || shows(round, token).any(|operation| operation.precedes(change.operation))
}

fn was_shown_since(round: Round<'_>, change: &Ack<'_>, token: &str) -> bool {
    shows(round, token).any(|operation| change.operation.precedes(operation))
}

/// The operations whose reply carried `token`.
fn shows<'a>(round: Round<'a>, token: &str) -> impl Iterator<Item = &'a Operation> {
    (round.operations.iter()).filter(move |operation| {
        let shown = operation.outcome.reply().and_then(|reply| reply.token.as_ref());
        is_about_the_resource(operation) && shown.is_some_and(|shown| **shown == *token)
    })
}

/// An action without a precondition was done where the API requires one (RFC 6585 §3: 428). One reply proves it, unless
/// it may be the stored answer to a request that had one.
fn precondition_not_required(round: Round<'_>) -> Option<Evidence> {
    if !round.model.precondition_required {
        return None;
    }
    let is_blind = |operation: &Operation| {
        let action = operation.call.action().and_then(|name| round.model.action(name));
        let is_free = action.is_some_and(|action| action.is_aside || !action.is_conditional);
        let needs_none = is_free || round.may_have_found_nothing(operation);
        operation.call.precondition == Precondition::Absent && !needs_none
    };
    let ack = (round.acks()).find(|ack| is_blind(ack.operation) && round.twins(ack.operation).all(is_blind))?;
    let sentence = format!("{}, although it was sent without any precondition", acknowledged(&ack));
    Some(Evidence::new(Kind::PreconditionNotRequired, sentence, [ack.id()]))
}

/// A write was done on a weak token. `If-Match` compares strongly, and a weak token never matches (RFC 9110 §13.1.1,
/// §8.8.3.2). One reply proves it, unless it may be the stored answer to a request with another token, or say no more than
/// that this has been done already.
fn weak_etag_accepted(round: Round<'_>) -> Option<Evidence> {
    let is_weak =
        |operation: &Operation| operation.call.precondition.token().is_some_and(|token| token.starts_with("W/"));
    let is_proof = |ack: &Ack<'_>| {
        is_weak(ack.operation) && round.twins(ack.operation).all(is_weak) && !round.may_be_done_already(ack.operation)
    };
    let ack = round.acks().find(is_proof)?;
    let token = ack.operation.call.precondition.token().map_or("", |token| &**token);
    let sentence = format!(
        "{}, conditional on the weak token {}, which identifies no version",
        acknowledged(&ack),
        harmless(&short(token), 60),
    );
    Some(Evidence::new(Kind::WeakEtagAccepted, sentence, [ack.id()]))
}

/// A write was refused as stale, though its token was the current one all the while.
///
/// Sound because the one who wrote had been shown the token before, somebody was shown it afterwards, and nothing else was
/// or may have been done in between: it cannot have been another one for a moment. What shows the token must show it as the
/// current one: a stored answer does not, nor a read that may lag by declaration. Where several contenders were all
/// refused, `no-winner` says it, as a warning. Where an earlier request with the same idempotency key was refused as stale,
/// what came now was that refusal, stored and said again: `key-poisoned`.
fn refused_though_current(round: Round<'_>) -> Option<Evidence> {
    let is_stale =
        |operation: &Operation| operation.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Stale);
    round.refusals().filter(|operation| is_stale(operation)).find_map(|refused| {
        if refused.phase == Phase::Contend && round.nobody_won() {
            return None;
        }
        let token = refused.call.precondition.strong_token()?;
        let shows_it_as_current = |shown: &&Operation| {
            let is_stored = round.may_be_replay(shown)
                || shown.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Replayed);
            let may_lag = round.model.lags.reads && shown.call.verb == Verb::Read;
            !is_stored && !may_lag
        };
        let before = shows(round, token)
            .filter(shows_it_as_current)
            .filter(|shown| shown.call.actor == refused.call.actor && shown.precedes(refused))
            .last()?;
        let after = shows(round, token).filter(shows_it_as_current).find(|shown| refused.precedes(shown))?;
        let undisturbed = !round.actions().any(|third| {
            let is_third = third.id != refused.id && third.id != before.id && third.id != after.id && !is_refused(third);
            is_third && !third.precedes(before) && !after.precedes(third)
        });
        if !undisturbed {
            return None;
        }
        let poisoned = (round.actions())
            .filter(|earlier| earlier.id != refused.id && earlier.may_share_key(refused) && is_stale(earlier))
            .find(|earlier| !refused.precedes(earlier));
        let token = harmless(&short(token), 60);
        let (kind, sentence) = match poisoned {
            Some(earlier) => (
                Kind::KeyPoisoned,
                format!(
                    "{} was refused ({}), and its retry with the same key and the current token {token} is still refused ({})",
                    whose(earlier),
                    answer(earlier),
                    answer(refused),
                ),
            ),
            None => (
                Kind::Spurious412,
                format!(
                    "{} was refused ({}), though {token} was the current token before and after, and nothing else was done",
                    whose(refused),
                    answer(refused),
                ),
            ),
        };
        let witness = [before.id, refused.id, after.id];
        Some(Evidence::new(kind, sentence, witness.into_iter().chain(poisoned.map(|earlier| earlier.id))))
    })
}
