//! The hold: a connection that lets everything through except the end of a request, until the gate opens.
//!
//! ```text
//! hyper ──► Splitter ──► [TLS] ──► HeldSocket ──► TCP
//!           finds the end of     keeps what it is given once the hold
//!           the header section   is closed; release() writes it at once
//! ```
//!
//! What is withheld is the last byte of the header section and all that follows: until it comes no server can have a
//! complete header section, so none can judge anything. (With only the body withheld, servers that check
//! preconditions as soon as they have the headers would hold their check open; others would have answered already.)
//! Over TLS the withheld end is a record of its own, encrypted before the gate opens: only the write is left to do.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

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
    /// Everything goes through up to the end of the header section, of which `matched` bytes have been seen.
    Armed { matched: usize },
    /// Nothing goes through.
    Closed,
}

impl Hold {
    pub(super) fn new(tcp: TcpStream, clock: Clock) -> Arc<Self> {
        let state = State { mode: Mode::Open, withheld: Vec::new(), ticket: None, released: None, wake: None };
        Arc::new(Self { tcp, clock, state: Mutex::new(state) })
    }

    /// The next request is held at its end; when it is, `ticket` parks.
    pub(super) fn arm(&self, ticket: Ticket) {
        let mut state = self.state();
        state.mode = Mode::Armed { matched: 0 };
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
        // The socket has room: nothing but a header section was sent before. If it has none, or is broken, the
        // connection's own task finds out when it drains the rest.
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

/// How many of `bytes` come before the last byte of the header section, given that `matched` bytes of its end came
/// before; with the new count of matched bytes if the end is not among them.
fn before_head_end(bytes: &[u8], mut matched: usize) -> Result<usize, usize> {
    for (index, byte) in bytes.iter().enumerate() {
        matched = match *byte {
            byte if byte == HEAD_END[matched] => matched + 1,
            b'\r' => 1,
            _ => 0,
        };
        if matched == HEAD_END.len() {
            return Ok(index);
        }
    }
    Err(matched)
}

impl<S: AsyncRead + Unpin> AsyncRead for Splitter<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Splitter<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mode = self.hold.state().mode;
        let Mode::Armed { matched } = mode else {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        };
        let early = match before_head_end(bytes, matched) {
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
        let matched = before_head_end(&bytes[..written], matched).expect_err("the end was left out");
        self.hold.state().mode = Mode::Armed { matched };
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

    #[test]
    fn the_end_of_the_header_section_is_found_however_it_is_cut() {
        let request = b"POST / HTTP/1.1\r\nhost: a\r\n\r\n{}";
        let end = request.len() - 3;
        for cut in 0..=end {
            let (first, second) = request.split_at(cut);
            let found = match before_head_end(first, 0) {
                Ok(index) => index,
                Err(matched) => cut + before_head_end(second, matched).unwrap(),
            };
            assert_eq!(found, end, "cut at {cut}");
        }
    }

    #[test]
    fn line_ends_within_the_header_section_are_not_its_end() {
        assert_eq!(before_head_end(b"a\r\nb\r\n", 0), Err(2));
        assert_eq!(before_head_end(b"a\r\r\n\r", 0), Err(3));
        assert_eq!(before_head_end(b"\r\r\n\r\n", 0), Ok(4));
    }
}
