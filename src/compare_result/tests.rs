use std::collections::BTreeMap;

use super::*;
use crate::measure::{Bin, Quantiles};
use crate::run_result::FindingResult;

/// What a run is drawn from.
#[derive(Clone, Copy)]
struct Server {
    /// Rounds of each scenario.
    rounds: u64,
    /// How often a round is a violation.
    violated: f64,
    /// How often a contender is refused as stale.
    stale: f64,
    /// By what its latencies are multiplied.
    slower: f64,
}

const SOUND: Server = Server { rounds: 500, violated: 0.0, stale: 0.5, slower: 1.0 };

fn sample() -> RunResult {
    serde_json::from_str(include_str!("../../reports/sample/run.json")).expect("the sample is valid")
}

/// A run of three scenarios, as such a server would have answered it.
fn run(server: Server, seed: u64) -> RunResult {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut run = sample();
    let shape = run.scenarios.remove(0);
    run.scenarios = ["one", "two", "three"].map(|name| scenario(&shape, name, server, &mut random)).into();
    run.verdict = run.scenarios.iter().map(|scenario| scenario.verdict).max().expect("three");
    run
}

fn scenario(shape: &ScenarioResult, name: &str, server: Server, random: &mut fastrand::Rng) -> ScenarioResult {
    let requests = 2 * server.rounds;
    let mut drawn = |share: f64, of: u64| (0..of).filter(|_| random.f64() < share).count() as u64;
    let (violated, stale) = (drawn(server.violated, server.rounds), drawn(server.stale, requests));
    let mut bins = BTreeMap::new();
    for _ in 0..requests {
        // Log-normal, nearly: the product of many small causes. In bins of 1 %.
        let spread: f64 = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        let bin = ((1_000.0 * server.slower).ln() + 0.5 * spread) / 1.01_f64.ln();
        #[expect(clippy::cast_possible_truncation, reason = "a small number")]
        let bin = bin.ceil() as i32;
        *bins.entry(bin).or_insert(0) += 1;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds")]
    let latency_bins: Vec<Bin> =
        bins.into_iter().map(|(bin, count)| Bin { up_to_us: 1.01_f64.powi(bin) as u64, count }).collect();
    let mut left = requests / 20;
    let p95 = latency_bins.iter().rev().find(|bin| {
        let is_it = bin.count > left;
        left = left.saturating_sub(bin.count);
        is_it
    });
    let findings =
        if violated == 0 { Vec::new() } else { vec![FindingResult { count: violated, ..shape.findings[0].clone() }] };
    ScenarioResult {
        name: name.to_owned(),
        verdict: if violated == 0 { Verdict::Holds } else { Verdict::Violated },
        rounds: server.rounds,
        trials: server.rounds,
        conditional_requests: requests,
        precondition_failed: stale,
        latency_us: Quantiles { p95: p95.expect("requests").up_to_us, count: requests, ..Quantiles::default() },
        latency_bins,
        findings,
        ..shape.clone()
    }
}

fn compared(base: Server, new: Server, tolerance: f64) -> Comparison {
    Comparison::of(&run(base, 1), &run(new, 2), tolerance)
}

fn changes(comparison: &Comparison, quantity: Quantity) -> Vec<Change> {
    let measures = comparison.scenarios.iter().flat_map(|scenario| &scenario.measures);
    measures.filter(|measure| measure.quantity == quantity).map(|measure| measure.change).collect()
}

#[test]
fn the_same_run_twice_is_the_same() {
    let run = run(SOUND, 1);
    let comparison = Comparison::of(&run, &run, 0.0);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Same, 0));
    assert!(comparison.remarks.is_empty());
}

#[test]
fn a_slower_server_is_worse_and_a_faster_one_better() {
    let slow = Server { slower: 2.0, ..SOUND };
    let comparison = compared(SOUND, slow, 0.1);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Worse, 5));
    assert_eq!(changes(&comparison, Quantity::P95), [Change::Worse; 3]);
    assert_eq!(changes(&comparison, Quantity::Rate412), [Change::Same; 3]);
    let measure = comparison.scenarios[0].measures[1];
    assert!(measure.low > Some(1.1) && measure.low < Some(2.0) && measure.high > Some(2.0), "{measure:?}");
    let comparison = compared(slow, SOUND, 0.1);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Better, 0));
    assert_eq!(changes(&comparison, Quantity::P95), [Change::Better; 3]);
}

#[test]
fn what_is_tolerated_is_no_regression() {
    let slow = Server { slower: 2.0, ..SOUND };
    assert_eq!(compared(SOUND, slow, 1.5).exit_code, 0);
    assert_eq!(compared(SOUND, slow, 1.5).change, Change::Same);
}

#[test]
fn more_refusals_are_worse() {
    let comparison = compared(Server { stale: 0.2, ..SOUND }, Server { stale: 0.5, ..SOUND }, 0.1);
    assert_eq!(changes(&comparison, Quantity::Rate412), [Change::Worse; 3]);
    let comparison = compared(Server { stale: 0.2, ..SOUND }, Server { stale: 0.21, ..SOUND }, 0.1);
    assert_eq!(comparison.change, Change::Same);
}

