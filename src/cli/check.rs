//! `quickeats-bench check`.

use std::fs;
use std::num::NonZero;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::args::check::{CheckArgs, InputFormat, InputModel};
use super::args::{FailOn, Format};
use super::race::{exit_of, terminal};
use super::{Failure, print, print_exactly, usage};
use crate::check::linear::Budget;
use crate::check::{RecordedModel, Verdict, judge_recorded};
use crate::check_result::{CheckResult, FileFormat, ModelName, PartResult, SCHEMA};
use crate::clock::Clock;
use crate::history::foreign::{self, Recorded};
use crate::history::jsonl;
use crate::recheck::rejudge;
use crate::run_result::Exit;
use crate::text::harmless;

/// How long the search may take, unless told otherwise.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most states that the search of one resource may remember: somewhat more than a gigabyte.
const MOST_STATES: u64 = 10_000_000;
/// A file larger than this is not read.
const LARGEST: u64 = 4 << 30;

pub(super) fn main(args: &CheckArgs) -> Result<Exit, Failure> {
    let result = check(args).map_err(usage)?;
    match args.output {
        Format::Table => print(&terminal().render_check(&result))?,
        Format::Json => print_exactly(&crate::text::json(&result))?,
    }
    Ok(exit_of(result.exit_code))
}

fn check(args: &CheckArgs) -> anyhow::Result<CheckResult> {
    let file = harmless(&args.file.display().to_string(), 200);
    let text = read(args, &file)?;
    let format = match args.format {
        InputFormat::History => FileFormat::History,
        InputFormat::Etcd => FileFormat::Etcd,
        InputFormat::Edn => FileFormat::Edn,
        InputFormat::Auto => recognised(&text).ok_or_else(|| {
            anyhow!(
                "{file}:1: expected a history: its first line begins like none that is known\n  = help: name its format with --format history, etcd or edn"
            )
        })?,
    };
    let model = match (format, args.model) {
        (FileFormat::History, None | Some(InputModel::Order)) => ModelName::Order,
        (FileFormat::Etcd, None) | (FileFormat::Etcd | FileFormat::Edn, Some(InputModel::Register)) => {
            ModelName::Register
        }
        (FileFormat::Edn, None | Some(InputModel::Kv)) => ModelName::Kv,
        (FileFormat::History, Some(_)) => bail!("--model: a history of race is judged by the API description in it"),
        (FileFormat::Etcd | FileFormat::Edn, Some(InputModel::Order)) => {
            bail!("--model order: {file} has no API description; it can be held against register or kv")
        }
        (FileFormat::Etcd, Some(InputModel::Kv)) => bail!("--model kv: a log in this format has no keys"),
    };
    let clock = Clock::start();
    let mut result = match (format, model) {
        (FileFormat::Etcd, _) => recorded(args, &file, &foreign::jepsen_log::read(&text), model, clock)?,
        (FileFormat::Edn, _) => recorded(args, &file, &foreign::edn::read(&text), model, clock)?,
        (FileFormat::History, _) => raced(args, &file, &text)?,
    };
    result.format = format;
    result.model = model;
    #[expect(clippy::cast_precision_loss, reason = "a check is shorter than 2^52 ns")]
    let spent = clock.now().nanos() as f64 / 1e6;
    result.duration_ms = (spent * 1e3).round() / 1e3;
    result.exit_code = match result.verdict {
        Verdict::Holds => Exit::Holds,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Violated => Exit::Violated,
    }
    .code();
    Ok(result)
}

