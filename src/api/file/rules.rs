//! What replies mean: the rules as written, and as they are read.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::super::dialect::rules::{ReplyRule, StatusRange};
use super::Reader;
use super::shape::{ApiFile, Texts};
use super::spoken::RESERVED;
use crate::history::{Meaning, Verb};
use crate::source::SourceError;

/// What a reply means: the first rule that fits.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplyFile {
    /// Only replies to these: actions, `create`, `read`, `effects` or `events`; all, if it does not say.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) actions: Option<Vec<Spanned<String>>>,
    /// Its status is one of these: numbers, or classes such as `"2xx"`; any, if it does not say.
    #[schemars(with = "Option<Vec<StatusFile>>")]
    pub(super) status: Option<Vec<Spanned<StatusFile>>>,
    /// Its body has these values at these places (JSON Pointers or JSONPaths).
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    pub(super) body: BTreeMap<Spanned<String>, Value>,
    /// Its body has nothing at these places.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) lacks: Vec<Spanned<String>>,
    /// It has these headers with these values.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) header: Texts,
    /// This regex matches its body as text.
    #[schemars(with = "Option<String>")]
    pub(super) matches: Option<Spanned<String>>,
    /// What it means then.
    #[schemars(with = "Meaning")]
    pub(super) means: Spanned<Meaning>,
}

/// A status, or a class of them.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a status is a number from 100 to 599, or a class such as \"2xx\"")]
pub(super) enum StatusFile {
    /// One status.
    Exact(u16),
    /// A class, such as `2xx`.
    Class(String),
}

impl Reader<'_> {
    /// A rule as it is applied.
    pub(super) fn rule(&self, file: &ApiFile, rule: &ReplyFile) -> Result<ReplyRule, SourceError> {
        let says_nothing = rule.actions.is_none()
            && rule.status.is_none()
            && rule.matches.is_none()
            && rule.body.is_empty()
            && rule.lacks.is_empty()
            && rule.header.is_empty();
        if says_nothing {
            return Err(self
                .wrong(rule.means.span(), "a [[replies]] rule without a condition fits every reply")
                .help("give it a `status`, `body`, `lacks`, `header`, `matches` or `actions`"));
        }
        let verbs = |names: &Vec<Spanned<String>>| names.iter().map(|name| self.verb(file, name)).collect();
        let statuses = |all: &Vec<Spanned<StatusFile>>| all.iter().map(|status| self.status(status)).collect();
        let header = |(name, value): (&Spanned<String>, &Spanned<String>)| {
            Ok((self.header_called(name.get_ref(), name.span())?, value.get_ref().as_str().into()))
        };
        Ok(ReplyRule {
            line: self.source.line_of_header("[[replies]]", rule.means.span().start),
            to: rule.actions.as_ref().map(verbs).transpose()?,
            statuses: rule.status.as_ref().map(statuses).transpose()?,
            body: (rule.body.iter())
                .map(|(at, value)| Ok((self.json(at)?, value.clone())))
                .collect::<Result<_, SourceError>>()?,
            lacks: rule.lacks.iter().map(|at| self.json(at)).collect::<Result<_, _>>()?,
            headers: rule.header.iter().map(header).collect::<Result<_, SourceError>>()?,
            matches: rule.matches.as_ref().map(|text| self.regex(text.get_ref(), text.span())).transpose()?,
            means: *rule.means.get_ref(),
        })
    }

    /// The request that a rule calls `name`.
    fn verb(&self, file: &ApiFile, name: &Spanned<String>) -> Result<Verb, SourceError> {
        Ok(match name.get_ref().as_str() {
            "create" => Verb::Create,
            "read" => Verb::Read,
            "effects" => Verb::ListEffects,
            "events" => Verb::ListEvents,
            action if file.actions.contains_key(action) => Verb::Act(action.into()),
            unknown => {
                let known = file.actions.keys().map(|name| name.get_ref().as_str()).chain(RESERVED);
                return Err(self
                    .wrong(name.span(), format!("no action is called `{unknown}`"))
                    .suggest(unknown, known));
            }
        })
    }

    fn status(&self, status: &Spanned<StatusFile>) -> Result<StatusRange, SourceError> {
        let range = match status.get_ref() {
            StatusFile::Exact(code @ 100..=599) => Some(StatusRange(*code, *code)),
            StatusFile::Exact(_) => None,
            StatusFile::Class(class) => match class.as_bytes() {
                [digit @ b'1'..=b'5', b'x', b'x'] => {
                    let first = u16::from(digit - b'0') * 100;
                    Some(StatusRange(first, first + 99))
                }
                _ => None,
            },
        };
        range.ok_or_else(|| {
            self.wrong(status.span(), "a status is a number from 100 to 599, or a class such as \"2xx\"")
        })
    }
}
