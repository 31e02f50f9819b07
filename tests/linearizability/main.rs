//! The general checker against the slow obvious version, against recorded histories with known verdicts, and against
//! anomalies put into lawful histories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brute;
mod known;
mod mutated;
mod strangers;
