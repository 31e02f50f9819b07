//! Adding up what the threads of a load tell, once a second: for the observer, for limits that end a load, and for its result.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::judging::Judge;
use super::{LoadConfig, nanos};
use crate::clock::{Clock, Stamp};
use crate::load::{Interval, Told};
use crate::load_result::{JudgedSoFar, LoadEvent, LoadObserver, Measured, Snapshot, judge_limits};
use crate::measure::Meter;
use crate::race::Stop;
use crate::traffic::Shape;

/// A target that answered nothing for so long, though it was asked, is gone: the load ends.
const SILENCE: Duration = Duration::from_secs(5);
/// The same of one that was silent when the load ended.
const SILENT_AT_THE_END: Duration = Duration::from_secs(2);
/// An interval comes in so much after the second it is about is over.
const SLACK: Duration = Duration::from_millis(250);

/// What the threads of a load told.
pub(super) struct Collector<'a> {
    config: &'a LoadConfig,
    labels: Arc<[Arc<str>]>,
    begin: Stamp,
    clock: Clock,
    pub(super) measured: Measured,
    /// When the last client had no more turns.
    pub(super) ended: Option<Stamp>,
    /// Why the load ended before its time.
    pub(super) stopped: Option<Stopped>,
    /// By thread: when it first told how long it was at work, and the last time.
    at_work: BTreeMap<u32, [(Stamp, Duration); 2]>,
    /// The end of the last second in which anything was answered, and how many requests came to nothing since.
    heard: (Stamp, u64),
    violated: u64,
    told: usize,
}

/// Why a load ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stopped {
    Violated,
    Limit(String),
    TargetLost(Duration),
    /// Something of the load itself did not go on: what it was to do nobody did.
    BrokeDown(String),
}

