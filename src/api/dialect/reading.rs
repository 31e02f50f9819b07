//! Reading replies: from a response to an outcome. Total: whatever bytes a server sends become one, and what cannot be read
//! is `Unknown`, never success and never a refusal.

use std::sync::Arc;

use serde_json::Value;

use super::{Dialect, ListDialect, MOST_RECORDS, Page, Told};
use crate::api::exchange::Response;
use crate::api::place::{Place, Sight, Source, text_of};
use crate::api::server_timing;
use crate::history::{Cause, Digest, Meaning, Outcome, Record, Reply, Verb};
use crate::text::harmless;

impl Dialect {
    /// What `response` to `verb` says.
    pub fn read(&self, verb: &Verb, response: &Response) -> Outcome {
        let status = response.status;
        // Of most refusals nothing but the status is asked: their bodies need not be parsed.
        let is_told_by_body = self.rules.iter().any(|rule| rule.asks_the_body(verb, status));
        let tells_nothing = |meaning: Meaning| meaning.is_refusal() || meaning.is_open();
        let bare = Sight { response, json: None };
        let is_needed = is_told_by_body || !self.meaning(verb, bare).is_some_and(tells_nothing);
        let body: Option<Value> = is_needed.then(|| serde_json::from_slice(&response.body).ok()).flatten();
        let sight = Sight { response, json: body.as_ref() };
        let Some(meaning) = self.meaning(verb, sight) else {
            return Outcome::Unknown(Cause::Status(status));
        };
        let mut reply = Reply::new(status, meaning);
        reply.arrived = server_timing::arrival(&response.headers);
        if tells_nothing(meaning) {
            return Outcome::Answered(reply);
        }
        if let Err(detail) = self.fill_reply(&mut reply, verb, sight) {
            return Outcome::Unknown(Cause::Unreadable { status, detail });
        }
        reply.digest = self.digest(verb, response, body);
        Outcome::Answered(reply)
    }

    /// The first rule that fits, else what HTTP says; `None` leaves open whether the work was done.
    pub(super) fn meaning(&self, verb: &Verb, sight: Sight<'_>) -> Option<Meaning> {
        let rule = self.rules.iter().find(|rule| rule.fits(verb, sight.response, sight.json));
        let meaning = match rule {
            Some(rule) => rule.means,
            None => standard_meaning(sight.response.status)?,
        };
        let replayed = (self.idempotency.as_ref())
            .and_then(|dialect| dialect.replayed.as_ref()?.text(sight))
            .is_some_and(|value| !value.eq_ignore_ascii_case("false"));
        Some(if meaning == Meaning::Applied && replayed { Meaning::Replayed } else { meaning })
    }

    fn fill_reply(&self, reply: &mut Reply, verb: &Verb, sight: Sight<'_>) -> Result<(), String> {
        reply.token = self.token.as_ref().and_then(|token| Some(token.known(token.read.text(sight)?)));
        self.check_readable(verb, sight)?;
        match verb {
            Verb::ListEffects => reply.records = Some(self.effects.as_ref().expect("asked for").records(sight)?),
            Verb::ListEvents => reply.records = Some(self.events.as_ref().expect("asked for").records(sight)?),
            // A problem's `status` is the HTTP status (RFC 9457 §3.1), not the resource's.
            Verb::Create | Verb::Read | Verb::Act(_) if is_problem(sight.response) => {}
            Verb::Create | Verb::Read | Verb::Act(_) if !self.shows(verb) => {}
            Verb::Create | Verb::Read | Verb::Act(_) => {
                // A truth value names nothing.
                let is_name = |id: &Arc<str>| !matches!(&**id, "true" | "false");
                reply.resource = self.id.place().and_then(|id| id.text(sight)).filter(is_name);
                reply.state = self.state.as_ref().and_then(|state| state.text(sight));
                reply.version = self.version.as_ref().and_then(|version| version.natural(sight));
            }
        }
        match verb {
            Verb::Create => self.check_created(reply, sight)?,
            Verb::Read => {
                if let (Some(state), None) = (&self.state, &reply.state) {
                    return Err(format!("there is no {} at {state}", self.state_word));
                }
            }
            Verb::Act(name) => {
                let action = self.actions.get(name);
                reply.effect = action.and_then(|action| action.effect.as_ref()?.text(sight));
                reply.amount = action.and_then(|action| action.amount.as_ref()?.integer(sight));
            }
            Verb::ListEffects | Verb::ListEvents => {}
        }
        Ok(())
    }

