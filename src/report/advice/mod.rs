//! What to do about a finding: for each kind, what usually causes it and what mends it. Plain data, for every format.
//!
//! Causes are what such findings have turned out to be on real servers, not what was seen in this run: a report says
//! "usually". Text in backticks is code.

mod effects;
mod idempotency;
mod preconditions;
mod reads;
mod updates;

use crate::check::Kind;

/// A hint for one kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What goes wrong, in a few words.
    pub title: &'static str,
    /// What usually causes it.
    pub cause: &'static str,
    /// What mends it.
    pub mend: &'static str,
    /// The same in SQL, where the database is what mends it.
    pub sql: Option<&'static str>,
    /// The same in one framework, where code is what mends it.
    pub framework: Option<Framework>,
}

/// An example in one framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framework {
    /// The framework's name.
    pub name: &'static str,
    /// What the code is written in, as blocks of code in Markdown name it.
    pub language: &'static str,
    /// The code.
    pub code: &'static str,
}

impl Advice {
    /// The examples: a heading, the language, the code.
    pub fn examples(self) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        let sql = self.sql.map(|code| ("SQL", "sql", code));
        let framework = self.framework.map(|Framework { name, language, code }| (name, language, code));
        sql.into_iter().chain(framework)
    }

    /// The hint for `kind`.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::LostUpdate => updates::LOST_UPDATE,
            Kind::DoubleCasWin => updates::DOUBLE_CAS_WIN,
            Kind::ContradictoryAcks => updates::CONTRADICTORY_ACKS,
            Kind::IllegalTransition => updates::ILLEGAL_TRANSITION,
            Kind::ResurrectedTerminal => updates::RESURRECTED_TERMINAL,
            Kind::RejectedButApplied => updates::REJECTED_BUT_APPLIED,
            Kind::VersionGap => updates::VERSION_GAP,
            Kind::StaleWriteAccepted => preconditions::STALE_WRITE_ACCEPTED,
            Kind::PreconditionNotRequired => preconditions::PRECONDITION_NOT_REQUIRED,
            Kind::WeakEtagAccepted => preconditions::WEAK_ETAG_ACCEPTED,
            Kind::EtagUnchanged => preconditions::ETAG_UNCHANGED,
            Kind::EtagReused => preconditions::ETAG_REUSED,
            Kind::Spurious412 => preconditions::SPURIOUS_412,
            Kind::NoWinner => preconditions::NO_WINNER,
            Kind::InFlightDuplicate => idempotency::IN_FLIGHT_DUPLICATE,
            Kind::KeyForgotten => idempotency::KEY_FORGOTTEN,
            Kind::KeyReuseAccepted => idempotency::KEY_REUSE_ACCEPTED,
            Kind::KeyScopeLeak => idempotency::KEY_SCOPE_LEAK,
            Kind::KeyPoisoned => idempotency::KEY_POISONED,
            Kind::ReplayMismatch => idempotency::REPLAY_MISMATCH,
            Kind::TornRead => reads::TORN_READ,
            Kind::DirtyRead => reads::DIRTY_READ,
            Kind::NonMonotonicRead => reads::NON_MONOTONIC_READ,
            Kind::StaleRead => reads::STALE_READ,
            Kind::AcknowledgedThenLost => reads::ACKNOWLEDGED_THEN_LOST,
            Kind::DuplicateEffect => effects::DUPLICATE_EFFECT,
            Kind::Oversell => effects::OVERSELL,
            Kind::AuditMismatch => effects::AUDIT_MISMATCH,
            Kind::Conservation => effects::CONSERVATION,
            Kind::AuthorizationBypass => effects::AUTHORIZATION_BYPASS,
            Kind::ServerError => effects::SERVER_ERROR,
            Kind::Hang => effects::HANG,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_hint_of_its_own_that_says_cause_and_mend() {
        let titles: BTreeSet<&str> = Kind::ALL.iter().map(|kind| Advice::of(*kind).title).collect();
        assert_eq!(titles.len(), Kind::ALL.len(), "{titles:?}");
        for kind in Kind::ALL {
            let Advice { title, cause, mend, .. } = Advice::of(kind);
            assert!(!title.ends_with('.') && title.len() < 70, "{kind}: {title}");
            assert!(cause.ends_with('.') && mend.ends_with('.'), "{kind}");
            assert!(cause.len() > 60 && mend.len() > 60, "{kind}");
        }
    }

    #[test]
    fn every_hint_shows_code_and_its_quoted_words_are_closed() {
        for kind in Kind::ALL {
            let advice = Advice::of(kind);
            assert!(advice.sql.is_some() || advice.framework.is_some(), "{kind}");
            for prose in [advice.cause, advice.mend] {
                assert_eq!(prose.matches('`').count() % 2, 0, "{kind}: {prose}");
            }
            for (_, _, code) in advice.examples() {
                assert!(code.lines().all(|line| line.chars().count() <= 96), "{kind}: {code}");
                assert!(code.starts_with(|first: char| !first.is_whitespace()) && !code.ends_with('\n'), "{kind}");
            }
        }
    }
}
