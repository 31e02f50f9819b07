//! The acts: what each races, and what is to come of it.

use std::fmt;
use std::str::FromStr;

use super::race::Raced;
use crate::check::{Kind, Verdict};
use crate::service::Defect;

/// One act of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// V1: the last write wins.
    PutStatus,
    /// V2 with a lock that compares, and then saves.
    FakeLock,
    /// V2 as it should be.
    ConditionalUpdate,
    /// A key that is looked up, and stored after the charge.
    KeyLookedUp,
    /// A key that is claimed before the charge.
    KeyClaimed,
}

impl Act {
    /// All, in the order of the story.
    pub const ALL: [Self; 5] =
        [Self::PutStatus, Self::FakeLock, Self::ConditionalUpdate, Self::KeyLookedUp, Self::KeyClaimed];

    /// The name for `--step`, and in the files of texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PutStatus => "put-status",
            Self::FakeLock => "fake-lock",
            Self::ConditionalUpdate => "conditional-update",
            Self::KeyLookedUp => "key-looked-up",
            Self::KeyClaimed => "key-claimed",
        }
    }

    /// What it is about, for help texts.
    pub const fn means(self) -> &'static str {
        match self {
            Self::PutStatus => "PUT a status, the last write wins",
            Self::FakeLock => "the ETag is compared, and then the order is saved",
            Self::ConditionalUpdate => "one conditional UPDATE: the loser hears 412",
            Self::KeyLookedUp => "a payment is sent twice, its key is looked up and stored after the charge",
            Self::KeyClaimed => "a payment is sent twice, its key is claimed before the charge",
        }
    }

    pub(super) const fn api(self) -> &'static str {
        match self {
            Self::PutStatus => "quickeats-v1",
            Self::FakeLock | Self::ConditionalUpdate | Self::KeyLookedUp | Self::KeyClaimed => "quickeats-v2",
        }
    }

    pub(super) const fn scenario(self) -> &'static str {
        match self {
            Self::PutStatus => "v1-cancel-vs-accept",
            Self::FakeLock | Self::ConditionalUpdate => "cancel-vs-accept",
            Self::KeyLookedUp | Self::KeyClaimed => "duplicate-payment",
        }
    }

    pub(super) const fn defect(self) -> Option<Defect> {
        match self {
            Self::FakeLock => Some(Defect::CheckThenSave),
            Self::KeyLookedUp => Some(Defect::IdempotencyCheckThenAct),
            Self::PutStatus | Self::ConditionalUpdate | Self::KeyClaimed => None,
        }
    }

    /// What is to be found; none: it is to hold.
    pub(super) const fn finds(self) -> Option<Kind> {
        match self {
            Self::PutStatus | Self::FakeLock => Some(Kind::LostUpdate),
            Self::KeyLookedUp => Some(Kind::InFlightDuplicate),
            Self::ConditionalUpdate | Self::KeyClaimed => None,
        }
    }

    /// Whether a race showed what the act is about.
    pub(super) fn came_true(self, raced: &Raced) -> bool {
        match self.finds() {
            Some(_) => raced.finding(self).is_some(),
            None => raced.result.verdict == Verdict::Holds,
        }
    }

    /// What to type to see the same without the story.
    pub(super) fn command(self) -> String {
        let mut command = "quickeats-bench race".to_owned();
        if let Some(defect) = self.defect() {
            command = format!("{command} --defect {defect}");
        }
        format!("{command} {}", self.scenario())
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Act {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|act| act.name() == name).ok_or_else(|| format!("`{name}` is no act of the demo"))
    }
}
