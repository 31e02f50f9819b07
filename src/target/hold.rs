//! The hold: a connection that lets everything through except the end of a request, until the gate opens.
//!
//! ```text
//! hyper ──► Splitter ──► [TLS] ──► HeldSocket ──► TCP
//!           finds where the      keeps what it is given once the hold
//!           end begins           is closed; release() writes it at once
//! ```
//!
//! Where the end begins is said by [`Delivery`]. With the last byte of the header section withheld no server can have a
//! complete one, so none can judge anything. With the last byte of the body withheld, servers that check preconditions as
//! soon as they have the headers hold their check open; others answer before the gate opens, which is an answer.
//! Over TLS the withheld end is a record of its own, encrypted before the gate opens: only the write is left to do.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Delivery;
use super::gate::{Parked, Ticket};
use crate::clock::{Clock, Stamp};

/// The end of a header section (RFC 9112 §2.1).
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// One connection's hold, shared by the layers of its stream and the gate.
#[derive(Debug)]
pub(super) struct Hold {
    tcp: TcpStream,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    withheld: Vec<u8>,
    ticket: Option<Ticket>,
    released: Option<Stamp>,
    wake: Option<std::task::Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything goes through.
    Open,
    /// Everything goes through up to where the end begins.
    Armed(Seeker),
    /// Nothing goes through.
    Closed,
}

impl Hold {
    pub(super) fn new(tcp: TcpStream, clock: Clock) -> Arc<Self> {
        let state = State { mode: Mode::Open, withheld: Vec::new(), ticket: None, released: None, wake: None };
        Arc::new(Self { tcp, clock, state: Mutex::new(state) })
    }

    /// The next request, whose body has `body` bytes, is held at its end; when it is, `ticket` parks.
    pub(super) fn arm(&self, ticket: Ticket, delivery: Delivery, body: usize) {
        let mut state = self.state();
        state.mode = Mode::Armed(Seeker::new(delivery, body));
        state.ticket = Some(ticket);
        state.released = None;
    }

    /// When the end of the request under way was let go; `None` if it has not been.
    pub(super) fn released(&self) -> Option<Stamp> {
        self.state().released
    }

