//! The declared state machine with version tokens and idempotency keys, as a [`Spec`].
//!
//! ```text
//! state      = (where the resource is, its version if known, what is known of its token, the keys already used)
//! read       legal where what it saw agrees with what is known; what it saw becomes known
//! applied    legal where the model has a transition, the precondition names the current token, and its key is
//!            unused; moves, adds one to the version, makes its reply's token the current one and the old one stale.
//!            Where the model has a transition from a state to itself, it may also change nothing (an idempotent
//!            cancellation), and then whatever its precondition names. With its key used, it is a replay without a marker
//! replayed   legal where its key was used; changes nothing
//! stale      legal where the token it named is not (known to be) the current one; changes nothing
//! other refusals  legal anywhere; change nothing
//! unknown    as applied, with nothing known of the reply; or not at all (the search decides)
//! ```
//!
//! What is not known is never held against the server: an unknown token matches everything.
//!
//! [`Relaxation`] switches exactly one of these rules off. A history that is illegal, and becomes legal by one
//! relaxation, names the mistake.

use super::{Place, Spec, Versioned};
use crate::api::{Model, StateIx};

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
    },
    /// Was answered with the stored answer of its key.
    Replay {
        /// The key.
        key: KeyIx,
    },
    /// Was refused because its token is not the current one.
    Stale {
        /// The strong token it named; a weak one never matches (RFC 9110 §8.8.3.2).
        token: Option<TokenIx>,
        /// Which action it may have done all the same, where that is asked; none if it certainly did nothing.
        action: Option<usize>,
    },
    /// Was refused for another reason.
    Refused {
        /// Which action it may have done all the same, where that is asked; none if it certainly did nothing.
        action: Option<usize>,
    },
}

/// What is known of the current token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// Nothing.
    Unknown,
    /// It is this one.
    Is(TokenIx),
    /// It is not this one, which the last change made stale.
    IsNot(TokenIx),
}

impl Token {
    /// Whether a request that was let through on `token` is compatible with this.
    fn may_be(self, token: TokenIx) -> bool {
        match self {
            Self::Unknown => true,
            Self::Is(current) => current == token,
            Self::IsNot(stale) => stale != token,
        }
    }
}

/// All that earlier operations left behind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    /// Where the resource is.
    pub at: StateIx,
    /// Its version, if known.
    pub version: Option<u64>,
    /// What is known of its token.
    pub token: Token,
    /// Keys used, sorted.
    pub keys: Vec<KeyIx>,
}

impl State {
    /// Whether a picture of the resource agrees with what is known of it.
    fn agrees(&self, seen: &Seen) -> bool {
        seen.state.is_none_or(|shown| shown == self.at)
            && (seen.version.is_none() || self.version.is_none() || seen.version == self.version)
            && seen.token.is_none_or(|shown| self.token.may_be(shown))
    }

    /// The same state, with what a picture of it makes known.
    fn learning(mut self, seen: &Seen) -> Self {
        self.version = self.version.or(seen.version);
        if let Some(token) = seen.token {
            self.token = Token::Is(token);
        }
        self
    }
}

