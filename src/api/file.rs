//! Reading an API description from TOML: shape first (serde), then sense, each mistake with its place.

mod actors;
mod model;
mod place;
mod rules;
mod settle;
mod shape;
mod spoken;

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Api;
use super::model::Needs;
use crate::source::{Source, SourceError};
pub(super) use shape::ApiFile;
use shape::{ActorFile, LoginFile, Texts};

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/api@1";
/// Who asks, where a description has no actors.
const ONLY_ACTOR: &str = "client";

/// Reads `text`.
pub(super) fn parse(name: &str, text: &str) -> Result<Api, SourceError> {
    let source = Source::new(name, text);
    let file: ApiFile = source.parse()?;
    let reader = Reader { source: &source, actors: file.actors.keys().cloned().collect() };
    reader.schema(&file.schema)?;
    reader.name(&file.name)?;
    let model = reader.model(&file)?;
    let dialect = reader.dialect(&file)?;
    let saved = masked(text, &file);
    Ok(Api {
        name: file.name.get_ref().as_str().into(),
        summary: file.summary.into(),
        source: saved.into(),
        model,
        dialect,
    })
}

/// The text with the values of all headers and proofs masked, but for `*`: they may be credentials, and the text goes into every
/// history.
/// (A template that names a variable of the environment holds no secret itself, and stays.)
fn masked(text: &str, file: &ApiFile) -> String {
    let mut spans = spans_in_login_bodies(text);
    let mut mask = |value: &Spanned<String>| {
        if !refers(value.get_ref()) {
            spans.push(value.span());
        }
    };
    let of_requests = (file.create.iter().map(|create| &create.headers))
        .chain(file.read.iter().map(|read| &read.headers))
        .chain(file.views.values().map(|view| &view.headers))
        .chain(file.effects.iter().chain(&file.events).map(|list| &list.headers));
    let of_actions = file.actions.values().map(|action| &action.headers);
    let of_actors = file.actors.values().map(|actor| &actor.headers);
    let of_headers = of_requests.chain(of_actions).chain(of_actors).flat_map(Texts::values);
    // `If-None-Match: *` (RFC 9110 §13.1.2) is no secret, and says what the request is about.
    of_headers.filter(|value| value.get_ref() != "*").for_each(&mut mask);
    for ActorFile { bearer, basic, mint, login, .. } in file.actors.values() {
        let of_basic = basic.iter().map(|basic| &basic.password);
        bearer.iter().chain(of_basic).chain(mint.iter().map(|mint| &mint.secret)).for_each(&mut mask);
        for login in login.iter().map(LoginFile::parts) {
            login.headers.values().chain(login.query.values()).for_each(&mut mask);
            login.form.into_iter().flat_map(Texts::values).chain(login.raw).for_each(&mut mask);
        }
    }
    spans.sort_by_key(|span| span.start);
    let mut masked = text.to_owned();
    for span in spans.into_iter().rev() {
        masked.replace_range(span, "\"(masked)\"");
    }
    masked
}

fn refers(text: &str) -> bool {
    text.contains("{env:")
}

/// Where each value stands that a login's body says. (A body may be written in one place, as a table of its own or key by key.)
fn spans_in_login_bodies(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let Ok(file) = DeTable::parse(text) else { return spans };
    let actors = file.get_ref().get("actors").and_then(|actors| actors.get_ref().as_table());
    let actors = actors.into_iter().flat_map(DeTable::values).filter_map(|actor| actor.get_ref().as_table());
    for body in actors.filter_map(|actor| actor.get("login")?.get_ref().as_table()?.get("body")) {
        spans_of_values(body, &mut spans);
    }
    spans
}

fn spans_of_values(value: &Spanned<DeValue<'_>>, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(entries) => entries.values().for_each(|entry| spans_of_values(entry, spans)),
        DeValue::Array(items) => items.iter().for_each(|item| spans_of_values(item, spans)),
        DeValue::String(text) if refers(text) => {}
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            spans.push(value.span());
        }
    }
}

/// What every part of the reading needs.
struct Reader<'a> {
    source: &'a Source<'a>,
    actors: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        self.source.wrong(span, message)
    }

    fn schema(&self, schema: &Spanned<String>) -> Result<(), SourceError> {
        if schema.get_ref() == SCHEMA {
            return Ok(());
        }
        let message = format!("unknown schema `{}`", schema.get_ref());
        Err(self.wrong(schema.span(), message).help(format!("this version reads `{SCHEMA}`")))
    }

    fn name(&self, name: &Spanned<String>) -> Result<(), SourceError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.get_ref().is_empty() && name.get_ref().chars().all(plain) {
            return Ok(());
        }
        Err(self.wrong(name.span(), "a name is made of lower-case letters, digits and dashes"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Api;

    #[test]
    fn a_promise_that_makes_no_sense_is_named_where_it_stands() {
        let valid = include_str!("../../scenarios/apis/quickeats-v2.toml");
        for (from, to, expected) in [
            ("only = \"role\"", "only = \"owner\"", "`creator`"),
            ("replay = \"stored\"", "replay = \"same\"", "`stored`"),
            ("reuse = \"refused\"", "reuse = \"409\"", "`refused`"),
            ("aside = true", "aside = \"v1\"", "boolean"),
            ("amount = \"/amount\"", "amount = \"amount\"", "did you mean `/amount`?"),
            ("[actions.rejection]", "[actions.read]", "an action cannot be called `read`"),
            ("[actions.rejection]", "[actions.create]", "an action cannot be called `create`"),
            ("[idempotency]", "[idempotence]", "idempotence"),
        ] {
            assert!(valid.contains(from), "{from}");
            let error = Api::parse("mine.toml", &valid.replacen(from, to, 1)).unwrap_err();
            let shown = error.to_string();
            assert!(error.place.is_some() && shown.contains(expected), "{to}: {shown}");
        }
    }

    #[test]
    fn a_key_that_is_sent_must_have_a_header() {
        let valid = include_str!("../../scenarios/apis/quickeats-v1.toml");
        let keyed = valid.replacen("[create]", "[create]\nidempotency_key = true", 1);
        let error = Api::parse("mine.toml", &keyed).unwrap_err().to_string();
        assert!(error.contains("there is no [idempotency] table"), "{error}");
    }
}
