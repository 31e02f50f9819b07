//! The tool as a user runs it, in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) struct Tool {
    folder: tempfile::TempDir,
}

impl Tool {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("RUST_BACKTRACE").output().unwrap()
    }

    /// What it says on stdout, and on stderr, when it ends with this code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stdout}\n{stderr}");
        (stdout, stderr)
    }

    #[track_caller]
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        self.exits(0, arguments).0
    }

    /// What a mistake on the command line, or in a file it names, is answered with.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let (stdout, stderr) = self.exits(2, arguments);
        assert!(stdout.is_empty(), "{stdout}");
        stderr
    }
}
