//! Histories that other tools recorded: each line one event of one process, line order is real time.
//!
//! ```text
//! 0 :invoke :write 4        opens
//! 0 :ok     :write 4        closes: done
//! 1 :fail   :cas [3 0]      closes: certainly not done
//! 2 :info   :write 5        leaves it open: may be done at any later time, or never
//! ```
//!
//! [`jepsen_log`] and [`edn`] read lines, this module pairs them. What an operation *means* is not known here: that is
//! the model's affair (`check::recorded`).

pub mod edn;
pub mod jepsen_log;

use std::collections::HashMap;

use crate::clock::Stamp;
use crate::text::harmless;

/// More lines than this are not read: line numbers are the clock.
const MOST_LINES: usize = 100_000_000;
/// A line longer than this is not an event (bytes).
const LONGEST_LINE: usize = 16 << 20;

/// What is asked, written or returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A `:keyword`, without its colon.
    Keyword(String),
    /// Several.
    List(Vec<Value>),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{}\"", harmless(text, 80)),
            Self::Keyword(name) => write!(f, ":{}", harmless(name, 80)),
            Self::List(values) => {
                let shown: Vec<String> = values.iter().take(8).map(ToString::to_string).collect();
                write!(f, "[{}{}]", shown.join(" "), if values.len() > 8 { " …" } else { "" })
            }
        }
    }
}

/// What an event does to its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Opens it.
    Invoke,
    /// Closes it: done, with a result.
    Ok,
    /// Closes it: certainly not done.
    Fail,
    /// Leaves it open for ever.
    Info,
}

impl Kind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "invoke" => Self::Invoke,
            "ok" => Self::Ok,
            "fail" => Self::Fail,
            "info" => Self::Info,
            _ => return None,
        })
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub process: i64,
    /// What it does.
    pub kind: Kind,
    /// The operation's name: `read`, `append` …
    pub function: String,
    /// The key it is about, if the store has keys.
    pub key: Option<String>,
    /// What goes with it.
    pub value: Value,
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It was done, with this result.
    Done(Value),
    /// It was certainly not done.
    Failed(Value),
    /// Nobody knows.
    Open,
}

/// One operation: its opening, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Whose.
    pub process: i64,
    /// The operation's name.
    pub function: String,
    /// The key it is about, if the store has keys.
    pub key: Option<String>,
    /// What was asked for.
    pub asked: Value,
    /// What came of it.
    pub came: Came,
    /// The line that opens it, from 1. Lines are the clock.
    pub opened: u32,
    /// The line that closes it; none if its outcome is not known.
    pub closed: Option<u32>,
}

impl Exchange {
    /// Start of its window.
    pub fn opened_at(&self) -> Stamp {
        Stamp::from_nanos(u64::from(self.opened))
    }

    /// End of its window.
    pub fn closed_at(&self) -> Option<Stamp> {
        self.closed.map(|line| Stamp::from_nanos(u64::from(line)))
    }
}

/// A line that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}: {found}")]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// What belongs there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

/// What was read of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Operations, in order of opening.
    pub exchanges: Vec<Exchange>,
    /// The first line that is not as it should be; nothing from there on was read.
    ///
    /// What stands before it is a history of its own, whose unanswered operations are open: if *it* has no legal order,
    /// the whole had none either.
    pub damage: Option<Malformed>,
}

/// A reader of one line: nothing if the line is no event of a client.
type ReadLine = fn(&str) -> Result<Option<Event>, Wrong>;

/// What is wrong with a line: what was expected, and what was found.
type Wrong = (String, String);

fn wrong(expected: impl Into<String>, found: impl Into<String>) -> Wrong {
    (expected.into(), found.into())
}

/// Reads events line by line and pairs them, up to the first that is not as it should be.
fn read(text: &str, read_line: ReadLine) -> Recorded {
    let mut pairing = Pairing::default();
    let mut damage = None;
    for (number, line) in text.lines().enumerate() {
        let taken = if number >= MOST_LINES || line.len() > LONGEST_LINE {
            Err(wrong("at most 100 million lines of at most 16 MiB", "it goes on"))
        } else if line.trim().is_empty() {
            Ok(())
        } else {
            read_line(line).and_then(|event| event.map_or(Ok(()), |event| pairing.take(number + 1, event)))
        };
        if let Err((expected, found)) = taken {
            damage = Some(Malformed { line: number + 1, expected, found });
            break;
        }
    }
    Recorded { exchanges: pairing.exchanges, damage }
}

/// Puts openings and ends together.
#[derive(Debug, Default)]
struct Pairing {
    exchanges: Vec<Exchange>,
    /// Each process's operation that has not ended.
    open: HashMap<i64, usize>,
}

impl Pairing {
    fn take(&mut self, line: usize, event: Event) -> Result<(), Wrong> {
        let stamp = u32::try_from(line).expect("at most MOST_LINES");
        let Event { process, kind, function, key, value } = event;
        if kind == Kind::Invoke {
            if let Some(pending) = self.open.insert(process, self.exchanges.len()) {
                let opened = self.exchanges[pending].opened;
                let found = format!("its operation of line {opened} has not ended");
                return Err(wrong(format!("process {process} to do one thing at a time"), found));
            }
            let came = Came::Open;
            let exchange = Exchange { process, function, key, asked: value, came, opened: stamp, closed: None };
            self.exchanges.push(exchange);
            return Ok(());
        }
        let Some(pending) = self.open.remove(&process) else {
            let expected = format!("an :invoke of process {process} before this");
            return Err(wrong(expected, "none of its operations is open"));
        };
        let exchange = &mut self.exchanges[pending];
        if exchange.function != function || exchange.key != key {
            let expected = format!("the end of :{}, opened in line {}", exchange.function, exchange.opened);
            return Err(wrong(expected, format!(":{} of another kind or key", harmless(&function, 80))));
        }
        match kind {
            Kind::Ok => exchange.came = Came::Done(value),
            Kind::Fail => exchange.came = Came::Failed(value),
            Kind::Info | Kind::Invoke => return Ok(()),
        }
        exchange.closed = Some(stamp);
        Ok(())
    }
}
