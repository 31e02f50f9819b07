//! Reading replies: from a response to an outcome. Total: whatever bytes a server sends become one, and what cannot be read
//! is `Unknown`, never success and never a refusal.

use std::sync::Arc;

use serde_json::Value;

use super::{Dialect, LONGEST_NAME, ListDialect, MOST_RECORDS, Pointer, ReplyRule, StatusRange};
use crate::api::exchange::Response;
use crate::api::server_timing;
use crate::history::{Cause, Digest, Meaning, Outcome, Record, Reply, Verb};
use crate::text::harmless;

impl Dialect {
    /// What `response` to `verb` says.
    pub fn read(&self, verb: &Verb, response: &Response) -> Outcome {
        let status = response.status;
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let Some(meaning) = self.meaning(response, body.as_ref()) else {
            return Outcome::Unknown(Cause::Status(status));
        };
        let mut reply = Reply::new(status, meaning);
        reply.arrived = server_timing::arrival(&response.headers);
        if meaning.is_refusal() || meaning.is_open() {
            return Outcome::Answered(reply);
        }
        match self.fill_reply(&mut reply, verb, response, body) {
            Ok(()) => Outcome::Answered(reply),
            Err(detail) => Outcome::Unknown(Cause::Unreadable { status, detail }),
        }
    }

    /// The first rule that fits, else what HTTP says; `None` leaves open whether the work was done.
    fn meaning(&self, response: &Response, body: Option<&Value>) -> Option<Meaning> {
        let status = response.status;
        let rule = self.rules.iter().find(|rule| rule.fits(status, body));
        let meaning = match rule {
            Some(rule) => rule.means,
            None => standard_meaning(status)?,
        };
        let replayed = (self.idempotency.as_ref())
            .and_then(|dialect| dialect.replayed_header.as_ref())
            .and_then(|name| response.header(name))
            .is_some_and(|value| !value.eq_ignore_ascii_case("false"));
        Some(if meaning == Meaning::Applied && replayed { Meaning::Replayed } else { meaning })
    }

    fn fill_reply(
        &self,
        reply: &mut Reply,
        verb: &Verb,
        response: &Response,
        body: Option<Value>,
    ) -> Result<(), String> {
        reply.token = (self.token.as_ref())
            .and_then(|token| response.header(&token.reply_header))
            .filter(|token| token.len() <= LONGEST_NAME)
            .cloned();
        if response.body.is_empty() && matches!(verb, Verb::Act(_)) {
            return Ok(());
        }
        let Some(mut body) = body else {
            return Err(format!("a JSON body was expected and {} came", describe_body(response)));
        };
        match verb {
            Verb::ListEffects => reply.records = Some(self.effects.as_ref().expect("asked for").records(&body)?),
            Verb::ListEvents => reply.records = Some(self.events.as_ref().expect("asked for").records(&body)?),
            // A problem's `status` is the HTTP status (RFC 9457 §3.1), not the resource's.
            Verb::Create | Verb::Read | Verb::Act(_) if is_problem(response) => {}
            Verb::Create | Verb::Read | Verb::Act(_) => {
                reply.resource = text_at(&body, &self.id);
                reply.state = text_at(&body, &self.state);
                reply.version = self.version.as_ref().and_then(|at| body.pointer(at)?.as_u64());
            }
        }
        match verb {
            Verb::Create if reply.resource.is_none() => return Err(format!("there is no id at `{}`", self.id)),
            // URLs swallow these segments even when they are encoded (WHATWG URL, "double-dot path segment").
            Verb::Create if matches!(reply.resource.as_deref(), Some("." | "..")) => {
                return Err(format!("the id at `{}` is dots, which cannot stand in a path", self.id));
            }
            Verb::Create | Verb::Read if reply.state.is_none() => {
                return Err(format!("there is no state at `{}`", self.state));
            }
            Verb::Act(name) => {
                let action = self.actions.get(name);
                reply.effect = action.and_then(|action| text_at(&body, action.effect.as_ref()?));
                reply.amount = action.and_then(|action| body.pointer(action.amount.as_ref()?)?.as_i64());
            }
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => {}
        }
        reply.digest = Some(self.digest(&mut body));
        Ok(())
    }

    fn digest(&self, body: &mut Value) -> Digest {
        for pointer in &self.volatile {
            if let Some(value) = body.pointer_mut(pointer) {
                *value = Value::Null;
            }
        }
        body.sort_all_objects();
        let bytes = body.to_string();
        Digest::of(bytes.as_bytes())
    }
}

/// What a status means where no rule says otherwise (RFC 9110 §15, RFC 6585 §3).
fn standard_meaning(status: u16) -> Option<Meaning> {
    match status {
        // 202 is "noncommittal": accepted for later, perhaps never to be done (RFC 9110 §15.3.3).
        202 | 300..=399 => Some(Meaning::Unclear),
        200..=299 => Some(Meaning::Applied),
        401 | 403 | 407 => Some(Meaning::Unauthorized),
        404 | 410 => Some(Meaning::NotFound),
        408 | 425 => None,
        412 => Some(Meaning::Stale),
        428 => Some(Meaning::MissingPrecondition),
        400..=499 => Some(Meaning::Refused),
        _ => None,
    }
}

impl ReplyRule {
    fn fits(&self, status: u16, body: Option<&Value>) -> bool {
        self.statuses.iter().any(|StatusRange(first, last)| (*first..=*last).contains(&status))
            && (self.body.iter()).all(|(at, value)| body.and_then(|body| body.pointer(at)) == Some(value))
    }
}

impl ListDialect {
    fn records(&self, body: &Value) -> Result<Vec<Record>, String> {
        let Some(rows) = body.pointer(&self.rows).and_then(Value::as_array) else {
            return Err(format!("there is no list at `{}`", self.rows));
        };
        if rows.len() > MOST_RECORDS {
            return Err(format!("the list at `{}` has {} rows, more than {MOST_RECORDS}", self.rows, rows.len()));
        }
        let text = |row: &Value, at: &Option<Pointer>| at.as_ref().and_then(|at| text_at(row, at));
        let named = |row: &Value, at: &Option<Pointer>| match (at, text(row, at)) {
            (Some(at), None) => Err(format!("a row of `{}` has nothing at `{at}`", self.rows)),
            (_, found) => Ok(found),
        };
        let record = |row: &Value| {
            Ok(Record {
                id: named(row, &self.id)?,
                amount: self.amount.as_ref().and_then(|at| row.pointer(at)?.as_i64()),
                action: named(row, &self.action)?,
                from: text(row, &self.from),
                to: text(row, &self.to),
                version: self.version.as_ref().and_then(|at| row.pointer(at)?.as_u64()),
            })
        };
        rows.iter().map(record).collect()
    }
}

/// A string, or a number in its shortest form, at `pointer`; not one that is absurdly long.
fn text_at(body: &Value, pointer: &str) -> Option<Arc<str>> {
    match body.pointer(pointer)? {
        Value::String(text) if !text.is_empty() && text.len() <= LONGEST_NAME => Some(text.as_str().into()),
        Value::Number(number) => Some(number.to_string().into()),
        _ => None,
    }
}

fn is_problem(response: &Response) -> bool {
    response.header("content-type").is_some_and(|media| media.starts_with("application/problem+"))
}

fn describe_body(response: &Response) -> String {
    if response.body.is_empty() {
        return "none".to_owned();
    }
    let media = response.header("content-type").map_or("no content type", |value| &**value);
    let start = &response.body[..response.body.len().min(200)];
    format!("`{}` ({})", harmless(&String::from_utf8_lossy(start), 60), harmless(media, 60))
}
