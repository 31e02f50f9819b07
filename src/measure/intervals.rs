//! How sure a measured value is: intervals for a share, for the difference of two, and for a quantile.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal};

use super::Bin;

/// What lies between two values, both included. A bound that nothing is known of is infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

/// So many of so many. Not whole numbers where several trials count as one, since they depend on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    hits: f64,
    trials: f64,
}

impl Share {
    /// `hits` of `trials`, of which only `independent` tell something of their own: their share stays, and weighs as much as so
    /// many trials. None without trials.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn new(hits: u64, trials: u64, independent: u64) -> Option<Self> {
        if trials == 0 || independent == 0 {
            return None;
        }
        let weight = trials.min(independent) as f64;
        Some(Self { hits: hits.min(trials) as f64 / trials as f64 * weight, trials: weight })
    }

    /// From 0 to 1.
    pub fn value(self) -> f64 {
        self.hits / self.trials
    }

    /// Wilson's score interval (1927): it stays within 0 and 1, and is fair to shares near them, also of few trials.
    pub fn interval(self, confidence: f64) -> Interval {
        let (z, n, p) = (normal_quantile(f64::midpoint(1.0, confidence)), self.trials, self.value());
        let shrink = 1.0 + z * z / n;
        let centre = (p + z * z / (2.0 * n)) / shrink;
        let half = z / shrink * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
        Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
    }
}

/// How much greater `after` is than `before`: Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10),
/// made of both shares' Wilson intervals.
///
/// ```
/// use quickeats_bench::measure::{Share, difference};
/// // Newcombe's example (a): 56/70 − 48/80 lies between 0.0524 and 0.3339.
/// let found = difference(Share::new(48, 80, 80).unwrap(), Share::new(56, 70, 70).unwrap(), 0.95);
/// assert!((found.low - 0.0524).abs() < 1e-4 && (found.high - 0.3339).abs() < 1e-4);
/// ```
pub fn difference(before: Share, after: Share, confidence: f64) -> Interval {
    let difference = after.value() - before.value();
    let (one, other) = (after.interval(confidence), before.interval(confidence));
    let below = (after.value() - one.low).hypot(other.high - before.value());
    let above = (one.high - after.value()).hypot(before.value() - other.low);
    Interval { low: difference - below, high: difference + above }
}

/// Where the `quantile` of what `bins` were drawn from lies: between two of the drawn values, whose places among all follow from
/// the binomial distribution, whatever was drawn (David and Nagaraja, Order Statistics, 2003, §7.1). `independent` as for
/// [`Share::new`]. None without values.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "places among counts that are far below 2^52"
)]
pub fn quantile_interval(bins: &[Bin], quantile: f64, independent: u64, confidence: f64) -> Option<Interval> {
    let count: u64 = bins.iter().map(|bin| bin.count).sum();
    let weight = count.min(independent);
    let below = Binomial::new(quantile, weight).ok().filter(|_| weight > 0)?;
    let tail = (1.0 - confidence) / 2.0;
    // The probability that fewer than `place` of the values lie below the quantile.
    let fewer = |place: u64| if place == 0 { 0.0 } else { below.cdf(place - 1) };
    let low = last(weight, |place| fewer(place) <= tail);
    let high = last(weight, |place| 1.0 - fewer(place) > tail) + 1;
    let scaled = |place: u64| place as f64 / weight as f64 * count as f64;
    // A bin is about 1 % wide: its least value could be that much less.
    let least = |bin: &Bin| (bin.up_to_us as f64 * 0.99 - 1.0).max(0.0);
    Some(Interval {
        low: if low == 0 { 0.0 } else { at(bins, scaled(low).floor().max(1.0) as u64).map_or(0.0, least) },
        high: if high > weight {
            f64::INFINITY
        } else {
            at(bins, scaled(high).ceil() as u64).map_or(f64::INFINITY, |bin| bin.up_to_us as f64)
        },
    })
}

