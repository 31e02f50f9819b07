//! What `load` promises: it counts what it does, it finds what is wrong, and it does not blame what is right.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod counted;
mod found;
mod frozen;
mod pages;
mod registers;
#[path = "../serving/mod.rs"]
mod serving;
mod shards;
mod typed;

use std::path::Path;
use std::process::{Command, Output};

use quickeats_bench::load_result::LoadResult;

/// Runs the tool as a user would, in a folder of its own.
struct Tool {
    folder: tempfile::TempDir,
}

impl Tool {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("RUST_BACKTRACE")
            .env_remove("GITHUB_ACTIONS");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Loads, and reads what is printed.
    #[track_caller]
    fn load(&self, arguments: &[&str], code: i32) -> LoadResult {
        let output = self.run(&[&["load", "--format", "json", "--quiet"], arguments].concat());
        assert_exit(&output, code);
        serde_json::from_slice(&output.stdout).unwrap()
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
    let said = stdout(output).chars().take(3_000).collect::<String>();
    assert_eq!(output.status.code(), Some(code), "{said}\n{}", stderr(output));
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
}

/// All that was offered is accounted for, by all and by kind.
#[track_caller]
fn assert_adds_up(result: &LoadResult) {
    assert!(result.slots.add_up() && result.warm_up.add_up(), "{:?}", result.slots);
    let sum =
        |of: fn(&quickeats_bench::load_result::RequestFigures) -> u64| result.requests.iter().map(of).sum::<u64>();
    let slots = &result.slots;
    assert_eq!(sum(|one| one.sent), slots.sent);
    assert_eq!(sum(|one| one.answered), slots.answered);
    assert_eq!(sum(|one| one.failed), slots.failed);
    assert_eq!(sum(|one| one.unknown), slots.unknown);
    assert_eq!(sum(|one| one.achieved), result.all.achieved);
    assert_eq!(result.all.sent, slots.sent);
    // Every answer has a status; of what is unknown, some has.
    let with_status = result.status_counts.values().sum::<u64>();
    assert!((slots.answered..=slots.answered + slots.unknown).contains(&with_status), "{with_status} of {slots:?}");
    if let Some(judged) = &result.judged {
        assert!(judged.good <= result.all.achieved, "{} of {}", judged.good, result.all.achieved);
    }
    let seconds: u64 = result.seconds.iter().map(|second| second.offered).sum();
    assert_eq!(seconds, result.slots.offered + result.warm_up.offered);
}
