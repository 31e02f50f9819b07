//! The hold: a socket that keeps what it is given once it is closed, until the gate fires it.
//!
//! ```text
//! HTTP ──► cut ──► [TLS] ──► HeldSocket ──► TCP
//!          finds where       keeps what it is given once the hold is closed;
//!          the end begins    a Charge of it is written by the gate, in one system call
//! ```
//!
//! Over TLS what is withheld is encrypted before the gate opens: only the write is left to do.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::clock::{Clock, Stamp};

/// No moment of a clock: it would take 584 years.
const NEVER: u64 = u64::MAX;

/// One connection's hold, shared by the layers of its stream and the gate.
#[derive(Debug)]
pub(super) struct Hold {
    tcp: TcpStream,
    clock: Clock,
    /// A write did not take all it was given: what comes after must wait for the connection's own task.
    is_jammed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    is_closed: bool,
    /// What the socket was given since the hold was closed, and no charge has taken.
    withheld: Vec<u8>,
    /// What fired charges could not write.
    left: Vec<u8>,
    /// Charges that have not settled.
    loaded: usize,
    /// Wakes the task that reads from the connection.
    wake: Option<Waker>,
}

impl Hold {
    pub(super) fn new(tcp: TcpStream, clock: Clock) -> Arc<Self> {
        Arc::new(Self { tcp, clock, is_jammed: AtomicBool::new(false), state: Mutex::default() })
    }

    /// From now on, what is written is kept.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
    }

    /// Wakes the task that reads from the connection.
    pub(super) fn wake(&self) {
        // It stays where it is: the task may be on its way past the place where it would look.
        let waker = self.state().wake.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// What is left of a release that the socket did not take at once, and what came behind it.
    fn poll_drain(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !state.is_closed && !state.withheld.is_empty() {
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

/// What one contender's release lets go, and when it was.
#[derive(Debug)]
pub(super) struct Charge {
    hold: Arc<Hold>,
    bytes: OnceLock<Vec<u8>>,
    written: AtomicUsize,
    released: AtomicU64,
    link: OnceLock<Link>,
}

/// How a charge depends on another of its connection.
#[derive(Debug)]
enum Link {
    /// That one leaves for it as well.
    With(Arc<Charge>),
    /// That one must have left before.
    After(Arc<Charge>),
}

impl Charge {
    /// An empty one, not yet loaded.
    pub(super) fn new(hold: &Arc<Hold>) -> Arc<Self> {
        Arc::new(Self {
            hold: Arc::clone(hold),
            bytes: OnceLock::new(),
            written: AtomicUsize::new(0),
            released: AtomicU64::new(NEVER),
            link: OnceLock::new(),
        })
    }

    /// When it was let go; `None` if it has not been.
    pub(super) fn released(&self) -> Option<Stamp> {
        let own = match self.link.get() {
            Some(Link::With(leader)) => leader,
            Some(Link::After(_)) | None => self,
        };
        match own.released.load(Ordering::Acquire) {
            NEVER => None,
            nanos => Some(Stamp::from_nanos(nanos)),
        }
    }

    /// Takes what the hold has kept since it was closed, or since the last charge was loaded. The hold opens again when all its
    /// loaded charges have settled.
    pub(super) fn load_held(&self) {
        let mut state = self.hold.state();
        let bytes = std::mem::take(&mut state.withheld);
        // Each charge is loaded once.
        if self.bytes.set(bytes).is_ok() {
            state.loaded += 1;
        }
    }

    pub(super) fn is_loaded(&self) -> bool {
        self.bytes.get().is_some()
    }

    /// Loads it with nothing: it leaves when `leader` does, and `leader` with the first of those it leads.
    pub(super) fn load_behind(&self, leader: &Arc<Self>) {
        // Each charge is loaded once.
        if self.link.set(Link::With(Arc::clone(leader))).is_ok() {
            self.load_held();
        }
    }

    /// Loads it as the next after `previous`: should it be fired first, `previous` leaves with it.
    pub(super) fn load_after(&self, previous: Option<&Arc<Self>>) {
        if previous.is_none_or(|previous| self.link.set(Link::After(Arc::clone(previous))).is_ok()) {
            self.load_held();
        }
    }

    /// Writes it, at once, with no lock.
    pub(super) fn fire(&self) {
        match self.link.get() {
            Some(Link::With(leader)) => leader.fire_once(),
            Some(Link::After(previous)) => {
                previous.fire();
                self.fire_once();
            }
            None => self.fire_once(),
        }
    }

    fn fire_once(&self) {
        // Stamped before the write: an answer cannot come before its stamp.
        let now = self.hold.clock.now().nanos();
        if self.released.compare_exchange(NEVER, now, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return;
        }
        let Some(bytes) = self.bytes.get().filter(|bytes| !bytes.is_empty()) else { return };
        if self.hold.is_jammed.load(Ordering::Relaxed) {
            return;
        }
        // The socket has room, unless the request is very long. If it has none, or is broken, the connection's own task finds
        // out when it drains the rest.
        let written = self.hold.tcp.try_write(bytes).unwrap_or(0);
        self.written.store(written, Ordering::Relaxed);
        if written < bytes.len() {
            self.hold.is_jammed.store(true, Ordering::Relaxed);
        }
    }

    /// After all charges of a volley have fired, in the same order: hands on what could not be written, and after the last one
    /// opens the hold.
    pub(super) fn settle(&self) {
        let mut state = self.hold.state();
        if let Some(bytes) = self.bytes.get() {
            state.left.extend_from_slice(&bytes[self.written.load(Ordering::Relaxed)..]);
            state.loaded = state.loaded.saturating_sub(1);
        }
        if state.loaded > 0 {
            return;
        }
        // What could not be written comes before what was held up behind it.
        let mut pending = std::mem::take(&mut state.left);
        pending.append(&mut state.withheld);
        state.withheld = pending;
        state.is_closed = false;
        self.hold.is_jammed.store(false, Ordering::Relaxed);
        let waker = state.wake.clone().filter(|_| !state.withheld.is_empty());
        drop(state);
        if let Some(waker) = waker {
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
        if state.is_closed {
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn charges_too_large_for_the_socket_arrive_whole_and_in_order() {
        const HUGE: usize = 8 << 20;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        let hold = Hold::new(tcp, Clock::start());
        let mut socket = HeldSocket(Arc::clone(&hold));
        hold.close();
        let charges = [1_u8, 2].map(|mark| (mark, Charge::new(&hold)));
        for (mark, charge) in &charges {
            socket.write_all(&vec![*mark; HUGE]).await.unwrap();
            charge.load_held();
        }
        socket.write_all(&[3]).await.unwrap();
        assert!(charges.iter().all(|(_, charge)| charge.released().is_none()));
        for (_, charge) in &charges {
            charge.fire();
        }
        for (_, charge) in &charges {
            charge.settle();
        }
        assert!(charges.iter().all(|(_, charge)| charge.released().is_some()));
        let connection = tokio::spawn(async move { socket.read_u8().await });
        let mut got = vec![0; 2 * HUGE + 1];
        peer.read_exact(&mut got).await.unwrap();
        assert!(got.is_sorted() && got[HUGE - 1] == 1 && got[HUGE] == 2 && got[2 * HUGE] == 3);
        peer.write_u8(7).await.unwrap();
        assert_eq!(connection.await.unwrap().unwrap(), 7);
    }
}
