//! The test that defines the product: every built-in scenario × {sound service, every defect}.
//!
//! Sound ⇒ holds, always. A defect ⇒ violated, by the scenario and with the kind of finding that the contract names.
//! The same grid stands in the README, and a test keeps the two alike.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod grid;
#[path = "../real_parts/mod.rs"]
mod real_parts;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grid::{ROWS, Row};
use quickeats_bench::api::{Api, Credentials, builtin};
use quickeats_bench::check::{Kind, Severity, Verdict};
use quickeats_bench::event::Silent;
use quickeats_bench::jwt::Secret;
use quickeats_bench::race::{Parallel, Stop};
use quickeats_bench::run::{self, Extent, RunConfig, TargetChoice, Thresholds};
use quickeats_bench::run_result::{Rerun, RunResult, ScenarioResult};
use quickeats_bench::scenario::{Plan, Scenario, catalog};
use quickeats_bench::seed::Seed;
use quickeats_bench::service::{Auth, Defect, KeyStoreChoice, ServiceConfig, StoreChoice, Strategy};
use quickeats_bench::target::Delivery;

/// Rounds per race, unless `MATRIX_ROUNDS` says otherwise (500 makes the long run). Fewer than `race` makes by default, so
/// that what is caught here is caught there: round *n* of a seed makes the same choices however many follow.
fn rounds(usual: u32) -> u32 {
    std::env::var("MATRIX_ROUNDS").map_or(usual, |rounds| rounds.parse().expect("MATRIX_ROUNDS is a number"))
}

/// Races share the machine's cores with their target: one at a time.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The reference service with a mistake: its gap, if it is one, widened by 1 ms.
fn mistaken(defect: Option<Defect>) -> ServiceConfig {
    ServiceConfig {
        defect,
        defect_window: defect.filter(|defect| defect.has_window()).map_or(Duration::ZERO, |_| Duration::from_millis(1)),
        ..ServiceConfig::default()
    }
}

/// Such a service that asks who is calling, and the API as its callers speak it.
fn service(api: &str, config: ServiceConfig) -> (TargetChoice, Arc<Api>) {
    let secret = Secret::random();
    let config = ServiceConfig { auth: Auth::Jwt(secret.clone()), ..config };
    let api = (*builtin::api(api).unwrap()).clone().with_credentials(Credentials::minting(secret, 4_000_000_000));
    (TargetChoice::InProcess(Box::new(config)), Arc::new(api))
}

/// Runs `scenarios` of `api` (all of its own, if none is named) as `race` would.
fn race(api: &str, scenarios: &[&str], defect: Option<Defect>, rounds: u32, seed: u64) -> RunResult {
    race_volley(api, scenarios, mistaken(defect), rounds, seed, None)
}

fn race_volley(
    api: &str,
    scenarios: &[&str],
    config: ServiceConfig,
    rounds: u32,
    seed: u64,
    contenders: Option<usize>,
) -> RunResult {
    let (target, api) = service(api, config);
    let plans = (scenarios_of(&api.name).iter())
        .filter(|scenario| scenarios.is_empty() || scenarios.contains(&scenario.name.get_ref().as_str()))
        .map(|scenario| Plan::resolve(scenario, &api, contenders).unwrap())
        .collect();
    let out = tempfile::tempdir().unwrap();
    let config = RunConfig {
        api,
        plans,
        target,
        extent: Extent::rounds(rounds),
        parallel: Parallel::Auto,
        max_rate: None,
        delivery: Delivery::default(),
        sweep: false,
        replay: BTreeMap::new(),
        seed: Seed::new(seed),
        timeout: Duration::from_secs(5),
        fail_on: Severity::Warning,
        thresholds: Thresholds::default(),
        out: out.path().to_owned(),
        rerun: Rerun::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run::run(&config, &Silent, &Stop::default())).unwrap().result
}

fn scenarios_of(api: &str) -> Vec<Scenario> {
    let mut all = catalog::all();
    all.retain(|scenario| scenario.apis.iter().any(|own| own.get_ref() == api));
    all
}

/// What stands in a cell: the kinds found.
fn kinds(scenario: &ScenarioResult) -> Vec<&'static str> {
    scenario.findings.iter().map(|finding| finding.kind.name()).collect()
}

