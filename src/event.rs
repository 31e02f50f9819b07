//! What a run tells while it runs. Progress listens; the measured path never waits for it.

use std::time::Duration;

use crate::check::{Kind, Verdict};

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A run begins.
    RunStarted {
        /// Where it is aimed.
        target: &'a str,
        /// How many scenarios it has.
        scenarios: usize,
        /// The seed that repeats it.
        seed: u64,
    },
    /// A scenario begins.
    ScenarioStarted {
        /// Its name.
        name: &'a str,
        /// How many rounds it is to race.
        rounds: u32,
        /// The rounds that tell after which it has shown enough, if none of them is a violation.
        needed: Option<u64>,
        /// The time it may take.
        time: Option<Duration>,
    },
    /// A round is over.
    RoundDone {
        /// Its number. Rounds that run side by side end in any order.
        done: u32,
        /// Rounds with a violation so far.
        violated: u64,
        /// Rounds so far that are evidence for or against.
        trials: u64,
        /// The kinds of finding so far, warnings included.
        kinds: &'a [Kind],
    },
    /// A scenario is over and judged.
    ScenarioDone {
        /// Its name.
        name: &'a str,
        /// What it came to.
        verdict: Verdict,
        /// Rounds raced.
        rounds: u64,
    },
    /// Something the user should know, that is no finding.
    Notice(String),
}

/// Listens to a run.
pub trait Observer {
    /// Called as rounds end, never while a volley is let go. (Requests of other rounds may be on their way.)
    fn on(&self, event: &Event<'_>);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _: &Event<'_>) {}
}
