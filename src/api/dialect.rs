//! How an API is spoken: from a call to a request, and from a response to an [`Outcome`].
//!
//! Reading is total: whatever bytes a server sends become an outcome, and what cannot be read is `Unknown`, never
//! success and never a refusal.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::credentials::{Credentials, Tells};
use super::exchange::{Headers, Request, Response};
use super::template::{Template, Values};
use crate::history::{Actor, Cause, Digest, Meaning, Outcome, Record, Reply, Verb};
use crate::text::harmless;

/// A name or token longer than this is not taken from a reply (characters).
const LONGEST_NAME: usize = 1024;
/// More rows than this are not taken from a list.
const MOST_RECORDS: usize = 10_000;

/// How each request is written, and how replies are read.
#[derive(Debug, Clone)]
pub struct Dialect {
    pub(super) create: RequestTemplate,
    pub(super) creates_with_key: bool,
    pub(super) read: RequestTemplate,
    pub(super) actions: BTreeMap<Arc<str>, ActionDialect>,
    pub(super) effects: Option<ListDialect>,
    pub(super) events: Option<ListDialect>,
    pub(super) actors: BTreeMap<Arc<str>, ActorDialect>,
    pub(super) credentials: Credentials,
    pub(super) id: Pointer,
    pub(super) state: Pointer,
    pub(super) version: Option<Pointer>,
    pub(super) volatile: Vec<Pointer>,
    pub(super) token: Option<TokenDialect>,
    pub(super) idempotency: Option<KeyDialect>,
    pub(super) rules: Vec<ReplyRule>,
}

#[derive(Debug, Clone)]
pub(super) struct ActorDialect {
    pub(super) headers: Vec<(Arc<str>, Template)>,
    /// Whom a token of this actor names.
    pub(super) subject: Template,
}

/// A JSON Pointer (RFC 6901), checked when it was read.
pub(super) type Pointer = Arc<str>;

#[derive(Debug, Clone)]
pub(super) struct RequestTemplate {
    pub(super) actor: Arc<str>,
    pub(super) method: Arc<str>,
    pub(super) path: Template,
    pub(super) headers: Vec<(Arc<str>, Template)>,
    pub(super) body: Option<BodyTemplate>,
}

/// JSON whose strings have holes.
#[derive(Debug, Clone)]
pub(super) enum BodyTemplate {
    Text(Template),
    List(Vec<BodyTemplate>),
    Table(Vec<(String, BodyTemplate)>),
    Other(Value),
}

#[derive(Debug, Clone)]
pub(super) struct ActionDialect {
    pub(super) request: RequestTemplate,
    pub(super) sends_key: bool,
    pub(super) sends_token: bool,
    pub(super) effect: Option<Pointer>,
    pub(super) amount: Option<Pointer>,
}

#[derive(Debug, Clone)]
pub(super) struct ListDialect {
    pub(super) request: RequestTemplate,
    pub(super) rows: Pointer,
    pub(super) id: Option<Pointer>,
    pub(super) amount: Option<Pointer>,
    pub(super) action: Option<Pointer>,
    pub(super) from: Option<Pointer>,
    pub(super) to: Option<Pointer>,
    pub(super) version: Option<Pointer>,
}

#[derive(Debug, Clone)]
pub(super) struct TokenDialect {
    pub(super) reply_header: Arc<str>,
    pub(super) request_header: Arc<str>,
}

#[derive(Debug, Clone)]
pub(super) struct KeyDialect {
    pub(super) request_header: Arc<str>,
    pub(super) replayed_header: Option<Arc<str>>,
}

/// One line of the table "what a reply means"; the first that fits decides.
#[derive(Debug, Clone)]
pub(super) struct ReplyRule {
    pub(super) statuses: Vec<StatusRange>,
    pub(super) body: Vec<(Pointer, Value)>,
    pub(super) means: Meaning,
}

/// Statuses from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusRange(pub(super) u16, pub(super) u16);

/// What one request is filled with.
#[derive(Debug, Clone, Copy)]
pub struct Fill<'a> {
    /// The resource's id; empty before it exists.
    pub id: &'a str,
    /// The role of who asks.
    pub role: &'a str,
    /// Who asks: unique to the person and the round.
    pub person: &'a str,
    /// A token unique to the request.
    pub unique: &'a str,
    /// The version token to be conditional on.
    pub token: Option<&'a str>,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// A body instead of the described one.
    pub body: Option<&'a Value>,
}