impl Stopped {
    pub(super) fn why(&self) -> String {
        match self {
            Self::Violated => "a violation was proven (--stop-on violated)".to_owned(),
            Self::Limit(limit) => format!("{limit} was crossed (--abort-on-fail)"),
            Self::TargetLost(silence) => format!("the target answered nothing for the last {} s", silence.as_secs()),
            Self::BrokeDown(why) => why.clone(),
        }
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(config: &'a LoadConfig, labels: Arc<[Arc<str>]>, begin: Stamp, clock: Clock) -> Self {
        let (measured, at_work) = (Measured::default(), BTreeMap::new());
        let heard = (begin, 0);
        Self {
            config,
            labels,
            begin,
            clock,
            measured,
            ended: None,
            stopped: None,
            at_work,
            heard,
            violated: 0,
            told: 0,
        }
    }

    /// Listens until all threads have ended.
    pub(super) async fn listen(
        &mut self,
        hears: &mut UnboundedReceiver<Told>,
        judge: Option<&Judge>,
        observer: &dyn LoadObserver,
        (stop, halt): (&Stop, &Stop),
    ) {
        let mut second = 1;
        loop {
            let due = Stamp::from_nanos(self.begin.nanos() + second * 1_000_000_000 + nanos(SLACK));
            tokio::select! {
                biased;
                told = hears.recv() => match told {
                    None => break,
                    Some(Told::Interval(interval)) => self.take(&interval),
                    Some(Told::Ended { at, achieved }) => {
                        self.ended = self.ended.max(Some(at));
                        self.measured.clients.extend(achieved);
                    }
                },
                () = stop.asked(), if !halt.is_asked() => halt.ask(),
                () = tokio::time::sleep(due.since(self.clock.now())) => {
                    self.look(second, judge, observer, halt);
                    second += 1;
                }
            }
        }
        self.measured.busiest = self.busiest();
        let silence = self.ended.and_then(|ended| self.silence(ended)).filter(|silence| *silence >= SILENT_AT_THE_END);
        if let (None, Some(silence), false) = (&self.stopped, silence, stop.is_asked()) {
            self.stopped = Some(Stopped::TargetLost(silence));
        }
        if let Some(judge) = judge {
            self.hear_judge(second, &judge.so_far(), observer);
        }
    }

    /// Something of the load itself did not go on. The first of such things is told.
    pub(super) fn broke_down(&mut self, why: String) {
        if !matches!(self.stopped, Some(Stopped::BrokeDown(_))) {
            self.stopped = Some(Stopped::BrokeDown(why));
        }
    }

    /// How long was measured; while it goes on, until the threads last told what they measured.
    pub(super) fn time(&self) -> Duration {
        let from = Stamp::from_nanos(self.begin.nanos() + nanos(self.config.warm_up));
        let told = || self.at_work.values().map(|[_, last]| last.0).max();
        self.ended.or_else(told).unwrap_or(from).since(from)
    }

    fn take(&mut self, interval: &Interval) {
        // It ends at the second's end or a little later.
        let second = interval.until.since(self.begin).saturating_sub(SLACK).as_secs();
        self.measured.add(second, &interval.measured, &interval.warm_up, &interval.lag);
        let meters = [&interval.measured, &interval.warm_up];
        let nothing = |meter: &&Meter| meter.slots.failed + meter.slots.unknown + meter.slots.dropped;
        self.heard = if meters.iter().any(|meter| !meter.statuses.is_empty()) {
            (self.heard.0.max(interval.until), 0)
        } else {
            (self.heard.0, self.heard.1 + meters.iter().map(nothing).sum::<u64>())
        };
        let now = (interval.until, interval.cpu);
        self.at_work.entry(interval.thread).or_insert([now, now])[1] = now;
    }

    fn busiest(&self) -> Option<f64> {
        let shares = self.at_work.values().filter_map(|[first, last]| {
            let time = last.0.since(first.0);
            (!last.1.is_zero() && time >= Duration::from_millis(900))
                .then(|| last.1.saturating_sub(first.1).as_secs_f64() / time.as_secs_f64())
        });
        shares.max_by(f64::total_cmp)
    }

    /// A second is over: tells the observer, and ends the load if there is a reason to.
    fn look(&mut self, second: u64, judge: Option<&Judge>, observer: &dyn LoadObserver, halt: &Stop) {
        let so_far = judge.map(Judge::so_far);
        if let Some(so_far) = &so_far {
            self.hear_judge(second - 1, so_far, observer);
        }
        let snapshot = self.snapshot(second, so_far);
        observer.on(&LoadEvent::Second(&snapshot));
        if halt.is_asked() || self.ended.is_some() {
            return;
        }
        if let Some(why) = self.reason_to_stop(&snapshot) {
            observer.on(&LoadEvent::Stopping(&why.why()));
            self.stopped = Some(why);
            halt.ask();
        }
    }

    fn hear_judge(&mut self, second: u64, so_far: &JudgedSoFar, observer: &dyn LoadObserver) {
        self.measured.violated(second, so_far.violated - self.violated);
        self.violated = so_far.violated;
        for (kind, sentence) in &so_far.sentences[self.told..] {
            observer.on(&LoadEvent::Found { kind: *kind, sentence });
        }
        self.told = so_far.sentences.len();
    }

    fn reason_to_stop(&self, snapshot: &Snapshot) -> Option<Stopped> {
        if self.config.stop_on_violated && snapshot.judged.as_ref().is_some_and(|judged| judged.violated > 0) {
            return Some(Stopped::Violated);
        }
        // Times that are void are no reason: they tell of the load.
        let is_void = !self.measured.generator().void.is_empty();
        let believed = self.config.thresholds.iter().zip(&snapshot.thresholds);
        let crossed = believed
            .filter(|(asked, _)| !(is_void && asked.metric.is_time()))
            .map(|(_, limit)| limit)
            .find(|limit| limit.crossed && limit.measured.is_some());
        if let (true, true, Some(limit)) = (self.config.abort_on_fail, self.measured.tells_enough(), crossed) {
            return Some(Stopped::Limit(format!("{} ({})", limit.threshold, limit.shown)));
        }
        self.silence(self.clock.now()).filter(|silence| *silence >= SILENCE).map(Stopped::TargetLost)
    }

    /// How long the target has answered nothing at `now`, though it was asked.
    fn silence(&self, now: Stamp) -> Option<Duration> {
        let (heard, came_to_nothing) = self.heard;
        (came_to_nothing > 0).then(|| now.since(heard))
    }

    fn snapshot(&self, second: u64, judged: Option<JudgedSoFar>) -> Snapshot {
        let (meter, time) = (&self.measured.meter, self.time());
        let all = meter.all();
        // What is not judged yet may come to be correct: nobody is stopped for it.
        let good = judged.as_ref().map(|judged| all.achieved.saturating_sub(judged.spoilt));
        let total = match &self.config.shape {
            Shape::Closed => self.config.duration,
            open @ Shape::Open { .. } => open.duration(),
        };
        let last = self.measured.seconds.iter().rfind(|one| one.at < second);
        Snapshot {
            elapsed: self.clock.now().since(self.begin),
            total,
            last: last.copied().unwrap_or_default(),
            slots: meter.slots,
            warm_up: self.measured.warm_up.slots,
            statuses: meter.statuses.clone(),
            conditional: all.conditional,
            stale: all.stale,
            from_intended: all.from_intended,
            from_actual: all.from_actual,
            lag: self.measured.lag.clone(),
            thresholds: judge_limits(&self.config.thresholds, &self.measured, &self.labels, (time, good)),
            judged,
        }
    }

    /// The limits, at the end.
    pub(super) fn limits(&self, good: Option<u64>) -> Vec<crate::load_result::LimitResult> {
        judge_limits(&self.config.thresholds, &self.measured, &self.labels, (self.time(), good))
    }

    pub(super) fn labels(&self) -> &[Arc<str>] {
        &self.labels
    }
}
