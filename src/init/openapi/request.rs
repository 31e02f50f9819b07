//! A request of a description, drawn from an operation.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::model::key_header;
use super::operation::{Body, Operation};
use super::page::{Page, inline, key, quoted};
use super::resource::is_parameter;
use super::schema::{doubled, sample};

/// What a description says elsewhere, or the connection does.
const NOT_HERE: [&str; 12] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "if-match",
    "if-none-match",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What a path of a description must not have.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'#').add(b'"').add(b'<').add(b'>').add(b'{').add(b'}').add(b'?');

/// A request to be written.
#[derive(Debug)]
pub(super) struct Request<'r, 'a> {
    pub(super) operation: &'r Operation<'a>,
    /// The path of the resource, whose last part is its id.
    pub(super) item: &'r str,
    /// What the body says at these members, instead of what the document says.
    pub(super) says: Vec<(&'r str, Value)>,
    /// Headers beside those that the document requires.
    pub(super) headers: Vec<(&'r str, &'r str)>,
}

impl Request<'_, '_> {
    pub(super) fn write(&self, page: &mut Page) {
        let operation = self.operation;
        page.line(&format!("method = {}", quoted(operation.method)));
        self.write_path(page);
        self.write_query(page);
        self.write_headers(page);
        self.write_body(page);
        if key_header(operation).is_some() {
            page.guess("idempotency_key = true", "it takes the header");
        }
    }

    fn write_path(&self, page: &mut Page) {
        let own = self.item.split('/').filter(|part| !part.is_empty()).count();
        let mut asked = BTreeSet::new();
        let parts: Vec<String> = (self.operation.path.split('/').filter(|part| !part.is_empty()).enumerate())
            .map(|(index, part)| {
                let (name, verb) = part.split_once("}:").map_or((part, None), |(name, verb)| (name, Some(verb)));
                let is_hole = name.starts_with('{') && (verb.is_some() || is_parameter(part));
                let text = match is_hole {
                    true if index + 1 == own
                        && is_parameter(self.item.rsplit('/').find(|part| !part.is_empty()).unwrap_or("")) =>
                    {
                        "{id}".to_owned()
                    }
                    true => {
                        let name = name.trim_matches(['{', '}']);
                        asked.insert(name.to_owned());
                        encoded(&self.example("path", name).unwrap_or_else(|| "1".to_owned()))
                    }
                    false => encoded(part),
                };
                verb.map_or(text.clone(), |verb| format!("{text}:{}", encoded(verb)))
            })
            .collect();
        let slash = if self.operation.path.len() > 1 && self.operation.path.ends_with('/') { "/" } else { "" };
        let line = format!("path = {}", quoted(&format!("/{}{slash}", parts.join("/"))));
        if asked.is_empty() {
            page.line(&line);
        } else {
            let names = asked.into_iter().collect::<Vec<_>>().join(", ");
            page.ask(&line, &format!("which {names} is there on the test server?"));
        }
    }

    /// An example for a parameter, in a text.
    fn example(&self, kind: &'static str, name: &str) -> Option<String> {
        let (_, parameter) = self.operation.named(kind).find(|(own, _)| *own == name)?;
        let value = match parameter.get("example") {
            Some(example) => doubled(example),
            None => sample(self.operation.document, &parameter["schema"]),
        };
        text(&value).filter(|text| !text.is_empty())
    }

    fn required(&self, kind: &'static str) -> Vec<(&str, String)> {
        let mut all: Vec<(&str, String)> = Vec::new();
        for (name, parameter) in self.operation.named(kind) {
            let is_known = all.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            if parameter["required"] == true && !is_known {
                all.push((name, self.example(kind, name).unwrap_or_else(|| "1".to_owned())));
            }
        }
        all
    }

    fn write_query(&self, page: &mut Page) {
        let query = self.required("query");
        if !query.is_empty() {
            page.guess(&format!("query = {}", table(&query)), "the document requires it");
        }
    }

    fn write_headers(&self, page: &mut Page) {
        let mut headers = self.required("header");
        let own_key = key_header(self.operation);
        headers.retain(|(name, value)| {
            let lower = name.to_ascii_lowercase();
            let is_sendable = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
                && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            is_sendable && !NOT_HERE.contains(&lower.as_str()) && Some(*name) != own_key
        });
        headers.extend(self.headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        if !headers.is_empty() {
            page.guess(&format!("headers = {}", table(&headers)), "the document has it");
        }
    }

    fn write_body(&self, page: &mut Page) {
        match self.operation.body() {
            Body::None if self.says.is_empty() => {}
            Body::None => {
                page.guess(&format!("body = {}", inline(&self.said(Map::new()))), "the document describes no body");
            }
            Body::Json(media) => {
                let (value, why) = self.body_of(media);
                let value = match value {
                    Value::Object(members) => self.said(members),
                    other if self.says.is_empty() => other,
                    _ => self.said(Map::new()),
                };
                page.guess(&format!("body = {}", inline(&value)), why);
            }
            Body::Form(media) => {
                let (value, why) = self.body_of(media);
                let members = value.as_object().cloned().unwrap_or_default();
                let members = self.said(members);
                let texts = members.as_object().into_iter().flatten();
                let texts: Vec<_> = texts.filter_map(|(name, value)| Some((name.as_str(), text(value)?))).collect();
                page.guess(&format!("form = {}", table(&texts)), why);
            }
            Body::Other(media) => {
                page.ask("body = {}", &format!("the document wants {media}: say it as `raw` with its `content_type`"));
            }
        }
    }

    /// An example of the body.
    fn body_of(&self, media: &Value) -> (Value, &'static str) {
        let document = self.operation.document;
        let of_several = media["examples"].as_object().and_then(|all| all.values().next());
        let example = media.get("example").or_else(|| of_several.map(|one| &document.resolved(one)["value"]));
        match example.filter(|value| !value.is_null()) {
            Some(example) => (doubled(example), "the document's example"),
            None => (sample(document, &media["schema"]), "what the document requires"),
        }
    }

    fn said(&self, mut members: Map<String, Value>) -> Value {
        for (name, value) in &self.says {
            members.insert((*name).to_owned(), value.clone());
        }
        json!(members)
    }
}

/// A path without holes of ours, as a description may say it.
pub(super) fn literal(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_PATHS).to_string()
}

fn encoded(text: &str) -> String {
    // (A hole of a template stands as it is.)
    let keeps_holes = |part: &str| utf8_percent_encode(part, NOT_IN_PATHS).to_string();
    text.split("{unique}").map(keeps_holes).collect::<Vec<_>>().join("{unique}")
}

/// A value as a query, a header or a form says it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
    }
}

pub(super) fn table(entries: &[(&str, String)]) -> String {
    let entries: Vec<String> =
        entries.iter().map(|(name, value)| format!("{} = {}", key(name), quoted(value))).collect();
    format!("{{ {} }}", entries.join(", "))
}
