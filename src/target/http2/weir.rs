//! The weir: HTTP/2 frames go through, but those that end raced requests, until the gate opens.
//!
//! ```text
//! h2 ──► Frames ──► [TLS] ──► HeldSocket ──► TCP
//!        keeps the frames     keeps what it is given while it is closed;
//!        of raced streams     written by the gate
//! ```
//!
//! A volley begins with the first request that is to be held: streams that are opened from then on are raced. Of those either all
//! frames are kept, or the last one (the one that says `END_STREAM`, RFC 9113 §6.1) and what follows it. A contender parks when the
//! last frame of its request is kept, and all before it has left. When all have parked the gate *loads*: the kept frames are
//! passed down, in the order in which their streams were opened, into the closed hold. That order is the only one there is:
//! header blocks are compressed in it (RFC 9113 §4.3), so a
//! contender that should leave before one whose stream was opened earlier takes that one along. Frames that belong to no raced stream, acknowledgements of settings
//! and pings, go through until then, and wait for the release after that.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::frame::{FRAME_HEAD, FrameHead};
use super::said::{Incoming, Said};
use crate::target::gate::{Parked, Ticket};
use crate::target::hold::{Charge, Hold};

/// The length of the client's connection preface (RFC 9113 §3.4).
const PREFACE: usize = 24;
/// What a connection holds back, shared by its places, the top of its stream, and the gate.
#[derive(Debug)]
pub(super) struct Weir {
    hold: Arc<Hold>,
    state: Mutex<State>,
    /// Something was loaded, or the connection is gone.
    changed: Notify,
    /// What the server said of the connection.
    said: Said,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The highest stream that was seen.
    highest: u32,
    /// The raced streams, in the order they were opened.
    held: Vec<Raced>,
    is_gone: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Everything goes through.
    #[default]
    Open,
    /// Streams above `over` are raced; of a `tail`, only the last frame is kept.
    Holding { over: u32, tail: bool },
    /// The gate wants what is kept to be passed down; each stream's by itself if they are `spread`.
    Loading { over: u32, tail: bool, spread: bool },
}

/// A raced stream.
#[derive(Debug)]
struct Raced {
    stream: u32,
    frames: Vec<u8>,
    /// The frame that ends it was begun.
    is_ending: bool,
    /// The whole of it is kept, or has left.
    is_complete: bool,
    /// All that is to leave before has left.
    is_flushed: bool,
    ticket: Option<Ticket>,
    charge: Option<Arc<Charge>>,
}

impl Weir {
    pub(super) fn new(hold: Arc<Hold>) -> Arc<Self> {
        Arc::new(Self { hold, state: Mutex::default(), changed: Notify::new(), said: Said::default() })
    }

    /// What will hold a request's end.
    pub(super) fn charge(&self) -> Arc<Charge> {
        Charge::new(&self.hold)
    }

    /// What the server said of the connection.
    pub(super) const fn said(&self) -> &Said {
        &self.said
    }

