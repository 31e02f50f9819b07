//! Limits, held against what was measured.

use std::sync::Arc;
use std::time::Duration;

use super::{LimitResult, Measured};
use crate::measure::Figures;
use crate::traffic::{Metric, Threshold};

/// Fewer requests than this do not cross a limit while a load is under way.
const FEWEST: u64 = 100;

/// Holds `limits` against what was measured in `time`; `good` is how many operations were correct, where that was judged.
pub fn judge_limits(
    limits: &[Threshold],
    measured: &Measured,
    labels: &[Arc<str>],
    (time, good): (Duration, Option<u64>),
) -> Vec<LimitResult> {
    let seconds = time.as_secs_f64();
    let judge = |limit: &Threshold| {
        let value = value(limit, measured, labels, seconds, good);
        LimitResult {
            threshold: limit.to_string(),
            measured: value,
            shown: value.map_or_else(|| "not measured".to_owned(), |value| limit.metric.show(value)),
            crossed: value.is_none_or(|value| !limit.side.holds(value, limit.limit)),
        }
    };
    limits.iter().map(judge).collect()
}

impl Measured {
    /// Whether enough was measured to say that a limit is crossed while the load is under way.
    pub fn tells_enough(&self) -> bool {
        self.meter.slots.offered >= FEWEST
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn value(limit: &Threshold, measured: &Measured, labels: &[Arc<str>], seconds: f64, good: Option<u64>) -> Option<f64> {
    let figures: Figures = match &limit.label {
        None => measured.meter.all(),
        Some(name) => {
            let place = labels.iter().position(|label| **label == **name)?;
            (**measured.meter.by_label.get(place)?.as_ref()?).clone()
        }
    };
    let per_second = |count: u64| (seconds > 0.0).then(|| count as f64 / seconds);
    let times = &figures.from_intended;
    let of_times = |value: Duration| (times.count() > 0).then_some(value.as_secs_f64());
    match limit.metric {
        Metric::Quantile(share) => of_times(times.at(share)),
        Metric::Longest => of_times(times.longest()),
        Metric::Mean => of_times(times.mean()),
        Metric::Rate412 => figures.rate_412(),
        Metric::ErrorRate => figures.error_rate(),
        Metric::DroppedRate => {
            let slots = measured.meter.slots;
            (slots.offered > 0).then(|| slots.dropped as f64 / slots.offered as f64)
        }
        Metric::Throughput => per_second(figures.answered),
        Metric::Goodput => per_second(good?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Ended, Meter, Sample};

    fn measured() -> Measured {
        let mut meter = Meter::default();
        for millis in 1..=100 {
            let span = Duration::from_millis(millis);
            meter.record(&Sample {
                label: usize::from(millis > 90),
                from_intended: span,
                from_actual: span,
                ended: if millis == 100 { Ended::Unknown } else { Ended::Answered },
                is_error: millis == 100,
                timed_out: millis == 100,
                status: (millis < 100).then_some(200),
                achieved: millis < 100,
                conditional: millis <= 10,
                stale: millis <= 2,
                abreast: 1,
            });
        }
        Measured { meter, ..Measured::default() }
    }

    #[test]
    fn limits_are_held_against_what_they_are_about() {
        let labels = ["read".into(), "payment".into()];
        for (typed, shown, crossed) in [
            ("p50<51ms", "50", false),
            ("p50<50ms", "50", true),
            ("payment.p50<90ms", "9", true),
            ("rate_412<0.2", "20.00 %", true),
            ("rate_412<=0.2", "20.00 %", false),
            ("error_rate<1%", "1.00 %", true),
            ("payment.error_rate<=10%", "10.00 %", false),
            ("dropped_rate<1%", "0.00 %", false),
            ("throughput>9/s", "10/s", false),
            ("goodput>5/s", "4/s", true),
            ("payment.rate_412<0.5", "not measured", true),
        ] {
            let limit: Threshold = typed.parse().unwrap();
            let judged = judge_limits(&[limit], &measured(), &labels, (Duration::from_secs(10), Some(40)));
            assert!(judged[0].shown.contains(shown), "{typed}: {:?}", judged[0]);
            assert_eq!(judged[0].crossed, crossed, "{typed}: {:?}", judged[0]);
        }
    }
}
