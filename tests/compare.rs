//! `report`, `compare`, `history` and `race --report`: what they print and write, and how they end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quickeats_bench::report::compare_schema;
use quickeats_bench::run_result::RunResult;
use serde_json::Value;

const COMMITTED_SCHEMA: &str = include_str!("../reports/compare.schema.json");

/// Runs the tool in a folder, as outside of any workflow.
fn tool(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    command.args(arguments).current_dir(folder);
    for variable in ["GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(variable);
    }
    command.output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", out(output), err(output));
}

#[track_caller]
fn assert_usage_error(output: &Output, parts: &[&str]) {
    assert_exit(output, 2);
    assert_eq!(out(output), "", "an error is no answer");
    for part in parts {
        assert!(err(output).contains(part), "`{part}` is missing in:\n{}", err(output));
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample")
}

/// A folder with the sample as `reports/one`, and `reports/two` made of it by `change`.
fn two_runs(change: impl FnOnce(&mut RunResult)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut result: RunResult = serde_json::from_slice(&fs::read(sample().join("run.json")).unwrap()).unwrap();
    save(folder.path(), "one", &result);
    result.run_id = "later".into();
    result.started_at = "2031-01-01T00:00:00Z".into();
    change(&mut result);
    save(folder.path(), "two", &result);
    folder
}

fn save(folder: &Path, name: &str, result: &RunResult) {
    let folder = folder.join("reports").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("run.json"), serde_json::to_vec(result).unwrap()).unwrap();
}

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/compare.schema.json");
        fs::write(path, compare_schema()).unwrap();
    }
    assert_eq!(COMMITTED_SCHEMA, compare_schema(), "regenerate it: UPDATE_SCHEMA=1 cargo test --test compare schema");
}

