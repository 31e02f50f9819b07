//! SARIF 2.1.0 (OASIS): what code scanning and editors show as alerts. A rule a kind, a result a finding.
//!
//! - What made a scenario inconclusive is no result of any rule: it is told as a notification of the run.
//! - A result is the same one in every run: its fingerprints are made of the API, the scenario and the kind, of no id, time or count.
//! - The witness is a code flow, one thread a client, so that a viewer can step through who said what when.
//! - Where it is placed, `report/places.rs` says.

mod rules;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::clean::clean;
use super::terminal::timeline;
use super::words::{self, Counted, Limit};
use super::{Palette, Renderer, places};
use crate::check::{Kind, Severity, Verdict};
use crate::load_result::LoadResult;
use crate::report::replay;
use crate::run_result::{Exit, FindingResult, RunResult, ScenarioResult, WitnessLine};

/// SARIF 2.1.0, indented.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sarif;

/// The schema that the log says it is true to.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

impl Renderer for Sarif {
    fn render(&self, result: &RunResult) -> String {
        let result = &clean(result);
        let is_whole = is_whole(result);
        log(result, &words::answer(result), &notifications(result, is_whole))
    }

    fn render_load(&self, result: &LoadResult) -> String {
        super::load::sarif::render(&clean(result))
    }
}

/// The log of a result: what it came to in a line, and what is no finding.
pub(super) fn log(result: &RunResult, answer: &str, notifications: &[Value]) -> String {
    let results: Vec<Value> = (result.scenarios.iter())
        .flat_map(|scenario| scenario.findings.iter().map(move |finding| (scenario, finding)))
        .map(|(scenario, finding)| of_finding(result, scenario, finding))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "quickeats-bench",
                "semanticVersion": result.tool_version,
                "rules": rules::all(),
            }},
            "automationDetails": {"id": format!("quickeats-bench/{}/", result.api)},
            "originalUriBaseIds": places::bases(),
            "invocations": [invocation(result, answer, notifications)],
            "columnKind": "unicodeCodePoints",
            "results": results,
            "properties": {
                "seed": result.seed,
                "api": result.api,
                "target": words::target(result),
                "run": result.run_id,
                "verdict": result.verdict,
                "rounds": result.totals.rounds,
                "roundsOverlapped": result.totals.rounds_overlapped,
            },
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).expect("it is plain data");
    text.push('\n');
    text
}

