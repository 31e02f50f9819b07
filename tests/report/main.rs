//! What a run leaves behind: `run.json` true to its schema, and a history that gets the same verdict again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use quickeats_bench::api::Api;
use quickeats_bench::check::{Alone, Verdict, judge};
use quickeats_bench::history::jsonl::{self, ReadError};
use quickeats_bench::report::run_schema;
use quickeats_bench::run_result::RunResult;
use serde_json::Value;

const COMMITTED_SCHEMA: &str = include_str!("../../reports/run.schema.json");

/// Makes a run; returns its folder.
fn run(out: &Path, arguments: &[&str]) -> PathBuf {
    let output = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .args(["race", "--rounds", "20", "--seed", "7", "--format", "json", "--quiet", "--out"])
        .arg(out)
        .args(arguments)
        .output()
        .unwrap();
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    out.join(result.run_id)
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample")
}

fn read_history(folder: &Path) -> jsonl::Saved {
    let file = std::fs::File::open(folder.join("history.jsonl")).unwrap();
    jsonl::read(std::io::BufReader::new(file)).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

fn read_result(folder: &Path) -> RunResult {
    serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap()
}

#[test]
fn the_committed_schema_is_the_one_of_the_code() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/run.schema.json");
        std::fs::write(path, run_schema()).unwrap();
    }
    assert_eq!(COMMITTED_SCHEMA, run_schema(), "regenerate it: UPDATE_SCHEMA=1 cargo test --test report schema");
}

/// Holds a committed schema against that of the code; writes it where `UPDATE_SCHEMA` is set.
#[track_caller]
fn assert_committed(path: &str, schema: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, schema).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == schema, "{path} differs: regenerate it: UPDATE_SCHEMA=1 cargo test --test report schema");
}

#[test]
fn the_committed_schemas_of_loads_and_traffic_are_those_of_the_code() {
    assert_committed("reports/load.schema.json", &quickeats_bench::load_result::schema());
    assert_committed("scenarios/traffic.schema.json", &quickeats_bench::traffic::traffic_schema());
    assert_committed("reports/strategies.schema.json", &quickeats_bench::load_result::strategies_schema());
}

