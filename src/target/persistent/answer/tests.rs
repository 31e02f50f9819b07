//! Answers in any pieces, and bytes that are none. No socket.

use proptest::prelude::*;

use super::*;

/// All of an answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct All {
    lines: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Keep for All {
    fn head(&mut self, headers: &[Header<'_>]) {
        assert!(self.lines.is_empty() && self.body.is_empty(), "there is one header section, and it comes first");
        self.lines = headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
    }

    fn data(&mut self, data: &[u8]) {
        self.body.extend_from_slice(data);
    }
}

/// What came of a connection's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// A complete answer; so many bytes follow it.
    Whole {
        status: u16,
        all: All,
        goes_on: bool,
        beyond: usize,
    },
    /// The connection ended before.
    Cut,
    Failed(Cause),
}

/// Gives `pieces` to an answer as a connection does, and then ends.
fn read<'a>(to_head: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Came {
    let (mut answer, mut all, mut buffer) = (Answer::new(to_head), All::default(), Vec::new());
    let mut pieces = pieces.into_iter();
    for piece in pieces.by_ref() {
        buffer.extend_from_slice(piece);
        let taken = match answer.take(&buffer, &mut all) {
            Ok(taken) => taken,
            Err(cause) => return Came::Failed(cause),
        };
        buffer.drain(..taken.bytes);
        if taken.is_complete {
            break;
        }
    }
    if !answer.end() {
        return Came::Cut;
    }
    let beyond = buffer.len() + pieces.map(<[u8]>::len).sum::<usize>();
    Came::Whole { status: answer.status(), all, goes_on: answer.goes_on(), beyond }
}

fn whole(bytes: &[u8]) -> Came {
    read(false, [bytes])
}

/// The pieces between the cuts, of which some may be empty.
fn cut<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|at| at % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut from = 0;
    cuts.iter().map(|to| &bytes[std::mem::replace(&mut from, *to)..*to]).filter(|piece| !piece.is_empty()).collect()
}

/// A response, whether it answers HEAD, and its status, body, whether the connection goes on and what comes after.
type Example = (&'static [u8], bool, (u16, &'static [u8], bool, usize));

