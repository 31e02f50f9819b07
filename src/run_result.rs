//! The result of a run as plain data: what reports are rendered from, and what `run.json` holds.
//!
//! Versioned; its JSON Schema stands in `reports/run.schema.json`, kept true by a test. Names of fields are part of
//! the product: a change of any changes [`SCHEMA`].

mod build;
mod extent;
mod finding;
mod ledger;
mod rerun;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Severity, Verdict};
pub use crate::history::Method;
use crate::measure::Quantiles;
pub use crate::measure::{Bin, Bucket};
pub use crate::target::Delivery;
pub use build::ScenarioFacts;
pub use extent::ExtentInfo;
pub use finding::{FindingResult, LawfulOrder, RoundStory, WitnessLine};
pub use ledger::Ledger;
pub use rerun::Rerun;

/// The version of the format.
pub const SCHEMA: &str = "quickeats-bench/run@1";

/// Why the process ends as it does: the documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything holds.
    Holds,
    /// A violation was found (or a warning, with `--fail-on warning`).
    Violated,
    /// The command line, or a file it names, is wrong.
    Usage,
    /// Too little was seen to say that it holds.
    Inconclusive,
    /// The target cannot be raced, or stopped answering.
    TargetUnusable,
    /// A threshold was crossed.
    Threshold,
    /// Interrupted; what was seen is judged and reported.
    Interrupted,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Violated => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::TargetUnusable => 4,
            Self::Threshold => 5,
            Self::Interrupted => 130,
        }
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    /// Always `quickeats-bench/run@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The name of the run's folder.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    /// How long it took.
    pub duration_ms: u64,
    /// The seed that repeats its choices.
    pub seed: u64,
    /// The API description's name.
    pub api: String,
    /// What was raced.
    pub target: TargetInfo,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// How long it was to race; null in runs of versions that did not say.
    #[serde(default)]
    pub extent: Option<ExtentInfo>,
    /// Which methods of delivery it was to use; which it used stands with each scenario. Runs of versions that knew no `auto`
    /// used `head` where they do not say.
    #[serde(default)]
    pub delivery: Delivery,
    /// The severity from which on a finding makes a verdict `violated`.
    pub fail_on: Severity,
    /// The worst of its scenarios' verdicts.
    pub verdict: Verdict,
    /// The process's exit code.
    pub exit_code: u8,
    /// What to say to race the same again; null in runs of versions that did not say.
    #[serde(default)]
    pub rerun: Option<Rerun>,
    /// All scenarios added up.
    pub totals: Totals,
    /// Limits that were asked for, and whether they were kept.
    pub thresholds: Vec<ThresholdResult>,
    /// Scenario by scenario.
    pub scenarios: Vec<ScenarioResult>,
}

/// What was raced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetInfo {
    /// Its URL.
    pub url: String,
    /// Whose process it is.
    pub kind: TargetKind,
    /// The defect that was switched on in the reference service.
    pub defect: Option<String>,
    /// The reference service's set-up, if that is what was raced.
    pub service: Option<ServiceInfo>,
}

/// How the reference service was set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInfo {
    /// Where it kept its orders: `memory`, `sqlite:PATH`, or a `postgres://` URL without its password.
    pub store: String,
    /// Where it kept idempotency keys: `same`, or a `redis://` URL without its password.
    pub idempotency_store: String,
    /// How it kept contenders for one order apart: `optimistic` or `pessimistic`.
    pub strategy: String,
    /// How long its actions took before they reached the store: `500ms` all of them, `acceptance=3ms` one; none, not at all.
    #[serde(default)]
    pub latency: Vec<String>,
}

/// Whose process the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// The reference service, in this process: it shares the machine's cores with the harness.
    InProcess,
    /// A server at a URL.
    Remote,
}

/// Answers by what is known of them. The three add up to the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeCounts {
    /// Complete answers, refusals included.
    pub answered: u64,
    /// Certainly without effect.
    pub not_sent: u64,
    /// May have taken effect.
    pub unknown: u64,
}

/// Microseconds between the first and the last release of a volley.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skew {
    /// Half of the volleys are at or below.
    pub p50: u64,
    /// 95 % are at or below.
    pub p95: u64,
    /// The largest.
    pub max: u64,
}

impl From<Quantiles> for Skew {
    fn from(quantiles: Quantiles) -> Self {
        Self { p50: quantiles.p50, p95: quantiles.p95, max: quantiles.max }
    }
}

/// Microseconds, to the nanosecond, between the first and the last arrival of a volley at the server, by the server's own
/// clock (`Server-Timing: arrival`). Told with three digits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalSpread {
    /// Half of the volleys are at or below.
    pub p50: f64,
    /// 95 % are at or below.
    pub p95: f64,
    /// The largest.
    pub max: f64,
    /// Volleys of which the server told every arrival.
    pub count: u64,
}

impl ArrivalSpread {
    /// Of nanoseconds; none if there was not one volley.
    #[expect(clippy::cast_precision_loss, reason = "a minute has fewer nanoseconds than 2^52")]
    fn of_nanos(quantiles: Quantiles) -> Option<Self> {
        let micros = |nanos: u64| nanos as f64 / 1e3;
        (quantiles.count > 0).then(|| Self {
            p50: micros(quantiles.p50),
            p95: micros(quantiles.p95),
            max: micros(quantiles.max),
            count: quantiles.count,
        })
    }
}

