//! What was measured in both runs of a scenario, and how sure its difference is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Change;
use crate::check::{Severity, Verdict};
use crate::measure::{Interval, Share, difference, quantile_interval};
use crate::run_result::ScenarioResult;

/// What is measured. More of it is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The share of rounds that were a violation, of those that are evidence.
    ViolationRate,
    /// The share of conditional requests that were refused as stale.
    #[serde(rename = "412-rate")]
    Rate412,
    /// Microseconds from the gate's release to the last response byte, which 95 % of the answered contenders are at or below.
    P95,
}

/// One quantity in both runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Which.
    pub quantity: Quantity,
    /// In the base: a share, or microseconds.
    pub base: f64,
    /// In the new run.
    pub new: f64,
    /// The least that it changed by, at the comparison's confidence: of a share the difference, of p95 the new value as a multiple of
    /// the base's. Null if nothing bounds it.
    pub low: Option<f64>,
    /// The most that it changed by.
    pub high: Option<f64>,
    /// What that amounts to; `unclear` where a violation in one of the runs makes it say something else.
    pub change: Change,
}

type Both<'a> = (&'a ScenarioResult, &'a ScenarioResult);

/// How many intervals [`compared`] judges.
pub(super) fn count(both: Both<'_>) -> usize {
    compared(both, 0.0, 0.5).iter().filter(|measure| measure.change != Change::Unclear).count()
}

/// The quantities that both runs measured.
pub(super) fn compared(both: Both<'_>, tolerance: f64, confidence: f64) -> Vec<Measure> {
    let rate = violation_rate(both, tolerance, confidence);
    let is_judged = both.0.verdict != Verdict::Violated && both.1.verdict != Verdict::Violated;
    let others = [rate_412(both, tolerance, confidence), p95(both, tolerance, confidence)].into_iter().flatten();
    let judged =
        |measure: Measure| Measure { change: if is_judged { measure.change } else { Change::Unclear }, ..measure };
    rate.into_iter().chain(others.map(judged)).collect()
}

fn violation_rate((base, new): Both<'_>, tolerance: f64, confidence: f64) -> Option<Measure> {
    let violated = |scenario: &ScenarioResult| -> u64 {
        let violations = scenario.findings.iter().filter(|finding| finding.severity == Severity::Violation);
        violations.map(|finding| finding.count).sum()
    };
    if violated(base) == 0 && violated(new) == 0 {
        return None;
    }
    let share = |scenario| Share::new(violated(scenario), scenario.trials, scenario.trials);
    Some(of_shares(Quantity::ViolationRate, share(base)?, share(new)?, tolerance, confidence))
}

fn rate_412((base, new): Both<'_>, tolerance: f64, confidence: f64) -> Option<Measure> {
    let share = |one: &ScenarioResult| Share::new(one.precondition_failed, one.conditional_requests, one.rounds);
    Some(of_shares(Quantity::Rate412, share(base)?, share(new)?, tolerance, confidence))
}

fn of_shares(quantity: Quantity, base: Share, new: Share, tolerance: f64, confidence: f64) -> Measure {
    let found = difference(base, new, confidence);
    let allowed = tolerance * base.value();
    let change = judged(found, -allowed, allowed);
    let (base, new) = (base.value(), new.value());
    Measure { quantity, base, new, low: Some(found.low), high: Some(found.high), change }
}

/// The ratio of the new p95 to the base's. Each has half of the doubt that is allowed, so the ratio of their ends encloses it at
/// least as surely as asked for.
#[expect(clippy::cast_precision_loss, reason = "a minute has few microseconds")]
fn p95((base, new): Both<'_>, tolerance: f64, confidence: f64) -> Option<Measure> {
    let each = f64::midpoint(1.0, confidence);
    let within = |one: &ScenarioResult| quantile_interval(&one.latency_bins, 0.95, one.rounds, each);
    let (before, after) = (within(base)?, within(new)?);
    let part = |one: f64, other: f64| if other > 0.0 { one / other } else { f64::INFINITY };
    // Of two unknown ends nothing follows.
    let low = if before.high.is_finite() { part(after.low, before.high) } else { 0.0 };
    let found = Interval { low, high: part(after.high, before.low) };
    Some(Measure {
        quantity: Quantity::P95,
        base: base.latency_us.p95 as f64,
        new: new.latency_us.p95 as f64,
        low: Some(found.low),
        high: Some(found.high).filter(|high| high.is_finite()),
        change: judged(found, 1.0 / (1.0 + tolerance), 1.0 + tolerance),
    })
}

/// Beyond the greatest change that is tolerated, beyond the least, or neither for sure.
fn judged(found: Interval, least: f64, greatest: f64) -> Change {
    if found.low > greatest {
        Change::Worse
    } else if found.high < least {
        Change::Better
    } else {
        Change::Same
    }
}
