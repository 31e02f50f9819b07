//! How an API is spoken: from a call to a request, and from a response to an [`Outcome`](crate::history::Outcome).
//!
//! Reading is total: whatever bytes a server sends become an outcome, and what cannot be read is `Unknown`, never
//! success and never a refusal.

mod presence;
mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::credentials::{Credentials, Tells};
use super::exchange::{Headers, Request};
use super::template::{Template, Values};
use crate::history::{Actor, Meaning, Verb};
pub(crate) use presence::Presence;

/// A name or token longer than this is not taken from a reply (characters).
const LONGEST_NAME: usize = 1024;
/// More rows than this are not taken from a list.
const MOST_RECORDS: usize = 10_000;

/// How each request is written, and how replies are read.
#[derive(Debug, Clone)]
pub struct Dialect {
    pub(super) create: RequestTemplate,
    pub(super) creates_with_key: bool,
    /// Whether the fresh resource holds the value that its request was filled with.
    pub(super) creates_with_value: bool,
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
    pub(crate) presence: Presence,
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
    /// Whether it leaves the value that its request was filled with.
    pub(super) writes_value: bool,
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
    /// What a fresh counter is to hold, if not what the description says.
    pub starts: Option<i64>,
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

    /// Whether a request for `verb` writes the value that it is filled with.
    pub fn writes_a_value(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Create => self.creates_with_value,
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.writes_value),
            Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        }
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
