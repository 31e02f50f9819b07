//! Two runs held against each other, as plain data: what became worse or better, and what is noise.
//!
//! - A verdict that got worse, and a kind of violation that was not seen before, is always a regression: it is proven, not measured.
//! - What was measured (how often it is violated, the share of 412, p95) is one only if its interval lies beyond the tolerance. The
//!   intervals of a comparison hold all together at 95 % confidence: each is so much wider (Bonferroni), or of two dozen scenarios
//!   one would always seem to be worse.
//! - Requests of one volley depend on each other, so no more of them count than there were rounds.
//! - A server that does the wrong thing refuses less, and faster. So 412 and p95 are judged only where neither run was violated.
//!
//! The intervals are about these two runs: that the machine was busier during one of them, they do not know. That is what the
//! tolerance is for.
//!
//! Versioned; its JSON Schema stands in `reports/compare.schema.json`, kept true by a test.

mod measured;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Kind, Severity, Verdict};
use crate::run_result::{Exit, RunResult, ScenarioResult};
pub use measured::{Measure, Quantity};

/// The version of the format.
pub const SCHEMA: &str = "quickeats-bench/compare@1";
/// How sure all intervals of a comparison are together.
pub const CONFIDENCE: f64 = 0.95;

/// What became of something from one run to the next. Later outranks earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It improved, by more than chance and the tolerance explain.
    Better,
    /// Nothing that chance and the tolerance do not explain.
    Same,
    /// It cannot be told: one of the runs did not show it, or shows something else.
    Unclear,
    /// A regression.
    Worse,
}

/// Two runs, compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Always `quickeats-bench/compare@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The run that is compared with.
    pub base: Side,
    /// The run that is judged.
    pub new: Side,
    /// By which part of its value a measured quantity may be worse: 0.1 for 10 %.
    pub tolerance: f64,
    /// How sure the intervals are, all of them together.
    pub confidence: f64,
    /// Worse if any scenario is, else unclear if any is, else better if any is.
    pub change: Change,
    /// The process's exit code: 5 after a regression, else 0.
    pub exit_code: u8,
    /// What makes the runs hard to compare: another API, another target, an interruption.
    pub remarks: Vec<String>,
    /// Scenario by scenario, those of the new run first.
    pub scenarios: Vec<ScenarioChange>,
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The name of its folder.
    pub run_id: String,
    /// When it started: RFC 3339, UTC.
    pub started_at: String,
    /// The API description's name.
    pub api: String,
    /// Its URL, or the reference service with its defect.
    pub target: String,
    /// Its seed.
    pub seed: u64,
    /// Its verdict.
    pub verdict: Verdict,
}

/// One scenario in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioChange {
    /// Its name.
    pub name: String,
    /// Its verdict in the base; null if it was not raced there.
    pub base: Option<Verdict>,
    /// Its verdict in the new run; null if it was not raced there.
    pub new: Option<Verdict>,
    /// What became of the scenario: the worst of its verdict, kinds and measured quantities.
    pub change: Change,
    /// Kinds of finding that only the new run shows.
    pub appeared: Vec<Kind>,
    /// Kinds of finding that only the base shows.
    pub vanished: Vec<Kind>,
    /// What was measured in both.
    pub measures: Vec<Measure>,
}

impl Comparison {
    /// Holds `new` against `base`. `tolerance`: by which part of its value a measured quantity may be worse, from 0 on.
    pub fn of(base: &RunResult, new: &RunResult, tolerance: f64) -> Self {
        let pairs: Vec<Pair<'_>> = pairs(base, new);
        let intervals: usize = pairs.iter().map(|pair| pair.both().map_or(0, measured::count)).sum();
        #[expect(clippy::cast_precision_loss, reason = "there are few scenarios")]
        let each = 1.0 - (1.0 - CONFIDENCE) / intervals.max(1) as f64;
        let scenarios: Vec<ScenarioChange> = pairs.iter().map(|pair| pair.compared(tolerance, each)).collect();
        let change = overall(&scenarios);
        let exit = if change == Change::Worse { Exit::Threshold } else { Exit::Holds };
        Self {
            schema: SCHEMA.to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            base: Side::of(base),
            new: Side::of(new),
            tolerance,
            confidence: CONFIDENCE,
            change,
            exit_code: exit.code(),
            remarks: remarks(base, new),
            scenarios,
        }
    }
}

fn overall(scenarios: &[ScenarioChange]) -> Change {
    let any = |change| scenarios.iter().any(|scenario| scenario.change == change);
    match [Change::Worse, Change::Unclear, Change::Better].into_iter().find(|change| any(*change)) {
        Some(change) => change,
        None if scenarios.is_empty() => Change::Unclear,
        None => Change::Same,
    }
}

impl Side {
    fn of(run: &RunResult) -> Self {
        let defect = run.target.defect.as_ref().map(|defect| format!(", with defect {defect}")).unwrap_or_default();
        let target = match &run.target.service {
            None => run.target.url.clone(),
            Some(service) => {
                let latency = service.latency.join(", ");
                let latency = if latency.is_empty() { latency } else { format!(", latency {latency}") };
                let (strategy, store, keys) = (&service.strategy, &service.store, &service.idempotency_store);
                format!("the reference service, {strategy}, on {store}, keys in {keys}{latency}{defect}")
            }
        };
        Self {
            run_id: run.run_id.clone(),
            started_at: run.started_at.clone(),
            api: run.api.clone(),
            target,
            seed: run.seed,
            verdict: run.verdict,
        }
    }
}

