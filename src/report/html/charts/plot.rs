//! What charts share: the frame, its ticks, logarithmic axes.

use maud::{Markup, html};

use crate::report::html::words::Px;
use crate::text::micros;

pub(super) const WIDTH: f64 = 560.0;
pub(super) const HEIGHT: f64 = 260.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 44.0;

/// From 0 at the left to 1 at the right.
pub(super) fn x(share: f64) -> f64 {
    LEFT + share.clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT)
}

/// From 0 at the bottom to 1 at the top.
pub(super) fn y(share: f64) -> f64 {
    HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
}

/// Where a tick stands on its axis, and what it says.
pub(super) type Tick = (f64, String);

/// A chart: what it shows in a sentence, its axes, the drawing, and the numbers as rows of a table.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) says: String,
    pub(super) x_axis: (&'a str, Vec<Tick>),
    pub(super) y_axis: (&'a str, Vec<Tick>),
    pub(super) drawing: Markup,
    pub(super) columns: &'a [&'a str],
    pub(super) rows: Vec<Vec<String>>,
}

impl Chart<'_> {
    pub(super) fn render(&self) -> Markup {
        html! {
            figure class="chart" {
                figcaption { b { (self.title) } " " span { (self.says) } }
                svg role="img" aria-label=(format!("{}. {}", self.title, self.says)) viewBox=(format!("0 0 {} {}", Px(WIDTH), Px(HEIGHT))) {
                    (self.grid())
                    (self.drawing)
                }
                details class="rows" {
                    summary { "The numbers as a table" }
                    div class="wide" tabindex="0" role="region" aria-label=(format!("{}, scrolls sideways", self.title)) {
                        table {
                            thead { tr { @for column in self.columns { th scope="col" { (column) } } } }
                            tbody { @for row in &self.rows { tr { @for cell in row { td { (cell) } } } } }
                        }
                    }
                }
            }
        }
    }

    fn grid(&self) -> Markup {
        let (left, right, bottom) = (x(0.0), x(1.0), y(0.0));
        html! {
            @for (share, label) in &self.y_axis.1 {
                line class="grid" x1=(Px(left)) x2=(Px(right)) y1=(Px(y(*share))) y2=(Px(y(*share))) {}
                text class="scale" x=(Px(left - 8.0)) y=(Px(y(*share) + 4.0)) text-anchor="end" { (label) }
            }
            @for (share, label) in &self.x_axis.1 {
                line class="mark" x1=(Px(x(*share))) x2=(Px(x(*share))) y1=(Px(bottom)) y2=(Px(bottom + 4.0)) {}
                text class="scale" x=(Px(x(*share))) y=(Px(bottom + 18.0)) text-anchor="middle" { (label) }
            }
            line class="axis" x1=(Px(left)) x2=(Px(right)) y1=(Px(bottom)) y2=(Px(bottom)) {}
            text class="axis-name" x=(Px(f64::midpoint(left, right))) y=(Px(HEIGHT - 8.0)) text-anchor="middle" { (self.x_axis.0) }
            text class="axis-name" x="4" y="12" { (self.y_axis.0) }
        }
    }
}

/// A logarithmic axis over spans in µs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    low: f64,
    high: f64,
}

impl Log {
    /// From `low` to `high`, and a little around a single value.
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 µs")]
    pub(super) fn new(low: u64, high: u64) -> Self {
        let (low, high) = (low.max(1) as f64, high.max(1) as f64);
        if high / low < 1.2 { Self { low: low / 1.5, high: high * 1.5 } } else { Self { low, high } }
    }

    /// Where a span lies: 0 at the low end, 1 at the high one.
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 µs")]
    pub(super) fn share(self, span: u64) -> f64 {
        ((span.max(1) as f64 / self.low).ln() / self.decades()).clamp(0.0, 1.0)
    }

    fn decades(self) -> f64 {
        (self.high / self.low).ln()
    }

    /// How many bars of it are no narrower than 2 %: bins of 1 % fill each.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 40")]
    pub(super) fn bars(self) -> usize {
        (self.decades() / 0.02).clamp(1.0, 40.0) as usize
    }

    /// Ticks at 1, 2 and 5 times powers of ten, as many as fit.
    pub(super) fn ticks(self, most: usize) -> Vec<Tick> {
        let steps: [&[u64]; 3] = [&[1, 2, 5], &[1, 3], &[1]];
        let of = |steps: &[u64]| -> Vec<Tick> {
            (0..9_u32)
                .flat_map(|power| steps.iter().map(move |step| step * 10_u64.pow(power)))
                .filter(|span| self.contains(*span))
                .map(|span| (self.share(span), whole(span)))
                .collect()
        };
        let fitting = steps.iter().map(|steps| of(steps)).find(|ticks| ticks.len() <= most && !ticks.is_empty());
        fitting.unwrap_or_else(|| self.ends())
    }

    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 µs")]
    fn contains(self, span: u64) -> bool {
        (self.low..=self.high).contains(&(span as f64))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 µs and hours")]
    fn ends(self) -> Vec<Tick> {
        vec![(0.0, micros(self.low.round() as u64)), (1.0, micros(self.high.round() as u64))]
    }
}

/// A round number of µs in its unit: `500 µs`, `20 ms`, `1 s`.
fn whole(span: u64) -> String {
    match span {
        0..1_000 => format!("{span} µs"),
        1_000..1_000_000 => format!("{} ms", span / 1_000),
        _ => format!("{} s", span / 1_000_000),
    }
}

/// Ticks at every fifth of the whole, in percent.
pub(super) fn percents() -> Vec<Tick> {
    (0..=5_u8).map(|fifth| (f64::from(fifth) / 5.0, format!("{} %", u32::from(fifth) * 20))).collect()
}

/// A share of a whole; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_spans_its_values_and_survives_one_alone() {
        let log = Log::new(100, 10_000);
        assert!(log.share(100).abs() < 1e-9 && (log.share(10_000) - 1.0).abs() < 1e-9);
        assert!((log.share(1_000) - 0.5).abs() < 1e-9);
        for lonely in [Log::new(7, 7), Log::new(0, 0), Log::new(u64::MAX, u64::MAX)] {
            assert!(lonely.share(7).is_finite() && lonely.bars() >= 1 && !lonely.ticks(6).is_empty());
        }
    }

    #[test]
    fn ticks_are_round_and_as_many_as_fit() {
        let labels = |log: Log| log.ticks(6).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Log::new(150, 6_000)), ["200 µs", "500 µs", "1 ms", "2 ms", "5 ms"]);
        assert_eq!(labels(Log::new(50, 900_000)).len(), 4);
        assert_eq!(labels(Log::new(210, 260)), ["210 µs", "260 µs"]);
    }
}
