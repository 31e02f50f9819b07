//! One suite, over HTTP/1.1 and HTTP/2, with and without TLS: the reference service is raced by the real binary, and what
//! is found, and what is not, is the same whatever carries the requests.
//!
//! ```text
//!                 plain   TLS (ALPN)       front                          service
//! both versions     ·        ·             passes everything on           speaks both
//! HTTP/1.1 alone    ·        ·      bench ──► refuses the HTTP/2 preface ──►
//! HTTP/2 alone      ·        ·             refuses anything else
//! ```

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test; clippy knows tests by attribute")]

mod bench;
mod front;
mod mistaken;
mod probed;
mod refused;
mod sound;
mod transport;
mod trusted;
