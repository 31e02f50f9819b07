//! The judge against histories with known verdicts, written as time diagrams in `tests/histories`.
//!
//! `bad/KIND--what-happened.txt` must be violated, and its cause be named KIND. `good/what-happened.txt` looks like one of
//! them and is lawful: nothing may be found. Every kind needs both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod anomalies;
mod brute;
mod clients;
mod families;
mod family_anomalies;
mod lost;
mod manners;
mod models;
mod mutated;
mod notation;
mod search;
mod server;
mod simulated;
mod stories;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use notation::Example;
use quickeats_bench::api::{ActionModel, Bounds, Family, Model};
use quickeats_bench::check::{Alone, Finding, Judgment, Kind, Severity, Verdict, judge};
use quickeats_bench::history::{Cause, History, Operation, Outcome, Phase, Verb};

fn examples(folder: &str) -> Vec<(String, Example)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let example = Example::parse(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (name, example)
    };
    files.into_iter().map(read).collect()
}

fn judged(example: &Example) -> Judgment {
    judge(&example.history, &example.api.model, example.alone)
}

#[test]
fn what_is_wrong_is_found_and_named() {
    let mut wrong = Vec::new();
    for (name, example) in examples("bad") {
        let expected = name.split_once("--").unwrap_or_else(|| panic!("{name}: a bad history is named KIND--story")).0;
        let judgment = judged(&example);
        let found = kinds(&judgment);
        if found != [expected] {
            wrong.push(format!("{name}: found {found:?}, doubts {:?}", judgment.doubts));
            continue;
        }
        let finding = &judgment.findings[0];
        assert!(!finding.witness.is_empty() && !finding.sentence.is_empty(), "{name}: {finding:#?}");
        assert_eq!(judgment.verdict(finding.severity), Verdict::Violated, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_lawful_is_left_alone() {
    let mut wrong = Vec::new();
    for (name, example) in examples("good") {
        let judgment = judged(&example);
        if !judgment.findings.is_empty() || !judgment.doubts.is_empty() || judgment.rounds_void != 0 {
            let sentences: Vec<&str> = judgment.findings.iter().map(|finding| finding.sentence.as_str()).collect();
            wrong.push(format!("{name}: found {:?} {sentences:?}, doubts {:?}", kinds(&judgment), judgment.doubts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Somebody may have acted before the look was over, so it tells nothing of how the resource began.
#[test]
fn what_was_there_and_was_looked_at_too_late_is_accused_of_nothing() {
    for history in [
        "api: pads\n* user put [2 20] value b -> 204\n? read [0 3] -> 200 z\nread [30 31] -> 200 b",
        "api: pads\n? read [0 1] -> unknown\n* user put [2 20] value b -> 204\nread [30 31] -> 200 z",
        "api: pausable\n* user resume [2 20] -> 200 running\n? read [0 3] -> 200 running\nread [30 31] -> 200 running",
        "api: pausable\n* user resume [2 20] -> 200 running\n* user#2 resume [2 20] -> 200 running\n? read [0 3] -> 200 running",
        "api: stock\n* user take [2 20] -> 200 4\n? read [0 1] -> unknown\nread [30 31] -> 200 4",
    ] {
        let judgment = judged(&Example::parse(history).unwrap());
        assert_eq!(judgment.findings, [], "{history}");
        assert!(!judgment.doubts.is_empty(), "{history}");
    }
}

fn kinds(judgment: &Judgment) -> Vec<&'static str> {
    judgment.findings.iter().map(|finding| finding.kind.name()).collect()
}

#[test]
fn every_kind_has_an_example() {
    let shown: BTreeSet<String> =
        examples("bad").iter().map(|(name, _)| name.split_once("--").unwrap().0.to_owned()).collect();
    for kind in Kind::ALL {
        assert!(shown.contains(kind.name()), "no example of {kind}");
    }
}

#[test]
fn a_round_that_never_raced_is_void_and_proves_nothing() {
    let example = Example::parse("create [0 1] -> 201 pending_payment v1 \"a\"").unwrap();
    let judgment = judged(&example);
    assert_eq!(judgment.rounds_void, 1);
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive);
}

#[test]
fn someone_elses_write_voids_the_round() {
    let text = r#"
create [0 1] -> 201 pending_payment v1 "a"
* customer cancellation [2 5] if "a" -> 412 stale
* customer cancellation [2 6] if "a" -> 412 stale
read [10 11] -> 200 pending_acceptance v2 "b"
events [12 13] -> payment:pending_payment>pending_acceptance@2
"#;
    let judgment = judged(&Example::parse(text).unwrap());
    assert_eq!((judgment.rounds_void, judgment.findings.len()), (1, 0), "{judgment:#?}");
    assert!(judgment.doubts[0].contains("someone else wrote"), "{judgment:#?}");
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive);
}

#[test]
fn edits_that_may_have_changed_nothing_leave_the_verdict_open() {
    let text = r#"
api: documents
create [0 1] -> 201 draft "r1"
* editor#1 edit [10 20] if "r1" -> 204
* editor#2 edit [10 21] if "r1" -> 204
read [30 31] -> 200 draft "r2"
"#;
    let judgment = judged(&Example::parse(text).unwrap());
    assert!(judgment.findings.is_empty(), "{judgment:#?}");
    assert!(judgment.doubts[0].contains("cannot be told"), "{judgment:#?}");
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive);
}

#[test]
fn a_state_that_the_description_does_not_have_is_a_doubt_and_no_accusation() {
    let text = r#"
create [0 1] -> 201 pending_payment v1 "a"
* customer payment [2 5] if "a" key k -> 200 teleported v2 "b"
read [10 11] -> 200 teleported v2 "b"
"#;
    let judgment = judged(&Example::parse(text).unwrap());
    assert!(judgment.findings.is_empty(), "{judgment:#?}");
    assert!(judgment.doubts[0].contains("teleported"), "{judgment:#?}");
}

#[test]
fn what_cannot_be_told_in_values_or_numbers_is_a_doubt_and_no_accusation() {
    let race = "* user take [10 20] -> 204\n* user#2 take [10 21] -> 204";
    for (text, doubt) in [
        (
            "api: pads\n* user put [10 20] value b -> 204\n* user#2 put [10 21] value c -> 204\nread [30 31] -> 200 x",
            "showed `x`, which nobody in the round wrote",
        ),
        (
            "api: pads\n* user put [10 20] -> 204\n* user#2 put [10 21] value c -> 204\nread [30 31] -> 200 c",
            "what the user's put was to write was not recorded",
        ),
        (
            &format!("api: stock\ncreate [0 1] -> 201\n{race}\nread [30 31] -> 200 3"),
            "nothing shows what the stock held",
        ),
        (
            &format!("api: stock\ncreate [0 1] -> 201 5\n{race}\nread [30 31] -> 200 few"),
            "`few`, which is no whole number",
        ),
        // Only a reply told the first value: nobody knows what was sent.
        (
            "api: notes\ncreate [0 1] -> 201 quick-aaaa \"1\"\n* user put [10 20] value quick-bbbb if \"1\" -> 204\n\
             * user read [10 21] -> 200 quick-bbbbaaaa\nread [30 31] -> 200 quick-bbbb",
            "which nobody in the round wrote",
        ),
        (&format!("api: stock\ncreate [0 1] -> unknown\n{race}\nread [30 31] -> 200 3"), "was not created"),
    ] {
        let judgment = judged(&Example::parse(text).unwrap());
        assert!(judgment.findings.is_empty() && judgment.doubts[0].contains(doubt), "{text}: {judgment:#?}");
        assert_eq!((judgment.trials, judgment.verdict(Severity::Warning)), (0, Verdict::Inconclusive), "{text}");
    }
}

#[test]
fn numbers_too_many_to_be_states_are_judged_by_their_room_alone() {
    let amounts = || (0..13).map(|power| (format!("take{power}"), -(1_i64 << power)));
    for (start, kinds_found) in [(9_000, vec![]), (8_190, vec!["oversell"])] {
        let lines: Vec<String> = amounts()
            .enumerate()
            .map(|(number, (name, _))| format!("* user {name} [10 {}] -> 204", 20 + number))
            .collect();
        let text = format!("api: stock\ncreate [0 1] -> 201 {start}\n{}\nread [90 91] -> 200 1", lines.join("\n"));
        let example = Example::parse(&text).unwrap();
        let mut model = example.api.model.clone();
        model.family = Family::Counter(Bounds { least: Some(0), most: None });
        let take = model.action("take").unwrap().clone();
        model.actions =
            amounts().map(|(name, adds)| ActionModel { name: name.into(), adds: Some(adds), ..take.clone() }).collect();
        let judgment = judge(&example.history, &model, example.alone);
        assert_eq!(kinds(&judgment), kinds_found, "{judgment:#?}");
        assert_eq!(judgment.doubts.is_empty(), start < 9_000, "{judgment:#?}");
    }
}

#[test]
fn the_contract_keeps_its_bounds_beside_an_older_api_that_has_none() {
    let text = "api: shelves\ncreate [0 1] -> 201 1\nuser force [2 3] -> 200 0\n* user take [10 20] -> 200 -1\n\
                * user#2 take [10 21] -> 409 refused\nread [30 31] -> 200 -1";
    assert_eq!(kinds(&judged(&Example::parse(text).unwrap())), ["illegal-transition"]);
}

#[test]
fn what_nobody_made_is_there_once_a_write_of_it_was_acknowledged() {
    let put = "user put [4 5] value a -> 204";
    for (before, is_found) in [
        (put, true),
        ("user del [2 3] -> 204\nuser put [4 5] value a -> 204", true),
        ("user put [2 3] value a -> 204\nuser del [4 5] -> 404 not-found", true),
        ("", false),
        ("user put [4 5] value a -> unknown", false),
        ("user put [4 5] value a -> 409 refused", false),
        ("user put [4 15] value a -> 204", false),
        ("user del [2 3] -> unknown\nuser put [4 5] value a -> 204", false),
        ("user put [2 3] value a -> 204\nuser del [4 5] if \"1\" -> 204", false),
    ] {
        let text = format!(
            "api: pads\n{before}\n* user put [10 20] value b -> 204\n\
             * user#2 put [10 21] value c -> 428 missing-precondition\nread [30 31] -> 200 b"
        );
        let example = Example::parse(&text).unwrap();
        let model = Model { precondition_required: true, ..example.api.model.clone() };
        let judgment = judge(&example.history, &model, Alone::Refused);
        let expected = if is_found { vec!["precondition-not-required"] } else { vec![] };
        assert_eq!(kinds(&judgment), expected, "{text}: {judgment:#?}");
    }
}

#[test]
fn effects_are_told_by_whom_they_were_seen() {
    let charges = |second: &str, key: &str| {
        format!("* user charge [10 20] key k -> 201 effect e1\n* user charge [10 21] key {key} -> 201 effect {second}")
    };
    let one = "* user charge [10 20] key k -> 201 effect e1";
    for (race, ledger, told) in [
        (charges("e2", "k"), "e1", "and the answers name 2 effects of it"),
        (charges("e2", "k"), "e1 e2", "and the wallet now shows 2 effects of it"),
        (one.to_owned(), "e1 e2", "the wallet now shows 2 effects where 1 can be explained"),
        (format!("{}\n{}", charges("e2", "k"), charges("e3", "k2")), "e1", "the answers name 3 effects where 2 can"),
    ] {
        let text = format!("api: wallets\n{race}\neffects [30 31] -> {ledger}");
        let judgment = judged(&Example::parse(&text).unwrap());
        let told_so = |finding: &Finding| finding.sentence.contains(told);
        assert!(judgment.findings.iter().any(told_so), "{text}: {told}: {judgment:#?}");
    }
}

#[test]
fn only_what_leads_to_a_number_is_accused_of_it() {
    let (give, take) = ("* user give [10 20] -> 409 refused", "* user#2 take [10 21] -> 409 refused");
    let took = "* user take [10 20] -> 200 0";
    let keyed = "* user load [10 20] key k1 -> 204\n* user load [10 21] key k1 -> 204\n\
                 * user#2 take [10 22] key k2 -> 204\n* user#2 take [10 23] key k2 -> 204";
    let seen = "* user read [15 25] -> 200 4";
    for (start, race, end, kind, told, accused) in [
        (1, vec![give, take], 0, "rejected-but-applied", "user 2's take was refused (409: refused), yet", vec![2]),
        (1, vec![take, take], 0, "rejected-but-applied", "0: one of them was done", vec![1, 2]),
        (2, vec![take, give, take], 0, "rejected-but-applied", "these together lead there", vec![1, 3]),
        (1, vec![took, give], 1, "acknowledged-then-lost", "or else the user's give was refused", vec![1, 2]),
        (5, vec![keyed], 8, "in-flight-duplicate", "so it was done twice", vec![3, 4]),
        (
            5,
            vec![give, take, seen],
            5,
            "dirty-read",
            "user 2's take was refused (409: refused): it was done",
            vec![2, 3],
        ),
    ] {
        let race = race.join("\n");
        let text = format!(
            "api: sums\ncreate [0 1] -> 201 {start}\n{race}\nread [30 31] -> 200 {end}\nread [32 33] -> 200 {end}"
        );
        let judgment = judged(&Example::parse(&text).unwrap());
        assert_eq!(kinds(&judgment), [kind], "{text}: {judgment:#?}");
        let finding = &judgment.findings[0];
        assert!(finding.sentence.contains(told), "{text}: {}", finding.sentence);
        let mut witness: Vec<u32> = finding.witness.iter().map(|one| one.id.0).collect();
        let is_of_the_race = |id: &u32| *id as usize <= race.lines().count();
        witness.retain(is_of_the_race);
        assert_eq!(witness, accused, "{text}: {}", finding.sentence);
    }
}

/// Two contenders, answered as told, in a race that was observed afterwards.
fn race(first: &str, second: &str) -> Judgment {
    let text = format!(
        "create [0 1] -> 201 pending_payment v1 \"a\"\n\
         * customer payment [10 20] if \"a\" key k -> {first}\n\
         * customer cancellation [10 21] if \"a\" -> {second}\n\
         read [30 31] -> 200 pending_acceptance v2 \"b\"",
    );
    judged(&Example::parse(&text).unwrap())
}

#[test]
fn only_a_round_in_which_something_relevant_was_seen_is_evidence() {
    let won = "200 pending_acceptance v2 \"b\" effect e1";
    assert_eq!(race(won, "412 stale").verdict(Severity::Violation), Verdict::Holds);
    for (first, second) in [
        ("unknown", "unknown"),
        ("timeout", "timeout"),
        ("unknown 500", "unknown 503"),
        ("303 unclear", "303 unclear"),
        (won, "unknown"),
        (won, "not-sent"),
        (won, "302 unclear"),
    ] {
        let judgment = race(first, second);
        assert_eq!(judgment.trials, 0, "{first} and {second}");
        assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive, "{first} and {second}");
    }
}

#[test]
fn rounds_that_nobody_won_are_no_evidence_that_the_server_is_right() {
    let text = "control 1\n\
                create [0 1] -> 201 pending_payment v1 \"a\"\n\
                * customer payment [10 20] if \"a\" key k -> 200 pending_acceptance v2 \"b\" effect e1\n\
                round 1\n\
                create [0 1] -> 201 pending_payment v1 \"a\"\n\
                * customer payment [10 20] if \"a\" key k -> 429 refused\n\
                * customer cancellation [10 21] if \"a\" -> 429 refused\n\
                read [30 31] -> 200 pending_payment v1 \"a\"";
    let judgment = judged(&Example::parse(text).unwrap());
    assert_eq!(kinds(&judgment), ["no-winner"]);
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive);
}

#[test]
fn a_round_that_nobody_looked_at_afterwards_is_no_evidence() {
    let text = "create [0 1] -> 201 pending_payment v1 \"a\"\n\
                * customer payment [10 20] if \"a\" key k -> 200 pending_acceptance v2 \"b\" effect e1\n\
                * customer cancellation [10 21] if \"a\" -> 412 stale\n\
                read [30 31] -> unknown 500";
    assert_eq!(judged(&Example::parse(text).unwrap()).trials, 0);
}

#[test]
fn a_refutation_needs_each_operation_of_its_witness() {
    let mut looked_at = 0;
    for (name, example) in examples("bad") {
        let judgment = judged(&example);
        let finding = &judgment.findings[0];
        if !finding.sentence.starts_with("no order of these answers is lawful") || finding.severity == Severity::Warning
        {
            continue; // direct evidence is not shrunk: its rule names what it needs
        }
        looked_at += 1;
        let refuted = |believed: &[Operation]| {
            let mut operations: Vec<Operation> = example.history.operations().cloned().collect();
            for other in &mut operations {
                let is_believed = believed.iter().any(|one| (one.round, one.id) == (other.round, other.id));
                // How it began is not in question: neither what made it, nor the look at it.
                let is_look = (&other.call.verb, other.phase) == (&Verb::Read, Phase::SetUp);
                if matches!(other.call.verb, Verb::Read | Verb::Act(_)) && !is_look && !is_believed {
                    other.outcome = Outcome::Unknown(Cause::Broken("never mind".to_owned()));
                }
            }
            let judgment = judge(&History::seal(operations), &example.api.model, example.alone);
            judgment.findings.iter().any(|one| one.severity == Severity::Violation)
        };
        assert!(refuted(&finding.witness), "{name}: the witness alone proves nothing");
        for index in 0..finding.witness.len() {
            let mut others = finding.witness.clone();
            let left_out = others.remove(index);
            assert!(!refuted(&others), "{name}: refuted without {:?}", left_out.call.verb);
        }
    }
    assert!(looked_at >= 5, "{looked_at}");
}

#[test]
fn reads_that_lag_by_declaration_are_worth_a_warning_at_most() {
    let text = r#"
api: lagging
alone: refused
create [0 1] -> 201 open v1 "a"
user edit [2 3] if "a" -> 200 open v2 "b"
* user read [4 5] -> 200 open v1 "a"
* user edit [6 10] if "a" -> 412 stale
* user read [6 11] -> 200 open v1 "a"
read [12 13] -> 200 open v1 "a"
read [14 15] -> 200 open v2 "b"
"#;
    let judgment = judged(&Example::parse(text).unwrap());
    assert_eq!((kinds(&judgment), judgment.rounds_violated), (vec!["stale-read"], 0), "{judgment:#?}");
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Holds);
    assert_eq!(judgment.verdict(Severity::Warning), Verdict::Violated);
}

#[test]
fn a_warning_does_not_hide_a_violation_of_the_same_round() {
    let text = r"
api: tips
create [0 1] -> 201 open
* guest tip [10 20] key k payload 1 -> 200 open effect e1
* guest#2 tip [10 21] key k2 payload 2 -> 200 open effect e2
+ guest tip [22 23] key k payload 3 -> 200 open effect e1
read [30 31] -> 200 open
effects [32 33] -> e1
";
    let judgment = judged(&Example::parse(text).unwrap());
    assert_eq!(kinds(&judgment), ["audit-mismatch"], "{judgment:#?}");
    assert_eq!(judgment.findings[0].also, [Kind::KeyReuseAccepted]);
    assert_eq!(judgment.verdict(Severity::Violation), Verdict::Violated);
}
