//! The shards of a load, read from their folders: whether they are of one load, and what they measured together.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{MergeError, named};
use crate::clock::Stamp;
use crate::load_result::{Alignment, ClockInfo, Generator, LoadResult, Measured, PlanInfo, SCHEMA};
use crate::text::harmless;
use crate::traffic::Part;

/// A larger file is no load's result.
const LARGEST: u64 = 256 << 20;
const HELP: &str = "name the folder that `load --shard` saved, or the load.json there";

/// One process's part of a load.
pub(super) struct Shard {
    pub(super) part: Part,
    pub(super) result: LoadResult,
    /// Its history, where its answers were judged.
    pub(super) history: PathBuf,
    clock: ClockInfo,
    file: String,
}

/// The shards that are there, in order of their index: at least one.
pub(super) struct Shards {
    pub(super) all: Vec<Shard>,
    /// How many there should be.
    pub(super) of: u32,
    /// The API description that all histories hold.
    api: Option<String>,
}

impl Shard {
    fn read(folder: &Path) -> Result<Self, MergeError> {
        let path = if folder.is_dir() { folder.join("load.json") } else { folder.to_owned() };
        let file = harmless(&path.display().to_string(), 200);
        let wrong = |why: String| MergeError::Unreadable { path: file.clone(), why, help: HELP };
        if !path.exists() && folder.join("run.json").exists() {
            return Err(wrong("there is none: the folder is that of a race, which is not merged".to_owned()));
        }
        let facts = fs::metadata(&path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if !facts.is_file() || facts.len() > LARGEST {
            return Err(wrong("it is no file, or too large for a load's result".to_owned()));
        }
        let text = fs::read_to_string(&path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        let raw: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
        if raw["schema"] != SCHEMA {
            let schema = harmless(&raw["schema"].to_string(), 80);
            return Err(wrong(format!("it has schema {schema}, and this version merges \"{SCHEMA}\"")));
        }
        let result: LoadResult = serde_json::from_value(raw)
            .map_err(|error| wrong(format!("it is no load's result: {}", harmless(&error.to_string(), 400))))?;
        let shard = result.plan.shard.ok_or_else(|| wrong("it is a whole load, and no shard of one".to_owned()))?;
        let part = Part { index: shard.index.wrapping_sub(1), of: shard.of };
        if part.index >= part.of {
            return Err(wrong(format!("there is no shard {}/{}", shard.index, shard.of)));
        }
        let clock = result.clock.clone().ok_or_else(|| wrong("it does not tell when its clock began".to_owned()))?;
        let history = path.with_file_name("history.jsonl");
        Ok(Self { part, result, history, clock, file })
    }

    /// `shard 2/4`.
    pub(super) fn name(&self) -> String {
        named(&[self.part.index + 1], self.part.of)
    }

    pub(super) const fn clock(&self) -> &ClockInfo {
        &self.clock
    }

    pub(super) fn unreadable(&self, why: String) -> MergeError {
        MergeError::Unreadable { path: self.file.clone(), why, help: HELP }
    }

    /// From when to when it was under way, by its own clock.
    fn under_way(&self) -> (Stamp, Stamp) {
        let begin = self.clock.begin_ns;
        let millis = self.result.plan.warm_up_ms.saturating_add(self.result.measured_ms);
        (Stamp::from_nanos(begin), Stamp::from_nanos(begin.saturating_add(millis.saturating_mul(1_000_000))))
    }
}

impl Shards {
    /// Reads them, and looks whether they are of one load.
    pub(super) fn read(folders: &[PathBuf], is_partial: bool) -> Result<Self, MergeError> {
        let mut all = folders.iter().map(|folder| Shard::read(folder)).collect::<Result<Vec<_>, _>>()?;
        all.sort_by_key(|shard| shard.part.index);
        let Some(first) = all.first() else { return Err(MergeError::Apart("there is nothing to merge".to_owned())) };
        for shard in &all[1..] {
            belong_together(first, shard)?;
        }
        if let Some(pair) = all.windows(2).find(|pair| pair[0].part == pair[1].part) {
            let (name, one, other) = (pair[0].name(), &pair[0].file, &pair[1].file);
            return Err(MergeError::Apart(format!(
                "{one} and {other} are both {name}: each is merged once\n  = help: leave one of them out"
            )));
        }
        let shards = Self { of: first.part.of, all, api: None };
        let missing = shards.missing();
        if !missing.is_empty() && !is_partial {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            return Err(MergeError::Missing(format!("{} {verb}", named(&missing, shards.of))));
        }
        let api = super::rounds::api(&shards)?;
        Ok(Self { api, ..shards })
    }

    /// The first of those that are there.
    pub(super) fn first(&self) -> &LoadResult {
        &self.all[0].result
    }

    /// Which are not there, from 1.
    pub(super) fn missing(&self) -> Vec<u32> {
        (1..=self.of).filter(|index| self.all.iter().all(|shard| shard.part.index + 1 != *index)).collect()
    }

    pub(super) fn clocks(&self) -> Vec<&ClockInfo> {
        self.all.iter().map(|shard| &shard.clock).collect()
    }

    /// The API description that all histories hold; `None` where nothing was judged.
    pub(super) fn api(&self) -> Option<&str> {
        self.api.as_deref()
    }

    /// What they measured, and what kinds of request are called.
    pub(super) fn measured(&self, alignment: &Alignment) -> Result<(Measured, Vec<Arc<str>>), MergeError> {
        let (mut sum, mut labels) = (Measured::default(), Vec::new());
        for shard in &self.all {
            let measured =
                Measured::of(&shard.result, &mut labels).map_err(|error| shard.unreadable(error.to_string()))?;
            sum.join(&measured, self.later(shard, alignment).as_secs());
        }
        Ok((sum, labels))
    }

    /// How much later than the first of them a shard began.
    pub(super) fn later(&self, shard: &Shard, alignment: &Alignment) -> Duration {
        let own = self.all.iter().zip(self.spans(alignment)).find(|(one, _)| one.part == shard.part);
        let first = self.spans(alignment).into_iter().map(|(begin, _)| begin).min();
        own.zip(first).map_or(Duration::ZERO, |((_, (begin, _)), first)| begin.since(first))
    }

    /// How long was measured: from when the first of them was warm until the last was done.
    pub(super) fn time(&self, alignment: &Alignment) -> Duration {
        let spans = self.spans(alignment);
        let begin = spans.iter().map(|(begin, _)| *begin).min().unwrap_or_default();
        let end = spans.iter().map(|(_, end)| *end).max().unwrap_or_default();
        end.since(begin).saturating_sub(Duration::from_millis(self.first().plan.warm_up_ms))
    }

    /// Whether there was a moment at which all of them were under way.
    pub(super) fn were_together(&self, alignment: &Alignment) -> bool {
        let spans = self.spans(alignment);
        let (begin, end) = (spans.iter().map(|(begin, _)| *begin).max(), spans.iter().map(|(_, end)| *end).min());
        begin <= end
    }

    /// From when to when each was under way, on one clock.
    fn spans(&self, alignment: &Alignment) -> Vec<(Stamp, Stamp)> {
        let place = |(index, shard): (usize, &Shard)| {
            let (begin, end) = shard.under_way();
            (alignment.at(index, begin), alignment.at(index, end))
        };
        self.all.iter().enumerate().map(place).collect()
    }

    /// Whether they kept up: where one of them did not, its times are void, and so are the sums.
    pub(super) fn generator(&self, measured: &Measured) -> Generator {
        let void = |shard: &Shard| {
            let name = shard.name();
            shard
                .result
                .generator
                .void
                .iter()
                .map(move |why| format!("{name}: {}", harmless(why, 400)))
                .collect::<Vec<_>>()
        };
        Generator { void: self.all.iter().flat_map(void).collect(), ..measured.generator() }
    }
}

/// What of two shards must be the same.
fn belong_together(first: &Shard, other: &Shard) -> Result<(), MergeError> {
    let differs = |what: &str, one: String, another: String| {
        let (one, another) = (harmless(&one, 200), harmless(&another, 200));
        Err(MergeError::Apart(format!(
            "{} and {} are not of one load: {what} is {one} there, and {another} here\n  = help: merge shards that were started with the same \
             words, but for --shard and --target",
            first.file, other.file
        )))
    };
    let told = |plan: &PlanInfo| {
        let optional = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let shape = serde_json::to_string(&plan.shape).expect("a shape is plain data");
        [
            ("the API", optional(&plan.api)),
            ("the traffic", plan.traffic.clone()),
            ("the shape", shape),
            ("--duration", format!("{:?} ms", plan.duration_ms)),
            ("--warm-up", format!("{} ms", plan.warm_up_ms)),
            ("--timeout", format!("{} ms", plan.timeout_ms)),
            ("--hot", plan.hot_share.to_string()),
            ("--start-at", optional(&plan.start_at)),
            ("what all of them act on", optional(&plan.joint)),
        ]
    };
    let (one, another) = (&first.result, &other.result);
    if first.part.of != other.part.of {
        return differs("the number of shards", first.part.of.to_string(), other.part.of.to_string());
    }
    if one.tool_version != another.tool_version {
        return differs("the tool's version", one.tool_version.clone(), another.tool_version.clone());
    }
    if one.seed != another.seed {
        return differs("--seed", one.seed.to_string(), another.seed.to_string());
    }
    for ((what, own), (_, theirs)) in told(&one.plan).into_iter().zip(told(&another.plan)) {
        if own != theirs {
            return differs(what, own, theirs);
        }
    }
    if one.judged.is_some() != another.judged.is_some() {
        return differs("what was judged", told_judged(one), told_judged(another));
    }
    Ok(())
}

fn told_judged(result: &LoadResult) -> String {
    if result.judged.is_some() { "every answer".to_owned() } else { "nothing".to_owned() }
}
