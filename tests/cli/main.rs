//! The command line's promises: exit codes, what goes where, and errors that say what to do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod loads;
mod scenarios;
mod scripts;
#[path = "../serving/mod.rs"]
mod serving;
mod shown;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use quickeats_bench::run_result::RunResult;

/// Runs the tool as a user would, in a folder of its own.
struct Tool {
    folder: tempfile::TempDir,
}

impl Tool {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_BACKTRACE")
            .env_remove("GITHUB_ACTIONS")
            .output()
            .unwrap()
    }

    /// Races a few rounds; what the run says goes with a failed assertion.
    fn race(&self, arguments: &[&str]) -> Output {
        self.run(&[&["race", "--rounds", "20", "--seed", "7"], arguments].concat())
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(output), stderr(output));
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
}

#[track_caller]
fn assert_usage_error(output: &Output, parts: &[&str]) {
    assert_exit(output, 2);
    for part in parts {
        assert!(stderr(output).contains(part), "`{part}` is missing in:\n{}", stderr(output));
    }
    assert_eq!(stdout(output), "", "an error is no answer");
}

#[test]
fn a_sound_service_exits_0_and_the_answer_comes_first() {
    let output = Tool::new().race(&[]);
    assert_exit(&output, 0);
    assert!(stdout(&output).starts_with("✓ holds: 21 of 21 scenarios"), "{}", stdout(&output));
}

#[test]
fn a_violation_exits_1_and_shows_who_said_what_when() {
    let output = Tool::new().race(&["--defect", "check-then-save", "--defect-window", "1ms", "cancel-vs-accept"]);
    assert_exit(&output, 1);
    let report = stdout(&output);
    assert!(report.starts_with("✗ violated: 1 of 1 scenario"), "{report}");
    for part in [
        "lost-update in cancel-vs-accept",
        "customer's cancellation was acknowledged (200: cancelled, version 3)",
        "restaurant's acceptance was acknowledged (200: preparing, version 3)",
        "the server now says",
        "/cancellation\n",
        "if version is \"",
        "→ 200: cancelled, version 3 (let go ",
    ] {
        assert!(
            report.contains(part) || report.replace("\n  ", " ").contains(part),
            "`{part}` is missing in:\n{report}"
        );
    }
}

#[test]
fn version_1_is_violated_by_design() {
    let output = Tool::new().race(&["--api", "quickeats-v1"]);
    assert_exit(&output, 1);
    assert!(stdout(&output).contains("lost-update in v1-cancel-vs-accept"), "{}", stdout(&output));
}

#[test]
fn too_little_seen_exits_3() {
    // A scenario whose contenders are refused even alone proves nothing about races.
    let tool = Tool::new();
    let scenario = tool.run(&["scenarios", "show", "cancel-vs-accept"]);
    let refused = stdout(&scenario).replace("\"cancellation\"", "\"cancellation\"\nbody = { reason = 7 }");
    std::fs::write(tool.path().join("refused.toml"), refused).unwrap();
    let output = tool.race(&["refused.toml"]);
    assert_exit(&output, 3);
    assert!(stdout(&output).contains("alone, nothing racing, should be accepted"), "{}", stdout(&output));
}

#[test]
fn a_target_that_is_not_there_exits_4_and_says_what_to_check() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let output = Tool::new().race(&["--target", &url]);
    assert_exit(&output, 4);
    assert!(stderr(&output).contains(&format!("{url} cannot be raced")), "{}", stderr(&output));
    assert!(stderr(&output).contains("is the server running"), "{}", stderr(&output));
}

#[test]
fn a_crossed_threshold_exits_5_and_names_it() {
    let tool = Tool::new();
    let output = tool.race(&["--max-p95", "1us", "cancel-vs-accept"]);
    assert_exit(&output, 5);
    assert!(stdout(&output).contains("threshold crossed --max-p95 1 µs"), "{}", stdout(&output));
    let output = tool.race(&["--max-412-rate", "0.1", "cancel-vs-accept"]);
    assert_exit(&output, 5);
    assert!(stdout(&output).contains("50 % in cancel-vs-accept"), "{}", stdout(&output));
}

