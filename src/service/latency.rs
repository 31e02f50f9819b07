//! How long actions take before they reach the store: a service that answers as slowly as a real one, or lets one action go
//! ahead of another.
//!
//! ```text
//! --latency 500ms                         every action takes half a second
//! --latency acceptance=3ms                of two that arrive together, the cancellation is at the order 3 ms before
//! cancellation   seen ─ judge ─ write
//! acceptance     ┄┄┄┄┄ 3 ms ┄┄┄┄┄ seen ─ judge ─ write
//! ```

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::orders::Action;
use super::pause::pause;
use crate::text::parse_duration;

/// How long actions of V2 take before they first reach the store; the default is not at all. Reading, placing an order and
/// V1 take no longer than they do.
///
/// Collected from [rules](LatencyRule), whose order is of no matter but for this: of two rules about the same, the later counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency(Vec<LatencyRule>);

/// How long one action takes (`acceptance=3ms`), or all of those that have no rule of their own (`500ms`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencyRule {
    action: Option<Action>,
    time: Duration,
}

/// The text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLatency {
    /// What stands before `=` is no action.
    #[error("there is no action `{action}`; there are {}", Action::ALL.map(Action::name).join(", "))]
    Action {
        /// What stands there.
        action: String,
    },
    /// What should be a time is none.
    #[error("{0}")]
    Time(String),
}

impl LatencyRule {
    /// Of every action that has no rule of its own.
    pub const fn of_all(time: Duration) -> Self {
        Self { action: None, time }
    }
}

impl FromStr for LatencyRule {
    type Err = UnknownLatency;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let (action, time) = match typed.split_once('=') {
            None => (None, typed),
            Some((name, time)) => {
                let known = Action::ALL.into_iter().find(|action| action.name() == name);
                (Some(known.ok_or_else(|| UnknownLatency::Action { action: name.to_owned() })?), time)
            }
        };
        Ok(Self { action, time: parse_duration(time).map_err(UnknownLatency::Time)? })
    }
}

impl fmt::Display for LatencyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(action) = self.action {
            write!(f, "{}=", action.name())?;
        }
        write!(f, "{:?}", self.time)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        let rules: Vec<String> = self.rules().map(|rule| rule.to_string()).collect();
        f.write_str(&rules.join(", "))
    }
}

impl FromIterator<LatencyRule> for Latency {
    fn from_iter<I: IntoIterator<Item = LatencyRule>>(rules: I) -> Self {
        let mut kept: Vec<LatencyRule> = Vec::new();
        for rule in rules {
            kept.retain(|earlier| earlier.action != rule.action);
            kept.push(rule);
        }
        Self(kept)
    }
}

impl Latency {
    /// The rules that count.
    pub fn rules(&self) -> impl Iterator<Item = LatencyRule> {
        self.0.iter().copied()
    }

    /// The most that an action takes.
    pub fn longest(&self) -> Duration {
        self.rules().map(|rule| rule.time).max().unwrap_or_default()
    }

    fn of(&self, action: Action) -> Duration {
        let time_of = |named| self.rules().find(|rule| rule.action == named).map(|rule| rule.time);
        time_of(Some(action)).or_else(|| time_of(None)).unwrap_or_default()
    }

    /// Takes as long as `action` is to take.
    pub(super) async fn pass(&self, action: Action) {
        let time = self.of(action);
        if !time.is_zero() {
            pause(time).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latency(typed: &[&str]) -> Latency {
        typed.iter().map(|rule| rule.parse::<LatencyRule>().expect("it is a rule")).collect()
    }

    #[test]
    fn an_action_has_its_own_time_or_that_of_all() {
        let (brief, long) = (Duration::from_millis(3), Duration::from_millis(500));
        for typed in [["500ms", "acceptance=3ms"], ["acceptance=3ms", "500ms"]] {
            let latency = latency(&typed);
            assert_eq!((latency.of(Action::Acceptance), latency.of(Action::Payment)), (brief, long));
            assert_eq!(latency.longest(), long);
        }
        assert_eq!(latency(&["acceptance=3ms"]).of(Action::Payment), Duration::ZERO);
        assert_eq!(
            latency(&["5ms", "acceptance=1s", "acceptance=3ms", "500ms"]),
            latency(&["acceptance=3ms", "500ms"])
        );
        assert_eq!(latency(&["500ms", "acceptance=0s"]).of(Action::Acceptance), Duration::ZERO);
        assert_eq!(Latency::default().longest(), Duration::ZERO);
    }

    #[test]
    fn a_rule_is_shown_as_it_can_be_typed() {
        for typed in ["500ms", "acceptance=3ms", "preparation-complete=50µs", "pickup=1.5s"] {
            let rule: LatencyRule = typed.parse().expect("it is a rule");
            assert_eq!(rule.to_string(), typed);
        }
    }

    #[test]
    fn what_is_no_rule_says_what_is() {
        for (typed, hint) in [
            ("accept=3ms", "there is no action `accept`; there are payment, cancellation"),
            ("acceptance=", "`` is not a duration"),
            ("acceptance", "`acceptance` is not a duration"),
            ("-1ms", "`-1ms` is not a duration"),
            ("=1ms", "there is no action ``"),
        ] {
            let error = typed.parse::<LatencyRule>().expect_err("it is no rule").to_string();
            assert!(error.contains(hint), "{typed}: {error}");
        }
    }
}
