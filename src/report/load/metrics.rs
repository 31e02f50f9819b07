//! A load under way as Prometheus reads it, in the text format of `OpenMetrics`.
//!
//! ```text
//! quickeats_load_answers_total{status="412"} 812
//! quickeats_load_from_intended_seconds_bucket{le="0.05"} 41022
//! ```
//!
//! Counts are since the warm-up. The page is made once a second; between, it is the same.

use std::fmt;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::load_result::Snapshot;
use crate::measure::Spans;

/// What a page is, for `Content-Type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets, in seconds.
const BUCKETS: [f64; 17] =
    [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    kind: &'static str,
    severity: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Limited {
    threshold: String,
}

/// The page of a load that is at `snapshot`.
pub fn page(snapshot: &Snapshot) -> String {
    let mut registry = Registry::with_prefix("quickeats_load");
    slots(&mut registry, snapshot);
    times(&mut registry, snapshot);
    judged(&mut registry, snapshot);
    standing(&mut registry, snapshot);
    let mut page = String::new();
    encode(&mut page, &registry).expect("a string can be written to");
    page
}

fn counted(registry: &mut Registry, name: &str, help: &str, count: u64) {
    let counter: Counter = Counter::default();
    counter.inc_by(count);
    registry.register(name, help, counter);
}

fn measured(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn slots(registry: &mut Registry, snapshot: &Snapshot) {
    let slots = &snapshot.slots;
    counted(registry, "offered", "Requests that were to be sent", slots.offered);
    counted(registry, "sent", "Requests that were begun", slots.sent);
    counted(registry, "dropped", "Requests that could not begin in time", slots.dropped);
    counted(registry, "answered", "Requests that were answered", slots.answered);
    counted(registry, "failed", "Requests of which no byte left", slots.failed);
    counted(registry, "unknown", "Requests that may have taken effect", slots.unknown);
    counted(registry, "warm_up_offered", "Requests that were to be sent during the warm-up", snapshot.warm_up.offered);
    counted(registry, "conditional", "Requests that were conditional on a version token", snapshot.conditional);
    counted(registry, "stale", "Conditional requests that were refused as stale", snapshot.stale);
    let answers = Family::<Answered, Counter>::default();
    for (status, count) in &snapshot.statuses {
        answers.get_or_create(&Answered { status: *status }).inc_by(*count);
    }
    registry.register("answers", "Answers by status", answers);
}

fn times(registry: &mut Registry, snapshot: &Snapshot) {
    let mut of = |name: &str, help: &str, spans: &Spans| {
        registry.register_with_unit(name, help, Unit::Seconds, Times::of(spans));
    };
    of("from_intended", "From when a request was meant to begin to the end of its answer", &snapshot.from_intended);
    of("from_actual", "From when a request began to the end of its answer", &snapshot.from_actual);
    of("lag", "How late the threads of the load were", &snapshot.lag);
}

fn judged(registry: &mut Registry, snapshot: &Snapshot) {
    let Some(judged) = &snapshot.judged else { return };
    counted(registry, "judged_operations", "Operations that were judged", judged.operations);
    counted(registry, "judged_resources", "Resources whose history was judged", judged.rounds);
    counted(registry, "correct_operations", "Operations that did what they asked for on lawful resources", judged.good);
    counted(registry, "tainted_operations", "Operations on resources with a violation", judged.tainted);
    counted(registry, "violated_resources", "Resources with a violation", judged.violated);
    counted(registry, "spilled_operations", "Operations that had to wait for the judge in a file", judged.spilled);
    let found = Family::<Found, Gauge>::default();
    for kind in &judged.kinds {
        found.get_or_create(&Found { kind: kind.name(), severity: kind.severity().to_string() }).set(1);
    }
    registry.register("finding", "1 for each kind of finding so far", found);
}

fn standing(registry: &mut Registry, snapshot: &Snapshot) {
    measured(registry, "elapsed_seconds", "How long the load has lasted", snapshot.elapsed.as_secs_f64());
    if let Some(total) = snapshot.total {
        measured(registry, "planned_seconds", "How long it is to last", total.as_secs_f64());
    }
    let crossed = Family::<Limited, Gauge>::default();
    for limit in &snapshot.thresholds {
        let is_crossed = i64::from(limit.crossed && limit.measured.is_some());
        crossed.get_or_create(&Limited { threshold: limit.threshold.clone() }).set(is_crossed);
    }
    registry.register("threshold_crossed", "1 where the threshold is crossed at the moment", crossed);
}

/// A histogram of times in seconds that were counted elsewhere.
struct Times {
    sum: f64,
    count: u64,
    buckets: Vec<(f64, u64)>,
}

impl Times {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn of(spans: &Spans) -> Self {
        let mut buckets: Vec<(f64, u64)> = BUCKETS.iter().chain([&f64::INFINITY]).map(|bound| (*bound, 0)).collect();
        for (span, count) in spans.bins() {
            // A bin is told by the longest time in it: it is at most 0.1 % longer than what was counted.
            let place = buckets.iter().position(|(bound, _)| span.as_secs_f64() <= *bound);
            buckets[place.expect("the last bound has no end")].1 += count;
        }
        let count = spans.count();
        Self { sum: spans.mean().as_secs_f64() * count as f64, count, buckets }
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times").field("count", &self.count).finish_non_exhaustive()
    }
}

impl EncodeMetric for Times {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<NoLabelSet>(self.sum, self.count, &self.buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Kind;
    use crate::load_result::{JudgedSoFar, LimitResult};
    use crate::measure::Slots;

    #[test]
    fn all_that_is_known_of_a_load_is_on_the_page() {
        let mut snapshot = Snapshot {
            elapsed: Duration::from_secs(3),
            slots: Slots { offered: 12, sent: 10, dropped: 2, answered: 9, failed: 0, unknown: 1 },
            statuses: [(200, 8), (412, 1)].into(),
            judged: Some(JudgedSoFar { good: 6, violated: 1, kinds: vec![Kind::LostUpdate], ..JudgedSoFar::default() }),
            thresholds: vec![LimitResult {
                threshold: "p95<1ms".to_owned(),
                measured: Some(0.002),
                shown: "2 ms".to_owned(),
                crossed: true,
            }],
            ..Snapshot::default()
        };
        for ms in [1, 2, 30] {
            snapshot.from_intended.record(Duration::from_millis(ms));
        }
        snapshot.from_intended.record(Duration::from_mins(2));
        let page = page(&snapshot);
        for line in [
            "quickeats_load_offered_total 12",
            "quickeats_load_dropped_total 2",
            "quickeats_load_unknown_total 1",
            "quickeats_load_answers_total{status=\"412\"} 1",
            "quickeats_load_correct_operations_total 6",
            "quickeats_load_violated_resources_total 1",
            "quickeats_load_finding{kind=\"lost-update\",severity=\"violation\"} 1",
            "quickeats_load_threshold_crossed{threshold=\"p95<1ms\"} 1",
            "quickeats_load_elapsed_seconds 3.0",
            "# TYPE quickeats_load_from_intended_seconds histogram",
            "quickeats_load_from_intended_seconds_bucket{le=\"0.0025\"} 2",
            "quickeats_load_from_intended_seconds_bucket{le=\"60.0\"} 3",
            "quickeats_load_from_intended_seconds_bucket{le=\"+Inf\"} 4",
            "quickeats_load_from_intended_seconds_count 4",
            "# EOF",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