impl Dialect {
    /// The request for `verb`.
    ///
    /// # Panics
    /// If `verb` names an action or list that the description does not have: plans are checked against it first.
    pub fn request(&self, verb: &Verb, fill: Fill<'_>) -> Request {
        let template = self.template(verb);
        let values = Values { id: fill.id, person: fill.person, unique: fill.unique };
        let mut headers: Headers = Vec::new();
        let actor = self.actors.get(fill.role);
        for (name, value) in actor.into_iter().flat_map(|actor| &actor.headers).chain(&template.headers) {
            headers.push((Arc::clone(name), value.fill(values).into()));
        }
        if let Some(actor) = actor {
            self.credentials.apply(fill.role, &actor.subject.fill(values), &mut headers);
        }
        if let (Some(token), Some(dialect)) = (fill.token, &self.token) {
            headers.push((Arc::clone(&dialect.request_header), token.into()));
        }
        if let (Some(key), Some(dialect)) = (fill.key, &self.idempotency) {
            headers.push((Arc::clone(&dialect.request_header), key.into()));
        }
        let body = match (fill.body, &template.body) {
            (Some(body), _) => Some(body.clone()),
            (None, Some(body)) => Some(body.fill(values)),
            (None, None) => None,
        };
        let body = body.map(|body| Bytes::from(body.to_string()));
        let mut add_if_absent = |name: &str, value: &str| {
            if !headers.iter().any(|(own, _)| **own == *name) {
                headers.push((name.into(), value.into()));
            }
        };
        if body.is_some() {
            add_if_absent("content-type", "application/json");
        }
        if matches!(verb, Verb::Read | Verb::ListEffects | Verb::ListEvents) {
            // What a cache on the way holds is not what the server says now (RFC 9111 §5.2.1.4).
            add_if_absent("cache-control", "no-cache");
        }
        Request { method: Arc::clone(&template.method), path: template.path.fill_path(values), headers, body }
    }

    fn template(&self, verb: &Verb) -> &RequestTemplate {
        let missing = "plans are checked against the description";
        match verb {
            Verb::Create => &self.create,
            Verb::Read => &self.read,
            Verb::Act(name) => &self.actions.get(name).expect(missing).request,
            Verb::ListEffects => &self.effects.as_ref().expect(missing).request,
            Verb::ListEvents => &self.events.as_ref().expect(missing).request,
        }
    }

    /// The role that makes this request unless a scenario says otherwise.
    pub fn role(&self, verb: &Verb) -> &Arc<str> {
        &self.template(verb).actor
    }

    /// Whether the description knows the role `name`.
    pub fn has_role(&self, name: &str) -> bool {
        self.actors.contains_key(name)
    }

    /// The roles, by name.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.actors.keys().map(|name| &**name)
    }

    /// The header that carries a reply's version token, where the API has tokens.
    pub fn token_header(&self) -> Option<&str> {
        self.token.as_ref().map(|token| &*token.reply_header)
    }

    /// Whether replies carry a version token and requests can be conditional on it.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether a request for `verb` is sent with an idempotency key.
    pub fn sends_key(&self, verb: &Verb) -> bool {
        let sends = match verb {
            Verb::Create => self.creates_with_key,
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.sends_key),
            Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        };
        sends && self.idempotency.is_some()
    }

    /// Whether a request for `verb` can be conditional on a version token.
    pub fn sends_token(&self, verb: &Verb) -> bool {
        let sends = match verb {
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.sends_token),
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        };
        sends && self.token.is_some()
    }

    /// Whom the server is told to be dealing with, if anything proves it: `customer 2`, or `customer` where all customers
    /// have one token.
    pub fn principal(&self, actor: &Actor) -> Option<Arc<str>> {
        match self.credentials.tells(&actor.role) {
            Tells::Nothing => None,
            Tells::Role => Some(Arc::clone(&actor.role)),
            Tells::Person => Some(actor.to_string().into()),
        }
    }

    /// How well a server can tell who is asking in `role`.
    pub fn tells(&self, role: &str) -> Tells {
        self.credentials.tells(role)
    }

    /// The lists that tell what really happened: effects, then events, where the API has them.
    pub fn lists(&self) -> impl Iterator<Item = Verb> {
        let effects = self.effects.is_some().then_some(Verb::ListEffects);
        let events = self.events.is_some().then_some(Verb::ListEvents);
        effects.into_iter().chain(events)
    }

    /// What `response` to `verb` says.
    pub fn read(&self, verb: &Verb, response: &Response) -> Outcome {
        let status = response.status;
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let Some(meaning) = self.meaning(response, body.as_ref()) else {
            return Outcome::Unknown(Cause::Status(status));
        };
        let mut reply = Reply::new(status, meaning);
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

impl BodyTemplate {
    pub(super) fn fill(&self, values: Values<'_>) -> Value {
        match self {
            Self::Text(template) => Value::String(template.fill(values)),
            Self::List(items) => items.iter().map(|item| item.fill(values)).collect(),
            Self::Table(entries) => entries
                .iter()
                .map(|(key, item)| (key.clone(), item.fill(values)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::Other(value) => value.clone(),
        }
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
