//! What a load came to, for people and machines: while it is under way, and in the end.
//!
//! ```text
//! Snapshot, once a second ──► lines (a pipe) or board (a terminal), and metrics (Prometheus)
//! LoadResult, at the end  ──► table, html, markdown, junit, sarif, github, json
//! ```

mod board;
pub(super) mod github;
pub(super) mod junit;
mod lines;
pub(super) mod markdown;
pub mod metrics;
pub(super) mod sarif;
mod strategies;
mod table;
mod times;
pub(super) mod told;
pub(super) mod view;

pub use board::{Board, Dashboard};
pub use lines::Lines;
