//! The end of the report: limits, counts, what "holds" amounts to, and how to repeat the run.

use std::fmt::Write as _;

use super::super::words::{self, Limit, percent};
use super::{Terminal, delivery};
use crate::check::Verdict;
use crate::run_result::{ExtentInfo, RunResult, ScenarioResult, TargetKind, ThresholdResult};
use crate::text::{count, list, micros};

impl Terminal {
    pub(super) fn footer(self, out: &mut String, result: &RunResult) -> std::fmt::Result {
        let totals = &result.totals;
        for threshold in &result.thresholds {
            writeln!(out, "{}", self.threshold(threshold))?;
        }
        let OfRequests { unknown, not_sent } = of_requests(result);
        writeln!(
            out,
            "{} of {} overlapped ({} void), {}{unknown}{not_sent}, {:.1} s",
            totals.rounds_overlapped,
            count(totals.rounds, "round"),
            totals.rounds_void,
            count(totals.requests, "request"),
            f64::from(u32::try_from(result.duration_ms).unwrap_or(u32::MAX)) / 1e3,
        )?;
        if let Some(extent) = &result.extent {
            extent_told(out, extent)?;
        }
        abreast_told(out, &result.scenarios)?;
        delivery::methods_told(out, result)?;
        if let Some(bound) = loosest_bound(result) {
            writeln!(
                out,
                "No violation in a scenario that holds means: at 95 % confidence below {} of its overlapped rounds",
                percent(bound)
            )?;
        }
        if result.target.kind == TargetKind::InProcess {
            writeln!(out, "{}", self.palette.dim("The service ran in-process and shared the cores with the harness: latencies compare runs, not servers"))?;
        }
        writeln!(
            out,
            "Repeat with --seed {}, or round for round with --replay and the run's folder (the interleaving may differ)",
            result.seed
        )
    }

    fn threshold(self, threshold: &ThresholdResult) -> String {
        let (limit, told) = words::threshold(threshold);
        let mark = match limit {
            Limit::Crossed => self.palette.verdict(Verdict::Violated, "✗ threshold crossed"),
            Limit::Kept => self.palette.verdict(Verdict::Holds, "✓ threshold kept"),
            Limit::NotMeasured => self.palette.verdict(Verdict::Inconclusive, "? threshold not measured"),
        };
        format!("{mark} {told}")
    }
}

struct OfRequests {
    unknown: String,
    not_sent: String,
}

fn of_requests(result: &RunResult) -> OfRequests {
    let part = |number: u64, word: &str| if number == 0 { String::new() } else { format!(", {number} {word}") };
    OfRequests {
        unknown: part(result.totals.outcomes.unknown, "with unknown outcome"),
        not_sent: part(result.totals.outcomes.not_sent, "not sent"),
    }
}

/// Which scenarios ended before their last round, and why.
fn extent_told(out: &mut String, extent: &ExtentInfo) -> std::fmt::Result {
    if !extent.settled.is_empty() {
        writeln!(out, "Ended by --until {}: {}", extent.until.join(" --until "), list(&extent.settled))?;
    }
    if !extent.out_of_time.is_empty() {
        let time = micros(extent.duration_ms.unwrap_or_default().saturating_mul(1_000));
        let rounds = count(extent.rounds.into(), "round");
        writeln!(out, "Ended by --duration, {time}, before {rounds}: {}", list(&extent.out_of_time))?;
    }
    Ok(())
}

/// Which scenarios ran several rounds at a time, and how many.
fn abreast_told(out: &mut String, scenarios: &[ScenarioResult]) -> std::fmt::Result {
    let told: Vec<String> = (scenarios.iter())
        .filter_map(|scenario| Some((scenario, scenario.parallel.filter(|parallel| *parallel > 1)?)))
        .map(|(scenario, parallel)| format!("{} ({parallel})", scenario.name))
        .collect();
    if told.is_empty() { Ok(()) } else { writeln!(out, "Rounds ran side by side (at most): {}", list(&told)) }
}

/// The largest upper bound among scenarios that hold: what "holds" amounts to at least.
fn loosest_bound(result: &RunResult) -> Option<f64> {
    (result.scenarios.iter())
        .filter(|scenario| scenario.verdict == Verdict::Holds)
        .filter_map(|scenario| scenario.rate_upper_bound_95)
        .max_by(f64::total_cmp)
}
