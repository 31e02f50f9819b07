//! One register with compare-and-set: `nil` at first, then whatever was written last.
//!
//! ```text
//! read           legal where the value is what it returned
//! write v        legal anywhere; the value is v
//! cas [a b]      legal where the value is a; then it is b
//! failed cas     legal where the value is not a; changes nothing
//! unknown        a write or cas as above, or not at all (the search decides)
//! ```
//!
//! Where replies carry versions, each write or successful cas adds one; a reply's version must be the one it left.

use super::{Place, Spec, Versioned};

/// A value; `None` is nil.
pub type Value = Option<i64>;

/// What was asked and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// The operation with its result.
    pub call: Call,
    /// The version that the reply told.
    pub version: Option<u64>,
}

/// An operation with its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Returned this value.
    Read(Value),
    /// Wrote this value.
    Write(i64),
    /// Replaced the first value by the second.
    Cas(i64, i64),
    /// Was refused because the value is not this one.
    CasFailed(i64),
}

impl Op {
    /// A read that returned `value`.
    pub const fn read(value: Value) -> Self {
        Self { call: Call::Read(value), version: None }
    }

    /// A write of `value`.
    pub const fn write(value: i64) -> Self {
        Self { call: Call::Write(value), version: None }
    }

    /// A compare-and-set that succeeded.
    pub const fn cas(from: i64, to: i64) -> Self {
        Self { call: Call::Cas(from, to), version: None }
    }

    /// A compare-and-set that found another value than `from`.
    pub const fn cas_failed(from: i64) -> Self {
        Self { call: Call::CasFailed(from), version: None }
    }

    /// The same, with the version that its reply told.
    #[must_use]
    pub const fn at(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }
}

/// What the register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    /// Its value.
    pub value: Value,
    /// Its version, if known.
    pub version: Option<u64>,
}

/// The register's specification.
#[derive(Debug, Clone, Copy)]
pub struct Register {
    /// Whether versions are part of it; if not, those that replies tell are passed over.
    has_versions: bool,
}

impl Register {
    /// Values alone.
    pub const PLAIN: Self = Self { has_versions: false };
    /// Values and versions.
    pub const VERSIONED: Self = Self { has_versions: true };
}

impl Spec for Register {
    type State = State;
    type Op = Op;

    fn step(&self, state: &State, op: &Op, next: &mut Vec<State>) {
        let written = match op.call {
            Call::Read(value) if value == state.value => None,
            Call::CasFailed(from) if state.value != Some(from) => None,
            Call::Write(value) => Some(value),
            Call::Cas(from, to) if state.value == Some(from) => Some(to),
            Call::Read(_) | Call::CasFailed(_) | Call::Cas(..) => return,
        };
        let value = written.or(state.value);
        if !self.has_versions {
            next.push(State { value, version: None });
            return;
        }
        let version = state.version.map(|version| version.saturating_add(u64::from(written.is_some())));
        if op.version.is_none() || version.is_none() || op.version == version {
            next.push(State { value, version: version.or(op.version) });
        }
    }

    fn only_observes(&self, op: &Op) -> bool {
        match op.call {
            Call::Read(_) | Call::CasFailed(_) => true,
            Call::Write(_) | Call::Cas(..) => false,
        }
    }

    /// Without versions, a write leads to the same state whatever came before, and what depends on one value gains
    /// nothing from another.
    fn may_help(&self, first: &Op, then: &Op) -> bool {
        let (Call::Write(left) | Call::Cas(_, left)) = first.call else { return true };
        match then.call {
            _ if self.has_versions => true,
            Call::Write(_) => false,
            Call::Read(value) => value == Some(left),
            Call::Cas(from, _) => from == left,
            Call::CasFailed(from) => from != left,
        }
    }
}

impl Versioned for Register {
    fn place(&self, op: &Op) -> Place {
        match (self.only_observes(op), op.version.filter(|_| self.has_versions)) {
            (true, Some(version)) => Place::At(version),
            (true, None) => Place::Anywhere,
            (false, Some(version)) => Place::Made(version),
            (false, None) => Place::Untold,
        }
    }

    fn version(&self, state: &State) -> Option<u64> {
        state.version
    }
}
