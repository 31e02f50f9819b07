//! Histories as JSON lines: one line a record, versioned, written as the run goes, readable by any tool.
//!
//! ```text
//! {"schema":"quickeats-bench/history@1","tool_version":"…","seed":7,"api":"…TOML…"}
//! {"scenario":"cancel-vs-accept","plan":{…}}
//! {"id":0,"client":0,"round":"c1","phase":"set-up","call":{…},"window":{…},"outcome":{…}}
//! …
//! {"method":"head","round":"r1"}
//! {"id":0,"client":9,"round":"r1","phase":"set-up",…}
//! …
//! {"end":"cancel-vs-accept","operations":2412,"parallel":1}
//! ```
//!
//! The API description stands in the first line whole, so the file is judged by the same rules wherever it is read.
//! An `end` line that is missing, or counts more than was read, shows that a file was cut.

mod rounds;

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Delivered, History, Operation};
pub use rounds::{Rounds, WholeRound, read_round};

/// The version of the format. A change of any field changes it.
pub const SCHEMA: &str = "quickeats-bench/history@1";

/// A line longer than this is not one of ours (bytes).
const LINE_LIMIT: u64 = 16 << 20;

/// The first line: what every later line is read by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version of the tool that wrote the file.
    pub tool_version: String,
    /// The run's seed.
    pub seed: u64,
    /// The API description: its TOML text.
    pub api: String,
}

/// Opens a scenario: the lines up to its end belong to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioLine {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's plan: resolved, seeded.
    pub plan: serde_json::Value,
    /// Why the run itself doubted it. Written in the end line, since only then it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// The most rounds that ran side by side. Written in the end line as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// How many operations were judged and not written. As well.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: u64,
}

/// Closes a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndLine {
    /// The scenario's name.
    pub end: String,
    /// How many operations were written since it opened.
    pub operations: u64,
    /// Why the run itself doubted it: it was interrupted, its target went away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// The most rounds that ran side by side; absent in files of versions that did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
    /// How many operations were judged and not written: rounds of a load that showed nothing. What was written is whole rounds.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_out: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it so")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Writes a history as it grows.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    scenario: Option<EndLine>,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    pub fn new(mut out: W, header: &Header) -> io::Result<Self> {
        write_line(&mut out, header)?;
        Ok(Self { out, scenario: None })
    }

    /// Opens a scenario.
    pub fn begin(&mut self, line: &ScenarioLine) -> io::Result<()> {
        self.scenario = Some(EndLine {
            end: line.scenario.clone(),
            operations: 0,
            doubts: Vec::new(),
            parallel: None,
            left_out: 0,
        });
        write_line(&mut self.out, line)
    }

    /// Adds one round's operations, and how its volley was delivered, if it was raced.
    pub fn append(&mut self, delivered: Option<&Delivered>, operations: &[Operation]) -> io::Result<()> {
        if let Some(delivered) = delivered {
            write_line(&mut self.out, delivered)?;
        }
        for operation in operations {
            write_line(&mut self.out, operation)?;
        }
        if let Some(scenario) = &mut self.scenario {
            scenario.operations += operations.len() as u64;
        }
        Ok(())
    }

    /// Notes that one round's operations are not written.
    pub fn leave_out(&mut self, operations: u64) {
        if let Some(scenario) = &mut self.scenario {
            scenario.left_out += operations;
        }
    }

    /// Closes the scenario, of which so many rounds ran side by side, and hands everything to the operating system.
    pub fn end(&mut self, doubts: &[String], parallel: u32) -> io::Result<()> {
        if let Some(mut scenario) = self.scenario.take() {
            scenario.doubts = doubts.to_vec();
            scenario.parallel = Some(parallel);
            write_line(&mut self.out, &scenario)?;
        }
        self.out.flush()
    }

    /// Hands what was written so far to the operating system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn write_line<W: Write>(out: &mut W, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Everything a history file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// Its first line.
    pub header: Header,
    /// Its scenarios, in order.
    pub scenarios: Vec<(ScenarioLine, History)>,
}

/// Why a history file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line that was being read, from 1.
        line: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A line is not what the format asks for in its place.
    #[error("line {line}: expected {expected}: {found}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is wrong with what stands there.
        found: String,
    },
    /// The file stops before it ends.
    #[error("the file ends within scenario `{scenario}`, after line {line}: it was cut, or its run was killed")]
    Cut {
        /// The scenario that has no end line.
        scenario: String,
        /// The last line.
        line: u64,
    },
}

