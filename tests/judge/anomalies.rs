//! Anomalies to be put into lawful histories, one of each kind that can be.

use std::sync::Arc;

use quickeats_bench::api::Model;
use quickeats_bench::check::Kind;
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{Meaning, Operation, Outcome, Phase, Precondition, Record, Reply, Verb};

use crate::notation::blank;

fn reply(operation: &Operation) -> Option<&Reply> {
    operation.outcome.reply()
}

fn reply_mut(operation: &mut Operation) -> Option<&mut Reply> {
    match &mut operation.outcome {
        Outcome::Answered(reply) => Some(reply),
        Outcome::NotSent(_) | Outcome::Unknown(_) => None,
    }
}

fn means(operation: &Operation, meaning: Meaning) -> bool {
    reply(operation).is_some_and(|reply| reply.meaning == meaning)
}

/// An acknowledged change that nothing else says under its key.
fn change<'a>(operations: &'a mut [Operation], model: &Model) -> Option<&'a mut Operation> {
    let is_own = |one: &Operation| {
        let changes = one
            .call
            .action()
            .and_then(|name| model.action(name))
            .is_some_and(|action| action.always_changes() && !action.is_aside);
        changes && means(one, Meaning::Applied)
    };
    let index = (0..operations.len()).find(|index| {
        let twins = operations.iter().filter(|other| other.may_share_key(&operations[*index])).count();
        is_own(&operations[*index]) && twins <= 1
    })?;
    Some(&mut operations[index])
}

fn list<'a>(operations: &'a mut [Operation], verb: &Verb) -> Option<&'a mut Vec<Record>> {
    let listing = operations.iter_mut().find(|one| one.call.verb == *verb)?;
    reply_mut(listing)?.records.as_mut()
}

/// Whether nothing is left open that might explain what is put in.
fn is_settled(operations: &[Operation]) -> bool {
    !operations.iter().any(|one| matches!(one.outcome, Outcome::Unknown(_)))
}

fn last_read(operations: &[Operation]) -> Option<&Operation> {
    operations.iter().rfind(|one| one.call.verb == Verb::Read && one.phase == Phase::Observe)
}

/// A request between the two looks of the observers, by whoever created the resource.
fn between(operations: &[Operation], verb: Verb, reply: Reply) -> Option<Operation> {
    let read = last_read(operations)?;
    let mut one = read.clone();
    (one.call.verb, one.phase) = (verb, Phase::Follow);
    (one.window.opened, one.window.closed) = (Stamp::from_nanos(2_700), Stamp::from_nanos(2_750));
    one.call.precondition = Precondition::Token(Arc::clone(reply.token.as_ref()?));
    one.outcome = Outcome::Answered(reply);
    Some(one)
}

