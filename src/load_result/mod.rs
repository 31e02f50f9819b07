//! The result of a load as plain data: what reports are rendered from, and what `load.json` holds.
//!
//! Versioned; its JSON Schema stands in `reports/load.schema.json`, kept true by a test. Histograms are part of it, in the compressed V2
//! encoding of `HdrHistogram`, so that the results of several processes can be added up exactly.

mod add;
mod build;
mod clocks;
mod limits;
mod live;
mod snapshot;
mod strategies;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Severity, Verdict};
use crate::measure::Slots;
use crate::run_result::{Rerun, ScenarioResult, TargetInfo};
use crate::traffic::Shape;
pub use add::NotAdded;
pub use build::{MOST_LAG, Measured, PERCENTILES, Second};
pub use clocks::{Alignment, ClockInfo, MachineInfo, Unaligned};
pub use limits::judge_limits;
pub use live::{LoadEvent, LoadObserver, Unobserved};
pub use snapshot::{JudgedSoFar, Snapshot};
pub use strategies::{Cell, CellLoad, STRATEGIES_SCHEMA, Strategies, strategies_schema};

/// The version of the format.
pub const SCHEMA: &str = "quickeats-bench/load@1";

/// A whole load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadResult {
    /// Always `quickeats-bench/load@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The name of the load's folder.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The seed that repeats its choices.
    pub seed: u64,
    /// What was asked for.
    pub plan: PlanInfo,
    /// What was loaded.
    pub target: TargetInfo,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why it ended before its time, if it did.
    pub stopped: Option<String>,
    /// What the judge says; null where nothing was judged.
    pub verdict: Option<Verdict>,
    /// The severity from which on a finding makes the verdict `violated`.
    pub fail_on: Severity,
    /// The process's exit code.
    pub exit_code: u8,
    /// What to say to make the same load again.
    pub rerun: Option<Rerun>,
    /// How long was measured: from the end of the warm-up to the last answer.
    pub measured_ms: u64,
    /// What became of the slots in which requests were to begin, after the warm-up.
    pub slots: Slots,
    /// The same during the warm-up, which no other figure counts.
    pub warm_up: Slots,
    /// In a second, on average.
    pub rates: Rates,
    /// All requests together.
    pub all: RequestFigures,
    /// Each kind of request, those that were sent.
    pub requests: Vec<RequestFigures>,
    /// Answers by status.
    pub status_counts: BTreeMap<u16, u64>,
    /// Conditional requests by how many requests were under way for their resource.
    pub contention: Vec<Contention>,
    /// Changes to resources that all clients act on, by how often they were tried until they were done: once, twice … The last counts
    /// more tries, too.
    pub done_after_tries: Vec<u64>,
    /// Changes that were given up, refused as stale each time.
    pub given_up: u64,
    /// How evenly clients got done what they asked for.
    pub fairness: Option<Fairness>,
    /// How much each of them got done.
    #[serde(default)]
    pub done_by_client: Vec<u64>,
    /// How well the load itself kept up.
    pub generator: Generator,
    /// Second by second, from the beginning; longer loads in longer steps.
    pub seconds: Vec<Second>,
    /// Limits that were asked for, and whether they were kept.
    pub thresholds: Vec<LimitResult>,
    /// What was judged; null where nothing was.
    pub judged: Option<Judged>,
    /// What places this process's stamps among those of others; null where it is none of several.
    #[serde(default)]
    pub clock: Option<ClockInfo>,
    /// The shards that this was merged of; null where it is the load of one process.
    #[serde(default)]
    pub merged: Option<Merged>,
}

/// What a load was merged of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merged {
    /// Of how many shards.
    pub of: u32,
    /// Those that are in it.
    pub shards: Vec<MergedShard>,
    /// Those that are not, from 1.
    pub missing: Vec<u32>,
    /// Whether all were of one machine, whose clock they have in common.
    pub one_machine: bool,
    /// By how much windows were widened to each side, at most, in microseconds: what is not known of the clocks.
    pub widened_us: f64,
    /// Resources that several shards acted on: judged here for the first time.
    pub joint_rounds: u64,
}

