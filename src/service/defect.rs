//! The mistakes that the service makes on request, by name. How each is made stands in [`defects`](super::defects).

use std::fmt;
use std::str::FromStr;

/// A deliberate mistake: one that real services make, and that leaves everything else right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Defect {
    /// The `ETag` is compared in memory, then the order is saved without a condition.
    CheckThenSave,
    /// What `If-Match` says is never looked at.
    IgnoreIfMatch,
    /// The idempotency key is looked up, the work is done, and then the answer is stored.
    IdempotencyCheckThenAct,
    /// The ledger is charged before the order's state is checked.
    DoubleCharge,
    /// A request without `If-Match` is let through.
    OptionalIfMatch,
    /// The answer is 412, and the change is applied all the same.
    Stale412Applies,
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
        Self::Stale412Applies,
        Self::IdempotencyCheckThenAct,
        Self::DoubleCharge,
    ];

    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckThenSave => "check-then-save",
            Self::IgnoreIfMatch => "ignore-if-match",
            Self::IdempotencyCheckThenAct => "idempotency-check-then-act",
            Self::DoubleCharge => "double-charge",
            Self::OptionalIfMatch => "optional-if-match",
            Self::Stale412Applies => "stale-412-applies",
        }
    }

    /// What the service does wrong, in one line.
    pub const fn mistake(self) -> &'static str {
        match self {
            Self::CheckThenSave => {
                "ETag compared in memory, then saved without a condition (the classic fake optimistic lock)"
            }
            Self::IgnoreIfMatch => "the header is never looked at",
            Self::IdempotencyCheckThenAct => "looks the key up, works, then stores it: two in flight both charge",
            Self::DoubleCharge => "the ledger is charged before the state is checked",
            Self::OptionalIfMatch => "absent If-Match is let through",
            Self::Stale412Applies => "answers 412, and applies the change all the same",
        }
    }

    /// The kinds of finding that give the mistake away, the telling one first.
    pub const fn caught_as(self) -> &'static [&'static str] {
        match self {
            Self::CheckThenSave => &["lost-update"],
            Self::IgnoreIfMatch => &["stale-write-accepted"],
            Self::IdempotencyCheckThenAct => &["in-flight-duplicate"],
            Self::DoubleCharge => &["duplicate-effect"],
            Self::OptionalIfMatch => &["precondition-not-required"],
            Self::Stale412Applies => &["rejected-but-applied"],
        }
    }

    /// Whether there is a gap between check and act, for [`defect_window`](super::ServiceConfig::defect_window) to
    /// widen. The others show without a race.
    pub const fn has_window(self) -> bool {
        match self {
            Self::CheckThenSave | Self::IdempotencyCheckThenAct => true,
            Self::IgnoreIfMatch | Self::DoubleCharge | Self::OptionalIfMatch | Self::Stale412Applies => false,
        }
    }
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
