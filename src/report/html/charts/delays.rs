//! Rounds with a violation over the delay between contenders, where it was swept.

use maud::{Markup, html};

use super::plot::{Chart, Tick, percents, share, x, y};
use crate::report::html::words::Px;
use crate::report::words::percent;
use crate::run_result::{Bucket, DelayResult, ScenarioResult};
use crate::text::{harmless, micros};

/// Delays up to this are drawn in proportion, longer ones by their logarithm (µs).
const LINEAR: f64 = 20.0;
/// Pairs of contenders drawn of one scenario.
const MOST_CHARTS: usize = 8;

/// A chart for each pair of contenders that was held apart.
pub(in super::super) fn swept(scenario: &ScenarioResult) -> Markup {
    let title = format!("{}: violations by delay", harmless(&scenario.name, 60));
    html! {
        @for delays in scenario.delays.iter().filter(|delays| !delays.buckets.is_empty()).take(MOST_CHARTS) { (chart(delays, &title)) }
    }
}

/// Whether a sweep of this scenario found something.
pub(super) fn is_telling(scenario: &ScenarioResult) -> bool {
    scenario.delays.iter().flat_map(|delays| &delays.buckets).any(|bucket| bucket.hits > 0)
}

/// Delays on a scale that has room for 5 µs and for 50 ms, before and after.
fn bent(delay: i32) -> f64 {
    f64::from(delay).signum() * (f64::from(delay).abs() / LINEAR).ln_1p()
}

/// `−300 µs`
fn signed(delay: i32) -> String {
    let sign = if delay < 0 { "−" } else { "" };
    format!("{sign}{}", micros(delay.unsigned_abs().into()))
}

fn chart(DelayResult { of, after, buckets }: &DelayResult, title: &str) -> Markup {
    let (of, after) = (harmless(of, 60), harmless(after, 60));
    let low = buckets.iter().map(|bucket| bucket.from_us).min().unwrap_or(0);
    let high = buckets.iter().map(|bucket| bucket.to_us).max().unwrap_or(1);
    let width = (bent(high) - bent(low)).max(1e-9);
    let place = |delay: i32| (bent(delay) - bent(low)) / width;
    let rate = |bucket: &Bucket| share(bucket.hits.into(), bucket.rounds.into());
    let range = |bucket: &Bucket| format!("{} … {}", signed(bucket.from_us), signed(bucket.to_us));
    let axis = if of == after {
        format!("delay of one {of} after another")
    } else {
        format!("delay of {of} after {after}; before it, left of 0")
    };
    let best = buckets.iter().max_by(|one, other| rate(one).total_cmp(&rate(other)));
    Chart {
        title,
        says: best.filter(|bucket| bucket.hits > 0).map_or_else(
            || "None at any delay that was tried.".to_owned(),
            |bucket| format!("Most at {}: {} of {} rounds.", range(bucket), bucket.hits, bucket.rounds),
        ),
        x_axis: (&axis, ticks(low, high, place)),
        y_axis: ("violated", percents()),
        drawing: html! {
            @for bucket in buckets {
                @let (from, to) = (x(place(bucket.from_us)), x(place(bucket.to_us)));
                @let top = y(rate(bucket));
                rect class="tried" x=(Px(from)) y=(Px(y(1.0))) width=(Px((to - from - 0.6).max(0.6))) height=(Px(y(0.0) - y(1.0))) {
                    title { (range(bucket)) ": " (bucket.hits) " of " (bucket.rounds) }
                }
                @if bucket.hits > 0 {
                    rect class="bar bad" x=(Px(from)) y=(Px(top)) width=(Px((to - from - 0.6).max(0.6))) height=(Px(y(0.0) - top)) {
                        title { (range(bucket)) ": " (bucket.hits) " of " (bucket.rounds) }
                    }
                }
            }
        },
        columns: &["delay", "rounds", "with a violation", "share"],
        rows: buckets
            .iter()
            .map(|bucket| {
                vec![range(bucket), bucket.rounds.to_string(), bucket.hits.to_string(), percent(rate(bucket))]
            })
            .collect(),
    }
    .render()
}

/// Round delays within the scale, apart enough to be read.
fn ticks(low: i32, high: i32, place: impl Fn(i32) -> f64) -> Vec<Tick> {
    let magnitudes = [0, 100, 1_000, 10_000, 50_000, 10];
    let mut chosen: Vec<(f64, i32)> = Vec::new();
    for delay in magnitudes.iter().flat_map(|size| [*size, -*size]) {
        let at = place(delay.clamp(low, high));
        if (low..=high).contains(&delay) && chosen.iter().all(|(other, _)| (at - other).abs() > 0.11) {
            chosen.push((at, delay));
        }
    }
    chosen.into_iter().map(|(at, delay)| (at, signed(delay))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(buckets: &[(i32, i32, u32, u32)]) -> DelayResult {
        let bucket = |&(from_us, to_us, rounds, hits)| Bucket { from_us, to_us, rounds, hits };
        DelayResult {
            of: "acceptance".to_owned(),
            after: "cancellation".to_owned(),
            buckets: buckets.iter().map(bucket).collect(),
        }
    }

    #[test]
    fn the_best_delay_is_told_and_all_are_in_the_table() {
        let page = chart(&delays(&[(-500, -200, 10, 1), (-200, 0, 10, 9), (0, 5, 4, 0)]), "a race").into_string();
        assert!(page.contains("Most at −200 µs … 0 µs: 9 of 10 rounds."), "{page}");
        assert!(page.contains("0 µs … 5 µs") && page.contains("before it, left of 0"), "{page}");
    }

    #[test]
    fn extremes_are_drawn_within_the_chart() {
        let page = chart(&delays(&[(i32::MIN, i32::MAX, 0, 0)]), "a race").into_string();
        assert!(page.contains("None at any delay that was tried.") && !page.contains("NaN"), "{page}");
    }
}