/// All scenarios added up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Scenarios of the run.
    pub scenarios: u64,
    /// Those that hold.
    pub holds: u64,
    /// Those that are violated.
    pub violated: u64,
    /// Those that are inconclusive.
    pub inconclusive: u64,
    /// Raced rounds.
    pub rounds: u64,
    /// Rounds in which contenders truly overlapped.
    pub rounds_overlapped: u64,
    /// Rounds that prove nothing.
    pub rounds_void: u64,
    /// Requests of all kinds.
    pub requests: u64,
    /// What came of them.
    pub outcomes: OutcomeCounts,
    /// Answers to contenders, by status.
    pub status_counts: BTreeMap<u16, u64>,
    /// Contenders' requests that named a version token, or were conditional by headers of their own (`If-None-Match: *`).
    pub conditional_requests: u64,
    /// Those refused as stale.
    pub precondition_failed: u64,
    /// Their share; null if there were none.
    pub rate_412: Option<f64>,
    /// Rounds in which an acknowledged update was lost.
    pub lost_updates: u64,
    /// Rounds in which one logical operation had more than one effect.
    pub duplicate_effects: u64,
    /// Findings, one a kind and scenario.
    pub findings: u64,
    /// Gate release to last response byte.
    pub latency_us: Quantiles,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioResult {
    /// Its name.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// How long it took, set-up, observation and judging included; null in runs of versions that did not say.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// How many raced in each round.
    pub contenders: u64,
    /// The most rounds that ran side by side; 0 if none was run, null in runs of versions that did not say.
    #[serde(default)]
    pub parallel: Option<u32>,
    /// Raced rounds.
    pub rounds: u64,
    /// Rounds in which at least two contenders were on their way at the same time.
    pub rounds_overlapped: u64,
    /// Rounds that prove nothing: not brought to their start, or written to by someone else.
    pub rounds_void: u64,
    /// Those of them that nobody raced in, as their set-up was not answered: it timed out, or found no connection.
    #[serde(default)]
    pub rounds_unanswered: u64,
    /// Rounds that are evidence for or against: overlapped, answered, observed and decided.
    pub trials: u64,
    /// Requests of all kinds, set-up and observation included.
    pub requests: u64,
    /// What came of them.
    pub outcomes: OutcomeCounts,
    /// Answers to contenders, by status.
    pub status_counts: BTreeMap<u16, u64>,
    /// Contenders' requests that named a version token, or were conditional by headers of their own (`If-None-Match: *`).
    pub conditional_requests: u64,
    /// Those refused as stale.
    pub precondition_failed: u64,
    /// Their share; null if there were none.
    pub rate_412: Option<f64>,
    /// Rounds in which an acknowledged update was lost.
    pub lost_updates: u64,
    /// Rounds in which one logical operation had more than one effect.
    pub duplicate_effects: u64,
    /// Gate release to last response byte, in microseconds, of contenders that were answered.
    pub latency_us: Quantiles,
    /// The same of all contenders that were let go: one that was not answered counts with the time until it was given up.
    /// What `--max-p95` is held against.
    pub waited_us: Quantiles,
    /// The answered contenders by their latency: what `latency_us` sums up, and percentiles between can be drawn from.
    #[serde(default)]
    pub latency_bins: Vec<Bin>,
    /// First to last release of a volley, in microseconds, of those that a sweep did not hold apart.
    pub skew_us: Skew,
    /// First to last arrival of a volley at the server, by the server's own clock, of those that a sweep did not hold apart and of
    /// which more than a tail was withheld; null where it does not tell, and in runs of versions that did not ask.
    #[serde(default)]
    pub arrival_spread_us: Option<ArrivalSpread>,
    /// At 95 % confidence, the share of such rounds with a violation is below this (exact binomial); null without any.
    pub rate_upper_bound_95: Option<f64>,
    /// The methods by which its volleys were delivered, and what each found.
    #[serde(default)]
    pub deliveries: Vec<DeliveryResult>,
    /// Violations over the delay between contenders, where that was explored.
    #[serde(default)]
    pub delays: Vec<DelayResult>,
    /// Why it may be inconclusive.
    pub doubts: Vec<String>,
    /// What was found, the most telling kind first.
    pub findings: Vec<FindingResult>,
    /// The race as a shell script with curl, where something was found.
    #[serde(default)]
    pub script: Option<String>,
}

/// One method of delivery in one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryResult {
    /// Where the gate sat, and over which HTTP.
    pub method: Method,
    /// Raced rounds that were played so.
    pub rounds: u64,
    /// Those in which at least two contenders were on their way at the same time.
    pub rounds_overlapped: u64,
    /// Those that are evidence for or against.
    pub trials: u64,
    /// Those that showed a violation.
    pub rounds_violated: u64,
    /// Contenders that were answered before the end of their request was let go: they did not race.
    pub answered_early: u64,
    /// First to last release of a volley, in microseconds.
    pub skew_us: Skew,
}

/// Violations over the delay between two kinds of contender, or between contenders of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayResult {
    /// What the delayed kind asks for.
    pub of: String,
    /// What the kind that it is delayed against asks for; the same, where there is but one kind.
    pub after: String,
    /// Stretches of delay, from early to late; those in which no round was played are left out.
    pub buckets: Vec<Bucket>,
}

/// A limit that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThresholdResult {
    /// The flag: `max-p95` or `max-412-rate`.
    pub name: String,
    /// Where the worst value was measured; null if nothing was.
    pub scenario: Option<String>,
    /// The limit: microseconds, or a share.
    pub limit: f64,
    /// The worst measured value; null if nothing was measured.
    pub measured: Option<f64>,
    /// Whether the limit was crossed.
    pub crossed: bool,
}
