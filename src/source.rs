//! Where in a file something is wrong: the error of everything people write for the tool.
//!
//! ```text
//! error: unknown action `cancelation`
//!   --> scenarios/my-race.toml:14:10 (contenders.action)
//!    |
//! 14 | action = "cancelation"
//!    |          ^^^^^^^^^^^^^
//!    = help: did you mean `cancellation`?
//! ```

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;

use crate::text::harmless;

/// A mistake in a file, with its place and the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    /// The file's name, as the user gave it.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// Where, if one place is to blame.
    pub place: Option<Box<Place>>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The dotted key that the place belongs to, where there is one.
    pub key: Option<String>,
    /// The line as it can be shown: what stands before the place, at it, and after it.
    before: String,
    at: String,
    after: String,
}

impl std::error::Error for SourceError {}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = harmless(&self.file, 200);
        write!(f, "{}", harmless(&self.message, 1_000))?;
        match &self.place {
            None => write!(f, "\n  --> {file}")?,
            Some(place) => {
                let margin = " ".repeat(place.line.to_string().len());
                write!(f, "\n  --> {file}:{}:{}", place.line, place.column)?;
                if let Some(key) = &place.key {
                    write!(f, " ({})", harmless(key, 80))?;
                }
                let indent = " ".repeat(place.before.chars().count());
                let marks = "^".repeat(place.at.chars().count().max(1));
                write!(f, "\n {margin} |\n {} | {}{}{}", place.line, place.before, place.at, place.after)?;
                write!(f, "\n {margin} | {indent}{marks}")?;
            }
        }
        if let Some(help) = &self.help {
            write!(f, "\n  = help: {}", harmless(help, 1_000))?;
        }
        Ok(())
    }
}

/// A file someone wrote: its name and its text.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    /// The file `name`, holding `text`.
    pub const fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text }
    }

    /// Reads the text as TOML into `T`.
    ///
    /// # Errors
    /// What TOML or `T` does not accept, with its line and key.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        toml::from_str(self.text).map_err(|error| {
            let place = error.span().map(|span| self.place(span));
            self.error(error.message().to_owned(), place)
        })
    }

    /// An error about the place `span` (bytes of the text).
    pub fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        self.error(message.into(), Some(self.place(span)))
    }

    /// The line (from 1) of the table header `header` that stands last before `at` (a byte of the text); the line of `at` itself
    /// where there is none.
    pub fn line_of_header(&self, header: &str, at: usize) -> usize {
        let above = self.text.get(..at).unwrap_or_default();
        let number = above.lines().count().max(1);
        let found = above.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with(header)).last();
        found.map_or(number, |(index, _)| index + 1)
    }

    fn error(&self, message: String, place: Option<Place>) -> SourceError {
        SourceError { file: self.name.to_owned(), message, place: place.map(Box::new), help: None }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let text = self.text;
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let mut end = span.end.clamp(start, line_end);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line_text = text[line_start..line_end].trim_end_matches('\r');
        let line_end = line_start + line_text.len();
        Place {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            key: key_at(&text[..line_start], line_text),
            before: shown_end(&text[line_start..start.min(line_end)]),
            at: harmless(&text[start.min(line_end)..end.min(line_end)], SHOWN),
            after: harmless(&text[end.min(line_end)..line_end], SHOWN),
        }
    }
}

/// Characters shown before, at and after a place, each.
const SHOWN: usize = 100;

/// The end of a line's beginning, if all of it is too long.
fn shown_end(before: &str) -> String {
    let length = before.chars().count();
    if length <= SHOWN {
        return harmless(&before.replace('\t', " "), SHOWN);
    }
    let end: String = before.chars().skip(length - SHOWN).collect();
    format!("…{}", harmless(&end.replace('\t', " "), SHOWN))
}

impl SourceError {
    /// The same error with a way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same error with a way out, if it has none yet.
    #[must_use]
    pub fn or_help(mut self, help: impl Into<String>) -> Self {
        self.help.get_or_insert_with(|| help.into());
        self
    }

    /// The same error, suggesting the nearest of `known` names, or listing them all.
    #[must_use]
    pub fn suggest<'a>(self, typed: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match crate::text::nearest(typed, known.iter().copied()) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None if known.is_empty() => self,
            None => self.help(format!("known here: {}", known.join(", "))),
        }
    }
}

/// The dotted key of a line: the last table header above it, and the key the line assigns.
fn key_at(above: &str, line: &str) -> Option<String> {
    let header = |line: &str| -> Option<String> {
        let inner = line.trim().strip_prefix('[')?;
        let inner = inner.strip_prefix('[').unwrap_or(inner);
        Some(inner.split(']').next()?.trim().to_owned())
    };
    // Inside a multi-line array an indented `[` is a value, not a header: headers start their line.
    let table = (above.lines().rev()).find_map(|line| line.starts_with('[').then(|| header(line))?);
    if line.starts_with('[') {
        return header(line);
    }
    let own = line.split_once('=').map(|(key, _)| key.trim().to_owned());
    match (table, own) {
        (Some(table), Some(own)) => Some(format!("{table}.{own}")),
        (table, own) => own.or(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"x\"\n\n[[contenders]]\naction = \"cancelation\"\n";

    #[test]
    fn an_error_shows_file_line_key_and_the_way_out() {
        let at = TEXT.find("\"cancelation\"").unwrap();
        let error = Source::new("race.toml", TEXT)
            .wrong(at..at + 13, "unknown action `cancelation`")
            .suggest("cancelation", ["payment", "cancellation"]);
        assert_eq!(
            error.to_string(),
            "unknown action `cancelation`\n  --> race.toml:4:10 (contenders.action)\n   |\n 4 | action = \"cancelation\"\n   |          ^^^^^^^^^^^^^\n  = help: did you mean `cancellation`?"
        );
    }

    #[test]
    fn malformed_toml_is_placed() {
        let error = Source::new("race.toml", "name = \"x\"\nrounds = = 3\n").parse::<toml::Table>().unwrap_err();
        let place = error.place.unwrap();
        assert_eq!((place.line, place.key.as_deref()), (2, Some("rounds")));
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_does_not_panic() {
        let source = Source::new("x", "a = \"주문\"\n");
        for start in 0..20 {
            for end in 0..20 {
                let _ = source.wrong(start..end, "m").to_string();
            }
        }
    }
}