#[test]
fn every_cell_of_the_grid_is_as_the_contract_says() {
    let _turn = one_at_a_time();
    for row in ROWS {
        // Its number is drawn by losers that come in time: about one round in three.
        let usual = if row.defect == Defect::VersionSkips { 40 } else { 10 };
        let result = race("quickeats-v2", &[], Some(row.defect), rounds(usual), 7);
        // A swarm is luck: it may stumble on any mistake, under any name.
        for scenario in result.scenarios.iter().filter(|scenario| scenario.name != "swarm") {
            check_cell(row, scenario);
        }
    }
}

fn check_cell(row: &Row, scenario: &ScenarioResult) {
    let cell = format!("{} × {} (seed 7): {:#?}", scenario.name, row.defect, scenario.findings);
    let found = kinds(scenario);
    match row.found_by.iter().find(|(name, _)| *name == scenario.name) {
        Some((_, expected)) => {
            assert!(found.iter().any(|kind| expected.contains(kind)), "{cell}");
            let allowed = |kind: &&str| expected.contains(kind) || row.elsewhere.contains(kind);
            assert!(found.iter().all(allowed), "{cell}");
            assert_eq!(scenario.verdict, Verdict::Violated, "{cell}");
        }
        None if row.elsewhere.is_empty() => {
            assert_eq!(found, [""; 0], "{cell}");
            assert_eq!(scenario.verdict, Verdict::Holds, "{cell} {:?}", scenario.doubts);
        }
        None => assert!(found.iter().all(|kind| row.elsewhere.contains(kind)), "{cell}"),
    }
}

/// How many seeds a promise is kept for: a few, so that all of this is over in minutes, and more on request (`MATRIX_SEEDS=20`).
fn seeds(few: u64) -> u64 {
    std::env::var("MATRIX_SEEDS").map_or(few, |seeds| seeds.parse().expect("MATRIX_SEEDS is a number"))
}

#[test]
fn the_sound_service_holds_for_every_seed() {
    let _turn = one_at_a_time();
    for seed in 1..=seeds(4) {
        let rounds = rounds(6);
        let result = race("quickeats-v2", &[], None, rounds, seed);
        assert_eq!(result.exit_code, 0, "seed {seed}: {:#?}", result.scenarios);
        assert_eq!(result.totals.findings, 0, "seed {seed}");
        assert_eq!(result.totals.rounds_void, 0, "seed {seed}");
        assert_eq!(result.totals.outcomes.unknown, 0, "seed {seed}");
        assert!(result.scenarios.iter().all(|scenario| scenario.rounds == u64::from(rounds)), "seed {seed}");
        // How many rounds overlap depends on the machine and is reported; a race that mostly did not is broken.
        assert!(result.totals.rounds_overlapped * 2 > result.totals.rounds, "seed {seed}: {:?}", result.totals);
    }
}

#[test]
fn the_sound_service_is_accused_on_no_store() {
    let _turn = one_at_a_time();
    let name = "the_sound_service_is_accused_on_no_store";
    let (optimistic, pessimistic) = (Strategy::Optimistic, Strategy::Pessimistic);
    is_never_accused(&StoreChoice::Memory, &KeyStoreChoice::Same, pessimistic);
    for strategy in [optimistic, pessimistic] {
        let folder = tempfile::tempdir().unwrap();
        is_never_accused(&StoreChoice::Sqlite(folder.path().join("orders.db")), &KeyStoreChoice::Same, strategy);
        if real_parts::has_postgres(name) {
            is_never_accused(&real_parts::postgres().parse().unwrap(), &KeyStoreChoice::Same, strategy);
        }
        if real_parts::has_postgres(name) && real_parts::has_redis(name) {
            is_never_accused(&real_parts::postgres().parse().unwrap(), &real_parts::redis().parse().unwrap(), strategy);
        }
    }
}

/// Where a scenario sends something to a replica, there are two services on the store. How many of the few rounds
/// overlap is the machine's affair, so that all of them hold is not asked for.
fn is_never_accused(store: &StoreChoice, key_store: &KeyStoreChoice, strategy: Strategy) {
    for seed in 1..=seeds(2) {
        let config =
            ServiceConfig { store: store.clone(), key_store: key_store.clone(), strategy, ..ServiceConfig::default() };
        let rounds = rounds(2);
        let result = race_volley("quickeats-v2", &[], config, rounds, seed, None);
        let service = result.target.service.as_ref().unwrap();
        assert_ne!(result.verdict, Verdict::Violated, "{service:?}, seed {seed}: {:#?}", result.scenarios);
        if rounds >= 10 {
            assert_eq!(result.exit_code, 0, "{service:?}, seed {seed}: {:#?}", result.scenarios);
        }
        assert_eq!((result.totals.findings, result.totals.rounds_void), (0, 0), "{service:?}, seed {seed}");
        assert_eq!(result.totals.outcomes.unknown, 0, "{service:?}, seed {seed}");
    }
}

