//! Several processes' loads made one: figures added up, histories joined and judged.
//!
//! ```text
//! shard 1  load.json ──┐  [shards] do they belong together?     ┌─► load.json, latency.hdr
//! shard 2  load.json ──┼► figures: sums, histograms bin by bin ─┤
//! shard 1  history ────┤                                        └─► history.jsonl (of what is violated)
//! shard 2  history ────┴► [rounds] a round at a time ──► judge
//! ```
//!
//! A resource that one shard acted on is judged as it is read. Of one that several acted on, each history has a part: these are found again
//! by their places in the files, joined on one clock, and judged one by one. So memory holds one round at a time, and the list of places.

mod rounds;
mod shards;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::RunError;
use super::book::make_folder;
use super::load::LoadRun;
use super::load::judging::{Bench, Sitting};
use super::load::save::{Limits, exit, is_silent, save};
use crate::api::Api;
use crate::check::{Severity, Verdict};
use crate::history::jsonl::ReadError;
use crate::load_result::{
    Alignment, Judged, LimitResult, LoadResult, Measured, Merged, MergedShard, PlanInfo, Rates, RequestFigures,
    Unaligned, judge_limits,
};
use crate::run_result::{Exit, TargetInfo};
use crate::seed::Seed;
use crate::source::SourceError;
use crate::text::{harmless, list};
use crate::traffic::{Part, Threshold};
use shards::{Shard, Shards};

/// What is to be merged, and how.
#[derive(Debug, Clone)]
pub struct MergeConfig {
    /// The shards' folders.
    pub folders: Vec<PathBuf>,
    /// Whether some may be missing.
    pub partial: bool,
    /// How far each machine's clock was from the true time at most; it need not be said of one machine.
    pub clock_error: Option<Duration>,
    /// Limits beside those that the shards had.
    pub thresholds: Vec<Threshold>,
    /// The folder that the merged load's own folder goes into.
    pub out: PathBuf,
}

