//! Servers that are lost in the middle of a run: what was seen is judged and reported.

use std::sync::atomic::{AtomicUsize, Ordering};

use quickeats_bench::check::Verdict;
use serde_json::json;

use crate::bench::{Bench, Ended};
use crate::server::{Asked, Reaction, Server};
use crate::shop::{Answer, Shop};

/// A shop that does something else from its `last`-th request on.
fn until(last: usize, shop: Shop, then: Reaction) -> Server {
    let count = AtomicUsize::new(0);
    Server::start(
        move |asked: &Asked| {
            if count.fetch_add(1, Ordering::Relaxed) < last { shop.answer(asked).said() } else { then.clone() }
        },
    )
}

/// A shop that does something else from raced round `round` on; what makes an order goes on.
fn until_round(round: usize, shop: Shop, then: Reaction) -> Server {
    Server::start(
        move |asked: &Asked| {
            if asked.is_in_round_from(round) { then.clone() } else { shop.answer(asked).said() }
        },
    )
}

/// Judged and saved whole.
fn expect_report(ended: Ended, code: i32, verdict: Verdict) -> Ended {
    let ended = ended.expect_code(code);
    let result = ended.result();
    assert_eq!(result.verdict, verdict, "{}", ended.said());
    assert!(!result.interrupted);
    ended.expect_whole_history();
    ended
}

#[test]
fn a_server_that_dies_is_reported_with_what_was_seen() {
    let server = until_round(3, Shop::default(), Reaction::Die);
    let ended = Bench::race(&server.url()).rounds(100).run();
    let ended = expect_report(ended, 4, Verdict::Inconclusive)
        .expect_stdout("the target stopped answering")
        .expect_stdout("no connection (");
    // Two rounds of two contenders were answered.
    assert_eq!(ended.result().scenarios[0].status_counts.values().sum::<u64>(), 4, "{}", ended.said());
}

#[test]
fn a_server_that_dies_at_any_request_is_reported() {
    for last in [2, 3, 4, 5, 6, 8, 11, 30, 31, 33, 37] {
        let server = until(last, Shop::default(), Reaction::Die);
        let ended = Bench::race(&server.url()).rounds(50).run();
        expect_report(ended, 4, Verdict::Inconclusive).expect_stdout("the target stopped answering");
    }
}

#[test]
fn a_server_that_dies_shortly_before_the_end_is_reported_too() {
    let server = until_round(3, Shop::default(), Reaction::Die);
    let ended = Bench::race(&server.url()).rounds(4).run();
    expect_report(ended, 4, Verdict::Inconclusive).expect_stdout("the target stopped answering");
}

#[test]
fn a_server_that_dies_under_the_first_race_is_reported() {
    let shop = Shop::default();
    let server =
        Server::start(move |asked: &Asked| if asked.is_raced() { Reaction::Die } else { shop.answer(asked).said() });
    expect_report(Bench::race(&server.url()).run(), 4, Verdict::Inconclusive);
}

#[test]
fn a_violation_seen_before_the_server_died_stands() {
    let server = until_round(3, Shop::careless(), Reaction::Die);
    let ended = Bench::race(&server.url()).rounds(100).run();
    expect_report(ended, 1, Verdict::Violated).expect_stdout("the target stopped answering");
}

#[test]
fn a_server_that_falls_silent_is_reported_with_what_was_seen() {
    for server in [until(30, Shop::default(), Reaction::Hang), until_round(3, Shop::default(), Reaction::Hang)] {
        let ended = Bench::race(&server.url()).rounds(1_000).timeout("200ms").run();
        expect_report(ended, 4, Verdict::Inconclusive).expect_stdout("the target stopped answering");
    }
}

#[test]
fn a_violation_seen_before_the_server_fell_silent_stands() {
    let server = until(60, Shop::careless(), Reaction::Hang);
    let ended = Bench::race(&server.url()).rounds(1_000).timeout("200ms").run();
    expect_report(ended, 1, Verdict::Violated);
}

#[test]
fn a_server_that_comes_to_fail_everything_is_reported() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>".to_vec();
    for (then, why) in [
        (Answer::new(500, json!({})).said(), "status 500"),
        (Answer::new(404, json!({})).said(), "404: not-found"),
        (Reaction::Say(page), "`<html>` (text/html) came"),
        (Reaction::SayAndClose(Vec::new()), "the connection broke"),
        (Reaction::SayAndClose(b"SSH-2.0-OpenSSH\r\n".to_vec()), "was not HTTP"),
    ] {
        let server = until(30, Shop::default(), then);
        let ended = Bench::race(&server.url()).rounds(50).run();
        expect_report(ended, 4, Verdict::Inconclusive).expect_stdout(why);
    }
}

#[test]
fn actions_answered_with_a_page_are_reported() {
    let shop = Shop::default();
    let server = Server::start(move |asked: &Asked| match asked.order() {
        Some((_, "payment")) => {
            Reaction::Say(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>".to_vec())
        }
        Some(_) | None => shop.answer(asked).said(),
    });
    let ended = Bench::race(&server.url()).rounds(50).run();
    expect_report(ended, 3, Verdict::Inconclusive).expect_stdout("a JSON body was expected and `<html>` (text/html)");
}