#[test]
fn every_defect_is_caught_under_its_name_for_every_seed() {
    let _turn = one_at_a_time();
    for row in ROWS {
        let defect = row.defect;
        for seed in 1..=seeds(2) {
            let result = race("quickeats-v2", &[row.telling_scenario()], Some(defect), rounds(30), seed);
            let found = kinds(&result.scenarios[0]);
            assert_eq!(result.exit_code, 1, "{defect}, seed {seed}");
            assert!(found.iter().any(|kind| defect.caught_as().contains(kind)), "{defect}, seed {seed}: {found:?}");
        }
    }
}

#[test]
fn a_swarm_stumbles_on_mistakes_that_it_was_not_made_for() {
    let _turn = one_at_a_time();
    let telling = [
        (Defect::CheckThenSave, &["lost-update", "double-cas-win", "duplicate-effect", "resurrected-terminal"][..]),
        (Defect::IgnoreIfMatch, &["stale-write-accepted", "double-cas-win"]),
        (Defect::OptionalIfMatch, &["precondition-not-required"]),
        (Defect::TerminalResurrects, &["resurrected-terminal"]),
        (Defect::LostEvent, &["audit-mismatch"]),
    ];
    for (defect, expected) in telling {
        let result = race("quickeats-v2", &["swarm"], Some(defect), rounds(60), 7);
        let found = kinds(&result.scenarios[0]);
        assert!(found.iter().any(|kind| expected.contains(kind)), "{defect}: {found:?}");
    }
}

#[test]
fn version_1_loses_updates_in_every_run() {
    let _turn = one_at_a_time();
    for seed in 1..=seeds(2) {
        let result = race("quickeats-v1", &[], None, rounds(40), seed);
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
    for (defect, expected) in [(None, Verdict::Holds), (Some(Defect::CheckThenSave), Verdict::Violated)] {
        let result = race_volley("quickeats-v2", &["cancel-vs-accept"], mistaken(defect), rounds(60), 7, Some(12));
        assert_eq!(result.scenarios[0].verdict, expected, "{:#?}", result.scenarios[0]);
        assert_eq!(result.scenarios[0].contenders, 12);
    }
    let result = race_volley("quickeats-v2", &[], mistaken(None), rounds(4), 7, Some(12));
    assert_eq!(result.exit_code, 0, "{:#?}", result.scenarios);
    let raised = result.scenarios.iter().filter(|scenario| scenario.name != "swarm");
    assert!(raised.clone().all(|scenario| scenario.contenders == 12) && raised.count() > 10);
}

#[test]
fn the_grid_has_every_defect_and_names_real_scenarios_and_kinds() {
    let listed: Vec<Defect> = ROWS.iter().map(|row| row.defect).collect();
    assert_eq!(listed, Defect::ALL);
    let scenarios = scenarios_of("quickeats-v2");
    for row in ROWS {
        for (name, kinds) in row.found_by {
            assert!(scenarios.iter().any(|scenario| scenario.name.get_ref() == name), "{name}");
            for kind in kinds.iter().chain(row.elsewhere) {
                assert!(Kind::ALL.iter().any(|known| known.name() == *kind), "{kind}");
            }
        }
        let (_, telling) = row.found_by[0];
        assert!(telling.iter().any(|kind| row.defect.caught_as().contains(kind)), "{}", row.defect);
    }
}

#[test]
fn the_readme_shows_this_grid() {
    let readme = include_str!("../../README.md");
    let grid = grid::markdown();
    assert!(readme.contains(&grid), "the README's grid should be:\n{grid}");
}

#[test]
fn the_readme_lists_every_kind_of_finding() {
    let readme = include_str!("../../README.md").replace('\n', " ");
    let listed = Kind::ALL.map(|kind| match kind.severity() {
        Severity::Violation => format!("**{kind}**"),
        Severity::Warning => kind.to_string(),
    });
    assert!(readme.contains(&format!("`--fail-on warning`): {}. A round's cause", listed.join(", "))), "{listed:?}");
}