const EXAMPLES: &[Example] = &[
    (b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false, (200, b"hello", true, 0)),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, (200, b"", true, 0)),
    (b"HTTP/1.1 404\r\ncontent-length: 2\r\n\r\nno", false, (404, b"no", true, 0)),
    (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", false, (200, b"ok", true, 0)),
    (b"\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", false, (200, b"ok", true, 0)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", false, (204, b"", true, 0)),
    (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 100\r\n\r\n", false, (304, b"", true, 0)),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", true, (200, b"", true, 0)),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", true, (200, b"", true, 0)),
    (b"HTTP/1.1 200 OK\r\n\r\nuntil it ends", false, (200, b"until it ends", false, 0)),
    (b"HTTP/1.1 200 OK\r\n\r\n", false, (200, b"", false, 0)),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", false, (200, b"ok", false, 0)),
    (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", false, (200, b"ok", false, 0)),
    (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", false, (200, b"ok", true, 0)),
    (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200", false, (200, b"ok", true, 12)),
    (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\n1",
        false,
        (201, b"1", true, 0),
    ),
    (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n",
        false,
        (200, b"abc0123456789", true, 0),
    ),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nrest", false, (200, b"", true, 4)),
];

fn matches(came: &Came, (status, body, goes_on, beyond): (u16, &[u8], bool, usize)) -> bool {
    matches!(came, Came::Whole { status: own, all, goes_on: on, beyond: rest }
        if (*own, &*all.body, *on, *rest) == (status, body, goes_on, beyond))
}

#[test]
fn every_framing_is_read_in_one_piece_byte_by_byte_and_in_two() {
    for (bytes, to_head, expected) in EXAMPLES {
        let shown = bytes.escape_ascii();
        let came = read(*to_head, [*bytes]);
        assert!(matches(&came, *expected), "{shown}: {came:?}");
        assert_eq!(read(*to_head, bytes.chunks(1)), came, "{shown}");
        for at in 0..bytes.len() {
            assert_eq!(read(*to_head, cut(bytes, &[at])), came, "at {at}: {shown}");
        }
    }
}

#[test]
fn an_answer_that_ends_too_early_is_none() {
    for (bytes, to_head, (_, body, _, beyond)) in EXAMPLES {
        let until_close = whole(b"HTTP/1.1 200 OK\r\n\r\n") == read(*to_head, [&bytes[..bytes.len() - body.len()]]);
        let end = bytes.len() - beyond;
        for at in 0..end {
            let came = read(*to_head, [&bytes[..at]]);
            let is_body_of_a_close = until_close && at >= end - body.len();
            assert!(came == Came::Cut || is_body_of_a_close, "at {at}: {}: {came:?}", bytes.escape_ascii());
        }
    }
}

#[test]
fn what_is_no_http_or_has_no_end_to_agree_on_is_told_at_once() {
    for bytes in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"\x16\x03\x03\x00\x2a",
        b"HTTP/2 200\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nspace : 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: 1\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
    ] {
        for pieces in [vec![bytes], bytes.chunks(1).collect()] {
            let came = read(false, pieces);
            assert!(matches!(came, Came::Failed(Cause::NotHttp(_))), "{}: {came:?}", bytes.escape_ascii());
        }
    }
}

#[test]
fn nothing_is_read_that_is_too_large() {
    let long =
        |bytes: usize| [b"HTTP/1.1 200 OK\r\na: ", &*vec![b'a'; bytes], b"\r\ncontent-length: 0\r\n\r\n"].concat();
    let frame = long(0).len();
    for piece in [1, 4096, HEAD_LIMIT * 2] {
        let ends = |bytes: &[u8]| read(false, bytes.chunks(piece));
        assert!(matches!(ends(&long(HEAD_LIMIT - frame)), Came::Whole { .. }), "{piece}");
        assert_eq!(ends(&long(HEAD_LIMIT - frame + 1)), Came::Failed(Cause::TooLarge), "{piece}");
        assert_eq!(ends(&long(HEAD_LIMIT)[..HEAD_LIMIT]), Came::Failed(Cause::TooLarge), "{piece}");
        let flood = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(HEAD_LIMIT / 20);
        assert_eq!(ends(&flood), Came::Failed(Cause::TooLarge), "{piece}");
    }
    let body = vec![b'x'; BODY_LIMIT + 1];
    for head in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400001\r\n"] {
        assert_eq!(read(false, [head, &body]), Came::Failed(Cause::TooLarge), "{}", head.escape_ascii());
    }
    for announced in [BODY_LIMIT as u64 + 1, u64::MAX] {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {announced}\r\n\r\n");
        assert_eq!(whole(head.as_bytes()), Came::Failed(Cause::TooLarge), "{announced}");
    }
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY_LIMIT}\r\n\r\n");
    assert!(matches!(read(false, [head.as_bytes(), &body[1..]]), Came::Whole { beyond: 0, .. }));
}

#[test]
fn more_header_lines_than_anybody_needs_are_refused() {
    let lines = |count: usize| [b"HTTP/1.1 204 No Content\r\n", &*b"a: 1\r\n".repeat(count), b"\r\n"].concat();
    assert!(matches!(whole(&lines(LINES)), Came::Whole { .. }));
    assert_eq!(whole(&lines(LINES + 1)), Came::Failed(Cause::TooLarge));
}

/// A valid response with a body in one of the three framings, after some interim ones, before something else.
fn response() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let body = prop::collection::vec(any::<u8>(), 0..300);
    let chunks = prop::collection::vec(1_usize..80, 1..8);
    (body, chunks, 0_u8..3, 0_usize..3, 0_usize..5).prop_map(|(body, chunks, framing, interim, lines)| {
        let mut bytes = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(interim);
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        bytes.extend_from_slice(&b"x-line: something \x80 else\r\n".repeat(lines));
        match framing {
            0 => bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes()),
            1 => bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
            _ => bytes.extend_from_slice(b"\r\n"),
        }
        if framing == 1 {
            let (mut rest, mut sizes) = (&*body, chunks.iter().cycle());
            while !rest.is_empty() {
                let (chunk, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
                bytes.extend_from_slice(format!("{:X};n=v\r\n", chunk.len()).as_bytes());
                bytes.extend_from_slice(chunk);
                bytes.extend_from_slice(b"\r\n");
                rest = after;
            }
            bytes.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
        } else {
            bytes.extend_from_slice(&body);
        }
        (bytes, body)
    })
}

/// Bytes that look like HTTP in parts.
fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        &b"HTTP/1.1 200 OK\r\n"[..],
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"content-length: 5\r\n",
        b"content-length: 18446744073709551616\r\n",
        b"transfer-encoding: chunked\r\n",
        b"connection: close\r\n",
        b"\r\n",
        b"\n",
        b"5\r\nhello\r\n",
        b"ffffffffffffffff\r\n",
        b"0\r\n\r\n",
        b"hello",
    ]);
    let scrap = prop_oneof![known.prop_map(<[u8]>::to_vec), prop::collection::vec(any::<u8>(), 0..20)];
    prop::collection::vec(scrap, 0..12).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..Default::default() })]

    #[test]
    fn an_answer_is_the_same_however_it_is_cut((bytes, body) in response(), cuts in prop::collection::vec(0_usize..2000, 0..12)) {
        let came = whole(&bytes);
        prop_assert!(matches!(&came, Came::Whole { status: 200, all, beyond: 0, .. } if all.body == body), "{came:?}");
        prop_assert_eq!(read(false, cut(&bytes, &cuts)), came);
    }

    /// Whatever comes, reading ends, and how it was cut does not matter, unless it failed: how soon that is noticed may differ.
    #[test]
    fn whatever_comes_is_an_answer_or_none(bytes in scraps(), cuts in prop::collection::vec(0_usize..2000, 0..12), to_head: bool) {
        let came = read(to_head, [&*bytes]);
        let again = read(to_head, cut(&bytes, &cuts));
        match (&came, &again) {
            (Came::Failed(_), Came::Failed(_) | Came::Cut) | (Came::Cut, Came::Failed(_)) => {}
            _ => prop_assert_eq!(&came, &again),
        }
        if let Came::Whole { all, beyond, .. } = came {
            prop_assert!(all.body.len() + beyond <= bytes.len());
        }
    }
}
