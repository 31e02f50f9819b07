//! Sequential specifications: what a resource does when requests come one after the other.
//!
//! A [`Spec`] is all that the search of [`crate::check::linear`] knows about an API. [`lifecycle`] is the one for
//! order-like resources: a declared state machine with version tokens and idempotency keys.

pub mod lifecycle;

use std::hash::Hash;

/// A resource's sequential behaviour.
pub trait Spec {
    /// All that earlier operations left behind.
    type State: Clone + Eq + Hash;
    /// An operation together with what is known of its reply.
    type Op;

    /// The states that `op` may leave behind if it takes effect in `state` and its reply is as known. Adds none if
    /// it cannot take effect here with that reply.
    fn step(&self, state: &Self::State, op: &Self::Op, next: &mut Vec<Self::State>);

    /// Whether `op` changes nothing wherever it can take effect; at most it makes more of the state known.
    fn only_observes(&self, op: &Self::Op) -> bool;
}
