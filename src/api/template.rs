//! Text with holes: `/orders/{id}/payment`, `customer:{person}`, `{value|base64}`, `Bearer {env:API_TOKEN}`.
//!
//! `{{` and `}}` stand for braces.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Most paths and headers are no longer than this (bytes).
const ORDINARY: usize = 80;
/// What stands for a secret where people read.
pub(super) const MASKED: &str = "(masked)";

/// What can fill a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hole {
    /// The resource's id.
    Id,
    /// The acting person: unique to the person and the round.
    Person,
    /// A word unique to the request.
    Unique,
    /// The value that a register's write writes: a word unique to the request, too.
    Value,
    /// The version token that the request is conditional on.
    Token,
    /// The idempotency key.
    Key,
    /// What a fresh counter is to hold.
    Starts,
    /// A number that no other request of the process has, going up.
    Sequence,
    /// A random number below 2⁵³, so that every JSON reader has it exactly.
    Random,
    /// The round's name in the history: `r17`, or `c1` where a contender is tried alone.
    Round,
    /// Which contender of the round it is, from 1; 0 for those that do not race.
    Contender,
    /// What the login of the actor told.
    Login,
    /// A variable of the environment: a secret, never shown.
    Env(Arc<str>),
}

/// What is done with what fills a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    None,
    Base64,
    /// In JSON: a number, where the string is this hole and nothing else.
    Number,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// A `{` that is never closed.
    Open,
    /// A `}` that closes nothing.
    Stray,
    /// No hole has this name.
    UnknownHole(String),
    /// No filter has this name.
    UnknownFilter(String),
}

impl Hole {
    /// The names of all holes.
    pub(super) const NAMES: [&'static str; 13] = [
        "id",
        "person",
        "unique",
        "value",
        "token",
        "key",
        "starts",
        "sequence",
        "random",
        "round",
        "contender",
        "login",
        "env:VARIABLE",
    ];
    /// The names of all filters.
    pub(super) const FILTERS: [&'static str; 2] = ["base64", "number"];

    /// Whether what fills it is shown to nobody.
    const fn is_secret(&self) -> bool {
        matches!(self, Self::Env(_) | Self::Login)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "person" => Self::Person,
            "unique" => Self::Unique,
            "value" => Self::Value,
            "token" => Self::Token,
            "key" => Self::Key,
            "starts" => Self::Starts,
            "sequence" => Self::Sequence,
            "random" => Self::Random,
            "round" => Self::Round,
            "contender" => Self::Contender,
            "login" => Self::Login,
            _ => {
                let variable = name.strip_prefix("env:")?;
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if variable.is_empty() || !variable.chars().all(plain) {
                    return None;
                }
                Self::Env(variable.into())
            }
        })
    }
}

/// A text with holes, checked when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Arc<str>),
    Hole(Hole, Filter),
}

/// Values for the holes.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) id: &'a str,
    pub(super) person: &'a str,
    pub(super) unique: &'a str,
    pub(super) token: &'a str,
    pub(super) key: &'a str,
    pub(super) starts: i64,
    pub(super) sequence: u64,
    pub(super) random: u64,
    pub(super) round: &'a str,
    pub(super) contender: usize,
    pub(super) login: &'a str,
    /// What a variable of the environment holds.
    pub(super) environment: &'a dyn Fn(&str) -> Option<Arc<str>>,
    /// Whether secrets are left out: people read it.
    pub(super) is_shown: bool,
}

impl Template {
    /// Reads `text`.
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..];
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(&brace[..1]);
                rest = &brace[2..];
                continue;
            }
            let inner = brace.strip_prefix('{').ok_or(TemplateError::Stray)?;
            let (hole, after) = inner.split_once('}').ok_or(TemplateError::Open)?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
            }
            pieces.push(hole_of(hole)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Ok(Self(pieces))
    }

    /// Whether it has this hole.
    pub(super) fn has(&self, hole: &Hole) -> bool {
        self.holes().any(|own| own == hole)
    }

    /// The variables of the environment that it needs.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Arc<str>> {
        self.holes().filter_map(|hole| match hole {
            Hole::Env(name) => Some(name),
            _ => None,
        })
    }

    /// Whether any of its holes is filled with a secret.
    pub(super) fn has_secrets(&self) -> bool {
        self.holes().any(Hole::is_secret)
    }

    /// The secrets that it says as they are.
    pub(super) fn bare_secrets(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole, Filter::None | Filter::Number) if hole.is_secret() => Some(hole),
            Piece::Hole(..) | Piece::Text(_) => None,
        })
    }

    fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole, _) => Some(hole),
            Piece::Text(_) => None,
        })
    }

    /// The text with its holes filled.
    pub(super) fn fill(&self, values: Values<'_>) -> String {
        self.render(|hole, filter| values.filtered(hole, filter))
    }

    /// The text with its holes filled and percent-encoded, for a path or query.
    pub(super) fn fill_path(&self, values: Values<'_>) -> String {
        self.render(|hole, filter| {
            if values.masks(hole) {
                return MASKED.into();
            }
            match values.filtered(hole, filter) {
                Cow::Borrowed(value) => utf8_percent_encode(value, RESERVED).into(),
                Cow::Owned(value) => encoded(&value).into(),
            }
        })
    }

    /// As JSON: a string, or a number where it is one hole that is to be one.
    pub(super) fn fill_json(&self, values: Values<'_>) -> Value {
        let text = self.fill(values);
        match &self.0[..] {
            [Piece::Hole(_, Filter::Number)] => match serde_json::from_str(&text) {
                Ok(number @ Value::Number(_)) => number,
                Ok(_) | Err(_) => Value::String(text),
            },
            _ => Value::String(text),
        }
    }

    fn render<'a>(&self, value: impl Fn(&Hole, Filter) -> Cow<'a, str>) -> String {
        let mut text = String::with_capacity(ORDINARY);
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Hole(hole, filter) => text.push_str(&value(hole, *filter)),
            }
        }
        text
    }
}

