//! One round's operations, sorted into what the rules ask about. Draws no conclusions.

use std::collections::HashMap;
use std::sync::Arc;

use super::linear::Entry;
use crate::api::{Model, StateIx};
use crate::history::{Meaning, Operation, Outcome, Phase, Record, Reply, Verb};
use crate::ids::{OpId, RoundId};
use crate::spec::lifecycle::{KeyIx, Op, Seen, State, TokenIx};

/// One round: a fresh resource and everything that was asked of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round<'a> {
    /// Which one.
    pub id: RoundId,
    /// What the API means.
    pub model: &'a Model,
    /// Everything asked, in order of opening.
    pub operations: &'a [Operation],
}

/// An acknowledged action: an operation and its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ack<'a> {
    pub(super) operation: &'a Operation,
    pub(super) reply: &'a Reply,
}

impl Ack<'_> {
    pub(super) fn id(&self) -> OpId {
        self.operation.id
    }

    pub(super) fn action(&self) -> &str {
        self.operation.call.action().expect("an acknowledged action is an action")
    }

    /// Whether two requests are one logical operation: the same key says so.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.operation.call.key.is_some() && self.operation.call.key == other.operation.call.key
    }
}

impl<'a> Round<'a> {
    /// All actions sent, whatever came of them.
    pub(super) fn actions(self) -> impl Iterator<Item = &'a Operation> {
        (self.operations.iter())
            .filter(|operation| operation.call.action().is_some())
            .filter(|operation| !matches!(operation.outcome, Outcome::NotSent(_)))
    }

    /// Actions that the server says it did. Replays of earlier answers are not among them.
    pub(super) fn acks(self) -> impl Iterator<Item = Ack<'a>> {
        self.actions().filter_map(|operation| {
            let reply = operation.outcome.reply()?;
            (reply.meaning == Meaning::Applied).then_some(Ack { operation, reply })
        })
    }

    /// Actions that the server says it did not do.
    pub(super) fn refusals(self) -> impl Iterator<Item = &'a Operation> {
        self.actions().filter(|operation| operation.outcome.reply().is_some_and(|reply| reply.meaning.is_refusal()))
    }

    /// Actions that may have been done or not: Unknown outcomes and unclear answers.
    pub(super) fn unsettled(self) -> impl Iterator<Item = &'a Operation> {
        self.actions().filter(|operation| match &operation.outcome {
            Outcome::Answered(reply) => reply.meaning == Meaning::Unclear,
            Outcome::Unknown(_) => true,
            Outcome::NotSent(_) => false,
        })
    }

    /// Reads that began after every action had closed, in order. An Unknown action may still take effect later.
    pub(super) fn final_reads(self) -> impl Iterator<Item = (&'a Operation, &'a Reply)> {
        let quiet = self.actions().map(|operation| operation.window.closed).max();
        (self.operations.iter())
            .filter(|operation| operation.call.verb == Verb::Read)
            .filter(move |operation| quiet.is_none_or(|closed| closed < operation.window.opened))
            .filter_map(|operation| Some((operation, operation.outcome.reply()?)))
            .filter(|(_, reply)| reply.state.is_some())
    }

    /// What the server says in the end: the last of the final reads.
    pub(super) fn final_read(self) -> Option<(&'a Operation, &'a Reply)> {
        self.final_reads().last()
    }

    /// The rows of the last list of `verb` that was asked for after every action had closed.
    pub(super) fn list(self, verb: &Verb) -> Option<(&'a Operation, &'a [Record])> {
        let quiet = self.actions().map(|operation| operation.window.closed).max();
        (self.operations.iter().rev())
            .filter(|operation| operation.call.verb == *verb)
            .filter(|operation| quiet.is_none_or(|closed| closed < operation.window.opened))
            .find_map(|operation| Some((operation, operation.outcome.reply()?.records.as_deref()?)))
    }

    /// Contenders that were sent.
    pub(super) fn contenders(self) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(|operation| operation.phase == Phase::Contend)
    }

    /// Whether contenders raced and every one of them was definitely refused.
    pub(super) fn nobody_won(self) -> bool {
        let refused = |operation: &Operation| operation.outcome.reply().is_some_and(|reply| reply.meaning.is_refusal());
        self.id.is_raced() && self.contenders().count() > 1 && self.contenders().all(refused)
    }

    /// Someone else's write (judging R7): an event tells of an action that this round never sent.
    pub(super) fn foreign_write(self) -> Option<String> {
        let (_, rows) = self.list(&Verb::ListEvents)?;
        rows.iter().find_map(|row| {
            let name = row.action.as_deref()?;
            let sent = self.actions().any(|operation| operation.call.action() == Some(name));
            let foreign = self.model.action(name).is_some() && !sent;
            foreign.then(|| format!("the events tell of `{name}`, which was not sent in this round"))
        })
    }

    /// The reply that made the resource.
    pub(super) fn created(self) -> Option<&'a Reply> {
        self.operations.iter().find(|operation| operation.call.verb == Verb::Create)?.outcome.reply()
    }

    /// The round as entries for the search.
    ///
    /// # Errors
    /// What keeps it from being judged, as a sentence.
    pub(super) fn encode(self, acks: AckReading) -> Result<Encoded, String> {
        let created = self.created().ok_or("the resource was not created")?;
        let mut names = Names::default();
        let seen = names.seen(self.model, created)?;
        let start = State {
            at: seen.state.unwrap_or(self.model.initial),
            version: seen.version,
            token: seen.token,
            keys: Vec::new(),
        };
        let mut entries = Vec::new();
        for operation in self.operations {
            let mut add = |op: Op, optional: bool, after: Option<usize>| {
                entries.push(Entry {
                    op,
                    opened: operation.window.opened,
                    closed: (!optional).then_some(operation.window.closed),
                    optional,
                    after,
                });
                entries.len() - 1
            };
            match (&operation.call.verb, &operation.outcome) {
                (Verb::Create | Verb::ListEffects | Verb::ListEvents, _)
                | (Verb::Read, Outcome::Unknown(_))
                | (_, Outcome::NotSent(_)) => {}
                (Verb::Read, Outcome::Answered(reply)) => {
                    let seen = names.seen(self.model, reply)?;
                    if reply.meaning == Meaning::Applied {
                        add(Op::Read(seen), false, None);
                    }
                }
                (Verb::Act(name), outcome) => {
                    let reply = outcome.reply();
                    let seen = reply.map_or(Ok(Seen::default()), |reply| names.seen(self.model, reply))?;
                    let effect = self.encode_action(operation, name, reply, seen, &mut names)?;
                    let settled = reply.is_some_and(|reply| reply.meaning != Meaning::Unclear);
                    let Op::Apply { action, precondition, key, digest, .. } = effect else {
                        add(effect, false, None);
                        continue;
                    };
                    if !settled {
                        let seen = Seen::default();
                        add(Op::Apply { action, precondition, key, seen, digest: None }, true, None);
                    } else if acks == AckReading::AtTheWrite {
                        add(Op::Apply { action, precondition, key, seen, digest }, false, None);
                    } else {
                        let unseen = Seen::default();
                        let write = add(Op::Apply { action, precondition, key, seen: unseen, digest }, false, None);
                        add(Op::Read(seen), false, Some(write));
                    }
                }
            }
        }
        Ok(Encoded { start, entries })
    }

    fn encode_action(
        self,
        operation: &Operation,
        name: &str,
        reply: Option<&Reply>,
        seen: Seen,
        names: &mut Names,
    ) -> Result<Op, String> {
        let action = (self.model.actions.iter().position(|action| *action.name == *name))
            .ok_or_else(|| format!("the API description has no action `{name}`"))?;
        let token = operation.call.precondition.strong_token().map(|token| names.token(token));
        let key = operation.call.key.as_ref().map(|key| names.key(key));
        let digest = reply.and_then(|reply| reply.digest);
        let apply = Op::Apply { action, precondition: token, key, seen, digest };
        Ok(match reply.map(|reply| reply.meaning) {
            None | Some(Meaning::Applied | Meaning::Unclear) => apply,
            Some(Meaning::Replayed) => match key {
                Some(key) => Op::Replay { key, digest },
                None => apply,
            },
            Some(Meaning::Stale) => Op::Stale { token, action },
            Some(
                Meaning::Refused
                | Meaning::MissingPrecondition
                | Meaning::InProgress
                | Meaning::NotFound
                | Meaning::Unauthorized,
            ) => Op::Refused { action },
        })
    }
}

