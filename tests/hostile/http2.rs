//! HTTP/2 for scripts: the `h2` crate serves, and what it and its client say to each other can be spoiled on the way.
//!
//! ```text
//! client ◄──► relay ◄──► h2 ──► script
//!               └── spoil: looks at each frame, and says what goes on instead
//! ```

use std::fmt::Write as _;
use std::future::poll_fn;
use std::io;
use std::net;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::net::TcpStream;

use crate::server::{Asked, Floor, Reaction};

/// The length of the client's preface, and of a frame's header (RFC 9113 §3.4, §4.1).
const PREFACE: usize = 24;
const FRAME_HEAD: usize = 9;

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const WINDOW_UPDATE: u8 = 0x8;
pub(crate) const CONTINUATION: u8 = 0x9;
/// `END_STREAM`, and of `SETTINGS` and `PING` the acknowledgement.
pub(crate) const END: u8 = 0x1;
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;

/// How a script speaks HTTP/2.
pub(crate) struct Terms {
    pub(crate) streams: u32,
    pub(crate) window: u32,
    /// Whether it speaks HTTP/1.1 as well.
    pub(crate) speaks_http1: bool,
    pub(crate) spoil: Box<dyn Spoil>,
    /// What is said to the client again and again, whatever else happens.
    pub(crate) chatter: Option<(Duration, Vec<u8>)>,
}

impl Default for Terms {
    fn default() -> Self {
        let spoil = Box::new(|_: Way, frame: &Frame| frame.pass());
        Self { streams: 100, window: 65_535, speaks_http1: false, spoil, chatter: None }
    }
}

/// Where a frame is going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// A whole frame.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    bytes: Vec<u8>,
}

/// What becomes of a frame.
#[derive(Default)]
pub(crate) struct Passed {
    /// What goes on to whom it was meant for.
    pub(crate) on: Vec<u8>,
    /// What is said to the client.
    pub(crate) said: Vec<u8>,
    /// What is then said to the client again and again, for ever.
    pub(crate) flood: Vec<u8>,
    /// The connection ends after that.
    pub(crate) closes: bool,
}

/// Spoils a connection, frame by frame.
pub(crate) trait Spoil: Send {
    fn pass(&mut self, way: Way, frame: &Frame) -> Passed;
}

impl<F: FnMut(Way, &Frame) -> Passed + Send> Spoil for F {
    fn pass(&mut self, way: Way, frame: &Frame) -> Passed {
        self(way, frame)
    }
}

impl Frame {
    /// As it is.
    pub(crate) fn pass(&self) -> Passed {
        Passed { on: self.bytes.clone(), ..Passed::default() }
    }

    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END != 0
    }

    /// Whether it acknowledges what h2 never said.
    fn is_stray_ack(&self) -> bool {
        self.kind == PING && self.flags & END != 0 && self.bytes.ends_with(OPAQUE)
            || self.kind == SETTINGS && self.flags & END != 0
    }
}

/// What a ping of [`ping`] carries.
const OPAQUE: &[u8; 8] = b"chatter!";

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn ping() -> Vec<u8> {
    frame(PING, 0, 0, OPAQUE)
}

pub(crate) fn setting(name: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

pub(crate) fn more_room(stream: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &1_u32.to_be_bytes())
}

/// Streams above `last` were not looked at (RFC 9113 §6.8).
pub(crate) fn go_away(last: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), [0; 4]].concat())
}

pub(crate) fn reset(stream: u32, reason: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &reason.to_be_bytes())
}

/// Serves a connection until its client has had enough.
pub(crate) fn serve(tcp: net::TcpStream, floor: &Arc<Floor>, terms: Terms) -> io::Result<()> {
    tcp.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (near, far) = duplex(1 << 20);
        let mut builder = Builder::new();
        builder.max_concurrent_streams(terms.streams).initial_window_size(terms.window);
        let relayed = tokio::spawn(relay(TcpStream::from_std(tcp)?, far, terms.spoil, terms.chatter));
        if let Ok(mut connection) = builder.handshake::<_, Bytes>(near).await {
            while let Some(Ok((request, respond))) = connection.accept().await {
                let floor = Arc::clone(floor);
                // How a stream ends is the client's affair.
                tokio::spawn(async move { drop(converse(&floor, request, respond).await) });
            }
        }
        relayed.await.unwrap()
    })
}

