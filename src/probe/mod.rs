//! Asking a target one request after the other, nothing racing: to debug a description ([`play`](Player::play)), and to learn
//! what a server promises before a race does. No history, no judgment: what is seen here proves nothing about races.

mod outline;
mod play;
mod speaker;

pub use outline::{asked, outline};
pub use play::Player;
