//! Numbers from operations: what was answered, how fast, how truly it raced, and how much that proves. Pure.

mod bounds;
mod delays;
mod deliveries;
mod intervals;
mod meter;
mod spans;
mod spread;
mod tally;

pub use bounds::{trials_to_exclude, upper_bound};
pub use delays::Bucket;
pub use deliveries::{Deliveries, Played};
pub use intervals::{Interval, Share, difference, quantile_interval};
pub use meter::{Ended, Figures, MOST_ABREAST, MOST_TRIES, Meter, Refusals, Sample, Slots, fairness};
pub use spans::{NotSpans, Spans};
pub use tally::{Bin, Quantiles, Servers, Tally};
