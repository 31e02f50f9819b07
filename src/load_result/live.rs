//! What a load tells while it is under way.

use super::Snapshot;
use crate::check::Kind;

/// Something happened in a load.
#[derive(Debug)]
pub enum LoadEvent<'a> {
    /// It begins.
    Started {
        /// Where it is aimed.
        target: &'a str,
        /// What it sends.
        traffic: &'a str,
        /// The seed that repeats it.
        seed: u64,
    },
    /// A second is over.
    Second(&'a Snapshot),
    /// The first finding of a kind.
    Found {
        /// Its kind.
        kind: Kind,
        /// What it says.
        sentence: &'a str,
    },
    /// It ends before its time.
    Stopping(&'a str),
    /// Something the user should know.
    Notice(&'a str),
}

/// Listens to a load.
pub trait LoadObserver {
    /// Called about once a second, never by a thread that sends requests.
    fn on(&self, event: &LoadEvent<'_>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl LoadObserver for Unobserved {
    fn on(&self, _: &LoadEvent<'_>) {}
}
