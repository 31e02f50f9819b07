//! `check`: a saved run gets its verdict again, histories of other tools get theirs, and damage is told with its line.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quickeats_bench::check_result::CheckResult;
use quickeats_bench::report::check_schema;
use quickeats_bench::run_result::RunResult;
use serde_json::Value;

const COMMITTED_SCHEMA: &str = include_str!("../reports/check.schema.json");
const LEGAL: &str = "INFO  jepsen.util - 0\t:invoke\t:write\t4\nINFO  jepsen.util - 0\t:ok\t:write\t4\n\
                     INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\t4\n";
const ILLEGAL: &str = "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\tnil\n";

fn tool(arguments: &[&str], file: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    command.args(arguments).args(file).env_remove("RUST_BACKTRACE").output().unwrap()
}

#[track_caller]
fn text(output: &Output, code: i32) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(code) && !err.contains("panicked"), "{}\n{out}\n{err}", output.status);
    format!("{out}{err}")
}

/// Makes a run; its folder and result.
fn raced(out: &Path, arguments: &[&str]) -> (PathBuf, RunResult) {
    let race = ["race", "--rounds", "15", "--seed", "7", "--format", "json", "--quiet", "--out", out.to_str().unwrap()];
    let output = tool(&[&race[..], arguments].concat(), None);
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    (out.join(&result.run_id), result)
}

/// A file with this in it.
fn written(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/check.schema.json");
        fs::write(path, check_schema()).unwrap();
    }
    assert_eq!(COMMITTED_SCHEMA, check_schema(), "regenerate it: UPDATE_SCHEMA=1 cargo test --test check schema");
}

#[test]
fn a_saved_run_is_judged_again_to_the_same_bits() {
    let out = tempfile::tempdir().unwrap();
    let runs: [&[&str]; 4] = [
        &[],
        &["--defect", "check-then-save", "--defect-window", "1ms"],
        &["--defect", "idempotency-check-then-act", "duplicate-payment"],
        &["--api", "quickeats-v1"],
    ];
    for arguments in runs {
        let (folder, mut run) = raced(out.path(), arguments);
        // The plan in other words, for who raced it, and how long that took.
        for scenario in &mut run.scenarios {
            assert!(scenario.duration_ms.take().is_some(), "{arguments:?}");
            scenario.script = None;
        }
        let output = tool(&["check", "--output", "json"], Some(&folder.join("history.jsonl")));
        let again: CheckResult = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((again.verdict, again.exit_code), (run.verdict, run.exit_code), "{arguments:?}");
        assert_eq!(output.status.code(), Some(i32::from(run.exit_code)));
        let (again, run) = (serde_json::to_string(&again.scenarios), serde_json::to_string(&run.scenarios));
        assert_eq!(again.unwrap(), run.unwrap(), "{arguments:?}");
    }
}

#[test]
fn a_cut_history_is_refused_with_its_line_unless_leniency_is_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let (folder, _) = raced(out.path(), &["--defect", "check-then-save", "--defect-window", "1ms", "cancel-vs-accept"]);
    let whole = fs::read(folder.join("history.jsonl")).unwrap();
    let cut = written(out.path(), "cut.jsonl", &whole[..whole.len() * 3 / 4]);
    let refused = text(&tool(&["check"], Some(&cut)), 2);
    assert!(refused.contains("cut.jsonl") && refused.contains("line ") && refused.contains("--lenient"), "{refused}");
    let judged = text(&tool(&["check", "--lenient"], Some(&cut)), 1);
    assert!(judged.contains("lost-update") && judged.contains("damaged") && judged.contains("line "), "{judged}");

    let (folder, _) = raced(out.path(), &["cancel-vs-accept"]);
    let whole = String::from_utf8(fs::read(folder.join("history.jsonl")).unwrap()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let cut = written(out.path(), "cut.jsonl", lines[..lines.len() / 2].join("\n").as_bytes());
    assert!(text(&tool(&["check"], Some(&cut)), 2).contains("ends within scenario `cancel-vs-accept`"));
    let judged = text(&tool(&["check", "--lenient"], Some(&cut)), 3);
    assert!(judged.contains("inconclusive") && judged.contains("ends within"), "{judged}");
}

