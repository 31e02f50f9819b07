//! How volleys were delivered: which method found what, and at which delays contenders collided.

use std::fmt::Write as _;

use super::super::words::percent;
use super::Terminal;
use crate::run_result::{Bucket, DelayResult, DeliveryResult, RunResult, ScenarioResult};
use crate::text::{count, micros};

/// The most lines that a drawing takes.
const MOST_LINES: usize = 16;
/// The length of the longest bar (characters).
const BAR: usize = 24;
/// Eighths of a block, from one to eight.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

impl Terminal {
    /// Under a scenario's findings: who found them, and where.
    pub(super) fn delivered(self, out: &mut String, scenario: &ScenarioResult) -> std::fmt::Result {
        let found = scenario.deliveries.iter().any(|delivery| delivery.rounds_violated > 0);
        if found && scenario.deliveries.len() > 1 {
            let told: Vec<String> = by_rate(&scenario.deliveries).into_iter().map(told).collect();
            writeln!(out, "  {}", self.palette.dim(&format!("violated by delivery: {}", told.join(", "))))?;
        }
        for delays in &scenario.delays {
            self.over_delay(out, scenario, delays)?;
        }
        Ok(())
    }

    /// Violations over delay, drawn.
    fn over_delay(self, out: &mut String, scenario: &ScenarioResult, delays: &DelayResult) -> std::fmt::Result {
        let DelayResult { of, after, buckets } = delays;
        let axis = if of == after {
            format!("one {of} after another")
        } else {
            format!("{of} after {after} (before it, below 0)")
        };
        writeln!(out, "\n  {} rounds with a violation, by delay of {axis}", self.palette.strong(&scenario.name))?;
        let drawn = joined(buckets);
        let labels: Vec<String> = drawn.iter().map(stretch).collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        for (bucket, label) in drawn.iter().zip(&labels) {
            let blank = " ".repeat(width - label.chars().count());
            writeln!(out, "  {blank}{label}  {:BAR$}  {} of {}", bar(bucket), bucket.hits, bucket.rounds)?;
        }
        Ok(())
    }
}

/// In the footer: how many rounds each method was played, in all.
pub(super) fn methods_told(out: &mut String, result: &RunResult) -> std::fmt::Result {
    let mut methods: Vec<(String, u64)> = Vec::new();
    for delivery in result.scenarios.iter().flat_map(|scenario| &scenario.deliveries) {
        let name = delivery.method.to_string();
        match methods.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rounds)) => *rounds += delivery.rounds,
            None => methods.push((name, delivery.rounds)),
        }
    }
    if methods.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = methods.into_iter().map(|(name, rounds)| format!("{name} {rounds}")).collect();
    writeln!(out, "Rounds by delivery: {}", told.join(", "))
}

fn by_rate(deliveries: &[DeliveryResult]) -> Vec<&DeliveryResult> {
    let mut sorted: Vec<&DeliveryResult> = deliveries.iter().collect();
    sorted.sort_by(|one, other| rate(other).total_cmp(&rate(one)));
    sorted
}

#[expect(clippy::cast_precision_loss, reason = "counts of rounds are far below 2^52")]
fn rate(delivery: &DeliveryResult) -> f64 {
    delivery.rounds_violated as f64 / delivery.rounds.max(1) as f64
}

fn told(delivery: &DeliveryResult) -> String {
    let DeliveryResult { method, rounds, rounds_violated, .. } = delivery;
    format!("{method} {rounds_violated} of {} ({})", count(*rounds, "round"), percent(rate(delivery)))
}

/// The same in few enough stretches: neighbours with the fewest rounds are joined.
fn joined(buckets: &[Bucket]) -> Vec<Bucket> {
    let mut joined = buckets.to_vec();
    while joined.len() > MOST_LINES {
        let together = |at: &usize| joined[*at].rounds + joined[*at + 1].rounds;
        let Some(at) = (0..joined.len() - 1).min_by_key(together) else { break };
        let next = joined.remove(at + 1);
        let own = &mut joined[at];
        *own = Bucket {
            from_us: own.from_us,
            to_us: next.to_us,
            rounds: own.rounds + next.rounds,
            hits: own.hits + next.hits,
        };
    }
    joined
}

/// `−300 µs … −200 µs`
fn stretch(bucket: &Bucket) -> String {
    let signed = |us: i32| {
        let sign = if us < 0 { "−" } else { "" };
        format!("{sign}{}", micros(us.unsigned_abs().into()))
    };
    format!("{} … {}", signed(bucket.from_us), signed(bucket.to_us))
}

/// The share of rounds with a violation.
fn bar(bucket: &Bucket) -> String {
    let eighths = u64::from(bucket.hits) * 8 * BAR as u64 / u64::from(bucket.rounds.max(1));
    let eighths = usize::try_from(eighths).unwrap_or(0).min(8 * BAR);
    let mut drawn = EIGHTHS[7].to_string().repeat(eighths / 8);
    if let Some(rest) = (eighths % 8).checked_sub(1) {
        drawn.push(EIGHTHS[rest]);
    } else if drawn.is_empty() && bucket.hits > 0 {
        drawn.push(EIGHTHS[0]);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_the_share_and_never_nothing_for_something() {
        let drawn = |hits, rounds| bar(&Bucket { from_us: 0, to_us: 5, rounds, hits });
        assert_eq!(drawn(0, 10), "");
        assert_eq!(drawn(1, 10_000), "▏");
        assert_eq!(drawn(1, 2), "█".repeat(BAR / 2));
        assert_eq!(drawn(7, 7), "█".repeat(BAR));
        assert_eq!(drawn(1, 64), "▍");
    }

    #[test]
    fn a_drawing_is_short_and_leaves_no_round_out() {
        let buckets: Vec<Bucket> =
            (0..40).map(|at| Bucket { from_us: 10 * at, to_us: 10 * at + 10, rounds: 3, hits: 1 }).collect();
        let drawn = joined(&buckets);
        assert_eq!(drawn.len(), MOST_LINES);
        assert_eq!(
            drawn
                .iter()
                .map(|bucket| (bucket.rounds, bucket.hits))
                .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1)),
            (120, 40)
        );
        assert!(drawn.windows(2).all(|pair| pair[0].to_us == pair[1].from_us));
        assert_eq!(joined(&buckets[..MOST_LINES]), buckets[..MOST_LINES]);
    }

    #[test]
    fn delays_before_are_below_zero() {
        assert_eq!(stretch(&Bucket { from_us: -300, to_us: 0, rounds: 1, hits: 0 }), "−300 µs … 0 µs");
    }
}
