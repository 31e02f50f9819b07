//! How long `race` races: until the time is over, or until a scenario has shown enough.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;
use std::time::{Duration, Instant};

use quickeats_bench::check::Verdict;
use quickeats_bench::run_result::{RunResult, ScenarioResult};

struct Ended {
    code: Option<i32>,
    said: String,
    result: RunResult,
    /// What `verify` makes of the saved run.
    verified: Option<i32>,
}

/// Races the in-process service for a million rounds, if nothing ends it before.
fn race(arguments: &[&str]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let tool = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
        command.args(arguments).current_dir(folder.path()).output().unwrap()
    };
    let output = tool(&[&["race", "--rounds", "1000000", "--seed", "7"], arguments].concat());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let run = std::fs::read_dir(folder.path().join("reports")).unwrap().next().unwrap().unwrap().path();
    let result: RunResult = serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap();
    assert!(!result.interrupted, "{said}");
    let verified = tool(&["verify", run.to_str().unwrap()]).status.code();
    Ended { code: output.status.code(), said, result, verified }
}

fn rounds(scenario: &ScenarioResult) -> u64 {
    scenario.rounds
}

#[test]
fn a_run_takes_the_time_it_is_given_and_shares_it_among_its_scenarios() {
    let started = Instant::now();
    let ended = race(&["--duration", "5s", "stale-write", "cancel-vs-accept", "double-pickup"]);
    let took = started.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(30)).contains(&took), "{took:?}");
    assert_eq!(
        (ended.code, ended.result.verdict, ended.verified),
        (Some(0), Verdict::Holds, Some(0)),
        "{}",
        ended.said
    );
    let extent = ended.result.extent.unwrap();
    assert_eq!((extent.duration_ms, extent.out_of_time.len()), (Some(5_000), 3), "{}", ended.said);
    assert!(ended.result.scenarios.iter().map(rounds).all(|rounds| rounds > 0), "{}", ended.said);
    let told = "Ended by --duration, 5.00 s, before 1000000 rounds: stale-write, cancel-vs-accept and double-pickup";
    assert!(ended.said.contains(told), "{}", ended.said);
}

#[test]
fn a_scenario_that_there_was_no_time_for_is_inconclusive() {
    let ended = race(&["--duration", "1us", "stale-write", "double-pickup"]);
    assert_eq!((ended.code, ended.verified), (Some(3), Some(0)), "{}", ended.said);
    for scenario in &ended.result.scenarios {
        assert_eq!(scenario.doubts, ["not raced: there was no time left for it"], "{}", ended.said);
    }
}

#[test]
fn a_scenario_ends_with_the_first_violation_if_that_is_enough() {
    let arguments = ["--until", "violated", "--defect", "ignore-if-match", "stale-write", "pay-vs-cancel"];
    let ended = race(&arguments);
    assert_eq!((ended.code, ended.verified), (Some(1), Some(0)), "{}", ended.said);
    assert_eq!(rounds(&ended.result.scenarios[0]), 1, "{}", ended.said);
    assert_eq!(ended.result.totals.violated, 2, "{}", ended.said);
    assert!(ended.said.contains("Ended by --until violated: stale-write and pay-vs-cancel"), "{}", ended.said);
}

#[test]
fn a_scenario_ends_when_the_rate_is_excluded() {
    let ended = race(&["--parallel", "1", "--until", "violated", "--until", "confidence=99%,rate=10%", "stale-write"]);
    assert_eq!((ended.code, ended.verified), (Some(0), Some(0)), "{}", ended.said);
    let scenario = &ended.result.scenarios[0];
    assert_eq!(scenario.trials, 44, "0.9^44 is the first power of 0.9 below 1 %\n{}", ended.said);
    assert_eq!(ended.result.extent.unwrap().settled, ["stale-write"]);
}

#[test]
fn rounds_beside_the_last_one_are_counted_when_the_rate_is_excluded() {
    let ended = race(&["--parallel", "16", "--until", "confidence=99%,rate=10%", "stale-write"]);
    assert_eq!((ended.code, ended.verified), (Some(0), Some(0)), "{}", ended.said);
    let scenario = &ended.result.scenarios[0];
    assert!((44..=44 + 2 * 16).contains(&scenario.trials), "{}", ended.said);
    assert_eq!((scenario.trials, scenario.outcomes.unknown), (scenario.rounds, 0), "none was cut\n{}", ended.said);
    assert_eq!(ended.result.extent.unwrap().settled, ["stale-write"]);
}
