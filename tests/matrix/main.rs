//! The test that defines the product: every built-in scenario × {sound service, every defect}.
//!
//! Sound ⇒ holds, always. A defect ⇒ violated, by the scenario and with the kind of finding that the contract names.
//! The same grid stands in the README, and a test keeps the two alike.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod grid;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grid::{COLUMNS, Column, ROWS};
use quickeats_bench::api::builtin;
use quickeats_bench::check::{Severity, Verdict};
use quickeats_bench::event::Silent;
use quickeats_bench::race::Stop;
use quickeats_bench::run::{self, RunConfig, TargetChoice, Thresholds};
use quickeats_bench::run_result::{RunResult, ScenarioResult};
use quickeats_bench::scenario::{Plan, catalog};
use quickeats_bench::seed::Seed;
use quickeats_bench::service::{Defect, ServiceConfig};

/// Rounds per race: enough for every cell, and fewer than `race` makes by default, so that what is caught here is caught
/// there (round *n* of a seed makes the same choices however many follow). `MATRIX_ROUNDS=500` makes the long run.
fn rounds() -> u32 {
    std::env::var("MATRIX_ROUNDS").map_or(60, |rounds| rounds.parse().expect("MATRIX_ROUNDS is a number"))
}

/// Races share the machine's cores with their target: one at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reference service with the column's mistake.
fn service(column: Column) -> TargetChoice {
    TargetChoice::InProcess(Box::new(ServiceConfig {
        defect: column.defect,
        defect_window: column.window,
        ..ServiceConfig::default()
    }))
}

/// Runs `scenarios` of `api` (all of its own, if none is named) as `race` would.
fn race(api: &str, scenarios: &[&str], column: Column, rounds: u32, seed: u64) -> RunResult {
    let api = builtin::api(api).unwrap();
    let plans = (catalog::all().iter())
        .filter(|scenario| scenario.apis.iter().any(|own| **own.get_ref() == *api.name))
        .filter(|scenario| scenarios.is_empty() || scenarios.contains(&scenario.name.get_ref().as_str()))
        .map(|scenario| Plan::resolve(scenario, &api, None).unwrap())
        .collect();
    let out = tempfile::tempdir().unwrap();
    let config = RunConfig {
        api: Arc::clone(&api),
        plans,
        target: service(column),
        rounds,
        seed: Seed::new(seed),
        timeout: Duration::from_secs(5),
        fail_on: Severity::Violation,
        thresholds: Thresholds::default(),
        out: out.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run::run(&config, &Silent, &Stop::default())).unwrap().result
}

/// What stands in a cell: the kinds found, or that it holds.
fn kinds(scenario: &ScenarioResult) -> Vec<&'static str> {
    scenario.findings.iter().map(|finding| finding.kind.name()).collect()
}

#[test]
fn every_cell_of_the_grid_is_as_the_contract_says() {
    let _turn = one_at_a_time();
    for (index, column) in COLUMNS.iter().enumerate() {
        let result = race("quickeats-v2", &[], *column, rounds(), 7);
        assert_eq!(result.scenarios.len(), ROWS.len());
        for (scenario, row) in result.scenarios.iter().zip(ROWS) {
            assert_eq!(scenario.name, row.scenario, "the grid lists scenarios in the order they run");
            let cell = format!("{} × {} (seed 7): {:?}", scenario.name, column.name(), scenario.findings);
            match row.cells[index] {
                None => {
                    assert_eq!(kinds(scenario), [""; 0], "{cell}");
                    assert_eq!(scenario.verdict, Verdict::Holds, "{cell} {:?}", scenario.doubts);
                }
                Some(kind) => {
                    assert_eq!(kinds(scenario), [kind], "{cell}");
                    assert_eq!(scenario.verdict, Verdict::Violated, "{cell}");
                }
            }
        }
    }
}

