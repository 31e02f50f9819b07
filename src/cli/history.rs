//! `quickeats-bench history`: the runs and loads that were saved in a folder. (What one of them recorded, its `history.jsonl`, is `check`'s.)

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::args::Format;
use super::args::compare::HistoryArgs;
use super::race::terminal;
use super::saved::SavedRun;
use super::{Failure, print, print_exactly, saved, usage};
use crate::report::Listed;
use crate::run_result::Exit;
use crate::text::harmless;

/// What is listed.
#[derive(Debug, Serialize)]
struct Listing {
    /// The runs, the last first.
    runs: Vec<Listed>,
    /// How many there are, also those that `--limit` leaves out.
    count: usize,
    /// Folders that hold no run that can be read, and why not.
    unreadable: Vec<Unreadable>,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    folder: String,
    why: String,
}

pub(super) fn main(args: &HistoryArgs) -> Result<Exit, Failure> {
    let listing = list(&args.folder, args.limit).map_err(usage)?;
    match args.format {
        Format::Table => {
            let unreadable: Vec<String> =
                listing.unreadable.iter().map(|one| format!("{} cannot be read: {}", one.folder, one.why)).collect();
            let folder = harmless(&args.folder.display().to_string(), 200);
            print(&terminal().render_runs(&folder, &listing.runs, listing.count, &unreadable, jiff::Timestamp::now()))?;
        }
        Format::Json => print_exactly(&crate::text::json(&listing))?,
    }
    Ok(Exit::Holds)
}

fn list(folder: &Path, limit: Option<u32>) -> anyhow::Result<Listing> {
    let shown = harmless(&folder.display().to_string(), 200);
    let entries = fs::read_dir(folder).map_err(|error| {
        anyhow!("{shown} cannot be read: {error}\n  = help: name the folder that `race` and `load` save their runs in (--out)")
    })?;
    let mut folders: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("{shown} cannot be read"))?.path();
        if path.is_dir() && ["run.json", "load.json", "history.jsonl"].iter().any(|name| path.join(name).exists()) {
            folders.push(path);
        }
    }
    let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
    for path in folders {
        match saved::read_any(&path) {
            Ok(result) => runs.push((started(&result), listed(&path, &result))),
            Err(error) => unreadable
                .push(Unreadable { folder: harmless(&path.display().to_string(), 200), why: first_line(&error) }),
        }
    }
    runs.sort_by(|(one, first), (other, second)| other.cmp(one).then_with(|| second.folder.cmp(&first.folder)));
    unreadable.sort_by(|one, other| one.folder.cmp(&other.folder));
    let count = runs.len();
    let most = limit.map_or(usize::MAX, |limit| limit as usize);
    Ok(Listing { runs: runs.into_iter().take(most).map(|(_, run)| run).collect(), count, unreadable })
}

fn listed(path: &Path, result: &SavedRun) -> Listed {
    match result {
        SavedRun::Race(result) => Listed::new(path, result),
        SavedRun::Load(result) => Listed::of_load(path, result),
    }
}

/// When a run started; long ago, if that cannot be told.
fn started(result: &SavedRun) -> jiff::Timestamp {
    result.started_at().parse().unwrap_or(jiff::Timestamp::MIN)
}

fn first_line(error: &anyhow::Error) -> String {
    format!("{error:#}").lines().next().unwrap_or_default().to_owned()
}
