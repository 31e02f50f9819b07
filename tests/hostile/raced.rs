//! Servers that are odd only while they are raced: told apart from those that are wrong.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use quickeats_bench::check::{Kind, Verdict};
use quickeats_bench::run_result::RunResult;
use serde_json::json;

use crate::bench::{Bench, Ended};
use crate::server::{Asked, Reaction, Script, Server};
use crate::shop::{Answer, Shop, json_of};

/// A sound shop, but for what `twist` makes of an answer.
fn twisted(twist: impl Fn(&Asked, Answer) -> Reaction + Send + Sync + 'static) -> Server {
    let shop = Shop::default();
    Server::start(move |asked: &Asked| twist(asked, shop.answer(asked)))
}

/// A sound shop whose contenders, where `applies` says so, hear `reaction` instead of their answer.
fn contenders_hear(applies: fn(&Asked) -> bool, reaction: Reaction) -> Server {
    twisted(move |asked, answer| if applies(asked) { reaction.clone() } else { answer.said() })
}

fn kinds(result: &RunResult) -> Vec<Kind> {
    result.scenarios[0].findings.iter().map(|finding| finding.kind).collect()
}

/// Every request was answered, nothing was found, and contenders overlapped. (Not in each round: on a busy machine one
/// is answered before the next is let go.)
fn expect_clean_race(ended: Ended, rounds: u64) {
    let ended = ended.expect_code(0);
    let scenario = &ended.result().scenarios[0];
    assert_eq!(scenario.rounds, rounds, "{}", ended.said());
    assert!(scenario.rounds_overlapped > 0, "{}", ended.said());
    assert_eq!(scenario.outcomes.unknown + scenario.outcomes.not_sent, 0, "{}", ended.said());
    ended.expect_whole_history();
}

#[test]
fn a_sound_server_holds_and_a_careless_one_does_not() {
    let sound = Server::start(Shop::default());
    expect_clean_race(Bench::race(&sound.url()).rounds(50).run(), 50);
    let careless = Server::start(Shop::careless());
    let ended = Bench::race(&careless.url()).run().expect_code(1).expect_stdout("violation");
    assert_eq!(ended.result().verdict, Verdict::Violated);
}

#[test]
fn a_server_that_closes_after_every_answer_is_raced_all_the_same() {
    let server = twisted(|_, mut answer| {
        answer.headers.push(("connection", "close".into()));
        Reaction::SayAndClose(answer.bytes())
    });
    expect_clean_race(Bench::race(&server.url()).rounds(50).run(), 50);
}

#[test]
fn a_server_that_promises_to_close_and_does_not_is_believed() {
    let server = twisted(|_, mut answer| {
        answer.headers.push(("connection", "close".into()));
        answer.said()
    });
    expect_clean_race(Bench::race(&server.url()).rounds(50).run(), 50);
}

#[test]
fn a_server_that_closes_without_saying_so_is_not_accused() {
    let server = twisted(|_, answer| Reaction::SayAndClose(answer.bytes()));
    let ended = Bench::race(&server.url()).rounds(20).run();
    assert!(matches!(ended.code, Some(0 | 3 | 4)), "{}", ended.said());
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    ended.expect_whole_history();
}

#[test]
fn a_server_of_http_1_0_is_raced_all_the_same() {
    let server = twisted(|_, answer| {
        let mut bytes = answer.bytes();
        bytes[7] = b'0';
        Reaction::SayAndClose(bytes)
    });
    expect_clean_race(Bench::race(&server.url()).rounds(50).run(), 50);
}

#[test]
fn interim_answers_before_each_answer_do_no_harm() {
    let server = twisted(|_, answer| {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        Reaction::Say([interim.as_slice(), &answer.bytes()].concat())
    });
    expect_clean_race(Bench::race(&server.url()).rounds(50).run(), 50);
}

/// Applies and answers a contender before the end of its request was sent.
struct Hasty(Shop);

impl Script for Hasty {
    fn answer_early(&self, held: &Asked) -> Reaction {
        if held.is_contender() { self.answer(held) } else { Reaction::Wait }
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        Shop::answer(&self.0, asked).said()
    }
}

/// Applies and answers a contender without waiting for the end of its body.
struct HastyAtTheTail {
    shop: Shop,
    reaction: fn(&Answer) -> Reaction,
}

impl Script for HastyAtTheTail {
    fn answer_at_the_headers(&self, held: &Asked) -> Reaction {
        if held.is_contender() { (self.reaction)(&Shop::answer(&self.shop, held)) } else { Reaction::Wait }
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        let answer = Shop::answer(&self.shop, asked);
        if asked.is_contender() { (self.reaction)(&answer) } else { answer.said() }
    }
}

/// A sound shop, but that it compares versions as soon as it has the headers, and acts when the body has come.
#[derive(Default)]
pub(crate) struct Forehanded {
    shop: Shop,
    /// Requests that it had the headers of while their version was the current one.
    passed: Mutex<HashSet<String>>,
}