/// The greatest place from 0 to `most` for which `holds`, which is so up to some place and no further (0 is never asked).
fn last(most: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut yes, mut no) = (0, most + 1);
    while no - yes > 1 {
        let middle = u64::midpoint(yes, no);
        if holds(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    yes
}

/// The bin of the value at a place, from 1.
fn at(bins: &[Bin], place: u64) -> Option<&Bin> {
    let mut seen = 0;
    bins.iter().find(|bin| {
        seen += bin.count;
        seen >= place
    })
}

/// Where a standard normal value lies below with this probability.
fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(hits: u64, trials: u64) -> Share {
        Share::new(hits, trials, trials).expect("there are trials")
    }

    /// A value a bin, exactly known.
    fn bins(values: impl IntoIterator<Item = u64>) -> Vec<Bin> {
        values.into_iter().map(|up_to_us| Bin { up_to_us, count: 1 }).collect()
    }

    #[test]
    fn shares_agree_with_published_intervals() {
        // Newcombe 1998a (two-sided 95 % intervals for the single proportion), table I, method 3.
        for (hits, trials, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let found = share(hits, trials).interval(0.95);
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{hits}/{trials}: {found:?}");
        }
    }

    #[test]
    fn differences_agree_with_published_intervals() {
        // Newcombe 1998b (interval estimation for the difference between independent proportions), table II, method 10.
        for (one, other, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((6, 7), (2, 7), 0.0582, 0.8062),
            ((5, 56), (0, 29), -0.0381, 0.1926),
            ((0, 10), (0, 20), -0.1611, 0.2775),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let found = difference(share(other.0, other.1), share(one.0, one.1), 0.95);
            assert!((found.low - low).abs() < 1e-4 && (found.high - high).abs() < 1e-4, "{one:?} {other:?}: {found:?}");
        }
    }

    #[test]
    fn a_median_lies_where_published_tables_place_it() {
        // David and Nagaraja, §7.1: of 10 values the 2nd and the 9th enclose the median with 97.9 %, the 3rd and 8th with 89.1 %.
        let values = bins((1..=10).map(|value| value * 100_000));
        let found = quantile_interval(&values, 0.5, 10, 0.95).expect("there are values");
        assert_eq!((found.low, found.high), (200_000.0 * 0.99 - 1.0, 900_000.0));
    }

    #[test]
    fn too_few_values_bound_a_quantile_on_one_side_only() {
        let values = bins(1..=50);
        let found = quantile_interval(&values, 0.95, 50, 0.95).expect("there are values");
        assert!(found.low > 30.0 && found.high.is_infinite(), "{found:?}"); // 0.95^50 = 7.7 %: all may lie below it
        let found = quantile_interval(&bins(1..=200), 0.95, 200, 0.95).expect("there are values");
        assert!(found.low > 170.0 && found.high < 200.0, "{found:?}");
        assert_eq!(quantile_interval(&[], 0.95, 10, 0.95), None);
    }

    #[test]
    fn values_that_depend_on_each_other_say_less() {
        let (all, few) = (Share::new(500, 1000, 1000), Share::new(500, 1000, 100));
        let width = |share: Option<Share>| share.map(|share| share.interval(0.95)).map(|found| found.high - found.low);
        assert!(width(few) > width(all));
        let values = bins(1..=1000);
        let width =
            |independent| quantile_interval(&values, 0.5, independent, 0.95).map(|found| found.high - found.low);
        assert!(width(100) > width(1000));
        assert_eq!(Share::new(0, 0, 5), None);
    }

    /// How often the interval misses the quantile of what was drawn from, over many draws: no more often than it may.
    #[test]
    fn an_interval_holds_the_quantile_as_often_as_it_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let missed = (0..1000).filter(|_| {
            let mut drawn: Vec<u64> = (0..300).map(|_| random.u64(1..=1_000_000)).collect();
            drawn.sort_unstable();
            let found = quantile_interval(&bins(drawn), 0.95, 300, 0.95).expect("there are values");
            !(found.low..=found.high).contains(&950_000.0)
        });
        let missed = missed.count();
        assert!((1..=60).contains(&missed), "{missed} of 1000");
    }
}
