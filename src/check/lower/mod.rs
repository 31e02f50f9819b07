//! Registers and counters as state machines: what a round of them looks like to the rules and to the search.
//!
//! The judge knows one family, a declared state machine. A register's states are the values that this round wrote, a
//! counter's the numbers that it can have come to, so a machine is made for each round alone, and the round is told in its
//! words. Every rule, and every argument for it, then holds as it stands.
//!
//! ```text
//! register   starts `a`; put `b`, put `c`, delete     states absent, a, b, c      actions "put with `b`", "put with `c`", delete
//! counter    starts 3; buy, buy, return               states 1, 2, 3, 4           actions buy (4→3, 3→2, 2→1), return (1→2, …)
//! ```
//!
//! What cannot be told in such words (a value that nobody in the round wrote, a number that is none) is never held against
//! the server: the round is not judged by its states, and the scenario says so.

mod counter;
mod register;
mod torn;

use std::sync::Arc;

use super::evidence::Evidence;
use super::round::{Round, is_about_the_resource};
use crate::api::{Family, Model};
use crate::history::{Meaning, Operation, Outcome, Phase, Reply, Verb};

pub(super) use counter::number;

/// A round in the words of a state machine of its own. The operations have the ids that they had.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) model: Model,
    pub(super) operations: Vec<Operation>,
}

/// A round that cannot be judged by its states.
#[derive(Debug)]
pub(super) struct Unjudged {
    /// Why, as a sentence.
    pub(super) why: String,
    /// What is proved all the same.
    pub(super) found: Vec<Evidence>,
}

impl From<String> for Unjudged {
    fn from(why: String) -> Self {
        Self { why, found: Vec::new() }
    }
}

/// The round as a state machine's; nothing where it is one already.
///
/// # Errors
/// What keeps it from being judged by its states.
pub(super) fn lower(round: Round<'_>) -> Result<Option<Lowered>, Unjudged> {
    match round.model.family {
        Family::Lifecycle | Family::Effects => Ok(None),
        Family::Register => register::lower(round).map(Some),
        Family::Counter(bounds) => counter::lower(round, bounds).map(Some),
    }
}

/// The request that made the round's resource, if one did.
///
/// # Errors
/// Nobody knows whether it did.
fn creation(round: Round<'_>) -> Result<Option<(&Operation, &Reply)>, String> {
    let is_it = |one: &&Operation| one.call.verb == Verb::Create && one.phase == Phase::SetUp;
    let Some(creation) = round.sent().find(is_it) else { return Ok(None) };
    let reply = creation.outcome.reply().filter(|reply| is_done(reply));
    reply.map(|reply| Some((creation, reply))).ok_or_else(|| "the resource was not created".to_owned())
}

/// Reads that were over before any action began: they show what the resource held at first.
fn early_reads(round: Round<'_>) -> impl Iterator<Item = &Reply> {
    let first = round.actions().map(|action| action.window.opened).min();
    (round.operations.iter())
        .filter(move |one| one.call.verb == Verb::Read && first.is_none_or(|first| one.window.closed < first))
        .filter_map(|one| one.outcome.reply())
}

/// Replies that claim to show the resource, or its stored picture.
fn shown(operations: &[Operation]) -> impl Iterator<Item = (&Operation, &Arc<str>)> {
    (operations.iter())
        .filter(|one| is_about_the_resource(one))
        .filter_map(|one| Some((one, one.outcome.reply().filter(|reply| is_done(reply))?)))
        .filter_map(|(one, reply)| Some((one, reply.state.as_ref()?)))
}

fn is_done(reply: &Reply) -> bool {
    matches!(reply.meaning, Meaning::Applied | Meaning::Replayed)
}

fn reply_mut(operation: &mut Operation) -> Option<&mut Reply> {
    match &mut operation.outcome {
        Outcome::Answered(reply) => Some(reply),
        Outcome::NotSent(_) | Outcome::Unknown(_) => None,
    }
}
