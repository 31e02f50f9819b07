//! `JUnit` XML: what every CI server shows as tests. A test case a scenario, a limit, and the run itself where it did not end well.
//!
//! | it came to | the test case | why |
//! |---|---|---|
//! | holds | passes | how much that excludes stands in its output |
//! | violated | `failure` | the server broke its contract: the sentence, and the witness as text |
//! | inconclusive | `error` | the run fails (exit 3) for it, and nothing was shown wrong: a test that could not be carried out |
//! | threshold crossed | `failure` | |
//! | threshold not measured | `skipped` | it fails no run |
//! | target lost, interrupted | `error` of the run's own test case | what was judged until then stands beside it |
//!
//! So a report without a failure or an error is one of a run that exits 0, and the other way round.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::clean::clean;
use super::terminal::timeline;
use super::words::{self, Counted, Limit};
use super::{Palette, Renderer};
use crate::check::Verdict;
use crate::load_result::LoadResult;
use crate::report::replay;
use crate::run_result::{Exit, FindingResult, RunResult, ScenarioResult, ThresholdResult};

/// `JUnit` XML, in UTF-8.
#[derive(Debug, Clone, Copy, Default)]
pub struct Junit;

impl Renderer for Junit {
    fn render(&self, result: &RunResult) -> String {
        let result = &clean(result);
        let mut suite = TestSuite::new(result.api.as_str());
        if let Ok(moment) = result.started_at.parse::<jiff::Timestamp>() {
            suite.extra.insert("timestamp".into(), moment.strftime("%Y-%m-%dT%H:%M:%S").to_string().into());
        }
        let time = Duration::from_millis(result.duration_ms);
        suite.set_time(time);
        suite.add_properties(properties(result));
        suite.add_test_cases(result.scenarios.iter().map(|scenario| of_scenario(result, scenario)));
        suite.add_test_cases(result.thresholds.iter().map(|threshold| of_threshold(result, threshold)));
        suite.add_test_cases(of_run(result));
        let mut report = Report::new("quickeats-bench");
        report.set_time(time);
        report.add_test_suite(suite);
        report.to_string().expect("writing to memory does not fail")
    }

    fn render_load(&self, result: &LoadResult) -> String {
        super::load::junit::render(&clean(result))
    }
}

fn properties(result: &RunResult) -> Vec<Property> {
    let mut properties = vec![
        Property::new("seed", result.seed.to_string()),
        Property::new("api", &result.api),
        Property::new("target", words::target(result)),
        Property::new("run", &result.run_id),
        Property::new("tool_version", &result.tool_version),
        Property::new("verdict", result.verdict.to_string()),
        Property::new("exit_code", result.exit_code.to_string()),
        Property::new("rounds", result.totals.rounds.to_string()),
        Property::new("rounds_overlapped", result.totals.rounds_overlapped.to_string()),
        Property::new("requests", result.totals.requests.to_string()),
    ];
    properties.extend(result.totals.rate_412.map(|rate| Property::new("rate_412", rate.to_string())));
    properties
}

fn of_scenario(result: &RunResult, scenario: &ScenarioResult) -> TestCase {
    let status = match scenario.verdict {
        Verdict::Holds => TestCaseStatus::success(),
        Verdict::Violated => {
            let (told, kind) = cause(result, scenario);
            failed(NonSuccessKind::Failure, &kind, &told, &stories(result, scenario))
        }
        Verdict::Inconclusive => {
            let doubts =
                if scenario.doubts.is_empty() { "nothing was shown".to_owned() } else { scenario.doubts.join("; ") };
            failed(NonSuccessKind::Error, "inconclusive", &doubts, &stories(result, scenario))
        }
    };
    let mut case = TestCase::new(scenario.name.as_str(), status);
    case.set_classname(classname(result));
    if let Some(took) = scenario.duration_ms {
        case.set_time(Duration::from_millis(took));
    }
    case.set_system_out(numbers(scenario));
    if scenario.verdict == Verdict::Holds && !scenario.findings.is_empty() {
        // Warnings that fail no run.
        case.set_system_err(stories(result, scenario));
    }
    case
}

