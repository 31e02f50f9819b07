//! Whatever is written, in whatever pieces: all of it arrives, unchanged, and late only where it is held.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::clock::Clock;
use crate::target::gate::{Gate, Leave};
use crate::target::hold::HeldSocket;
use crate::target::http2::frame::{CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS};

const LIMIT: Duration = Duration::from_secs(20);
/// The frame types of settings, pings and windows (RFC 9113 §6).
const OTHERS: [u8; 3] = [0x4, 0x6, 0x8];

type Piece = Vec<u8>;

/// A request, as frames.
#[derive(Debug, Clone)]
struct Asked {
    /// The header block: the first in HEADERS, the others in CONTINUATION.
    head: Vec<Piece>,
    body: Vec<Piece>,
    /// Whether a contender waits for it, or has given it up.
    is_wanted: bool,
    /// When it leaves, in µs, and after whom.
    leaves: (u64, u16),
}

/// A connection, up to the end of a volley.
#[derive(Debug, Clone)]
struct Written {
    /// Requests that are under way when the volley begins: they have been opened.
    before: Vec<Asked>,
    raced: Vec<Asked>,
    /// Frames about the connection, and where they come among the others.
    others: Vec<(u8, Piece, Index)>,
    /// Whose frame comes next, as long as there is a choice.
    turns: Vec<Index>,
    is_tail: bool,
    is_spread: bool,
    /// How it is cut.
    cuts: Vec<Index>,
}

/// A frame, and whether it is held.
#[derive(Debug, Clone)]
struct Sent {
    stream: u32,
    bytes: Vec<u8>,
    is_held: bool,
}

fn sent(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Sent {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let bytes = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
    Sent { stream, bytes, is_held: false }
}

impl Asked {
    /// Its frames; those of one header block come one after the other.
    fn frames(&self, stream: u32, is_tail: bool) -> Vec<Vec<Sent>> {
        // Of a tail, a frame of its own ends the request.
        let is_bare = self.body.is_empty() && !is_tail;
        let block = self.head.iter().enumerate().map(|(index, payload)| {
            let kind = if index == 0 { HEADERS } else { CONTINUATION };
            let ends_block = if index + 1 == self.head.len() { END_HEADERS } else { 0 };
            let ends_stream = if is_bare && index == 0 { END_STREAM } else { 0 };
            sent(kind, ends_block | ends_stream, stream, payload)
        });
        let mut units = vec![block.collect::<Vec<_>>()];
        let body: &[Piece] = if self.body.is_empty() && is_tail { &[Vec::new()] } else { &self.body };
        for (index, payload) in body.iter().enumerate() {
            let flags = if index + 1 == body.len() { END_STREAM } else { 0 };
            units.push(vec![sent(DATA, flags, stream, payload)]);
        }
        units
    }
}

impl Written {
    /// All frames before the volley begins, and after that, in an order in which a client may send them.
    fn frames(&self) -> (Vec<Sent>, Vec<Sent>) {
        let mut turns = self.turns.iter().cycle();
        let queue = |asked: &Asked, stream: usize, is_tail| {
            let mut units = asked.frames(u32::try_from(2 * stream + 1).unwrap(), is_tail);
            units.reverse();
            units
        };
        let mut open: Vec<Vec<Vec<Sent>>> =
            self.before.iter().enumerate().map(|(stream, asked)| queue(asked, stream, false)).collect();
        let before: Vec<Sent> = open.iter_mut().filter_map(Vec::pop).flatten().collect();
        let raced = self.raced.iter().enumerate();
        let mut unopened: Vec<Vec<Vec<Sent>>> =
            raced.map(|(index, asked)| queue(asked, self.before.len() + index, self.is_tail)).collect();
        unopened.reverse();
        let mut after = Vec::new();
        loop {
            open.retain(|units| !units.is_empty());
            let choices = open.len() + usize::from(!unopened.is_empty());
            if choices == 0 {
                break;
            }
            let turn = turns.next().map_or(0, |turn| turn.index(choices));
            if turn == open.len() {
                open.extend(unopened.pop());
            }
            let first_raced = u32::try_from(2 * self.before.len() + 1).unwrap();
            for mut frame in open[turn].pop().into_iter().flatten() {
                let is_end = open[turn].is_empty();
                frame.is_held = frame.stream >= first_raced && (is_end || !self.is_tail);
                after.push(frame);
            }
        }
        for (kind, payload, at) in &self.others {
            // Nothing comes between the frames of a header block (RFC 9113 §6.10).
            let is_cut = |at: usize| after.get(at).is_some_and(|frame: &Sent| frame.bytes[3] == CONTINUATION);
            let at = (at.index(after.len() + 1)..=after.len()).find(|at| !is_cut(*at)).unwrap();
            after.insert(at, sent(*kind, 0, 0, payload));
        }
        (before, after)
    }

    /// Who leaves when, of the raced requests that are wanted.
    fn leaves(&self) -> Vec<Leave> {
        let wanted = self.raced.iter().filter(|asked| asked.is_wanted);
        let mut order: Vec<((u64, u16), usize)> =
            wanted.enumerate().map(|(index, asked)| (asked.leaves, index)).collect();
        if !self.is_spread {
            for ((delay, _), _) in &mut order {
                *delay = 0;
            }
        }
        order.sort_unstable();
        order.into_iter().map(|((delay, _), index)| Leave { index, delay: Duration::from_micros(delay) }).collect()
    }
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(any::<u8>(), 1_000..20_000)
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let frames = (prop::collection::vec(piece(), 1..4), prop::collection::vec(piece(), 0..4));
    let leaving = (prop::bool::weighted(0.8), (0..300_u64, any::<u16>()));
    (frames, leaving).prop_map(|((head, body), (is_wanted, leaves))| Asked { head, body, is_wanted, leaves })
}

fn written() -> impl Strategy<Value = Written> {
    let requests = (prop::collection::vec(asked(), 0..3), prop::collection::vec(asked(), 1..6));
    let others = prop::collection::vec((prop::sample::select(OTHERS.to_vec()), piece(), any::<Index>()), 0..6);
    let chance = (prop::collection::vec(any::<Index>(), 1..20), prop::collection::vec(any::<Index>(), 0..30));
    (requests, others, chance, any::<bool>(), any::<bool>()).prop_map(
        |((before, mut raced), others, (turns, cuts), is_tail, is_spread)| {
            raced[0].is_wanted = true; // without anybody, nobody would let go of anything
            Written { before, raced, others, turns, is_tail, is_spread, cuts }
        },
    )
}

fn joined<'a>(frames: impl IntoIterator<Item = &'a Sent>) -> Vec<u8> {
    frames.into_iter().flat_map(|frame| frame.bytes.clone()).collect()
}

