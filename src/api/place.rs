//! Places: where in a reply something stands.
//!
//! ```toml
//! id = "/order/id"                                          # a JSON Pointer (RFC 6901)
//! state = "$.items[0].status"                               # a JSONPath (RFC 9535): its first node
//! id = { header = "Location", regex = "/orders/([^/]+)$" }  # a header, and what the regex's first group matches of it
//! value = { body = true, decode = "base64" }                # the whole body, decoded
//! token = ["/_rev", "/rev"]                                 # the first of them that is there
//! ```

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::exchange::Response;

/// What is longer than this is not taken from a reply (bytes).
pub(super) const LONGEST: usize = 1024;

/// A JSON Pointer (RFC 6901), checked when it was read.
pub(super) type Pointer = Arc<str>;

/// Where in a reply something stands: the first of these that holds anything.
#[derive(Debug, Clone)]
pub(super) struct Place(pub(super) Vec<Spot>);

/// One spot, and what is made of what stands there.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) at: Source,
    /// Only what this matches: its first group, if it has one.
    pub(super) regex: Option<Regex>,
    /// Whether what stands there is Base64 (RFC 4648 §4).
    pub(super) is_base64: bool,
}

/// Where one spot is.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Pointer(Pointer),
    Path(Box<JsonPath>, Arc<str>),
    Header(Arc<str>),
    Body,
}

/// A reply as places see it.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) response: &'a Response,
    /// The body, if it is JSON.
    pub(super) json: Option<&'a Value>,
}

impl Place {
    /// The text there: a string, or a number or truth value in its shortest form. Not one that is empty or absurdly long.
    pub(super) fn text(&self, sight: Sight<'_>) -> Option<Arc<str>> {
        self.0.iter().find_map(|spot| spot.text(sight))
    }

    /// Whether anything stands there that is not a way to say no: `false`, zero, nothing, or nothing in a list or an object.
    pub(super) fn is_something(&self, sight: Sight<'_>) -> bool {
        self.0.iter().any(|spot| match (sight.json.and_then(|json| spot.at.node(json)), spot.taken(sight)) {
            (_, Taken::Text(text)) => !matches!(&*text, "" | "false" | "0"),
            (Some(Value::Array(items)), _) => !items.is_empty(),
            (Some(Value::Object(members)), _) => !members.is_empty(),
            (_, Taken::Nothing | Taken::NotEncoded | Taken::Unmatched) => false,
        })
    }

    /// The whole number there, also one that is written as a string.
    pub(super) fn integer(&self, sight: Sight<'_>) -> Option<i64> {
        self.text(sight)?.parse().ok()
    }

    /// The whole number there, if it is not below zero.
    pub(super) fn natural(&self, sight: Sight<'_>) -> Option<u64> {
        self.text(sight)?.parse().ok()
    }

    /// Whether every one of its spots is in a JSON body.
    pub(super) fn is_json(&self) -> bool {
        self.0.iter().all(|spot| matches!(spot.at, Source::Pointer(_) | Source::Path(..)))
    }

    /// The header it is, if it is one and nothing else.
    pub(super) fn header(&self) -> Option<&str> {
        match &self.0[..] {
            [Spot { at: Source::Header(name), .. }] => Some(name),
            _ => None,
        }
    }
}

/// The text of a JSON value, by the rules of [`Place::text`].
pub(super) fn text_of(value: &Value) -> Option<Arc<str>> {
    scalar(value).filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pointer(text) | Self::Path(_, text) => write!(f, "`{text}`"),
            Self::Header(name) => write!(f, "the header `{name}`"),
            Self::Body => write!(f, "the body"),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, spot) in self.0.iter().enumerate() {
            let or = if index == 0 { "" } else { " or " };
            write!(f, "{or}{}", spot.at)?;
            if let Some(regex) = &spot.regex {
                write!(f, " matched by `{regex}`")?;
            }
        }
        Ok(())
    }
}

/// What a spot takes from a reply.
pub(super) enum Taken {
    /// Nothing is there.
    Nothing,
    /// What is there is not the Base64 of a text.
    NotEncoded,
    /// The regex matches nothing in it.
    Unmatched,
    /// This, which may be too long or empty.
    Text(Arc<str>),
}

impl Spot {
    fn text(&self, sight: Sight<'_>) -> Option<Arc<str>> {
        match self.taken(sight) {
            Taken::Text(found) => Some(found).filter(|found| !found.is_empty() && found.len() <= LONGEST),
            Taken::Nothing | Taken::NotEncoded | Taken::Unmatched => None,
        }
    }

    /// What it takes, or why it does not.
    pub(super) fn taken(&self, sight: Sight<'_>) -> Taken {
        let Some(found) = self.source(sight) else { return Taken::Nothing };
        let decoded = || String::from_utf8(STANDARD.decode(found.trim_end()).ok()?).ok();
        let found = match self.is_base64.then(decoded) {
            None => found,
            Some(None) => return Taken::NotEncoded,
            Some(Some(text)) => text.into(),
        };
        let Some(regex) = &self.regex else { return Taken::Text(found) };
        let matched = regex.captures(&found).and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
        matched.map_or(Taken::Unmatched, |group| Taken::Text(group.as_str().into()))
    }

