//! Sequential specifications: what a resource does when requests come one after the other.
//!
//! A [`Spec`] is all that the search of [`crate::check::linear`] knows about an API. [`lifecycle`] is the one for
//! order-like resources: a declared state machine with version tokens and idempotency keys. [`register`] and
//! [`key_value`] are the two that recorded histories of databases are held against.

pub mod key_value;
pub mod lifecycle;
pub mod register;

use std::hash::Hash;

/// A resource's sequential behaviour.
pub trait Spec {
    /// All that earlier operations left behind.
    type State: Clone + Eq + Hash;
    /// An operation together with what is known of its reply.
    type Op: PartialEq;

    /// The states that `op` may leave behind if it takes effect in `state` and its reply is as known. Adds none if
    /// it cannot take effect here with that reply.
    fn step(&self, state: &Self::State, op: &Self::Op, next: &mut Vec<Self::State>);

    /// Whether `op` changes nothing wherever it can take effect; at most it makes more of the state known.
    fn only_observes(&self, op: &Self::Op) -> bool;

    /// Whether taking `first` may make a difference to `then` coming right after it. `false` promises that, whatever the
    /// state, `then` leads nowhere after `first` that it would not lead without it. Saying `true` is always right; saying
    /// `false` where one can spares the search most of what may be left out.
    fn may_help(&self, first: &Self::Op, then: &Self::Op) -> bool {
        let _ = (first, then);
        true
    }
}

/// A specification that numbers its states: no step makes the number smaller, and replies may tell it.
pub trait Versioned: Spec {
    /// What the reply to `op` tells of its place among the versions.
    fn place(&self, op: &Self::Op) -> Place;

    /// The version of `state`, if known.
    fn version(&self, state: &Self::State) -> Option<u64>;
}

/// An operation's place among the versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Wherever it takes effect it leaves this version behind, and it may be what made it.
    Made(u64),
    /// Wherever it takes effect the version is this one, before and after.
    At(u64),
    /// It only observes, and its reply does not tell where.
    Anywhere,
    /// It may change something, and its reply does not tell where.
    Untold,
}