/// How an acknowledgement's picture of the resource is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckReading {
    /// As the state that the write left behind.
    AtTheWrite,
    /// As a read at some time after the write, within the same window: some servers read the resource again before
    /// they answer, and show the state that a later writer left.
    ReadAfterwards,
}

/// A round, ready for the search.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) start: State,
    pub(super) entries: Vec<Entry<Op>>,
}

/// Tokens and keys, numbered as they come.
#[derive(Debug, Default)]
struct Names {
    tokens: HashMap<Arc<str>, u32>,
    keys: HashMap<Arc<str>, u32>,
}

impl Names {
    fn token(&mut self, token: &Arc<str>) -> TokenIx {
        let next = u32::try_from(self.tokens.len()).expect("a round is small");
        TokenIx(*self.tokens.entry(Arc::clone(token)).or_insert(next))
    }

    fn key(&mut self, key: &Arc<str>) -> KeyIx {
        let next = u32::try_from(self.keys.len()).expect("a round is small");
        KeyIx(*self.keys.entry(Arc::clone(key)).or_insert(next))
    }

    fn seen(&mut self, model: &Model, reply: &Reply) -> Result<Seen, String> {
        Ok(Seen {
            state: reply.state.as_ref().map(|name| known_state(model, name)).transpose()?,
            version: reply.version,
            token: reply.token.as_ref().map(|token| self.token(token)),
        })
    }
}

fn known_state(model: &Model, name: &str) -> Result<StateIx, String> {
    model.state(name).ok_or_else(|| {
        let name = crate::text::harmless(name, 60);
        format!("the server answered a state `{name}` that the API description does not have")
    })
}
