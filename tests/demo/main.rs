//! The demo's promises: it really runs, in both languages, within any width, on any pipe, and says how it went.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Output};

/// Plays the demo as someone would who pipes it into a file.
fn demo(arguments: &[&str], columns: u16) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .arg("demo")
        .args(arguments)
        .env("COLUMNS", columns.to_string())
        .output()
        .unwrap()
}

/// What it says when it ends with this code, within so many columns, and without any escape sequence.
#[track_caller]
fn told(output: &Output, code: i32, columns: usize) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}\n{stderr}");
    assert!(!text.contains('\u{1b}') && stderr.is_empty(), "{stderr}");
    for line in text.lines() {
        let width = console::measure_text_width(line);
        assert!(width <= columns, "{width} of {columns} columns: {line}");
    }
    text
}

#[track_caller]
fn assert_has(text: &str, parts: &[&str]) {
    // Where a line ends depends on its width.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[test]
fn the_whole_story_comes_true_on_a_narrow_pipe() {
    let text = told(&demo(&["--rounds", "60", "--seed", "7"], 60), 0, 60);
    assert_has(
        &text,
        &[
            "Act 1 of 5",
            "PUT /api/v1/orders/example-id {\"status\":\"cancelled\"}",
            "seed 7",
            "lost-update: the ",
            "200 cancelled",
            "200 preparing",
            "UPDATE orders SET status = ?, version = ? │ WHERE id = ? │ return 200",
            "Act 3 of 5",
            "✓ holds in all 60 rounds",
            "412 stale",
            "WHERE id = ? AND version = order.version",
            "Idempotency-Key: example-shared-key",
            "in-flight-duplicate: the customer's payment was sent twice",
            "the ledger shows 2 charges for one payment",
            "the ledger shows 1 charge;",
            "200 replayed",
            "--target http://127.0.0.1:8000",
            "All of it came true: 3 were violated, 2 held.",
        ],
    );
}

#[test]
fn the_whole_story_comes_true_in_korean_on_a_wide_pipe() {
    let text = told(&demo(&["--lang", "ko", "--rounds", "60", "--seed", "8"], 120), 0, 120);
    assert_has(
        &text,
        &[
            "장면 5/5",
            "시드 8",
            "lost-update: the ",
            "이름뿐인 낙관적 락",
            "412 stale",
            "in-flight-duplicate: the customer's payment was sent twice",
            "청구가 2건 있습니다",
            "위반 3건, 정상 2건",
        ],
    );
    assert!(text.lines().any(|line| line.contains("if order.etag") && line.matches('│').count() == 2), "side by side");
}

#[test]
fn one_round_may_not_show_it_and_then_it_says_so() {
    // Of one round nothing much can be said; whichever way it went, the exit code agrees with the words.
    let output = demo(&["--rounds", "1", "--step", "key-looked-up", "--seed", "3"], 80);
    let code = output.status.code().unwrap();
    let text = told(&output, code, 80);
    match code {
        0 => assert_has(&text, &["✗ violated in 1 of 1 round", "All of it came true"]),
        3 => assert_has(&text, &["does not pretend that it did", "Not all of it came true"]),
        other => panic!("{other}: {text}"),
    }
}

#[test]
fn what_it_says_to_type_can_be_typed() {
    let text = told(&demo(&["--rounds", "5", "--step", "conditional-update", "--seed", "3"], 60), 0, 60);
    let typed = text.replace("\\\n", " ");
    let typed = typed.lines().find_map(|line| line.trim().strip_prefix("quickeats-bench race ")).unwrap();
    assert_eq!(typed.split_whitespace().collect::<Vec<_>>(), ["cancel-vs-accept", "--rounds", "5", "--seed", "3"]);
    let folder = tempfile::tempdir().unwrap();
    let raced = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .arg("race")
        .args(typed.split_whitespace())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(raced.status.code(), Some(0), "{raced:?}");
}

#[test]
fn unknown_acts_and_languages_are_usage_errors_that_name_the_known_ones() {
    for (arguments, known) in [(["--step", "act-6"], "key-claimed"), (["--lang", "de"], "ko")] {
        let output = demo(&arguments, 80);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(known));
    }
}
