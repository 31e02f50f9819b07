//! What a load came to, for people: while it is under way, and in the end.

mod lines;
mod strategies;
mod table;

pub use lines::Lines;
