//! Ctrl-C at any moment: what was seen is judged and reported, and the exit code is 130.

#![cfg(unix)]

use std::sync::mpsc;
use std::time::Duration;

use quickeats_bench::check::Verdict;

use crate::bench::{Bench, Ended};
use crate::server::{Asked, Reaction, Server};
use crate::shop::Shop;

/// Interrupts a long run as soon as `moment` is asked; from then on `then` is all the server does, or
/// it goes on if there is nothing.
fn interrupt_at(shop: Shop, moment: fn(&Asked) -> bool, then: Option<Reaction>) -> Ended {
    let (seen, signal) = mpsc::channel();
    let server = Server::start(move |asked: &Asked| {
        if moment(asked) {
            let _ = seen.send(());
            if let Some(then) = &then {
                return then.clone();
            }
        }
        shop.answer(asked).said()
    });
    let running = Bench::race(&server.url()).rounds(1_000_000).timeout("50s").start();
    signal.recv_timeout(Duration::from_secs(30)).unwrap();
    running.interrupt();
    let ended = running.finish().expect_code(130);
    assert!(ended.took < Duration::from_secs(50), "{}", ended.said());
    ended
}

fn expect_report(ended: Ended) -> Ended {
    let ended = ended.expect_stdout("interrupted: judged is what was seen");
    assert!(ended.result().interrupted);
    ended.expect_whole_history();
    ended
}

#[test]
fn an_interrupted_run_reports_what_it_saw() {
    let ended = expect_report(interrupt_at(Shop::default(), |asked| asked.is_in_round_from(20), None));
    let result = ended.result();
    assert_eq!(result.verdict, Verdict::Holds, "{}", ended.said());
    assert!(result.totals.rounds >= 19);
}

#[test]
fn a_violation_seen_before_the_interruption_is_reported() {
    let ended = expect_report(interrupt_at(Shop::careless(), |asked| asked.is_in_round_from(5), None));
    assert_eq!(ended.result().verdict, Verdict::Violated, "{}", ended.said());
}

#[test]
fn a_run_is_interrupted_while_contenders_wait_for_answers() {
    let ended = expect_report(interrupt_at(Shop::default(), Asked::is_raced, Some(Reaction::Hang)));
    assert!(ended.result().totals.outcomes.unknown > 0, "{}", ended.said());
}

#[test]
fn a_run_is_interrupted_while_set_up_waits_for_an_answer() {
    let is_payment = |asked: &Asked| asked.path.ends_with("/payment") && asked.is_in_round_from(3);
    expect_report(interrupt_at(Shop::default(), is_payment, Some(Reaction::Hang)));
}

#[test]
fn a_run_is_interrupted_while_it_looks_at_the_target() {
    let ended = interrupt_at(Shop::default(), |_| true, Some(Reaction::Hang));
    let ended =
        ended.expect_stdout("not raced: the run was interrupted").expect_stdout("interrupted: judged is what was seen");
    assert!(ended.result().interrupted);
}
