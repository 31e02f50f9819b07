//! How much a search may look at. All limits end in "gave up", never in a guess.

use std::fmt;

/// Limits of one search.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The most steps: times that the specification is asked.
    pub steps: u64,
    /// The most different (operations done, state) that are remembered, which bounds memory.
    pub states: u64,
    /// Whether time is up. Asked every [`Budget::PERIOD`] steps, so it may look at a clock.
    pub is_over: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl<'a> Budget<'a> {
    /// Steps between two looks at the clock.
    pub const PERIOD: u64 = 1_024;

    /// So many steps, and no other limit.
    pub const fn steps(steps: u64) -> Self {
        Self { steps, states: u64::MAX, is_over: None }
    }

    /// The same, and an end in time.
    #[must_use]
    pub const fn until(self, is_over: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self { is_over: Some(is_over), ..self }
    }

    /// The same, remembering so many states at most.
    #[must_use]
    pub const fn remembering(self, states: u64) -> Self {
        Self { states, ..self }
    }

    /// What has run out once `steps` were taken and `states` are remembered.
    pub(super) fn spent(&self, steps: u64, states: u64) -> Option<Limit> {
        if steps > self.steps {
            Some(Limit::Steps)
        } else if states > self.states {
            Some(Limit::States)
        } else if steps.is_multiple_of(Self::PERIOD) && self.is_over.is_some_and(|is_over| is_over()) {
            Some(Limit::Time)
        } else {
            None
        }
    }
}

impl fmt::Debug for Budget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timed = self.is_over.is_some();
        f.debug_struct("Budget")
            .field("steps", &self.steps)
            .field("states", &self.states)
            .field("timed", &timed)
            .finish()
    }
}

/// What ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Steps.
    Steps,
    /// Room for states.
    States,
    /// Time.
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::States => "room for states",
            Self::Time => "time",
        })
    }
}
