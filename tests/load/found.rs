//! Each mistake of the catalog that a load can provoke is found by one, and a sound service is not blamed.

use quickeats_bench::check::{Kind, Verdict};

use super::{Tool, assert_adds_up};

/// The mistake, and one of the kinds that name it. (What a load cannot provoke: forgetting keys takes a restart or a second replica, and
/// a tag made of the status takes version 1 of the API.)
const FOUND: &[(&str, &[Kind])] = &[
    ("check-then-save", &[Kind::LostUpdate]),
    ("ignore-if-match", &[Kind::StaleWriteAccepted, Kind::DoubleCasWin]),
    ("optional-if-match", &[Kind::PreconditionNotRequired]),
    ("weak-compare", &[Kind::WeakEtagAccepted]),
    ("etag-unchanged", &[Kind::EtagUnchanged]),
    ("stale-412-applies", &[Kind::RejectedButApplied]),
    ("spurious-412", &[Kind::Spurious412]),
    ("idempotency-check-then-act", &[Kind::InFlightDuplicate]),
    ("idempotency-replays-anything", &[Kind::KeyReuseAccepted]),
    ("idempotency-key-global", &[Kind::KeyScopeLeak]),
    ("idempotency-replay-differs", &[Kind::ReplayMismatch]),
    ("double-charge", &[Kind::DuplicateEffect]),
    ("charge-outside-transaction", &[Kind::RejectedButApplied]),
    ("ack-before-commit", &[Kind::StaleRead, Kind::AcknowledgedThenLost]),
    ("stale-reads", &[Kind::StaleRead, Kind::NonMonotonicRead]),
    ("lost-event", &[Kind::AuditMismatch]),
    ("version-skips", &[Kind::VersionGap]),
    ("terminal-resurrects", &[Kind::ResurrectedTerminal]),
    ("skips-a-state", &[Kind::IllegalTransition]),
    ("wrong-actor", &[Kind::AuthorizationBypass]),
    ("others-orders", &[Kind::AuthorizationBypass]),
];

/// Those that are warnings.
const WARNED: &[(&str, &[Kind])] = &[
    ("idempotency-stores-412", &[Kind::KeyPoisoned]),
    ("deadlock", &[Kind::ServerError, Kind::Hang]),
    ("error-after-commit", &[Kind::ServerError]),
];

#[track_caller]
fn assert_found(defect: &str, kinds: &[Kind], fail_on: &str) {
    let tool = Tool::new();
    let result = tool.load(
        &[
            "--defect",
            defect,
            "--seed",
            "7",
            "--clients",
            "16",
            "--hot",
            "30%",
            "--requests",
            "5000",
            "--fail-on",
            fail_on,
        ],
        1,
    );
    assert_adds_up(&result);
    let judged = result.judged.as_ref().unwrap();
    let findings = &judged.scenario.findings;
    let found: Vec<Kind> =
        findings.iter().flat_map(|finding| [finding.kind].into_iter().chain(finding.also.clone())).collect();
    assert!(found.iter().any(|kind| kinds.contains(kind)), "{defect}: {found:?}");
    assert_eq!(result.verdict, Some(Verdict::Violated));
    assert!(judged.scenario.findings.iter().all(|finding| !finding.witness.is_empty()), "{defect}");
}

#[test]
fn each_mistake_that_a_load_can_provoke_is_found() {
    for (defect, kinds) in FOUND {
        assert_found(defect, kinds, "violation");
    }
}

#[test]
fn each_warning_that_a_load_can_provoke_is_given() {
    for (defect, kinds) in WARNED {
        assert_found(defect, kinds, "warning");
    }
}

#[test]
fn the_sound_service_is_not_blamed_whatever_the_contention_and_the_strategy() {
    for (hot, strategy) in [("0.5%", "optimistic"), ("30%", "optimistic"), ("90%", "pessimistic")] {
        let tool = Tool::new();
        let seed = if hot == "30%" { "11" } else { "7" };
        let result = tool.load(
            &[
                "--seed",
                seed,
                "--clients",
                "16",
                "--hot",
                hot,
                "--strategy",
                strategy,
                "--requests",
                "5000",
                "--fail-on",
                "warning",
            ],
            0,
        );
        assert_adds_up(&result);
        let judged = result.judged.as_ref().unwrap();
        assert_eq!(judged.scenario.findings, []);
        assert!(judged.scenario.trials > 0 && judged.operations >= 2_900, "{}", judged.operations);
        assert!(result.rates.goodput.unwrap() > 0.0);
    }
}