/// Puts an anomaly of `kind` in. `None` where this history has no place for it, or it might be explained.
#[expect(clippy::too_many_lines, reason = "a table: one kind, one mutation")]
pub(crate) fn inject(kind: Kind, operations: &mut Vec<Operation>, model: &Model) -> Option<()> {
    if !is_settled(operations) {
        return None;
    }
    let created = reply(operations.first()?)?.clone();
    match kind {
        Kind::WeakEtagAccepted => {
            let change = change(operations, model)?;
            let weak = format!("W/{}", change.call.precondition.strong_token()?);
            change.call.precondition = Precondition::Token(weak.into());
        }
        Kind::PreconditionNotRequired => {
            let change = change(operations, model).filter(|_| model.precondition_required)?;
            change.call.precondition = Precondition::Absent;
        }
        Kind::RejectedButApplied => {
            *reply_mut(change(operations, model)?)? = Reply::new(412, Meaning::Stale);
        }
        Kind::DuplicateEffect => {
            let rows = list(operations, &Verb::ListEffects).filter(|rows| !rows.is_empty())?;
            rows.push(Record { id: Some("another".into()), amount: Some(1), ..Record::default() });
        }
        Kind::AuditMismatch => {
            let name = change(operations, model)?.call.action()?.to_owned();
            let rows = list(operations, &Verb::ListEvents)?;
            let index = rows.iter().position(|row| row.action.as_deref() == Some(&name))?;
            rows.remove(index);
        }
        Kind::Conservation => {
            let row = list(operations, &Verb::ListEffects)?.first_mut()?;
            row.amount = row.amount.map(|amount| amount + 1);
        }
        Kind::IllegalTransition => {
            let row = list(operations, &Verb::ListEvents)?.first_mut()?;
            let illegal = model.states.iter().find(|state| {
                let (from, to) = (row.from.as_ref().and_then(|from| model.state(from)), model.state(state));
                from.zip(to)
                    .is_some_and(|(from, to)| from != to && !model.actions.iter().any(|one| one.leads(from, to)))
            })?;
            row.to = Some(Arc::clone(illegal));
        }
        Kind::StaleRead => {
            let changed = change(operations, model)?.window.closed;
            let read = operations.iter_mut().find(|one| one.call.verb == Verb::Read && one.window.opened > changed)?;
            let reply = reply_mut(read)?;
            (reply.state, reply.version, reply.token) = (created.state, created.version, created.token);
        }
        Kind::NonMonotonicRead => {
            let first = operations.iter().position(|one| {
                one.call.verb == Verb::Read
                    && one.phase == Phase::Contend
                    && reply(one).is_some_and(|reply| reply.version > Some(1))
            })?;
            let (client, closed) = (operations[first].client, operations[first].window.closed);
            let later = operations.iter_mut().find(|one| one.client == client && one.window.opened > closed)?;
            let reply = reply_mut(later)?;
            (reply.state, reply.version, reply.token) = (created.state, created.version, created.token);
        }
        Kind::AcknowledgedThenLost => {
            let (name, changed) = {
                let change = change(operations, model)?;
                (change.call.action()?.to_owned(), change.id)
            };
            let is_only_one = operations
                .iter()
                .filter(|one| one.call.action().is_some())
                .all(|one| one.id == changed || reply(one).is_some_and(|reply| reply.meaning.is_refusal()));
            for read in operations.iter_mut().filter(|one| one.call.verb == Verb::Read) {
                let reply = reply_mut(read)?;
                (reply.state, reply.version, reply.token) =
                    (created.state.clone(), created.version, created.token.clone());
            }
            list(operations, &Verb::ListEvents)?.retain(|row| row.action.as_deref() != Some(&name));
            list(operations, &Verb::ListEffects)?.clear();
            return is_only_one.then_some(());
        }
        Kind::EtagUnchanged => {
            change(operations, model)?;
            for one in operations.iter_mut() {
                if matches!(one.call.precondition, Precondition::Token(_)) {
                    one.call.precondition = Precondition::Token("\"1\"".into());
                }
                if let Some(token) = reply_mut(one).and_then(|reply| reply.token.as_mut()) {
                    *token = "\"1\"".into();
                }
            }
        }
        Kind::LostUpdate => {
            let won = change(operations, model)?.clone();
            let other =
                model.states.iter().find(|state| Some(*state) != reply(&won).and_then(|reply| reply.state.as_ref()))?;
            let lost = operations.iter_mut().find(|one| {
                one.phase == Phase::Contend
                    && one.call.action().is_some()
                    && one.call.key.is_none()
                    && reply(one).is_some_and(|reply| reply.meaning.is_refusal())
                    && !one.precedes(&won)
                    && !won.precedes(one)
            })?;
            *reply_mut(lost)? = Reply { state: Some(Arc::clone(other)), effect: None, ..reply(&won)?.clone() };
        }
        Kind::StaleWriteAccepted => {
            let won = change(operations, model)?.clone();
            let late = operations.iter_mut().find(|one| {
                let same =
                    one.call.precondition.strong_token().is_some() && one.call.precondition == won.call.precondition;
                same && won.precedes(one) && one.call.key.is_none() && means(one, Meaning::Stale)
            })?;
            *reply_mut(late)? = blank(204);
        }
        Kind::VersionGap => {
            let (opened, first) = {
                let change = change(operations, model)?;
                (change.window.opened, reply(change)?.version?)
            };
            for one in operations.iter_mut().filter(|one| one.window.closed > opened) {
                if let Some(version) = reply_mut(one).and_then(|reply| reply.version.as_mut()).filter(|v| **v >= first)
                {
                    *version += 1;
                }
            }
        }
        Kind::Spurious412 => {
            let read = last_read(operations).and_then(reply)?.clone();
            let name = Arc::clone(&model.actions.first()?.name);
            let mut one = between(operations, Verb::Act(name), read)?;
            *reply_mut(&mut one)? = Reply::new(412, Meaning::Stale);
            operations.push(one);
        }
        Kind::ResurrectedTerminal => {
            let read = last_read(operations).and_then(reply)?.clone();
            let ended = read.state.as_ref().and_then(|state| model.state(state)).filter(|at| model.is_terminal(*at))?;
            let action = model
                .actions
                .iter()
                .find(|one| one.next(ended).next().is_none() && !one.has_effect && !one.is_aside)?;
            let one = between(operations, Verb::Act(Arc::clone(&action.name)), read)?;
            let asides = operations.iter().filter_map(|one| model.action(one.call.action()?)).any(|one| one.is_aside);
            operations.push(one);
            return (!asides).then_some(());
        }
        Kind::AuthorizationBypass => {
            let refused = operations.iter_mut().find(|one| {
                let only = one.call.action().and_then(|name| model.action(name)).and_then(|action| action.only);
                only.is_some() && (means(one, Meaning::Unauthorized) || means(one, Meaning::NotFound))
            })?;
            *reply_mut(refused)? = blank(204);
        }
        Kind::ReplayMismatch => {
            let replayed = operations.iter().position(|one| {
                means(one, Meaning::Replayed)
                    && operations.iter().any(|other| other.repeats(one) && means(other, Meaning::Applied))
            })?;
            reply_mut(&mut operations[replayed])?.version = Some(77);
        }
        Kind::KeyReuseAccepted => {
            let reused = operations.iter().position(|one| reply(one).is_some_and(|reply| reply.status == 422))?;
            let of = operations.iter().find(|other| {
                other.shares_key(&operations[reused])
                    && !other.repeats(&operations[reused])
                    && means(other, Meaning::Applied)
                    && other.precedes(&operations[reused])
            })?;
            operations[reused].outcome = of.outcome.clone();
        }
        Kind::KeyForgotten | Kind::InFlightDuplicate => {
            let wants_overlap = kind == Kind::InFlightDuplicate;
            let (index, _) = operations.iter().enumerate().find(|(_, one)| {
                one.call.verb == Verb::Create
                    && means(one, Meaning::Replayed)
                    && operations.iter().any(|other| {
                        let overlaps = !other.precedes(one) && !one.precedes(other);
                        other.repeats(one)
                            && means(other, Meaning::Applied)
                            && overlaps == wants_overlap
                            && (overlaps || other.precedes(one))
                    })
            })?;
            reply_mut(&mut operations[index])?.resource = Some("another".into());
        }
        Kind::KeyScopeLeak => {
            let made: Vec<usize> =
                (1..operations.len()).filter(|index| operations[*index].call.verb == Verb::Create).collect();
            let (one, other) = made.iter().find_map(|one| {
                let same = |other: &&usize| {
                    let (a, b) = (&operations[*one], &operations[**other]);
                    a.call.key == b.call.key
                        && a.call.principal != b.call.principal
                        && means(a, Meaning::Applied)
                        && means(b, Meaning::Applied)
                };
                made.iter().find(same).map(|other| (*one, *other))
            })?;
            let id = reply(&operations[one])?.resource.clone();
            reply_mut(&mut operations[other])?.resource = id;
        }
        Kind::DirtyRead => {
            let refused: Vec<&str> = (operations.iter())
                .filter(|one| reply(one).is_some_and(|reply| reply.meaning.is_refusal()))
                .filter_map(|one| one.call.action())
                .collect();
            let done: Vec<&str> = (operations.iter())
                .filter(|one| {
                    one.call.action().is_some() && !reply(one).is_some_and(|reply| reply.meaning.is_refusal())
                })
                .filter_map(|one| one.call.action())
                .collect();
            let leads = |name: &str, to| {
                model.action(name).is_some_and(|action| action.transitions.iter().any(|step| step.to == to))
            };
            let state = (model.states.iter().filter(|state| Some(*state) != created.state.as_ref())).find(|state| {
                let to = model.state(state).expect("a state of the model");
                refused.iter().any(|name| leads(name, to)) && !done.iter().any(|name| leads(name, to))
            })?;
            let state = Arc::clone(state);
            let read = operations.iter_mut().find(|one| one.call.verb == Verb::Read && one.phase == Phase::Contend)?;
            reply_mut(read)?.state = Some(state);
        }
        Kind::Oversell
        | Kind::EtagReused
        | Kind::DoubleCasWin
        | Kind::ContradictoryAcks
        | Kind::TornRead
        | Kind::KeyPoisoned
        | Kind::NoWinner
        | Kind::ServerError
        | Kind::Hang => return None,
    }
    Some(())
}
