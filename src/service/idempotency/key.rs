//! What a request's `Idempotency-Key` says, and what it is a key to.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use super::super::body::JsonObject;
use super::super::identity::Principal;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_KEY: usize = 255;

/// The header is there, and is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Idempotency-Key must be a single string of 1 to 255 visible ASCII characters, in double quotes or bare")]
pub(in super::super) struct MalformedKey;

/// A key, and whose it is: another caller's same key is another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) struct CallerKey {
    caller: String,
    key: String,
}

impl CallerKey {
    pub(in super::super) fn new(caller: impl Into<String>, key: impl Into<String>) -> Self {
        Self { caller: caller.into(), key: key.into() }
    }

    pub(in super::super) fn caller(&self) -> &str {
        &self.caller
    }

    pub(in super::super) fn key(&self) -> &str {
        &self.key
    }
}

/// What was asked for: method, path and canonical body.
///
/// Kept as text and not as a hash: a body has 64 KiB at most, and equality is then exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Fingerprint(String);

impl Fingerprint {
    pub(in super::super) fn of(method: &str, path: impl fmt::Display, body: &JsonObject) -> Self {
        Self(format!("{method} {path}\n{}", body.canonical()))
    }

    /// One that was kept as text.
    pub(in super::super) const fn from_text(text: String) -> Self {
        Self(text)
    }

    pub(in super::super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an idempotency key makes of a request: something that can be recognised when it comes again.
#[derive(Clone, Debug)]
pub(in super::super) struct Keyed {
    pub(in super::super) key: Arc<CallerKey>,
    pub(in super::super) fingerprint: Fingerprint,
}

impl Keyed {
    /// Reads the key of `caller`'s request; none where there is no such header.
    pub(in super::super) fn from_headers(
        headers: &HeaderMap,
        caller: &Principal,
        fingerprint: impl FnOnce() -> Fingerprint,
    ) -> Result<Option<Self>, MalformedKey> {
        let mut lines = headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(line) = lines.next() else {
            return Ok(None);
        };
        if lines.next().is_some() {
            return Err(MalformedKey);
        }
        let key = parse_key(line.to_str().map_err(|_| MalformedKey)?)?;
        Ok(Some(Self { key: Arc::new(CallerKey::new(caller.to_string(), key)), fingerprint: fingerprint() }))
    }
}

/// A quoted string with optional parameters (RFC 8941 §3.3.3), or the same characters bare.
fn parse_key(field: &str) -> Result<String, MalformedKey> {
    let field = field.trim_matches([' ', '\t']);
    let key = match field.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => field.to_owned(),
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=LONGEST_KEY).contains(&key.len()) { Ok(key) } else { Err(MalformedKey) }
}

/// The string that `quoted` starts with, its opening quote taken off already. Parameters after it say nothing to us.
fn unquote(quoted: &str) -> Result<String, MalformedKey> {
    let mut key = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next().ok_or(MalformedKey)? {
            '"' => break,
            '\\' => match characters.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                Some(_) | None => return Err(MalformedKey),
            },
            plain => key.push(plain),
        }
    }
    let rest = characters.as_str();
    if rest.is_empty() || rest.starts_with(';') { Ok(key) } else { Err(MalformedKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_are_one_key() {
        for spelling in ["k-1", "\"k-1\"", " k-1\t", "\"k-1\";a=1", "\"k-1\"; a"] {
            assert_eq!(parse_key(spelling), Ok("k-1".to_owned()), "{spelling}");
        }
        assert_eq!(parse_key(r#""a\"b\\c""#), Ok(r#"a"b\c"#.to_owned()));
        assert_eq!(parse_key(&"x".repeat(255)), Ok("x".repeat(255)));
    }

    #[test]
    fn what_is_no_single_visible_string_is_malformed() {
        let too_long = "x".repeat(256);
        for field in ["", "\"\"", "\"open", "\"a\" \"b\"", "\"a\", \"b\"", "\"a b\"", "a b", "é", "\"a\\b\"", &too_long]
        {
            assert_eq!(parse_key(field), Err(MalformedKey), "{field}");
        }
    }
}
