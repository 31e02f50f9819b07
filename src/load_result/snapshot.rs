//! A load under way, once a second: what a dashboard shows, and a metrics endpoint serves.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{LimitResult, Second};
use crate::check::Kind;
use crate::measure::{Slots, Spans};

/// A load under way.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// How long it has lasted.
    pub elapsed: Duration,
    /// How long it is to last, if that is known.
    pub total: Option<Duration>,
    /// The last second that is complete.
    pub last: Second,
    /// What became of slots since the warm-up.
    pub slots: Slots,
    /// The same during the warm-up.
    pub warm_up: Slots,
    /// Answers by status, since the warm-up.
    pub statuses: BTreeMap<u16, u64>,
    /// Times from when requests were meant to begin, since the warm-up.
    pub from_intended: Spans,
    /// Times from when they began.
    pub from_actual: Spans,
    /// Conditional requests since the warm-up.
    pub conditional: u64,
    /// Those refused as stale.
    pub stale: u64,
    /// How late the load's threads were.
    pub lag: Spans,
    /// What the judge says; `None` where nothing is judged.
    pub judged: Option<JudgedSoFar>,
    /// Limits, and how they stand.
    pub thresholds: Vec<LimitResult>,
}

/// What the judge says so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedSoFar {
    /// Resources.
    pub rounds: u64,
    /// Operations on them.
    pub operations: u64,
    /// Operations that are correct, after the warm-up.
    pub good: u64,
    /// Operations on resources with a violation.
    pub tainted: u64,
    /// Those of them that would have been correct elsewhere, after the warm-up.
    pub spoilt: u64,
    /// Resources with a violation.
    pub violated: u64,
    /// The kinds of finding, warnings included.
    pub kinds: Vec<Kind>,
    /// The first finding of each kind, in words, in the order they came.
    pub sentences: Vec<(Kind, String)>,
    /// Operations that had to wait in a file.
    pub spilled: u64,
}
