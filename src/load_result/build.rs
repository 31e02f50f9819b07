//! From meters to figures.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Contention, Fairness, Generator, Percentile, RequestFigures, Times};
use crate::measure::{Figures, Meter, Spans, fairness};

/// The percentiles that are told.
pub const PERCENTILES: [f64; 8] = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0];
/// The confidence of their intervals.
const CONFIDENCE: f64 = 0.95;
/// More steps than this are not told apart in time: two become one then.
const MOST_SECONDS: usize = 600;
/// A generator that is later than this in 1 % of cases has something else to do than to measure.
pub const MOST_LAG: Duration = Duration::from_millis(5);
/// And one that works more than this share of its time makes its requests wait for each other.
const MOST_BUSY: f64 = 0.97;

/// All that was measured so far.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// After the warm-up.
    pub meter: Meter,
    /// During it.
    pub warm_up: Meter,
    /// How late threads were.
    pub lag: Spans,
    /// Step by step.
    pub seconds: Vec<Second>,
    /// How many seconds a step has.
    pub step: u64,
    /// What each client got done.
    pub clients: Vec<u64>,
    /// The share of its time that the busiest thread was at work.
    pub busiest: Option<f64>,
}

/// What happened in one second, or in one of a few seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Second {
    /// When it began, in seconds since the load did.
    pub at: u64,
    /// How many seconds it stands for.
    pub of: u64,
    /// Requests that were to be sent.
    pub offered: u64,
    /// Requests that could not begin in time.
    pub dropped: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were not, or with 5xx.
    pub errors: u64,
    /// Requests that were refused as stale.
    pub stale: u64,
    /// The median from when requests were meant to begin, in microseconds; the largest of its seconds.
    pub p50_us: u64,
    /// The 99th percentile of the same.
    pub p99_us: u64,
    /// Resources with a violation that were judged in it.
    pub violated: u64,
    /// Whether it was part of the warm-up.
    pub is_warm_up: bool,
}

impl Measured {
    /// Adds what one thread measured in the second that began `at`.
    pub fn add(&mut self, at: u64, measured: &Meter, warm_up: &Meter, lag: &Spans) {
        self.meter.add(measured);
        self.warm_up.add(warm_up);
        self.lag.add(lag);
        let (all, before) = (measured.all(), warm_up.all());
        let mut times = all.from_intended.clone();
        times.add(&before.from_intended);
        let micros = |share: f64| u64::try_from(times.at(share).as_micros()).unwrap_or(u64::MAX);
        let slots = [measured.slots, warm_up.slots];
        let sum = |of: fn(&crate::measure::Slots) -> u64| slots.iter().map(of).sum::<u64>();
        let second = Second {
            at,
            of: 1,
            offered: sum(|slots| slots.offered),
            dropped: sum(|slots| slots.dropped),
            answered: sum(|slots| slots.answered),
            errors: sum(|slots| slots.failed + slots.unknown),
            stale: all.stale + before.stale,
            p50_us: micros(0.5),
            p99_us: micros(0.99),
            violated: 0,
            is_warm_up: measured.slots.offered == 0 && warm_up.slots.offered > 0,
        };
        self.join_second(&second);
    }

    /// Counts resources with a violation that were judged in a second.
    pub fn violated(&mut self, at: u64, count: u64) {
        self.second(at).violated += count;
    }

    /// Adds what happened in one second, or in one of a few seconds: of a thread, or of another process.
    pub(super) fn join_second(&mut self, other: &Second) {
        self.step = self.step.max(1);
        while self.step < other.of {
            self.double_the_step();
        }
        let own = self.second(other.at);
        let (at, of) = (own.at, own.of);
        *own = Second { at, of, ..own.joined(other) };
    }

    fn double_the_step(&mut self) {
        self.step = self.step.saturating_mul(2);
        let pairs = self.seconds.chunks(2);
        self.seconds = pairs.map(|pair| pair.iter().skip(1).fold(pair[0], |one, other| one.joined(other))).collect();
        // The last of an odd number stands for two as well.
        let step = self.step;
        self.seconds.iter_mut().for_each(|second| second.of = step);
    }

    fn second(&mut self, at: u64) -> &mut Second {
        self.step = self.step.max(1);
        while usize::try_from(at / self.step).unwrap_or(usize::MAX) >= MOST_SECONDS {
            self.double_the_step();
        }
        let (step, index) = (self.step, usize::try_from(at / self.step).unwrap_or(MOST_SECONDS - 1));
        while self.seconds.len() <= index {
            let at = self.seconds.len() as u64 * step;
            self.seconds.push(Second { at, of: step, ..Second::default() });
        }
        &mut self.seconds[index]
    }

    /// Figures of each kind of request that was sent.
    pub fn requests(&self, labels: &[std::sync::Arc<str>]) -> Vec<RequestFigures> {
        let named = |(figures, label): (&Option<Box<Figures>>, &std::sync::Arc<str>)| {
            figures.as_deref().map(|figures| RequestFigures::new(label, figures))
        };
        self.meter.by_label.iter().zip(labels).filter_map(named).collect()
    }

