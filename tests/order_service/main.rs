//! The reference order service, listening on a real socket and asked over HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a caller that cannot go on fails its test; clippy knows tests by their attribute only"
)]

mod caller;
mod defects;
mod idempotency;
mod lifecycle;
mod preconditions;
mod problems;
mod server;
mod v1;
