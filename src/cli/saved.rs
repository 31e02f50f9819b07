//! Saved runs and loads: their `run.json` or `load.json`, read from disk.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::load_result::{self, LoadResult};
use crate::report::Renderer;
use crate::run_result::{RunResult, SCHEMA};
use crate::text::harmless;

/// A larger file is no run's result.
const LARGEST: u64 = 256 << 20;

/// What a folder holds.
#[derive(Debug)]
pub(super) enum SavedRun {
    /// What `race` saved.
    Race(Box<RunResult>),
    /// What `load` saved.
    Load(Box<LoadResult>),
}

impl SavedRun {
    pub(super) fn render(&self, renderer: &dyn Renderer) -> String {
        match self {
            Self::Race(result) => renderer.render(result),
            Self::Load(result) => renderer.render_load(result),
        }
    }

    pub(super) const fn exit_code(&self) -> u8 {
        match self {
            Self::Race(result) => result.exit_code,
            Self::Load(result) => result.exit_code,
        }
    }

    pub(super) fn started_at(&self) -> &str {
        match self {
            Self::Race(result) => &result.started_at,
            Self::Load(result) => &result.started_at,
        }
    }

    /// The file that the result itself is in.
    pub(super) const fn file_name(&self) -> &'static str {
        match self {
            Self::Race(_) => "run.json",
            Self::Load(_) => "load.json",
        }
    }
}

/// Reads a run: its folder, or the file itself.
pub(super) fn read(run: &Path) -> anyhow::Result<RunResult> {
    match read_any(run)? {
        SavedRun::Race(result) => Ok(*result),
        SavedRun::Load(_) => {
            let shown = harmless(&run.display().to_string(), 200);
            bail!("{shown} is a load, and this is about races\n  = help: `report` and `history` show loads, too")
        }
    }
}

/// Reads a run or a load: its folder, or the file itself.
pub(super) fn read_any(run: &Path) -> anyhow::Result<SavedRun> {
    let path = file(run);
    let shown = harmless(&path.display().to_string(), 200);
    let help = "name the folder that `race` or `load` saved its run in, or the run.json or load.json there";
    let facts = fs::metadata(&path).map_err(|error| anyhow!("{shown} cannot be read: {error}\n  = help: {help}"))?;
    if !facts.is_file() {
        bail!("{shown} is not a file\n  = help: {help}");
    }
    if facts.len() > LARGEST {
        bail!("{shown} has {} bytes, and at most {LARGEST} are read", facts.len());
    }
    let text =
        fs::read_to_string(&path).map_err(|error| anyhow!("{shown} cannot be read: {error}\n  = help: {help}"))?;
    let raw: Value = serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not JSON, so it is no run's result\n  = help: {help}"))?;
    if raw["schema"] == SCHEMA {
        Ok(SavedRun::Race(Box::new(parsed(raw, &shown)?)))
    } else if raw["schema"] == load_result::SCHEMA {
        Ok(SavedRun::Load(Box::new(parsed(raw, &shown)?)))
    } else {
        let schema = if raw["schema"].is_null() { "none".to_owned() } else { harmless(&raw["schema"].to_string(), 80) };
        bail!(
            "{shown} has schema {schema}\n  = help: this version reads \"{SCHEMA}\" and \"{}\"; {help}",
            load_result::SCHEMA
        );
    }
}

/// The file of a folder: a load has no `run.json`.
fn file(run: &Path) -> PathBuf {
    if !run.is_dir() {
        return run.to_owned();
    }
    let (race, load) = (run.join("run.json"), run.join("load.json"));
    if !race.exists() && load.exists() { load } else { race }
}

fn parsed<R: DeserializeOwned>(raw: Value, shown: &str) -> anyhow::Result<R> {
    serde_json::from_value(raw)
        .map_err(|error| anyhow!("{shown} is not a run's result: {}", harmless(&error.to_string(), 400)))
}
