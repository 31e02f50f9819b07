//! Servers that misbehave over HTTP/2: limits of streams and windows, ends of connections, answers before the request is
//! there, frames that nobody should send.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use quickeats_bench::check::Kind;
use quickeats_bench::history::Method;
use quickeats_bench::run_result::{DeliveryResult, RunResult};

use crate::bench::{Bench, Ended};
use crate::http2::{
    CONTINUATION, DATA, END, Frame, HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, Passed, Spoil, Terms, Way,
    frame, go_away, more_room, ping, reset, setting,
};
use crate::raced::Forehanded;
use crate::server::{Asked, Reaction, Script, Server};
use crate::shop::{Answer, Shop};

/// A script that speaks HTTP/2 on these terms.
struct Multiplexed<S> {
    script: S,
    terms: Box<dyn Fn() -> Terms + Send + Sync>,
}

impl<S: Script> Script for Multiplexed<S> {
    fn http2(&self) -> Option<Terms> {
        Some((self.terms)())
    }

    fn answer_at_the_headers(&self, held: &Asked) -> Reaction {
        self.script.answer_at_the_headers(held)
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        self.script.answer(asked)
    }
}

fn start(script: impl Script, terms: impl Fn() -> Terms + Send + Sync + 'static) -> Server {
    Server::start(Multiplexed { script, terms: Box::new(terms) })
}

/// A sound shop whose connections are spoiled so.
fn spoiled<S: Spoil + 'static>(spoil: impl Fn() -> S + Send + Sync + 'static) -> Server {
    start(Shop::default(), move || Terms { spoil: Box::new(spoil()), ..Terms::default() })
}

/// Spoils one frame, the first that `applies`, on all connections taken together.
fn once(
    applies: impl Fn(Way, &Frame) -> bool + Copy + Send + Sync + 'static,
    spoil: impl Fn(&Frame) -> Passed + Copy + Send + Sync + 'static,
) -> Server {
    let seen = Arc::new(AtomicUsize::new(0));
    spoiled(move || {
        let seen = Arc::clone(&seen);
        move |way: Way, frame: &Frame| {
            if applies(way, frame) && seen.fetch_add(1, Ordering::Relaxed) == 0 { spoil(frame) } else { frame.pass() }
        }
    })
}

fn race(server: &Server, delivery: &str, rounds: u32) -> Ended {
    Bench::race(&server.url()).rounds(rounds).timeout("2s").with("--delivery", delivery).run()
}

fn kinds(result: &RunResult) -> Vec<Kind> {
    result.scenarios[0].findings.iter().map(|finding| finding.kind).collect()
}

fn played(ended: &Ended, method: Method) -> DeliveryResult {
    let scenario = ended.result().scenarios.remove(0);
    let found = scenario.deliveries.into_iter().find(|delivery| delivery.method == method);
    found.unwrap_or_else(|| panic!("{method}\n{}", ended.said()))
}

/// Nothing was found, no round was lost, and contenders overlapped.
fn expect_clean(ended: &Ended, rounds: u64) {
    assert_eq!(ended.code, Some(0), "{}", ended.said());
    let scenario = &ended.result().scenarios[0];
    assert_eq!((scenario.rounds, scenario.rounds_void), (rounds, 0), "{}", ended.said());
    assert!(scenario.trials > 0, "{}", ended.said());
    assert_eq!(scenario.outcomes.unknown + scenario.outcomes.not_sent, 0, "{}", ended.said());
    ended.expect_whole_history();
}

/// Nothing was found, whatever else came of it, and nobody waited for long.
fn expect_no_accusation(ended: &Ended) {
    assert!(matches!(ended.code, Some(0 | 3 | 4)), "{}", ended.said());
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    ended.expect_whole_history();
}

#[test]
fn a_sound_server_holds_over_http_2_and_a_careless_one_does_not() {
    for delivery in ["auto", "single-packet", "single-packet-head", "single-packet-tail"] {
        expect_clean(&race(&start(Shop::default(), Terms::default), delivery, 20), 20);
        race(&start(Shop::careless(), Terms::default), delivery, 20).expect_code(1).expect_stdout("violation");
    }
}

