//! What a load comes to, and its folder: `load.json`, `latency.hdr` beside the history.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::collect::{Collector, Stopped};
use super::judging::Sentence;
use super::{LoadConfig, LoadRun, RunError, Subject, TargetChoice, describe};
use crate::check::Verdict;
use crate::load_result::{
    ClockInfo, Judged, LimitResult, LoadResult, PlanInfo, Rates, RequestFigures, SCHEMA, Shard, Times,
};
use crate::measure::{Meter, Slots};
use crate::run_result::{Exit, TargetInfo, TargetKind};
use crate::traffic::{Part, Threshold};

/// What a result says beside what was measured and judged.
pub(super) struct Facts {
    pub(super) run_id: String,
    pub(super) started_at: jiff::Timestamp,
    pub(super) url: String,
    pub(super) traffic: String,
    pub(super) interrupted: bool,
    /// Where it is one of several processes.
    pub(super) clock: Option<ClockInfo>,
    pub(super) joint: Option<String>,
}

/// Puts the result together, and saves it.
pub(super) fn conclude(
    config: &LoadConfig,
    subject: &Subject,
    collector: &Collector<'_>,
    sentence: Option<Sentence>,
    facts: Facts,
    folder: PathBuf,
) -> LoadRun {
    let (judged, unsaved) = sentence.map_or((None, None), |sentence| (Some(sentence.judged), sentence.unsaved));
    let result = result(config, subject, collector, judged, facts);
    let history = folder.join("history.jsonl");
    let unsaved =
        unsaved.map(|cause| RunError::Report { path: history, cause }).or_else(|| save(&result, &folder).err());
    LoadRun { result, folder, unsaved }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn result(
    config: &LoadConfig,
    subject: &Subject,
    collector: &Collector<'_>,
    judged: Option<Judged>,
    facts: Facts,
) -> LoadResult {
    let measured = &collector.measured;
    let time = collector.time();
    let good = judged.as_ref().map(|judged| judged.good);
    let thresholds = collector.limits(good);
    let (meter, generator) = (&measured.meter, measured.generator());
    let all = meter.all();
    let seconds = time.as_secs_f64();
    let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    let verdict = judged.as_ref().map(|judged| judged.scenario.verdict);
    let broken = matches!(collector.stopped, Some(Stopped::BrokeDown(_)));
    // Of what nobody saw to its end nobody knows.
    let verdict = if broken && verdict != Some(Verdict::Violated) { Some(Verdict::Inconclusive) } else { verdict };
    let is_lost = matches!(collector.stopped, Some(Stopped::TargetLost(_))) || is_silent(meter);
    let mut limits = Limits::of(&config.thresholds, &thresholds, !generator.void.is_empty());
    limits.crossed |= matches!(collector.stopped, Some(Stopped::Limit(_)));
    let exit = exit(verdict, is_lost, limits, &meter.slots, facts.interrupted);
    LoadResult {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: facts.run_id,
        duration_ms: millis(jiff::Timestamp::now().duration_since(facts.started_at).unsigned_abs()),
        started_at: facts.started_at.to_string(),
        seed: config.seed.value(),
        plan: plan_info(config, subject, facts.traffic, facts.joint),
        target: target_info(config, facts.url),
        interrupted: facts.interrupted,
        stopped: collector.stopped.as_ref().map(Stopped::why),
        verdict,
        fail_on: config.fail_on,
        exit_code: exit.code(),
        rerun: Some(config.rerun.clone()),
        measured_ms: millis(time),
        slots: meter.slots,
        warm_up: measured.warm_up.slots,
        rates: Rates {
            offered: rate(meter.slots.offered),
            answered: rate(meter.slots.answered),
            goodput: good.map(rate),
        },
        all: RequestFigures::new("all", &all),
        requests: measured.requests(collector.labels()),
        status_counts: meter.statuses.clone(),
        contention: measured.contention(),
        done_after_tries: if meter.tries.iter().any(|count| *count > 0) { meter.tries.to_vec() } else { Vec::new() },
        given_up: meter.given_up,
        fairness: measured.fairness(),
        done_by_client: measured.clients.clone(),
        generator,
        seconds: measured.seconds.clone(),
        thresholds,
        judged,
        clock: facts.clock,
        merged: None,
    }
}

/// Whether nothing that was sent was answered at all.
pub(in crate::run) fn is_silent(meter: &Meter) -> bool {
    meter.slots.sent > 0 && meter.statuses.is_empty()
}

/// What limits come to.
#[derive(Debug, Clone, Copy)]
pub(in crate::run) struct Limits {
    /// One that can be believed is crossed.
    crossed: bool,
    /// One is about times that tell of the load and not of its target: whether it is kept nobody knows.
    void: bool,
}

impl Limits {
    /// Of what was asked for, and what came of each.
    pub(in crate::run) fn of(asked: &[Threshold], judged: &[LimitResult], is_void: bool) -> Self {
        let is_unknown = |limit: &Threshold| is_void && limit.metric.is_time();
        let mut believed = asked.iter().zip(judged).filter(|(asked, _)| !is_unknown(asked));
        Self { crossed: believed.any(|(_, limit)| limit.crossed), void: asked.iter().any(is_unknown) }
    }
}

/// The exit code: a violation outranks a target that is gone, that a doubt, and that a limit.
pub(in crate::run) fn exit(
    verdict: Option<Verdict>,
    is_lost: bool,
    limits: Limits,
    slots: &Slots,
    interrupted: bool,
) -> Exit {
    match verdict {
        _ if interrupted => Exit::Interrupted,
        Some(Verdict::Violated) => Exit::Violated,
        _ if is_lost => Exit::TargetUnusable,
        Some(Verdict::Inconclusive) => Exit::Inconclusive,
        _ if slots.offered == 0 => Exit::Inconclusive,
        _ if limits.crossed => Exit::Threshold,
        _ if limits.void => Exit::Inconclusive,
        Some(Verdict::Holds) | None => Exit::Holds,
    }
}

fn plan_info(config: &LoadConfig, subject: &Subject, traffic: String, joint: Option<String>) -> PlanInfo {
    let (api, hot_share) = match subject {
        Subject::Traffic(plan) => (Some(plan.api.name.to_string()), plan.hot.share),
        Subject::Plain(_) => (None, 0.0),
    };
    PlanInfo {
        api,
        traffic,
        shape: config.shape.clone(),
        clients: config.clients,
        threads: config.threads,
        duration_ms: config.duration.map(millis),
        requests: config.requests,
        warm_up_ms: millis(config.warm_up),
        timeout_ms: millis(config.timeout),
        hot_share,
        shard: (config.part != Part::WHOLE).then(|| Shard { index: config.part.index + 1, of: config.part.of }),
        start_at: config.start_at.map(|start_at| start_at.to_string()),
        joint,
    }
}

fn target_info(config: &LoadConfig, url: String) -> TargetInfo {
    match &config.target {
        TargetChoice::InProcess(service) => TargetInfo {
            url,
            kind: TargetKind::InProcess,
            defect: service.defect.map(|defect| defect.name().to_owned()),
            service: Some(describe(service)),
        },
        TargetChoice::Remote { .. } => TargetInfo { url, kind: TargetKind::Remote, defect: None, service: None },
    }
}

pub(in crate::run) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Writes `load.json` and `latency.hdr`.
pub(in crate::run) fn save(result: &LoadResult, folder: &Path) -> Result<(), RunError> {
    let written = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|cause: io::Error| RunError::Report { path, cause })
    };
    let mut json = serde_json::to_vec_pretty(result).expect("a result is plain data");
    json.push(b'\n');
    written("latency.hdr", log(result).as_bytes())?;
    written("load.json", &json)
}

/// The histograms as a log of `HdrHistogram` (format 1.3): one line for each kind of request, from both starts, over all that was
/// measured. Values are nanoseconds; the fourth column, the longest, is in milliseconds, as the log's readers take it.
fn log(result: &LoadResult) -> String {
    use std::fmt::Write as _;
    let mut log = format!("#[Histogram log format version 1.3]\n#[quickeats-bench {}]\n", result.tool_version);
    log.push_str("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n");
    let (begin, length) = (millis_as_seconds(result.plan.warm_up_ms), millis_as_seconds(result.measured_ms));
    let tag = |name: &str, view: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' };
        format!("{}-from-{view}", name.chars().map(plain).collect::<String>())
    };
    for figures in std::iter::once(&result.all).chain(&result.requests) {
        for (view, times) in [("intended", &figures.from_intended), ("actual", &figures.from_actual)] {
            let Times { max_us, histogram, .. } = times;
            let (tag, longest) = (tag(&figures.name, view), max_us / 1e3);
            let _ = writeln!(log, "Tag={tag},{begin:.3},{length:.3},{longest:.6},{histogram}");
        }
    }
    log
}

#[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 ms")]
fn millis_as_seconds(millis: u64) -> f64 {
    millis as f64 / 1e3
}
