//! `kill -9`: what a service leaves behind that gets no chance to tidy up.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test; clippy knows tests by attribute")]

mod killing;
#[path = "../real_parts/mod.rs"]
mod real_parts;
mod served;
mod windows;
mod wire;
