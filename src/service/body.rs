//! Request bodies: a JSON object, or nothing, which is read as the empty object.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::Service;
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

    /// The members that `T` asks for. An optional one may be absent, or `null`, which is as good.
    pub(super) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        T::deserialize(&self.0).map_err(|error| Problem::malformed(format!("the body is not what this takes: {error}")))
    }

    /// The same text for the same content: members sorted at every depth, no white space.
    pub(super) fn canonical(&self) -> String {
        let mut sorted = Value::Object(self.0.clone());
        sorted.sort_all_objects();
        sorted.to_string()
    }
}

/// A text as it was sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "U+0000 is refused.")]
pub(super) struct Text(#[schemars(regex(pattern = r"^[^\u0000]*$"))] String);

impl Text {
    /// The text, if it can be kept: U+0000 is kept by no database we know of (PostgreSQL refuses it), and of use to
    /// nobody.
    pub(super) fn keepable(self) -> Result<String, Problem> {
        if self.0.contains('\0') {
            return Err(Problem::invalid("a text must not contain the character U+0000"));
        }
        Ok(self.0)
    }
}

impl FromRequest<Arc<Service>> for JsonObject {
    type Rejection = Problem;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Problem> {
        if request.body().is_end_stream() {
            return Ok(Self::default());
        }
        let json = says_json(request.headers());
        let body = Limited::new(request.into_body(), service.config.body_limit).collect().await;
        let bytes = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Problem::body_too_large(service.config.body_limit),
            None => Problem::malformed("the body broke off before its end"),
        })?;
        let bytes = bytes.to_bytes();
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

/// A whole number as it was sent: `7`, and also `7.0`, which is the same number (RFC 8259 has no other kind, and JSON
/// Schema calls both integers).
#[derive(Debug, JsonSchema)]
#[schemars(inline, transparent)]
pub(super) struct Whole(i64);

impl Whole {
    pub(super) const fn number(&self) -> i64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Number::deserialize(deserializer)?;
        // A fraction leaves its digits behind the point, and an exponent beyond 64 bits does not fit: neither parses.
        let spelt_out = || sent.as_f64().and_then(|number| number.to_string().parse().ok());
        let whole = sent.as_i64().or_else(spelt_out);
        whole.map(Self).ok_or_else(|| Error::custom(format!("{sent} is not a whole number of 64 bits")))
    }
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

    #[derive(Debug, Deserialize)]
    struct Asked {
        amount: Option<Whole>,
        method: Option<Text>,
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_spelt() {
        for (spelt, expected) in [
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("-7.0e2", Some(-700)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("1e19", None),
            ("7.5", None),
            ("1e-9", None),
        ] {
            let body = JsonObject::parse(format!("{{\"amount\":{spelt}}}").as_bytes()).unwrap();
            let read = body.read::<Asked>().ok().and_then(|asked| asked.amount).map(|whole| whole.number());
            assert_eq!(read, expected, "{spelt}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_malformed() {
        for bytes in [&br#"{"amount":"25000"}"#[..], br#"{"amount":true}"#, br#"{"method":7}"#, br#"{"method":[]}"#] {
            assert!(JsonObject::parse(bytes).unwrap().read::<Asked>().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn null_is_as_good_as_absent_and_members_that_nobody_asks_for_are_ignored() {
        for bytes in [&b"{}"[..], br#"{"amount":null,"method":null}"#, br#"{"items":[1,2]}"#] {
            let body = JsonObject::parse(bytes).unwrap();
            let asked = body.read::<Asked>().unwrap();
            assert!(asked.amount.is_none() && asked.method.is_none(), "{asked:?}");
        }
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