/// Why shards cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A shard cannot be read.
    #[error("{path}: {why}\n  = help: {help}")]
    Unreadable {
        /// Its file.
        path: String,
        /// What is wrong with it.
        why: String,
        /// What to do.
        help: &'static str,
    },
    /// A shard's history cannot be read, or is not whole.
    #[error("{path}: {cause}\n  = help: a shard whose history was cut cannot be merged; leave it out with --partial")]
    History {
        /// Its file.
        path: String,
        /// What is wrong with it.
        cause: ReadError,
    },
    /// Shards that are not of one load.
    #[error("{0}")]
    Apart(String),
    /// Some are missing.
    #[error("{0} missing\n  = help: name the folders of all of them, or merge what is there with --partial")]
    Missing(String),
    /// The clocks may be apart.
    #[error("{0}\n  = help: say how far a machine's clock was from the true time at most, such as --clock-error 2ms")]
    Clocks(#[from] Unaligned),
    /// The API description in the histories.
    #[error(transparent)]
    Api(#[from] SourceError),
    /// The merged load's folder.
    #[error(transparent)]
    Report(#[from] RunError),
}

/// Merges shards of a load. What comes out is a load's result, in a folder of its own.
///
/// # Errors
/// If they do not belong together, or cannot be read. What can be said of only some of them needs `partial`.
pub fn merge(config: &MergeConfig) -> Result<LoadRun, MergeError> {
    let started_at = jiff::Timestamp::now();
    let shards = Shards::read(&config.folders, config.partial)?;
    let alignment = Alignment::of(&shards.clocks(), config.clock_error)?;
    let (measured, labels) = shards.measured(&alignment)?;
    let (folder, run_id) = make_folder(&config.out, started_at)?;
    let (judged, joint_rounds, unsaved) = match shards.api() {
        None => (None, 0, None),
        Some(source) => {
            let (judged, joint, unsaved) = judge(&shards, &alignment, source, &folder)?;
            (Some(judged), joint, unsaved)
        }
    };
    let time = shards.time(&alignment);
    let asked = limits(config, &shards)?;
    let good = judged.as_ref().map(|judged| judged.good);
    let limits = judge_limits(&asked, &measured, &labels, (time, good));
    let merged = Merged {
        of: shards.of,
        shards: shards.all.iter().map(|shard| merged_shard(shard, &shards, &alignment)).collect(),
        missing: shards.missing(),
        one_machine: alignment.one_machine(),
        widened_us: alignment.widest().as_secs_f64() * 1e6,
        joint_rounds,
    };
    let told = Told { run_id, labels, time, asked, limits, judged, merged };
    let result = result(&shards, &measured, told);
    let history = folder.join("history.jsonl");
    let unsaved = unsaved.map(|cause| RunError::Report { path: history, cause });
    let unsaved = unsaved.or_else(|| save(&result, &folder).err());
    Ok(LoadRun { result, folder, unsaved })
}

/// Judges all that the histories hold: what it comes to, how many resources several shards acted on, and what could not be saved.
fn judge(
    shards: &Shards,
    alignment: &Alignment,
    source: &str,
    folder: &std::path::Path,
) -> Result<(Judged, u64, Option<std::io::Error>), MergeError> {
    let api = Arc::new(Api::parse("history.jsonl", source)?);
    let bench = Bench {
        api,
        clients: shards.all.iter().map(|shard| shard.result.plan.clients).sum(),
        fail_on: shards.fail_on(),
        saves_all: false,
        history: folder.join("history.jsonl"),
        seed: Seed::new(shards.first().seed),
        part: Part::WHOLE,
    };
    let so_far = Mutex::default();
    let mut sitting = Sitting::open(&bench, &so_far);
    let mut doubts = shards.doubts(alignment);
    let read = rounds::read(shards, alignment, &mut |round, operations, good| sitting.judge(round, operations, good))?;
    doubts.extend(read.doubts);
    let sentence =
        sitting.close(shards.all.iter().filter_map(|shard| Some(shard.result.judged.as_ref()?.spilled)).sum(), doubts);
    Ok((sentence.judged, read.joint, sentence.unsaved))
}

/// The limits that any shard had, and those that were asked for now, each once.
fn limits(config: &MergeConfig, shards: &Shards) -> Result<Vec<Threshold>, MergeError> {
    let mut limits: Vec<Threshold> = Vec::new();
    let mut add = |limit: Threshold| {
        if !limits.iter().any(|known| known.to_string() == limit.to_string()) {
            limits.push(limit);
        }
    };
    for shard in &shards.all {
        for limit in &shard.result.thresholds {
            let parsed = limit.threshold.parse().map_err(|why| shard.unreadable(why))?;
            add(parsed);
        }
    }
    config.thresholds.iter().cloned().for_each(&mut add);
    Ok(limits)
}

fn merged_shard(shard: &Shard, shards: &Shards, alignment: &Alignment) -> MergedShard {
    MergedShard {
        index: shard.part.index + 1,
        run_id: shard.result.run_id.clone(),
        target: shard.result.target.url.clone(),
        late_ms: super::load::save::millis(shards.later(shard, alignment)),
        sent: shard.result.slots.sent,
    }
}

/// What a merged result tells beside figures.
struct Told {
    run_id: String,
    labels: Vec<Arc<str>>,
    time: Duration,
    asked: Vec<Threshold>,
    limits: Vec<LimitResult>,
    judged: Option<Judged>,
    merged: Merged,
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn result(shards: &Shards, measured: &Measured, told: Told) -> LoadResult {
    let first = shards.first();
    let (meter, all) = (&measured.meter, measured.meter.all());
    let generator = shards.generator(measured);
    let seconds = told.time.as_secs_f64();
    let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
    let good = told.judged.as_ref().map(|judged| judged.good);
    let verdict = told.judged.as_ref().map(|judged| judged.scenario.verdict);
    let results = || shards.all.iter().map(|shard| &shard.result);
    let interrupted = results().any(|result| result.interrupted);
    let is_lost = results().any(|result| result.exit_code == Exit::TargetUnusable.code()) || is_silent(meter);
    let limits = Limits::of(&told.asked, &told.limits, !generator.void.is_empty());
    let is_partial = verdict.is_none() && !told.merged.missing.is_empty();
    let exit = match exit(verdict, is_lost, limits, &meter.slots, interrupted) {
        // Of what is missing nobody knows, where nothing was judged either.
        Exit::Holds if is_partial => Exit::Inconclusive,
        exit => exit,
    };
    LoadResult {
        run_id: told.run_id,
        started_at: results().map(|result| result.started_at.clone()).min().unwrap_or_default(),
        duration_ms: results().map(|result| result.duration_ms).max().unwrap_or_default(),
        plan: plan(shards),
        target: target(shards),
        interrupted,
        stopped: stopped(shards),
        verdict,
        fail_on: shards.fail_on(),
        exit_code: exit.code(),
        rerun: None,
        measured_ms: super::load::save::millis(told.time),
        slots: meter.slots,
        warm_up: measured.warm_up.slots,
        rates: Rates {
            offered: rate(meter.slots.offered),
            answered: rate(meter.slots.answered),
            goodput: good.map(rate),
        },
        all: RequestFigures::new("all", &all),
        requests: measured.requests(&told.labels),
        status_counts: meter.statuses.clone(),
        contention: measured.contention(),
        done_after_tries: if meter.tries.iter().any(|count| *count > 0) { meter.tries.to_vec() } else { Vec::new() },
        given_up: meter.given_up,
        fairness: measured.fairness(),
        done_by_client: measured.clients.clone(),
        generator,
        seconds: measured.seconds.clone(),
        thresholds: told.limits,
        judged: told.judged,
        clock: None,
        merged: Some(told.merged),
        ..first.clone()
    }
}

/// What was asked for of all of them together.
fn plan(shards: &Shards) -> PlanInfo {
    let plans = || shards.all.iter().map(|shard| &shard.result.plan);
    PlanInfo {
        clients: plans().map(|plan| plan.clients).sum(),
        threads: plans().map(|plan| plan.threads).sum(),
        requests: plans().map(|plan| plan.requests).sum(),
        shard: None,
        ..shards.first().plan.clone()
    }
}

/// What was loaded: each server once.
fn target(shards: &Shards) -> TargetInfo {
    let mut urls: Vec<&str> = Vec::new();
    for shard in &shards.all {
        if !urls.contains(&shard.result.target.url.as_str()) {
            urls.push(&shard.result.target.url);
        }
    }
    TargetInfo { url: urls.join(", "), ..shards.first().target.clone() }
}

fn stopped(shards: &Shards) -> Option<String> {
    let told = |shard: &Shard| Some(format!("{}: {}", shard.name(), harmless(shard.result.stopped.as_ref()?, 400)));
    let all: Vec<String> = shards.all.iter().filter_map(told).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// `shard 3/4`, `shards 1/4 and 3/4`.
fn named(indices: &[u32], of: u32) -> String {
    let names: Vec<String> = indices.iter().map(|index| format!("{index}/{of}")).collect();
    format!("{} {}", if names.len() == 1 { "shard" } else { "shards" }, list(&names))
}

impl Shards {
    /// The severity from which on a finding fails the load: the least that any shard had.
    fn fail_on(&self) -> Severity {
        self.all.iter().map(|shard| shard.result.fail_on).min().unwrap_or(Severity::Violation)
    }

    /// Why what the joined histories show may not be all.
    fn doubts(&self, alignment: &Alignment) -> Vec<String> {
        let mut doubts = Vec::new();
        let missing = self.missing();
        if !missing.is_empty() {
            doubts.push(format!(
                "{} missing: resources that all shards act on were not judged, since what the missing ones did to them is not known",
                named(&missing, self.of)
            ));
        }
        if !self.were_together(alignment) {
            doubts.push("the shards were not under way together: they cannot have been in each other's way".to_owned());
        }
        for shard in &self.all {
            let lost = shard.result.verdict == Some(Verdict::Inconclusive) && shard.result.interrupted;
            doubts.extend(lost.then(|| format!("{} was interrupted", shard.name())));
        }
        doubts
    }
}
