//! Slow servers: their rounds run side by side, and nothing is lost or flooded for it.

use std::thread;
use std::time::Duration;

use quickeats_bench::check::Verdict;

use crate::bench::{Bench, Ended};
use crate::server::{Asked, Reaction, Script, Server};
use crate::shop::Shop;

/// A shop whose `POST`s take so long.
fn slow(shop: Shop, time: Duration) -> impl Script {
    move |asked: &Asked| {
        if asked.method == "POST" {
            thread::sleep(time); // the slowness under test, no synchronisation
        }
        shop.answer(asked).said()
    }
}

/// All of so many rounds were evidence, and every request was answered.
fn expect_rounds(ended: &Ended, verdict: Verdict, rounds: u64) {
    ended.expect_whole_history();
    let result = ended.result();
    let scenario = &result.scenarios[0];
    assert_eq!((result.verdict, scenario.rounds, scenario.trials), (verdict, rounds, rounds), "{}", ended.said());
    assert_eq!(result.totals.outcomes.answered, result.totals.requests, "{}", ended.said());
}

#[test]
fn a_listener_with_room_for_five_is_raced_by_thirty_two_rounds_side_by_side() {
    let server = Server::start_narrow(5, Duration::from_millis(10), slow(Shop::default(), Duration::from_millis(100)));
    let ended = Bench::race(&server.url()).rounds(96).timeout("20s").with("--parallel", "32").run().expect_code(0);
    expect_rounds(&ended, Verdict::Holds, 96);
    assert_eq!(ended.result().scenarios[0].parallel, Some(32), "{}", ended.said());
    let ended = ended.expect_stdout("Rounds ran side by side (at most): cancel-vs-accept (32)");
    // Two contenders a round, a connection for its set-up, and what a pool opens while another is given back.
    assert!(server.connections() <= 4 * 32, "{} connections\n{}", server.connections(), ended.said());
}

#[test]
fn a_slow_server_gets_rounds_side_by_side_unasked() {
    let server = Server::start(slow(Shop::default(), Duration::from_millis(100)));
    let ended = Bench::race(&server.url()).rounds(100).timeout("20s").run().expect_code(0);
    expect_rounds(&ended, Verdict::Holds, 100);
    let parallel = ended.result().scenarios[0].parallel.unwrap();
    assert!((2..=128).contains(&parallel), "{}", ended.said());
    assert!(server.connections() <= 4 * parallel as usize + 4, "{} connections", server.connections());
}

#[test]
fn what_is_wrong_is_found_side_by_side_as_well_and_stands() {
    let server = Server::start(slow(Shop::careless(), Duration::from_millis(50)));
    let ended = Bench::race(&server.url()).rounds(40).timeout("20s").with("--parallel", "16").run().expect_code(1);
    expect_rounds(&ended, Verdict::Violated, 40);
    ended.expect_verified();
}

#[test]
fn a_server_that_hangs_with_many_rounds_under_way_is_given_up() {
    let shop = Shop::default();
    let server = Server::start(
        move |asked: &Asked| {
            if asked.is_in_round_from(40) { Reaction::Hang } else { shop.answer(asked).said() }
        },
    );
    let bench = Bench::race(&server.url()).rounds(100_000).timeout("1s").with("--parallel", "32");
    let ended = bench.run().expect_code(4).expect_stdout("given up after several rounds in a row");
    ended.expect_whole_history();
    assert!(ended.result().scenarios[0].rounds < 500, "{}", ended.said());
}
