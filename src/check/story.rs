//! The round that a finding is told by: the operations around its witness, and how far they can be put in a lawful order.

use std::collections::BTreeSet;

use super::encode::{AckReading, encode};
use super::linear::{Answer, Budget, explore};
use super::round::Round;
use crate::api::Family;
use crate::history::Operation;
use crate::ids::OpId;
use crate::spec::lifecycle::Lifecycle;

/// Operations of a long round that are kept: the witness, and those nearest to it.
const MOST: usize = 120;
/// Steps that looking for an order may take: it is told beside the proof, which has been made by then.
const BUDGET: u64 = 20_000;

/// A round, told in full.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Story {
    /// Its operations, in order of opening: all or, of a long round, the witness and those nearest to it.
    pub operations: Vec<Operation>,
    /// How many it had.
    pub count: usize,
    /// How far they can be put in a lawful order; none where the round is not about order.
    pub order: Option<Order>,
}

/// The longest order of a round's operations, within their windows, that the API description allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The operations that have a place in it, in turn.
    pub operations: Vec<OpId>,
    /// One that cannot come next, though its window ends; none if all have a place.
    pub stuck: Option<OpId>,
}

impl Story {
    /// Of `round`, that `witness` is of. `told` is the same round as the search wants it, if it can be told so.
    pub(super) fn of(round: Round<'_>, told: Option<Round<'_>>, witness: &[OpId]) -> Self {
        Self {
            operations: around(round.operations, witness),
            count: round.operations.len(),
            order: told.filter(|told| told.model.family != Family::Effects).and_then(order),
        }
    }
}

/// The operations to keep: the witness first, then the others by their distance to the nearest of it.
fn around(operations: &[Operation], witness: &[OpId]) -> Vec<Operation> {
    let places: Vec<usize> = (0..operations.len()).filter(|place| witness.contains(&operations[*place].id)).collect();
    let distance = |place: usize| places.iter().map(|other| other.abs_diff(place)).min().unwrap_or(place);
    let mut kept: Vec<usize> = (0..operations.len()).collect();
    kept.sort_by_key(|place| (distance(*place), *place));
    kept.truncate(MOST.max(places.len()));
    kept.sort_unstable();
    kept.into_iter().map(|place| operations[place].clone()).collect()
}

/// The longest order that any reading of the acknowledgements allows.
fn order(round: Round<'_>) -> Option<Order> {
    let spec = Lifecycle { model: round.model, relaxed: None };
    let mut longest: Option<Order> = None;
    for reading in AckReading::SOUND {
        let encoded = encode(round, reading, &BTreeSet::new()).ok()?;
        let found = explore(&spec, &encoded.start, &encoded.entries, &Budget::steps(BUDGET));
        let id = |entry: usize| encoded.of[entry];
        let (entries, stuck) = match found.answer {
            Answer::Legal(order) => (order, None),
            Answer::Illegal | Answer::GaveUp => (found.deepest, found.effort.stuck.map(id)),
        };
        // A write and what its answer showed of it are two steps of one operation: it counts where it was done.
        let mut seen = BTreeSet::new();
        let operations: Vec<OpId> = entries.into_iter().map(id).filter(|one| seen.insert(*one)).collect();
        if stuck.is_none() {
            return Some(Order { operations, stuck });
        }
        if longest.as_ref().is_none_or(|order| operations.len() > order.operations.len()) {
            longest = Some(Order { operations, stuck });
        }
    }
    longest
}