#[test]
fn few_rounds_prove_no_change_of_what_is_measured() {
    let few = Server { rounds: 20, ..SOUND };
    let comparison = compared(few, Server { slower: 2.0, ..few }, 0.1);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Same, 0));
}

#[test]
fn a_new_violation_is_a_regression_whatever_is_tolerated() {
    let mut random = fastrand::Rng::with_seed(3);
    let (base, mut new) = (run(SOUND, 1), run(SOUND, 2));
    let shape = sample().scenarios.remove(0);
    new.scenarios[1] = scenario(&shape, "two", Server { violated: 0.004, ..SOUND }, &mut random);
    let comparison = Comparison::of(&base, &new, 10.0);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Worse, 5));
    let two = &comparison.scenarios[1];
    assert_eq!((two.base, two.new, two.change), (Some(Verdict::Holds), Some(Verdict::Violated), Change::Worse));
    assert_eq!(two.appeared, [Kind::LostUpdate]);
    assert_eq!(comparison.scenarios[0].change, Change::Same);
    // Another kind, where there was one already.
    let (violated, mut other) = (new.clone(), new.clone());
    other.scenarios[1].findings[0].kind = Kind::StaleRead;
    let comparison = Comparison::of(&violated, &other, 10.0);
    assert_eq!(comparison.scenarios[1].appeared, [Kind::StaleRead]);
    assert_eq!(comparison.scenarios[1].vanished, [Kind::LostUpdate]);
    assert_eq!(comparison.exit_code, 5);
}

#[test]
fn a_server_that_was_mended_may_refuse_more_and_be_slower() {
    let broken = Server { violated: 0.7, stale: 0.1, ..SOUND };
    let comparison = compared(broken, Server { slower: 3.0, ..SOUND }, 0.1);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Better, 0));
    assert_eq!(changes(&comparison, Quantity::Rate412), [Change::Unclear; 3]);
    assert_eq!(changes(&comparison, Quantity::ViolationRate), [Change::Better; 3]);
    assert_eq!(comparison.scenarios[0].vanished, [Kind::LostUpdate]);
}

#[test]
fn violated_more_often_is_worse() {
    let comparison = compared(Server { violated: 0.3, ..SOUND }, Server { violated: 0.6, ..SOUND }, 0.1);
    assert_eq!(changes(&comparison, Quantity::ViolationRate), [Change::Worse; 3]);
    assert_eq!(comparison.exit_code, 5);
}

#[test]
fn unknown_is_no_success() {
    let base = run(Server { violated: 0.7, ..SOUND }, 1);
    let mut new = run(SOUND, 2);
    for scenario in &mut new.scenarios {
        scenario.verdict = Verdict::Inconclusive;
    }
    assert_eq!(Comparison::of(&base, &new, 0.1).change, Change::Unclear);
    assert_eq!(Comparison::of(&run(SOUND, 1), &new, 0.1).change, Change::Worse);
}

#[test]
fn what_is_raced_in_one_run_alone_is_told() {
    let (mut base, mut new) = (run(SOUND, 1), run(SOUND, 2));
    base.scenarios.remove(0);
    new.scenarios.remove(1);
    new.api = "another".to_owned();
    new.target.defect = None;
    new.interrupted = true;
    let comparison = Comparison::of(&base, &new, 0.1);
    let told: Vec<_> = comparison.scenarios.iter().map(|one| (one.name.as_str(), one.base, one.new)).collect();
    let holds = Some(Verdict::Holds);
    assert_eq!(told, [("one", None, holds), ("three", holds, holds), ("two", holds, None)]);
    assert_eq!((comparison.change, comparison.exit_code), (Change::Unclear, 0));
    assert_eq!(comparison.remarks.len(), 3, "{:?}", comparison.remarks);
    // A violation is a regression, though the base did not race it.
    let new = run(Server { violated: 0.7, ..SOUND }, 2);
    assert_eq!(Comparison::of(&base, &new, 0.1).scenarios[0].change, Change::Worse);
}

/// Two samples of one server are called a regression no more often than the confidence allows, though three scenarios are
/// measured in two ways each, and nothing is tolerated. And the same comparison sees a change where there is one.
#[test]
fn noise_is_rarely_called_a_regression() {
    let server = Server { rounds: 200, ..SOUND };
    let exits = |new: Server, seeds: std::ops::Range<u64>| {
        seeds.filter(|seed| Comparison::of(&run(server, 2 * seed), &run(new, 2 * seed + 1), 0.0).exit_code == 5).count()
    };
    let alarms = exits(server, 0..1_000);
    assert!(alarms <= 50, "{alarms} of 1000");
    assert_eq!(exits(Server { slower: 3.0, ..server }, 0..50), 50);
    assert_eq!(exits(Server { stale: 0.8, ..server }, 0..50), 50);
}
