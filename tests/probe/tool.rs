//! The tool as a user runs it, and outputs with what differs from run to run left out.

use std::path::Path;
use std::process::{Command, Output};

use quickeats_bench::init;
use quickeats_bench::scenario::ModelKind;
use regex::Regex;

/// Runs the tool in the repository's folder.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

/// The tool, not started yet.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("RUST_BACKTRACE");
    command
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
pub(crate) fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", stdout(output), stderr(output));
    assert!(!stderr(output).contains("panicked"), "{}", stderr(output));
}

#[track_caller]
pub(crate) fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

/// Words, ids, tags, ports and times by names.
pub(crate) fn steady(text: &str) -> String {
    let uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let rules = [
        (uuid, "WORD"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r#""[0-9a-f]{32}""#, "\"TAG\""),
        (r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "TIME"),
    ];
    rules
        .iter()
        .fold(text.to_owned(), |text, (rule, name)| Regex::new(rule).unwrap().replace_all(&text, *name).into_owned())
}

/// What `init --model` writes, with some of its text changed, as a file of its own.
pub(crate) fn skeleton(folder: &Path, model: ModelKind, changes: &[(&str, &str)]) -> String {
    write(folder, "mine", init::skeleton(model, "mine").description, changes)
}

/// A shipped description with some of its text changed, as a file of its own.
pub(crate) fn changed(folder: &Path, name: &str, changes: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/apis").join(format!("{name}.toml"));
    write(folder, name, std::fs::read_to_string(file).unwrap(), changes)
}

fn write(folder: &Path, name: &str, mut text: String, changes: &[(&str, &str)]) -> String {
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
