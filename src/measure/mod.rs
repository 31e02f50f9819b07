//! Numbers from operations: what was answered, how fast, how truly it raced, and how much that proves. Pure.

mod bounds;
mod tally;

pub use bounds::upper_bound_95;
pub use tally::{Quantiles, Tally};
