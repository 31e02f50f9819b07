//! The mistakes that the service makes on request, by name. How each is made stands in [`defects`](super::defects).

use std::fmt;
use std::str::FromStr;

use super::ServiceConfig;
use super::stores::KeyStoreChoice;
use super::strategy::Strategy;

/// A deliberate mistake: one that real services make, and that leaves everything else right. In the contract's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// The `ETag` is compared in memory, then the order is saved without a condition.
    CheckThenSave,
    /// What `If-Match` says is never looked at.
    IgnoreIfMatch,
    /// A request without `If-Match` is let through.
    OptionalIfMatch,
    /// A weak tag in `If-Match` matches a strong one.
    WeakCompare,
    /// An order keeps its first `ETag`. V1 keeps it, too.
    EtagUnchanged,
    /// The `ETag` is made of the order's id and status, which V1 can bring back.
    EtagPerStatus,
    /// The answer is 412, and the change is applied all the same.
    Stale412Applies,
    /// Every fourth request of a process that names the current `ETag` is refused as stale.
    Spurious412,
    /// The idempotency key is looked up, the work is done, and then the answer is stored.
    IdempotencyCheckThenAct,
    /// Idempotency keys are kept in the process's memory.
    IdempotencyMemoryPerReplica,
    /// Whatever is asked for under a known key gets the first answer.
    IdempotencyReplaysAnything,
    /// An idempotency key is the same key whoever sends it.
    IdempotencyKeyGlobal,
    /// A replay of a success tells of the order as it is now.
    IdempotencyReplayDiffers,
    /// A 412 is kept under its key, and replayed whatever `If-Match` says.
    IdempotencyStores412,
    /// The ledger is charged before the order's state is checked.
    DoubleCharge,
    /// A cancelled or rejected order can be accepted.
    TerminalResurrects,
    /// An order can be picked up while it is prepared.
    SkipsAState,
    /// A rider may accept, and a restaurant may cancel. Shows only where callers must prove who they are.
    WrongActor,
    /// A customer may cancel another customer's order. Shows only where callers must prove who they are.
    OthersOrders,
}

/// The text is not the name of a defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no defect `{0}`; known are {known}", known = known_names())]
pub struct UnknownDefect(String);

fn known_names() -> String {
    let names: Vec<_> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    names.join(", ")
}

impl Defect {
    /// Every defect, in the order of the contract.
    pub const ALL: &[Self] = &[
        Self::CheckThenSave,
        Self::IgnoreIfMatch,
        Self::OptionalIfMatch,
        Self::WeakCompare,
        Self::EtagUnchanged,
        Self::EtagPerStatus,
        Self::Stale412Applies,
        Self::Spurious412,
        Self::IdempotencyCheckThenAct,
        Self::IdempotencyMemoryPerReplica,
        Self::IdempotencyReplaysAnything,
        Self::IdempotencyKeyGlobal,
        Self::IdempotencyReplayDiffers,
        Self::IdempotencyStores412,
        Self::DoubleCharge,
        Self::TerminalResurrects,
        Self::SkipsAState,
        Self::WrongActor,
        Self::OthersOrders,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What the service does wrong, in one line.
    pub const fn mistake(self) -> &'static str {
        self.facts().mistake
    }

