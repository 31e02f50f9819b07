//! One connection while it lasts: writes a request, reads its answer, one at a time.
//!
//! A request costs two system calls as a rule: one write, and one read when the runtime says that there is something to
//! read. A read that did not fill its buffer has emptied the socket, so no other is made to find that out.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::answer::{Answer, HEAD_LIMIT, Keep};
use super::deadline::Deadline;
use super::stream::{Idle, Stream};
use crate::clock::Stamp;
use crate::history::Cause;
use crate::target::Failure;
use crate::target::http::broken;

/// What an answer is read into at first: enough for one that is not long.
const BUFFER: usize = 8 << 10;

/// An open connection on which nothing is under way. (Whoever sends something on it holds it alone, and lets it go when the
/// answer did not come to its end: nobody finds half an answer on it.)
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    /// What has come stands at its beginning.
    buffer: Vec<u8>,
    /// How many bytes of it have come, and were not taken yet.
    filled: usize,
    deadline: Deadline,
}

/// A complete answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) status: u16,
    /// Whether another request can be sent on the connection.
    pub(super) is_reusable: bool,
}

/// One request on its way.
struct Turn<'a, K> {
    request: &'a [u8],
    /// When it began.
    since: Stamp,
    /// How many bytes of it the stream took.
    sent: usize,
    /// Whether any byte may have left.
    has_left: bool,
    /// Whether all of it is the kernel's.
    is_flushed: bool,
    /// Why the rest could not be written. An answer may have come all the same.
    unsent: Option<Cause>,
    answer: Answer,
    keep: &'a mut K,
}

impl Wire {
    pub(super) fn new(stream: Stream, deadline: Deadline) -> Self {
        Self { stream, buffer: vec![0; BUFFER], filled: 0, deadline }
    }

    /// What the server does while it is not asked anything.
    pub(super) async fn idle(&mut self) -> Idle {
        std::future::poll_fn(|cx| Poll::Ready(self.stream.idle(cx))).await
    }

    /// Sends `request`, which began at `since`, and takes its answer.
    pub(super) async fn ask<K: Keep>(
        &mut self,
        request: &[u8],
        to_head: bool,
        since: Stamp,
        keep: &mut K,
    ) -> Result<End, Failure> {
        let mut turn = Turn {
            request,
            since,
            sent: 0,
            has_left: false,
            is_flushed: false,
            unsent: None,
            answer: Answer::new(to_head),
            keep,
        };
        std::future::poll_fn(|cx| self.poll(&mut turn, cx)).await
    }

    fn poll<K: Keep>(&mut self, turn: &mut Turn<'_, K>, cx: &mut Context<'_>) -> Poll<Result<End, Failure>> {
        loop {
            if !turn.is_flushed && turn.unsent.is_none() {
                // Reading goes on meanwhile: a server may answer before it has read all, and read no more until that is read.
                if let Poll::Ready(Err(error)) = self.write(turn, cx) {
                    let cause = broken(&error, false);
                    if !turn.has_left {
                        return Poll::Ready(Err(Failure::NotSent(cause)));
                    }
                    turn.unsent = Some(cause);
                }
            }
            let Poll::Ready(read) = self.read(cx) else { break };
            match read {
                Ok(0) => return Poll::Ready(self.end(turn)),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(turn.failure(broken(&error, false)))),
            }
            if let Some(end) = self.take(turn)? {
                return Poll::Ready(Ok(end));
            }
            if self.deadline.is_over(turn.since) {
                return Poll::Ready(Err(turn.failure(Cause::TimedOut)));
            }
        }
        ready!(self.deadline.poll(turn.since, cx));
        Poll::Ready(Err(turn.failure(Cause::TimedOut)))
    }

    /// Writes what is left of the request. Ready when all of it is out.
    fn write<K>(&mut self, turn: &mut Turn<'_, K>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while turn.sent < turn.request.len() {
            turn.has_left |= self.stream.is_buffered();
            let written = ready!(self.stream.poll_write(cx, &turn.request[turn.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            turn.sent += written;
            turn.has_left = true;
        }
        ready!(self.stream.poll_flush(cx))?;
        turn.is_flushed = true;
        Poll::Ready(Ok(()))
    }

    /// Reads what has come, in one go.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.filled * 2, 0);
        }
        let mut room = ReadBuf::new(&mut self.buffer[self.filled..]);
        ready!(self.stream.poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.filled += read;
        Poll::Ready(Ok(read))
    }

    /// Gives what has come to the answer.
    fn take<K: Keep>(&mut self, turn: &mut Turn<'_, K>) -> Result<Option<End>, Failure> {
        let taken = turn.answer.take(&self.buffer[..self.filled], turn.keep).map_err(|cause| turn.failure(cause))?;
        let was_full = self.filled == self.buffer.len();
        self.buffer.copy_within(taken.bytes..self.filled, 0);
        self.filled -= taken.bytes;
        if was_full && self.buffer.len() < HEAD_LIMIT {
            // A long answer comes in fewer, longer reads.
            self.buffer.resize(HEAD_LIMIT, 0);
        }
        Ok(taken.is_complete.then(|| turn.complete(self.filled)))
    }

    /// The server has closed the connection.
    fn end<K>(&self, turn: &mut Turn<'_, K>) -> Result<End, Failure> {
        if turn.answer.end() {
            return Ok(turn.complete(self.filled));
        }
        Err(turn.failure(Cause::Broken("the server closed the connection".to_owned())))
    }
}

impl<K> Turn<'_, K> {
    /// The answer is complete; so many bytes have come beyond it.
    fn complete(&self, beyond: usize) -> End {
        // The rest of a request that was answered early would be taken for the next one, and bytes that follow an answer for
        // the next answer.
        let is_reusable = self.answer.goes_on() && self.is_flushed && beyond == 0;
        End { status: self.answer.status(), is_reusable }
    }

    /// Why there is no answer. What broke the writing came first.
    fn failure(&mut self, cause: Cause) -> Failure {
        let cause = match (self.unsent.take(), cause) {
            (Some(unsent), Cause::Broken(_)) => unsent,
            (_, cause) => cause,
        };
        if self.has_left { Failure::Unknown(cause) } else { Failure::NotSent(cause) }
    }
}
