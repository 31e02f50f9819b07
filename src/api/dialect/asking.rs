//! Asking: from a call to a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use serde_json::Value;

use super::room::unescaped;
use super::{Dialect, Fill, IdDialect};
use crate::api::exchange::{Headers, Request};
use crate::api::place::Pointer;
use crate::api::template::{Template, Values, encoded};
use crate::history::{Digest, Verb};

/// Whole numbers from here on are not exact in every JSON reader (RFC 8259 §6).
const BEYOND_EXACT: u64 = 1 << 53;

/// A request with holes.
#[derive(Debug, Clone)]
pub(in crate::api) struct RequestTemplate {
    pub(in crate::api) actor: Arc<str>,
    pub(in crate::api) method: Arc<str>,
    pub(in crate::api) path: Template,
    pub(in crate::api) query: Vec<(Arc<str>, Template)>,
    pub(in crate::api) headers: Vec<(Arc<str>, Template)>,
    pub(in crate::api) body: Option<BodyTemplate>,
}

/// A body with holes.
#[derive(Debug, Clone)]
pub(in crate::api) enum BodyTemplate {
    Json(JsonTemplate),
    Form(Vec<(Arc<str>, Template)>),
    Raw(Template, Option<Arc<str>>),
}

/// JSON whose strings have holes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) enum JsonTemplate {
    Text(Template),
    List(Vec<JsonTemplate>),
    Table(Vec<(String, JsonTemplate)>),
    Other(Value),
}

/// Where a request names its version token or its key.
#[derive(Debug, Clone)]
pub(in crate::api) enum Send {
    Header(Arc<str>),
    Query(Arc<str>),
    Body(Pointer),
}

impl Dialect {
    /// The request for `verb`.
    ///
    /// # Panics
    /// If `verb` names an action or list that the description does not have: plans are checked against it first.
    pub fn request(&self, verb: &Verb, fill: Fill<'_>) -> Request {
        self.with_values(fill, |values| self.compose(verb, fill, values))
    }

    /// A request that reads `path`, which is about no resource of its own, with what proves who asks.
    pub fn get(&self, path: &str, fill: Fill<'_>) -> Request {
        self.with_values(fill, |values| {
            let mut draft = Draft { path: path.to_owned(), headers: Vec::new(), body: DraftBody::None };
            draft.headers = self.headers_of(fill.role, values);
            draft.header_if_absent("cache-control", "no-cache");
            draft.finish(&"GET".into())
        })
    }

    /// The request for `verb`, and the same for people: without what may be a secret.
    ///
    /// # Panics
    /// As [`Self::request`].
    pub fn request_and_shown(&self, verb: &Verb, fill: Fill<'_>) -> (Request, Request) {
        self.with_values(fill, |values| {
            let mut shown = self.compose(verb, fill, values.shown());
            self.mask_headers(&mut shown.headers);
            (self.compose(verb, fill, values), shown)
        })
    }

    fn compose(&self, verb: &Verb, fill: Fill<'_>, values: Values<'_>) -> Request {
        self.compose_as(verb, self.template(verb), fill, values)
    }

    /// The request for `verb`, as this template says it.
    pub(super) fn compose_as(
        &self,
        verb: &Verb,
        template: &RequestTemplate,
        fill: Fill<'_>,
        values: Values<'_>,
    ) -> Request {
        let mut draft = template.draft(values, fill.body);
        let mut headers = self.headers_of(fill.role, values);
        headers.append(&mut draft.headers);
        draft.headers = headers;
        if let (Some(_), Some(dialect)) = (fill.token, &self.token) {
            draft.say(dialect.send.as_ref(), values.token);
        }
        if let (Some(key), Some(dialect)) = (fill.key, &self.idempotency) {
            draft.say(dialect.send.as_ref(), key);
        }
        if matches!(verb, Verb::Read | Verb::ListEffects | Verb::ListEvents) {
            // What a cache on the way holds is not what the server says now (RFC 9111 §5.2.1.4).
            draft.header_if_absent("cache-control", "no-cache");
        }
        draft.finish(&template.method)
    }

