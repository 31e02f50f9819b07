//! One monotonic clock for every stamp of a run.
//!
//! A [`Stamp`] is nanoseconds since the run's [`Clock`] started. All windows, skews and latencies are differences
//! of stamps of one clock; wall time appears only once, as the run's `started_at`.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A moment: nanoseconds since the run's clock started.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(u64);

impl Stamp {
    /// The moment `nanos` nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the clock's start.
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to here; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Microseconds from `origin` to here; negative if `origin` is later.
    #[expect(clippy::cast_possible_wrap, reason = "a run of 292 years would be needed to wrap")]
    pub const fn micros_from(self, origin: Self) -> i64 {
        (self.0 as i64 - origin.0 as i64) / 1_000
    }
}

/// The run's monotonic clock. Cheap to copy; all copies agree.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// A clock that reads zero now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The current moment.
    pub fn now(&self) -> Stamp {
        let nanos = self.origin.elapsed().as_nanos();
        Stamp(u64::try_from(nanos).expect("a run is shorter than 584 years"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_runs_backwards() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }

    #[test]
    fn a_span_before_its_origin_is_negative_in_micros_and_zero_as_a_duration() {
        let (early, late) = (Stamp::from_nanos(1_000), Stamp::from_nanos(5_000));
        assert_eq!(early.micros_from(late), -4);
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(late.since(early), Duration::from_micros(4));
    }
}