#[test]
fn recorded_histories_get_their_verdict_as_exit_code_and_their_proof_as_a_timeline() {
    let out = tempfile::tempdir().unwrap();
    let legal = written(out.path(), "legal.log", LEGAL.as_bytes());
    let held = text(&tool(&["check"], Some(&legal)), 0);
    assert!(held.contains("✓ holds") && held.contains("2 operations on 1 resource"), "{held}");

    let illegal = written(out.path(), "illegal.log", format!("{LEGAL}{ILLEGAL}").as_bytes());
    let violated = text(&tool(&["check"], Some(&illegal)), 1);
    for part in ["✗ violated", "write 4 → ok", "read → nil", "1-2", "5-6", "2 operations have no legal order", "ms"]
    {
        assert!(violated.contains(part), "{part} is missing:\n{violated}");
    }

    let empty = written(out.path(), "empty.log", b"");
    assert!(text(&tool(&["check", "--format", "etcd"], Some(&empty)), 3).contains("inconclusive"));

    let edn = b"{:process 0, :type :invoke, :f :put, :key \"a\", :value \"x\"}\n\
                {:process 0, :type :ok, :f :put, :key \"a\", :value \"x\"}\n\
                {:process 1, :type :invoke, :f :get, :key \"a\", :value nil}\n\
                {:process 1, :type :ok, :f :get, :key \"a\", :value \"\"}\n";
    let edn = written(out.path(), "store.edn", edn);
    let violated = text(&tool(&["check"], Some(&edn)), 1);
    assert!(violated.contains("key \"a\"") && violated.contains("get → \"\""), "{violated}");
}

#[test]
fn a_damaged_recording_is_refused_with_its_line_unless_leniency_is_asked_for() {
    let out = tempfile::tempdir().unwrap();
    let damaged = format!("{LEGAL}INFO  jepsen.util - 2\t:inv\0ke\n{ILLEGAL}");
    let file = written(out.path(), "damaged.log", damaged.as_bytes());
    let refused = text(&tool(&["check"], Some(&file)), 2);
    assert!(refused.contains("damaged.log:5: expected"), "{refused}");
    assert!(text(&tool(&["check", "--lenient"], Some(&file)), 3).contains("line 5"));
    let file = written(out.path(), "damaged.log", format!("{LEGAL}{ILLEGAL}INFO  jep").as_bytes());
    assert!(text(&tool(&["check", "--lenient"], Some(&file)), 1).contains("line 7"));
    let mut bytes = LEGAL.as_bytes().to_vec();
    bytes.extend_from_slice(b"\xff\xfe\n");
    let file = written(out.path(), "bytes.log", &bytes);
    assert!(text(&tool(&["check"], Some(&file)), 2).contains("bytes.log:5: expected UTF-8"));
    assert!(text(&tool(&["check", "--lenient"], Some(&file)), 3).contains("line 5"));
}

#[test]
fn flags_that_do_not_fit_the_file_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let log = written(out.path(), "legal.log", LEGAL.as_bytes());
    let other = written(out.path(), "other.txt", b"once upon a time\n");
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample/history.jsonl");
    let cases: [(&[&str], &Path, &str); 8] = [
        (&["--model", "kv"], &log, "--model kv"),
        (&["--model", "order"], &log, "no API description"),
        (&["--fail-on", "warning"], &log, "--fail-on"),
        (&["--model", "register"], &run, "--model"),
        (&["--timeout", "1s"], &run, "--timeout"),
        (&[], &other, "--format"),
        (&["--format", "edn"], &log, "legal.log:1: expected"),
        (&[], out.path(), "is not a file"),
    ];
    for (arguments, file, expected) in cases {
        let refused = text(&tool(&[&["check"], arguments].concat(), Some(file)), 2);
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
    }
}

#[test]
fn answers_for_machines_are_true_to_the_schema() {
    let schema: Value = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let out = tempfile::tempdir().unwrap();
    let illegal = written(out.path(), "illegal.log", format!("{LEGAL}{ILLEGAL}").as_bytes());
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample/history.jsonl");
    for file in [illegal, run] {
        let output = tool(&["check", "--output", "json"], Some(&file));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", file.display());
        assert_eq!(json["schema"], "quickeats-bench/check@1");
    }
}