    /// The kinds of finding that give the mistake away, the telling one first.
    pub const fn caught_as(self) -> &'static [&'static str] {
        self.facts().caught_as
    }

    /// Whether there is a gap between check and act, for [`defect_window`](super::ServiceConfig::defect_window) to
    /// widen. The others show without a race.
    pub const fn has_window(self) -> bool {
        match self.facts().shows {
            Shows::InAGap => true,
            Shows::Anyway => false,
        }
    }

    /// Whether a service like this can make the mistake.
    pub(super) fn suits(self, config: &ServiceConfig) -> Result<(), Unsuited> {
        match self.facts().needs {
            Needs::Auth if config.auth.is_off() => Err(Unsuited::Open(self)),
            Needs::NoLock if config.strategy == Strategy::Pessimistic => Err(Unsuited::Locked(self)),
            Needs::OwnKeys if !matches!(config.key_store, KeyStoreChoice::Same) => Err(Unsuited::KeysElsewhere(self)),
            Needs::Nothing | Needs::Auth | Needs::NoLock | Needs::OwnKeys => Ok(()),
        }
    }

    const fn facts(self) -> Facts {
        match self {
            Self::CheckThenSave => Facts {
                name: "check-then-save",
                mistake: "ETag compared in memory, then saved without a condition (the classic fake optimistic lock)",
                caught_as: &["lost-update"],
                shows: Shows::InAGap,
                needs: Needs::NoLock,
            },
            Self::IgnoreIfMatch => Facts {
                name: "ignore-if-match",
                mistake: "the header is never looked at",
                caught_as: &["stale-write-accepted"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::OptionalIfMatch => Facts {
                name: "optional-if-match",
                mistake: "absent If-Match is let through",
                caught_as: &["precondition-not-required"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::WeakCompare => Facts {
                name: "weak-compare",
                mistake: "W/\"x\" matches \"x\"",
                caught_as: &["weak-etag-accepted"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::EtagUnchanged => Facts {
                name: "etag-unchanged",
                mistake: "the ETag does not change when the order does",
                caught_as: &["etag-unchanged"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::EtagPerStatus => Facts {
                name: "etag-per-status",
                mistake: "the ETag is made of the status: V1 moves an order away and back, and an old tag matches again",
                caught_as: &["etag-reused"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::Stale412Applies => Facts {
                name: "stale-412-applies",
                mistake: "answers 412, and applies the change all the same",
                caught_as: &["rejected-but-applied"],
                shows: Shows::Anyway,
                needs: Needs::NoLock,
            },
            Self::Spurious412 => Facts {
                name: "spurious-412",
                mistake: "answers 412 to every fourth request with the current ETag",
                caught_as: &["spurious-412"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::IdempotencyCheckThenAct => Facts {
                name: "idempotency-check-then-act",
                mistake: "looks the key up, works, then stores it: two in flight both charge",
                caught_as: &["in-flight-duplicate"],
                shows: Shows::InAGap,
                needs: Needs::NoLock,
            },
            Self::IdempotencyMemoryPerReplica => Facts {
                name: "idempotency-memory-per-replica",
                mistake: "keys kept in process memory: gone after a restart, unknown to a second replica",
                caught_as: &["key-forgotten"],
                shows: Shows::Anyway,
                needs: Needs::OwnKeys,
            },
            Self::IdempotencyReplaysAnything => Facts {
                name: "idempotency-replays-anything",
                mistake: "same key with another payload gets the first answer",
                caught_as: &["key-reuse-accepted"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::IdempotencyKeyGlobal => Facts {
                name: "idempotency-key-global",
                mistake: "keys shared between principals: one gets the other's answer",
                caught_as: &["key-scope-leak"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::IdempotencyReplayDiffers => Facts {
                name: "idempotency-replay-differs",
                mistake: "the replay is rebuilt from today's order instead of stored",
                caught_as: &["replay-mismatch"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::IdempotencyStores412 => Facts {
                name: "idempotency-stores-412",
                mistake: "a 412 is stored and replayed for ever",
                caught_as: &["key-poisoned"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::DoubleCharge => Facts {
                name: "double-charge",
                mistake: "the ledger is charged before the state is checked",
                caught_as: &["duplicate-effect"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::TerminalResurrects => Facts {
                name: "terminal-resurrects",
                mistake: "an order that was cancelled or rejected can still be accepted",
                caught_as: &["resurrected-terminal"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::SkipsAState => Facts {
                name: "skips-a-state",
                mistake: "pickup is accepted from preparing",
                caught_as: &["illegal-transition"],
                shows: Shows::Anyway,
                needs: Needs::Nothing,
            },
            Self::WrongActor => Facts {
                name: "wrong-actor",
                mistake: "a rider may accept, a restaurant may cancel",
                caught_as: &["authorization-bypass"],
                shows: Shows::Anyway,
                needs: Needs::Auth,
            },
            Self::OthersOrders => Facts {
                name: "others-orders",
                mistake: "a customer may cancel another customer's order",
                caught_as: &["authorization-bypass"],
                shows: Shows::Anyway,
                needs: Needs::Auth,
            },
        }
    }
}

/// What there is to say about a defect.
struct Facts {
    name: &'static str,
    mistake: &'static str,
    caught_as: &'static [&'static str],
    shows: Shows,
    needs: Needs,
}

/// When a mistake shows.
enum Shows {
    /// If somebody comes between two of its steps.
    InAGap,
    /// Without a race, too.
    Anyway,
}

/// What a service must be like for a mistake to be one.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    /// It asks callers who they are.
    Auth,
    /// It does not lock what it judges: under a lock, nobody comes between.
    NoLock,
    /// It is not told where to keep idempotency keys.
    OwnKeys,
}

/// A defect makes no sense in a service like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsuited {
    /// Nobody is asked who they are.
    #[error(
        "{0} is a mistake about who may act, and with authentication off anyone may do anything: use it with --auth jwt"
    )]
    Open(Defect),
    /// What is judged is locked.
    #[error("{0} is a mistake of a service that takes no lock: use it with --strategy optimistic")]
    Locked(Defect),
    /// Idempotency keys are to be kept somewhere.
    #[error("{0} keeps idempotency keys in the process: use it with --idempotency-store same")]
    KeysElsewhere(Defect),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|defect| defect.name() == name).ok_or_else(|| UnknownDefect(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defect_is_found_by_its_name() {
        for defect in Defect::ALL {
            assert_eq!(defect.to_string().parse(), Ok(*defect));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let message = "off-by-one".parse::<Defect>().unwrap_err().to_string();
        for defect in Defect::ALL {
            assert!(message.contains(defect.name()), "{message}");
        }
    }
}
