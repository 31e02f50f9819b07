//! `quickeats-bench verify`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;

use super::args::VerifyArgs;
use super::{Failure, print, usage};
use crate::history::jsonl::{self, Saved};
use crate::recheck;
use crate::run_result::{Exit, RunResult, SCHEMA};
use crate::text::count;

pub(super) fn main(args: &VerifyArgs) -> Result<Exit, Failure> {
    let (result, saved) = read(&args.run).map_err(usage)?;
    let wrong = recheck::verify(&result, &saved)
        .with_context(|| format!("{}", args.run.join("history.jsonl").display()))
        .map_err(usage)?;
    let findings: usize = result.scenarios.iter().map(|scenario| scenario.findings.len()).sum();
    let operations: usize = saved.scenarios.iter().map(|(_, history)| history.operations().count()).sum();
    let derived = format!(
        "{} in {}, derived again from {}",
        count(findings as u64, "finding"),
        count(result.scenarios.len() as u64, "scenario"),
        count(operations as u64, "operation"),
    );
    if wrong.is_empty() {
        print(&format!("✓ stands: {derived}\n"))?;
        return Ok(Exit::Holds);
    }
    print(&format!("✗ does not stand: {derived}\n  {}\n", wrong.join("\n  ")))?;
    Ok(Exit::Violated)
}

/// Reads a run's folder.
pub(super) fn read(folder: &Path) -> anyhow::Result<(RunResult, Saved)> {
    let path = folder.join("run.json");
    let shown = path.display();
    if !path.exists() && folder.join("load.json").exists() {
        let folder = crate::text::harmless(&folder.display().to_string(), 200);
        anyhow::bail!(
            "{folder} is a load, and only runs of `race` are derived again number by number\n  = help: `quickeats-bench check {folder}/history.jsonl` judges again what it kept"
        );
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        anyhow::anyhow!("{shown} cannot be read: {error}\n  = help: name the folder that `race` saved its run in")
    })?;
    let raw: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("{shown} is not JSON"))?;
    if raw["schema"] != SCHEMA {
        let schema = crate::text::harmless(&raw["schema"].to_string(), 80);
        anyhow::bail!("{shown} has schema {schema}\n  = help: this version reads \"{SCHEMA}\"");
    }
    let result = serde_json::from_value(raw).with_context(|| format!("{shown} is not a run's result"))?;
    let path = folder.join("history.jsonl");
    let file = File::open(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let saved = jsonl::read(BufReader::new(file)).with_context(|| format!("{}", path.display()))?;
    Ok((result, saved))
}
