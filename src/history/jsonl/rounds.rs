//! A history read round by round, one at a time: for files that are larger than memory.

use std::io::BufRead;

use super::{EndLine, Header, ReadError, SCHEMA, ScenarioLine, malformed, next_line, parse};
use crate::history::Operation;

/// Reads a history of one chapter, such as a load's. Operations of a round stand together in it.
#[derive(Debug)]
pub struct Rounds<R> {
    input: R,
    /// The line that was read last, and how many bytes stand before the next.
    number: u64,
    offset: u64,
    header: Header,
    chapter: ScenarioLine,
    operations: u64,
    /// The first operation of the next round, and where its line begins.
    held: Option<(u64, Operation)>,
    end: Option<EndLine>,
}

/// One round.
#[derive(Debug, Clone, PartialEq)]
pub struct WholeRound {
    /// In which byte its first line begins.
    pub at: u64,
    /// Its operations, in order: there is at least one.
    pub operations: Vec<Operation>,
}

impl<R: BufRead> Rounds<R> {
    /// Reads the header and the line that opens the chapter.
    ///
    /// # Errors
    /// If these are not as they should be.
    pub fn open(mut input: R) -> Result<Self, ReadError> {
        let (mut number, mut offset) = (0, 0);
        let mut line = |expected| match next_line(&mut input, &mut number)? {
            Some(line) => {
                offset += line.len() as u64;
                Ok((line, number))
            }
            None => Err(malformed(number, expected, "the file ends")),
        };
        let (text, at) = line("a header with `schema`")?;
        let header: Header = parse(&text, at, "a header with `schema`")?;
        if header.schema != SCHEMA {
            let found = format!("`{}`", crate::text::harmless(&header.schema, 80));
            return Err(malformed(at, "schema quickeats-bench/history@1", found));
        }
        let (text, at) = line("a line that opens a scenario")?;
        let chapter = parse(&text, at, "a line that opens a scenario")?;
        Ok(Self { input, number, offset, header, chapter, operations: 0, held: None, end: None })
    }

    /// Its first line.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What the chapter is called.
    pub fn chapter(&self) -> &str {
        &self.chapter.scenario
    }

    /// Why the run itself doubted it: known when all rounds were read.
    pub fn doubts(&self) -> &[String] {
        self.end.as_ref().map_or(&[], |end| &end.doubts)
    }

    /// The next round. `None` after the last, when the chapter was closed and nothing follows.
    ///
    /// # Errors
    /// The first line that is not as it should be, or is missing.
    pub fn next_round(&mut self) -> Result<Option<WholeRound>, ReadError> {
        let Some((at, first)) = self.held.take().map_or_else(|| self.operation(), |held| Ok(Some(held)))? else {
            return Ok(None);
        };
        let mut round = WholeRound { at, operations: vec![first] };
        while let Some((at, next)) = self.operation()? {
            // Its operations are numbered from 0.
            if next.round != round.operations[0].round || next.id.0 == 0 {
                self.held = Some((at, next));
                break;
            }
            round.operations.push(next);
        }
        Ok(Some(round))
    }

    fn operation(&mut self) -> Result<Option<(u64, Operation)>, ReadError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let at = self.offset;
        let Some(line) = next_line(&mut self.input, &mut self.number)? else {
            return Err(ReadError::Cut { scenario: self.chapter.scenario.clone(), line: self.number - 1 });
        };
        self.offset += line.len() as u64;
        if !line.starts_with("{\"end\"") {
            self.operations += 1;
            return Ok(Some((at, parse(&line, self.number, "an operation")?)));
        }
        let end: EndLine = parse(&line, self.number, "the scenario's end")?;
        if end.end != self.chapter.scenario || end.operations != self.operations {
            let found = format!("it tells of {} operations, read were {}", end.operations, self.operations);
            return Err(malformed(self.number, "the end of this scenario", found));
        }
        if next_line(&mut self.input, &mut self.number)?.is_some() {
            return Err(malformed(self.number, "the end of the file", "it goes on"));
        }
        self.end = Some(end);
        Ok(None)
    }
}

/// Reads the operations of one round, `count` of them, from where its first line begins.
///
/// # Errors
/// If they do not stand there any more.
pub fn read_round(mut input: impl BufRead, count: usize) -> Result<Vec<Operation>, ReadError> {
    let mut number = 0;
    let mut operations = Vec::with_capacity(count);
    for _ in 0..count {
        let line = next_line(&mut input, &mut number)?;
        let line = line.ok_or_else(|| malformed(number, "an operation", "the file ends"))?;
        operations.push(parse(&line, number, "an operation")?);
    }
    Ok(operations)
}
