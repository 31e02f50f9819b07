//! The race of a finding as a shell script: it is one for every shell, and does what the race does.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use quickeats_bench::api::{Credentials, builtin};
use quickeats_bench::jwt::Secret;
use quickeats_bench::run_result::RunResult;
use quickeats_bench::scenario::{Plan, ScriptTarget, catalog, script};

use crate::serving::Service;
use crate::{Tool, assert_exit};

const HERE: ScriptTarget<'_> = ScriptTarget { url: "http://127.0.0.1:8080", start: None };

#[test]
fn every_scenario_that_is_no_swarm_is_a_script_that_a_shell_can_read() {
    for scenario in catalog::all() {
        let api = builtin::api(scenario.apis[0].get_ref()).unwrap();
        let secret = Secret::random();
        let api = Arc::new((*api).clone().with_credentials(Credentials::minting(secret, 4_000_000_000)));
        let plan = Plan::resolve(&scenario, &api, None).unwrap();
        let text = script(&plan, HERE);
        assert_eq!(text.is_none(), plan.swarm.is_some(), "{}", plan.name);
        let Some(text) = text else { continue };
        // A secret is never in it: the user sets it.
        assert!(text.contains(": \"${CUSTOMER_AUTHORIZATION:?"), "{text}");
        assert!(!text.contains("Bearer ey") && !text.contains("masked"), "{text}");
        let mut shell = Command::new("sh").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(shell.wait().unwrap().success(), "{text}");
    }
}

#[test]
fn requests_that_no_shell_can_fill_make_no_script() {
    let transactions = builtin::api("transactions").unwrap();
    let replace =
        catalog::generic().into_iter().find(|scenario| scenario.name.get_ref() == "concurrent-replace").unwrap();
    assert_eq!(script(&Plan::resolve(&replace, &transactions, None).unwrap(), HERE), None, "its keys are Base64");
    let documents = builtin::api("documents").unwrap();
    assert!(script(&Plan::resolve(&replace, &documents, None).unwrap(), HERE).is_some());
}

#[test]
fn the_script_of_a_finding_shows_it_to_who_has_curl_and_jq() {
    let is_required = std::env::var_os("QUICKEATS_BENCH_REQUIRE_REAL_PARTS").is_some_and(|value| value == "1");
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !(has("curl") && has("jq")) {
        assert!(!is_required, "this needs curl and jq");
        let _ = writeln!(std::io::stderr(), "left out: the script of a finding needs curl and jq");
        return;
    }
    let tool = Tool::new();
    // So wide that requests of curl collide in it.
    let defect = ["--defect", "check-then-save", "--defect-window", "700ms"];
    let raced = tool.run(
        &[&["race", "cancel-vs-accept", "--rounds", "3", "--seed", "7", "--format", "json"], &defect[..]].concat(),
    );
    assert_exit(&raced, 1);
    let result: RunResult = serde_json::from_slice(&raced.stdout).unwrap();
    let script = result.scenarios[0].script.as_ref().unwrap();
    assert!(script.contains("quickeats-bench serve --defect check-then-save --defect-window 700ms"), "{script}");
    let service = Service::start(&defect, &[]);
    let mut shell =
        Command::new("sh").env("URL", &service.url).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let said = String::from_utf8(shell.wait_with_output().unwrap().stdout).unwrap();
    for name in ["1-cancellation", "2-acceptance"] {
        assert!(said.contains(&format!("{name}: HTTP/1.1 200")), "{said}");
    }
}
