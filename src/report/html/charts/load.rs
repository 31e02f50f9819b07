//! The charts of a load: both latency curves, what happened over time, the 412 rate over contention, tries until done.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::latency::{TOLD, curve, nines, quantile};
use super::plot::{Chart, Log, Tick, percents, share, x, y};
use crate::load_result::{LoadResult, Second, Times};
use crate::measure::Spans;
use crate::report::html::words::{Px, grouped};
use crate::report::load::told;
use crate::run_result::Bin;
use crate::text::micros;

/// Rows of a table behind a chart over time.
const MOST_ROWS: usize = 600;

/// The section; nothing where nothing was sent.
pub(in super::super) fn section(load: &LoadResult) -> Markup {
    html! {
        @if load.all.sent > 0 {
            section id="numbers" aria-labelledby="numbers-title" {
                h2 id="numbers-title" { "Latency and contention" }
                div class="charts" {
                    @for chart in [percentiles(load), rates(load), times(load), errors(load), contention(load), tries(load)].into_iter().flatten() {
                        (chart.render())
                    }
                }
            }
        }
    }
}

/// What a histogram holds, in µs.
fn bins(times: &Times) -> Vec<Bin> {
    let Ok(spans) = Spans::decoded(&times.histogram) else { return Vec::new() };
    let micros = |span: std::time::Duration| u64::try_from(span.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX);
    let mut bins: Vec<Bin> = Vec::new();
    for (span, count) in spans.bins() {
        let up_to_us = micros(span);
        match bins.last_mut() {
            Some(last) if last.up_to_us == up_to_us => last.count += count,
            Some(_) | None => bins.push(Bin { up_to_us, count }),
        }
    }
    bins
}

/// Both views on one axis that gives each nine the same room.
fn percentiles(load: &LoadResult) -> Option<Chart<'static>> {
    let views = [bins(&load.all.from_intended), bins(&load.all.from_actual)];
    let counts = views.each_ref().map(|bins| bins.iter().map(|bin| bin.count).sum::<u64>());
    let ends = || views.iter().flatten().map(|bin| bin.up_to_us);
    let log = Log::new(ends().min()?, ends().max()?);
    let count = counts[0].max(counts[1]);
    let most = (1.0 / share(1, count.max(2))).log10().max(1.0);
    let told: Vec<(f64, &str)> = TOLD
        .into_iter()
        .filter(|(wanted, _)| nines(*wanted, most) < 1.0 && (1.0 - wanted) >= share(1, count))
        .collect();
    let ticks = told.iter().filter(|(wanted, _)| (*wanted - 0.95).abs() > 1e-9);
    let ticks = ticks.map(|(wanted, name)| (nines(*wanted, most), (*name).to_owned()));
    let value = |at: usize, wanted| quantile(&views[at], counts[at], wanted).map_or_else(|| "–".to_owned(), micros);
    let row = |name: &str, wanted: f64| vec![name.to_owned(), value(0, wanted), value(1, wanted)];
    Some(Chart {
        title: "Latency by percentile",
        says: format!(
            "Solid: from the intended start, half within {}, all within {}. Dashed: from the actual start, half within {}, all within {}.",
            value(0, 0.5),
            value(0, 1.0),
            value(1, 0.5),
            value(1, 1.0)
        ),
        x_axis: ("share of answers that came within", std::iter::once((0.0, "0 %".to_owned())).chain(ticks).collect()),
        y_axis: ("latency", log.ticks(6)),
        drawing: html! {
            path class="curve" d=(curve(&views[0], counts[0], log, most)) {}
            path class="curve dashed" d=(curve(&views[1], counts[1], log, most)) {}
            @for (wanted, name) in &told {
                @if let Some(span) = quantile(&views[0], counts[0], *wanted) {
                    circle class="point" cx=(Px(x(nines(*wanted, most)))) cy=(Px(y(log.share(span)))) r="3.5" {
                        title { (name) " within " (micros(span)) }
                    }
                }
            }
        },
        columns: &["share", "from the intended start", "from the actual start"],
        rows: told.iter().map(|(wanted, name)| row(name, *wanted)).chain([row("all", 1.0)]).collect(),
    })
}