#[test]
fn contenders_beyond_the_streams_that_a_server_allows_get_connections_of_their_own() {
    for streams in [1, 2, 3] {
        let server = start(Shop::default(), move || Terms { streams, ..Terms::default() });
        let bench = Bench::race(&server.url()).rounds(10).timeout("2s").with("--delivery", "single-packet");
        let ended = bench.with("--contenders", "8").with("--parallel", "1").run();
        expect_clean(&ended, 10);
        // Enough for all, one for what is not measured, and those that ask what is spoken; and none anew in each round.
        let needed = 8_usize.div_ceil(streams as usize);
        let connections = server.connections();
        assert!((needed..=needed + 5).contains(&connections), "{connections} for {streams}\n{}", ended.said());
    }
}

#[test]
fn a_listener_with_room_for_five_is_raced_by_twenty_contenders_over_both_versions() {
    let terms = || Terms { streams: 1, speaks_http1: true, ..Terms::default() };
    let script = Multiplexed { script: Shop::default(), terms: Box::new(terms) };
    let server = Server::start_narrow(5, Duration::from_millis(5), script);
    let bench = Bench::race(&server.url()).rounds(10).timeout("20s").with("--contenders", "20");
    let ended = bench.with("--parallel", "1").run();
    expect_clean(&ended, 10);
    assert!(Method::ALL.iter().all(|method| played(&ended, *method).trials > 0), "{}", ended.said());
}

#[test]
fn a_server_that_compares_before_the_body_has_come_is_found_out_by_the_tail_over_both_versions() {
    let server = start(Forehanded::default(), || Terms { speaks_http1: true, ..Terms::default() });
    for delivery in ["tail", "single-packet-tail"] {
        let ended = race(&server, delivery, 20).expect_code(1);
        let finding = ended.result().scenarios[0].findings[0].clone();
        assert!(finding.kind == Kind::DoubleCasWin && finding.count > 10, "{}", ended.said());
    }
    let ended = race(&server, "auto", 40).expect_code(1);
    for method in [Method::Tail, Method::SinglePacketTail] {
        assert!(played(&ended, method).rounds_violated > 4, "{}", ended.said());
    }
    ended.expect_verified();
}

#[test]
fn a_server_that_allows_no_stream_says_so_and_is_told_to_have() {
    let server = start(Shop::default(), || Terms { streams: 0, speaks_http1: true, ..Terms::default() });
    let ended = race(&server, "single-packet", 100).expect_code(3);
    let ended = ended.expect_stdout("the server allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0)");
    assert!(ended.result().scenarios[0].rounds < 100, "{}", ended.said());
    expect_no_accusation(&ended);
}

#[test]
fn a_limit_of_streams_that_changes_is_kept() {
    for limits in [[1, 8], [8, 1], [0, 8]] {
        // First what is said behind the server's own settings; then, with the first answer (if there can be one), something else.
        let server = start(Shop::default(), move || {
            let mut due = vec![limits[1], limits[0]];
            let spoil = move |way: Way, frame: &Frame| {
                let is_due = way == Way::Down && (due.len() == 2 || frame.ends_stream() || limits[0] == 0);
                let limit = if is_due { due.pop() } else { None };
                let said = limit.map_or_else(Vec::new, |limit| setting(MAX_CONCURRENT_STREAMS, limit));
                Passed { said, ..frame.pass() }
            };
            Terms { streams: 8, spoil: Box::new(spoil), ..Terms::default() }
        });
        let bench = Bench::race(&server.url()).rounds(10).timeout("2s").with("--delivery", "single-packet");
        let ended = bench.with("--contenders", "4").run();
        expect_no_accusation(&ended);
        assert!(ended.result().scenarios[0].trials > 0, "{limits:?}\n{}", ended.said());
    }
}

