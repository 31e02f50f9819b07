//! Which scenarios there are, what is raced where none is named, and pairs.

use quickeats_bench::run_result::RunResult;

use crate::serving::Service;
use crate::{Tool, assert_exit, assert_usage_error, stderr, stdout};

#[test]
fn scenarios_are_listed_with_their_api_and_shown_as_written() {
    let tool = Tool::new();
    for arguments in [&["scenarios"][..], &["scenarios", "list"]] {
        let output = tool.run(arguments);
        assert_exit(&output, 0);
        let list = stdout(&output);
        assert_eq!(list.lines().count(), 40, "{list}");
        assert!(list.contains("v1-cancel-vs-accept") && list.contains("quickeats-v1"), "{list}");
        let generic = list.lines().find(|line| line.starts_with("concurrent-replace ")).unwrap();
        assert!(generic.contains(" register "), "{generic}");
        assert!(list.lines().any(|line| line.starts_with("pairs ") && line.contains("state-machine")), "{list}");
    }
    let generic = tool.run(&["scenarios", "show", "concurrent-replace"]);
    assert_eq!(stdout(&generic), include_str!("../../scenarios/generic/concurrent-replace.toml"));
    let shown = tool.run(&["scenarios", "show", "stale-write"]);
    assert_exit(&shown, 0);
    assert_eq!(stdout(&shown), include_str!("../../scenarios/stale-write.toml"));
}

#[test]
fn pairs_are_every_two_actions_that_a_state_allows() {
    let tool = Tool::new();
    let output = tool.run(&["race", "pairs", "--rounds", "15", "--seed", "7", "--format", "json"]);
    assert_exit(&output, 0);
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = result.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), 12, "{names:?}");
    assert_eq!(names[0], "pairs/pending_payment/cancellation+cancellation");
    assert!(names.contains(&"pairs/pending_acceptance/acceptance+rejection"), "{names:?}");
    // One of them by its name, and a run of them again.
    assert_exit(&tool.race(&["pairs/pending_acceptance/acceptance+rejection"]), 0);
    let folder = tool.path().join("reports").join(&result.run_id);
    let verified = tool.run(&["verify", folder.to_str().unwrap()]);
    assert_exit(&verified, 0);
    let again = tool.run(&["race", "--replay", folder.to_str().unwrap(), "--format", "json"]);
    assert_exit(&again, 0);
    let again: RunResult = serde_json::from_slice(&again.stdout).unwrap();
    assert!(again.scenarios.iter().map(|scenario| scenario.name.as_str()).eq(names), "the same scenarios, in order");
}

#[test]
fn pairs_find_what_no_scenario_was_written_for() {
    let output = Tool::new().race(&["pairs", "--defect", "check-then-save", "--defect-window", "1ms"]);
    assert_exit(&output, 1);
    assert!(
        stdout(&output).contains("lost-update in pairs/pending_acceptance/acceptance+cancellation"),
        "{}",
        stdout(&output)
    );
    let output = Tool::new().race(&["pairs/pending_acceptance/acceptance+rejektion"]);
    assert_usage_error(
        &output,
        &["unknown pair of actions", "did you mean `pairs/pending_acceptance/acceptance+rejection`?"],
    );
}

#[test]
fn pairs_are_checked_by_the_name_that_they_are_listed_by() {
    let tool = Tool::new();
    let service = serve_mine(&tool);
    let one = "pairs/pending_acceptance/acceptance+rejection";
    let output = tool.run(&["scenarios", "check", "pairs", "--api", "mine.toml"]);
    assert_exit(&output, 0);
    assert_eq!(stdout(&output).matches(": a scenario, raced as `mine` says\n").count(), 12, "{}", stdout(&output));
    for arguments in [&[one, "--api", "mine.toml"][..], &[one, "mine.toml"], &[one]] {
        let output = tool.run(&[&["scenarios", "check"], arguments].concat());
        assert_exit(&output, 0);
        let name = if arguments.len() > 1 { "mine" } else { "quickeats-v2" };
        let told = stdout(&output);
        assert!(told.contains(&format!("✓ {one}: a scenario, raced as `{name}` says\n{one} (each")), "{told}");
    }
    let output = tool.run(&["scenarios", "check", one, "--api", "mine.toml", "--target", &service.url]);
    assert_exit(&output, 0);
    assert!(stdout(&output).contains("✓ fine: "), "{}", stdout(&output));
    for (name, api, parts) in [
        ("pairs", "documents", ["`documents` (register) has none", ""]),
        ("pairs/waiting/cancel+start", "mine.toml", ["unknown pair of actions", "did you mean `pairs/"]),
    ] {
        assert_usage_error(&tool.run(&["scenarios", "check", name, "--api", api]), &parts);
    }
}

#[test]
fn pairs_have_no_file_to_show() {
    for name in ["pairs", "pairs/waiting/cancel+start"] {
        let output = Tool::new().run(&["scenarios", "show", name]);
        assert_usage_error(&output, &[&format!("`{name}` has no file"), &format!("scenarios check {name} --api FILE")]);
        assert!(!stderr(&output).contains("did you mean"), "{}", stderr(&output));
    }
}

/// The reference service, and a description of it that no built-in scenario is for: it has another name.
fn serve_mine(tool: &Tool) -> Service {
    let own =
        include_str!("../../scenarios/apis/quickeats-v2.toml").replace("name = \"quickeats-v2\"", "name = \"mine\"");
    std::fs::write(tool.path().join("mine.toml"), own).unwrap();
    Service::start(&[], &[])
}

#[test]
fn a_state_machine_of_ones_own_gets_all_pairs_and_the_generic_scenarios_that_fit() {
    let tool = Tool::new();
    let mine = serve_mine(&tool);
    let output = tool.run(&[
        "race",
        "--api",
        "mine.toml",
        "--target",
        &mine.url,
        "--rounds",
        "3",
        "--seed",
        "7",
        "--format",
        "json",
    ]);
    // Three rounds are few: on a busy machine none of a scenario's may overlap.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", stderr(&output));
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = result.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("pairs/")).count(), 12, "{names:?}");
    assert_eq!(names[12..], ["double-effect", "lost-retry"]);
    assert!(result.scenarios.iter().all(|scenario| scenario.findings.is_empty()));
    // Where it has no keys, that is said, and the rest is raced.
    let own = std::fs::read_to_string(tool.path().join("mine.toml")).unwrap();
    std::fs::write(tool.path().join("mine.toml"), own.replace("idempotency_key = true", "idempotency_key = false"))
        .unwrap();
    let race = |more: &[&str]| tool.race(&[&["--api", "mine.toml", "--target", &mine.url][..], more].concat());
    let alone = race(&["lost-retry"]);
    assert_usage_error(&alone, &["`mine` has no <keyed>", "it has `create`", "`acceptance`"]);
    let output = race(&["--until", "confidence=50%,rate=50%"]);
    assert!(stderr(&output).contains("note: lost-retry is left out: `mine` has no <keyed>"), "{}", stderr(&output));
    let output = race(&["concurrent-replace"]);
    assert_usage_error(&output, &["`concurrent-replace` is for register, and `mine` is a state-machine"]);
    // A run of it is played again with its description, which is not built in.
    let folder = tool.path().join("reports").join(&result.run_id);
    let again = tool.run(&["race", "--target", &mine.url, "--replay", folder.to_str().unwrap()]);
    assert_usage_error(&again, &["raced `mine`, which is not built in", "--api"]);
}
