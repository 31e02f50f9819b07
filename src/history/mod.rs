//! What was asked and what came of it: the record between driving and judging.
//!
//! A [`History`] is sealed and immutable. It is written by a [`Recorder`] with one [`Lane`] per client (no lock is
//! shared while requests run), saved as JSON lines ([`jsonl`]) before anyone judges it, and read back to the same
//! verdict.
//!
//! ```text
//!            opened            released                closed
//!  client A  |--- sent, but for its end ---|--- on its way, served, answered ---|
//!  client B      |-------------------------|------------------|
//!                                          ^ the gate opens
//! ```

mod delivered;
mod digest;
pub mod foreign;
pub mod jsonl;
mod operation;
mod outcome;
mod recorder;
mod starved;

use std::collections::BTreeMap;

pub use delivered::{Delivered, Method, Stagger, Version};
pub use digest::Digest;
pub use operation::{Actor, Call, Operation, Phase, Precondition, Verb, Window, overlapped};
pub use outcome::{Arrival, Cause, Meaning, Outcome, Record, Reply};
pub use recorder::{Lane, OpenOp, Recorder};
pub use starved::starved;

use crate::ids::RoundId;

/// The operations of one scenario's run: sealed, dense ids, grouped by round.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    rounds: BTreeMap<RoundKey, Vec<Operation>>,
    delivered: BTreeMap<RoundKey, Delivered>,
}

/// Controls first, then raced rounds, each by number.
type RoundKey = (bool, u32);

fn key(round: RoundId) -> RoundKey {
    match round {
        RoundId::Control(number) => (false, number),
        RoundId::Raced(number) => (true, number),
    }
}

impl History {
    /// Seals `operations`, in whatever order they come.
    pub fn seal(operations: impl IntoIterator<Item = Operation>) -> Self {
        let mut rounds: BTreeMap<RoundKey, Vec<Operation>> = BTreeMap::new();
        for operation in operations {
            rounds.entry(key(operation.round)).or_default().push(operation);
        }
        for operations in rounds.values_mut() {
            operations.sort_by_key(|operation| operation.id);
        }
        Self { rounds, delivered: BTreeMap::new() }
    }

    /// The same, knowing how volleys were delivered.
    #[must_use]
    pub fn knowing(mut self, delivered: impl IntoIterator<Item = Delivered>) -> Self {
        self.delivered.extend(delivered.into_iter().map(|delivered| (key(delivered.round), delivered)));
        self
    }

    /// How the volley of a round was delivered, if that was written down.
    pub fn delivered(&self, round: RoundId) -> Option<&Delivered> {
        self.delivered.get(&key(round))
    }

    /// Each round with its operations: controls first, then raced rounds in order.
    pub fn rounds(&self) -> impl Iterator<Item = (RoundId, &[Operation])> {
        self.rounds.iter().map(|((raced, number), operations)| {
            let round = if *raced { RoundId::Raced(*number) } else { RoundId::Control(*number) };
            (round, operations.as_slice())
        })
    }

    /// All operations, round by round.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.rounds.values().flatten()
    }

    /// Whether nothing was recorded. An empty history proves nothing.
    pub fn is_empty(&self) -> bool {
        self.rounds.is_empty()
    }
}