#[test]
fn a_server_that_ends_the_connection_after_every_stream_is_raced_all_the_same() {
    let ending = |way: Way, frame: &Frame| {
        let is_end = way == Way::Down && frame.ends_stream();
        let ending = if is_end { go_away(frame.stream) } else { Vec::new() };
        Passed { on: [frame.pass().on, ending].concat(), ..Passed::default() }
    };
    for speaks_http1 in [true, false] {
        let terms = move || Terms { spoil: Box::new(ending), speaks_http1, ..Terms::default() };
        let server = start(Shop::default(), terms);
        for delivery in ["single-packet-head", "single-packet-tail"] {
            let ended = race(&server, delivery, 20);
            expect_no_accusation(&ended);
            let scenario = &ended.result().scenarios[0];
            assert!(scenario.trials > 0, "{}", ended.said());
            // (What is not measured may go to a connection whose end the client has not yet heard of.)
            assert!(scenario.rounds_void == 0 || !speaks_http1, "{}", ended.said());
        }
    }
}

/// Applies and answers a contender without waiting for the end of its body.
#[derive(Default)]
struct Hasty(Shop);

impl Script for Hasty {
    fn answer_at_the_headers(&self, held: &Asked) -> Reaction {
        if held.is_contender() { Shop::answer(&self.0, held).said() } else { Reaction::Wait }
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        Shop::answer(&self.0, asked).said()
    }
}

/// Resets streams, with `NO_ERROR`, that are answered before their request has ended (RFC 9113 §8.1).
fn resetting_what_is_answered_early() -> impl Spoil {
    let mut ended = HashSet::new();
    move |way: Way, frame: &Frame| {
        if way == Way::Up && frame.ends_stream() {
            ended.insert(frame.stream);
        }
        let is_early = way == Way::Down && frame.ends_stream() && !ended.contains(&frame.stream);
        let end = if is_early { reset(frame.stream, 0) } else { Vec::new() };
        Passed { on: [frame.pass().on, end].concat(), ..Passed::default() }
    }
}

fn hasty() -> Server {
    let terms =
        || Terms { speaks_http1: true, spoil: Box::new(resetting_what_is_answered_early()), ..Terms::default() };
    start(Hasty::default(), terms)
}

#[test]
fn a_server_that_answers_at_the_headers_is_judged_by_the_other_methods() {
    let ended = race(&hasty(), "auto", 40).expect_code(0);
    assert_eq!(kinds(&ended.result()), [], "{}", ended.said());
    assert_eq!(ended.result().totals.outcomes.unknown, 0, "{}", ended.said());
    for method in Method::ALL {
        let played = played(&ended, method);
        assert_eq!(played.answered_early > 0, method.is_tail(), "{method}: {played:?}\n{}", ended.said());
        assert!(method.is_tail() || played.trials > 0, "{method}: {played:?}\n{}", ended.said());
    }
    ended.expect_verified();
}

#[test]
fn a_server_that_answers_at_the_headers_leaves_the_tail_alone_inconclusive() {
    for (delivery, method) in [("tail", Method::Tail), ("single-packet-tail", Method::SinglePacketTail)] {
        let ended = race(&hasty(), delivery, 10);
        expect_no_accusation(&ended);
        assert!(played(&ended, method).answered_early > 10, "{}", ended.said());
        // (A busy machine may let a round go before its answers are there.)
        if ended.result().totals.rounds_overlapped == 0 {
            ended.expect_code(3).expect_stdout("before the end of their requests had left, so nothing raced");
        }
    }
}

#[test]
fn a_server_that_talks_while_a_volley_is_held_is_listened_to() {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&acknowledged);
    let server = start(Shop::default(), move || {
        let counted = Arc::clone(&counted);
        let spoil = move |way: Way, frame: &Frame| {
            if way == Way::Up && matches!(frame.kind, 0x4 | 0x6) && frame.flags & END != 0 {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            frame.pass()
        };
        let said = [ping(), setting(INITIAL_WINDOW_SIZE, 65_535), more_room(0)].concat();
        Terms { spoil: Box::new(spoil), chatter: Some((Duration::from_micros(500), said)), ..Terms::default() }
    });
    for delivery in ["single-packet-head", "single-packet-tail"] {
        let bench = Bench::race(&server.url()).rounds(20).timeout("5s").with("--delivery", delivery);
        expect_clean(&bench.with("--contenders", "8").run(), 20);
    }
    assert!(acknowledged.load(Ordering::Relaxed) > 20);
}