    fn source(&self, sight: Sight<'_>) -> Option<Arc<str>> {
        Some(match &self.at {
            Source::Header(name) => Arc::clone(sight.response.header(name)?),
            // What is not UTF-8 is no text, and no two such bodies may pass for one.
            Source::Body => std::str::from_utf8(&sight.response.body).ok()?.into(),
            Source::Pointer(_) | Source::Path(..) => scalar(self.at.node(sight.json?)?)?,
        })
    }
}

impl Source {
    /// The JSON that stands there; none for what is not in a body.
    pub(super) fn node<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        match self {
            Self::Pointer(pointer) => json.pointer(pointer),
            Self::Path(path, _) => path.query(json).first(),
            Self::Header(_) | Self::Body => None,
        }
    }
}

fn scalar(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::String(text) => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Api;

    fn found(place: &str, headers: &[(&str, &str)], body: &str) -> Option<String> {
        let text = format!(
            "schema = \"quickeats-bench/api@1\"\nname = \"x\"\nsummary = \"\"\nmodel = \"register\"\n[resource]\nname = \"x\"\nid = {place}\nvalue = \"/v\"\n\
             [create]\nmethod = \"POST\"\npath = \"/\"\n[read]\nmethod = \"GET\"\npath = \"/{{id}}\"\n[actions.put]\nmethod = \"PUT\"\npath = \"/{{id}}\"\nbody = {{ v = \"{{value}}\" }}\nwrites = \"value\"\n"
        );
        let api = Api::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        let response = Response {
            status: 200,
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.to_owned().into(),
        };
        let json = serde_json::from_str(body).ok();
        let place = api.dialect.id.place().unwrap();
        place.text(Sight { response: &response, json: json.as_ref() }).map(|text| text.to_string())
    }

    #[test]
    fn json_headers_and_bodies_have_places() {
        let body = r#"{"a":{"b":[7,"x",true]},"e":"","n":null}"#;
        for (place, expected) in [
            (r#""/a/b/0""#, Some("7")),
            (r#""/a/b/1""#, Some("x")),
            (r#""/a/b/2""#, Some("true")),
            (r#""/a""#, None),
            (r#""/e""#, None),
            (r#""/n""#, None),
            (r#""$.a.b[1]""#, Some("x")),
            (r#""$..b[?@ == 'x']""#, Some("x")),
            (r#"{ json = "/a/b/0" }"#, Some("7")),
            (r#"["/rev", "/a/b/1"]"#, Some("x")),
            (r#"{ header = "Location", regex = "/orders/([^/]+)$" }"#, Some("o-1")),
            (r#"{ header = "location", regex = "orders" }"#, Some("orders")),
            (r#"{ header = "Location", regex = "/carts/" }"#, None),
            (r#"{ header = "ETag" }"#, None),
        ] {
            assert_eq!(found(place, &[("location", "http://h/orders/o-1")], body).as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn what_says_no_is_nothing() {
        for (place, body, expected) in [
            ("/more", r#"{"more":true}"#, true),
            ("/more", r#"{"more":false}"#, false),
            ("/more", r#"{"more":null}"#, false),
            ("/more", r#"{"more":0}"#, false),
            ("/more", r#"{"more":"","next":"x"}"#, false),
            ("/more", r#"{"next":"x"}"#, false),
            ("/next", r#"{"next":{"href":"/page/2"}}"#, true),
            ("/next", r#"{"next":{}}"#, false),
            ("/next", r#"{"next":["a"]}"#, true),
        ] {
            let response = Response { status: 200, headers: Vec::new(), body: body.to_owned().into() };
            let json = serde_json::from_str(body).ok();
            let spot = Spot { at: Source::Pointer(place.into()), regex: None, is_base64: false };
            let sight = Sight { response: &response, json: json.as_ref() };
            assert_eq!(Place(vec![spot]).is_something(sight), expected, "{place} of {body}");
        }
        // A cursor that is too long to be taken for a text is something all the same.
        let response = Response {
            status: 200,
            headers: vec![("link".into(), "x".repeat(LONGEST + 1).into())],
            body: Vec::new().into(),
        };
        let spot = Spot { at: Source::Header("link".into()), regex: None, is_base64: false };
        assert!(Place(vec![spot]).is_something(Sight { response: &response, json: None }));
    }

    #[test]
    fn a_body_may_be_text_or_encoded_and_never_too_long() {
        assert_eq!(found("{ body = true }", &[], "hello").as_deref(), Some("hello"));
        assert_eq!(found("{ body = true, decode = \"base64\" }", &[], "aGVsbG8=\n").as_deref(), Some("hello"));
        assert_eq!(found("{ body = true, decode = \"base64\" }", &[], "?"), None);
        assert_eq!(found("{ body = true }", &[], &"x".repeat(LONGEST + 1)), None);
        assert_eq!(found("{ body = true, regex = \"x{3}\" }", &[], &"x".repeat(LONGEST + 1)).as_deref(), Some("xxx"));
    }
}
