//! The binary against servers that do everything wrong, or nothing: a clear message, the right exit code, never a
//! panic, never a hang.
//!
//! ```text
//! bench ──► the real binary ──► server ──► script: what is answered to which request
//!   │                                        └─ most are a shop that is sound but for one thing
//!   └── kills it when it hangs, and looks at its exit code, its words and the files it left
//! ```

#![expect(
    clippy::unwrap_used,
    reason = "a server or child that cannot go on fails its test; clippy knows tests by their attribute only"
)]

mod abreast;
mod bench;
mod http2;
mod interrupted;
mod lost;
mod multiplexed;
mod raced;
mod server;
mod shop;
mod tls;
mod unusable;
