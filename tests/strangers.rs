//! What strangers write (descriptions, scenarios, histories, responses) never panics, and mistakes are always placed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use quickeats_bench::api::{Api, Response, builtin};
use quickeats_bench::check::{Alone, judge};
use quickeats_bench::history::{Outcome, Verb, jsonl};
use quickeats_bench::scenario::{Plan, Scenario};
use quickeats_bench::source::SourceError;

const API: &str = include_str!("../scenarios/apis/quickeats-v2.toml");
const APIS: [&str; 5] = [
    API,
    include_str!("descriptions/valid/machine.toml"),
    include_str!("descriptions/valid/register.toml"),
    include_str!("descriptions/valid/counter.toml"),
    include_str!("descriptions/valid/effects.toml"),
];
const SCENARIO: &str = include_str!("../scenarios/stale-write.toml");
const HISTORY: &str = include_str!("../reports/sample/history.jsonl");

/// Cases of each property; `STRANGER_CASES=100000` makes the long run.
fn config() -> Config {
    let cases = std::env::var("STRANGER_CASES").map_or(512, |cases| cases.parse().unwrap());
    Config { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Config::default() }
}

/// A slip of the pen in `text`: something cut out, doubled, put in or replaced at a character boundary.
fn slipped(text: &'static str) -> impl Strategy<Value = String> {
    let inserts = prop_oneof![
        Just(""),
        Just("\""),
        Just("= ="),
        Just("["),
        Just("]]"),
        Just("{"),
        Just("{id"),
        Just("{nope}"),
        Just("\n"),
        Just("\u{0}"),
        Just("-1"),
        Just("99999999999999999999"),
        Just("true"),
        Just("[]"),
        Just("주문"),
        Just("'''"),
        Just("1979-05-27"),
        Just("nan"),
        Just("\u{202e}"),
        Just("quickeats"),
    ];
    (0..text.len(), 0..40_usize, inserts, any::<bool>()).prop_map(move |(at, length, insert, doubles)| {
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

fn assert_placed(error: &SourceError, file: &str) -> Result<(), TestCaseError> {
    let shown = error.to_string();
    prop_assert!(shown.contains(file), "{shown}");
    prop_assert!(!error.message.is_empty());
    let is_about_the_whole = error.message.contains("[[contenders]]") || error.message.contains("missing field");
    prop_assert!(error.place.is_some() || is_about_the_whole, "no place: {shown}");
    let is_harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    prop_assert!(!shown.contains(is_harmful), "{shown:?}");
    Ok(())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        Just("{\"id\":1,\"status\":\"cancelled\",\"version\":18446744073709551615}".to_owned()),
        Just("{\"id\":\"\",\"status\":null}".to_owned()),
        Just("{\"results\":[{\"id\":{}},7,null]}".to_owned()),
        Just("[".repeat(100_000)),
        "\\PC{0,60}",
        "\\{\"id\":\"[a-z./%\u{202e}]{0,20}\",\"status\":\"[a-z_]{0,12}\"\\}",
    ];
    prop_oneof![json.prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_slip_in_a_description_is_placed_or_harmless(text in prop_oneof![
        slipped(APIS[0]), slipped(APIS[1]), slipped(APIS[2]), slipped(APIS[3]), slipped(APIS[4])
    ]) {
        if let Err(error) = Api::parse("mine.toml", &text) {
            assert_placed(&error, "mine.toml")?;
        }
    }

    #[test]
    fn a_slip_in_a_scenario_is_placed_or_harmless(text in slipped(SCENARIO)) {
        let api = builtin::api("quickeats-v2").unwrap();
        match Scenario::parse("mine.toml", &text) {
            Err(error) => assert_placed(&error, "mine.toml")?,
            Ok(scenario) => {
                if let Err(error) = Plan::resolve(&scenario, &api, Some(64)) {
                    assert_placed(&error, "mine.toml")?;
                }
            }
        }
    }

    #[test]
    fn text_that_is_no_toml_at_all_is_refused(text in "\\PC{0,200}") {
        prop_assume!(!text.trim().is_empty());
        prop_assert!(Api::parse("mine.toml", &text).is_err());
        prop_assert!(Scenario::parse("mine.toml", &text).is_err());
    }

    #[test]
    fn any_response_to_any_api_becomes_an_outcome(
        status in 100..1000_u16, body in body(), tag in "[ -~]{0,30}", index in 0..APIS.len()
    ) {
        let api = Api::parse("x.toml", APIS[index]).unwrap();
        let headers = vec![("etag".into(), Arc::from(tag.clone())), ("location".into(), Arc::from(tag))];
        let response = Response { status, headers, body: Bytes::from(body) };
        let actions = api.model.actions.iter().map(|action| Verb::Act(Arc::clone(&action.name)));
        let verbs = [Verb::Create, Verb::Read, Verb::ListEffects, Verb::ListEvents].into_iter().chain(actions);
        for verb in verbs.filter(|verb| api.dialect.speaks(verb)) {
            let outcome = api.dialect.read(&verb, &response);
            let not_sent = matches!(outcome, Outcome::NotSent(_));
            prop_assert!(!not_sent, "an answer proves that it was sent");
        }
    }

    #[test]
    fn any_response_becomes_an_outcome(status in 100..1000_u16, body in body(), tag in "[ -~]{0,30}") {
        let api = builtin::api("quickeats-v2").unwrap();
        let headers = vec![("etag".into(), Arc::from(tag)), ("content-type".into(), "application/json".into())];
        let response = Response { status, headers, body: Bytes::from(body) };
        let verbs = [Verb::Create, Verb::Read, Verb::Act("payment".into()), Verb::ListEffects, Verb::ListEvents];
        for verb in verbs {
            let outcome = api.dialect.read(&verb, &response);
            if status >= 500 {
                prop_assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
            }
            let not_sent = matches!(outcome, Outcome::NotSent(_));
            prop_assert!(!not_sent, "an answer proves that it was sent");
        }
    }

    #[test]
    fn what_is_whole_of_a_damaged_history_is_read(text in slipped(HISTORY)) {
        let strict = jsonl::read(text.as_bytes());
        let Ok((saved, damage)) = jsonl::read_leniently(text.as_bytes()) else {
            prop_assert!(strict.is_err());
            return Ok(());
        };
        prop_assert_eq!(strict.is_err(), damage.is_some());
        let in_doubt = saved.scenarios.iter().any(|(line, _)| line.doubts.iter().any(|doubt| doubt.contains("damaged")));
        prop_assert!(damage.is_some() || !in_doubt);
    }

    #[test]
    fn a_damaged_history_is_refused_or_judged(text in slipped(HISTORY)) {
        let Ok(saved) = jsonl::read(text.as_bytes()) else { return Ok(()) };
        let Ok(api) = Api::parse("history.jsonl", &saved.header.api) else { return Ok(()) };
        for (_, history) in &saved.scenarios {
            judge(history, &api.model, Alone::Applied);
        }
    }
}

#[test]
fn an_undamaged_history_is_read() {
    let saved = jsonl::read(HISTORY.as_bytes()).unwrap();
    assert_eq!(saved.scenarios.len(), 1);
}
