//! One scenario under way: how far it is, how fast, what it found, and how long it may still take. Pure: told what time it is.

use std::time::Duration;

use crate::check::{Kind, Verdict};
use crate::text::{count, list};

/// A scenario under way. Moments count from whenever the caller likes.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) name: String,
    /// Rounds it is to race.
    pub(super) rounds: u64,
    /// Rounds that tell after which it has shown enough, if none of them is a violation.
    pub(super) needed: Option<u64>,
    /// The time it may take.
    pub(super) time: Option<Duration>,
    pub(super) started: Duration,
    pub(super) done: u64,
    pub(super) trials: u64,
    pub(super) violated: u64,
    pub(super) kinds: Vec<Kind>,
}

impl Track {
    /// `120 of 500 rounds, 85/s, 4 s left, 3 violated (lost-update)`
    pub(super) fn under_way(&self, now: Duration) -> String {
        self.told(format!("{} of {}", self.done, count(self.rounds, "round")), now)
    }

    /// `120/500, 85/s, 4 s left, 3 violated (lost-update)`
    pub(super) fn briefly(&self, now: Duration) -> String {
        self.told(format!("{}/{}", self.done, self.rounds), now)
    }

    fn told(&self, rounds: String, now: Duration) -> String {
        let mut told = vec![rounds];
        told.extend(
            self.rate(now).map(|rate| if rate < 10.0 { format!("{rate:.1}/s") } else { format!("{rate:.0}/s") }),
        );
        told.extend(self.left(now).map(|left| format!("{} left", span(left))));
        told.extend(self.found());
        told.join(", ")
    }

    /// `500 rounds, 431 violated (lost-update), 1.8 s`
    pub(super) fn ended(&self, rounds: u64, now: Duration) -> String {
        let mut told = vec![count(rounds, "round")];
        told.extend(self.found());
        told.push(format!("{:.1} s", self.elapsed(now).as_secs_f64()));
        told.join(", ")
    }

    /// A verdict, with a mark for those who see no colour.
    pub(super) const fn verdict(verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Holds => "✓ holds",
            Verdict::Inconclusive => "? inconclusive",
            Verdict::Violated => "✗ violated",
        }
    }

    fn found(&self) -> Option<String> {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        match (self.violated, kinds.is_empty()) {
            (0, true) => None,
            (0, false) => Some(format!("seen: {}", list(&kinds))),
            (violated, true) => Some(format!("{violated} violated")),
            (violated, false) => Some(format!("{violated} violated ({})", list(&kinds))),
        }
    }

    fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }

    /// Rounds in a second.
    #[expect(clippy::cast_precision_loss, reason = "rounds are far below 2^52")]
    fn rate(&self, now: Duration) -> Option<f64> {
        let elapsed = self.elapsed(now).as_secs_f64();
        (self.done > 0 && elapsed > 0.0).then(|| self.done as f64 / elapsed)
    }

    /// How long it may still take: what ends first of its rounds, its time, and having shown enough, at the pace it has had so far.
    fn left(&self, now: Duration) -> Option<Duration> {
        let elapsed = self.elapsed(now);
        let of_time = self.time.map(|time| time.saturating_sub(elapsed));
        let of_rounds = at_this_pace(elapsed, self.done, self.rounds);
        // After a violation there is nothing left to exclude, and the rounds go on.
        let needed = self.needed.filter(|_| self.violated == 0);
        let of_trials = needed.and_then(|needed| at_this_pace(elapsed, self.trials, needed));
        [of_time, of_rounds, of_trials].into_iter().flatten().min()
    }
}

/// What the rest of `all` takes, if `done` of them took `elapsed`.
#[expect(clippy::cast_precision_loss, reason = "rounds are far below 2^52")]
fn at_this_pace(elapsed: Duration, done: u64, all: u64) -> Option<Duration> {
    let rest = all.saturating_sub(done) as f64;
    (done > 0).then(|| Duration::try_from_secs_f64(elapsed.as_secs_f64() * rest / done as f64).unwrap_or(Duration::MAX))
}

/// A span as people say it: `4 s`, `3 min`, `2 h`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(done: u64) -> Track {
        Track {
            name: "cancel-vs-accept".to_owned(),
            rounds: 500,
            needed: None,
            time: None,
            started: Duration::from_secs(10),
            done,
            trials: done,
            violated: 0,
            kinds: Vec::new(),
        }
    }

    const NOW: Duration = Duration::from_secs(12);

    #[test]
    fn rounds_rate_and_time_left_are_told() {
        assert_eq!(track(0).under_way(NOW), "0 of 500 rounds");
        assert_eq!(track(100).briefly(NOW), "100/500, 50/s, 8 s left");
        assert_eq!(track(100).under_way(NOW), "100 of 500 rounds, 50/s, 8 s left");
        assert_eq!(track(5).under_way(NOW), "5 of 500 rounds, 2.5/s, 4 min left");
        assert_eq!(track(500).under_way(NOW), "500 of 500 rounds, 250/s, 0 s left");
        assert_eq!(track(1).under_way(Duration::from_secs(10)), "1 of 500 rounds, 0 s left");
    }

    #[test]
    fn the_bound_that_ends_first_counts() {
        let timed = Track { time: Some(Duration::from_secs(5)), ..track(100) };
        assert_eq!(timed.under_way(NOW), "100 of 500 rounds, 50/s, 3 s left");
        let generous = Track { time: Some(Duration::from_mins(5)), ..track(100) };
        assert_eq!(generous.under_way(NOW), "100 of 500 rounds, 50/s, 8 s left");
        // 50 rounds that tell took two seconds; 100 more take four.
        let enough = Track { needed: Some(150), trials: 50, ..track(100) };
        assert_eq!(enough.under_way(NOW), "100 of 500 rounds, 50/s, 4 s left");
        let violated = Track { violated: 1, ..enough };
        assert_eq!(violated.under_way(NOW), "100 of 500 rounds, 50/s, 8 s left, 1 violated");
        let waiting = Track { time: Some(Duration::from_secs(5)), ..track(0) };
        assert_eq!(waiting.under_way(NOW), "0 of 500 rounds, 3 s left");
    }

    #[test]
    fn what_was_found_is_named() {
        let found = Track { violated: 3, kinds: vec![Kind::LostUpdate], ..track(100) };
        assert_eq!(found.under_way(NOW), "100 of 500 rounds, 50/s, 8 s left, 3 violated (lost-update)");
        assert_eq!(found.ended(500, NOW), "500 rounds, 3 violated (lost-update), 2.0 s");
        let warned = Track { kinds: vec![Kind::NoWinner], ..track(100) };
        assert_eq!(warned.ended(1, NOW), "1 round, seen: no-winner, 2.0 s");
    }

    #[test]
    fn spans_are_said_in_one_unit_and_never_too_short() {
        let told = [0, 1, 119, 120, 121, 7_199, 7_200].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(told, ["0 s", "1 s", "119 s", "2 min", "3 min", "120 min", "2 h"]);
        assert_eq!(span(Duration::from_millis(1)), "1 s");
    }
}
