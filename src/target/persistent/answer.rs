//! The answer to one request, taken in pieces as they come. Without I/O: what a connection brings is given to it.
//!
//! ```text
//! bytes ─► header section ─► 1xx? the next one ─► body: so many bytes │ chunks │ until the connection ends ─► complete
//! ```

use std::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use super::chunked::{Bad, Chunks};
use super::framing::{Body, Framing};
use crate::history::Cause;
use crate::target::BODY_LIMIT;

/// The most bytes that the header sections of one answer may have, those of interim responses (1xx) included.
pub(super) const HEAD_LIMIT: usize = 64 << 10;
/// The most header lines.
const LINES: usize = 256;
/// A protocol that nobody asked for (RFC 9110 §15.2.2).
const SWITCHING_PROTOCOLS: u16 = 101;

/// What is kept of an answer.
pub(super) trait Keep {
    /// Its final header section, once.
    fn head(&mut self, headers: &[Header<'_>]);
    /// The next bytes of its body.
    fn data(&mut self, data: &[u8]);
}

/// An answer as far as it has come.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether it answers a HEAD request.
    to_head: bool,
    status: u16,
    goes_on: bool,
    /// How many bytes the header sections had that are over.
    heads: usize,
    /// Of how many bytes on a header section is looked at, though its end has not been seen.
    look_from: usize,
    /// How many bytes of it were searched for its end.
    searched: usize,
    /// How many bytes of the body have come.
    length: usize,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Head,
    /// So many bytes of the body are to come.
    Length(u64),
    Chunked(Chunks),
    UntilClose,
    Complete,
}

/// What came of the bytes that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// How many belong to the answer and are done with. Those that remain begin an unfinished header section, or follow a
    /// complete answer.
    pub(super) bytes: usize,
    /// Whether the answer is complete.
    pub(super) is_complete: bool,
}

impl Answer {
    pub(super) const fn new(to_head: bool) -> Self {
        Self { to_head, status: 0, goes_on: false, heads: 0, look_from: 0, searched: 0, length: 0, phase: Phase::Head }
    }

    /// The status, once the header section has come.
    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    /// Whether the connection can be used again after it.
    pub(super) const fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Takes `bytes`: those that remained the last time, and those that have come since.
    pub(super) fn take(&mut self, bytes: &[u8], keep: &mut impl Keep) -> Result<Taken, Cause> {
        let mut at = 0;
        while !matches!(self.phase, Phase::Complete) {
            let rest = &bytes[at..];
            let taken = match self.phase {
                Phase::Head => self.take_head(rest, keep)?,
                Phase::Length(_) | Phase::Chunked(_) | Phase::UntilClose | Phase::Complete => {
                    self.take_body(rest, keep)?
                }
            };
            at += taken;
            if taken == 0 {
                break;
            }
        }
        Ok(Taken { bytes: at, is_complete: matches!(self.phase, Phase::Complete) })
    }

    /// The connection has ended. Whether that completes the answer.
    pub(super) fn end(&mut self) -> bool {
        if matches!(self.phase, Phase::UntilClose) {
            self.phase = Phase::Complete;
        }
        matches!(self.phase, Phase::Complete)
    }

    /// The bytes of the header section that `bytes` begins with, or none if it is unfinished.
    fn take_head(&mut self, bytes: &[u8], keep: &mut impl Keep) -> Result<usize, Cause> {
        if bytes.is_empty() || !self.is_worth_a_look(bytes) {
            return Ok(0);
        }
        let mut lines = [const { MaybeUninit::uninit() }; LINES];
        let mut head = httparse::Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut head, bytes, &mut lines);
        let length = match parsed {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) if self.heads + bytes.len() >= HEAD_LIMIT => return Err(Cause::TooLarge),
            Ok(Status::Partial) => return Ok(0),
            Err(httparse::Error::TooManyHeaders) => return Err(Cause::TooLarge),
            Err(error) => return Err(Cause::NotHttp(error.to_string())),
        };
        self.heads += length;
        (self.look_from, self.searched) = (0, 0);
        if self.heads > HEAD_LIMIT {
            return Err(Cause::TooLarge);
        }
        let (Some(minor), Some(status)) = (head.version, head.code) else {
            return Err(Cause::NotHttp("it has no status".to_owned()));
        };
        match status {
            ..100 | SWITCHING_PROTOCOLS => Err(Cause::NotHttp(format!("status {status} answers no request"))),
            ..200 => Ok(length),
            _ => {
                self.begin(minor, status, head.headers, keep)?;
                Ok(length)
            }
        }
    }

    /// Whether `bytes` may hold a whole header section, or twice as many as when they were last looked at. (Looking again at
    /// each byte of a long one that comes byte by byte would take for ever; never looking before its end would wait for the
    /// end of what is no HTTP.)
    fn is_worth_a_look(&mut self, bytes: &[u8]) -> bool {
        let fresh = &bytes[self.searched.saturating_sub(2)..];
        self.searched = bytes.len();
        let is_early = bytes.len() < self.look_from && self.heads + bytes.len() < HEAD_LIMIT;
        if is_early && !has_empty_line(fresh) {
            return false;
        }
        self.look_from = bytes.len() * 2;
        true
    }

    /// A final header section has come.
    fn begin(&mut self, minor: u8, status: u16, headers: &[Header<'_>], keep: &mut impl Keep) -> Result<(), Cause> {
        let framing = Framing::of(minor, status, headers, self.to_head);
        let framing = framing.map_err(|why| Cause::NotHttp(format!("nobody can say where it ends: {why}")))?;
        self.status = status;
        self.goes_on = framing.goes_on;
        self.phase = match framing.body {
            Body::Length(0) => Phase::Complete,
            Body::Length(length) if length > BODY_LIMIT as u64 => return Err(Cause::TooLarge),
            Body::Length(length) => Phase::Length(length),
            Body::Chunked => Phase::Chunked(Chunks::new()),
            Body::UntilClose => Phase::UntilClose,
        };
        keep.head(headers);
        Ok(())
    }

    /// How many of `bytes` belong to the body.
    fn take_body(&mut self, bytes: &[u8], keep: &mut impl Keep) -> Result<usize, Cause> {
        let length = &mut self.length;
        let mut data = |data: &[u8]| {
            *length += data.len();
            if *length > BODY_LIMIT {
                return Err(Cause::TooLarge);
            }
            keep.data(data);
            Ok(())
        };
        match &mut self.phase {
            Phase::Head | Phase::Complete => Ok(0),
            Phase::UntilClose => data(bytes).map(|()| bytes.len()),
            Phase::Length(left) => {
                let own = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                data(&bytes[..own])?;
                *left -= own as u64;
                if *left == 0 {
                    self.phase = Phase::Complete;
                }
                Ok(own)
            }
            Phase::Chunked(chunks) => {
                let own = chunks.take(bytes, data)?;
                if chunks.is_done() {
                    self.phase = Phase::Complete;
                }
                Ok(own)
            }
        }
    }
}

/// Whether a line feed is followed by an empty line.
fn has_empty_line(bytes: &[u8]) -> bool {
    let ends = |rest: &[u8]| rest.starts_with(b"\n") || rest.starts_with(b"\r\n");
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\n' && ends(&bytes[at + 1..]))
}

impl From<Bad> for Cause {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Grammar(why) => Self::NotHttp(why.to_owned()),
            Bad::TooLarge => Self::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests;
