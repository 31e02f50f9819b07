//! What is typed: limits, contradictions, and files with mistakes in them.

use std::fs;

use super::{Tool, assert_exit, stderr, stdout};

#[test]
fn a_limit_that_is_crossed_is_an_exit_code_of_its_own() {
    let tool = Tool::new();
    let few = ["--seed", "7", "--clients", "8", "--hot", "20%", "--requests", "500", "--duration", "40s"];
    let limited = |limit: &str, code: i32| tool.load(&[&few[..], &["--threshold", limit]].concat(), code);
    let crossed = limited("payment.rate_412<0.1%", 5);
    assert!(crossed.thresholds[0].crossed && crossed.thresholds[0].measured.unwrap() > 0.001);
    let kept = limited("error_rate<50%", 0);
    assert!(!kept.thresholds[0].crossed);
    // It is given up long before its time.
    let aborted = tool.load(
        &[
            "--seed",
            "7",
            "--clients",
            "8",
            "--hot",
            "20%",
            "--duration",
            "60s",
            "--threshold",
            "rate_412<0.01%",
            "--abort-on-fail",
        ],
        5,
    );
    assert!(aborted.stopped.as_ref().unwrap().contains("rate_412<0.01%") && aborted.measured_ms < 40_000);
}

#[test]
fn a_violation_ends_a_load_that_is_to_stop_on_it() {
    let tool = Tool::new();
    let arguments = [
        "--seed",
        "7",
        "--clients",
        "8",
        "--hot",
        "50%",
        "--defect",
        "ignore-if-match",
        "--duration",
        "60s",
        "--stop-on",
        "violated",
    ];
    let result = tool.load(&arguments, 1);
    assert!(result.stopped.as_ref().unwrap().contains("a violation was proven") && result.measured_ms < 40_000);
    // What was judged can be judged again.
    let folder = tool.path().join("reports").join(&result.run_id);
    let output = tool.run(&["check", folder.join("history.jsonl").to_str().unwrap()]);
    assert_exit(&output, 1);
    let kind = result.judged.unwrap().scenario.findings[0].kind;
    assert!(stdout(&output).contains(kind.name()), "{kind}: {}", stdout(&output));
    assert!(fs::read_to_string(folder.join("latency.hdr")).unwrap().contains("Tag=all-from-intended,"));
}

#[test]
fn what_is_to_be_typed_again_is_what_was_typed() {
    let tool = Tool::new();
    let typed = "--clients 8 --requests 2000 --hot 0.3 --seed 7 --think 1000us..2000us --threshold error_rate<50% --abort-on-fail \
                 --stop-on violated --save-all";
    let typed: Vec<&str> = typed.split_whitespace().collect();
    let again = tool.load(&typed, 0).rerun.unwrap().arguments;
    for word in typed.iter().filter(|word| !word.starts_with("1000us")) {
        assert!(again.iter().any(|other| other == word), "{word} is not in {again:?}");
    }
    assert!(again.iter().any(|word| word == "1ms..2ms"), "{again:?}");
    let again: Vec<&str> = again.iter().map(String::as_str).collect();
    assert_eq!(tool.load(&again, 0).rerun.unwrap().arguments, again);
}

#[test]
fn a_history_from_which_rounds_were_left_out_proves_nothing_and_says_why() {
    let tool = Tool::new();
    let checked = |arguments: &[&str], code: i32| {
        let few = ["--seed", "7", "--clients", "8", "--hot", "20%", "--requests", "2000", "--duration", "40s"];
        let result = tool.load(&[&few[..], arguments].concat(), 0);
        let history = tool.path().join("reports").join(&result.run_id).join("history.jsonl");
        let output = tool.run(&["check", history.to_str().unwrap()]);
        assert_exit(&output, code);
        stdout(&output)
    };
    let partial = checked(&[], 3);
    assert!(partial.contains("not saved (`load --save-all` saves them)"), "{partial}");
    let whole = checked(&["--save-all"], 0);
    assert!(!whole.contains("--save-all"), "{whole}");
}

#[test]
fn what_makes_no_sense_is_said_with_a_way_out() {
    let tool = Tool::new();
    fs::write(tool.path().join("mine.toml"), "schema = \"quickeats-bench/traffic@1\"\nname = \"mine\"\napis = [\"quickeats-v2\"]\nsummary = \"\"\n[[journeys]]\nname = \"j\"\nweight = 1\nsteps = [\"pay\"]\n").unwrap();
    for (arguments, expected) in [
        (&["--rate", "5/s"][..], "--duration"),
        (&["--rate", "0/s", "--duration", "1s"], "a rate is"),
        (&["--stage", "5/s"], "30s:0..2000/s"),
        (&["--stage", "1s:0/s"], "less than one request"),
        (&["--poisson"], "--rate or --stage"),
        (&["--warm-up", "10s"], "leaves nothing to measure"),
        (&["--hot", "101%"], "a share is"),
        (&["--threshold", "p95"], "p95<50ms"),
        (&["--threshold", "pay.p95<5ms"], "payment"),
        (&["--traffic", "delivery-dya"], "did you mean `delivery-day`?"),
        (&["http://127.0.0.1:1/", "--defect", "lost-event"], "cannot be used with"),
        (&["--traffic", "mine.toml"], "mine.toml:8"),
        (&["--traffic", "missing.toml"], "cannot be read"),
        (&["--api", "counter.toml"], "cannot be read"),
        (&["--target", "http://192.0.2.1"], "--allow-remote"),
        (&["http://192.0.2.1/"], "--allow-remote"),
        (&["not a url"], "is not a URL"),
        (&["http://127.0.0.1/", "--hot", "5%"], "cannot be used with"),
        (&["--shard", "5/4", "--seed", "7"], "2/4"),
        (&["--shard", "1/4"], "--seed"),
        (&["--shard", "1/4", "--seed", "7"], "--target"),
        (&["--clients", "0"], "1..=20000"),
        (&["--defect", "weak-compare", "--defect-window", "1ms"], "nothing to widen"),
    ] {
        let output = tool.run(&[&["load"], arguments].concat());
        assert_exit(&output, 2);
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(stdout(&output).is_empty(), "{arguments:?}");
    }
}
