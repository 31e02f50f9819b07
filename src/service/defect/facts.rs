//! What there is to say about each defect.

use super::Defect;

impl Defect {
    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckThenSave => "check-then-save",
            Self::IgnoreIfMatch => "ignore-if-match",
            Self::OptionalIfMatch => "optional-if-match",
            Self::WeakCompare => "weak-compare",
            Self::EtagUnchanged => "etag-unchanged",
            Self::EtagPerStatus => "etag-per-status",
            Self::Stale412Applies => "stale-412-applies",
            Self::Spurious412 => "spurious-412",
            Self::IdempotencyCheckThenAct => "idempotency-check-then-act",
            Self::IdempotencyMemoryPerReplica => "idempotency-memory-per-replica",
            Self::IdempotencyReplaysAnything => "idempotency-replays-anything",
            Self::IdempotencyKeyGlobal => "idempotency-key-global",
            Self::IdempotencyReplayDiffers => "idempotency-replay-differs",
            Self::IdempotencyStores412 => "idempotency-stores-412",
            Self::DoubleCharge => "double-charge",
            Self::ChargeOutsideTransaction => "charge-outside-transaction",
            Self::AckBeforeCommit => "ack-before-commit",
            Self::StaleReads => "stale-reads",
            Self::LostEvent => "lost-event",
            Self::VersionSkips => "version-skips",
            Self::TerminalResurrects => "terminal-resurrects",
            Self::SkipsAState => "skips-a-state",
            Self::WrongActor => "wrong-actor",
            Self::OthersOrders => "others-orders",
            Self::ErrorAfterCommit => "error-after-commit",
            Self::Deadlock => "deadlock",
        }
    }

    /// What the service does wrong, in one line.
    pub const fn mistake(self) -> &'static str {
        match self {
            Self::CheckThenSave => {
                "ETag compared in memory, then saved without a condition (the classic fake optimistic lock)"
            }
            Self::IgnoreIfMatch => "what If-Match says is never looked at",
            Self::OptionalIfMatch => "absent If-Match is let through",
            Self::WeakCompare => "W/\"x\" matches \"x\"",
            Self::EtagUnchanged => "the ETag does not change when the order does",
            Self::EtagPerStatus => {
                "the ETag is made of the status: V1 moves an order away and back, and an old tag matches again"
            }
            Self::Stale412Applies => "answers 412, and applies the change all the same",
            Self::Spurious412 => "answers 412 to every fourth request that has the current ETag",
            Self::IdempotencyCheckThenAct => "looks the key up, works, then stores it: two in flight both charge",
            Self::IdempotencyMemoryPerReplica => {
                "keys kept in process memory: gone after a restart, unknown to a second replica"
            }
            Self::IdempotencyReplaysAnything => "same key with another payload gets the first answer",
            Self::IdempotencyKeyGlobal => "keys shared between principals: one gets the other's answer",
            Self::IdempotencyReplayDiffers => "the replay is rebuilt from today's order instead of stored",
            Self::IdempotencyStores412 => "a 412 is stored and replayed for ever",
            Self::DoubleCharge => "the ledger is charged before the state is checked",
            Self::ChargeOutsideTransaction => "the charge stays when the state change is refused",
            Self::AckBeforeCommit => "answers 200, commits later (lost by a crash, invisible to an immediate read)",
            Self::StaleReads => "GET is answered from a cache that lags behind",
            Self::LostEvent => "the transition is applied, its event row sometimes is not",
            Self::VersionSkips => "version goes up by two or more under contention: losers have drawn a number, too",
            Self::TerminalResurrects => "an order that was cancelled or rejected can still be accepted",
            Self::SkipsAState => "pickup is accepted from preparing",
            Self::WrongActor => "a rider may accept, a restaurant may cancel",
            Self::OthersOrders => "a customer may cancel another customer's order",
            Self::ErrorAfterCommit => "under contention commits, then answers 500",
            Self::Deadlock => "two row locks taken in opposite orders: a hang or a 5xx under race",
        }
    }

    /// The kinds of finding that give the mistake away, the telling one first.
    pub const fn caught_as(self) -> &'static [&'static str] {
        match self {
            Self::CheckThenSave => &["lost-update"],
            Self::IgnoreIfMatch => &["stale-write-accepted"],
            Self::OptionalIfMatch => &["precondition-not-required"],
            Self::WeakCompare => &["weak-etag-accepted"],
            Self::EtagUnchanged => &["etag-unchanged"],
            Self::EtagPerStatus => &["etag-reused"],
            Self::Stale412Applies | Self::ChargeOutsideTransaction => &["rejected-but-applied"],
            Self::Spurious412 => &["spurious-412"],
            Self::IdempotencyCheckThenAct => &["in-flight-duplicate"],
            Self::IdempotencyMemoryPerReplica => &["key-forgotten"],
            Self::IdempotencyReplaysAnything => &["key-reuse-accepted"],
            Self::IdempotencyKeyGlobal => &["key-scope-leak"],
            Self::IdempotencyReplayDiffers => &["replay-mismatch"],
            Self::IdempotencyStores412 => &["key-poisoned"],
            Self::DoubleCharge => &["duplicate-effect"],
            Self::AckBeforeCommit => &["stale-read", "acknowledged-then-lost"],
            Self::StaleReads => &["stale-read", "non-monotonic-read"],
            Self::LostEvent => &["audit-mismatch"],
            Self::VersionSkips => &["version-gap"],
            Self::TerminalResurrects => &["resurrected-terminal"],
            Self::SkipsAState => &["illegal-transition"],
            Self::WrongActor | Self::OthersOrders => &["authorization-bypass"],
            Self::ErrorAfterCommit => &["server-error"],
            Self::Deadlock => &["hang", "server-error"],
        }
    }

    /// Whether there is a gap, for [`defect_window`](crate::service::ServiceConfig::defect_window) to widen. The others
    /// show without a race.
    pub const fn has_window(self) -> bool {
        match self {
            Self::CheckThenSave
            | Self::IdempotencyCheckThenAct
            | Self::ChargeOutsideTransaction
            | Self::AckBeforeCommit
            | Self::StaleReads
            | Self::VersionSkips
            | Self::ErrorAfterCommit
            | Self::Deadlock => true,
            Self::IgnoreIfMatch
            | Self::OptionalIfMatch
            | Self::WeakCompare
            | Self::EtagUnchanged
            | Self::EtagPerStatus
            | Self::Stale412Applies
            | Self::Spurious412
            | Self::IdempotencyMemoryPerReplica
            | Self::IdempotencyReplaysAnything
            | Self::IdempotencyKeyGlobal
            | Self::IdempotencyReplayDiffers
            | Self::IdempotencyStores412
            | Self::DoubleCharge
            | Self::LostEvent
            | Self::TerminalResurrects
            | Self::SkipsAState
            | Self::WrongActor
            | Self::OthersOrders => false,
        }
    }

    /// What a service must be like for the mistake to be one.
    pub(super) const fn needs(self) -> Needs {
        match self {
            Self::CheckThenSave | Self::Stale412Applies | Self::IdempotencyCheckThenAct => Needs::NoLock,
            Self::IgnoreIfMatch
            | Self::OptionalIfMatch
            | Self::WeakCompare
            | Self::EtagUnchanged
            | Self::EtagPerStatus
            | Self::Spurious412
            | Self::IdempotencyReplaysAnything
            | Self::IdempotencyKeyGlobal
            | Self::IdempotencyReplayDiffers
            | Self::IdempotencyStores412
            | Self::DoubleCharge
            | Self::ChargeOutsideTransaction
            | Self::AckBeforeCommit
            | Self::StaleReads
            | Self::LostEvent
            | Self::VersionSkips
            | Self::TerminalResurrects
            | Self::SkipsAState
            | Self::ErrorAfterCommit
            | Self::Deadlock => Needs::Nothing,
            Self::IdempotencyMemoryPerReplica => Needs::OwnKeys,
            Self::WrongActor | Self::OthersOrders => Needs::Auth,
        }
    }
}

/// What a service must be like for a mistake to be one.
#[derive(Clone, Copy)]
pub(super) enum Needs {
    Nothing,
    /// It asks callers who they are.
    Auth,
    /// It does not lock what it judges: under a lock, nobody comes between.
    NoLock,
    /// It is not told where to keep idempotency keys.
    OwnKeys,
}