/// Reads a whole history.
///
/// # Errors
/// The first line that is not as it should be. Nothing is guessed and nothing left out.
pub fn read(input: impl BufRead) -> Result<Saved, ReadError> {
    match read_leniently(input)? {
        (saved, None) => Ok(saved),
        (_, Some(damage)) => Err(damage),
    }
}

/// Reads what is whole of a damaged history: up to the first line that is not as it should be. The last round before it
/// may be missing operations and is left out; its scenario is in doubt.
///
/// # Errors
/// A header that cannot be read: without it nothing can be judged.
pub fn read_leniently(mut input: impl BufRead) -> Result<(Saved, Option<ReadError>), ReadError> {
    let mut number = 0;
    let Some(first) = next_line(&mut input, &mut number)? else {
        return Err(malformed(1, "a header with `schema`", "the file is empty"));
    };
    let header: Header = parse(&first, number, "a header with `schema`")?;
    if header.schema != SCHEMA {
        let found = format!("`{}`", crate::text::harmless(&header.schema, 80));
        return Err(malformed(number, "schema quickeats-bench/history@1", found));
    }
    let mut saved = Saved { header, scenarios: Vec::new() };
    loop {
        match read_scenario(&mut input, &mut number, &mut saved.scenarios) {
            Ok(true) => {}
            Ok(false) => return Ok((saved, None)),
            Err(damage) => return Ok((saved, Some(damage))),
        }
    }
}

/// Reads one scenario, if there is another. What was whole of a damaged one is kept.
fn read_scenario(
    input: &mut impl BufRead,
    number: &mut u64,
    scenarios: &mut Vec<(ScenarioLine, History)>,
) -> Result<bool, ReadError> {
    let Some(line) = next_line(input, number)? else { return Ok(false) };
    let mut opening: ScenarioLine = parse(&line, *number, "a line that opens a scenario")?;
    let (mut operations, mut delivered) = (Vec::new(), Vec::new());
    match read_operations(input, number, &opening, &mut operations, &mut delivered) {
        Ok(end) => {
            (opening.doubts, opening.parallel, opening.left_out) = (end.doubts, end.parallel, end.left_out);
            scenarios.push((opening, History::seal(operations).knowing(delivered)));
            Ok(true)
        }
        Err(damage) => {
            let last = operations.last().map(|operation: &Operation| operation.round);
            operations.retain(|operation| Some(operation.round) != last);
            opening.doubts.push(format!("the history is damaged: {damage}"));
            scenarios.push((opening, History::seal(operations).knowing(delivered)));
            Err(damage)
        }
    }
}

fn read_operations(
    input: &mut impl BufRead,
    number: &mut u64,
    opening: &ScenarioLine,
    operations: &mut Vec<Operation>,
    delivered: &mut Vec<Delivered>,
) -> Result<EndLine, ReadError> {
    loop {
        let Some(line) = next_line(input, number)? else {
            return Err(ReadError::Cut { scenario: opening.scenario.clone(), line: *number });
        };
        if line.starts_with("{\"method\"") {
            delivered.push(parse(&line, *number, "how a volley was delivered")?);
            continue;
        }
        if !line.starts_with("{\"end\"") {
            operations.push(parse(&line, *number, "an operation")?);
            continue;
        }
        let end: EndLine = parse(&line, *number, "the scenario's end")?;
        if end.end != opening.scenario || end.operations != operations.len() as u64 {
            let found = format!(
                "it closes `{}` after {} operations, read were {} of `{}`",
                crate::text::harmless(&end.end, 80),
                end.operations,
                operations.len(),
                crate::text::harmless(&opening.scenario, 80),
            );
            return Err(malformed(*number, "the end of this scenario", found));
        }
        return Ok(end);
    }
}

fn malformed(line: u64, expected: &'static str, found: impl Into<String>) -> ReadError {
    ReadError::Malformed { line, expected, found: found.into() }
}

fn parse<T: for<'de> Deserialize<'de>>(line: &str, number: u64, expected: &'static str) -> Result<T, ReadError> {
    serde_json::from_str(line).map_err(|error| malformed(number, expected, error.to_string()))
}

fn next_line(input: &mut impl BufRead, number: &mut u64) -> Result<Option<String>, ReadError> {
    *number += 1;
    let mut line = String::new();
    let read = io::Read::take(&mut *input, LINE_LIMIT)
        .read_line(&mut line)
        .map_err(|source| ReadError::Io { line: *number, source })?;
    if read as u64 == LINE_LIMIT {
        return Err(malformed(*number, "a line under 16 MiB", "it goes on"));
    }
    Ok((read > 0).then_some(line))
}