#[test]
fn kept_thresholds_exit_0_and_stale_tokens_sent_on_purpose_do_not_count() {
    let output = Tool::new().race(&["--max-p95", "5s", "--max-412-rate", "0.6", "stale-write", "cancel-vs-accept"]);
    assert_exit(&output, 0);
    assert!(stdout(&output).contains("threshold kept --max-412-rate 60 %: at most 50 %"), "{}", stdout(&output));
}

#[test]
fn a_violation_outranks_a_crossed_threshold() {
    let output = Tool::new().race(&["--defect", "ignore-if-match", "stale-write", "--max-p95", "1us"]);
    assert_exit(&output, 1);
}

#[test]
fn json_is_alone_on_stdout_and_equals_the_saved_run() {
    let tool = Tool::new();
    let output = tool.race(&["--format", "json", "cancel-vs-accept"]);
    assert_exit(&output, 0);
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    let saved = std::fs::read(tool.path().join("reports").join(&result.run_id).join("run.json")).unwrap();
    assert_eq!(output.stdout, saved);
    assert_eq!((result.seed, result.exit_code, result.api.as_str()), (7, 0, "quickeats-v2"));
}

#[test]
fn quiet_means_nothing_on_stderr() {
    let output = Tool::new().race(&["--quiet", "cancel-vs-accept"]);
    assert_exit(&output, 0);
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_pipe_gets_no_escape_sequences() {
    let output = Tool::new().race(&["--defect", "ignore-if-match", "stale-write"]);
    assert_exit(&output, 1);
    assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b));
}

#[test]
fn unknown_names_suggest_the_nearest() {
    let tool = Tool::new();
    assert_usage_error(&tool.race(&["cancel-v-accept"]), &["unknown scenario", "did you mean `cancel-vs-accept`?"]);
    assert_usage_error(&tool.race(&["--defect", "check-then-safe"]), &["check-then-save"]);
    assert_usage_error(&tool.race(&["--api", "quickeats-v3"]), &["unknown API", "did you mean `quickeats-v"]);
    assert_usage_error(&tool.run(&["scenarios", "show", "stale-wrote"]), &["did you mean `stale-write`?"]);
    assert_usage_error(&tool.race(&["banana"]), &["unknown scenario `banana`", "double-pickup"]);
}