impl Script for Forehanded {
    fn answer_at_the_headers(&self, held: &Asked) -> Reaction {
        if held.is_contender() && self.shop.is_current(held) {
            self.passed.lock().unwrap().insert(held.path.clone());
        }
        Reaction::Wait
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        let has_passed = self.passed.lock().unwrap().remove(&asked.path);
        if has_passed { self.shop.obey(asked).said() } else { Shop::answer(&self.shop, asked).said() }
    }
}

#[test]
fn a_server_that_compares_before_the_body_has_come_is_found_out_by_the_tail() {
    let race = |delivery| {
        let server = Server::start(Forehanded::default());
        Bench::race(&server.url()).rounds(50).with("--delivery", delivery).run()
    };
    let ended = race("tail").expect_code(1).expect_stdout("double-cas-win in cancel-vs-accept");
    let finding = ended.result().scenarios[0].findings[0].clone();
    assert!(finding.kind == Kind::DoubleCasWin && finding.count > 25, "{}", ended.said());
    race("head").expect_code(0);
    race("barrier").expect_code(0);
}

#[test]
fn a_server_that_answers_before_it_was_asked_is_not_accused() {
    let server = Server::start(Hasty(Shop::default()));
    let ended = Bench::race(&server.url()).rounds(20).run();
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.said());
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    ended.expect_whole_history();
}

#[test]
fn a_server_that_answers_before_the_tail_is_recorded_as_it_was_and_holds_nobody_up() {
    for reaction in [Answer::said as fn(&Answer) -> Reaction, |answer| Reaction::SayAndClose(answer.bytes())] {
        let server = Server::start(HastyAtTheTail { shop: Shop::default(), reaction });
        let bench = Bench::race(&server.url()).rounds(20).timeout("10s").with("--delivery", "tail");
        let ended = bench.run().expect_stdout("Rounds by delivery: tail 20");
        assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.said());
        assert!(ended.took < Duration::from_secs(10), "somebody waited for a limit\n{}", ended.said());
        assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
        let scenario = &ended.result().scenarios[0];
        assert_eq!((scenario.rounds, scenario.outcomes.unknown), (20, 0), "{}", ended.said());
        // The gate dwells on a tail for longer than an answer takes, but a busy machine may sleep through that.
        assert!(ended.contenders().iter().any(|window| window.released.is_none()), "{}", ended.said());
        for window in ended.contenders() {
            assert!(window.released.is_none_or(|released| window.opened <= released && released <= window.closed));
        }
        ended.expect_whole_history();
    }
}

#[test]
fn a_sound_server_holds_wherever_the_gate_sits() {
    for delivery in ["barrier", "head", "tail"] {
        let sound = Server::start(Shop::default());
        let ended = Bench::race(&sound.url()).rounds(50).with("--delivery", delivery).run();
        assert_eq!(ended.result().delivery.name(), delivery);
        let ended = ended.expect_stdout(&format!("Rounds by delivery: {delivery} 50"));
        expect_clean_race(ended, 50);
        let careless = Server::start(Shop::careless());
        Bench::race(&careless.url()).with("--delivery", delivery).run().expect_code(1);
    }
}

#[test]
fn answers_nobody_asked_for_are_not_taken_for_answers() {
    let server = twisted(|asked, answer| {
        let mut bytes = answer.bytes();
        if asked.is_in_round_from(1) && asked.method == "GET" {
            let forged = json!({"id": "order-0", "status": "delivered", "version": 99});
            bytes.extend(json_of(200, &[("etag", "\"99\"")], &forged.to_string()));
        }
        Reaction::Say(bytes)
    });
    let ended = Bench::race(&server.url()).rounds(20).run();
    assert!(matches!(ended.code, Some(0 | 3 | 4)), "{}", ended.said());
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    assert!(!ended.stdout.contains("delivered"), "{}", ended.said());
}

#[test]
fn a_server_that_hangs_only_in_a_race_is_warned_of() {
    let server = || contenders_hear(Asked::is_raced, Reaction::Hang);
    let ended = Bench::race(&server().url()).timeout("200ms").with("--fail-on", "warning").run();
    assert_eq!(kinds(&ended.result()), [Kind::Hang], "{}", ended.said());
    ended.expect_code(1).expect_stdout("! warning hang in cancel-vs-accept: 3 of 3 rounds").expect_whole_history();
    Bench::race(&server().url()).timeout("200ms").run().expect_code(3).expect_stdout("hang").expect_whole_history();
}

#[test]
fn a_server_that_hangs_in_races_for_ever_is_given_up() {
    let server = contenders_hear(Asked::is_raced, Reaction::Hang);
    let ended = Bench::race(&server.url()).timeout("100ms").rounds(1_000).run();
    let ended = ended.expect_code(3).expect_stdout("given up after several rounds in a row without a usable answer");
    assert_eq!(ended.result().scenarios[0].rounds, 5);
}

