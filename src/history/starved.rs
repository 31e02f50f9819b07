//! Rounds that came to nothing since nobody answered their set-up.

use super::{Cause, Operation, Outcome, Phase};

/// Whether nobody raced in a round as nobody answered before: no contender was sent, and the last request on the way there timed
/// out, was cut off, or found no connection. A server with room for few connections does so to all that come after them; one that
/// refuses, or answers 5xx, is there.
pub fn starved(operations: &[Operation]) -> bool {
    let is_unsent = |operation: &Operation| matches!(operation.outcome, Outcome::NotSent(_));
    let of = |phase: Phase| operations.iter().filter(move |operation| operation.phase == phase);
    if of(Phase::Contend).any(|contender| !is_unsent(contender)) {
        return false;
    }
    of(Phase::SetUp).next_back().into_iter().chain(of(Phase::Contend)).any(|operation| match &operation.outcome {
        Outcome::NotSent(cause) | Outcome::Unknown(cause) => {
            matches!(cause, Cause::Connect(_) | Cause::TimedOut | Cause::Broken(_))
        }
        Outcome::Answered(_) => false,
    })
}
