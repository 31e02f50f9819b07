//! The mistakes that the service makes on request, by name. How each is made stands in [`defects`](super::defects).

use std::fmt;
use std::str::FromStr;

mod facts;

use super::ServiceConfig;
use super::stores::KeyStoreChoice;
use super::strategy::Strategy;
use facts::Needs;

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
    /// An order keeps its first `ETag`, whoever changes it, V1 included.
    EtagUnchanged,
    /// The `ETag` is made of the order's id and status, which V1 can bring back.
    EtagPerStatus,
    /// The answer is 412, and the change is applied all the same.
    Stale412Applies,
    /// Every fourth request of a process that names the current `ETag` is refused as stale.
    Spurious412,
    /// The idempotency key is looked up, the work is done, and then the answer is stored.
    IdempotencyCheckThenAct,
    /// Idempotency keys are kept in the process's memory. Shows after a restart, or with a second replica.
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
    /// The charge is committed on its own once the order has been judged, and stays if the order's write is refused.
    ChargeOutsideTransaction,
    /// The answer is given, and what it tells of is committed a few milliseconds later.
    AckBeforeCommit,
    /// `GET` of one order is answered from the process's cache, which lags behind by up to 50 ms.
    StaleReads,
    /// Every third transition of a process is applied without its event.
    LostEvent,
    /// Numbers of versions are drawn from a counter, also by those who then lose the race.
    VersionSkips,
    /// A cancelled or rejected order can be accepted.
    TerminalResurrects,
    /// An order can be picked up while it is prepared.
    SkipsAState,
    /// A rider may accept, and a restaurant may cancel. Shows only where callers must prove who they are.
    WrongActor,
    /// A customer may cancel another customer's order. Shows only where callers must prove who they are.
    OthersOrders,
    /// An action that was not alone with its order is committed, and answered 500.
    ErrorAfterCommit,
    /// Customers and riders lock the order and then its restaurant, restaurants the other way round. Locks whatever the
    /// strategy is.
    Deadlock,
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
        Self::ChargeOutsideTransaction,
        Self::AckBeforeCommit,
        Self::StaleReads,
        Self::LostEvent,
        Self::VersionSkips,
        Self::TerminalResurrects,
        Self::SkipsAState,
        Self::WrongActor,
        Self::OthersOrders,
        Self::ErrorAfterCommit,
        Self::Deadlock,
    ];

    /// Whether a service like this can make the mistake.
    pub(super) fn suits(self, config: &ServiceConfig) -> Result<(), Unsuited> {
        match self.needs() {
            Needs::Auth if config.auth.is_off() => Err(Unsuited::Open(self)),
            Needs::NoLock if config.strategy == Strategy::Pessimistic => Err(Unsuited::Locked(self)),
            Needs::OwnKeys if !matches!(config.key_store, KeyStoreChoice::Same) => Err(Unsuited::KeysElsewhere(self)),
            Needs::Nothing | Needs::Auth | Needs::NoLock | Needs::OwnKeys => Ok(()),
        }
    }
}

/// Something that is asked for makes no sense in a service like this.
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
    /// Orders or keys are kept where nothing is forgotten.
    #[error(
        "a retention is for orders in memory with their keys: what a database or Redis keeps is not forgotten; use it with --store memory and --idempotency-store same"
    )]
    KeptElsewhere,
    /// Orders would be forgotten as they are placed.
    #[error("a retention must be longer than nothing")]
    NoTime,
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
