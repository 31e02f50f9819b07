//! What is expected of every cell.

use std::fmt::Write as _;

use quickeats_bench::service::Defect;

/// A scenario, and the kinds that it may find: one of them at least.
type Cell = (&'static str, &'static [&'static str]);

/// A mistake, and where it shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The mistake.
    pub(crate) defect: Defect,
    /// The scenarios that find it, the telling one first: it gives the mistake the contract's name.
    pub(crate) found_by: &'static [Cell],
    /// Kinds that it may show in any other scenario too, as luck has it.
    pub(crate) elsewhere: &'static [&'static str],
}

impl Row {
    /// The scenario that gives the mistake the contract's name.
    pub(crate) fn telling_scenario(&self) -> &'static str {
        self.found_by[0].0
    }
}

const fn row(defect: Defect, found_by: &'static [Cell]) -> Row {
    Row { defect, found_by, elsewhere: &[] }
}

const LOST: &[&str] = &["lost-update"];
const TWICE: &[&str] = &["duplicate-effect"];
const REJECTED: &[&str] = &["rejected-but-applied"];
const IN_FLIGHT: &[&str] = &["in-flight-duplicate"];
const BYPASS: &[&str] = &["authorization-bypass"];
const GAP: &[&str] = &["version-gap"];
const ERROR: &[&str] = &["server-error"];

/// All mistakes, in the contract's order. What is not listed holds.
pub(crate) const ROWS: &[Row] = &[
    row(
        Defect::CheckThenSave,
        &[
            ("cancel-vs-accept", LOST),
            ("accept-vs-reject", LOST),
            ("pay-vs-cancel", LOST),
            ("double-pickup", LOST),
            ("double-click-payment", TWICE),
        ],
    ),
    row(
        Defect::IgnoreIfMatch,
        &[
            ("stale-write", &["stale-write-accepted"]),
            ("pay-vs-cancel", &["double-cas-win"]),
            ("weak-etag", &["weak-etag-accepted"]),
            ("away-and-back", &["stale-write-accepted", "double-cas-win"]),
            ("retry-after-412", &["stale-write-accepted"]),
        ],
    ),
    row(Defect::OptionalIfMatch, &[("missing-if-match", &["precondition-not-required"])]),
    row(Defect::WeakCompare, &[("weak-etag", &["weak-etag-accepted"])]),
    Row {
        defect: Defect::EtagUnchanged,
        found_by: &[("cancel-vs-accept", &["etag-unchanged"]), ("read-beside-write", &["etag-unchanged"])],
        elsewhere: &["etag-unchanged"],
    },
    row(Defect::EtagPerStatus, &[("away-and-back", &["etag-reused"])]),
    row(
        Defect::Stale412Applies,
        &[
            ("stale-write", REJECTED),
            ("pay-vs-cancel", REJECTED),
            ("weak-etag", REJECTED),
            ("away-and-back", REJECTED),
            ("retry-after-412", REJECTED),
        ],
    ),
    Row {
        defect: Defect::Spurious412,
        found_by: &[("read-beside-write", &["spurious-412"])],
        elsewhere: &["spurious-412", "key-poisoned", "no-winner"],
    },
    row(
        Defect::IdempotencyCheckThenAct,
        &[
            ("duplicate-payment", IN_FLIGHT),
            ("double-create", IN_FLIGHT),
            ("late-retry", IN_FLIGHT),
            ("key-reuse", TWICE),
        ],
    ),
    row(
        Defect::IdempotencyMemoryPerReplica,
        &[("double-create", &["key-forgotten"]), ("late-retry", &["replay-mismatch"])],
    ),
    row(Defect::IdempotencyReplaysAnything, &[("key-reuse", &["key-reuse-accepted"])]),
    row(Defect::IdempotencyKeyGlobal, &[("double-create", &["key-scope-leak"])]),
    row(Defect::IdempotencyReplayDiffers, &[("late-retry", &["replay-mismatch"])]),
    row(Defect::IdempotencyStores412, &[("retry-after-412", &["key-poisoned"])]),
    row(
        Defect::DoubleCharge,
        &[
            ("double-click-payment", TWICE),
            ("pay-vs-cancel", REJECTED),
            ("away-and-back", REJECTED),
            ("retry-after-412", &["in-flight-duplicate", "duplicate-effect"]),
        ],
    ),
    row(Defect::ChargeOutsideTransaction, &[("pay-vs-cancel", REJECTED), ("double-click-payment", TWICE)]),
    Row {
        defect: Defect::AckBeforeCommit,
        found_by: &[
            ("read-beside-write", &["stale-read"]),
            ("double-pickup", &["stale-read"]),
            ("crash", &["acknowledged-then-lost"]),
        ],
        elsewhere: &["stale-read", "acknowledged-then-lost", "lost-update", "duplicate-effect", "audit-mismatch"],
    },
    Row {
        defect: Defect::StaleReads,
        found_by: &[
            ("read-beside-write", &["stale-read", "non-monotonic-read"]),
            ("cancel-vs-accept", &["stale-read"]),
        ],
        elsewhere: &["stale-read", "non-monotonic-read", "no-winner", "acknowledged-then-lost"],
    },
    Row {
        defect: Defect::LostEvent,
        found_by: &[("cancel-vs-accept", &["audit-mismatch"]), ("read-beside-write", &["audit-mismatch"])],
        elsewhere: &["audit-mismatch"],
    },
    Row { defect: Defect::VersionSkips, found_by: &[("cancel-vs-accept", GAP)], elsewhere: GAP },
    row(Defect::TerminalResurrects, &[("act-on-cancelled", &["resurrected-terminal"])]),
    row(Defect::SkipsAState, &[("pickup-too-early", &["illegal-transition"])]),
    row(Defect::WrongActor, &[("wrong-role", BYPASS)]),
    row(Defect::OthersOrders, &[("others-order", BYPASS)]),
    Row {
        defect: Defect::ErrorAfterCommit,
        found_by: &[("cancel-vs-accept", ERROR), ("accept-vs-reject", ERROR), ("double-pickup", ERROR)],
        elsewhere: ERROR,
    },
    Row {
        defect: Defect::Deadlock,
        found_by: &[("cancel-vs-accept", &["server-error", "hang"])],
        elsewhere: &["server-error", "hang"],
    },
];

/// The grid as a table for the README.
pub(crate) fn markdown() -> String {
    let mut table = String::from("| defect | the mistake | found by |\n|---|---|---|");
    for row in ROWS {
        let _ = write!(table, "\n| `{}` | {} |", row.defect, row.defect.mistake());
        let mut before: &[&str] = &[];
        for (index, (scenario, kinds)) in row.found_by.iter().enumerate() {
            if *kinds == before {
                let _ = write!(table, ", `{scenario}`");
            } else {
                let comma = if index == 0 { "" } else { ";" };
                let _ = write!(table, "{comma} **{}** by `{scenario}`", kinds.join("** or **"));
            }
            before = kinds;
        }
        table.push_str(if row.elsewhere.is_empty() { " |" } else { " and others |" });
    }
    table
}