    /// What every request of somebody in `role` carries, and what proves who it is.
    fn headers_of(&self, role: &str, values: Values<'_>) -> Headers {
        let mut headers: Headers = Vec::new();
        let actor = self.actors.get(role);
        for (name, value) in actor.into_iter().flat_map(|actor| &actor.headers) {
            headers.push((Arc::clone(name), value.fill(values).into()));
        }
        if let Some(cookie) = self.logged_in.get(role).and_then(|login| login.cookie.as_ref()) {
            headers.push(("cookie".into(), Arc::clone(cookie)));
        }
        if let Some(actor) = actor {
            if let Some(proof) = &actor.proof {
                proof.apply(values, &mut headers);
            }
            self.credentials.apply(role, &actor.subject.fill(values), &mut headers);
        }
        headers
    }

    /// Method and path of `request` for people: as it is, but for secrets.
    pub fn shown(&self, verb: &Verb, fill: Fill<'_>, request: &Request) -> Arc<str> {
        self.shown_as(self.template(verb), fill, request)
    }

    /// As [`Self::shown`], of a request that this template says.
    pub(super) fn shown_as(&self, template: &RequestTemplate, fill: Fill<'_>, request: &Request) -> Arc<str> {
        let has_secrets = template.path.has_secrets() || template.query.iter().any(|(_, value)| value.has_secrets());
        if !has_secrets {
            return format!("{} {}", request.method, request.path).into();
        }
        let path = self.with_values(fill, |values| template.path_with(|template| template.fill_path(values.shown())));
        format!("{} {path}", request.method).into()
    }

    /// The id of a fresh resource, where the client makes it up: out of `unique`, a word that nobody has used yet.
    pub fn made_id(&self, unique: &str) -> Option<String> {
        match &self.id {
            IdDialect::Told(_) => None,
            IdDialect::Made(template) => {
                Some(self.with_values(Fill { unique, ..Fill::default() }, |values| template.fill(values)))
            }
        }
    }

    pub(super) fn with_values<R>(&self, fill: Fill<'_>, then: impl FnOnce(Values<'_>) -> R) -> R {
        static SEQUENCE: AtomicU64 = AtomicU64::new(1);
        let environment = |name: &str| self.environment.get(name).cloned();
        let token = self.token.as_ref().and_then(|dialect| Some(dialect.said(fill.token?)));
        then(Values {
            id: fill.id,
            person: fill.person,
            unique: fill.unique,
            token: token.as_deref().unwrap_or_default(),
            key: fill.key.unwrap_or_default(),
            starts: fill.starts.unwrap_or(self.starts),
            sequence: SEQUENCE.fetch_add(1, Ordering::Relaxed),
            // Of the word, so that a request that is said again is the same request.
            random: Digest::of(fill.unique.as_bytes()).0 % BEYOND_EXACT,
            round: fill.round,
            contender: fill.contender,
            login: self.logged_in.get(fill.role).and_then(|login| login.token.as_deref()).unwrap_or_default(),
            environment: &environment,
            is_shown: false,
        })
    }
}

impl RequestTemplate {
    /// Shows every template of it.
    pub(in crate::api) fn templates(&self, see: &mut dyn FnMut(&Template)) {
        see(&self.path);
        self.query.iter().chain(&self.headers).for_each(|(_, value)| see(value));
        if let Some(body) = &self.body {
            body.templates(see);
        }
    }

    fn path_with(&self, render: impl Fn(&Template) -> String) -> String {
        let mut path = render(&self.path);
        for (name, value) in &self.query {
            add_query(&mut path, name, &render(value));
        }
        path
    }