#[test]
fn a_load_is_true_to_its_schema() {
    let schema: Value = serde_json::from_str(&quickeats_bench::load_result::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut load: Value = serde_json::from_str(include_str!("../rendered/runs/load.json")).unwrap();
    let errors: Vec<String> = validator.iter_errors(&load).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    load["slots"]["offered"] = "many".into();
    assert!(!validator.is_valid(&load));
}

#[test]
fn runs_are_true_to_the_schema() {
    let schema: Value = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let out = tempfile::tempdir().unwrap();
    let folders = [
        run(out.path(), &[]),
        run(out.path(), &["--defect", "check-then-save", "--defect-window", "1ms", "--max-p95", "1ms"]),
        run(out.path(), &["--api", "quickeats-v1"]),
        sample(),
    ];
    for folder in folders {
        let json: Value = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", folder.display());
    }
}

#[test]
fn the_names_that_bind_are_there() {
    let out = tempfile::tempdir().unwrap();
    let folder = run(out.path(), &["--defect", "ignore-if-match", "stale-write"]);
    let json: Value = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    assert_eq!(json["schema"], "quickeats-bench/run@1");
    assert_eq!(json["target"]["kind"], "in-process");
    assert_eq!(json["target"]["defect"], "ignore-if-match");
    for name in
        ["tool_version", "started_at", "duration_ms", "seed", "api", "interrupted", "verdict", "exit_code", "totals"]
    {
        assert!(!json[name].is_null(), "{name}");
    }
    let scenario = &json["scenarios"][0];
    for name in [
        "name",
        "verdict",
        "duration_ms",
        "rounds",
        "rounds_overlapped",
        "rounds_void",
        "requests",
        "status_counts",
        "conditional_requests",
        "precondition_failed",
        "rate_412",
        "lost_updates",
        "duplicate_effects",
        "rate_upper_bound_95",
    ] {
        assert!(!scenario[name].is_null(), "{name}");
    }
    for (group, names) in [
        ("outcomes", &["answered", "not_sent", "unknown"][..]),
        ("latency_us", &["p50", "p90", "p95", "p99", "max", "count"]),
        ("skew_us", &["p50", "p95", "max"]),
    ] {
        for name in names {
            assert!(scenario[group][name].is_u64(), "{group}.{name}");
        }
    }
    for name in ["p50", "p95", "max"] {
        assert!(scenario["arrival_spread_us"][name].is_f64(), "arrival_spread_us.{name}");
    }
    assert!((1..=20).contains(&scenario["arrival_spread_us"]["count"].as_u64().unwrap()));
    let finding = &scenario["findings"][0];
    assert_eq!(finding["kind"], "stale-write-accepted");
    assert_eq!(finding["severity"], "violation");
    assert_eq!(finding["first_round"], 1);
    assert_eq!(finding["count"], 20);
    assert!(finding["sentence"].is_string() && finding["witness"].as_array().unwrap().len() >= 2);
}

#[test]
fn numbers_add_up() {
    let out = tempfile::tempdir().unwrap();
    let result = read_result(&run(out.path(), &[]));
    for scenario in &result.scenarios {
        let outcomes = scenario.outcomes;
        assert_eq!(outcomes.answered + outcomes.not_sent + outcomes.unknown, scenario.requests, "{}", scenario.name);
        if scenario.name == "swarm" {
            continue; // how often each client acts is its own affair
        }
        let contended = scenario.rounds * scenario.contenders;
        assert_eq!(scenario.status_counts.values().sum::<u64>(), contended, "{}", scenario.name);
        assert_eq!(scenario.latency_us.count, contended, "{}", scenario.name);
        assert!(scenario.rounds_overlapped + scenario.rounds_void <= scenario.rounds, "{}", scenario.name);
    }
    assert_eq!(result.totals.requests, result.scenarios.iter().map(|scenario| scenario.requests).sum::<u64>());
    assert_eq!(result.totals.rounds, 20 * result.scenarios.len() as u64);
    let took: u64 = result.scenarios.iter().filter_map(|scenario| scenario.duration_ms).sum();
    assert!((1..=result.duration_ms).contains(&took), "{took} ms of {} ms", result.duration_ms);
}

#[test]
fn a_saved_history_gets_the_same_verdict_again() {
    let out = tempfile::tempdir().unwrap();
    let folders = [run(out.path(), &["--defect", "double-charge"]), sample()];
    for folder in folders {
        let (saved, result) = (read_history(&folder), read_result(&folder));
        let api = Api::parse("history.jsonl", &saved.header.api).unwrap();
        assert_eq!(saved.scenarios.len(), result.scenarios.len());
        for ((line, history), reported) in saved.scenarios.iter().zip(&result.scenarios) {
            let alone: Alone = serde_json::from_value(line.plan["alone"].clone()).unwrap();
            let judgment = judge(history, &api.model, alone);
            let again: Vec<_> = judgment.findings.iter().map(|one| (one.kind, one.count, &one.sentence)).collect();
            let before: Vec<_> = reported.findings.iter().map(|one| (one.kind, one.count, &one.sentence)).collect();
            assert_eq!(again, before, "{}", line.scenario);
            assert_eq!(judgment.verdict(result.fail_on), reported.verdict);
        }
    }
}

#[test]
fn the_sample_shows_a_violation() {
    assert_eq!(read_result(&sample()).verdict, Verdict::Violated);
}

#[test]
fn a_history_that_was_cut_says_where() {
    let text = std::fs::read_to_string(sample().join("history.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let read = |text: &str| jsonl::read(text.as_bytes()).unwrap_err().to_string();
    let cut_between_lines = lines[..lines.len() - 1].join("\n");
    assert!(read(&cut_between_lines).contains("the file ends within scenario"), "{}", read(&cut_between_lines));
    let cut_within_a_line = &text[..text.len() - lines[lines.len() - 1].len() - 40];
    assert!(read(cut_within_a_line).starts_with(&format!("line {}", lines.len() - 1)), "{}", read(cut_within_a_line));
    let one_line_lost = [&lines[..4], &lines[5..]].concat().join("\n");
    assert!(read(&one_line_lost).contains("after"), "{}", read(&one_line_lost));
    assert!(matches!(jsonl::read(&b""[..]).unwrap_err(), ReadError::Malformed { line: 1, .. }));
    assert!(read("{\"schema\":\"other@9\",\"tool_version\":\"\",\"seed\":1,\"api\":\"\"}").contains("other@9"));
}

#[test]
fn verify_derives_every_finding_again_and_names_what_does_not_stand() {
    let out = tempfile::tempdir().unwrap();
    let folder = run(out.path(), &["--defect", "double-charge", "pay-vs-cancel", "double-click-payment", "swarm"]);
    let verify = |folder: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_quickeats-bench")).arg("verify").arg(folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said, _) = verify(&folder);
    assert!(code == Some(0) && said.starts_with("✓ stands:"), "{said}");
    let path = folder.join("run.json");
    let honest = std::fs::read_to_string(&path).unwrap();
    for (from, to, named) in [
        ("\"duplicate-effect\"", "\"lost-update\"", "lost-update does not stand"),
        ("\"duplicate_effects\": ", "\"duplicate_effects\": 9", "`duplicate_effects`"),
        ("\"seed\": ", "\"seed\": 1", "seed"),
        ("sentence\": \"", "sentence\": \"Surely, ", "does not stand as told: `sentence`"),
    ] {
        std::fs::write(&path, honest.replacen(from, to, 1)).unwrap();
        let (code, said, error) = verify(&folder);
        assert!(code == Some(1) && said.contains(named), "{from}: {said}{error}");
    }
    std::fs::write(&path, honest.replacen("run@1", "run@9", 1)).unwrap();
    let (code, _, error) = verify(&folder);
    assert!(code == Some(2) && error.contains("run@9") && error.contains("run@1"), "{error}");
    let (code, _, error) = verify(out.path());
    assert!(code == Some(2) && error.contains("run.json") && error.contains("help"), "{error}");
}

/// A server that stamps no arrivals, or a run of a version that did not ask.
#[test]
fn a_run_without_arrivals_stands_and_one_that_made_them_up_does_not() {
    let out = tempfile::tempdir().unwrap();
    let folder = run(out.path(), &["cancel-vs-accept"]);
    let history = folder.join("history.jsonl");
    let mut silent = String::new();
    for line in std::fs::read_to_string(&history).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(reply) = line.pointer_mut("/outcome/answered").and_then(Value::as_object_mut) {
            assert!(reply.shift_remove("arrived").unwrap().is_u64());
        }
        silent += &line.to_string();
        silent.push('\n');
    }
    std::fs::write(&history, silent).unwrap();
    let verify = || Command::new(env!("CARGO_BIN_EXE_quickeats-bench")).arg("verify").arg(&folder).output().unwrap();
    let refused = verify();
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(refused.status.code() == Some(1) && said.contains("`arrival_spread_us`"), "{said}");
    let mut result: Value = serde_json::from_slice(&std::fs::read(folder.join("run.json")).unwrap()).unwrap();
    assert!(result["scenarios"][0].as_object_mut().unwrap().shift_remove("arrival_spread_us").unwrap().is_object());
    std::fs::write(folder.join("run.json"), result.to_string()).unwrap();
    assert_eq!(read_result(&folder).scenarios[0].arrival_spread_us, None);
    assert_eq!(verify().status.code(), Some(0));
}