#[test]
fn the_sound_service_holds_for_every_seed() {
    let _turn = one_at_a_time();
    for seed in 1..=20 {
        let result = race("quickeats-v2", &[], COLUMNS[0], rounds(), seed);
        assert_eq!(result.exit_code, 0, "seed {seed}: {:#?}", result.scenarios);
        assert_eq!(result.totals.findings, 0, "seed {seed}");
        assert_eq!(result.totals.rounds_void, 0, "seed {seed}");
        assert_eq!(result.totals.outcomes.unknown, 0, "seed {seed}");
        assert!(result.scenarios.iter().all(|scenario| scenario.rounds == u64::from(rounds())), "seed {seed}");
        // How many rounds overlap depends on the machine and is reported; a race that mostly did not is broken.
        assert!(result.totals.rounds_overlapped * 2 > result.totals.rounds, "seed {seed}: {:?}", result.totals);
    }
}

#[test]
fn every_defect_is_caught_under_its_name_for_every_seed() {
    let _turn = one_at_a_time();
    for column in COLUMNS {
        let Some(defect) = column.defect else { continue };
        let scenario = grid::telling_scenario(column);
        for seed in 1..=10 {
            let result = race("quickeats-v2", &[scenario], *column, rounds(), seed);
            let found = kinds(&result.scenarios[0]);
            assert_eq!(result.exit_code, 1, "{defect}, seed {seed}");
            assert_eq!(found[0], defect.caught_as()[0], "{defect}, seed {seed}: {found:?}");
        }
    }
}

#[test]
fn version_1_loses_updates_in_every_run() {
    let _turn = one_at_a_time();
    for seed in 1..=10 {
        let result = race("quickeats-v1", &[], COLUMNS[0], rounds(), seed);
        assert_eq!(result.exit_code, 1, "seed {seed}");
        let found: Vec<_> = result.scenarios.iter().map(|scenario| (scenario.name.as_str(), kinds(scenario))).collect();
        let expected = [("v1-cancel-vs-accept", vec!["lost-update"]), ("v1-double-pay", vec!["duplicate-effect"])];
        assert_eq!(found, expected, "seed {seed}");
        assert!(result.totals.lost_updates > 0 && result.totals.duplicate_effects > 0, "seed {seed}");
    }
}

#[test]
fn a_raised_volley_finds_the_same_and_accuses_no_sound_service() {
    let _turn = one_at_a_time();
    let api = builtin::api("quickeats-v2").unwrap();
    for scenario in catalog::all().iter().filter(|scenario| scenario.apis[0].get_ref() == "quickeats-v2") {
        let plan = Plan::resolve(scenario, &api, Some(12)).unwrap();
        assert_eq!(plan.contenders.len(), 12, "{}", plan.name);
    }
    for (column, expected) in [(COLUMNS[0], Verdict::Holds), (COLUMNS[1], Verdict::Violated)] {
        let result = race_volley("cancel-vs-accept", column, 12);
        assert_eq!(result.scenarios[0].verdict, expected, "{:#?}", result.scenarios[0]);
        assert_eq!(result.scenarios[0].contenders, 12);
    }
}

fn race_volley(scenario: &str, column: Column, contenders: usize) -> RunResult {
    let api = builtin::api("quickeats-v2").unwrap();
    let all = catalog::all();
    let written = all.iter().find(|written| written.name.get_ref() == scenario).unwrap();
    let out = tempfile::tempdir().unwrap();
    let config = RunConfig {
        plans: vec![Plan::resolve(written, &api, Some(contenders)).unwrap()],
        api,
        target: service(column),
        rounds: rounds(),
        seed: Seed::new(7),
        timeout: Duration::from_secs(5),
        fail_on: Severity::Violation,
        thresholds: Thresholds::default(),
        out: out.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run::run(&config, &Silent, &Stop::default())).unwrap().result
}

#[test]
fn the_grid_has_every_scenario_and_every_defect() {
    let columns: Vec<Option<Defect>> = COLUMNS.iter().map(|column| column.defect).collect();
    for defect in Defect::ALL {
        assert!(columns.contains(&Some(*defect)), "{defect} is missing");
    }
    for scenario in catalog::all().iter().filter(|scenario| scenario.apis[0].get_ref() == "quickeats-v2") {
        assert!(ROWS.iter().any(|row| row.scenario == scenario.name.get_ref()), "{}", scenario.name.get_ref());
    }
}

#[test]
fn the_readme_shows_this_grid() {
    let readme = include_str!("../../README.md");
    let grid = grid::markdown();
    assert!(readme.contains(&grid), "the README's grid should be:\n{grid}");
}
