//! Saved runs: their `run.json`, read from disk.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow, bail};

use crate::run_result::{RunResult, SCHEMA};
use crate::text::harmless;

/// A larger file is no run's result.
const LARGEST: u64 = 256 << 20;

/// Reads a run: its folder, or the file itself.
pub(super) fn read(run: &Path) -> anyhow::Result<RunResult> {
    let path = if run.is_dir() { run.join("run.json") } else { run.to_owned() };
    let shown = harmless(&path.display().to_string(), 200);
    let help = "name the folder that `race` saved its run in, or the run.json there";
    let facts = fs::metadata(&path).map_err(|error| anyhow!("{shown} cannot be read: {error}\n  = help: {help}"))?;
    if !facts.is_file() {
        bail!("{shown} is not a file\n  = help: {help}");
    }
    if facts.len() > LARGEST {
        bail!("{shown} has {} bytes, and at most {LARGEST} are read", facts.len());
    }
    let text =
        fs::read_to_string(&path).map_err(|error| anyhow!("{shown} cannot be read: {error}\n  = help: {help}"))?;
    let raw: serde_json::Value = serde_json::from_str(&text)
        .with_context(|| format!("{shown} is not JSON, so it is no run's result\n  = help: {help}"))?;
    if raw["schema"] != SCHEMA {
        let schema = if raw["schema"].is_null() { "none".to_owned() } else { harmless(&raw["schema"].to_string(), 80) };
        bail!("{shown} has schema {schema}\n  = help: this version reads \"{SCHEMA}\"; {help}");
    }
    serde_json::from_value(raw)
        .map_err(|error| anyhow!("{shown} is not a run's result: {}", harmless(&error.to_string(), 400)))
}