    /// The request is over. Says when its end was let go, or `None` if it never was; a ticket that did not park is
    /// given back to its gate.
    pub(super) fn disarm(&self) -> Option<Stamp> {
        let mut state = self.state();
        state.ticket = None;
        state.released
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// What is left of a release that the socket did not take at once.
    fn poll_drain(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while state.mode == Mode::Open && !state.withheld.is_empty() {
            ready!(self.tcp.poll_write_ready(cx))?;
            match self.tcp.try_write(&state.withheld) {
                Ok(written) => drop(state.withheld.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl Parked for Hold {
    fn release(&self) {
        let mut state = self.state();
        state.mode = Mode::Open;
        state.released = Some(self.clock.now());
        // The socket has room, unless the request is very long. If it has none, or is broken, the connection's own task
        // finds out when it drains the rest.
        let written = self.tcp.try_write(&state.withheld).unwrap_or(0);
        state.withheld.drain(..written);
        if !state.withheld.is_empty()
            && let Some(waker) = state.wake.take()
        {
            waker.wake();
        }
    }
}

/// The bottom of the stream: the socket, or the hold.
#[derive(Debug)]
pub(super) struct HeldSocket(pub(super) Arc<Hold>);

impl AsyncRead for HeldSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The connection's task reads while it waits for its answer: the place to finish a partial release.
        {
            let mut state = self.0.state();
            state.wake = Some(cx.waker().clone());
            if let Poll::Ready(Err(error)) = self.0.poll_drain(&mut state, cx) {
                return Poll::Ready(Err(error));
            }
        }
        loop {
            ready!(self.0.tcp.poll_read_ready(cx))?;
            match self.0.tcp.try_read(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for HeldSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.state();
        if state.mode == Mode::Closed {
            state.withheld.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(self.0.poll_drain(&mut state, cx))?;
        loop {
            ready!(self.0.tcp.poll_write_ready(cx))?;
            match self.0.tcp.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_drain(&mut self.0.state(), cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The socket closes when the hold is dropped: both its directions at once, as every answer has been read.
        Poll::Ready(Ok(()))
    }
}

/// The top of the stream: sends a request's beginning at once, and closes the hold for its end.
#[derive(Debug)]
pub(super) struct Splitter<S> {
    inner: S,
    hold: Arc<Hold>,
}

impl<S> Splitter<S> {
    pub(super) const fn new(inner: S, hold: Arc<Hold>) -> Self {
        Self { inner, hold }
    }
}

/// Looks for the first byte that is withheld, in a request that comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seeker {
    /// It is the very first.
    Whole,
    /// `matched` bytes of the end of the header section have been seen; `body` bytes follow it. Without any, or where the
    /// delivery says so (0), the byte is the last of the header section.
    Head { matched: usize, body: usize },
    /// So many bytes of the body come before its last one.
    Body { left: usize },
}

impl Seeker {
    const fn new(delivery: Delivery, body: usize) -> Self {
        match delivery {
            Delivery::Barrier => Self::Whole,
            Delivery::Head => Self::Head { matched: 0, body: 0 },
            Delivery::Tail => Self::Head { matched: 0, body },
        }
    }

    /// How many of `bytes` come before the first that is withheld; if it is not among them, where the search then stands.
    fn before_end(self, bytes: &[u8]) -> Result<usize, Self> {
        match self {
            Self::Whole if bytes.is_empty() => Err(self),
            Self::Whole => Ok(0),
            Self::Head { mut matched, body } => {
                for (index, byte) in bytes.iter().enumerate() {
                    matched = match *byte {
                        byte if byte == HEAD_END[matched] => matched + 1,
                        b'\r' => 1,
                        _ => 0,
                    };
                    if matched == HEAD_END.len() {
                        let Some(left) = body.checked_sub(1) else { return Ok(index) };
                        let after = index + 1;
                        return Self::Body { left }.before_end(&bytes[after..]).map(|early| after + early);
                    }
                }
                Err(Self::Head { matched, body })
            }
            Self::Body { left } if left < bytes.len() => Ok(left),
            Self::Body { left } => Err(Self::Body { left: left - bytes.len() }),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Splitter<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Splitter<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mode = self.hold.state().mode;
        let Mode::Armed(seeker) = mode else {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        };
        let early = match seeker.before_end(bytes) {
            Ok(0) => {
                // The end comes next. Let what was sent before it leave, then close the hold.
                ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
                self.hold.state().mode = Mode::Closed;
                return Pin::new(&mut self.inner).poll_write(cx, bytes);
            }
            Ok(early) => early,
            Err(_) => bytes.len(),
        };
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[..early]))?;
        let seeker = seeker.before_end(&bytes[..written]).expect_err("the end was left out");
        self.hold.state().mode = Mode::Armed(seeker);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        let mut state = self.hold.state();
        if state.mode == Mode::Closed
            && let Some(ticket) = state.ticket.take()
        {
            drop(state);
            let hold: Arc<Hold> = Arc::clone(&self.hold);
            ticket.park(hold);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `first` and then `second` are cut.
    fn cut(seeker: Seeker, first: &[u8], second: &[u8]) -> usize {
        match seeker.before_end(first) {
            Ok(index) => index,
            Err(seeker) => first.len() + seeker.before_end(second).unwrap(),
        }
    }

    #[test]
    fn the_end_is_found_however_a_request_is_cut() {
        let request = b"POST / HTTP/1.1\r\nhost: a\r\n\r\n{}";
        for (delivery, body, end) in [
            (Delivery::Barrier, 2, 0),
            (Delivery::Head, 2, request.len() - 3),
            (Delivery::Tail, 2, request.len() - 1),
            (Delivery::Tail, 0, request.len() - 3),
        ] {
            for at in 0..=end {
                let (first, second) = request.split_at(at);
                assert_eq!(cut(Seeker::new(delivery, body), first, second), end, "{delivery}, in two at {at}");
            }
        }
    }

    #[test]
    fn line_ends_within_the_header_section_are_not_its_end() {
        let head = |matched| Seeker::Head { matched, body: 0 };
        assert_eq!(head(0).before_end(b"a\r\nb\r\n"), Err(head(2)));
        assert_eq!(head(0).before_end(b"a\r\r\n\r"), Err(head(3)));
        assert_eq!(head(0).before_end(b"\r\r\n\r\n"), Ok(4));
    }
}
