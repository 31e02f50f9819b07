//! The real binary, started as a user would start it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use quickeats_bench::history::Method;
use quickeats_bench::run_result::{RunResult, ScenarioResult};
use tempfile::TempDir;

use crate::front::{SECRET, Target};

/// The seed of every run here.
pub(crate) const SEED: &str = "7";

/// How a run ended: what it said, and what it left.
pub(crate) struct Ended {
    output: Output,
    out: TempDir,
}

fn tool() -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    // The platform's trusted roots, where they are files.
    tool.env("SECRET", SECRET).env_remove("SSL_CERT_FILE").env_remove("RUST_BACKTRACE");
    tool
}

/// Races `scenarios` against the target.
pub(crate) fn race(target: &Target, scenarios: &[&str], rounds: u32, delivery: &str) -> Ended {
    let rounds = rounds.to_string();
    let about = ["--target", &target.url, "--jwt-secret-env", "SECRET"];
    let how = ["--rounds", &rounds, "--delivery", delivery, "--fail-on", "warning"];
    let mut command = tool();
    command.arg("race").args(scenarios).args(about).args(how);
    if let Some(trusted) = target.trusted() {
        command.env("SSL_CERT_FILE", trusted);
    }
    run(command)
}

/// Races one scenario against the target, trusting it as `flags` say.
pub(crate) fn race_trusting(target: &Target, flags: &[&str]) -> Ended {
    let mut command = tool();
    command.args(["race", "cancel-vs-accept", "--rounds", "5", "--jwt-secret-env", "SECRET", "--target", &target.url]);
    command.args(flags);
    run(command)
}

/// What a probe of the target tells.
pub(crate) fn probe(target: &Target, arguments: &[&str]) -> Output {
    let mut command = tool();
    command.args(["probe", &target.url]).args(arguments);
    if let Some(trusted) = target.trusted() {
        command.env("SSL_CERT_FILE", trusted);
    }
    command.output().unwrap()
}

/// Races `scenarios` against the service in the binary's own process.
pub(crate) fn race_in_process(scenarios: &[&str], rounds: u32, delivery: &str) -> Ended {
    let rounds = rounds.to_string();
    let mut command = tool();
    command.arg("race").args(scenarios).args(["--rounds", &rounds, "--delivery", delivery, "--fail-on", "warning"]);
    run(command)
}

fn run(mut command: Command) -> Ended {
    let out = tempfile::tempdir().unwrap();
    let output = command.args(["--seed", SEED, "--timeout", "10s", "--out"]).arg(out.path()).output().unwrap();
    Ended { output, out }
}

impl Ended {
    /// Everything said, for messages of failed tests.
    pub(crate) fn said(&self) -> String {
        let [stdout, stderr] = [&self.output.stdout, &self.output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        format!("exit {:?}, seed {SEED}\nstdout:\n{stdout}\nstderr:\n{stderr}", self.output.status.code())
    }

    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.said());
        self
    }

    #[track_caller]
    pub(crate) fn expect_stderr(self, part: &str) -> Self {
        let stderr = String::from_utf8_lossy(&self.output.stderr);
        assert!(stderr.contains(part), "`{part}` is missing\n{}", self.said());
        self
    }

    /// The folder of the run, if it left one.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let mut folders = fs::read_dir(self.out.path()).unwrap().map(|entry| entry.unwrap().path());
        let folder = folders.next();
        assert!(folders.next().is_none(), "one run leaves one folder\n{}", self.said());
        folder
    }

    /// `run.json`.
    pub(crate) fn result(&self) -> RunResult {
        let saved = fs::read_to_string(self.folder().unwrap().join("run.json")).unwrap();
        serde_json::from_str(&saved).unwrap()
    }

    /// Each round was played by one of `methods`, each of which was used.
    #[track_caller]
    pub(crate) fn expect_accounted_for(&self, methods: &[Method]) {
        for scenario in &self.result().scenarios {
            self.expect_played(scenario, methods);
        }
    }

    /// `verify` derives all of it again.
    #[track_caller]
    pub(crate) fn expect_verified(&self) {
        let verified = tool().arg("verify").arg(self.folder().unwrap()).output().unwrap();
        assert!(verified.status.success(), "{}\n{}", String::from_utf8_lossy(&verified.stdout), self.said());
    }

    #[track_caller]
    fn expect_played(&self, scenario: &ScenarioResult, methods: &[Method]) {
        if scenario.name == "swarm" {
            assert_eq!(scenario.deliveries, [], "nobody waits for a gate\n{}", self.said());
            return;
        }
        let played: BTreeMap<Method, u64> =
            scenario.deliveries.iter().map(|delivery| (delivery.method, delivery.rounds)).collect();
        let context = || format!("{}: {played:?}\n{}", scenario.name, self.said());
        assert!(played.keys().eq(methods), "{}", context());
        assert_eq!(played.values().sum::<u64>(), scenario.rounds, "{}", context());
        let sum = |count: fn(&quickeats_bench::run_result::DeliveryResult) -> u64| -> u64 {
            scenario.deliveries.iter().map(count).sum()
        };
        assert_eq!(sum(|delivery| delivery.rounds_overlapped), scenario.rounds_overlapped, "{}", context());
        assert_eq!(sum(|delivery| delivery.trials), scenario.trials, "{}", context());
    }
}