fn of_finding(result: &RunResult, scenario: &ScenarioResult, finding: &FindingResult) -> Value {
    let place = places::of(result, scenario);
    let mut text = format!(
        "{}. In {}: {}.",
        words::sentence(finding),
        scenario.name,
        words::seen(Counted::of(result), scenario, finding)
    );
    let shown = timeline::render(&finding.witness, finding.aftermath.as_ref(), Palette::Plain, None);
    let mut markdown = format!("{}\n\n{}", markdown_text(&text), super::markdown::fenced(&shown));
    if let Some(command) = replay::command(result, scenario) {
        let _ = write!(text, "\nPlay it again: {command}");
        let _ =
            write!(markdown, "\nPlay it again (the interleaving may differ):\n\n{}", super::markdown::fenced(&command));
    }
    let fingerprint = fingerprint(result, scenario, finding.kind);
    json!({
        "ruleId": finding.kind.name(),
        "ruleIndex": rules::index(finding.kind),
        "level": level(finding.severity),
        "message": {"text": escaped(&text), "markdown": braces(&markdown)},
        "locations": [{
            "physicalLocation": place,
            "logicalLocations": [{
                "name": scenario.name,
                "fullyQualifiedName": format!("{}/{}", result.api, scenario.name),
                "kind": "scenario",
            }],
        }],
        "fingerprints": {"quickeatsBench/v1": fingerprint},
        // The name that GitHub looks for; what it finds there it believes.
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "occurrenceCount": (finding.count + finding.controls).max(1),
        "codeFlows": [code_flow(finding, &places::of(result, scenario))],
        "properties": {
            "rounds": scenario.rounds,
            "roundsWithIt": finding.count,
            "controlsWithIt": finding.controls,
            "firstRound": finding.first_round,
            "alsoShows": finding.also,
        },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Violation => "error",
        Severity::Warning => "warning",
    }
}

/// The witness, a thread a client. `executionOrder` counts over all of them, in order of opening.
fn code_flow(finding: &FindingResult, place: &Value) -> Value {
    let last =
        finding.aftermath.iter().filter(|last| finding.witness.iter().all(|one| one.operation != last.operation));
    let mut threads: BTreeMap<u32, (String, Vec<Value>)> = BTreeMap::new();
    for (order, line) in finding.witness.iter().chain(last).enumerate() {
        let thread = threads.entry(line.client).or_insert_with(|| (line.actor.clone(), Vec::new()));
        let told = json!({"physicalLocation": place, "message": {"text": escaped(&step(line))}});
        thread.1.push(json!({"location": told, "executionOrder": order + 1}));
    }
    let flows = threads
        .into_iter()
        .map(|(client, (actor, locations))| json!({"id": format!("{actor}, client {client}"), "locations": locations}));
    json!({"threadFlows": flows.collect::<Vec<_>>()})
}

fn step(line: &WitnessLine) -> String {
    let token = line.precondition.as_ref().map(|token| format!(", if version is {token}"));
    let key = line.idempotency_key.as_ref().map(|key| format!(", idempotency key {key}"));
    let released = line.released_us.map(|at| format!("let go at {at} µs, ")).unwrap_or_default();
    let conditions: String = token.into_iter().chain(key).collect();
    format!(
        "{}: {}{conditions} → {} (sent at {} µs, {released}answered at {} µs)",
        line.actor, line.request, line.answer, line.opened_us, line.closed_us
    )
}

/// What makes two results one, whichever run they are of: 128 bits of SHA-256, as hexadecimal digits.
fn fingerprint(result: &RunResult, scenario: &ScenarioResult, kind: Kind) -> String {
    let name = format!("{}\n{}\n{kind}", result.api, scenario.name);
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    digest.as_ref()[..16].iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// Whether it came to its end.
pub(super) fn is_whole(result: &RunResult) -> bool {
    !result.interrupted && ![Exit::TargetUnusable, Exit::Interrupted].iter().any(|exit| exit.code() == result.exit_code)
}

fn invocation(result: &RunResult, answer: &str, notifications: &[Value]) -> Value {
    let mut invocation = json!({
        "executionSuccessful": is_whole(result),
        "exitCode": result.exit_code,
        "exitCodeDescription": answer,
        "toolExecutionNotifications": notifications,
    });
    if let Ok(started) = result.started_at.parse::<jiff::Timestamp>() {
        let ended = started + jiff::SignedDuration::from_millis(i64::try_from(result.duration_ms).unwrap_or(0));
        // SARIF takes milliseconds at most (§3.9).
        let told = |moment: jiff::Timestamp| moment.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        invocation["startTimeUtc"] = told(started).into();
        invocation["endTimeUtc"] = told(ended).into();
    }
    invocation
}

/// What is no result of a rule.
pub(super) fn notice(level: &str, text: &str) -> Value {
    json!({"level": level, "message": {"text": escaped(text)}})
}

/// What is no finding and fails the run all the same, or might.
fn notifications(result: &RunResult, is_whole: bool) -> Vec<Value> {
    let mut told = Vec::new();
    if !is_whole {
        told.push(notice("error", "The run did not come to its end: judged is what was seen until then."));
    }
    for scenario in &result.scenarios {
        let doubts = scenario.doubts.iter().map(|doubt| format!("{} is in doubt: {doubt}.", scenario.name));
        let level = if scenario.verdict == Verdict::Inconclusive { "error" } else { "note" };
        told.extend(doubts.map(|doubt| notice(level, &doubt)));
        if scenario.verdict == Verdict::Inconclusive && scenario.doubts.is_empty() {
            told.push(notice(level, &format!("{} is inconclusive: nothing was shown.", scenario.name)));
        }
    }
    if result.scenarios.is_empty() {
        told.push(notice("error", "No scenario was raced."));
    }
    for threshold in &result.thresholds {
        match words::threshold(threshold) {
            (Limit::Crossed, text) => told.push(notice("error", &format!("A threshold was crossed, {text}."))),
            (Limit::NotMeasured, text) => {
                told.push(notice("warning", &format!("A threshold was not measured, {text}.")));
            }
            (Limit::Kept, _) => {}
        }
    }
    told
}

/// Plain text as a message of SARIF: braces are for placeholders (§3.11.5), `[…](…)` for links (§3.11.6).
fn escaped(text: &str) -> String {
    braces(&text.replace("](", "\\]("))
}

fn braces(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// Plain text in a formatted message, which has no HTML.
fn markdown_text(text: &str) -> String {
    super::markdown::escaped(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_holds_a_link_or_a_placeholder_of_a_strangers_making() {
        assert_eq!(escaped("[click](https://evil.example) {0}"), "[click\\](https://evil.example) {{0}}");
        assert_eq!(escaped("an array [0] stays"), "an array [0] stays");
    }

    #[test]
    fn a_finding_is_the_same_in_every_run() {
        let sample: RunResult = serde_json::from_str(include_str!("../../../reports/sample/run.json")).expect("valid");
        let mut later = sample.clone();
        later.run_id = "2031-01-01T00-00-00Z".to_owned();
        later.target.url = "http://127.0.0.1:1".to_owned();
        later.scenarios[0].findings[0].count = 3;
        later.scenarios[0].findings[0].sentence = "something else".to_owned();
        let prints = |result: &RunResult| {
            let log: Value = serde_json::from_str(&Sarif.render(result)).expect("JSON");
            log["runs"][0]["results"][0]["fingerprints"].clone()
        };
        assert_eq!(prints(&sample), prints(&later));
        later.scenarios[0].findings[0].kind = Kind::StaleRead;
        assert_ne!(prints(&sample), prints(&later));
    }
}
