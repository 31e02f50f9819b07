//! Asking a target one request after the other, nothing racing: to debug a description ([`play`](Player::play)), and to learn
//! what a server promises before a race does. No history, no judgment: what is seen here proves nothing about races.

mod actions;
mod again;
mod fresh;
mod keys;
mod mismatch;
mod outline;
mod plain;
mod play;
mod reuse;
mod speaker;
mod tokens;
mod undescribed;
mod write;

pub use fresh::{ProbeError, probe};
pub use outline::{asked, outline};
pub use plain::probe_plainly;
pub use play::Player;
pub use write::{WriteError, written};