#[test]
fn a_server_that_hangs_in_races_cannot_stretch_the_time_of_a_run() {
    let server = contenders_hear(Asked::is_raced, Reaction::Hang);
    let bench = Bench::race(&server.url()).timeout("200ms").rounds(1_000_000).with("--duration", "300ms");
    let ended = bench.run().expect_code(3).expect_stdout("Ended by --duration, 300.0 ms, before 1000000 rounds");
    let result = ended.result();
    assert!(!result.interrupted && result.scenarios[0].rounds < 5, "{}", ended.said());
    assert_eq!(result.extent.unwrap().out_of_time, ["cancel-vs-accept"]);
    ended.expect_whole_history();
}

#[test]
fn a_server_that_fails_only_in_a_race_is_warned_of() {
    let server = || contenders_hear(Asked::is_raced, Answer::new(503, json!({})).said());
    let ended = Bench::race(&server().url()).with("--fail-on", "warning").run();
    assert_eq!(kinds(&ended.result()), [Kind::ServerError], "{}", ended.said());
    ended
        .expect_code(1)
        .expect_stdout("! warning server-error in cancel-vs-accept: 3 of 3 rounds")
        .expect_whole_history();
}

#[test]
fn a_server_that_always_fails_contenders_is_no_finding_of_the_race() {
    let server = contenders_hear(Asked::is_contender, Answer::new(503, json!({})).said());
    let ended = Bench::race(&server.url()).with("--fail-on", "warning").run();
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    ended.expect_code(3).expect_stdout("alone, nothing racing, should be accepted");
}

#[test]
fn contenders_answered_with_a_page_leave_the_verdict_open() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
    let server = contenders_hear(Asked::is_contender, Reaction::Say(page.to_vec()));
    let ended = Bench::race(&server.url()).run();
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    ended.expect_code(3).expect_stdout("a JSON body was expected and `<html></html>` (text/html) came");
}

#[test]
fn contenders_answered_without_end_leave_the_verdict_open() {
    let endless = |first: &str| Reaction::Repeat(first.into(), vec![b'['; 1 << 16], Duration::ZERO);
    for (reaction, timeout, why) in [
        (endless("HTTP/1.1 200 OK\r\n\r\n"), "10s", "the answer exceeded the size limit"),
        (endless("HTTP/1.1 200 OK\r\nx: "), "10s", "message head is too large"),
        (
            Reaction::Repeat(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b"y".to_vec(), Duration::from_millis(10)),
            "200ms",
            "no complete answer within the time limit",
        ),
        (Reaction::SayAndClose(Vec::new()), "10s", "the connection broke"),
        (
            Reaction::SayAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()),
            "10s",
            "the connection broke",
        ),
        (Reaction::Say(b"SSH-2.0-OpenSSH\r\n".to_vec()), "10s", "the answer was not HTTP"),
    ] {
        let server = contenders_hear(Asked::is_contender, reaction);
        let ended = Bench::race(&server.url()).timeout(timeout).run().expect_code(3).expect_stdout(why);
        assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
        ended.expect_whole_history();
    }
}

#[test]
fn a_redirected_contender_is_neither_done_nor_refused() {
    let elsewhere = Server::start(Shop::default());
    let location = elsewhere.url();
    let server = contenders_hear(Asked::is_contender, Reaction::Say(json_of(307, &[("location", &location)], "")));
    let ended = Bench::race(&server.url()).run().expect_code(3);
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn what_a_server_says_never_reaches_the_terminal_raw() {
    let nasty = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\u{2066}<script>alert(1)</script>\r\n\0";
    for member in ["status", "id", "payment"] {
        let server = twisted(move |asked, mut answer| {
            if asked.is_raced() {
                answer.status = 200;
                answer.body = json!({"id": "order-1", "status": "cancelled", "version": 3});
                answer.body[member] = json!(nasty);
            }
            answer.said()
        });
        for format in ["table", "json"] {
            // What must not be printed is looked for after every run; here it only has to be said at all.
            let ended = Bench::race(&server.url()).with("--format", format).run();
            assert!(matches!(ended.code, Some(1 | 3)), "{}", ended.said());
            ended.result();
        }
    }
    let events = twisted(move |asked, mut answer| {
        if asked.path.ends_with("/events") {
            let row = json!({"action": nasty, "from": "delivered", "to": "pending_payment", "version": 9});
            answer.body["results"].as_array_mut().unwrap().push(row);
        }
        answer.said()
    });
    Bench::race(&events.url()).run().expect_code(1).expect_stdout("\\u{1b}]0;owned");
    let header = twisted(move |asked, mut answer| {
        if asked.is_raced() {
            answer.headers.push(("etag", "\"a\u{1b}[2J\u{202e}\"".into()));
        }
        answer.said()
    });
    Bench::race(&header.url()).run();
}
