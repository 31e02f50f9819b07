//! Histories as Jepsen's log shows them. What counts is behind the first ` - `, in columns parted by tabs:
//!
//! ```text
//! INFO  jepsen.util - 2   :invoke   :cas   [3 0]
//! INFO  jepsen.util - 2   :fail   :cas   [3 0]
//! ```

use super::edn::{cut, read_value};
use super::{Event, Kind, Recorded, Wrong, wrong};

const SHAPE: &str = "`INFO  jepsen.util - PROCESS :TYPE :F VALUE`, parted by tabs";

/// Reads a history.
pub fn read(text: &str) -> Recorded {
    super::read(text, line)
}

fn line(line: &str) -> Result<Option<Event>, Wrong> {
    let shape = || wrong(SHAPE, cut(line));
    let (_, columns) = line.split_once(" - ").ok_or_else(shape)?;
    let columns: Vec<&str> = columns.split('\t').map(str::trim).collect();
    let [process, kind, function, value] = columns[..] else { return Err(shape()) };
    if process.starts_with(':') {
        return Ok(None); // the nemesis
    }
    let keyword = |text: &str| text.strip_prefix(':').map(str::to_owned).ok_or_else(shape);
    let kind =
        Kind::parse(&keyword(kind)?).ok_or_else(|| wrong("the type to be :invoke, :ok, :fail or :info", cut(kind)))?;
    Ok(Some(Event {
        process: process.parse().map_err(|_| wrong("a process number", cut(process)))?,
        kind,
        function: keyword(function)?,
        key: None,
        value: read_value(value)?,
    }))
}
