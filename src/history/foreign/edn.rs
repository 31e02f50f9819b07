//! Histories as EDN, one map a line, as Jepsen saves them:
//!
//! ```text
//! {:process 0, :type :invoke, :f :append, :key "4", :value "x 0 1 y"}
//! {:process 0, :type :ok, :f :append, :key "4", :value "x 0 1 y"}
//! ```
//!
//! Other keys (`:index`, `:time`, `:error` …) are passed over, and so are lines of a process that is no client
//! (`:nemesis`).

use clojure_reader::edn::Edn;

use super::{Event, Kind, Recorded, Value, Wrong, wrong};
use crate::text::harmless;

/// Deeper nesting than this is no event.
const DEEPEST: usize = 64;

/// Reads a history.
pub fn read(text: &str) -> Recorded {
    super::read(text, line)
}

fn line(line: &str) -> Result<Option<Event>, Wrong> {
    let Edn::Map(ref map) = form(line)? else {
        return Err(wrong("a map: {:process 0, :type :invoke, :f :read, :value nil}", cut(line)));
    };
    let field = |name: &'static str| map.get(&Edn::Key(name.into()));
    let process = match field("process") {
        Some(Edn::Int(process)) => *process,
        Some(Edn::Key(_)) => return Ok(None),
        Some(_) | None => return Err(wrong("`:process` with a number", cut(line))),
    };
    let word = |name: &'static str| match field(name) {
        Some(Edn::Key(word)) => Ok(word.to_string()),
        Some(_) | None => Err(wrong(format!("`:{name}` with a keyword"), cut(line))),
    };
    let kind = word("type")?;
    let kind = Kind::parse(&kind)
        .ok_or_else(|| wrong("`:type` to be :invoke, :ok, :fail or :info", format!(":{}", harmless(&kind, 80))))?;
    let key = match field("key") {
        None | Some(Edn::Nil) => None,
        Some(Edn::Str(key) | Edn::Key(key)) => Some(key.to_string()),
        Some(Edn::Int(key)) => Some(key.to_string()),
        Some(_) => return Err(wrong("`:key` with a text, a number or a keyword", cut(line))),
    };
    let value = field("value").map_or(Ok(Value::Nil), value)?;
    Ok(Some(Event { process, kind, function: word("f")?, key, value }))
}

/// One form, alone on its line.
fn form(text: &str) -> Result<Edn<'_>, Wrong> {
    if nesting(text) > DEEPEST {
        return Err(wrong("an event", format!("something deeply nested: {}", cut(text))));
    }
    let (form, rest) =
        clojure_reader::edn::read(text).map_err(|error| wrong("EDN", format!("{:?} in {}", error.code, cut(text))))?;
    if rest.trim().is_empty() { Ok(form) } else { Err(wrong("one form a line", cut(rest))) }
}

/// How deep a line is nested, at most. (The library's time grows with the square of it.) What hides in texts, characters
/// and comments is not counted; tags and the like nest by standing in front, so each counts until the line ends.
fn nesting(text: &str) -> usize {
    let (mut depth, mut tags, mut deepest) = (0_usize, 0, 0);
    let mut bytes = text.bytes();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b';' => break,
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            b'#' | b'^' => tags += 1,
            _ => {}
        }
        deepest = deepest.max(depth + tags);
    }
    deepest
}

/// A value on its own, as logs have it.
pub(super) fn read_value(text: &str) -> Result<Value, Wrong> {
    value(&form(text)?)
}

fn value(form: &Edn<'_>) -> Result<Value, Wrong> {
    Ok(match form {
        Edn::Nil => Value::Nil,
        Edn::Int(number) => Value::Integer(*number),
        Edn::Str(text) => Value::Text(text.to_string()),
        Edn::Key(name) => Value::Keyword(name.to_string()),
        Edn::Vector(forms) | Edn::List(forms) => Value::List(forms.iter().map(value).collect::<Result<_, _>>()?),
        other => return Err(wrong("nil, a number, a text, a keyword or a list of them", cut(&other.to_string()))),
    })
}

/// The beginning of a line, for errors.
pub(super) fn cut(line: &str) -> String {
    format!("`{}`", harmless(line, 100))
}
