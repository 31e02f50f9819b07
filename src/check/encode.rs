//! A round as the search wants it: names as numbers, each operation as what it may have done.

use std::collections::HashMap;
use std::sync::Arc;

use super::linear::Entry;
use super::round::{Round, is_unsettled};
use crate::api::{Model, StateIx};
use crate::history::{Actor, Call, Meaning, Operation, Outcome, Reply, Verb};
use crate::spec::lifecycle::{KeyIx, Op, Seen, State, Token, TokenIx};

/// How an acknowledgement's picture of the resource is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckReading {
    /// As the state that the write left behind.
    AtTheWrite,
    /// As a read at some time after the write, within the same window: some servers read the resource again before
    /// they answer, and show the state that a later writer left. (What may be a stored answer is not read at all: it
    /// shows a state of long ago.)
    ReadAfterwards,
    /// Not at all: what it shows may never have been.
    Unread,
}

/// A round, ready for the search.
#[derive(Debug)]
pub(super) struct Encoded {
    /// The resource when it was fresh.
    pub(super) start: State,
    /// Everything asked of it since.
    pub(super) entries: Vec<Entry<Op>>,
}

/// Encodes `round`.
///
/// # Errors
/// What keeps it from being judged, as a sentence.
pub(super) fn encode(round: Round<'_>, acks: AckReading) -> Result<Encoded, String> {
    let created = round.created().ok_or("the resource was not created")?;
    let mut names = Names { ignore_tokens: tokens_depend_on_the_reader(round), ..Names::default() };
    let seen = names.seen(round.model, created)?;
    let start = State {
        at: seen.state.unwrap_or(round.model.initial),
        version: seen.version,
        token: seen.token.map_or(Token::Unknown, Token::Is),
        keys: Vec::new(),
    };
    let mut entries = Vec::new();
    for operation in round.operations {
        encode_operation(round, operation, acks, &mut names, &mut entries)?;
    }
    Ok(Encoded { start, entries })
}

fn encode_operation(
    round: Round<'_>,
    operation: &Operation,
    acks: AckReading,
    names: &mut Names,
    entries: &mut Vec<Entry<Op>>,
) -> Result<(), String> {
    let seen = match operation.outcome.reply() {
        Some(reply) => names.seen(round.model, reply)?,
        None => Seen::default(),
    };
    let mut add = |op: Op, optional: bool, after: Option<usize>| {
        let closed = (!optional).then_some(operation.window.closed);
        entries.push(Entry { op, opened: operation.window.opened, closed, optional, after });
        entries.len() - 1
    };
    match (&operation.call.verb, &operation.outcome) {
        (Verb::Create | Verb::ListEffects | Verb::ListEvents, _)
        | (Verb::Read, Outcome::Unknown(_))
        | (_, Outcome::NotSent(_)) => {}
        (Verb::Read, Outcome::Answered(reply)) => {
            // Where reads may lag by declaration, they say nothing about the order.
            if reply.meaning == Meaning::Applied && !round.model.lags.reads {
                add(Op::Read(seen), false, None);
            }
        }
        (Verb::Act(name), outcome) => {
            let effect = claim(round.model, &operation.call, name, outcome.reply(), names)?;
            let Op::Apply { action, precondition, key, .. } = effect else {
                add(effect, false, None);
                return Ok(());
            };
            let unseen = Op::Apply { action, precondition, key, seen: Seen::default() };
            if is_unsettled(operation) {
                add(unseen, true, None);
                return Ok(());
            }
            match acks {
                AckReading::AtTheWrite => _ = add(Op::Apply { action, precondition, key, seen }, false, None),
                AckReading::ReadAfterwards if !round.may_be_replay(operation) => {
                    let write = add(unseen, false, None);
                    add(Op::Read(seen), false, Some(write));
                }
                AckReading::ReadAfterwards | AckReading::Unread => _ = add(unseen, false, None),
            }
        }
    }
    Ok(())
}

