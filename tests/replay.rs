//! A saved run is played again: the same rounds, whatever comes of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use quickeats_bench::run_result::{Method, RunResult};

fn tool(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

/// Races, and returns the run's folder.
fn race(folder: &Path, out: &str, arguments: &[&str]) -> (PathBuf, Output) {
    let output = tool(folder, &[&["race", "--out", out, "--quiet"], arguments].concat());
    let mut runs = std::fs::read_dir(folder.join(out)).unwrap();
    (runs.next().unwrap().unwrap().path(), output)
}

/// How the volleys of a run were to be delivered, line by line.
fn plan(run: &Path) -> Vec<String> {
    let history = std::fs::read_to_string(run.join("history.jsonl")).unwrap();
    let volleys = history.lines().filter(|line| line.starts_with("{\"method\""));
    volleys.map(|line| line.split(",\"left\"").next().unwrap().to_owned()).collect()
}

fn result(run: &Path) -> RunResult {
    serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap()
}

#[test]
fn the_rounds_of_a_run_are_played_again() {
    let folder = tempfile::tempdir().unwrap();
    let service = ["--defect", "check-then-save", "--defect-window", "1ms", "--latency", "acceptance=2ms"];
    let named = ["cancel-vs-accept", "stale-write", "--rounds", "60", "--seed", "9", "--sweep"];
    let (first, output) = race(folder.path(), "first", &[&named[..], &service].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let plan_of_first = plan(&first);
    assert_eq!(plan_of_first.len(), 120);
    assert!(plan_of_first.iter().all(|line| line.contains("\"planned\":")), "{plan_of_first:?}");
    let scenario = &result(&first).scenarios[0];
    let mut methods: Vec<Method> = scenario.deliveries.iter().map(|delivery| delivery.method).collect();
    methods.sort_unstable();
    assert_eq!(methods, Method::ALL, "the service speaks HTTP/1.1 and HTTP/2");
    assert_eq!(scenario.deliveries.iter().map(|delivery| delivery.rounds).sum::<u64>(), 60);
    let [delays] = &scenario.delays[..] else { panic!("{:?}", scenario.delays) };
    assert_eq!((delays.of.as_str(), delays.after.as_str()), ("acceptance", "cancellation"));
    assert!(said(&output).contains("by delay of acceptance after cancellation"), "{}", said(&output));

    let replayed = ["--replay", first.to_str().unwrap()];
    let (second, output) = race(folder.path(), "second", &[&replayed[..], &service].concat());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", said(&output));
    assert_eq!(plan(&second), plan_of_first);
    assert_eq!(result(&second).seed, 9);
    for run in [first, second] {
        let verified = tool(folder.path(), &["verify", run.to_str().unwrap()]);
        assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    }
}

#[test]
fn what_cannot_be_played_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/sample");
    let sample = sample.to_str().unwrap();
    for (arguments, expected) in [
        (&["--replay", "nowhere"][..], "name the folder that `race` saved its run in"),
        (&["--replay", sample, "double-pickup"], "scenario `double-pickup` has no rounds in the run"),
        (&["--replay", sample, "--seed", "7"], "cannot be used with '--seed <N>'"),
        (&["--replay", sample, "--sweep"], "cannot be used with '--sweep'"),
    ] {
        let output = tool(folder.path(), &[&["race"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}
