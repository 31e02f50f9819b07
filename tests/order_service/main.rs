//! The reference order service, listening on a real socket and asked over HTTP: one suite, told once, on every store.

#![expect(
    clippy::unwrap_used,
    reason = "a caller that cannot go on fails its test; clippy knows tests by their attribute only"
)]

mod auth;
mod caller;
mod defects;
mod described;
mod hang_ups;
mod http2;
mod idempotency;
mod latency;
mod lifecycle;
mod preconditions;
mod problems;
#[path = "../real_parts/mod.rs"]
mod real_parts;
mod server;
mod statements;
mod stores;
mod v1;
mod vectors;
mod venue;
