//! What a schema says of a value, `allOf` and references taken together; and the smallest value that it lets pass.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::document::Document;

/// Deeper than this nobody's member is looked for, and no example is made.
const DEEPEST: usize = 6;

/// A schema and all that is part of it.
#[derive(Debug, Default)]
pub(super) struct Schema<'a> {
    parts: Vec<&'a Value>,
    /// Its members, in the document's order.
    pub(super) properties: Vec<(&'a str, &'a Value)>,
    /// Those that must be there.
    pub(super) required: BTreeSet<&'a str>,
}

impl<'a> Schema<'a> {
    pub(super) fn of(document: &'a Document, value: &'a Value) -> Self {
        let mut schema = Self::default();
        schema.add(document, value, 0);
        schema
    }

    fn add(&mut self, document: &'a Document, value: &'a Value, depth: usize) {
        let value = document.resolved(value);
        if depth > DEEPEST || !value.is_object() {
            return;
        }
        self.parts.push(value);
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            if !self.properties.iter().any(|(own, _)| own == name) {
                self.properties.push((name, property));
            }
        }
        self.required.extend(value["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        for part in value["allOf"].as_array().into_iter().flatten() {
            self.add(document, part, depth + 1);
        }
        for choice in ["oneOf", "anyOf"] {
            let mut choices = value[choice].as_array().into_iter().flatten();
            if let Some(first) = choices.find(|one| document.resolved(one)["type"] != "null") {
                self.add(document, first, depth + 1);
            }
        }
    }

    /// What the first part that has this keyword says.
    pub(super) fn keyword(&self, name: &str) -> Option<&'a Value> {
        self.parts.iter().find_map(|part| part.get(name))
    }

    /// Its type; the first that is not null, where there are several.
    pub(super) fn kind(&self) -> Option<&'a str> {
        match self.keyword("type")? {
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
            kind => kind.as_str(),
        }
    }

    /// The texts that it may be.
    pub(super) fn choices(&self) -> Vec<&'a str> {
        let all = self.keyword("enum").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).filter(|text| !text.is_empty()).collect()
    }

    /// Whether any text will do: nothing says how it must look.
    pub(super) fn is_free_text(&self) -> bool {
        let is_long = |limit: &Value| limit.as_u64().is_none_or(|limit| limit >= 40);
        self.kind() == Some("string")
            && ["enum", "const", "format", "pattern"].iter().all(|keyword| self.keyword(keyword).is_none())
            && self.keyword("maxLength").is_none_or(is_long)
    }

    /// A member of that name.
    pub(super) fn property(&self, name: &str) -> Option<&'a Value> {
        self.properties.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }

    /// Where the first member is that `is_it`, nearest to the top: a JSON Pointer.
    pub(super) fn find(
        &self,
        document: &'a Document,
        is_it: &dyn Fn(&str, &Schema<'a>) -> bool,
    ) -> Option<(String, Schema<'a>)> {
        let mut nested = Vec::new();
        for (name, value) in &self.properties {
            let schema = Schema::of(document, value);
            if is_it(name, &schema) {
                return Some((format!("/{}", escaped(name)), schema));
            }
            nested.push((name, schema));
        }
        // One level deeper: {"data": {"id": …}}.
        for (outer, schema) in nested {
            for (name, value) in &schema.properties {
                let inner = Schema::of(document, value);
                if is_it(name, &inner) {
                    return Some((format!("/{}/{}", escaped(outer), escaped(name)), inner));
                }
            }
        }
        None
    }
}

/// A name as a token of a JSON Pointer (RFC 6901 §3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The smallest value that the schema lets pass, as far as that can be told. Texts that may be anything are `{unique}`: so
/// these are templates of a description, and braces of the document's own are doubled.
pub(super) fn sample(document: &Document, value: &Value) -> Value {
    sample_at(document, value, 0)
}

fn sample_at(document: &Document, value: &Value, depth: usize) -> Value {
    let schema = Schema::of(document, value);
    if let Some(told) = told(&schema) {
        return doubled(told);
    }
    match schema.kind() {
        Some("integer" | "number") => number(&schema),
        Some("boolean") => Value::Bool(true),
        Some("array") => {
            let least = schema.keyword("minItems").and_then(Value::as_u64).unwrap_or(0);
            let item = schema.keyword("items").filter(|_| least > 0 && depth < DEEPEST);
            Value::Array(item.map(|item| sample_at(document, item, depth + 1)).into_iter().collect())
        }
        Some("string") => text(&schema),
        _ => {
            let mut members = Map::new();
            for (name, property) in &schema.properties {
                if depth < DEEPEST && schema.required.contains(name) {
                    members.insert((*name).to_owned(), sample_at(document, property, depth + 1));
                }
            }
            Value::Object(members)
        }
    }
}

/// What the document itself says that it may be.
fn told<'a>(schema: &Schema<'a>) -> Option<&'a Value> {
    let first = |name: &str| schema.keyword(name).and_then(Value::as_array).and_then(|all| all.first());
    let told = schema.keyword("const").or_else(|| schema.keyword("example")).or_else(|| first("examples"));
    told.or_else(|| schema.keyword("default")).or_else(|| first("enum")).filter(|value| !value.is_null())
}

fn number(schema: &Schema<'_>) -> Value {
    let least = schema.keyword("minimum").and_then(Value::as_i64);
    let above = schema.keyword("exclusiveMinimum").and_then(Value::as_i64).map(|above| above.saturating_add(1));
    json!(least.or(above).unwrap_or(1).max(1))
}

fn text(schema: &Schema<'_>) -> Value {
    let format = schema.keyword("format").and_then(Value::as_str);
    json!(match format {
        Some("date-time") => "2030-01-01T00:00:00Z",
        Some("date") => "2030-01-01",
        Some("time") => "12:00:00Z",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some("email") => "{unique}@example.com",
        Some("uri" | "url") => "https://example.com/{unique}",
        _ if schema.keyword("maxLength").and_then(Value::as_u64).is_some_and(|most| most < 40) => "x",
        _ => "{unique}",
    })
}

/// The document's own texts, with braces that are no holes.
pub(super) fn doubled(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('{', "{{").replace('}', "}}")),
        Value::Array(items) => items.iter().map(doubled).collect(),
        Value::Object(members) => members.iter().map(|(name, item)| (name.clone(), doubled(item))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