/// A shard of a merged load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergedShard {
    /// Which one, from 1.
    pub index: u32,
    /// The name of its folder.
    pub run_id: String,
    /// What it loaded.
    pub target: String,
    /// How much later than the first of them it began, in milliseconds.
    pub late_ms: u64,
    /// Requests that were sent after the warm-up.
    pub sent: u64,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanInfo {
    /// The API description's name; null where one path was read.
    pub api: Option<String>,
    /// The traffic's name, or the request that was sent over and over.
    pub traffic: String,
    /// How requests were offered.
    pub shape: Shape,
    /// How many clients this process had.
    pub clients: u32,
    /// On how many threads.
    pub threads: u32,
    /// The time of a closed load; null if it had none.
    pub duration_ms: Option<u64>,
    /// The most requests of this process; null for as many as fit.
    pub requests: Option<u64>,
    /// What began before this was left out of the figures.
    pub warm_up_ms: u64,
    /// The limit for one request, and for a slot to begin.
    pub timeout_ms: u64,
    /// The share of requests to resources that all clients act on.
    pub hot_share: f64,
    /// Which part of a larger load this was, from 1; null if it was all of it.
    pub shard: Option<Shard>,
    /// When it was to begin: RFC 3339, UTC; null for at once.
    #[serde(default)]
    pub start_at: Option<String>,
    /// What the resources follow from that all shards act on, as a digest: theirs agree; null where there are none.
    #[serde(default)]
    pub joint: Option<String>,
}

/// A part of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u32,
    /// Of so many.
    pub of: u32,
}

/// In a second, on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Requests that were to be sent.
    pub offered: f64,
    /// Requests that were answered.
    pub answered: f64,
    /// Operations that did what they asked for, on resources whose whole history is lawful; null where nothing was judged.
    pub goodput: Option<f64>,
}

/// What was measured of one kind of request, or of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestFigures {
    /// What it asks for.
    pub name: String,
    /// Requests that were sent.
    pub sent: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those that did what they asked for.
    pub achieved: u64,
    /// Those of which no byte left.
    pub failed: u64,
    /// Those that may have taken effect.
    pub unknown: u64,
    /// Those that count as errors: without an answer, or with 5xx; where nothing is judged, with 4xx, too.
    #[serde(default)]
    pub errors: u64,
    /// Those of them that ran into the time limit. They count in the times with as long as they were waited for.
    pub timed_out: u64,
    /// Those that were conditional on a version token.
    pub conditional: u64,
    /// Those of them that were refused as stale.
    pub stale: u64,
    /// Their share; null without any.
    pub rate_412: Option<f64>,
    /// The share that was not answered, or with 5xx; null without any.
    pub error_rate: Option<f64>,
    /// From when it was meant to begin to the last byte of its answer.
    pub from_intended: Times,
    /// From when it began to the last byte of its answer.
    pub from_actual: Times,
}

/// Times, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean_us: f64,
    /// The longest.
    pub max_us: f64,
    /// What such a share of them does not exceed.
    pub percentiles: Vec<Percentile>,
    /// All of them: an HDR histogram in nanoseconds, in compressed V2 encoding and Base64.
    pub histogram: String,
}

/// A percentile, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Percentile {
    /// Which one: 50, 99.9 …
    pub percent: f64,
    /// Its value.
    pub us: f64,
    /// Between which values it lies at 95 % confidence, if requests are independent; null where there are too few of them to say.
    pub interval_us: Option<(f64, f64)>,
}

/// Conditional requests that began with so many requests under way for their resource.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contention {
    /// How many, itself included; the last stands for more, too.
    pub abreast: u64,
    /// Conditional requests.
    pub conditional: u64,
    /// Those refused as stale.
    pub stale: u64,
    /// Their share.
    pub rate_412: f64,
}

/// How evenly clients got done what they asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    /// Jain's index: 1 if all got the same, 1/n if one got it all.
    pub jain: f64,
    /// Requests of the client that got least.
    pub least: u64,
    /// Requests of the client that got most.
    pub most: u64,
}

/// How well the load itself kept up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generator {
    /// How late its threads were when they were to do something at a moment.
    pub lag: Times,
    /// The share of its time that the busiest thread was at work; null where the system does not tell.
    pub busiest: Option<f64>,
    /// Why times are not to be believed; empty if they are.
    pub void: Vec<String>,
}

/// A limit that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitResult {
    /// As written: `p95<50ms`.
    pub threshold: String,
    /// What was measured, in the limit's unit (seconds, a share, or in a second); null if nothing was.
    pub measured: Option<f64>,
    /// The same in words.
    pub shown: String,
    /// Whether it was crossed. What was not measured was not kept.
    pub crossed: bool,
}

/// What was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// Operations.
    pub operations: u64,
    /// Those that did what they asked for, on resources whose whole history is lawful, after the warm-up.
    pub good: u64,
    /// Those on resources with a violation.
    pub tainted: u64,
    /// Resources with a violation.
    #[serde(default)]
    pub violated: u64,
    /// Those operations that had to wait in a file for the judge.
    pub spilled: u64,
    /// Those on resources that other shards act on, too: saved, and left for `merge` to judge. No other count here has them.
    #[serde(default)]
    pub left_to_merge: u64,
    /// Rounds (resources), findings, doubts: as of a scenario.
    pub scenario: ScenarioResult,
}

/// The JSON Schema of `load.json`, as it is committed under `reports/`.
pub fn schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(LoadResult)).expect("a schema is plain data");
    text.push('\n');
    text
}
