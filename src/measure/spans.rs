//! Durations by how often they came: an HDR histogram in nanoseconds, which adds up without loss.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use statrs::distribution::{ContinuousCDF, Normal};

/// Longer than this is kept as this (an hour).
const LONGEST_NS: u64 = 3_600_000_000_000;
/// Kept to this many significant digits: a value is at most 0.1 % off.
const DIGITS: u8 = 3;

/// Durations by how often they came.
///
/// ```
/// use std::time::Duration;
/// use quickeats_bench::measure::Spans;
/// let mut spans = Spans::default();
/// (1..=1_000).for_each(|ms| spans.record(Duration::from_millis(ms)));
/// assert_eq!(spans.at(0.5).as_millis(), 500);
/// ```
#[derive(Debug, Clone)]
pub struct Spans(Histogram<u64>);

/// What is not a histogram in V2 format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an HDR histogram in compressed V2 format, in Base64")]
pub struct NotSpans;

impl Default for Spans {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).expect("these bounds are valid"))
    }
}

impl PartialEq for Spans {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Spans {
    /// Counts one.
    pub fn record(&mut self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos.max(1));
    }

    /// Adds all of `other`: exactly, since all are kept in the same bins.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("all have the same bounds");
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The longest; zero if there is none.
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }

    /// The mean; zero if there is none.
    pub fn mean(&self) -> Duration {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and an hour")]
        Duration::from_nanos(self.0.mean().max(0.0) as u64)
    }

    /// The least duration that this share of all does not exceed; zero if there is none.
    pub fn at(&self, share: f64) -> Duration {
        if self.0.is_empty() {
            return Duration::ZERO;
        }
        Duration::from_nanos(self.0.value_at_quantile(share).min(self.0.max()))
    }

    /// Between which two durations [`Self::at`] lies, at this confidence, if these are independent draws: two of the recorded
    /// ones, whose places among all follow from the binomial distribution (David and Nagaraja, Order Statistics, 2003, §7.1), here
    /// in its normal approximation. `None` where a bound lies beyond what was recorded: there are too few.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn interval(&self, share: f64, confidence: f64) -> Option<(Duration, Duration)> {
        let count = self.0.len() as f64;
        let z = Normal::standard().inverse_cdf(f64::midpoint(1.0, confidence));
        let (place, spread) = (count * share, z * (count * share * (1.0 - share)).sqrt());
        let (low, high) = ((place - spread).floor() - 1.0, (place + spread).ceil() + 1.0);
        if count < 1.0 || low < 1.0 || high > count {
            return None;
        }
        Some((self.at(low / count), self.at(high / count)))
    }

    /// The bins that hold any, from short to long: up to which duration, and how many.
    pub fn bins(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.0.iter_recorded().map(|bin| (Duration::from_nanos(bin.value_iterated_to()), bin.count_at_value()))
    }

    /// All of it as text: the compressed V2 encoding of `HdrHistogram`, in Base64, as its logs carry it.
    pub fn encoded(&self) -> String {
        let mut bytes = Vec::new();
        V2DeflateSerializer::new().serialize(&self.0, &mut bytes).expect("memory takes all that is written");
        STANDARD.encode(bytes)
    }

    /// What [`Self::encoded`] made, or another tool: kept in bins of the same width.
    ///
    /// # Errors
    /// If it is none.
    pub fn decoded(text: &str) -> Result<Self, NotSpans> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotSpans)?;
        let read: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).map_err(|_| NotSpans)?;
        let mut spans = Self::default();
        spans.0.add(&read).map_err(|_| NotSpans)?;
        Ok(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn drawn(label: &str, count: usize) -> Vec<Duration> {
        let mut dice = Seed::new(7).child(label).dice();
        (0..count).map(|_| Duration::from_nanos(1 + dice.below(50_000_000) as u64)).collect()
    }

    fn of(spans: &[Duration]) -> Spans {
        let mut all = Spans::default();
        for span in spans {
            all.record(*span);
        }
        all
    }

    #[test]
    fn a_quantile_is_within_a_thousandth_of_the_true_one() {
        let mut drawn = drawn("quantiles", 10_000);
        let spans = of(&drawn);
        drawn.sort_unstable();
        for (share, place) in [(0.5, 4_999), (0.9, 8_999), (0.99, 9_899), (0.999, 9_989), (1.0, 9_999)] {
            let (found, truth) = (spans.at(share).as_secs_f64(), drawn[place].as_secs_f64());
            assert!((found / truth - 1.0).abs() <= 0.001, "{share}: {found} for {truth}");
        }
        assert_eq!(spans.longest(), spans.at(1.0));
    }

    #[test]
    fn parts_add_up_to_the_whole_exactly() {
        let drawn = drawn("parts", 1_000);
        let mut sum = of(&drawn[..300]);
        sum.add(&of(&drawn[300..]));
        assert_eq!(sum, of(&drawn));
    }

    #[test]
    fn what_is_saved_reads_back_as_it_was_and_garbage_is_refused() {
        let spans = of(&drawn("saved", 500));
        assert_eq!(Spans::decoded(&spans.encoded()), Ok(spans));
        for garbage in ["", "x", "HISTFAAA", "AAAA", &STANDARD.encode([0x1c, 0x84, 0x93, 0x14, 0xff, 0xff, 0xff, 0xff])]
        {
            assert_eq!(Spans::decoded(garbage), Err(NotSpans), "{garbage}");
        }
    }

    #[test]
    fn an_interval_covers_the_true_quantile_as_often_as_it_says() {
        let truth = Duration::from_millis(45);
        let covering = (0..400).filter(|run| {
            let (low, high) = of(&drawn(&format!("run {run}"), 2_000)).interval(0.9, 0.95).unwrap();
            low <= truth && truth <= high
        });
        let covering = covering.count();
        assert!((370..=400).contains(&covering), "{covering} of 400");
    }

    #[test]
    fn few_values_have_no_interval_and_no_values_no_quantile() {
        assert_eq!(of(&drawn("few", 50)).interval(0.99, 0.95), None);
        assert_eq!(Spans::default().at(0.5), Duration::ZERO);
    }
}