/// Percent-encoded, but for unreserved characters (RFC 3986 §2.3).
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

fn hole_of(text: &str) -> Result<Piece, TemplateError> {
    let (name, filter) = match text.split_once('|') {
        None => (text, Filter::None),
        Some((name, "base64")) => (name, Filter::Base64),
        Some((name, "number")) => (name, Filter::Number),
        Some((_, filter)) => return Err(TemplateError::UnknownFilter(filter.to_owned())),
    };
    let hole = Hole::named(name).ok_or_else(|| TemplateError::UnknownHole(name.to_owned()))?;
    Ok(Piece::Hole(hole, filter))
}

impl<'a> Values<'a> {
    /// The same for people: without secrets.
    pub(super) const fn shown(self) -> Self {
        Self { is_shown: true, ..self }
    }

    const fn masks(self, hole: &Hole) -> bool {
        self.is_shown && hole.is_secret()
    }

    fn filtered(self, hole: &Hole, filter: Filter) -> Cow<'a, str> {
        if self.masks(hole) {
            return MASKED.into();
        }
        let value = self.of(hole);
        match filter {
            Filter::None | Filter::Number => value,
            Filter::Base64 => STANDARD.encode(&*value).into(),
        }
    }

    fn of(self, hole: &Hole) -> Cow<'a, str> {
        match hole {
            Hole::Id => self.id.into(),
            Hole::Person => self.person.into(),
            Hole::Unique | Hole::Value => self.unique.into(),
            Hole::Token => self.token.into(),
            Hole::Key => self.key.into(),
            Hole::Starts => self.starts.to_string().into(),
            Hole::Sequence => self.sequence.to_string().into(),
            Hole::Round => self.round.into(),
            Hole::Contender => self.contender.to_string().into(),
            Hole::Random => self.random.to_string().into(),
            Hole::Login => self.login.into(),
            Hole::Env(name) => (self.environment)(name).map(|value| value.to_string()).unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        id: "a/b c",
        person: "rider-2",
        unique: "u1",
        token: "\"7\"",
        key: "k",
        starts: 3,
        sequence: 12,
        round: "r7",
        contender: 2,
        random: 99,
        login: "t0ken",
        environment: &|name| (name == "SECRET").then(|| "s3cret".into()),
        is_shown: false,
    };

    fn filled(text: &str) -> String {
        Template::parse(text).unwrap().fill(VALUES)
    }

    #[test]
    fn holes_are_filled_and_paths_encoded() {
        let template = Template::parse("/orders/{id}/by/{person}").unwrap();
        assert_eq!(template.fill(VALUES), "/orders/a/b c/by/rider-2");
        assert_eq!(template.fill_path(VALUES), "/orders/a%2Fb%20c/by/rider-2");
        assert_eq!(filled("{unique} {value} {token} {key} {starts} {sequence} {random}"), "u1 u1 \"7\" k 3 12 99");
        assert_eq!(filled("{round}/{contender}"), "r7/2");
        assert_eq!(filled("{id|base64}"), "YS9iIGM=");
    }

    #[test]
    fn a_lone_number_is_a_number_in_json() {
        let json = |text: &str| Template::parse(text).unwrap().fill_json(VALUES);
        assert_eq!(json("{starts|number}"), Value::from(3));
        assert_eq!(json("{starts}"), Value::from("3"));
        assert_eq!(json("{starts|number} left"), Value::from("3 left"));
        assert_eq!(json("{person|number}"), Value::from("rider-2"));
    }

    #[test]
    fn a_secret_is_sent_and_not_shown() {
        let template = Template::parse("/x?key={env:SECRET}&id={id}").unwrap();
        assert_eq!(template.fill_path(VALUES), "/x?key=s3cret&id=a%2Fb%20c");
        assert_eq!(template.fill_path(VALUES.shown()), "/x?key=(masked)&id=a%2Fb%20c");
        assert_eq!(Template::parse("{env:SECRET|base64}").unwrap().fill(VALUES.shown()), "(masked)");
        assert!(!format!("{template:?}").contains("s3cret"));
        assert_eq!(template.variables().map(|name| &**name).collect::<Vec<_>>(), ["SECRET"]);
    }

    #[test]
    fn braces_are_written_twice() {
        assert_eq!(filled("{{\"id\": \"{person}\"}}"), "{\"id\": \"rider-2\"}");
        assert_eq!(Template::parse("a } b"), Err(TemplateError::Stray));
    }

    #[test]
    fn an_unknown_hole_is_named_and_an_open_brace_refused() {
        assert_eq!(Template::parse("/x/{order}"), Err(TemplateError::UnknownHole("order".to_owned())));
        assert_eq!(Template::parse("/x/{env:}"), Err(TemplateError::UnknownHole("env:".to_owned())));
        assert_eq!(Template::parse("/x/{id|hex}"), Err(TemplateError::UnknownFilter("hex".to_owned())));
        assert_eq!(Template::parse("/x/{id"), Err(TemplateError::Open));
    }
}
