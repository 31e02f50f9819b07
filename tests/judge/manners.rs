//! In how many manners a server can be correct: what the simulated servers differ in.

use std::sync::Arc;

use quickeats_bench::history::Actor;

/// What kind of correct server.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a coin of its own")]
pub(crate) struct Manners {
    pub(crate) versions: bool,
    pub(crate) tags: Option<Tags>,
    pub(crate) tags_by_reader: bool,
    pub(crate) ledger: bool,
    pub(crate) events: Option<Words>,
    pub(crate) bodies: bool,
    pub(crate) marks_replays: bool,
    pub(crate) says_409: bool,
    pub(crate) key_before_precondition: bool,
    pub(crate) replays_for_any_payload: bool,
    pub(crate) requires_preconditions: bool,
    pub(crate) says_done_already: bool,
    pub(crate) reads_again: Again,
    pub(crate) reads_lag: bool,
    pub(crate) lists_lag: bool,
    pub(crate) row_ids_differ: bool,
    pub(crate) limits: bool,
    pub(crate) volatile_bodies: bool,
    pub(crate) knows: Knows,
}

/// What a tag is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tags {
    Version,
    /// Comes back with the content.
    Content,
    Weak,
}

/// What events are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Ours,
    Theirs,
    None,
}

/// What is read again after a write, before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Nothing,
    Everything,
    TheTag,
}

/// Whom the server can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knows {
    /// Nobody: all are one.
    Nobody,
    /// Each person, but nothing that the history shows proves it.
    PersonsByTheirWord,
    Roles,
    Persons,
}

impl Manners {
    pub(crate) fn any(dice: &mut fastrand::Rng) -> Self {
        let versions = dice.bool();
        Self {
            versions,
            // A version in the body is content that never comes back.
            tags: [None, Some(Tags::Version), Some(Tags::Weak), Some(Tags::Content)]
                [dice.usize(0..if versions { 3 } else { 4 })],
            tags_by_reader: dice.u8(0..4) == 0,
            ledger: dice.bool(),
            events: [None, Some(Words::Ours), Some(Words::Theirs), Some(Words::None)][dice.usize(0..4)],
            bodies: dice.u8(0..4) != 0,
            marks_replays: dice.bool(),
            says_409: dice.bool(),
            key_before_precondition: dice.bool(),
            replays_for_any_payload: dice.u8(0..4) == 0,
            requires_preconditions: dice.u8(0..4) == 0,
            says_done_already: dice.bool(),
            reads_again: [Again::Nothing, Again::Everything, Again::TheTag][dice.usize(0..3)],
            reads_lag: dice.u8(0..6) == 0,
            lists_lag: dice.bool(),
            row_ids_differ: dice.bool(),
            limits: dice.u8(0..4) == 0,
            volatile_bodies: dice.bool(),
            knows: [Knows::Nobody, Knows::PersonsByTheirWord, Knows::Roles, Knows::Persons][dice.usize(0..4)],
        }
    }

    /// Whom a request proves to come from.
    pub(crate) fn principal(self, actor: &Actor) -> Option<Arc<str>> {
        match self.knows {
            Knows::Nobody | Knows::PersonsByTheirWord => None,
            Knows::Roles => Some(Arc::clone(&actor.role)),
            Knows::Persons => Some(actor.to_string().into()),
        }
    }

    /// Whom the server takes it to come from.
    pub(crate) fn caller(self, actor: &Actor) -> Arc<str> {
        match self.knows {
            Knows::Nobody => "anyone".into(),
            Knows::PersonsByTheirWord | Knows::Persons => actor.to_string().into(),
            Knows::Roles => Arc::clone(&actor.role),
        }
    }
}
