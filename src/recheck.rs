//! A saved run, judged again from its raw history: does every finding of its `run.json` stand?
//!
//! The judge is a function of the API description and the history, and the history file holds both, so each scenario's
//! result can be made again, number by number. What only the run itself could know (that it was interrupted, that its target
//! went away, how many rounds ran side by side) stands in the history at the scenario's end.

use crate::api::Api;
use crate::check::{Alone, Severity};
use crate::history::History;
use crate::history::jsonl::{Saved, ScenarioLine};
use crate::measure::Tally;
use crate::run_result::{Ledger, RunResult, ScenarioFacts, ScenarioResult, Totals};
use crate::source::SourceError;

/// Why a history cannot be judged again.
#[derive(Debug, thiserror::Error)]
pub enum RecheckError {
    /// The API description in its first line is not one.
    #[error("the API description in its first line cannot be read: {0}")]
    Api(#[from] SourceError),
    /// A scenario's plan does not say what the judge must know.
    #[error("scenario `{scenario}`: its plan has no `{key}` that this version understands")]
    Plan {
        /// The scenario.
        scenario: String,
        /// What is missing.
        key: &'static str,
    },
}

/// Makes every scenario's result again, and their counts added up. `fail_on` is the severity from which on a finding counted.
///
/// # Errors
/// A history whose description or plans this version does not understand.
pub fn rejudge(saved: &Saved, fail_on: Severity) -> Result<(Vec<ScenarioResult>, Totals), RecheckError> {
    let api = Api::parse("history.jsonl", &saved.header.api)?;
    let mut total = Tally::default();
    let mut scenarios = Vec::with_capacity(saved.scenarios.len());
    for (line, history) in &saved.scenarios {
        let (scenario, tally) = rejudge_one(&api, line, history, fail_on)?;
        total.add(&tally);
        scenarios.push(scenario);
    }
    let totals = Totals::new(&scenarios, &total);
    Ok((scenarios, totals))
}

fn rejudge_one(
    api: &Api,
    line: &ScenarioLine,
    history: &History,
    fail_on: Severity,
) -> Result<(ScenarioResult, Tally), RecheckError> {
    let missing = |key| RecheckError::Plan { scenario: line.scenario.clone(), key };
    let alone: Alone = serde_json::from_value(line.plan["alone"].clone()).map_err(|_| missing("alone"))?;
    let swarm = line.plan["swarm"]["clients"].as_u64();
    let written = line.plan["contenders"].as_array().map(|contenders| contenders.len() as u64);
    let contenders = swarm.or(written).ok_or_else(|| missing("contenders"))?;
    let mut ledger = Ledger::open(api, alone, &line.plan);
    for (round, operations) in history.rounds() {
        ledger.absorb(round, history.delivered(round), operations);
    }
    let contenders = usize::try_from(contenders).map_err(|_| missing("contenders"))?;
    let facts = ScenarioFacts { name: &line.scenario, contenders, parallel: line.parallel, fail_on };
    let left_out = (line.left_out > 0).then(|| {
        let operations = crate::text::count(line.left_out, "operation");
        format!("{operations} more were judged when they were made, and not saved (`load --save-all` saves them)")
    });
    Ok(ledger.close(facts, line.doubts.iter().cloned().chain(left_out)))
}

/// What a run's result says that its history does not bear out, one line each; nothing if all of it stands.
///
/// # Errors
/// As [`rejudge`].
pub fn verify(result: &RunResult, saved: &Saved) -> Result<Vec<String>, RecheckError> {
    let (again, totals) = rejudge(saved, result.fail_on)?;
    let mut wrong = Vec::new();
    let names = |scenarios: &[ScenarioResult]| -> Vec<String> {
        scenarios.iter().map(|scenario| scenario.name.clone()).collect()
    };
    if names(&again) != names(&result.scenarios) {
        wrong.push(format!(
            "run.json tells of the scenarios {}, and the history of {}",
            names(&result.scenarios).join(", "),
            names(&again).join(", "),
        ));
        return Ok(wrong);
    }
    for (said, found) in result.scenarios.iter().zip(&again) {
        compare(said, found, &mut wrong);
    }
    if result.totals != totals && wrong.is_empty() {
        let (what, one, another) = first_difference(&result.totals, &totals);
        wrong.push(format!("the total of {what} is {one} in run.json, {another} in the history"));
    }
    if result.seed != saved.header.seed {
        wrong.push(format!("run.json has seed {}, and the history {}", result.seed, saved.header.seed));
    }
    Ok(wrong)
}

fn compare(said: &ScenarioResult, found: &ScenarioResult, wrong: &mut Vec<String>) {
    let name = &said.name;
    for finding in &said.findings {
        match found.findings.iter().find(|other| other.kind == finding.kind) {
            None => wrong.push(format!("{name}: {} does not stand: the history shows none", finding.kind)),
            Some(other) if other != finding => {
                let (what, one, another) = first_difference(finding, other);
                wrong.push(format!(
                    "{name}: {} does not stand as told: {what} is {one} in run.json, {another} in the history",
                    finding.kind
                ));
            }
            Some(_) => {}
        }
    }
    for finding in &found.findings {
        if !said.findings.iter().any(|other| other.kind == finding.kind) {
            wrong.push(format!("{name}: the history shows {}, which run.json does not tell of", finding.kind));
        }
    }
    // The script is the plan in other words; how long it took is no matter of what was recorded.
    let findings_apart = |result: &ScenarioResult| ScenarioResult {
        findings: Vec::new(),
        script: None,
        duration_ms: None,
        ..result.clone()
    };
    let (said, found) = (findings_apart(said), findings_apart(found));
    if said != found {
        let (what, one, another) = first_difference(&said, &found);
        wrong.push(format!("{name}: {what} is {one} in run.json, {another} in the history"));
    }
}

/// The first field in which two results differ, and its values.
fn first_difference<T: serde::Serialize>(one: &T, other: &T) -> (String, String, String) {
    let (one, other) = (as_fields(one), as_fields(other));
    let differs = one.iter().find(|(key, value)| other.get(*key) != Some(*value));
    match differs {
        Some((key, value)) => {
            let shown = |value: &serde_json::Value| crate::text::harmless(&value.to_string(), 120);
            (format!("`{key}`"), shown(value), other.get(key).map_or("nothing".to_owned(), shown))
        }
        None => ("something".to_owned(), "one thing".to_owned(), "another".to_owned()),
    }
}

fn as_fields<T: serde::Serialize>(result: &T) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(result).expect("a result is plain data") {
        serde_json::Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}
