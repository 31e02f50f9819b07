//! Rounds in a row without a usable answer: when a target is given up.

use std::time::Duration;

use tokio::time::Instant;

use crate::history::{Cause, Operation, Outcome, Phase};

/// Rounds in a row without one usable answer, after which a scenario is given up: its target hangs, refuses the set-up,
/// or is gone.
const MOST_FRUITLESS: u32 = 5;

/// The fruitless rounds since the last one that was not, in order of their numbers.
///
/// One hiccup of the target spoils all rounds that are under way together. So a row of them counts only if it goes on:
/// into a round that was begun when the first of them was known, or for as long as one request may take. Rounds that run
/// one after the other always do the former.
#[derive(Debug, Default)]
pub(super) struct Streak {
    row: Option<Row>,
}

#[derive(Debug)]
struct Row {
    length: u32,
    /// How many had been begun when the first was noted, and when that was.
    begun: usize,
    since: Instant,
    /// Why the last one had no usable answer.
    why: String,
}

impl Streak {
    /// Notes the next heat: its number, and how it was fruitless, if it was. `begun` heats were begun so far.
    pub(super) fn note(&mut self, failure: Option<String>, begun: usize) {
        self.row = failure.map(|why| match self.row.take() {
            None => Row { length: 1, begun, since: Instant::now(), why },
            Some(row) => Row { length: row.length + 1, why, ..row },
        });
    }

    /// Why the last round was fruitless, if it was.
    pub(super) fn last(&self) -> Option<&str> {
        self.row.as_ref().map(|row| row.why.as_str())
    }

    /// Why the target is to be given up, if it is, when heat `number` was the last that was noted. `limit` is the time
    /// that one request may take.
    pub(super) fn is_hopeless(&self, number: usize, limit: Duration) -> Option<&str> {
        let row = self.row.as_ref()?;
        // The first of a row that runs alone was the last one begun.
        let goes_on = number + 1 > row.begun || row.since.elapsed() >= limit;
        (row.length >= MOST_FRUITLESS && goes_on).then_some(row.why.as_str())
    }
}

/// Why a round yielded nothing usable, if so: no contender was answered.
pub(super) fn fruitless_because(operations: &[Operation]) -> Option<String> {
    let answered = |operation: &&Operation| matches!(operation.outcome, Outcome::Answered(_));
    let contended = operations.iter().filter(|operation| operation.phase == Phase::Contend);
    if contended.clone().any(|operation| answered(&operation)) {
        return None;
    }
    // A server that answers set-up but nothing of a race with 5xx is there: that is a finding, not an absence.
    let is_error_answer = |operation: &Operation| {
        matches!(&operation.outcome, Outcome::Unknown(Cause::Status(_) | Cause::Unreadable { .. }))
    };
    if contended.clone().any(is_error_answer) {
        return None;
    }
    let last = operations.iter().rfind(|operation| !answered(operation)).or_else(|| operations.last())?;
    Some(format!("{} {}", last.call.request, crate::check::answer(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    fn why() -> String {
        "it hung".to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn five_in_a_row_are_enough_where_one_runs_after_the_other() {
        let mut streak = Streak::default();
        let hopeless = [0, 1, 2, 3, 4].map(|number| {
            streak.note(Some(why()), number + 1);
            streak.is_hopeless(number, LIMIT).is_some()
        });
        assert_eq!(hopeless, [false, false, false, false, true]);
        streak.note(None, 6);
        assert!(streak.is_hopeless(5, LIMIT).is_none() && streak.last().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_hiccup_that_spoils_all_rounds_under_way_is_not_the_end() {
        let mut streak = Streak::default();
        for number in 0..100 {
            streak.note(Some(why()), 100);
            assert!(streak.is_hopeless(number, LIMIT).is_none());
        }
        streak.note(None, 101);
        assert!(streak.last().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_that_goes_on_is_the_end_whether_by_number_or_by_time() {
        let mut streak = Streak::default();
        for number in 0..100 {
            streak.note(Some(why()), 100);
            assert!(streak.is_hopeless(number, LIMIT).is_none());
        }
        streak.note(Some(why()), 101);
        assert_eq!(streak.is_hopeless(100, LIMIT), Some("it hung"));
        let mut streak = Streak::default();
        for _ in 0..4 {
            streak.note(Some(why()), 100);
        }
        tokio::time::advance(LIMIT).await;
        assert!(streak.is_hopeless(3, LIMIT).is_none(), "four are not five");
        streak.note(Some(why()), 100);
        assert!(streak.is_hopeless(4, LIMIT).is_some());
    }
}
