//! From moments to places: in exact order, with long waits drawn shorter, so that a race of microseconds between reads
//! that take milliseconds can be seen.

/// Pixels that two different moments lie apart at least.
const NEAREST: f64 = 7.0;
/// Pixels of a wait that is as long as the median one.
const MEDIAN: f64 = 46.0;

/// Where each moment is drawn. Between two neighbours time is linear.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    moments: Vec<i64>,
    places: Vec<f64>,
}

impl Scale {
    /// A scale for these moments (µs), at least `least` pixels wide.
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 µs")]
    pub(super) fn new(moments: impl IntoIterator<Item = i64>, least: f64) -> Self {
        let mut moments: Vec<i64> = moments.into_iter().collect();
        moments.sort_unstable();
        moments.dedup();
        let waits: Vec<f64> = moments.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64).collect();
        let mut sorted = waits.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(1.0).max(1.0);
        let widths: Vec<f64> = waits.iter().map(|wait| NEAREST + MEDIAN * (wait / median).ln_1p()).collect();
        let stretch = (least / widths.iter().sum::<f64>().max(1.0)).max(1.0);
        let mut place = 0.0;
        let mut places = vec![0.0; moments.len().min(1)];
        for width in widths {
            place += width * stretch;
            places.push(place);
        }
        Self { moments, places }
    }

    /// How wide it is, in pixels.
    pub(super) fn width(&self) -> f64 {
        self.places.last().copied().unwrap_or(0.0)
    }

    /// Where a moment is drawn; outside of the scale, at its end.
    #[expect(clippy::cast_precision_loss, reason = "spans are far below 2^52 µs")]
    pub(super) fn place(&self, moment: i64) -> f64 {
        let after = self.moments.partition_point(|known| *known <= moment);
        let (Some(before), true) = (after.checked_sub(1), after < self.moments.len()) else {
            return if after == 0 { 0.0 } else { self.width() };
        };
        let (from, to) = (self.moments[before], self.moments[after]);
        let share = moment.saturating_sub(from) as f64 / to.saturating_sub(from) as f64;
        self.places[before] + share * (self.places[after] - self.places[before])
    }

    /// Moments to label, in order and at least `apart` pixels from each other.
    pub(super) fn ticks(&self, apart: f64) -> Vec<(f64, i64)> {
        let mut ticks: Vec<(f64, i64)> = Vec::new();
        for (moment, place) in self.moments.iter().zip(&self.places) {
            if ticks.last().is_none_or(|(last, _)| place - last >= apart) {
                ticks.push((*place, *moment));
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_order_and_never_touch() {
        let moments = [0, 1, 2, 900, 1_000_000, -50];
        let scale = Scale::new(moments, 0.0);
        let mut sorted = moments;
        sorted.sort_unstable();
        for pair in sorted.windows(2) {
            assert!(scale.place(pair[1]) - scale.place(pair[0]) >= NEAREST, "{pair:?}");
        }
    }

    #[test]
    fn a_wait_a_thousand_times_longer_is_not_a_thousand_times_wider() {
        let scale = Scale::new([0, 10, 20, 30, 10_030], 0.0);
        let (short, long) = (scale.place(10) - scale.place(0), scale.place(10_030) - scale.place(30));
        assert!(long > 3.0 * short && long < 12.0 * short, "{short} {long}");
    }

    #[test]
    fn a_scale_is_as_wide_as_asked_and_ends_where_its_moments_do() {
        let scale = Scale::new([5, 6], 700.0);
        assert!((scale.width() - 700.0).abs() < 1e-6);
        assert!(scale.place(-9).abs() < 1e-6 && (scale.place(99) - 700.0).abs() < 1e-6);
        let empty = Scale::new([], 700.0);
        assert!(empty.width().abs() < 1e-6 && empty.place(3).abs() < 1e-6);
        let extreme = Scale::new([i64::MIN, 0, i64::MAX], 700.0);
        assert!(extreme.place(7).is_finite() && extreme.width().is_finite());
    }

    #[test]
    fn ticks_lie_apart() {
        let scale = Scale::new(0..200, 0.0);
        let ticks = scale.ticks(80.0);
        assert!(ticks.len() > 2 && ticks.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 80.0));
    }
}