/// What an action's answer claims.
fn claim(model: &Model, call: &Call, name: &str, reply: Option<&Reply>, names: &mut Names) -> Result<Op, String> {
    let action = (model.actions.iter().position(|action| *action.name == *name))
        .ok_or_else(|| format!("the API description has no action `{name}`"))?;
    let precondition = call.precondition.strong_token().and_then(|token| names.token(token));
    let key = call.key.as_ref().map(|key| names.key(call, key));
    let apply = Op::Apply { action, precondition, key, seen: Seen::default() };
    Ok(match reply.map(|reply| reply.meaning) {
        None | Some(Meaning::Applied | Meaning::InProgress | Meaning::Unclear) => apply,
        Some(Meaning::Replayed) => key.map_or(apply, |key| Op::Replay { key }),
        Some(Meaning::Stale) => Op::Stale { token: precondition, action },
        Some(Meaning::Refused | Meaning::MissingPrecondition | Meaning::NotFound | Meaning::Unauthorized) => {
            Op::Refused { action }
        }
    })
}

/// Whether two reads of one state and version, with no action between them, showed different strong tokens: then each
/// reader gets a representation of its own (RFC 9110 §8.8.3), and tokens say nothing about the resource.
fn tokens_depend_on_the_reader(round: Round<'_>) -> bool {
    let reads: Vec<(&Operation, &Reply)> = (round.operations.iter())
        .filter(|operation| operation.call.verb == Verb::Read)
        .filter_map(|operation| Some((operation, operation.outcome.reply()?)))
        .filter(|(_, reply)| reply.token.as_ref().is_some_and(|token| !token.starts_with("W/")))
        .collect();
    let undisturbed = |a: &Operation, b: &Operation| {
        let (from, to) = (a.window.opened.min(b.window.opened), a.window.closed.max(b.window.closed));
        !round.actions().any(|action| {
            let over = !action.outcome.is_open_ended() && action.window.closed < from;
            !over && action.window.opened <= to
        })
    };
    reads.iter().enumerate().any(|(index, (a, first))| {
        reads[index + 1..].iter().any(|(b, second)| {
            let same = first.state == second.state && first.version == second.version;
            same && first.token != second.token && undisturbed(a, b)
        })
    })
}

/// Tokens and keys, numbered as they come.
#[derive(Debug, Default)]
struct Names {
    ignore_tokens: bool,
    tokens: HashMap<Arc<str>, u32>,
    keys: HashMap<(Actor, Verb, Arc<str>), u32>,
}

impl Names {
    /// A strong token's number. Weak ones identify no version (RFC 9110 §8.8.1).
    fn token(&mut self, token: &Arc<str>) -> Option<TokenIx> {
        if self.ignore_tokens || token.starts_with("W/") {
            return None;
        }
        let next = u32::try_from(self.tokens.len()).expect("a round is small");
        Some(TokenIx(*self.tokens.entry(Arc::clone(token)).or_insert(next)))
    }

    /// A key's number. Keys belong to the caller and the action.
    fn key(&mut self, call: &Call, key: &Arc<str>) -> KeyIx {
        let next = u32::try_from(self.keys.len()).expect("a round is small");
        let identity = (call.actor.clone(), call.verb.clone(), Arc::clone(key));
        KeyIx(*self.keys.entry(identity).or_insert(next))
    }

    fn seen(&mut self, model: &Model, reply: &Reply) -> Result<Seen, String> {
        Ok(Seen {
            state: reply.state.as_ref().map(|name| known_state(model, name)).transpose()?,
            version: reply.version,
            token: reply.token.as_ref().and_then(|token| self.token(token)),
        })
    }
}

fn known_state(model: &Model, name: &str) -> Result<StateIx, String> {
    model.state(name).ok_or_else(|| {
        let name = crate::text::harmless(name, 60);
        format!("the server answered a state `{name}` that the API description does not have")
    })
}