#[test]
fn malformed_files_are_placed() {
    let tool = Tool::new();
    let write = |name: &str, text: &str| std::fs::write(tool.path().join(name), text).unwrap();
    let valid = stdout(&tool.run(&["scenarios", "show", "cancel-vs-accept"]));
    write("broken.toml", &valid.replace("alone = \"applied\"", "alone = = \"applied\""));
    assert_usage_error(&tool.race(&["broken.toml"]), &["broken.toml:9:"]);
    write("action.toml", &valid.replace("\"acceptance\"", "\"acceptence\""));
    let parts = ["no action `acceptence`", "action.toml:16:10 (contenders.action)", "did you mean `acceptance`?"];
    assert_usage_error(&tool.race(&["action.toml"]), &parts);
    write("state.toml", &valid.replace("\"pending_acceptance\"", "\"pending_acceptence\""));
    assert_usage_error(&tool.race(&["state.toml"]), &["(start)", "did you mean `pending_acceptance`?"]);
    write("api.toml", "schema = \"quickeats-bench/api@1\"\nname = 7\n");
    assert_usage_error(&tool.race(&["--api", "api.toml", "cancel-vs-accept"]), &["api.toml:2:8 (name)"]);
    write("start.toml", &valid.replace("\"pending_acceptance\"", "\"preparing\""));
    assert_usage_error(
        &tool.race(&["start.toml"]),
        &["`cancellation` is not allowed in `preparing`", "start.toml:13:10"],
    );
    std::fs::create_dir(tool.path().join("folder.toml")).unwrap();
    assert_usage_error(&tool.race(&["folder.toml"]), &["folder.toml is not a file"]);
    write("huge.toml", &"#".repeat((1 << 20) + 1));
    assert_usage_error(&tool.race(&["huge.toml"]), &["huge.toml has 1048577 bytes"]);
    assert_usage_error(&tool.race(&["no-such.toml"]), &["no-such.toml cannot be read"]);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let tool = Tool::new();
    let local = "http://127.0.0.1:1";
    assert_usage_error(&tool.race(&["--target", local, "--defect", "double-charge"]), &["--defect"]);
    assert_usage_error(&tool.race(&["--target", local, "--latency", "1ms"]), &["--latency"]);
    assert_usage_error(&tool.race(&["--defect-window", "1ms"]), &["--defect"]);
    let widened = ["--defect", "ignore-if-match", "--defect-window", "1ms"];
    assert_usage_error(&tool.race(&widened), &["`ignore-if-match` is no gap", "nothing to widen"]);
    assert_usage_error(&tool.run(&[&["serve", "--addr", "127.0.0.1:0"][..], &widened].concat()), &["nothing to widen"]);
    let locked = ["--defect", "check-then-save", "--strategy", "pessimistic"];
    assert_usage_error(&tool.race(&locked), &["check-then-save is a mistake of a service that takes no lock"]);
    for (flags, expected) in [
        (["--retention", "60s", "--store", "sqlite:orders.db"], ["--retention", "--store memory"]),
        (["--retention", "60s", "--idempotency-store", "redis://127.0.0.1:1"], ["--retention", "--store memory"]),
        (["--retention", "0s", "--store", "memory"], ["--retention", "longer than nothing"]),
    ] {
        assert_usage_error(&tool.run(&[&["serve", "--addr", "127.0.0.1:0"][..], &flags].concat()), &expected);
    }
    let open = ["serve", "--addr", "127.0.0.1:0", "--defect", "others-orders"];
    assert_usage_error(&tool.run(&open), &["others-orders is a mistake about who may act", "--auth jwt"]);
    assert_usage_error(&tool.race(&["--api", "quickeats-v1", "stale-write"]), &["is for quickeats-v2"]);
    assert_usage_error(&tool.race(&["v1-double-pay", "stale-write"]), &["is for quickeats-v2, not for `quickeats-v1`"]);
    assert_usage_error(&tool.race(&["stale-write", "stale-write"]), &["named twice"]);
    let v1_defect = ["--api", "quickeats-v1", "--defect", "double-charge"];
    assert_usage_error(&tool.race(&v1_defect), &["a mistake of quickeats-v2, and `quickeats-v1` is raced"]);
    let own =
        include_str!("../../scenarios/apis/quickeats-v2.toml").replace("name = \"quickeats-v2\"", "name = \"mine\"");
    std::fs::write(tool.path().join("mine.toml"), own).unwrap();
    let scenario =
        include_str!("../../scenarios/stale-write.toml").replace("apis = [\"quickeats-v2\"]", "apis = [\"mine\"]");
    std::fs::write(tool.path().join("race.toml"), scenario).unwrap();
    assert_usage_error(&tool.race(&["--api", "mine.toml", "race.toml"]), &["does not speak `mine`", "--target"]);
    for (flag, value, part) in [
        ("--rounds", "0", "--rounds"),
        ("--parallel", "0", "--parallel"),
        ("--parallel", "257", "--parallel"),
        ("--rounds", "9999999999", "--rounds"),
        ("--contenders", "1", "--contenders"),
        ("--duration", "0s", "more time than none"),
        ("--duration", "60", "a number and a unit"),
        ("--delivery", "body", "barrier, head, tail"),
        ("--until", "violation", "write violated, or confidence=99%,rate=1%"),
        ("--until", "confidence=99%", "write violated, or confidence=99%,rate=1%"),
        ("--until", "confidence=99,rate=1%", "as in confidence=99%"),
        ("--until", "confidence=99%,rate=1%", "takes 459 rounds that tell of no violation, and --rounds 20 are fewer"),
        ("--timeout", "0s", "between 1ms and 60s"),
        ("--timeout", "5", "a number and a unit"),
        ("--latency", "accept=3ms", "there is no action `accept`"),
        ("--latency", "acceptance", "a number and a unit"),
        ("--latency", "5s", "given up after 5s"),
        ("--max-412-rate", "60", "from 0 to 1"),
        ("--max-412-rate", "NaN", "from 0 to 1"),
        ("--fail-on", "everything", "warning"),
        ("--seed", "-1", "--seed"),
        ("--format", "yaml", "json"),
    ] {
        assert_usage_error(&tool.race(&[flag, value]), &[part]);
    }
}

