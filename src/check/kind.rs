//! The kinds of finding, their severity, and which of them tells most.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of anomaly. Names are stable: they stand in reports and exit reasons.
///
/// Declared from the most telling to the least: when one round shows several, the first names its cause and the
/// others stand as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An action was done for a principal who may not do it.
    AuthorizationBypass,
    /// An idempotency key got one principal another one's answer.
    KeyScopeLeak,
    /// Two requests with one idempotency key, in flight together, both did the work.
    InFlightDuplicate,
    /// A later retry with the same idempotency key did the work again.
    KeyForgotten,
    /// A used idempotency key was accepted with another payload.
    KeyReuseAccepted,
    /// One logical operation had two effects, or a resource more effects than it may have.
    DuplicateEffect,
    /// More was acknowledged as taken (or added) than there was, or a number beyond its bounds was shown.
    Oversell,
    /// A definite refusal whose effect is visible.
    RejectedButApplied,
    /// The resource changed, and its strong version token did not.
    EtagUnchanged,
    /// A strong version token came back after another, for another representation.
    EtagReused,
    /// A resource left a terminal state.
    ResurrectedTerminal,
    /// An acknowledged write's effect is missing from the state that followed, though nothing legal removed it.
    LostUpdate,
    /// A write was accepted on a version token older than a change acknowledged before it began.
    StaleWriteAccepted,
    /// Two conditional writes with one strong token were both accepted.
    DoubleCasWin,
    /// Actions of which only one can happen were both acknowledged.
    ContradictoryAcks,
    /// An action without a precondition was accepted where the API requires one.
    PreconditionNotRequired,
    /// A weak version token was accepted as a precondition, which compares strongly.
    WeakEtagAccepted,
    /// A state followed another that the model does not allow.
    IllegalTransition,
    /// Acknowledged versions skip or repeat a number.
    VersionGap,
    /// A retry of a finished request got another answer than the one that was stored.
    ReplayMismatch,
    /// One reply mixes parts of two versions.
    TornRead,
    /// A read showed a write that was refused.
    DirtyRead,
    /// A client read a version, and then an older one.
    NonMonotonicRead,
    /// An acknowledged write never showed in any read after it.
    AcknowledgedThenLost,
    /// A read showed older state than one already acknowledged.
    StaleRead,
    /// The list of events or of effects does not account for what was acknowledged, or tells of more.
    AuditMismatch,
    /// The amounts in the ledger do not add up to those acknowledged.
    Conservation,
    /// A refusal as stale although the token was the current one.
    #[serde(rename = "spurious-412")]
    Spurious412,
    /// A passing refusal is replayed for its idempotency key for ever.
    KeyPoisoned,
    /// Every contender was refused although all held the current token.
    NoWinner,
    /// Requests in a race were answered 5xx where the same requests alone were not.
    ServerError,
    /// Requests in a race were not answered where the same requests alone were.
    Hang,
}