async fn converse(
    floor: &Floor,
    request: http::Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let (head, mut body) = request.into_parts();
    let mut text = format!("{} {} HTTP/2\r\n", head.method, head.uri.path());
    for (name, value) in &head.headers {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    let asked = Asked { method: head.method.to_string(), path: head.uri.path().to_owned(), head: text };
    let early = if body.is_end_stream() { Reaction::Wait } else { floor.script.answer_at_the_headers(&asked) };
    let is_early = !matches!(early, Reaction::Wait);
    let mut respond = Some(respond);
    if is_early {
        react(early, respond.take().unwrap()).await?;
    }
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
    }
    floor.note(asked.clone());
    match respond {
        Some(respond) => react(floor.script.answer(&asked), respond).await,
        None => Ok(()),
    }
}

/// Says over HTTP/2 what a script says in the words of HTTP/1.1.
async fn react(reaction: Reaction, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let (Reaction::Say(said) | Reaction::SayAndClose(said)) = reaction else {
        return poll_fn(|cx| respond.poll_reset(cx)).await.map(drop);
    };
    let text = String::from_utf8(said).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut response = http::Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")).filter(|(name, _)| *name != "connection") {
        response = response.header(name, value);
    }
    let mut stream = respond.send_response(response.body(()).unwrap(), body.is_empty())?;
    if body.is_empty() { Ok(()) } else { stream.send_data(body.to_owned().into(), true) }
}

/// Passes frames on, as spoiled, until one side has had enough.
async fn relay(
    tcp: TcpStream,
    far: DuplexStream,
    mut spoil: Box<dyn Spoil>,
    chatter: Option<(Duration, Vec<u8>)>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = tcp.into_split();
    let (mut from_server, mut to_server) = split(far);
    let (mut begun, mut answered) = (Vec::new(), Vec::new());
    let mut preface = [0; PREFACE];
    from_client.read_exact(&mut preface).await?;
    to_server.write_all(&preface).await?;
    // h2 says its settings once; whatever else is acknowledged was said by others.
    let mut has_acknowledged = false;
    loop {
        let (way, frame) = tokio::select! {
            frame = next(&mut from_client, &mut begun) => (Way::Up, frame?),
            frame = next(&mut from_server, &mut answered) => (Way::Down, frame?),
            () = pause(chatter.as_ref()), if chatter.is_some() => {
                to_client.write_all(&chatter.as_ref().unwrap().1).await?;
                continue;
            }
        };
        let passed = spoil.pass(way, &frame);
        if way == Way::Down {
            to_client.write_all(&passed.on).await?;
        } else if !frame.is_stray_ack() || frame.kind == SETTINGS && !std::mem::replace(&mut has_acknowledged, true) {
            to_server.write_all(&passed.on).await?;
        }
        to_client.write_all(&passed.said).await?;
        while !passed.flood.is_empty() {
            to_client.write_all(&passed.flood).await?;
        }
        if passed.closes {
            return Ok(());
        }
    }
}

async fn pause(chatter: Option<&(Duration, Vec<u8>)>) {
    let time = chatter.map_or(Duration::MAX, |(time, _)| *time);
    tokio::time::sleep(time).await; // the time under test, no synchronisation
}

/// The next frame. What was read of it is kept in `got` if it is not waited for.
async fn next(from: &mut (impl AsyncRead + Unpin), got: &mut Vec<u8>) -> io::Result<Frame> {
    loop {
        if let Some(head) = got.first_chunk::<FRAME_HEAD>() {
            let [l0, l1, l2, kind, flags, stream @ ..] = *head;
            let length = FRAME_HEAD + u32::from_be_bytes([0, l0, l1, l2]) as usize;
            if got.len() >= length {
                let bytes = got.drain(..length).collect();
                return Ok(Frame { kind, flags, stream: u32::from_be_bytes(stream), bytes });
            }
        }
        if from.read_buf(got).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