#[test]
fn a_window_that_no_body_fits_into_is_told_in_time() {
    for window in [0, 1] {
        let server = start(Shop::default(), move || Terms { window, speaks_http1: true, ..Terms::default() });
        for delivery in ["single-packet-head", "single-packet-tail"] {
            let ended = race(&server, delivery, 1_000);
            assert!(ended.took < Duration::from_secs(20), "{}", ended.said());
            assert!(ended.result().scenarios[0].rounds < 1_000, "{}", ended.said());
            expect_no_accusation(&ended);
            ended.expect_code(3).expect_stdout("(SETTINGS_INITIAL_WINDOW_SIZE)");
        }
        let ended = race(&server, "auto", 10);
        expect_no_accusation(&ended);
        assert!(ended.result().scenarios[0].trials > 0, "{}", ended.said());
    }
}

/// Whether it is the first frame of a contender's answer: later than the reads that warm a connection.
fn is_answer(way: Way, frame: &Frame) -> bool {
    way == Way::Down && frame.kind == HEADERS && frame.stream > 5
}

/// Whether it ends a request that is sent beside others.
fn is_request(way: Way, frame: &Frame) -> bool {
    way == Way::Up && frame.kind == DATA && frame.stream > 5 && frame.ends_stream()
}

#[test]
fn a_connection_that_ends_in_the_middle_of_a_volley_accuses_nobody() {
    let instead = |said: Vec<u8>, closes| Passed { said, closes, ..Passed::default() };
    let beside = |frame: &Frame, said: Vec<u8>| Passed { said, ..frame.pass() };
    for server in [
        once(is_request, move |_| instead(Vec::new(), true)),
        once(is_request, move |_| instead(go_away(0), true)),
        once(is_request, move |frame| instead(go_away(frame.stream), true)),
        once(is_request, move |frame| beside(frame, go_away(frame.stream))),
        once(is_request, move |frame| beside(frame, go_away(0))),
        once(is_answer, move |frame| Passed { closes: true, ..frame.pass() }),
        // REFUSED_STREAM, CANCEL, INTERNAL_ERROR, one that nobody knows: after, or instead of being looked at.
        once(is_request, move |frame| beside(frame, reset(frame.stream, 7))),
        once(is_request, move |frame| beside(frame, reset(frame.stream, 8))),
        once(is_request, move |frame| instead(reset(frame.stream, 2), false)),
        once(is_answer, move |frame| instead(reset(frame.stream, 99), false)),
    ] {
        let ended = race(&server, "single-packet", 12);
        expect_no_accusation(&ended);
        assert!(ended.result().scenarios[0].trials > 0, "{}", ended.said());
    }
}