fn classname(result: &RunResult) -> String {
    format!("quickeats-bench.{}", result.api)
}

/// What a violated scenario is told by in one line, and the name of the kind.
pub(super) fn cause(result: &RunResult, scenario: &ScenarioResult) -> (String, String) {
    let failing = |finding: &&FindingResult| finding.severity >= result.fail_on;
    let mut findings = scenario.findings.iter().filter(failing);
    let Some(first) = findings.next() else {
        return ("violated".to_owned(), "violated".to_owned());
    };
    let more: Vec<&str> = findings.map(|finding| finding.kind.name()).collect();
    let more = if more.is_empty() { String::new() } else { format!(" (and {})", crate::text::list(&more)) };
    let told = format!(
        "{}: {}. {}{more}",
        first.kind,
        words::seen(Counted::of(result), scenario, first),
        words::sentence(first)
    );
    (told, first.kind.name().to_owned())
}

/// Every finding of a scenario, with its witness as a timeline.
pub(super) fn stories(result: &RunResult, scenario: &ScenarioResult) -> String {
    let mut out = String::new();
    for finding in &scenario.findings {
        let _ = writeln!(
            out,
            "{} {}: {}",
            finding.severity,
            finding.kind,
            words::seen(Counted::of(result), scenario, finding)
        );
        let _ = writeln!(out, "  {}", words::sentence(finding));
        out += &timeline::render(&finding.witness, finding.aftermath.as_ref(), Palette::Plain, None);
        if !finding.also.is_empty() {
            let also: Vec<&str> = finding.also.iter().map(|kind| kind.name()).collect();
            let _ = writeln!(out, "  also shows: {}", also.join(", "));
        }
        out.push('\n');
    }
    for doubt in &scenario.doubts {
        let _ = writeln!(out, "inconclusive: {doubt}");
    }
    if let Some(command) = replay::command(result, scenario) {
        let _ = writeln!(out, "Play it again (the interleaving may differ):\n  {command}");
    }
    out
}

/// How hard it was looked.
fn numbers(scenario: &ScenarioResult) -> String {
    let mut out = format!(
        "{} of {} overlapped ({} void), {} are evidence, {}",
        scenario.rounds_overlapped,
        crate::text::count(scenario.rounds, "round"),
        scenario.rounds_void,
        scenario.trials,
        crate::text::count(scenario.requests, "request"),
    );
    if let Some(excluded) = words::excluded(scenario) {
        let _ = write!(out, "\nholds means: {excluded}");
    }
    out
}

fn of_threshold(result: &RunResult, threshold: &ThresholdResult) -> TestCase {
    let (limit, told) = words::threshold(threshold);
    let status = match limit {
        Limit::Kept => TestCaseStatus::success(),
        Limit::Crossed => failed(NonSuccessKind::Failure, "threshold", &told, &told),
        Limit::NotMeasured => {
            let mut skipped = TestCaseStatus::skipped();
            skipped.set_message(told.as_str());
            skipped
        }
    };
    let mut case = TestCase::new(format!("--{}", threshold.name), status);
    case.set_classname(format!("{}.thresholds", classname(result)));
    case.set_system_out(told);
    case
}

/// The run as a whole: a test case where it fails for what no scenario and no threshold tells.
fn of_run(result: &RunResult) -> Option<TestCase> {
    let (kind, told) = if result.interrupted || result.exit_code == Exit::Interrupted.code() {
        ("interrupted", "the run was interrupted: judged is what was seen until then")
    } else if result.exit_code == Exit::TargetUnusable.code() {
        ("target-unusable", "the target stopped answering: judged is what was seen until then")
    } else if result.scenarios.is_empty() {
        ("inconclusive", "no scenario was raced")
    } else {
        return None;
    };
    let mut case = TestCase::new("the run", failed(NonSuccessKind::Error, kind, told, told));
    case.set_classname(classname(result));
    Some(case)
}

pub(super) fn failed(how: NonSuccessKind, kind: &str, message: &str, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(how);
    status.set_type(kind).set_message(message).set_description(text);
    status
}
