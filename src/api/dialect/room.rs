//! Whether a request has room for its version token or key. What is put into a JSON body needs one that is an object, all the way
//! to its place; what has none would be left out, and the history would tell of a request that nobody sent.

use serde_json::Value;

use super::Dialect;
use super::asking::{BodyTemplate, JsonTemplate, RequestTemplate, Send};
use crate::api::template::{Hole, Template};
use crate::history::Verb;

impl RequestTemplate {
    /// What keeps `hole` from being said, in words that follow "its body is"; `body` stands for the described one, where a
    /// scenario has its own.
    pub(in crate::api) fn lacks_room(
        &self,
        hole: &Hole,
        send: Option<&Send>,
        body: Option<&Value>,
    ) -> Option<&'static str> {
        let says = |template: &Template| template.has(hole);
        let mut says_itself = says(&self.path) || self.query.iter().chain(&self.headers).any(|(_, value)| says(value));
        if let (Some(described), None) = (&self.body, body) {
            described.templates(&mut |template| says_itself |= says(template));
        }
        match (send, body, &self.body) {
            _ if says_itself => None,
            (None, ..) => Some("another than the one that says it"),
            (Some(Send::Header(_) | Send::Query(_)), ..) | (Some(Send::Body(_)), None, None) => None,
            (Some(Send::Body(at)), Some(body), _) => (!leads(body, at, member_of_value)).then_some(NO_OBJECT),
            (Some(Send::Body(at)), None, Some(BodyTemplate::Json(body))) => {
                (!leads(body, at, member_of_template)).then_some(NO_OBJECT)
            }
            (Some(Send::Body(_)), None, Some(BodyTemplate::Form(_))) => Some("a form"),
            (Some(Send::Body(_)), None, Some(BodyTemplate::Raw(..))) => Some("a text of its own"),
        }
    }
}

const NO_OBJECT: &str = "no JSON object on the way to that place";

/// What stands at a member of JSON: nothing where it is free, and an error where this is no object.
type Member<'a, T> = Result<Option<&'a T>, ()>;

/// Whether there are objects, or nothing yet, on the way to the place `at`.
fn leads<'a, T>(json: &'a T, at: &str, member: impl Fn(&'a T, &str) -> Member<'a, T>) -> bool {
    let mut here = json;
    for part in at.split('/').skip(1) {
        match member(here, &unescaped(part)) {
            Ok(Some(next)) => here = next,
            Ok(None) => return true,
            Err(()) => return false,
        }
    }
    true
}

fn member_of_value<'a>(json: &'a Value, name: &str) -> Member<'a, Value> {
    json.as_object().map(|entries| entries.get(name)).ok_or(())
}

fn member_of_template<'a>(json: &'a JsonTemplate, name: &str) -> Member<'a, JsonTemplate> {
    let JsonTemplate::Table(entries) = json else { return Err(()) };
    Ok(entries.iter().find(|(own, _)| own == name).map(|(_, item)| item))
}

/// A part of a JSON Pointer as the name that it stands for (RFC 6901 §4).
pub(super) fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

impl Dialect {
    /// What keeps a request for `verb` from saying its version token, if it has `body` instead of the described one; in words
    /// that follow "its body is".
    pub fn lacks_room_for_token(&self, verb: &Verb, body: &Value) -> Option<&'static str> {
        let send = self.token.as_ref().and_then(|token| token.send.as_ref());
        self.template(verb).lacks_room(&Hole::Token, send, Some(body))
    }

    /// The same for its idempotency key.
    pub fn lacks_room_for_key(&self, verb: &Verb, body: &Value) -> Option<&'static str> {
        let send = self.idempotency.as_ref().and_then(|keys| keys.send.as_ref());
        self.template(verb).lacks_room(&Hole::Key, send, Some(body))
    }
}
