//! The declared state machine with version tokens and idempotency keys, as a [`Spec`].
//!
//! ```text
//! state      = (where the resource is, its version if known, its token if known, the keys already used)
//! read       legal where what it saw agrees with what is known; what it saw becomes known
//! applied    legal where the model has a transition, the precondition names the current token, and its key is
//!            unused; moves, adds one to the version, makes its reply's token the current one
//! replayed   legal where its key was used, with the same answer; changes nothing
//! stale      legal where the token it named is not (known to be) the current one; changes nothing
//! other refusals  legal anywhere; change nothing
//! unknown    as applied, with nothing known of the reply; or not at all (the search decides)
//! ```
//!
//! What is not known is never held against the server: an unknown token matches everything.
//!
//! [`Relaxation`] switches exactly one of these rules off. A history that is illegal, and becomes legal by one
//! relaxation, names the mistake.

use super::Spec;
use crate::api::{Model, StateIx};
use crate::history::Digest;

/// A version token, numbered within its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenIx(pub u32);

/// An idempotency key, numbered within its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIx(pub u32);

/// What a reply showed of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// Where it is.
    pub state: Option<StateIx>,
    /// Its version.
    pub version: Option<u64>,
    /// Its token.
    pub token: Option<TokenIx>,
}

/// An operation on one resource, as far as the specification cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Showed the resource.
    Read(Seen),
    /// Did the model's action number `action`, or may have.
    Apply {
        /// Which action of the model.
        action: usize,
        /// The strong token it was conditional on.
        precondition: Option<TokenIx>,
        /// The idempotency key it carried.
        key: Option<KeyIx>,
        /// What the reply showed; nothing if there was none.
        seen: Seen,
        /// The reply's digest, to compare replays with.
        digest: Option<Digest>,
    },
    /// Was answered with the stored answer of its key.
    Replay {
        /// The key.
        key: KeyIx,
        /// The answer's digest.
        digest: Option<Digest>,
    },
    /// Was refused because its token is not the current one.
    Stale {
        /// The strong token it named; a weak one never matches (RFC 9110 §8.8.3.2).
        token: Option<TokenIx>,
        /// Which action it would have done.
        action: usize,
    },
    /// Was refused for another reason.
    Refused {
        /// Which action it would have done.
        action: usize,
    },
}

/// All that earlier operations left behind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Where the resource is.
    pub at: StateIx,
    /// Its version, if known.
    pub version: Option<u64>,
    /// Its token, if known.
    pub token: Option<TokenIx>,
    /// Keys used, with the digest of their answer if known; sorted by key.
    pub keys: Vec<(KeyIx, Option<Digest>)>,
}

/// One rule switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relaxation {
    /// A stale refusal may meet a current token.
    SpuriousStale,
    /// A read may show anything.
    OldReads,
    /// A refused action may have been done.
    AppliedRefusals,
    /// An action may ignore its precondition.
    IgnoredPreconditions,
    /// An acknowledged action may not have been done.
    LostAcks,
    /// An action may lead anywhere from anywhere.
    AnyTransition,
}

/// The specification of `model`'s resource.
#[derive(Debug, Clone, Copy)]
pub struct Lifecycle<'a> {
    /// The declared state machine.
    pub model: &'a Model,
    /// The rule that is switched off, if any.
    pub relaxed: Option<Relaxation>,
}

impl Lifecycle<'_> {
    fn relaxes(&self, rule: Relaxation) -> bool {
        self.relaxed == Some(rule)
    }

    fn apply(&self, state: &State, op: &Op, next: &mut Vec<State>) {
        let Op::Apply { action, precondition, key, seen, digest } = op else {
            unreachable!("called for Apply alone");
        };
        let used = key.and_then(|key| state.keys.iter().find(|(own, _)| *own == key));
        if let Some((_, stored)) = used {
            // The same logical operation again: lawful as a replay without a marker, if the answer is the same.
            if stored.is_none() || digest.is_none() || stored == digest {
                next.push(state.clone());
            }
            return;
        }
        if self.relaxes(Relaxation::LostAcks) {
            next.push(state.clone());
        }
        let names_another = precondition.is_some_and(|token| state.token.is_some_and(|now| now != token));
        if names_another && !self.relaxes(Relaxation::IgnoredPreconditions) {
            return;
        }
        let version = state.version.map(|version| version + 1);
        if seen.version.is_some() && version.is_some() && seen.version != version {
            return;
        }
        let mut keys = state.keys.clone();
        if let Some(key) = key {
            let place = keys.partition_point(|(own, _)| own < key);
            keys.insert(place, (*key, *digest));
        }
        let mut reach = |to: StateIx| {
            if seen.state.is_none_or(|shown| shown == to) {
                next.push(State { at: to, version: version.or(seen.version), token: seen.token, keys: keys.clone() });
            }
        };
        if self.relaxes(Relaxation::AnyTransition) {
            (0..self.model.states.len())
                .map(|index| StateIx(u16::try_from(index).expect("models are small")))
                .for_each(&mut reach);
        } else {
            self.model.actions[*action].next(state.at).for_each(&mut reach);
        }
    }

    /// A refusal that leaves everything as it was, or (relaxed) did the action all the same.
    fn refuse(&self, state: &State, action: usize, next: &mut Vec<State>) {
        next.push(state.clone());
        if self.relaxes(Relaxation::AppliedRefusals) {
            let seen = Seen::default();
            self.apply(state, &Op::Apply { action, precondition: None, key: None, seen, digest: None }, next);
        }
    }
}

impl Spec for Lifecycle<'_> {
    type State = State;
    type Op = Op;

    fn step(&self, state: &State, op: &Op, next: &mut Vec<State>) {
        match op {
            Op::Read(_) if self.relaxes(Relaxation::OldReads) => next.push(state.clone()),
            Op::Read(seen) => {
                let agrees = seen.state.is_none_or(|shown| shown == state.at)
                    && (seen.version.is_none() || state.version.is_none() || seen.version == state.version)
                    && (seen.token.is_none() || state.token.is_none() || seen.token == state.token);
                if agrees {
                    let mut state = state.clone();
                    state.version = state.version.or(seen.version);
                    state.token = state.token.or(seen.token);
                    next.push(state);
                }
            }
            Op::Apply { .. } => self.apply(state, op, next),
            Op::Replay { key, digest } => {
                let stored = state.keys.iter().find(|(own, _)| own == key);
                if stored.is_some_and(|(_, stored)| stored.is_none() || digest.is_none() || stored == digest) {
                    next.push(state.clone());
                }
            }
            Op::Stale { token, action } => {
                let is_current = token.is_some() && *token == state.token;
                if is_current && !self.relaxes(Relaxation::SpuriousStale) {
                    return;
                }
                self.refuse(state, *action, next);
            }
            Op::Refused { action } => self.refuse(state, *action, next),
        }
    }

    fn only_observes(&self, op: &Op) -> bool {
        match op {
            Op::Read(_) | Op::Replay { .. } => true,
            Op::Stale { .. } | Op::Refused { .. } => !self.relaxes(Relaxation::AppliedRefusals),
            Op::Apply { .. } => false,
        }
    }
}