#[test]
fn a_race_writes_its_reports_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let race = ["race", "cancel-vs-accept", "--defect", "check-then-save", "--defect-window", "1ms", "--rounds", "20"];
    let more = ["--seed", "7", "--quiet", "--report", "junit,md", "--report", "sarif,json,table,junit"];
    let output = tool(folder.path(), &[&race[..], &more].concat());
    assert_exit(&output, 1);
    let run = fs::read_dir(folder.path().join("reports")).unwrap().next().unwrap().unwrap().path();
    for (name, part) in [
        ("junit.xml", "<failure message=\"lost-update"),
        ("report.md", "<details>"),
        ("report.sarif", "\"ruleId\": \"lost-update\""),
        ("report.txt", "✗ violated: 1 of 1 scenario"),
        ("run.json", "\"schema\": \"quickeats-bench/run@1\""),
    ] {
        let text = fs::read_to_string(run.join(name)).unwrap();
        assert!(text.contains(part), "{name}: {text}");
        let told = out(&output).lines().last().unwrap().to_owned();
        assert!(told.starts_with("Reports: ") && told.matches(name).count() == 1, "{told}");
    }
    // The same, rendered from the saved run.
    for (format, name) in
        [("junit", "junit.xml"), ("md", "report.md"), ("sarif", "report.sarif"), ("table", "report.txt")]
    {
        let again = tool(folder.path(), &["report", run.to_str().unwrap(), "--format", format]);
        assert_exit(&again, 0);
        assert_eq!(out(&again), fs::read_to_string(run.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_report_that_cannot_be_written_loses_nothing() {
    let folder = two_runs(|_| {});
    let out_folder = folder.path().join("out");
    fs::create_dir_all(out_folder.join("junit.xml")).unwrap(); // a folder in its place
    let output = tool(folder.path(), &["report", "reports/one", "--format", "junit,md", "--out", "out"]);
    assert_usage_error(&output, &["junit.xml cannot be written"]);
    assert!(fs::read_to_string(out_folder.join("report.md")).unwrap().contains("lost-update"));
}

#[test]
fn reports_go_where_they_are_sent() {
    let folder = two_runs(|_| {});
    let report = |arguments: &[&str]| tool(folder.path(), &[&["report", "reports/one/run.json"], arguments].concat());
    let output = report(&["--format", "md", "--out", "comment.md"]);
    assert_exit(&output, 0);
    assert_eq!(out(&output), "Wrote comment.md\n");
    assert_exit(&report(&["--format", "sarif", "--out", "new/"]), 0);
    assert!(folder.path().join("new/report.sarif").is_file());
    assert_usage_error(&report(&["--format", "sarif,md"]), &["--out DIR"]);
    assert_usage_error(&report(&["--format", "sarif,md", "--out", "comment.md"]), &["comment.md is a file"]);
    assert_usage_error(&report(&["--format", "pdf"]), &["junit", "sarif"]);
    assert!(out(&report(&["--format", "github"])).starts_with("::error title=lost-update in cancel-vs-accept::"));
    assert!(out(&report(&[])).starts_with("✗ violated: 1 of 1 scenario"));
}

#[test]
fn what_is_no_run_is_said_to_be_none() {
    let folder = two_runs(|_| {});
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("text.json", "hello");
    write("other.json", "{\"schema\": \"quickeats-bench/run@9\"}");
    write("none.json", "{}");
    write("half.json", "{\"schema\": \"quickeats-bench/run@1\"}");
    for (run, parts) in [
        ("nowhere", &["nowhere cannot be read", "name the folder"][..]),
        ("reports", &["reports/run.json cannot be read", "name the folder"]),
        ("text.json", &["text.json is not JSON", "name the folder"]),
        ("other.json", &["run@9", "this version reads \"quickeats-bench/run@1\""]),
        ("none.json", &["has schema none"]),
        ("half.json", &["half.json is not a run's result", "missing field"]),
    ] {
        assert_usage_error(&tool(folder.path(), &["report", run]), parts);
        assert_usage_error(&tool(folder.path(), &["compare", "reports/one", run]), parts);
    }
}

#[test]
fn a_comparison_exits_5_after_a_regression_alone() {
    let folder = two_runs(|result| {
        let scenario = &mut result.scenarios[0];
        scenario.verdict = quickeats_bench::check::Verdict::Holds;
        scenario.findings.clear();
        result.target.defect = None;
    });
    let compare = |arguments: &[&str]| tool(folder.path(), &[&["compare"], arguments].concat());
    let better = compare(&["reports/one", "reports/two"]);
    assert_exit(&better, 0);
    assert!(out(&better).starts_with("✓ better: 1 of 1 scenario, from "), "{}", out(&better));
    for part in [
        "violated → holds",
        "not seen any more: lost-update",
        "better: violation rate ",
        " → 0 % (",
        "! note they raced",
    ] {
        assert!(out(&better).contains(part), "{part}: {}", out(&better));
    }
    let worse = compare(&["reports/two", "reports/one/run.json", "--tolerance", "1000%"]);
    assert_exit(&worse, 5);
    assert!(out(&worse).starts_with("✗ worse: 1 of 1 scenario"), "{}", out(&worse));
    assert!(out(&worse).contains("appeared: lost-update"), "{}", out(&worse));
    let same = compare(&["reports/one", "reports/one"]);
    assert_exit(&same, 0);
    assert!(out(&same).starts_with("= same: 1 of 1 scenario"), "{}", out(&same));
    assert!(out(&compare(&["reports/two", "reports/one", "--format", "md"])).contains("| ✗ worse |"));
    for wrong in ["10", "-1%", "NaN%", "all"] {
        assert_usage_error(
            &compare(&["reports/one", "reports/two", &format!("--tolerance={wrong}")]),
            &["such as 10%"],
        );
    }
}

#[test]
fn a_comparison_for_machines_is_true_to_its_schema() {
    let folder = two_runs(|result| result.scenarios[0].name = "<script>\u{1b}[31m | x".to_owned());
    let output = tool(folder.path(), &["compare", "reports/one", "reports/two", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(COMMITTED_SCHEMA).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(json["schema"], "quickeats-bench/compare@1");
    for format in ["table", "md"] {
        let text = out(&tool(folder.path(), &["compare", "reports/one", "reports/two", "--format", format]));
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}") || text.contains("&#92;u{1b}"), "{text}");
    }
}

#[test]
fn the_history_lists_the_last_run_first_and_what_cannot_be_read() {
    let folder = two_runs(|_| {});
    fs::create_dir_all(folder.path().join("reports/broken")).unwrap();
    fs::write(folder.path().join("reports/broken/run.json"), "{").unwrap();
    fs::create_dir_all(folder.path().join("reports/half")).unwrap();
    fs::write(folder.path().join("reports/half/history.jsonl"), "").unwrap();
    fs::create_dir_all(folder.path().join("reports/other")).unwrap();
    let output = tool(folder.path(), &["history"]);
    assert_exit(&output, 0);
    let text = out(&output);
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(place("later") < place("2026-"), "{text}");
    assert!(place("! unreadable reports/broken cannot be read") < place("! unreadable reports/half cannot be read"));
    assert!(!text.contains("other"), "{text}");
    let output = tool(folder.path(), &["history", "reports", "--limit", "1", "--format", "json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((json["runs"].as_array().unwrap().len(), &json["count"]), (1, &2.into()));
    assert_eq!(json["runs"][0]["folder"], "reports/two");
    assert_eq!(json["runs"][0]["verdict"], "violated");
    assert_eq!(json["unreadable"].as_array().unwrap().len(), 2);
    assert_usage_error(&tool(folder.path(), &["history", "nowhere"]), &["nowhere cannot be read", "--out"]);
}

#[test]
fn in_a_workflow_findings_become_annotations_and_a_page_of_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").unwrap();
    let race = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
            .args(["race", "--rounds", "20", "--seed", "7", "--quiet"])
            .args(arguments)
            .current_dir(folder.path())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &summary)
            .output()
            .unwrap()
    };
    let output = race(&["--defect", "ignore-if-match", "stale-write", "--format", "json"]);
    assert_exit(&output, 1);
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result.exit_code, 1, "stdout is the JSON alone");
    assert!(
        err(&output).starts_with("::error title=stale-write-accepted in stale-write::20 of 20 rounds"),
        "{}",
        err(&output)
    );
    let page = fs::read_to_string(&summary).unwrap();
    assert!(page.starts_with("before\n<!-- quickeats-bench -->\n## ✗ violated"), "{page}");
    let output = race(&["stale-write"]);
    assert_exit(&output, 0);
    assert!(err(&output).starts_with("::notice title=quickeats-bench::✓ holds: 1 of 1 scenario"), "{}", err(&output));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_writes_its_reports() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .args(["race", "cancel-vs-accept", "--rounds", "1000000", "--quiet", "--report", "junit,md"])
        .current_dir(folder.path())
        .env_remove("GITHUB_ACTIONS")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let run = loop {
        let run = fs::read_dir(folder.path().join("reports")).ok().and_then(|mut runs| runs.next()?.ok());
        let recorded = run.map(|run| run.path()).filter(|run| {
            fs::metadata(run.join("history.jsonl")).is_ok_and(|history| history.len() > 100_000) // a few rounds
        });
        match recorded {
            Some(run) => break run,
            // Looked for until it is there, or the run is over.
            None if child.try_wait().unwrap().is_none() => std::thread::sleep(std::time::Duration::from_millis(20)),
            None => panic!("the run ended before a round was recorded"),
        }
    };
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_exit(&output, 130);
    let junit = fs::read_to_string(run.join("junit.xml")).unwrap();
    assert!(junit.contains("<error message=\"the run was interrupted"), "{junit}");
    assert!(fs::read_to_string(run.join("report.md")).unwrap().contains("(interrupted: judged is what was seen)"));
}
