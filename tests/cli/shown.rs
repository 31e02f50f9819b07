//! What is typed may hold any character, a path above all. None that a terminal would obey is printed as it is.

use crate::{Tool, assert_exit};

/// Colours a terminal, sets its title, turns text around.
const HOSTILE: &str = "a\u{1b}[31m\u{1b}]0;owned\u{7}\u{202e}b";

#[track_caller]
fn assert_harmless(printed: &[u8]) {
    let text = String::from_utf8(printed.to_vec()).unwrap();
    let stray = |one: char| (one.is_control() && one != '\n') || one == '\u{202e}';
    assert!(!text.contains(stray), "{text:?}");
}

#[test]
fn a_hostile_folder_is_spelled_out_wherever_it_is_named() {
    let tool = Tool::new();
    let raced = tool.race(&["cancel-vs-accept", "--out", HOSTILE, "--report", "html,junit,sarif,md,table,json"]);
    assert_exit(&raced, 0);
    let said = String::from_utf8_lossy(&raced.stdout).into_owned();
    assert!(said.contains("Saved in a\\u{1b}[31m") && said.contains("Reports: a\\u{1b}[31m"), "{said}");
    let run = std::fs::read_dir(tool.path().join(HOSTILE)).unwrap().next().unwrap().unwrap().path();
    for file in ["report.html", "junit.xml", "report.sarif", "report.md", "report.txt", "run.json"] {
        assert_harmless(&std::fs::read(run.join(file)).unwrap());
    }
    let run = run.to_str().unwrap();
    for arguments in [
        &["report", run][..],
        &["report", run, "--format", "md,json", "--out", HOSTILE],
        &["verify", run],
        &["history", HOSTILE],
        &["history", HOSTILE, "--format", "json"],
        &["compare", run, run, "--format", "json"],
    ] {
        let output = tool.run(arguments);
        assert_exit(&output, 0);
        assert_harmless(&[raced.stdout.clone(), raced.stderr.clone(), output.stdout, output.stderr].concat());
    }
}

#[test]
fn mistakes_are_told_without_what_a_terminal_would_obey() {
    let tool = Tool::new();
    std::fs::write(tool.path().join(HOSTILE), "").unwrap();
    for arguments in [
        &["report", HOSTILE][..],
        &["verify", HOSTILE],
        &["check", HOSTILE],
        &["history", HOSTILE],
        &["compare", HOSTILE, HOSTILE],
        &["scenarios", "show", HOSTILE],
        &["race", HOSTILE],
        &["race", "--api", HOSTILE],
        &["race", "--out", HOSTILE],
        &["race", "--replay", HOSTILE],
        &["race", "--delivery", HOSTILE],
        &["race", "--max-p95", HOSTILE],
        &["race", "--header", HOSTILE],
        &["race", "--report", "md", "--cacert", HOSTILE, "--target", "https://127.0.0.1:1"],
        &["init", "--from-openapi", HOSTILE],
        &[HOSTILE],
    ] {
        let output = tool.run(arguments);
        assert_exit(&output, 2);
        assert!(!output.stderr.is_empty(), "{arguments:?}");
        assert_harmless(&[output.stdout, output.stderr].concat());
    }
}