/// Where seconds stand from left to right.
struct Time {
    end: u64,
}

impl Time {
    fn of(seconds: &[Second]) -> Option<Self> {
        seconds.last().map(|last| Self { end: (last.at + last.of).max(1) })
    }

    fn share(&self, at: u64) -> f64 {
        share(at, self.end)
    }

    /// The middle of a step.
    fn middle(&self, second: &Second) -> f64 {
        f64::midpoint(self.share(second.at), self.share(second.at + second.of))
    }

    fn ticks(&self) -> Vec<Tick> {
        let steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 3_600, 7_200, 14_400];
        let step = steps.into_iter().find(|step| self.end / step <= 8).unwrap_or(self.end.div_ceil(8).max(1));
        (0..=self.end / step).map(|at| (self.share(at * step), format!("{} s", at * step))).collect()
    }

    /// The warm-up, behind everything.
    fn warm_up(&self, seconds: &[Second]) -> Markup {
        let end = seconds.iter().take_while(|second| second.is_warm_up).map(|second| second.at + second.of).last();
        html! {
            @if let Some(end) = end {
                rect class="tried" x=(Px(x(0.0))) y=(Px(y(1.0))) width=(Px(x(self.share(end)) - x(0.0))) height=(Px(y(0.0) - y(1.0))) {
                    title { "warm-up, left out of the figures" }
                }
            }
        }
    }

    /// A line through the middle of each step.
    fn line(&self, seconds: &[Second], height: impl Fn(&Second) -> f64) -> String {
        let mut path = String::new();
        for second in seconds {
            let start = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{start}{} {}", Px(x(self.middle(second))), Px(y(height(second))));
        }
        path
    }
}

fn each(count: u64, second: &Second) -> u64 {
    count / second.of.max(1)
}

/// Round numbers up to a little above `most`.
fn scale(most: u64) -> (u64, Vec<Tick>) {
    let power = 10_u64.pow(most.max(1).ilog10());
    let top = [1, 2, 5, 10].into_iter().map(|step| step * power).find(|top| *top >= most).unwrap_or(most).max(1);
    let parts = match top {
        0..5 => top,
        // 20, 200 … in quarters, 5, 10, 50 … in fifths: whole numbers.
        _ if top / power == 2 => 4,
        _ => 5,
    };
    let ticks = (0..=parts).map(|part| (share(part, parts), grouped(top * part / parts))).collect();
    (top, ticks)
}

fn rates(load: &LoadResult) -> Option<Chart<'static>> {
    let seconds = &load.seconds;
    let time = Time::of(seconds)?;
    let most = seconds.iter().map(|second| each(second.offered.max(second.answered), second)).max()?;
    let (top, ticks) = scale(most);
    let violated: u64 = seconds.iter().map(|second| second.violated).sum();
    let marks = if violated > 0 { " Marks below: resources with a violation were judged then." } else { "" };
    Some(Chart {
        title: "Requests over time",
        says: format!("Solid: answered in a second. Dashed: offered. Shaded: warm-up.{marks}"),
        x_axis: ("since the beginning", time.ticks()),
        y_axis: ("in a second", ticks),
        drawing: html! {
            (time.warm_up(seconds))
            path class="reference" d=(time.line(seconds, |second| share(each(second.offered, second), top))) {}
            path class="curve" d=(time.line(seconds, |second| share(each(second.answered, second), top))) {}
            @for second in seconds.iter().filter(|second| second.violated > 0) {
                circle class="fallen" cx=(Px(x(time.middle(second)))) cy=(Px(y(0.0))) r="4" {
                    title { (second.violated) " violated, judged at " (second.at) " s" }
                }
            }
        },
        columns: &["from", "offered/s", "answered/s", "dropped", "violated"],
        rows: rows(seconds, |second| {
            vec![each(second.offered, second), each(second.answered, second), second.dropped, second.violated]
        }),
    })
}