/// What makes two runs hard to compare.
fn remarks(base: &RunResult, new: &RunResult) -> Vec<String> {
    let mut told = Vec::new();
    if base.api != new.api {
        told.push(format!("they raced different APIs: {} and {}", base.api, new.api));
    }
    let (one, other) = (Side::of(base).target, Side::of(new).target);
    if one != other {
        told.push(format!("they raced different targets: {one}, and {other}"));
    }
    if base.fail_on != new.fail_on {
        told.push(format!("a finding fails them from different severities on: {} and {}", base.fail_on, new.fail_on));
    }
    for (name, run) in [("the base", base), ("the new run", new)] {
        if run.interrupted {
            told.push(format!("{name} was interrupted: scenarios may be missing, or short of rounds"));
        }
        if run.exit_code == Exit::TargetUnusable.code() {
            told.push(format!("the target of {name} stopped answering"));
        }
    }
    told
}

/// A scenario, in one or both runs.
struct Pair<'a> {
    base: Option<&'a ScenarioResult>,
    new: Option<&'a ScenarioResult>,
}

fn pairs<'a>(base: &'a RunResult, new: &'a RunResult) -> Vec<Pair<'a>> {
    let find = |run: &'a RunResult, name: &str| run.scenarios.iter().find(|scenario| scenario.name == name);
    let raced = new.scenarios.iter().map(|scenario| Pair { base: find(base, &scenario.name), new: Some(scenario) });
    let gone = base.scenarios.iter().filter(|scenario| find(new, &scenario.name).is_none());
    raced.chain(gone.map(|scenario| Pair { base: Some(scenario), new: None })).collect()
}

impl<'a> Pair<'a> {
    const fn both(&self) -> Option<(&'a ScenarioResult, &'a ScenarioResult)> {
        match (self.base, self.new) {
            (Some(base), Some(new)) => Some((base, new)),
            (Some(_) | None, None) | (None, Some(_)) => None,
        }
    }

    fn compared(&self, tolerance: f64, confidence: f64) -> ScenarioChange {
        let kinds = |side: Option<&ScenarioResult>| -> BTreeSet<(Kind, Severity)> {
            side.iter()
                .flat_map(|scenario| &scenario.findings)
                .map(|finding| (finding.kind, finding.severity))
                .collect()
        };
        let (before, after) = (kinds(self.base), kinds(self.new));
        let without = |one: &BTreeSet<(Kind, Severity)>, other: &BTreeSet<(Kind, Severity)>| {
            let has = |kind: Kind| other.iter().any(|(known, _)| *known == kind);
            one.iter().filter(|(kind, _)| !has(*kind)).copied().collect::<Vec<_>>()
        };
        let (appeared, vanished) = (without(&after, &before), without(&before, &after));
        let measures = self.both().map(|both| measured::compared(both, tolerance, confidence)).unwrap_or_default();
        let is_violation =
            |kinds: &[(Kind, Severity)]| kinds.iter().any(|(_, severity)| *severity == Severity::Violation);
        let proven = match self.both() {
            // A violation is one, whether it was raced before or not.
            None if self.new.is_some_and(|new| new.verdict == Verdict::Violated) => Change::Worse,
            None => Change::Unclear,
            Some(_) if is_violation(&appeared) => Change::Worse,
            Some((base, new)) => of_verdicts(base.verdict, new.verdict),
        };
        let change = measures.iter().map(|measure| measure.change).filter(|change| *change != Change::Unclear);
        // What became better does not hide what stayed, nor the other way round: the verdict leads, then the worst.
        let change = match (proven, change.clone().max(), change.min()) {
            (Change::Worse, ..) | (_, Some(Change::Worse), _) => Change::Worse,
            (Change::Same, _, Some(Change::Better)) => Change::Better,
            (proven, ..) => proven,
        };
        let names = |kinds: Vec<(Kind, Severity)>| kinds.into_iter().map(|(kind, _)| kind).collect();
        ScenarioChange {
            name: self.new.or(self.base).map(|scenario| scenario.name.clone()).unwrap_or_default(),
            base: self.base.map(|scenario| scenario.verdict),
            new: self.new.map(|scenario| scenario.verdict),
            change,
            appeared: names(appeared),
            vanished: names(vanished),
            measures,
        }
    }
}

/// | from ↓ to → | holds | inconclusive | violated |
/// |---|---|---|---|
/// | holds | same | worse: it is not shown any more | worse |
/// | inconclusive | better | same | worse |
/// | violated | better | unclear: unknown is no success | same |
const fn of_verdicts(base: Verdict, new: Verdict) -> Change {
    match (base, new) {
        (Verdict::Holds, Verdict::Holds)
        | (Verdict::Inconclusive, Verdict::Inconclusive)
        | (Verdict::Violated, Verdict::Violated) => Change::Same,
        (Verdict::Violated, Verdict::Inconclusive) => Change::Unclear,
        (Verdict::Holds, Verdict::Inconclusive | Verdict::Violated) | (Verdict::Inconclusive, Verdict::Violated) => {
            Change::Worse
        }
        (Verdict::Inconclusive | Verdict::Violated, Verdict::Holds) => Change::Better,
    }
}

#[cfg(test)]
mod tests;