    /// Streams opened from now on are raced. The first contender of a volley begins it for all.
    pub(super) fn begin(&self, tail: bool) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Holding { over: state.highest, tail };
            state.held.clear();
        }
    }

    /// The raced `stream` has a contender: it parks when the request's end is kept.
    pub(super) fn hold_back(self: &Arc<Self>, stream: u32, ticket: Ticket, charge: Arc<Charge>) {
        let mut state = self.state();
        let held = state.raced(stream);
        (held.ticket, held.charge) = (Some(ticket), Some(charge));
        let parking = held.park();
        drop(state);
        self.park(parking);
    }

    /// A contender's request is over: if it has not parked, it is gone.
    pub(super) fn give_up(&self, charge: &Arc<Charge>) {
        let mut state = self.state();
        let own = |raced: &&mut Raced| raced.charge.as_ref().is_some_and(|held| Arc::ptr_eq(held, charge));
        if let Some(held) = state.held.iter_mut().find(own)
            && held.ticket.take().is_some()
        {
            // Nobody will fire it: its frames go with another's.
            held.charge = None;
        }
    }

    fn park(self: &Arc<Self>, parking: Option<(Ticket, Arc<Charge>)>) {
        if let Some((ticket, charge)) = parking {
            ticket.park(Arc::new(Kept { weir: Arc::clone(self), charge }));
        }
    }

    /// Everything that was to leave has left.
    fn flushed(self: &Arc<Self>) {
        let mut state = self.state();
        if state.held.iter().all(|held| held.is_flushed || !held.is_complete) {
            return;
        }
        let mut parking = Vec::new();
        for held in &mut state.held {
            held.is_flushed |= held.is_complete;
            parking.extend(held.park());
        }
        drop(state);
        for ready in parking {
            self.park(Some(ready));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

impl State {
    /// A raced stream's own entry.
    fn raced(&mut self, stream: u32) -> &mut Raced {
        let at = self.held.partition_point(|held| held.stream < stream);
        if self.held.get(at).is_none_or(|held| held.stream != stream) {
            self.held.insert(at, Raced::new(stream));
        }
        &mut self.held[at]
    }

    /// Where a frame goes: to the entry of its stream, or through.
    fn keeps(&mut self, head: FrameHead) -> bool {
        let (Phase::Holding { over, tail } | Phase::Loading { over, tail, .. }) = self.phase else {
            self.highest = self.highest.max(head.stream);
            return false;
        };
        self.highest = self.highest.max(head.stream);
        if head.stream <= over {
            return false;
        }
        let raced = self.raced(head.stream);
        raced.is_ending |= head.ends_stream();
        !tail || raced.is_ending
    }
}

impl Raced {
    const fn new(stream: u32) -> Self {
        Self {
            stream,
            frames: Vec::new(),
            is_ending: false,
            is_complete: false,
            is_flushed: false,
            ticket: None,
            charge: None,
        }
    }

    /// The ticket, when it is time to park with it.
    fn park(&mut self) -> Option<(Ticket, Arc<Charge>)> {
        if !self.is_flushed {
            return None;
        }
        Some((self.ticket.take()?, Arc::clone(self.charge.as_ref()?)))
    }
}

/// A contender whose request's end is kept.
struct Kept {
    weir: Arc<Weir>,
    charge: Arc<Charge>,
}

impl Parked for Kept {
    fn load(&self, spread: bool) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let changed = self.weir.changed.notified();
                {
                    let mut state = self.weir.state();
                    if state.is_gone || self.charge.is_loaded() {
                        return;
                    }
                    if let Phase::Holding { over, tail } = state.phase {
                        state.phase = Phase::Loading { over, tail, spread };
                    }
                }
                // The task that drives the connection does it.
                self.weir.hold.wake();
                changed.await;
            }
        })
    }

    fn fire(&self) {
        self.charge.fire();
    }

    fn settle(&self) {
        self.charge.settle();
    }
}

/// The top of the stream.
#[derive(Debug)]
pub(super) struct Frames<S> {
    inner: S,
    weir: Arc<Weir>,
    cut: Cut,
    /// What goes through, and has not been taken yet.
    through: BytesMut,
    incoming: Incoming,
}

/// Finds frames in what is written, however it comes in pieces.
#[derive(Debug)]
struct Cut {
    preface_left: usize,
    head: [u8; FRAME_HEAD],
    head_got: usize,
    /// Of the frame's payload.
    left: usize,
    /// The frame under way, and whether it is kept.
    frame: Option<(FrameHead, bool)>,
}

impl Cut {
    const fn new() -> Self {
        Self { preface_left: PREFACE, head: [0; FRAME_HEAD], head_got: 0, left: 0, frame: None }
    }

    const fn is_between_frames(&self) -> bool {
        self.preface_left == 0 && self.head_got == 0 && self.frame.is_none()
    }

    /// Passes `bytes` on: into `through`, or to the streams that are held.
    fn pass(&mut self, mut bytes: &[u8], state: &mut State, through: &mut BytesMut) {
        while !bytes.is_empty() {
            if self.preface_left > 0 {
                let (now, later) = bytes.split_at(bytes.len().min(self.preface_left));
                through.extend_from_slice(now);
                self.preface_left -= now.len();
                bytes = later;
            } else if let Some((head, is_kept)) = self.frame {
                let (now, later) = bytes.split_at(bytes.len().min(self.left));
                Self::put(now, head, is_kept, state, through);
                self.left -= now.len();
                bytes = later;
                self.end_frame(state);
            } else {
                let wanted = FRAME_HEAD - self.head_got;
                let (now, later) = bytes.split_at(bytes.len().min(wanted));
                self.head[self.head_got..self.head_got + now.len()].copy_from_slice(now);
                self.head_got += now.len();
                bytes = later;
                if self.head_got == FRAME_HEAD {
                    self.begin_frame(state, through);
                }
            }
        }
    }