    /// Whether replies to `verb` show the resource.
    fn shows(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Act(name) => self.actions.get(name).is_none_or(|action| action.shows),
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => true,
        }
    }

    /// A body that was promised to be JSON must be.
    fn check_readable(&self, verb: &Verb, sight: Sight<'_>) -> Result<(), String> {
        let says_json = || sight.response.header("content-type").is_some_and(|media| is_json(media));
        let is_needed = match verb {
            Verb::Act(name) => {
                let has_effect =
                    self.actions.get(name).and_then(|action| action.effect.as_ref()).is_some_and(Place::is_json);
                !sight.response.body.is_empty() && (self.answers_json || has_effect || says_json())
            }
            Verb::Create => {
                self.id.place().is_some_and(Place::is_json)
                    || !sight.response.body.is_empty() && (self.answers_json || says_json())
            }
            Verb::Read => self.state.as_ref().is_some_and(Place::is_json),
            Verb::ListEffects | Verb::ListEvents => true,
        };
        if is_needed && sight.json.is_none() {
            return Err(format!("a JSON body was expected and {} came", describe_body(sight.response)));
        }
        Ok(())
    }

    /// A fresh resource must have an id that requests can name, and show its state where a state machine starts from it.
    fn check_created(&self, reply: &Reply, sight: Sight<'_>) -> Result<(), String> {
        let Some(place) = self.id.place() else { return Ok(()) };
        match reply.resource.as_deref() {
            None => return Err(format!("there is no id at {place}")),
            // URLs swallow these segments even when they are encoded (WHATWG URL, "double-dot path segment").
            Some("." | "..") => return Err(format!("the id at {place} is dots, which cannot stand in a path")),
            Some(_) => {}
        }
        match &self.state {
            Some(state) if self.answers_json && reply.state.is_none() && sight.json.is_some() => {
                Err(format!("there is no {} at {state}", self.state_word))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Of the body without what is volatile; an action that answers without one has none.
    fn digest(&self, verb: &Verb, response: &Response, body: Option<Value>) -> Option<Digest> {
        if response.body.is_empty() && matches!(verb, Verb::Act(_)) {
            return None;
        }
        let Some(mut body) = body else { return Some(Digest::of(&response.body)) };
        for pointer in &self.volatile {
            if let Some(value) = body.pointer_mut(pointer) {
                *value = Value::Null;
            }
        }
        Some(Digest::of_json(&body))
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

impl ListDialect {
    fn records(&self, sight: Sight<'_>) -> Result<Vec<Record>, String> {
        let too_many = |count: usize| format!("the list tells of {count}, more than {MOST_RECORDS}");
        let at = match &self.told {
            Told::Rows(at) => at,
            Told::Count(place) => {
                let count = place.natural(sight).ok_or_else(|| format!("there is no number at {place}"))?;
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                return if count > MOST_RECORDS { Err(too_many(count)) } else { Ok(vec![Record::default(); count]) };
            }
        };
        let Some(rows) = sight.json.and_then(|json| at.node(json)).and_then(Value::as_array) else {
            return Err(format!("there is no list at {at}"));
        };
        if rows.len() > MOST_RECORDS {
            return Err(too_many(rows.len()));
        }
        // What a list leaves out is no proof that it is not there.
        match &self.page {
            Page { more: Some(more), .. } if more.is_something(sight) => {
                return Err(format!("the list shows {} rows and, at {more}, that there are more", rows.len()));
            }
            Page { more: None, rows: Some(page) } if rows.len() >= *page => {
                return Err(format!("the list shows {} rows, a page of {page}: there may be more", rows.len()));
            }
            Page { .. } => {}
        }
        let text = |row: &Value, at: &Option<Source>| at.as_ref().and_then(|at| text_of(at.node(row)?));
        let named = |row: &Value, at: &Option<Source>| match (at, text(row, at)) {
            (Some(at), None) => Err(format!("a row of the list has nothing at {at}")),
            (_, found) => Ok(found),
        };
        let record = |row: &Value| {
            Ok(Record {
                id: named(row, &self.id)?,
                amount: self.amount.as_ref().and_then(|at| at.node(row)?.as_i64()),
                action: named(row, &self.action)?,
                from: text(row, &self.from),
                to: text(row, &self.to),
                version: self.version.as_ref().and_then(|at| at.node(row)?.as_u64()),
            })
        };
        rows.iter().map(record).collect()
    }
}

fn is_json(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json") || media.ends_with("+json")
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