fn rows(seconds: &[Second], of: impl Fn(&Second) -> Vec<u64>) -> Vec<Vec<String>> {
    let row = |second: &Second| {
        std::iter::once(format!("{} s", second.at)).chain(of(second).into_iter().map(grouped)).collect::<Vec<_>>()
    };
    seconds.iter().take(MOST_ROWS).map(row).collect()
}

fn times(load: &LoadResult) -> Option<Chart<'static>> {
    let seconds: Vec<Second> = load.seconds.iter().filter(|second| second.p99_us > 0).copied().collect();
    let time = Time::of(&load.seconds)?;
    let low = seconds.iter().map(|second| second.p50_us).min()?;
    let log = Log::new(low, seconds.iter().map(|second| second.p99_us).max()?);
    let row = |second: &Second| vec![format!("{} s", second.at), micros(second.p50_us), micros(second.p99_us)];
    Some(Chart {
        title: "Latency over time",
        says: "From the intended start. Solid: half of the answers came within. Dashed: 99 % did.".to_owned(),
        x_axis: ("since the beginning", time.ticks()),
        y_axis: ("latency", log.ticks(6)),
        drawing: html! {
            (time.warm_up(&load.seconds))
            path class="curve" d=(time.line(&seconds, |second| log.share(second.p50_us))) {}
            path class="curve dashed" d=(time.line(&seconds, |second| log.share(second.p99_us))) {}
        },
        columns: &["from", "p50", "p99"],
        rows: seconds.iter().take(MOST_ROWS).map(row).collect(),
    })
}

/// What went wrong, second by second; nothing where nothing did.
fn errors(load: &LoadResult) -> Option<Chart<'static>> {
    let seconds = &load.seconds;
    let time = Time::of(seconds)?;
    let wrong = |second: &Second| each(second.errors + second.dropped, second);
    let most = seconds.iter().map(wrong).max().filter(|_| seconds.iter().any(|one| one.errors + one.dropped > 0))?;
    let (top, ticks) = scale(most.max(1));
    let width = |second: &Second| (x(time.share(second.at + second.of)) - x(time.share(second.at)) - 0.5).max(0.8);
    Some(Chart {
        title: "Errors over time",
        says: "In a second: requests that were not answered or with 5xx, and requests that could not begin in time (dropped).".to_owned(),
        x_axis: ("since the beginning", time.ticks()),
        y_axis: ("in a second", ticks),
        drawing: html! {
            @for second in seconds.iter().filter(|second| second.errors + second.dropped > 0) {
                @let top = y(share(wrong(second).max(1), top));
                rect class="bar bad" x=(Px(x(time.share(second.at)))) y=(Px(top)) width=(Px(width(second))) height=(Px((y(0.0) - top).max(1.0))) {
                    title { (second.at) " s: " (second.errors) " errors, " (second.dropped) " dropped" }
                }
            }
        },
        columns: &["from", "errors", "dropped"],
        rows: rows(seconds, |second| vec![second.errors, second.dropped]),
    })
}

