//! Mistakes about which state may follow which.

use super::super::orders::{Action, Status};
use super::super::transition::Rules;

/// `terminal-resurrects`: the restaurant's acceptance does not look whether the order is over. A cancelled or rejected
/// order is prepared after all, by whoever has its current tag.
pub(super) const TERMINAL_RESURRECTS: Rules = Rules { lifecycle: with_acceptance_of_the_dead, ..Rules::SOUND };

fn with_acceptance_of_the_dead(from: Status, action: Action) -> Option<Status> {
    match (from, action) {
        (Status::Cancelled | Status::Rejected, Action::Acceptance) => Some(Status::Preparing),
        (_, _) => from.after(action),
    }
}

/// `skips-a-state`: a rider may pick up what the restaurant has not finished.
pub(super) const SKIPS_A_STATE: Rules = Rules { lifecycle: with_hasty_pickup, ..Rules::SOUND };

fn with_hasty_pickup(from: Status, action: Action) -> Option<Status> {
    match (from, action) {
        (Status::Preparing, Action::Pickup) => Some(Status::InTransit),
        (_, _) => from.after(action),
    }
}
