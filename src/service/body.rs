//! Request bodies: a JSON object, or nothing, which is read as the empty object.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::problem::Problem;

/// A body that is a JSON object. Members that nobody asks for are ignored.
#[derive(Clone, Debug, Default)]
pub(super) struct JsonObject(Map<String, Value>);

impl JsonObject {
    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(_) => Err(Problem::malformed("the body must be a JSON object")),
            Err(error) => Err(Problem::malformed(format!("the body is not JSON: {error}"))),
        }
    }

    /// An optional string; `null` is as good as absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            // Kept by no database we know of (PostgreSQL refuses it), and of use to nobody.
            Some(Value::String(text)) if text.contains('\0') => {
                Err(Problem::invalid(format!("`{name}` must not contain the character U+0000")))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::malformed(format!("`{name}` must be a string"))),
        }
    }

    /// An optional whole number; `null` is as good as absent.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Problem> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                value.as_i64().map(Some).ok_or_else(|| Problem::malformed(format!("`{name}` must be a whole number")))
            }
        }
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&str, Problem> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    pub(super) fn required_integer(&self, name: &str) -> Result<i64, Problem> {
        self.integer(name)?.ok_or_else(|| missing(name))
    }

    /// The same text for the same content: members sorted at every depth, no white space.
    pub(super) fn canonical(&self) -> String {
        let mut sorted = Value::Object(self.0.clone());
        sorted.sort_all_objects();
        sorted.to_string()
    }
}

fn missing(name: &str) -> Problem {
    Problem::malformed(format!("`{name}` is missing from the body"))
}

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = says_json(request.headers());
        let bytes = Bytes::from_request(request, state).await?;
        if !bytes.is_empty() && !json {
            return Err(Problem::not_json());
        }
        Self::parse(&bytes)
    }
}

/// `application/json`, or any type with the suffix `+json`, whatever its parameters.
fn says_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.contains('/') && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_members_and_white_space_do_not_change_the_canonical_text() {
        let one = JsonObject::parse(br#"{"b":{"y":1,"x":[{"q":1,"p":2}]},"a":null}"#).unwrap();
        let two = JsonObject::parse(b"{ \"a\" : null,\n\"b\":{\"x\":[{\"p\":2,\"q\":1}],\"y\":1}}").unwrap();
        assert_eq!(one.canonical(), two.canonical());
        assert_eq!(one.canonical(), r#"{"a":null,"b":{"x":[{"p":2,"q":1}],"y":1}}"#);
    }

    #[test]
    fn no_body_and_an_empty_object_are_the_same() {
        for bytes in [&b""[..], b"  \n", b"{}"] {
            assert_eq!(JsonObject::parse(bytes).unwrap().canonical(), "{}");
        }
    }

    #[test]
    fn only_objects_are_bodies() {
        for bytes in [&b"{"[..], b"[]", b"1", b"{\"a\":}", b"\xff"] {
            assert!(JsonObject::parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_malformed() {
        let body = JsonObject::parse(br#"{"amount":"25000","rate":1.5,"payment_method":7}"#).unwrap();
        assert!(body.integer("amount").is_err());
        assert!(body.integer("rate").is_err());
        assert!(body.text("payment_method").is_err());
        assert!(body.required_text("reason").is_err());
        assert!(matches!(body.text("reason"), Ok(None)));
    }

    #[test]
    fn json_is_recognised_by_its_media_type() {
        for (value, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/merge-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(says_json(&headers), expected, "{value}");
        }
        assert!(!says_json(&HeaderMap::new()));
    }
}