fn read(args: &CheckArgs, file: &str) -> anyhow::Result<String> {
    let facts = fs::metadata(&args.file).with_context(|| format!("{file} cannot be read"))?;
    if !facts.is_file() {
        bail!("{file} is not a file\n  = help: name a history, such as history.jsonl in a run's folder");
    }
    if facts.len() > LARGEST {
        bail!("{file} has {} bytes, and at most {LARGEST} are read", facts.len());
    }
    let bytes = fs::read(&args.file).with_context(|| format!("{file} cannot be read"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        // A file that was cut may end within a character: its line is damaged, and so told.
        Err(error) if args.lenient => Ok(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Err(error) => {
            let whole = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..whole].split(|byte| *byte == b'\n').count();
            bail!("{file}:{line}: expected UTF-8{LENIENTLY}")
        }
    }
}

const LENIENTLY: &str = "\n  = help: --lenient judges what stands before it";

/// What a file's beginning looks like.
fn recognised(text: &str) -> Option<FileFormat> {
    let first = text.lines().find(|line| !line.trim().is_empty())?.trim_start();
    if first.starts_with("{\"") {
        Some(FileFormat::History)
    } else if first.starts_with('{') {
        Some(FileFormat::Edn)
    } else if first.contains("\t:") {
        Some(FileFormat::Etcd)
    } else {
        None
    }
}

/// A result of which nothing is known yet.
fn blank(file: &str) -> CheckResult {
    CheckResult {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        file: file.to_owned(),
        format: FileFormat::History,
        model: ModelName::Order,
        verdict: Verdict::Inconclusive,
        exit_code: Exit::Inconclusive.code(),
        duration_ms: 0.0,
        operations: 0,
        states_visited: None,
        damage: None,
        parts: Vec::new(),
        scenarios: Vec::new(),
    }
}

/// Judges what another tool recorded.
fn recorded(
    args: &CheckArgs,
    file: &str,
    recorded: &Recorded,
    model: ModelName,
    clock: Clock,
) -> anyhow::Result<CheckResult> {
    if args.fail_on.is_some() {
        bail!("--fail-on: a recorded history is legal or not, there are no warnings\n  = help: leave it out");
    }
    if let Some(damage) = &recorded.damage
        && !args.lenient
    {
        bail!("{file}:{}: expected {}: {}{LENIENTLY}", damage.line, damage.expected, damage.found);
    }
    let against = match model {
        ModelName::Register => RecordedModel::Register,
        ModelName::Kv => RecordedModel::KeyValue,
        ModelName::Order => unreachable!("refused for recorded histories"),
    };
    let timeout = args.timeout.unwrap_or(TIMEOUT);
    let started = clock.now();
    let is_over = || clock.now().since(started) >= timeout;
    let budget = Budget::steps(u64::MAX).remembering(MOST_STATES).until(&is_over);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let judgment = judge_recorded(&recorded.exchanges, against, &budget, threads)
        .map_err(|error| anyhow!("{file}:{}: expected {}: {}", error.line, error.expected, error.found))?;
    let parts = PartResult::all(&judgment, &recorded.exchanges);
    let verdict = judgment.verdict();
    Ok(CheckResult {
        verdict: if recorded.damage.is_some() { verdict.max(Verdict::Inconclusive) } else { verdict },
        operations: parts.iter().map(|part| part.operations).sum(),
        states_visited: Some(parts.iter().map(|part| part.states_visited).sum()),
        damage: recorded.damage.as_ref().map(ToString::to_string),
        parts,
        ..blank(file)
    })
}

/// Judges a run's history again.
fn raced(args: &CheckArgs, file: &str, text: &str) -> anyhow::Result<CheckResult> {
    if args.timeout.is_some() {
        bail!("--timeout: a history of race gets the same limits as in its run, in steps\n  = help: leave it out");
    }
    let (saved, damage) = jsonl::read_leniently(text.as_bytes()).map_err(|error| anyhow!("{file}: {error}"))?;
    if let Some(damage) = &damage
        && !args.lenient
    {
        bail!("{file}: {damage}{LENIENTLY}");
    }
    let fail_on = args.fail_on.unwrap_or(FailOn::Violation).into();
    let (scenarios, _) = rejudge(&saved, fail_on).with_context(|| file.to_owned())?;
    let worst = scenarios.iter().map(|scenario| scenario.verdict).max().unwrap_or(Verdict::Inconclusive);
    Ok(CheckResult {
        verdict: if damage.is_some() { worst.max(Verdict::Inconclusive) } else { worst },
        operations: saved.scenarios.iter().map(|(_, history)| history.operations().count() as u64).sum(),
        damage: damage.map(|damage| damage.to_string()),
        scenarios,
        ..blank(file)
    })
}