    /// The 412 rate over the requests under way for a resource.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub fn contention(&self) -> Vec<Contention> {
        let told = self.meter.abreast.iter().zip(1..).filter(|(refusals, _)| refusals.conditional > 0);
        told.map(|(refusals, abreast)| Contention {
            abreast,
            conditional: refusals.conditional,
            stale: refusals.stale,
            rate_412: refusals.stale as f64 / refusals.conditional as f64,
        })
        .collect()
    }

    /// How evenly clients were served.
    pub fn fairness(&self) -> Option<Fairness> {
        let jain = fairness(&self.clients)?;
        Some(Fairness { jain, least: *self.clients.iter().min()?, most: *self.clients.iter().max()? })
    }

    /// Whether the load kept up, and if not, why its times are void.
    pub fn generator(&self) -> Generator {
        let mut void = Vec::new();
        let late = self.lag.at(0.99);
        if late > MOST_LAG {
            let (late, longest) = (shown(late), shown(self.lag.longest()));
            void.push(format!(
                "the load itself was late: by {late} or more in 1 % of cases, by {longest} at most; it needs more of the machine, or less to do"
            ));
        }
        if let Some(busiest) = self.busiest.filter(|busiest| *busiest > MOST_BUSY) {
            void.push(format!(
                "a thread of the load was busy {:.0} % of its time: requests waited for each other, not for the target alone; give it \
                 more --threads or fewer clients, or fix a --rate",
                busiest * 100.0
            ));
        }
        Generator { lag: Times::new(&self.lag), busiest: self.busiest, void }
    }
}

impl Second {
    fn joined(&self, other: &Self) -> Self {
        Self {
            at: self.at,
            of: if self.at == other.at { self.of.max(other.of) } else { self.of + other.of },
            offered: self.offered + other.offered,
            dropped: self.dropped + other.dropped,
            answered: self.answered + other.answered,
            errors: self.errors + other.errors,
            stale: self.stale + other.stale,
            p50_us: self.p50_us.max(other.p50_us),
            p99_us: self.p99_us.max(other.p99_us),
            violated: self.violated + other.violated,
            is_warm_up: self.is_warm_up || other.is_warm_up,
        }
    }
}

fn shown(span: Duration) -> String {
    crate::text::micros(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
}

impl RequestFigures {
    /// Figures of the requests called `name`.
    pub fn new(name: &str, figures: &Figures) -> Self {
        Self {
            name: name.to_owned(),
            sent: figures.sent,
            answered: figures.answered,
            achieved: figures.achieved,
            failed: figures.failed,
            unknown: figures.unknown,
            errors: figures.errors,
            timed_out: figures.timed_out,
            conditional: figures.conditional,
            stale: figures.stale,
            rate_412: figures.rate_412(),
            error_rate: figures.error_rate(),
            from_intended: Times::new(&figures.from_intended),
            from_actual: Times::new(&figures.from_actual),
        }
    }
}

impl Times {
    /// All that is told of these.
    pub fn new(spans: &Spans) -> Self {
        let micros = |span: Duration| span.as_secs_f64() * 1e6;
        let percentile = |percent: f64| Percentile {
            percent,
            us: micros(spans.at(percent / 100.0)),
            interval_us: spans.interval(percent / 100.0, CONFIDENCE).map(|(low, high)| (micros(low), micros(high))),
        };
        Self {
            count: spans.count(),
            mean_us: micros(spans.mean()),
            max_us: micros(spans.longest()),
            percentiles: if spans.count() == 0 { Vec::new() } else { PERCENTILES.map(percentile).to_vec() },
            histogram: spans.encoded(),
        }
    }

    /// A percentile, in microseconds; `None` without any.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        self.percentiles.iter().find(|one| (one.percent - percent).abs() < 1e-9).map(|one| one.us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::{Ended, Sample};

    fn meter(count: u64) -> Meter {
        let mut meter = Meter::default();
        let span = Duration::from_millis(2);
        for _ in 0..count {
            meter.record(&Sample {
                label: 0,
                from_intended: span,
                from_actual: span,
                ended: Ended::Answered,
                is_error: false,
                timed_out: false,
                status: Some(200),
                achieved: true,
                conditional: false,
                stale: false,
                abreast: 0,
            });
        }
        meter
    }

    #[test]
    fn a_long_load_is_told_in_longer_steps_and_nothing_is_lost() {
        let mut measured = Measured::default();
        for at in 0..2_000 {
            measured.add(at, &meter(1), &Meter::default(), &Spans::default());
            measured.add(at, &meter(2), &Meter::default(), &Spans::default());
        }
        assert!(measured.seconds.len() <= MOST_SECONDS && measured.step == 4);
        assert_eq!(measured.seconds.iter().map(|second| second.answered).sum::<u64>(), 6_000);
        assert!(measured.seconds.iter().zip(0..).all(|(second, index)| second.at == index * 4 && second.of == 4));
    }

    #[test]
    fn a_late_or_busy_generator_voids_its_times() {
        let mut measured = Measured { busiest: Some(0.5), ..Measured::default() };
        (0..1_000).for_each(|_| measured.lag.record(Duration::from_micros(100)));
        assert!(measured.generator().void.is_empty());
        (0..20).for_each(|_| measured.lag.record(Duration::from_millis(80)));
        let void = measured.generator().void;
        assert!(void[0].contains("80") && void[0].contains("late"), "{void:?}");
        let busy = Measured { busiest: Some(0.99), ..Measured::default() };
        assert!(busy.generator().void[0].contains("busy 99 %"));
    }
}