/// Writes it cut in pieces.
async fn write_cut(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8], cuts: &[Index]) {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    for piece in at.windows(2) {
        writer.write_all(&bytes[piece[0]..piece[1]]).await.unwrap();
    }
}

async fn get(peer: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut got = vec![0; length];
    tokio::time::timeout(LIMIT, peer.read_exact(&mut got)).await.expect("all of it comes").unwrap();
    got
}

async fn arrives(written: Written) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let hold = Hold::new(tcp, Clock::start());
    let weir = Weir::new(Arc::clone(&hold));
    let (mut reader, mut writer) = split(Frames::new(HeldSocket(hold), Arc::clone(&weir)));
    // A connection's task reads as long as there is the connection: there the gate finds it.
    let driver = tokio::spawn(async move { reader.read_u8().await });
    let (before, after) = written.frames();
    let beginning = [vec![b'p'; PREFACE], joined(&before)].concat();
    write_cut(&mut writer, &beginning, &written.cuts).await;
    writer.flush().await.unwrap();
    assert_eq!(get(&mut peer, beginning.len()).await, beginning);

    weir.begin(written.is_tail);
    let wanted = written.raced.iter().filter(|asked| asked.is_wanted).count();
    let (gate, tickets) = Gate::new(wanted);
    let mut tickets = tickets.into_iter();
    for (index, asked) in written.raced.iter().enumerate() {
        if asked.is_wanted {
            let stream = u32::try_from(2 * (written.before.len() + index) + 1).unwrap();
            weir.hold_back(stream, tickets.next().unwrap(), weir.charge());
        }
    }
    write_cut(&mut writer, &joined(&after), &written.cuts).await;
    writer.flush().await.unwrap();
    let through = joined(after.iter().filter(|frame| !frame.is_held));
    assert_eq!(get(&mut peer, through.len()).await, through, "what is not held leaves at once, in order");
    let early = tokio::time::timeout(Duration::from_millis(1), peer.peek(&mut [0])).await;
    assert!(early.is_err(), "what is held does not leave");

    assert_eq!(gate.open(&written.leaves(), LIMIT).await, Ok(wanted));
    let mut late: Vec<&Sent> = after.iter().filter(|frame| frame.is_held).collect();
    late.sort_by_key(|frame| frame.stream);
    let late = joined(late);
    assert_eq!(get(&mut peer, late.len()).await, late, "what was held leaves in the order of its streams");

    writer.write_all(&sent(DATA, 0, 1, b"after").bytes).await.unwrap();
    writer.flush().await.unwrap();
    assert_eq!(get(&mut peer, FRAME_HEAD + 5).await[FRAME_HEAD..], *b"after", "the weir is open again");
    peer.write_u8(0).await.unwrap();
    driver.await.unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn all_that_is_written_arrives_unchanged_and_only_what_is_held_late(written in written()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(arrives(written));
    }
}
