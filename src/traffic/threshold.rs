//! Limits on what a load measures: `p95<50ms`, `payment.rate_412<0.2`, `goodput>1000/s`.

use std::fmt;
use std::str::FromStr;

use super::file::parse_percent;
use crate::text::parse_duration;

/// A limit, and of what.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// The kind of request that it is about; `None` is all of them.
    pub label: Option<String>,
    /// What is measured.
    pub metric: Metric,
    /// On which side of the limit it must stay.
    pub side: Side,
    /// The limit, in the metric's unit.
    pub limit: f64,
    written: String,
}

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// The time that this share of requests did not exceed, from when they were meant to begin, in seconds.
    Quantile(f64),
    /// The longest such time, in seconds.
    Longest,
    /// The mean of such times, in seconds.
    Mean,
    /// The share of conditional requests that were refused as stale.
    Rate412,
    /// The share of requests that were not answered, or with 5xx.
    ErrorRate,
    /// The share of requests that could not begin in time.
    DroppedRate,
    /// Answers in a second.
    Throughput,
    /// Correct operations in a second.
    Goodput,
}

/// On which side of the limit a value must stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `<`.
    Below,
    /// `<=`.
    NotAbove,
    /// `>`.
    Above,
    /// `>=`.
    NotBelow,
}

impl Side {
    /// Whether `value` stays on it.
    pub const fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Below => value < limit,
            Self::NotAbove => value <= limit,
            Self::Above => value > limit,
            Self::NotBelow => value >= limit,
        }
    }
}

impl Metric {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "max" => Self::Longest,
            "mean" => Self::Mean,
            "rate_412" => Self::Rate412,
            "error_rate" => Self::ErrorRate,
            "dropped_rate" => Self::DroppedRate,
            "throughput" => Self::Throughput,
            "goodput" => Self::Goodput,
            _ => {
                let percent: f64 = word.strip_prefix('p')?.parse().ok()?;
                // Rounded, so that 99.9 % is 0.999 and nothing beside it.
                (0.0 < percent && percent < 100.0).then_some(Self::Quantile((percent * 1e6).round() / 1e8))?
            }
        })
    }

    /// Whether it is a time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Quantile(_) | Self::Longest | Self::Mean)
    }

    const fn is_of_all(self) -> bool {
        matches!(self, Self::DroppedRate | Self::Goodput)
    }

    fn value(self, typed: &str) -> Result<f64, String> {
        match self {
            Self::Quantile(_) | Self::Longest | Self::Mean => Ok(parse_duration(typed)?.as_secs_f64()),
            Self::Rate412 | Self::ErrorRate | Self::DroppedRate => parse_percent(typed),
            Self::Throughput | Self::Goodput => match typed.strip_suffix("/s").unwrap_or(typed).trim().parse::<f64>() {
                Ok(rate) if rate.is_finite() && rate >= 0.0 => Ok(rate),
                Ok(_) | Err(_) => Err(format!("`{typed}` is not a rate, such as 1000/s")),
            },
        }
    }

    /// A value of it, for people.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Quantile(_) | Self::Longest | Self::Mean =>
            {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time is not negative")]
                crate::text::micros((value * 1e6).round() as u64)
            }
            Self::Rate412 | Self::ErrorRate | Self::DroppedRate => format!("{:.2} %", value * 100.0),
            Self::Throughput | Self::Goodput => format!("{value:.0}/s"),
        }
    }
}

/// What can be limited, for help texts and errors.
pub const METRICS: &str = "p50, p95, p99.9 …, max, mean (of times), rate_412, error_rate, dropped_rate (shares), throughput, goodput (in a second)";

impl FromStr for Threshold {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let expected =
            || format!("write it as METRIC<LIMIT or ACTION.METRIC<LIMIT, such as p95<50ms; metrics are {METRICS}");
        let at = typed.find(['<', '>']).ok_or_else(expected)?;
        let (name, rest) = (typed[..at].trim(), &typed[at..]);
        let (side, rest) = [("<=", Side::NotAbove), (">=", Side::NotBelow), ("<", Side::Below), (">", Side::Above)]
            .into_iter()
            .find_map(|(sign, side)| Some((side, rest.strip_prefix(sign)?)))
            .ok_or_else(expected)?;
        let (label, metric) = match Metric::parse(name) {
            Some(metric) => (None, metric),
            // A metric may have a dot of its own: p99.9.
            None => (name.match_indices('.'))
                .find_map(|(dot, _)| Some((Some(name[..dot].to_owned()), Metric::parse(&name[dot + 1..])?)))
                .ok_or_else(|| {
                    format!("there is no metric `{}`; metrics are {METRICS}", crate::text::harmless(name, 60))
                })?,
        };
        if label.is_some() && metric.is_of_all() {
            return Err(format!("`{name}` cannot be told for one kind of request: leave out what is before the dot"));
        }
        let limit = metric.value(rest.trim())?;
        Ok(Self { label, metric, side, limit, written: typed.trim().to_owned() })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_of_what_and_on_which_side() {
        for (typed, label, metric, side, limit) in [
            ("p95<50ms", None, Metric::Quantile(0.95), Side::Below, 0.05),
            ("p99.9 <= 1s", None, Metric::Quantile(0.999), Side::NotAbove, 1.0),
            ("payment.p99.9<80ms", Some("payment"), Metric::Quantile(0.999), Side::Below, 0.08),
            ("preparation-complete.max<2s", Some("preparation-complete"), Metric::Longest, Side::Below, 2.0),
            ("rate_412<0.2", None, Metric::Rate412, Side::Below, 0.2),
            ("error_rate<0.1%", None, Metric::ErrorRate, Side::Below, 0.001),
            ("goodput>1000/s", None, Metric::Goodput, Side::Above, 1_000.0),
            (
                "GET /api/v2/orders?limit=20.p95<5ms",
                Some("GET /api/v2/orders?limit=20"),
                Metric::Quantile(0.95),
                Side::Below,
                0.005,
            ),
        ] {
            let found: Threshold = typed.parse().unwrap_or_else(|error| panic!("{typed}: {error}"));
            assert_eq!((found.label.as_deref(), found.metric, found.side), (label, metric, side), "{typed}");
            assert!((found.limit - limit).abs() < 1e-12, "{typed}: {}", found.limit);
            assert_eq!(found.to_string(), typed);
        }
    }

    #[test]
    fn what_is_no_limit_says_how_one_is_written() {
        for (typed, expected) in [
            ("", "p95<50ms"),
            ("p95", "p95<50ms"),
            ("p95=50ms", "p95<50ms"),
            ("p100<5ms", "no metric `p100`"),
            ("speed<5ms", "no metric `speed`"),
            ("p95<50", "a number and a unit"),
            ("rate_412<2", "percentage"),
            ("goodput>fast", "not a rate"),
            ("payment.goodput>5/s", "cannot be told for one kind"),
        ] {
            let error = typed.parse::<Threshold>().unwrap_err();
            assert!(error.contains(expected), "{typed}: {error}");
        }
    }
}
