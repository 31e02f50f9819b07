//! What strangers record never panics, and what is wrong is told with its line.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use quickeats_bench::check::linear::Budget;
use quickeats_bench::check::{RecordedModel, Verdict, judge_recorded};
use quickeats_bench::history::foreign::{Recorded, edn, jepsen_log};

const LOG: &str = "INFO  jepsen.util - 0\t:invoke\t:write\t4\n\
                   INFO  jepsen.util - 1\t:invoke\t:cas\t[4 2]\n\
                   INFO  jepsen.util - :nemesis\t:info\t:start\tnil\n\
                   INFO  jepsen.util - 0\t:ok\t:write\t4\n\
                   INFO  jepsen.util - 1\t:fail\t:cas\t[4 2]\n\
                   INFO  jepsen.util - 2\t:invoke\t:read\tnil\n\
                   INFO  jepsen.util - 2\t:ok\t:read\t4\n\
                   INFO  jepsen.util - 3\t:invoke\t:write\t1\n\
                   INFO  jepsen.util - 3\t:info\t:write\t:timed-out\n";
const EDN: &str = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x 0 0 y\"}\n\
                   {:process 1, :type :invoke, :f :get, :key \"0\", :value nil, :time 12}\n\
                   {:process 0, :type :ok, :f :append, :key \"0\", :value \"x 0 0 y\"}\n\
                   {:process :nemesis, :type :info, :f :start, :value [1 2]}\n\
                   {:process 1, :type :ok, :f :get, :key \"0\", :value \"\"}\n\
                   {:process 1, :type :invoke, :f :put, :key \"1\", :value \"\\\"a\\n[[{{\"}\n\
                   {:process 1, :type :info, :f :put, :key \"1\", :value nil, :error :timeout}\n";

fn config() -> Config {
    let cases = std::env::var("STRANGER_CASES").map_or(1_000, |cases| cases.parse().unwrap());
    Config { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

fn verdict(recorded: &Recorded, model: RecordedModel) -> Option<Verdict> {
    judge_recorded(&recorded.exchanges, model, &Budget::steps(100_000), 1).ok().map(|judgment| judgment.verdict())
}

#[test]
fn undamaged_histories_are_read_whole() {
    let (log, edn) = (jepsen_log::read(LOG), edn::read(EDN));
    assert_eq!((log.damage.as_ref(), edn.damage.as_ref()), (None, None));
    assert_eq!((log.exchanges.len(), edn.exchanges.len()), (4, 3));
    assert_eq!(verdict(&log, RecordedModel::Register), Some(Verdict::Holds));
    assert_eq!(verdict(&edn, RecordedModel::KeyValue), Some(Verdict::Holds));
}

#[test]
fn a_history_without_an_answer_proves_nothing() {
    let unanswered = "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x\"}";
    assert_eq!(verdict(&edn::read(unanswered), RecordedModel::KeyValue), Some(Verdict::Inconclusive));
    assert_eq!(verdict(&edn::read(""), RecordedModel::KeyValue), Some(Verdict::Inconclusive));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let cases = [
        ("{:process 0, :type :invoke", 1, "EDN"),
        ("\n\n[1 2]", 3, "a map"),
        ("{:process 0, :type :start, :f :get}", 1, ":invoke, :ok, :fail or :info"),
        ("{:process 0, :type :ok, :f :get, :key \"1\", :value \"\"}", 1, "an :invoke of process 0"),
        ("{:process 0, :type :invoke, :f :get} {}", 1, "one form a line"),
        ("{:type :invoke, :f :get}", 1, "`:process`"),
    ];
    for (text, line, expected) in cases {
        let damage = edn::read(text).damage.unwrap();
        assert_eq!(damage.line, line, "{damage}");
        assert!(damage.to_string().contains(expected), "{damage}");
    }
    let deep = format!("{{:process 0, :type :invoke, :f :get, :value {}}}", "[".repeat(1_000_000));
    assert!(edn::read(&deep).damage.unwrap().to_string().contains("nested"));
    let twice = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n".repeat(2);
    let damage = jepsen_log::read(&twice).damage.unwrap();
    assert_eq!(damage.line, 2);
    assert!(damage.found.contains("line 1"), "{damage}");
}

#[test]
fn an_operation_that_the_model_does_not_have_is_told_with_its_line() {
    let recorded = jepsen_log::read("INFO  jepsen.util - 0\t:invoke\t:enqueue\t7\n");
    let error = judge_recorded(&recorded.exchanges, RecordedModel::Register, &Budget::steps(1), 1).unwrap_err();
    assert!(error.line == 1 && error.to_string().contains(":enqueue"), "{error}");
}

/// A slip in `text`: something cut out, doubled, or put in.
fn slipped(text: &'static str) -> impl Strategy<Value = String> {
    let inserts = prop_oneof![
        Just(""),
        Just("\""),
        Just("\\"),
        Just("["),
        Just("]]"),
        Just("{"),
        Just("}"),
        Just("#{"),
        Just("#_"),
        Just("^"),
        Just(":"),
        Just("\n"),
        Just("\t"),
        Just("\u{0}"),
        Just("-1"),
        Just("99999999999999999999"),
        Just("1.5"),
        Just("2/0"),
        Just("#inst \"x\""),
        Just("주문"),
        Just(";"),
        Just("\u{202e}"),
        Just("nil"),
        Just("[[[[[[[["),
    ];
    (0..text.len(), 0..60_usize, inserts, any::<bool>()).prop_map(move |(at, length, insert, doubles)| {
        let boundary = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (from, to) = (boundary(at), boundary((at + length).min(text.len())));
        let kept = if doubles { &text[from..to] } else { "" };
        format!("{}{kept}{insert}{kept}{}", &text[..from], &text[to..])
    })
}

fn assert_harmless(recorded: &Recorded) -> Result<(), TestCaseError> {
    if let Some(damage) = &recorded.damage {
        let shown = damage.to_string();
        prop_assert!(damage.line > 0 && !shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }
    for model in [RecordedModel::Register, RecordedModel::KeyValue] {
        let judged = judge_recorded(&recorded.exchanges, model, &Budget::steps(100_000), 1);
        if let Err(error) = judged {
            let shown = error.to_string();
            prop_assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_slip_in_a_log_is_placed_or_harmless(text in slipped(LOG)) {
        assert_harmless(&jepsen_log::read(&text))?;
    }

    #[test]
    fn a_slip_in_edn_is_placed_or_harmless(text in slipped(EDN)) {
        assert_harmless(&edn::read(&text))?;
    }

    #[test]
    fn anything_at_all_is_read_or_refused(text in "\\PC{0,200}") {
        assert_harmless(&edn::read(&text))?;
        assert_harmless(&jepsen_log::read(&format!("INFO - 0\t:invoke\t:read\t{text}")))?;
    }
}