impl Kind {
    /// All kinds that the judge can find.
    pub const ALL: [Self; 32] = [
        Self::AuthorizationBypass,
        Self::KeyScopeLeak,
        Self::InFlightDuplicate,
        Self::KeyForgotten,
        Self::KeyReuseAccepted,
        Self::DuplicateEffect,
        Self::Oversell,
        Self::RejectedButApplied,
        Self::EtagUnchanged,
        Self::EtagReused,
        Self::ResurrectedTerminal,
        Self::LostUpdate,
        Self::StaleWriteAccepted,
        Self::DoubleCasWin,
        Self::ContradictoryAcks,
        Self::PreconditionNotRequired,
        Self::WeakEtagAccepted,
        Self::IllegalTransition,
        Self::VersionGap,
        Self::ReplayMismatch,
        Self::TornRead,
        Self::DirtyRead,
        Self::NonMonotonicRead,
        Self::AcknowledgedThenLost,
        Self::StaleRead,
        Self::AuditMismatch,
        Self::Conservation,
        Self::Spurious412,
        Self::KeyPoisoned,
        Self::NoWinner,
        Self::ServerError,
        Self::Hang,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationBypass => "authorization-bypass",
            Self::KeyScopeLeak => "key-scope-leak",
            Self::InFlightDuplicate => "in-flight-duplicate",
            Self::KeyForgotten => "key-forgotten",
            Self::KeyReuseAccepted => "key-reuse-accepted",
            Self::DuplicateEffect => "duplicate-effect",
            Self::Oversell => "oversell",
            Self::RejectedButApplied => "rejected-but-applied",
            Self::EtagUnchanged => "etag-unchanged",
            Self::EtagReused => "etag-reused",
            Self::ResurrectedTerminal => "resurrected-terminal",
            Self::LostUpdate => "lost-update",
            Self::StaleWriteAccepted => "stale-write-accepted",
            Self::DoubleCasWin => "double-cas-win",
            Self::ContradictoryAcks => "contradictory-acks",
            Self::PreconditionNotRequired => "precondition-not-required",
            Self::WeakEtagAccepted => "weak-etag-accepted",
            Self::IllegalTransition => "illegal-transition",
            Self::VersionGap => "version-gap",
            Self::ReplayMismatch => "replay-mismatch",
            Self::TornRead => "torn-read",
            Self::DirtyRead => "dirty-read",
            Self::NonMonotonicRead => "non-monotonic-read",
            Self::AcknowledgedThenLost => "acknowledged-then-lost",
            Self::StaleRead => "stale-read",
            Self::AuditMismatch => "audit-mismatch",
            Self::Conservation => "conservation",
            Self::Spurious412 => "spurious-412",
            Self::KeyPoisoned => "key-poisoned",
            Self::NoWinner => "no-winner",
            Self::ServerError => "server-error",
            Self::Hang => "hang",
        }
    }

    /// How bad it is, unless the API description promises less.
    pub const fn severity(self) -> Severity {
        match self {
            Self::KeyPoisoned | Self::NoWinner | Self::ServerError | Self::Hang => Severity::Warning,
            Self::AuthorizationBypass
            | Self::KeyScopeLeak
            | Self::InFlightDuplicate
            | Self::KeyForgotten
            | Self::KeyReuseAccepted
            | Self::DuplicateEffect
            | Self::Oversell
            | Self::RejectedButApplied
            | Self::EtagUnchanged
            | Self::EtagReused
            | Self::ResurrectedTerminal
            | Self::LostUpdate
            | Self::StaleWriteAccepted
            | Self::DoubleCasWin
            | Self::ContradictoryAcks
            | Self::PreconditionNotRequired
            | Self::WeakEtagAccepted
            | Self::IllegalTransition
            | Self::VersionGap
            | Self::ReplayMismatch
            | Self::TornRead
            | Self::DirtyRead
            | Self::NonMonotonicRead
            | Self::AcknowledgedThenLost
            | Self::StaleRead
            | Self::AuditMismatch
            | Self::Conservation
            | Self::Spurious412 => Severity::Violation,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How bad a finding is. Warnings are below violations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; fails a run only with `--fail-on warning`.
    Warning,
    /// The server broke its contract.
    Violation,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Violation => "violation",
        })
    }
}

/// What a scenario, or a run, comes to. Later outranks earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing wrong was seen, and enough was seen to say so.
    Holds,
    /// Nothing relevant was seen, or the judge could not decide.
    Inconclusive,
    /// The server broke its contract, and the witness shows how.
    Violated,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Inconclusive => "inconclusive",
            Self::Violated => "violated",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_files_is_the_name_on_screen() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn violated_outranks_inconclusive_outranks_holds() {
        assert!(Verdict::Violated > Verdict::Inconclusive && Verdict::Inconclusive > Verdict::Holds);
    }
}