#[test]
fn frames_that_nobody_should_send_accuse_nobody() {
    let nonsense: [fn(u32) -> Vec<u8>; 9] = [
        |_| frame(DATA, 0, 0, b"{}"),
        |stream| frame(DATA, 0, stream + 200, b"{}"),
        |_| frame(HEADERS, 0x5, 0, b"\x88"),
        |stream| frame(HEADERS, 0x5, stream, b"\xff\xff\xff\xff\xff\xff"),
        |stream| frame(CONTINUATION, 0, stream, b""),
        |_| frame(0x4, 0, 0, b"odd"),
        |_| frame(0x6, 0, 0, b"short"),
        |_| [&[0xff, 0xff, 0xff, 0x77, 0, 0, 0, 0, 0], &vec![0; 1 << 16][..]].concat(),
        |_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for said in nonsense {
        let server = once(is_answer, move |frame| Passed { on: said(frame.stream), ..Passed::default() });
        let ended = race(&server, "single-packet", 12);
        expect_no_accusation(&ended);
        assert!(ended.result().scenarios[0].trials > 0, "{}", ended.said());
    }
    // One that nobody knows is passed over (RFC 9113 §4.1).
    let unknown = |frame: &Frame| Passed { said: crate::http2::frame(0x77, 0xff, frame.stream, b"?"), ..frame.pass() };
    expect_clean(&race(&once(is_answer, unknown), "single-packet", 12), 12);
}

/// For a stream: what begins, and what is said again and again after that.
type Flood = Arc<dyn Fn(u32) -> (Vec<u8>, Vec<u8>) + Send + Sync>;

#[test]
fn headers_without_end_are_not_swallowed() {
    // A table entry of 4,000 bytes, and then 12,000 references to it: 48 MB in 16 KiB.
    let entry = [&b"\x40\x01x\x7f\xa1\x1e"[..], &[b'y'; 4_000]].concat();
    let bomb = [b"\x88".to_vec(), entry, vec![0xbe; 12_000]].concat();
    let floods: [Flood; 3] = [
        Arc::new(move |stream| (frame(HEADERS, 0x5, stream, &bomb), Vec::new())),
        Arc::new(|stream| {
            (frame(HEADERS, 0, stream, b"\x88"), frame(CONTINUATION, 0, stream, &b"\x00\x01x\x01y".repeat(3_000)))
        }),
        Arc::new(|stream| (frame(HEADERS, 0, stream, b"\x88"), frame(CONTINUATION, 0, stream, b""))),
    ];
    for flood in floods {
        let server = spoiled(move || {
            let flood = Arc::clone(&flood);
            move |way: Way, frame: &Frame| {
                if !is_answer(way, frame) {
                    return frame.pass();
                }
                let (on, flood) = flood(frame.stream);
                Passed { on, flood, ..Passed::default() }
            }
        });
        let ended = race(&server, "single-packet", 6);
        assert!(ended.took < Duration::from_secs(40), "{}", ended.said());
        expect_no_accusation(&ended);
    }
}

/// A shop that has never heard of HTTP/2.
struct Older {
    shop: Shop,
    reaction: Reaction,
}

impl Script for Older {
    fn answer_preface(&self) -> Reaction {
        self.reaction.clone()
    }

    fn answer(&self, asked: &Asked) -> Reaction {
        Shop::answer(&self.shop, asked).said()
    }
}

#[test]
fn whoever_does_not_understand_the_preface_is_raced_over_http_1() {
    let bad_request = Answer::new(400, serde_json::json!({}));
    for reaction in [
        Reaction::Hang,
        bad_request.said(),
        Reaction::SayAndClose(bad_request.bytes()),
        Reaction::Say(b"\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        Reaction::Say(vec![0x04; 100]),
        Reaction::SayAndClose(Vec::new()),
        Reaction::SayAndClose(b"\0\0\0".to_vec()),
    ] {
        let server = Server::start(Older { shop: Shop::default(), reaction });
        let ended = race(&server, "auto", 6);
        expect_clean(&ended, 6);
        let methods: Vec<Method> = ended.result().scenarios[0].deliveries.iter().map(|one| one.method).collect();
        assert_eq!(methods, [Method::Barrier, Method::Head, Method::Tail]);
        race(&server, "single-packet", 1)
            .expect_unusable("it does not speak HTTP/2, which --delivery single-packet needs");
    }
}

#[test]
fn a_port_whose_http_2_is_grpc_alone_is_raced_over_http_1() {
    // PROTOCOL_ERROR to every request, as gRPC's servers say where it is not theirs.
    let reset_all = |way: Way, frame: &Frame| match way {
        Way::Up if frame.kind == HEADERS => Passed { said: reset(frame.stream, 1), ..Passed::default() },
        Way::Up | Way::Down => frame.pass(),
    };
    let terms = move || Terms { spoil: Box::new(reset_all), speaks_http1: true, ..Terms::default() };
    let server = start(Shop::default(), terms);
    let ended = race(&server, "auto", 6);
    expect_clean(&ended, 6);
    let methods: Vec<Method> = ended.result().scenarios[0].deliveries.iter().map(|one| one.method).collect();
    assert_eq!(methods, [Method::Barrier, Method::Head, Method::Tail]);
}