/// One rule switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relaxation {
    /// A stale refusal may meet a current token.
    SpuriousStale,
    /// Versions may skip or repeat.
    VersionSlips,
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
        let Op::Apply { action, precondition, key, seen } = op else {
            unreachable!("called for Apply alone");
        };
        if key.is_some_and(|key| state.keys.contains(&key)) {
            next.push(state.clone());
            return;
        }
        let mut before = state.clone();
        if let Some(key) = key {
            let place = before.keys.partition_point(|own| own < key);
            before.keys.insert(place, *key);
        }
        if self.relaxes(Relaxation::LostAcks) {
            next.push(before.clone());
        }
        let is_current = precondition.is_none_or(|token| state.token.may_be(token));
        if !is_current && !self.relaxes(Relaxation::IgnoredPreconditions) {
            // What it asks for is done already: a success says no more than that (RFC 9110 §13.1.1).
            if self.model.actions[*action].is_settled_in(state.at) && self.shows(&before, seen) {
                next.push(before.learning(seen));
            }
            return;
        }
        if self.relaxes(Relaxation::AnyTransition) {
            for index in 0..self.model.states.len() {
                let to = StateIx(u16::try_from(index).expect("models are small"));
                self.reach(&before, to, *precondition, seen, next);
            }
        } else {
            for to in self.model.actions[*action].next(state.at) {
                self.reach(&before, to, *precondition, seen, next);
            }
        }
    }

    /// A change that leads to `to`: one version on, the old token stale.
    fn reach(&self, before: &State, to: StateIx, named: Option<TokenIx>, seen: &Seen, next: &mut Vec<State>) {
        let stale = match before.token {
            Token::Is(token) => Some(token),
            // What the request was let through on was the current one.
            Token::Unknown | Token::IsNot(_) => named,
        };
        let changed = State {
            at: to,
            version: before.version.map(|version| version.saturating_add(1)),
            token: stale.map_or(Token::Unknown, Token::IsNot),
            keys: before.keys.clone(),
        };
        if self.shows(&changed, seen) {
            next.push(changed.learning(seen));
        }
        if to == before.at && self.shows(before, seen) {
            next.push(before.clone().learning(seen));
        }
    }

    /// Whether a picture agrees with a state, as far as the rules in force ask.
    fn shows(&self, state: &State, seen: &Seen) -> bool {
        if self.relaxes(Relaxation::VersionSlips) {
            return state.agrees(&Seen { version: None, ..*seen });
        }
        state.agrees(seen)
    }

    /// A refusal that leaves everything as it was, or (relaxed) did the action all the same.
    fn refuse(&self, state: &State, action: Option<usize>, next: &mut Vec<State>) {
        next.push(state.clone());
        self.apply_refused(state, action, next);
    }

    fn apply_refused(&self, state: &State, action: Option<usize>, next: &mut Vec<State>) {
        let seen = Seen::default();
        if let Some(action) = action.filter(|_| self.relaxes(Relaxation::AppliedRefusals)) {
            self.apply(state, &Op::Apply { action, precondition: None, key: None, seen }, next);
        }
    }
}

impl Spec for Lifecycle<'_> {
    type State = State;
    type Op = Op;

    fn step(&self, state: &State, op: &Op, next: &mut Vec<State>) {
        match op {
            Op::Read(_) if self.relaxes(Relaxation::OldReads) => next.push(state.clone()),
            Op::Read(seen) if self.shows(state, seen) => next.push(state.clone().learning(seen)),
            Op::Apply { .. } => self.apply(state, op, next),
            Op::Replay { key } if state.keys.contains(key) => next.push(state.clone()),
            Op::Read(_) | Op::Replay { .. } => {}
            Op::Stale { token, action } => {
                let is_current = token.is_some_and(|token| state.token == Token::Is(token));
                if !is_current || self.relaxes(Relaxation::SpuriousStale) {
                    self.refuse(state, *action, next);
                } else {
                    self.apply_refused(state, *action, next);
                }
            }
            Op::Refused { action } => self.refuse(state, *action, next),
        }
    }

    fn only_observes(&self, op: &Op) -> bool {
        match op {
            Op::Read(_) | Op::Replay { .. } => true,
            Op::Stale { action, .. } | Op::Refused { action } => {
                action.is_none() || !self.relaxes(Relaxation::AppliedRefusals)
            }
            Op::Apply { .. } => false,
        }
    }
}

impl Versioned for Lifecycle<'_> {
    /// Every change adds one to the version and nothing takes from it, and a reply that tells a version is legal only
    /// where that is the version left behind. Not so for an action under a key, which may be answered from the store
    /// with what was true long ago, nor where a rule is switched off: those are left to the search.
    fn place(&self, op: &Op) -> Place {
        match op {
            _ if self.relaxed.is_some() => Place::Untold,
            Op::Read(Seen { version: Some(version), .. }) => Place::At(*version),
            Op::Apply { key: None, seen: Seen { version: Some(version), .. }, .. } => Place::Made(*version),
            Op::Apply { .. } => Place::Untold,
            Op::Read(_) | Op::Replay { .. } | Op::Stale { .. } | Op::Refused { .. } => Place::Anywhere,
        }
    }

    fn version(&self, state: &State) -> Option<u64> {
        state.version
    }
}
