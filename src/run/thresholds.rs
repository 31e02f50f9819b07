//! Limits on what was measured: `--max-p95`, `--max-412-rate`.

use std::time::Duration;

use crate::run_result::{ScenarioResult, ThresholdResult};
use crate::scenario::Plan;

/// Limits that fail a run when crossed. Each is held against every scenario; the worst is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Thresholds {
    /// The largest p95 latency of contenders; one that was not answered counts with the time until it was given up.
    pub max_p95: Option<Duration>,
    /// The largest share of conditional requests that were refused as stale. Scenarios whose contenders hold stale
    /// tokens on purpose are left out: there a 412 is the right answer, and says nothing about contention.
    pub max_412_rate: Option<f64>,
}

impl Thresholds {
    /// Holds the limits against what was measured.
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
    pub(super) fn judge(&self, plans: &[Plan], scenarios: &[ScenarioResult]) -> Vec<ThresholdResult> {
        let p95 = self.max_p95.map(|limit| {
            let measured = scenarios
                .iter()
                .filter(|scenario| scenario.waited_us.count > 0)
                .map(|scenario| (scenario.name.as_str(), scenario.waited_us.p95 as f64));
            worst("max-p95", limit.as_micros() as f64, measured)
        });
        let rate = self.max_412_rate.map(|limit| {
            let measured = scenarios.iter().filter_map(|scenario| {
                let plan = plans.iter().find(|plan| plan.name == scenario.name)?;
                if plan.expects_stale() { None } else { Some((scenario.name.as_str(), scenario.rate_412?)) }
            });
            worst("max-412-rate", limit, measured)
        });
        p95.into_iter().chain(rate).collect()
    }
}

fn worst<'a>(name: &str, limit: f64, measured: impl Iterator<Item = (&'a str, f64)>) -> ThresholdResult {
    let worst = measured.max_by(|(_, a), (_, b)| a.total_cmp(b));
    ThresholdResult {
        name: name.to_owned(),
        scenario: worst.map(|(scenario, _)| scenario.to_owned()),
        limit,
        measured: worst.map(|(_, value)| value),
        crossed: worst.is_some_and(|(_, value)| value > limit),
    }
}