    /// The request with its holes filled. Its own headers stand in the place of those of one name in `others`.
    pub(super) fn fill(&self, values: Values<'_>, mut others: Headers) -> Request {
        let mut draft = self.draft(values, None);
        others.retain(|(name, _)| !draft.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
        draft.headers.splice(..0, others);
        draft.finish(&self.method)
    }

    fn draft(&self, values: Values<'_>, body: Option<&Value>) -> Draft {
        let path = self.path_with(|template| template.fill_path(values));
        let headers = self.headers.iter().map(|(name, value)| (Arc::clone(name), value.fill(values).into())).collect();
        let body = match (body, &self.body) {
            (Some(body), _) => DraftBody::Json(body.clone()),
            (None, Some(BodyTemplate::Json(json))) => DraftBody::Json(json.fill(values)),
            (None, Some(BodyTemplate::Form(fields))) => {
                let pair =
                    |(name, value): &(Arc<str>, Template)| format!("{}={}", encoded(name), value.fill_path(values));
                let form = fields.iter().map(pair).collect::<Vec<_>>().join("&");
                DraftBody::Bytes(form.into(), Some("application/x-www-form-urlencoded".into()))
            }
            (None, Some(BodyTemplate::Raw(template, media))) => {
                DraftBody::Bytes(template.fill(values).into(), media.clone())
            }
            (None, None) => DraftBody::None,
        };
        Draft { path, headers, body }
    }
}

fn add_query(path: &mut String, name: &str, value: &str) {
    path.push(if path.contains('?') { '&' } else { '?' });
    path.push_str(&encoded(name));
    path.push('=');
    path.push_str(value);
}

/// A request that is being written.
struct Draft {
    path: String,
    headers: Headers,
    body: DraftBody,
}

enum DraftBody {
    None,
    Json(Value),
    Bytes(Bytes, Option<Arc<str>>),
}

impl Draft {
    fn say(&mut self, at: Option<&Send>, said: &str) {
        match at {
            // The request's own templates say it.
            None => {}
            Some(Send::Header(name)) => self.headers.push((Arc::clone(name), said.into())),
            Some(Send::Query(name)) => add_query(&mut self.path, name, &encoded(said)),
            Some(Send::Body(pointer)) => {
                if let DraftBody::None = self.body {
                    self.body = DraftBody::Json(Value::Object(serde_json::Map::new()));
                }
                if let DraftBody::Json(body) = &mut self.body {
                    put(body, pointer, said);
                }
            }
        }
    }

    fn header_if_absent(&mut self, name: &str, value: &str) {
        if !self.headers.iter().any(|(own, _)| **own == *name) {
            self.headers.push((name.into(), value.into()));
        }
    }

    fn finish(mut self, method: &Arc<str>) -> Request {
        let body = match std::mem::replace(&mut self.body, DraftBody::None) {
            DraftBody::None => None,
            DraftBody::Json(body) => {
                self.header_if_absent("content-type", "application/json");
                Some(Bytes::from(body.to_string()))
            }
            DraftBody::Bytes(bytes, media) => {
                if let Some(media) = media {
                    self.header_if_absent("content-type", &media);
                }
                Some(bytes)
            }
        };
        Request { method: Arc::clone(method), path: self.path, headers: self.headers, body }
    }
}

/// Puts `text` at `pointer`, making the objects on the way to it. (Nothing else is in the way: `room` looks at that beforehand.)
fn put(json: &mut Value, pointer: &str, text: &str) {
    let mut here = json;
    for part in pointer.split('/').skip(1) {
        let Value::Object(table) = here else { return };
        here = table.entry(unescaped(part)).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *here = Value::String(text.to_owned());
}

impl BodyTemplate {
    /// Shows every template of it.
    pub(in crate::api) fn templates(&self, see: &mut dyn FnMut(&Template)) {
        match self {
            Self::Json(json) => json.templates(see),
            Self::Form(fields) => fields.iter().for_each(|(_, value)| see(value)),
            Self::Raw(template, _) => see(template),
        }
    }
}

impl JsonTemplate {
    pub(in crate::api) fn fill(&self, values: Values<'_>) -> Value {
        match self {
            Self::Text(template) => template.fill_json(values),
            Self::List(items) => items.iter().map(|item| item.fill(values)).collect(),
            Self::Table(entries) => entries
                .iter()
                .map(|(key, item)| (key.clone(), item.fill(values)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            Self::Other(value) => value.clone(),
        }
    }

    pub(in crate::api) fn templates(&self, see: &mut dyn FnMut(&Template)) {
        match self {
            Self::Text(template) => see(template),
            Self::List(items) => items.iter().for_each(|item| item.templates(see)),
            Self::Table(entries) => entries.iter().for_each(|(_, item)| item.templates(see)),
            Self::Other(_) => {}
        }
    }
}