    fn begin_frame(&mut self, state: &mut State, through: &mut BytesMut) {
        let head = FrameHead::read(&self.head);
        let is_kept = state.keeps(head);
        Self::put(&self.head, head, is_kept, state, through);
        (self.head_got, self.left, self.frame) = (0, head.length, Some((head, is_kept)));
        self.end_frame(state);
    }

    fn end_frame(&mut self, state: &mut State) {
        let Some((head, is_kept)) = self.frame.filter(|_| self.left == 0) else { return };
        self.frame = None;
        if is_kept && head.completes() {
            let raced = state.raced(head.stream);
            raced.is_complete |= raced.is_ending;
        }
    }

    fn put(bytes: &[u8], head: FrameHead, is_kept: bool, state: &mut State, through: &mut BytesMut) {
        if is_kept {
            state.raced(head.stream).frames.extend_from_slice(bytes);
        } else {
            through.extend_from_slice(bytes);
        }
    }
}

impl<S> Frames<S> {
    pub(super) fn new(inner: S, weir: Arc<Weir>) -> Self {
        Self { inner, weir, cut: Cut::new(), through: BytesMut::new(), incoming: Incoming::default() }
    }
}

impl<S: AsyncWrite + Unpin> Frames<S> {
    fn poll_through(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.through.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.through))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.through.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Passes what is kept down into the hold, if the gate wants it and nothing is under way. (If something is, it is about to
    /// go on, and this comes next.)
    fn load(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let weir = Arc::clone(&self.weir);
        let Phase::Loading { spread, .. } = weir.state().phase else { return Ok(()) };
        if !self.cut.is_between_frames() || self.poll_through(cx)?.is_pending() {
            return Ok(());
        }
        if Pin::new(&mut self.inner).poll_flush(cx)?.is_pending() {
            return Ok(());
        }
        weir.hold.close();
        let mut state = weir.state();
        state.phase = Phase::Open;
        let held = std::mem::take(&mut state.held);
        let mut previous = None;
        for held in &held {
            self.pass_down(&held.frames, cx)?;
            if let Some(charge) = held.charge.as_ref().filter(|_| spread) {
                charge.load_after(previous);
                previous = Some(charge);
            }
        }
        if !spread {
            let mut charges = held.iter().filter_map(|held| held.charge.as_ref());
            if let Some(leader) = charges.next() {
                leader.load_held();
                charges.for_each(|charge| charge.load_behind(leader));
            }
        }
        drop(state);
        weir.changed.notify_waiters();
        Ok(())
    }

    /// Writes to a stream whose bottom is a closed hold: it takes everything at once.
    fn pass_down(&mut self, mut bytes: &[u8], cx: &mut Context<'_>) -> io::Result<()> {
        let taken = |poll: Poll<io::Result<usize>>| match poll {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::Error::other("a closed hold did not take what it was given")),
        };
        while !bytes.is_empty() {
            let written = taken(Pin::new(&mut self.inner).poll_write(cx, bytes))?;
            bytes = &bytes[written..];
        }
        taken(Pin::new(&mut self.inner).poll_flush(cx).map_ok(|()| 0)).map(drop)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Frames<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The connection's task reads while it waits: the place where the gate finds it.
        self.load(cx)?;
        let (this, before) = (&mut *self, buf.filled().len());
        ready!(Pin::new(&mut this.inner).poll_read(cx, buf))?;
        // Known before the answers that come with it: whoever has one of them asks next whether the connection is of use.
        this.incoming.note(&buf.filled()[before..], &this.weir.said);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.poll_through(cx))?;
        this.cut.pass(bytes, &mut this.weir.state(), &mut this.through);
        // What does not leave now does when all is flushed.
        if let Poll::Ready(Err(error)) = this.poll_through(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_through(cx))?;
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        self.weir.flushed();
        self.load(cx)?;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S> Drop for Frames<S> {
    fn drop(&mut self) {
        let mut state = self.weir.state();
        state.is_gone = true;
        // Whoever has not parked is gone.
        state.held.clear();
        drop(state);
        self.weir.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
