//! How long a run races: rounds, time, and when a scenario has shown enough.
//!
//! ```text
//! --duration 60s, three scenarios left:   |── 20 s at most ──|── half of what is left ──|── all that is left ──| grace |
//! ```
//!
//! Time is shared: each scenario may use an equal part of what is left, and leaves what it does not need to those after
//! it. No round is cut short for that; only a target that hangs beyond the end meets the cut, one request's limit later.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::Until;
use crate::race::Stop;

/// How long is raced. What comes first ends a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Extent {
    /// Rounds per scenario.
    pub rounds: u32,
    /// Time for the whole run.
    pub duration: Option<Duration>,
    /// When a scenario has shown enough; any of them does.
    pub until: Vec<Until>,
}

impl Extent {
    /// So many rounds of each scenario, however long they take and whatever they show.
    pub const fn rounds(rounds: u32) -> Self {
        Self { rounds, duration: None, until: Vec::new() }
    }
}

/// The time of a run under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time {
    end: Option<Instant>,
    /// How long a round under way may go on after the end.
    grace: Duration,
}

impl Time {
    /// Begins now. A duration beyond what a clock can tell is none.
    pub(super) fn start(duration: Option<Duration>, grace: Duration) -> Self {
        Self { end: duration.and_then(|duration| Instant::now().checked_add(duration)), grace }
    }

    pub(super) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// From when on the next of `left` scenarios begins no further round.
    pub(super) fn share(&self, left: usize) -> Option<Instant> {
        let now = Instant::now();
        let parts = u32::try_from(left.max(1)).unwrap_or(u32::MAX);
        self.end.map(|end| now + end.saturating_duration_since(now) / parts)
    }

    async fn is_up(self) {
        match self.end.and_then(|end| end.checked_add(self.grace)) {
            Some(cut) => tokio::time::sleep_until(cut).await,
            None => std::future::pending().await,
        }
    }

    /// Lets `racing` go on, and asks `cut` to end it when the user asks `stop`, or the time and its grace are over.
    pub(super) async fn bound<R>(self, racing: impl Future<Output = R>, stop: &Stop, cut: &Stop) -> R {
        let mut racing = pin!(racing);
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = self.is_up() => {}
            done = &mut racing => return done,
        }
        cut.ask();
        racing.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_scenario_may_use_an_equal_part_of_what_is_left() {
        let second = Duration::from_secs(1);
        let begin = Instant::now();
        let time = Time::start(Some(60 * second), second);
        assert_eq!(time.share(3), Some(begin + 20 * second));
        tokio::time::advance(2 * second).await; // it needed but two of them
        assert_eq!(time.share(2), Some(begin + 31 * second));
        tokio::time::advance(58 * second).await;
        assert!(time.is_over());
        assert_eq!(time.share(1), Some(begin + 60 * second));
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_after_the_grace_is_cut() {
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let (stop, cut) = (Stop::default(), Stop::default());
        Time::start(Some(10 * second), 2 * second).bound(cut.asked(), &stop, &cut).await;
        assert_eq!(begin.elapsed(), 12 * second);
        assert!(!stop.is_asked(), "nobody interrupted it");
        let (begin, cut) = (Instant::now(), Stop::default());
        stop.ask();
        Time::start(None, second).bound(cut.asked(), &stop, &cut).await;
        assert_eq!(begin.elapsed(), Duration::ZERO);
    }
}