/// The 412 rate over requests under way for the resource.
fn contention(load: &LoadResult) -> Option<Chart<'static>> {
    let most = load.contention.iter().map(|one| one.abreast).max()?.max(4);
    let place = |abreast: u64| x(share(abreast.saturating_sub(1), most - 1));
    let mut path = String::new();
    for one in &load.contention {
        let start = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{start}{} {}", Px(place(one.abreast)), Px(y(one.rate_412)));
    }
    Some(Chart {
        title: "Refused as stale (412)",
        says: "The share of conditional requests, by how many requests were under way for their resource when they began, themselves included."
            .to_owned(),
        x_axis: ("under way for the resource", (1..=most).map(|at| (share(at - 1, most - 1), at.to_string())).collect()),
        y_axis: ("refused", percents()),
        drawing: html! {
            path class="curve" d=(path) {}
            @for one in &load.contention {
                circle class="point" cx=(Px(place(one.abreast))) cy=(Px(y(one.rate_412))) r="4" {
                    title { (told::abreast(one, &load.contention)) " under way: " (told::share(one.rate_412)) " of " (grouped(one.conditional)) }
                }
            }
        },
        columns: &["under way", "conditional", "refused", "share"],
        rows: (load.contention.iter())
            .map(|one| {
                let under_way = told::abreast(one, &load.contention);
                vec![under_way, grouped(one.conditional), grouped(one.stale), told::share(one.rate_412)]
            })
            .collect(),
    })
}

/// Tries until a change of a hot resource was done.
fn tries(load: &LoadResult) -> Option<Chart<'static>> {
    let done = &load.done_after_tries;
    let all: u64 = done.iter().sum::<u64>() + load.given_up;
    if all == 0 {
        return None;
    }
    let bars: Vec<(String, u64, &str)> = (1..)
        .zip(done)
        .map(|(at, count)| (if at == done.len() { format!("{at}+") } else { at.to_string() }, *count, "bar"))
        .chain([("given up".to_owned(), load.given_up, "bar bad")])
        .collect();
    let (top, ticks) = scale(bars.iter().map(|(_, count, _)| *count).max()?);
    let slot = |at: usize| share(at as u64, bars.len() as u64);
    Some(Chart {
        title: "Tries until done",
        says: "Changes of resources that all clients act on: how often each was tried until it was done, or given up."
            .to_owned(),
        x_axis: (
            "tries",
            (0..).zip(&bars).map(|(at, bar)| (f64::midpoint(slot(at), slot(at + 1)), bar.0.clone())).collect(),
        ),
        y_axis: ("changes", ticks),
        drawing: html! {
            @for (at, (name, count, class)) in bars.iter().enumerate().filter(|(_, bar)| bar.1 > 0) {
                @let height = y(share(*count, top));
                rect class=(class) x=(Px(x(slot(at)) + 3.0)) y=(Px(height.min(y(0.0) - 1.0))) width=(Px(x(slot(at + 1)) - x(slot(at)) - 6.0))
                    height=(Px((y(0.0) - height).max(1.0))) { title { (name) ": " (grouped(*count)) } }
            }
        },
        columns: &["tries", "changes", "share"],
        rows: bars
            .iter()
            .map(|(name, count, _)| vec![name.clone(), grouped(*count), told::share(share(*count, all))])
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number_above_all_values() {
        let top = |most: u64| scale(most).0;
        assert_eq!([top(0), top(1), top(3), top(87), top(100), top(4_100)], [1, 1, 5, 100, 100, 5_000]);
        let labels: Vec<String> = scale(87).1.into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0", "20", "40", "60", "80", "100"]);
    }

    #[test]
    fn a_line_over_time_stays_within_the_chart() {
        let second = |at| Second { at, of: 2, answered: at * 7, ..Second::default() };
        let seconds: Vec<Second> = (0..400).step_by(2).map(second).collect();
        let time = Time::of(&seconds).expect("there are some");
        let line = time.line(&seconds, |second| share(second.answered, 2_793));
        assert!(line.starts_with('M') && line.matches('L').count() == 199 && !line.contains("NaN"), "{line}");
        assert!(time.ticks().len() <= 10 && time.ticks().iter().all(|(at, _)| (0.0..=1.0).contains(at)));
    }

    #[test]
    fn what_is_no_histogram_draws_nothing() {
        let times = Times { count: 3, mean_us: 1.0, max_us: 2.0, percentiles: Vec::new(), histogram: "x".to_owned() };
        assert!(bins(&times).is_empty());
    }
}
