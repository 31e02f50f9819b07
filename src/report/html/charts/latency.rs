//! How long contenders waited: percentiles, with the rare ones drawn as wide as the common ones, and the distribution.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::plot::{Chart, Log, Tick, share, x, y};
use crate::report::html::words::{Px, grouped};
use crate::run_result::{Bin, ScenarioResult};
use crate::text::micros;

/// The percentiles that are told as numbers, as shares.
pub(super) const TOLD: [(f64, &str); 7] = [
    (0.5, "50 %"),
    (0.9, "90 %"),
    (0.95, "95 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (0.99999, "99.999 %"),
];

/// The bins of all scenarios, added.
pub(super) fn merged(scenarios: &[ScenarioResult]) -> Vec<Bin> {
    let mut bins: BTreeMap<u64, u64> = BTreeMap::new();
    for bin in scenarios.iter().flat_map(|scenario| &scenario.latency_bins) {
        let count = bins.entry(bin.up_to_us).or_default();
        *count = count.saturating_add(bin.count);
    }
    bins.into_iter().map(|(up_to_us, count)| Bin { up_to_us, count }).collect()
}

/// Both charts of `bins`; nothing where they are empty.
pub(in super::super) fn latencies(bins: &[Bin], of: &str) -> Markup {
    let count: u64 = bins.iter().fold(0, |sum, bin| sum.saturating_add(bin.count));
    let ends = bins.first().zip(bins.last()).filter(|_| count > 0);
    html! {
        @if let Some((first, last)) = ends {
            @let log = Log::new(first.up_to_us, last.up_to_us);
            (percentiles(bins, count, log, of))
            (histogram(bins, count, log, of))
        }
    }
}

/// The longest wait of the fastest `wanted` share.
pub(super) fn quantile(bins: &[Bin], count: u64, wanted: f64) -> Option<u64> {
    let mut so_far = 0_u64;
    bins.iter()
        .find(|bin| {
            so_far = so_far.saturating_add(bin.count);
            share(so_far, count) >= wanted - 1e-12
        })
        .map(|bin| bin.up_to_us)
}

/// Where a share of all stands: as far right as it has nines.
pub(super) fn nines(share: f64, most: f64) -> f64 {
    (-(1.0 - share).max(1e-12).log10() / most).clamp(0.0, 1.0)
}

fn percentiles(bins: &[Bin], count: u64, log: Log, of: &str) -> Markup {
    let most = (1.0 / share(1, count.max(2))).log10().max(1.0);
    let told: Vec<(f64, &str)> = TOLD
        .into_iter()
        .filter(|(wanted, _)| nines(*wanted, most) < 1.0 && (1.0 - wanted) >= share(1, count))
        .collect();
    let ticks: Vec<Tick> = std::iter::once((0.0, "0 %".to_owned()))
        .chain(
            told.iter()
                .filter(|(wanted, _)| (*wanted - 0.95).abs() > 1e-9)
                .map(|(wanted, name)| (nines(*wanted, most), (*name).to_owned())),
        )
        .collect();
    let value = |wanted| quantile(bins, count, wanted).map_or_else(|| "–".to_owned(), micros);
    let highest = told.iter().rfind(|(wanted, _)| (0.6..0.995).contains(wanted));
    let highest = highest.map(|(wanted, name)| format!(", {name} within {}", value(*wanted))).unwrap_or_default();
    let rows = told.iter().map(|(wanted, name)| vec![(*name).to_owned(), value(*wanted)]);
    Chart {
        title: "Latency by percentile",
        says: format!(
            "{of}: half within {}{highest}, all within {}; {} answers.",
            value(0.5),
            value(1.0),
            grouped(count)
        ),
        x_axis: ("share of answers that came within", ticks),
        y_axis: ("latency", log.ticks(6)),
        drawing: html! {
            path class="curve" d=(curve(bins, count, log, most)) {}
            @for (wanted, name) in &told {
                @if let Some(span) = quantile(bins, count, *wanted) {
                    circle class="point" cx=(Px(x(nines(*wanted, most)))) cy=(Px(y(log.share(span)))) r="3.5" {
                        title { (name) " within " (micros(span)) }
                    }
                }
            }
        },
        columns: &["share", "within"],
        rows: rows.chain([vec!["all".to_owned(), value(1.0)]]).collect(),
    }
    .render()
}

/// A staircase: each bin as far as its share reaches. Steps that nobody would see are left out.
pub(super) fn curve(bins: &[Bin], count: u64, log: Log, most: f64) -> String {
    let mut path = String::new();
    let mut so_far = 0_u64;
    let mut last = (f64::MIN, f64::MIN);
    for (at, bin) in bins.iter().enumerate() {
        let from = x(nines(share(so_far, count), most));
        so_far = so_far.saturating_add(bin.count);
        let to = x(nines(share(so_far, count), most));
        let height = y(log.share(bin.up_to_us));
        if to - last.0 < 0.4 && (height - last.1).abs() < 0.4 && at + 1 < bins.len() {
            continue;
        }
        let start = if path.is_empty() { format!("M{}", Px(from)) } else { "L".to_owned() + &Px(last.0).to_string() };
        let _ = write!(path, "{start} {}H{}", Px(height), Px(to));
        last = (to, height);
    }
    path
}

fn histogram(bins: &[Bin], count: u64, log: Log, of: &str) -> Markup {
    let bars = log.bars();
    let mut heights = vec![0_u64; bars];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of bars")]
    #[expect(clippy::cast_precision_loss, reason = "at most 40 bars")]
    let bar_of = |bin: &Bin| ((log.share(bin.up_to_us) * bars as f64) as usize).min(bars - 1);
    for bin in bins {
        heights[bar_of(bin)] += bin.count;
    }
    let tallest = heights.iter().copied().max().unwrap_or(1).max(1);
    #[expect(clippy::cast_precision_loss, reason = "at most 40 bars")]
    let edge = |at: usize| at as f64 / bars as f64;
    let range = |at: usize| {
        let of_bar = || bins.iter().filter(|bin| bar_of(bin) == at).map(|bin| bin.up_to_us);
        of_bar().min().zip(of_bar().max()).map_or_else(String::new, |(from, to)| {
            if from == to { micros(to) } else { format!("{} … {}", micros(from), micros(to)) }
        })
    };
    let filled = || heights.iter().enumerate().filter(|(_, number)| **number > 0);
    Chart {
        title: "Latency, how often",
        says: format!("{of}: from {} to {}.", micros(bins[0].up_to_us), micros(bins[bins.len() - 1].up_to_us)),
        x_axis: ("latency", log.ticks(6)),
        y_axis: ("answers", vec![(0.0, "0".to_owned()), (1.0, grouped(tallest))]),
        drawing: html! {
            @for (at, number) in filled() {
                @let top = y(share(*number, tallest));
                rect class="bar" x=(Px(x(edge(at)) + 0.5)) y=(Px(top.min(y(0.0) - 1.0))) width=(Px((x(edge(at + 1)) - x(edge(at)) - 1.0).max(1.0)))
                    height=(Px((y(0.0) - top).max(1.0))) { title { (range(at)) ": " (grouped(*number)) } }
            }
        },
        columns: &["latency", "answers", "share"],
        rows: filled()
            .map(|(at, number)| vec![range(at), grouped(*number), crate::report::words::percent(share(*number, count))])
            .collect(),
    }
    .render()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins() -> Vec<Bin> {
        vec![Bin { up_to_us: 100, count: 90 }, Bin { up_to_us: 200, count: 9 }, Bin { up_to_us: 4_000, count: 1 }]
    }

    #[test]
    fn quantiles_are_those_of_the_bins() {
        let told = [0.5, 0.9, 0.95, 0.99, 1.0].map(|wanted| quantile(&bins(), 100, wanted));
        assert_eq!(told, [Some(100), Some(100), Some(200), Some(200), Some(4_000)]);
        assert_eq!(quantile(&[], 0, 0.5), None);
    }

    #[test]
    fn a_chart_tells_no_percentile_that_it_has_too_few_answers_for() {
        let page = latencies(&bins(), "all").into_string();
        assert!(page.contains("99 %") && !page.contains("99.9 %"), "{page}");
        assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    }

    #[test]
    fn one_answer_and_none_are_drawn_too() {
        assert_eq!(latencies(&[], "all").into_string(), "");
        let page = latencies(&[Bin { up_to_us: 0, count: 1 }], "all").into_string();
        assert!(page.contains("1 answers") || page.contains("<svg"), "{page}");
    }

    #[test]
    fn a_curve_rises_and_goes_right() {
        let path = curve(&bins(), 100, Log::new(100, 4_000), 2.0);
        assert!(path.starts_with('M') && path.matches('H').count() == 3, "{path}");
    }
}
