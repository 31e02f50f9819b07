//! Where a request's end begins, over HTTP/1.1: what comes before leaves at once, and the hold is closed for the rest.
//!
//! With the last byte of the header section withheld no server can have a complete one, so none can judge anything. With
//! the last byte of the body withheld, servers that check preconditions as soon as they have the headers hold their check
//! open; others answer before the gate opens, which is an answer.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::target::Method;
use crate::target::gate::{Parked, Ticket};
use crate::target::hold::{Charge, Hold};

/// The end of a header section (RFC 9112 §2.1).
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// The top of the stream: sends a request's beginning at once, and closes the hold for its end.
#[derive(Debug)]
pub(super) struct Splitter<S> {
    inner: S,
    aim: Arc<Aim>,
}

/// What is to be held, shared by a connection and the top of its stream.
#[derive(Debug)]
pub(super) struct Aim {
    hold: Arc<Hold>,
    mode: Mutex<Mode>,
}

#[derive(Debug, Default)]
enum Mode {
    /// Everything goes through.
    #[default]
    Idle,
    /// Everything goes through up to where the end begins.
    Seeking(Seeker, Ticket, Arc<Charge>),
    /// The end is on its way into the hold.
    Closed(Ticket, Arc<Charge>),
}

impl Aim {
    pub(super) fn new(hold: Arc<Hold>) -> Arc<Self> {
        Arc::new(Self { hold, mode: Mutex::default() })
    }

    /// What will hold a request's end.
    pub(super) fn charge(&self) -> Arc<Charge> {
        Charge::new(&self.hold)
    }

    /// The next request, whose body has `body` bytes, is held as `method` says; when it is, `ticket` parks.
    pub(super) fn take(&self, charge: Arc<Charge>, ticket: Ticket, method: Method, body: usize) {
        *self.mode() = Mode::Seeking(Seeker::new(method, body), ticket, charge);
    }

    /// The request is over: a ticket that did not park is given back to its gate.
    pub(super) fn lower(&self) {
        *self.mode() = Mode::Idle;
    }

    fn mode(&self) -> MutexGuard<'_, Mode> {
        self.mode.lock().expect("no code panics while it holds this lock")
    }
}

impl Mode {
    /// The end is reached.
    fn close(&mut self) {
        *self = match std::mem::take(self) {
            Self::Seeking(_, ticket, charge) => Self::Closed(ticket, charge),
            other => other,
        };
    }

    fn seek_on(&mut self, further: Seeker) {
        if let Self::Seeking(seeker, ..) = self {
            *seeker = further;
        }
    }

    /// Who is to park now, once.
    fn park(&mut self) -> Option<(Ticket, Arc<Charge>)> {
        match std::mem::take(self) {
            Self::Closed(ticket, charge) => Some((ticket, charge)),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<S> Splitter<S> {
    pub(super) const fn new(inner: S, aim: Arc<Aim>) -> Self {
        Self { inner, aim }
    }
}

impl Parked for Charge {
    fn load(&self, _: bool) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.load_held();
        Box::pin(std::future::ready(()))
    }

    fn fire(&self) {
        Self::fire(self);
    }

    fn settle(&self) {
        Self::settle(self);
    }
}

/// Looks for the first byte that is withheld, in a request that comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seeker {
    /// It is the very first.
    Whole,
    /// `matched` bytes of the end of the header section have been seen; `body` bytes follow it. Without any, or where the
    /// method says so (0), the byte is the last of the header section.
    Head { matched: usize, body: usize },
    /// So many bytes of the body come before its last one.
    Body { left: usize },
}

impl Seeker {
    const fn new(method: Method, body: usize) -> Self {
        match method {
            Method::Barrier => Self::Whole,
            Method::Tail | Method::SinglePacketTail => Self::Head { matched: 0, body },
            Method::Head | Method::SinglePacketHead => Self::Head { matched: 0, body: 0 },
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
        let aim = Arc::clone(&self.aim);
        let mut mode = aim.mode();
        let Mode::Seeking(seeker, ..) = &*mode else {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        };
        let seeker = *seeker;
        let early = match seeker.before_end(bytes) {
            Ok(0) => {
                // The end comes next. Let what was sent before it leave, then close the hold.
                ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
                aim.hold.close();
                mode.close();
                return Pin::new(&mut self.inner).poll_write(cx, bytes);
            }
            Ok(early) => early,
            Err(_) => bytes.len(),
        };
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[..early]))?;
        mode.seek_on(seeker.before_end(&bytes[..written]).expect_err("the end was left out"));
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        let closed = self.aim.mode().park();
        if let Some((ticket, charge)) = closed {
            ticket.park(charge);
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
        for (method, body, end) in [
            (Method::Barrier, 2, 0),
            (Method::Head, 2, request.len() - 3),
            (Method::Tail, 2, request.len() - 1),
            (Method::Tail, 0, request.len() - 3),
        ] {
            for at in 0..=end {
                let (first, second) = request.split_at(at);
                assert_eq!(cut(Seeker::new(method, body), first, second), end, "{method}, in two at {at}");
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
