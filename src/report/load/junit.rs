//! A load as `JUnit` XML: a test case for the verdict, one for each threshold, and one for the load itself where it did not end well.
//!
//! As of a race, a report without a failure or an error is one of a load that exits 0, and the other way round.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::{told, view};
use crate::check::Verdict;
use crate::load_result::{LimitResult, LoadResult};
use crate::report::junit::{cause, failed, stories};
use crate::report::words::Limit;
use crate::run_result::{Exit, RunResult};

/// `JUnit` XML of a load whose texts are harmless.
pub(in crate::report) fn render(load: &LoadResult) -> String {
    let run = view::as_run(load);
    let mut suite = TestSuite::new(format!("load {}", load.plan.traffic));
    if let Ok(moment) = load.started_at.parse::<jiff::Timestamp>() {
        suite.extra.insert("timestamp".into(), moment.strftime("%Y-%m-%dT%H:%M:%S").to_string().into());
    }
    let time = Duration::from_millis(load.duration_ms);
    suite.set_time(time);
    suite.add_properties(properties(load));
    suite.add_test_cases(of_verdict(load, &run));
    suite.add_test_cases(load.thresholds.iter().map(|limit| of_threshold(load, limit)));
    suite.add_test_cases(of_load(load));
    let mut report = Report::new("quickeats-bench");
    report.set_time(time);
    report.add_test_suite(suite);
    report.to_string().expect("writing to memory does not fail")
}

fn properties(load: &LoadResult) -> Vec<Property> {
    let mut properties = vec![
        Property::new("seed", load.seed.to_string()),
        Property::new("traffic", &load.plan.traffic),
        Property::new("target", told::target(load)),
        Property::new("run", &load.run_id),
        Property::new("tool_version", &load.tool_version),
        Property::new("exit_code", load.exit_code.to_string()),
        Property::new("offered", load.slots.offered.to_string()),
        Property::new("sent", load.slots.sent.to_string()),
        Property::new("dropped", load.slots.dropped.to_string()),
        Property::new("answered", load.slots.answered.to_string()),
        Property::new("answered_per_second", load.rates.answered.to_string()),
    ];
    properties.extend(load.plan.api.as_ref().map(|api| Property::new("api", api)));
    properties.extend(load.verdict.map(|verdict| Property::new("verdict", verdict.to_string())));
    properties.extend(load.rates.goodput.map(|goodput| Property::new("goodput_per_second", goodput.to_string())));
    properties.extend(load.all.rate_412.map(|rate| Property::new("rate_412", rate.to_string())));
    for (view, times) in [("intended", &load.all.from_intended), ("actual", &load.all.from_actual)] {
        for (name, percent) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
            let value = told::percentile(times, percent);
            properties.extend(value.map(|us| Property::new(format!("{name}_from_{view}_us"), us.to_string())));
        }
    }
    properties
}

fn classname(load: &LoadResult) -> String {
    format!("quickeats-bench.load.{}", load.plan.traffic)
}

fn of_verdict(load: &LoadResult, run: &RunResult) -> Option<TestCase> {
    let scenario = run.scenarios.first()?;
    let status = match scenario.verdict {
        Verdict::Holds => TestCaseStatus::success(),
        Verdict::Violated => {
            let (told, kind) = cause(run, scenario);
            failed(NonSuccessKind::Failure, &kind, &told, &stories(run, scenario))
        }
        Verdict::Inconclusive => {
            let doubts =
                if scenario.doubts.is_empty() { "nothing was shown".to_owned() } else { scenario.doubts.join("; ") };
            failed(NonSuccessKind::Error, "inconclusive", &doubts, &stories(run, scenario))
        }
    };
    let mut case = TestCase::new("every answer is lawful", status);
    case.set_classname(classname(load));
    let mut out = told::judged(load).unwrap_or_default();
    if let Some(excluded) = told::excluded(load) {
        let _ = write!(out, "\nholds means: {excluded}");
    }
    case.set_system_out(out);
    if scenario.verdict == Verdict::Holds && !scenario.findings.is_empty() {
        // Warnings that fail no load.
        case.set_system_err(stories(run, scenario));
    }
    Some(case)
}

fn of_threshold(load: &LoadResult, limit: &LimitResult) -> TestCase {
    let (kept, told) = told::threshold(limit);
    let status = match kept {
        Limit::Kept => TestCaseStatus::success(),
        // What was not measured was not kept: the load fails for it.
        Limit::Crossed | Limit::NotMeasured => failed(NonSuccessKind::Failure, "threshold", &told, &told),
    };
    let mut case = TestCase::new(limit.threshold.as_str(), status);
    case.set_classname(format!("{}.thresholds", classname(load)));
    case.set_system_out(told);
    case
}

/// The load as a whole: what no verdict and no threshold tells.
fn of_load(load: &LoadResult) -> Option<TestCase> {
    let status = match trouble(load) {
        Some((kind, told)) => failed(NonSuccessKind::Error, kind, &told, &told),
        // Of a load that nobody judged, it is the only test case.
        None if load.verdict.is_none() => TestCaseStatus::success(),
        None => return None,
    };
    let mut case = TestCase::new("the load", status);
    case.set_classname(classname(load));
    case.set_system_out(format!("{}\n{}\n{}", told::rates(load), told::slots(load), told::generator(load)));
    Some(case)
}

/// Why a load fails, if neither its verdict nor a threshold says so: the kind and the sentence.
pub(super) fn trouble(load: &LoadResult) -> Option<(&'static str, String)> {
    if load.exit_code == Exit::Interrupted.code() {
        Some(("interrupted", "the load was interrupted: told is what was seen until then".to_owned()))
    } else if load.exit_code == Exit::TargetUnusable.code() {
        let why = load.stopped.clone().unwrap_or_else(|| "no request could be sent".to_owned());
        Some(("target-unusable", why))
    } else if load.exit_code == Exit::Inconclusive.code() && load.verdict != Some(Verdict::Inconclusive) {
        Some(match load.generator.void.first() {
            _ if load.slots.offered == 0 => ("inconclusive", "no request was to be sent after the warm-up".to_owned()),
            Some(why) => ("void", format!("thresholds on times say nothing: {why}")),
            None => ("inconclusive", "too little was seen".to_owned()),
        })
    } else {
        None
    }
}
