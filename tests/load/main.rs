//! The promises of `load`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod registers;
#[path = "../serving/mod.rs"]
mod serving;
mod shards;