#[test]
fn a_target_that_is_not_on_this_machine_needs_a_word_more() {
    let output = Tool::new().race(&["--target", "http://192.0.2.1:8000"]);
    assert_usage_error(&output, &["not on this machine", "--allow-remote"]);
    for url in ["localhost:8000", "ftp://127.0.0.1", "http://user:secret@127.0.0.1", "nonsense"] {
        let output = Tool::new().race(&["--target", url]);
        assert_usage_error(&output, &["--target"]);
        assert!(!stderr(&output).contains("secret"));
    }
}

#[test]
fn a_report_folder_that_cannot_be_made_is_named() {
    let tool = Tool::new();
    std::fs::write(tool.path().join("file"), "").unwrap();
    let output = tool.race(&["--out", "file/below", "cancel-vs-accept"]);
    assert_usage_error(&output, &["file/below", "--out"]);
}

#[test]
fn serve_says_what_it_serves_answers_and_stops_when_asked() {
    let mut service = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .args(["serve", "--addr", "127.0.0.1:0", "--defect", "check-then-save", "--defect-window", "1ms"])
        .args(["--latency", "acceptance=50us"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.next().unwrap().rsplit_once("http://").unwrap().1.to_owned();
    let latency = lines.find(|line| line.contains("latency")).unwrap();
    assert!(latency.ends_with(" acceptance=50µs"), "{latency}");
    let defect = lines.find(|line| line.contains("defect")).unwrap();
    assert!(defect.contains("check-then-save") && defect.contains("widened by 1.00 ms"), "{defect}");
    let mut connection = TcpStream::connect(&address).unwrap();
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let raced = Tool::new().race(&["--target", &format!("http://{address}"), "cancel-vs-accept"]);
    assert_exit(&raced, 1);
    // The same seed once more: nothing of the first run may stand in the way of the second.
    for _ in 0..2 {
        let again = Tool::new().race(&["--target", &format!("http://{address}"), "duplicate-payment", "stale-write"]);
        assert_exit(&again, 0);
    }
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", service.id())]).status().unwrap().success());
    assert_eq!(service.wait().unwrap().code(), Some(0));
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_usage_error(&Tool::new().run(&["serve", "--addr", &address]), &[&address, "--addr"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    for arguments in [&["race", "--rounds", "2", "cancel-vs-accept"][..], &["scenarios"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
            .args(arguments)
            .current_dir(folder.path())
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_exit(&output, 2);
        assert!(stderr(&output).contains("the answer cannot be written to stdout"), "{}", stderr(&output));
    }
}

#[test]
fn header_values_of_a_description_stay_out_of_the_history() {
    let tool = Tool::new();
    let secret = include_str!("../../scenarios/apis/quickeats-v2.toml").replace(
        "X-Actor = \"customer:{person}\"",
        "X-Actor = \"customer:{person}\", Authorization = \"Bearer hunter2\"",
    );
    std::fs::write(tool.path().join("secret.toml"), secret).unwrap();
    let output = tool.race(&["--api", "secret.toml", "cancel-vs-accept", "--format", "json"]);
    assert_exit(&output, 0);
    let result: RunResult = serde_json::from_slice(&output.stdout).unwrap();
    let history =
        std::fs::read_to_string(tool.path().join("reports").join(&result.run_id).join("history.jsonl")).unwrap();
    assert!(history.contains("Authorization = \\\"(masked)\\\""), "{}", &history[..2_000]);
    assert!(!history.contains("hunter2") && !stdout(&output).contains("hunter2"));
}

#[test]
fn a_list_that_cannot_be_read_leaves_the_verdict_open() {
    let tool = Tool::new();
    let typo = include_str!("../../scenarios/apis/quickeats-v2.toml").replace("{id}/payments", "{id}/paymentz");
    std::fs::write(tool.path().join("typo.toml"), typo).unwrap();
    let output = tool.race(&["--api", "typo.toml", "cancel-vs-accept"]);
    assert_exit(&output, 3);
    assert!(stdout(&output).contains("the list of effects cannot be read"), "{}", stdout(&output));
}

#[test]
fn help_documents_every_exit_code() {
    let tool = Tool::new();
    for arguments in [&["--help"][..], &["race", "--help"], &["race", "-h"]] {
        let output = tool.run(arguments);
        assert_exit(&output, 0);
        let help = stdout(&output);
        for code in ["  0 ", "  1 ", "  2 ", "  3 ", "  4 ", "  5 ", "  130 "] {
            assert!(help.contains(code), "{code} is missing in {arguments:?}:\n{help}");
        }
    }
    let readme = include_str!("../../README.md");
    for code in [0, 1, 2, 3, 4, 5, 130] {
        assert!(readme.contains(&format!("| {code} |")), "the README does not document exit code {code}");
    }
}

#[test]
fn no_arguments_at_all_is_a_usage_error_with_help() {
    let output = Tool::new().run(&[]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("Usage:"), "{}", stderr(&output));
}

#[test]
fn a_race_says_how_long_the_services_actions_took() {
    let tool = Tool::new();
    let slow = ["--latency", "2ms", "--latency", "acceptance=1ms"];
    let race = [&["race", "--rounds", "5", "--seed", "7", "cancel-vs-accept", "--format", "json"][..], &slow].concat();
    let output = tool.run(&race);
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["target"]["service"]["latency"], serde_json::json!(["2ms", "acceptance=1ms"]));
    let latency = &result["scenarios"][0]["latency_us"];
    assert!(latency["p50"].as_u64().unwrap() >= 1_000, "{latency}");
    let raced = tool.run(&[&["race", "--rounds", "5", "--seed", "7", "cancel-vs-accept"][..], &slow].concat());
    assert!(stdout(&raced).contains("in-process, latency 2ms, acceptance=1ms"), "{}", stdout(&raced));
}

#[test]
fn a_race_keeps_its_orders_in_the_store_that_is_named() {
    let tool = Tool::new();
    // The second time the tables are there already, with the first run's orders and keys: hence another seed.
    for seed in ["7", "8"] {
        let race = ["race", "--store", "sqlite:orders.db", "--rounds", "20", "--seed", seed, "cancel-vs-accept"];
        assert_exit(&tool.run(&race), 0);
    }
    assert!(tool.path().join("orders.db").exists());
}

#[test]
fn a_store_that_cannot_be_had_is_named_without_its_password() {
    let tool = Tool::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    let store = format!("postgres://ann:hunter2@127.0.0.1:{port}/orders");
    for arguments in [["race", "--store", &store], ["serve", "--store", &store]] {
        let output = tool.run(&arguments);
        assert_exit(&output, 4);
        let said = stderr(&output);
        assert!(said.contains(&format!("postgres://127.0.0.1:{port}/orders")), "{said}");
        assert!(said.contains("cannot be opened"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    // A text that is no store may hold a password, too.
    let mistyped = tool.run(&["race", "--store", "postgre://ann:hunter2@127.0.0.1/orders"]);
    assert_usage_error(&mistyped, &["sqlite:PATH"]);
    let both = tool.run(&["race", "--store", "memory", "--target", "http://127.0.0.1:1"]);
    assert_usage_error(&both, &["--store", "--target"]);
}
