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
    /// Two requests with one idempotency key, in flight together, both did the work.
    InFlightDuplicate,
    /// One logical operation had two effects, or a resource more effects than it may have.
    DuplicateEffect,
    /// A definite refusal whose effect is visible.
    RejectedButApplied,
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
    /// A read showed older state than one already acknowledged.
    StaleRead,
    /// A refusal as stale although the token was the current one.
    #[serde(rename = "spurious-412")]
    Spurious412,
    /// Every contender was refused although all held the current token.
    NoWinner,
    /// Requests in a race were answered 5xx where the same requests alone were not.
    ServerError,
    /// Requests in a race were not answered where the same requests alone were.
    Hang,
}

impl Kind {
    /// All kinds that the judge can find.
    pub const ALL: [Self; 16] = [
        Self::InFlightDuplicate,
        Self::DuplicateEffect,
        Self::RejectedButApplied,
        Self::LostUpdate,
        Self::StaleWriteAccepted,
        Self::DoubleCasWin,
        Self::ContradictoryAcks,
        Self::PreconditionNotRequired,
        Self::WeakEtagAccepted,
        Self::IllegalTransition,
        Self::VersionGap,
        Self::StaleRead,
        Self::Spurious412,
        Self::NoWinner,
        Self::ServerError,
        Self::Hang,
    ];

    /// Its stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InFlightDuplicate => "in-flight-duplicate",
            Self::DuplicateEffect => "duplicate-effect",
            Self::RejectedButApplied => "rejected-but-applied",
            Self::LostUpdate => "lost-update",
            Self::StaleWriteAccepted => "stale-write-accepted",
            Self::DoubleCasWin => "double-cas-win",
            Self::ContradictoryAcks => "contradictory-acks",
            Self::PreconditionNotRequired => "precondition-not-required",
            Self::WeakEtagAccepted => "weak-etag-accepted",
            Self::IllegalTransition => "illegal-transition",
            Self::VersionGap => "version-gap",
            Self::StaleRead => "stale-read",
            Self::Spurious412 => "spurious-412",
            Self::NoWinner => "no-winner",
            Self::ServerError => "server-error",
            Self::Hang => "hang",
        }
    }

    /// How bad it is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::NoWinner | Self::ServerError | Self::Hang => Severity::Warning,
            Self::InFlightDuplicate
            | Self::DuplicateEffect
            | Self::RejectedButApplied
            | Self::LostUpdate
            | Self::StaleWriteAccepted
            | Self::DoubleCasWin
            | Self::ContradictoryAcks
            | Self::PreconditionNotRequired
            | Self::WeakEtagAccepted
            | Self::IllegalTransition
            | Self::VersionGap
            | Self::StaleRead
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
