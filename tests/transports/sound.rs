//! The sound service holds, whatever carries the requests.

use quickeats_bench::history::Method;
use quickeats_bench::scenario::catalog;
use quickeats_bench::service::ServiceConfig;

use crate::bench::{Ended, race, race_in_process};
use crate::front::Target;
use crate::transport::{Transport, over_every_transport};

over_every_transport!(every_scenario_holds, a_volley_holds_by_each_method);

/// Every request was answered, each scenario saw a race, and nothing was found.
fn expect_clean(ended: Ended, rounds: u64) -> Ended {
    let ended = ended.expect_code(0);
    let result = ended.result();
    assert_eq!(result.totals.findings, 0, "{}", ended.said());
    assert_eq!(result.totals.outcomes.answered, result.totals.requests, "{}", ended.said());
    for scenario in &result.scenarios {
        assert_eq!((scenario.rounds, scenario.rounds_void), (rounds, 0), "{}\n{}", scenario.name, ended.said());
        assert!(scenario.trials > 0, "{}\n{}", scenario.name, ended.said());
    }
    ended
}

/// Every built-in scenario that a server of another process can be raced with, and that it takes nothing else for.
fn scenarios() -> Vec<String> {
    let mut all = catalog::all();
    all.retain(|scenario| scenario.apis.iter().any(|api| api.get_ref() == "quickeats-v2"));
    all.into_iter().map(|scenario| scenario.name.into_inner()).filter(|name| name != "crash").collect()
}

fn every_scenario_holds(transport: Transport) {
    const ROUNDS: u32 = 5;
    let target = Target::start(transport, ServiceConfig::default());
    let scenarios = scenarios();
    let named: Vec<&str> = scenarios.iter().map(String::as_str).collect();
    let ended = expect_clean(race(&target, &named, ROUNDS, "auto"), ROUNDS.into());
    assert_eq!(ended.result().scenarios.len(), named.len());
    ended.expect_accounted_for(&transport.methods());
    ended.expect_verified();
}

fn a_volley_holds_by_each_method(transport: Transport) {
    const ROUNDS: u32 = 3;
    let target = Target::start(transport, ServiceConfig::default());
    let named = ["cancel-vs-accept", "duplicate-payment", "stale-write"];
    for method in transport.methods() {
        let ended = expect_clean(race(&target, &named, ROUNDS, method.name()), ROUNDS.into());
        ended.expect_accounted_for(&[method]);
    }
}

#[test]
fn a_service_that_crashes_and_a_swarm_hold_by_each_method() {
    const ROUNDS: u32 = 3;
    // The reader beside the payment has no tail over HTTP/2: it is answered at once.
    for method in Transport::Plain.methods().into_iter().filter(|method| *method != Method::SinglePacketTail) {
        let ended = expect_clean(race_in_process(&["crash", "swarm"], ROUNDS, method.name()), ROUNDS.into());
        ended.expect_accounted_for(&[method]);
    }
}
