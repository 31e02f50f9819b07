//! Reading an API description from TOML: shape first (serde), then sense, each mistake with its place.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::Api;
use super::credentials::Credentials;
use super::dialect::{
    ActionDialect, ActorDialect, BodyTemplate, Dialect, KeyDialect, ListDialect, Pointer, ReplyRule, RequestTemplate,
    StatusRange, TokenDialect,
};
use super::model::{ActionModel, Model, StateIx, Transition};
use super::template::{Hole, Template};
use crate::history::Meaning;
use crate::source::{Source, SourceError};

/// The version of the format.
const SCHEMA: &str = "quickeats-bench/api@1";
/// More states than this are not a description of one resource.
const MOST_STATES: usize = 1_000;
/// Headers that frame or route a request: the client's own affair.
const FRAMING: [&str; 8] =
    ["connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiFile {
    schema: Spanned<String>,
    name: Spanned<String>,
    summary: String,
    resource: ResourceFile,
    states: StatesFile,
    token: Option<TokenFile>,
    idempotency: Option<KeyFile>,
    #[serde(default)]
    actors: BTreeMap<String, ActorFile>,
    create: RequestFile,
    read: RequestFile,
    actions: BTreeMap<String, ActionFile>,
    effects: Option<ListFile>,
    events: Option<ListFile>,
    #[serde(default)]
    replies: Vec<ReplyFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceFile {
    name: String,
    id: Spanned<String>,
    state: Spanned<String>,
    version: Option<Spanned<String>>,
    #[serde(default)]
    volatile: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatesFile {
    initial: Spanned<String>,
    terminal: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    reply_header: Spanned<String>,
    request_header: Spanned<String>,
    required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    request_header: Spanned<String>,
    replayed_header: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorFile {
    #[serde(default)]
    headers: BTreeMap<Spanned<String>, Spanned<String>>,
    subject: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    actor: Spanned<String>,
    method: Spanned<String>,
    path: Spanned<String>,
    #[serde(default)]
    headers: BTreeMap<Spanned<String>, Spanned<String>>,
    body: Option<Spanned<Value>>,
}

// serde cannot flatten and deny unknown fields at once, so requests within actions and lists repeat their keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionFile {
    actor: Spanned<String>,
    method: Spanned<String>,
    path: Spanned<String>,
    #[serde(default)]
    headers: BTreeMap<Spanned<String>, Spanned<String>>,
    body: Option<Spanned<Value>>,
    #[serde(default)]
    idempotency_key: bool,
    effect: Option<Spanned<String>>,
    transitions: Vec<TransitionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransitionFile {
    from: Spanned<String>,
    to: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFile {
    actor: Spanned<String>,
    path: Spanned<String>,
    rows: Spanned<String>,
    id: Option<Spanned<String>>,
    at_most: Option<u32>,
    action: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    to: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyFile {
    status: Vec<Spanned<StatusFile>>,
    #[serde(default)]
    body: BTreeMap<Spanned<String>, Value>,
    means: Meaning,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a status is a number from 100 to 599, or a class such as \"2xx\"")]
enum StatusFile {
    Exact(u16),
    Class(String),
}

/// Reads `text`.
pub(super) fn parse(name: &str, text: &str) -> Result<Api, SourceError> {
    let source = Source::new(name, text);
    let file: ApiFile = source.parse()?;
    let reader = Reader { source: &source, actors: file.actors.keys().cloned().collect() };
    reader.schema(&file.schema)?;
    reader.name(&file.name)?;
    let model = reader.model(&file)?;
    let dialect = reader.dialect(&file)?;
    let saved = masked(text, &file);
    Ok(Api {
        name: file.name.get_ref().as_str().into(),
        summary: file.summary.into(),
        source: saved.into(),
        model,
        dialect,
    })
}

/// The text with the values of all headers masked: they may be credentials, and the text goes into every history.
fn masked(text: &str, file: &ApiFile) -> String {
    let of_actors = file.actors.values().map(|actor| &actor.headers);
    let of_requests = [&file.create.headers, &file.read.headers].into_iter();
    let of_actions = file.actions.values().map(|action| &action.headers);
    let mut spans: Vec<Range<usize>> =
        of_actors.chain(of_requests).chain(of_actions).flat_map(BTreeMap::values).map(Spanned::span).collect();
    spans.sort_by_key(|span| span.start);
    let mut masked = text.to_owned();
    for span in spans.into_iter().rev() {
        masked.replace_range(span, "\"(masked)\"");
    }
    masked
}

/// What every part of the reading needs.
struct Reader<'a> {
    source: &'a Source<'a>,
    actors: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> SourceError {
        self.source.wrong(span, message)
    }

    fn schema(&self, schema: &Spanned<String>) -> Result<(), SourceError> {
        if schema.get_ref() == SCHEMA {
            return Ok(());
        }
        let message = format!("unknown schema `{}`", schema.get_ref());
        Err(self.wrong(schema.span(), message).help(format!("this version reads `{SCHEMA}`")))
    }

    fn name(&self, name: &Spanned<String>) -> Result<(), SourceError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.get_ref().is_empty() && name.get_ref().chars().all(plain) {
            return Ok(());
        }
        Err(self.wrong(name.span(), "a name is made of lower-case letters, digits and dashes"))
    }

    fn model(&self, file: &ApiFile) -> Result<Model, SourceError> {
        let mut states: Vec<Arc<str>> = Vec::new();
        let mut add = |name: &str| {
            if !states.iter().any(|state| **state == *name) {
                states.push(name.into());
            }
        };
        add(file.states.initial.get_ref());
        for action in file.actions.values() {
            for transition in &action.transitions {
                add(transition.from.get_ref());
                add(transition.to.get_ref());
            }
        }
        if states.len() > MOST_STATES {
            return Err(self
                .source
                .wrong_whole(format!("{} states; at most {MOST_STATES} can be judged", states.len())));
        }
        let index = |name: &Spanned<String>| {
            let position = states.iter().position(|state| **state == **name.get_ref());
            position.map(|at| StateIx(u16::try_from(at).expect("at most MOST_STATES"))).ok_or_else(|| {
                self.wrong(name.span(), format!("no transition mentions the state `{}`", name.get_ref()))
                    .suggest(name.get_ref(), states.iter().map(|state| &**state))
            })
        };
        let terminal = file.states.terminal.iter().map(index).collect::<Result<Vec<_>, _>>()?;
        let mut actions = Vec::new();
        for (name, action) in &file.actions {
            if action.transitions.is_empty() {
                let message = format!("the action `{name}` has no transitions: nothing could ever be done with it");
                return Err(self
                    .wrong(action.path.span(), message)
                    .help("transitions = [{ from = \"…\", to = \"…\" }]"));
            }
            let mut transitions = Vec::new();
            for transition in &action.transitions {
                let (from, to) = (index(&transition.from)?, index(&transition.to)?);
                if terminal.contains(&from) && from != to {
                    let message =
                        format!("`{}` is declared terminal, so nothing may leave it", transition.from.get_ref());
                    return Err(self.wrong(transition.from.span(), message));
                }
                transitions.push(Transition { from, to });
            }
            actions.push(ActionModel {
                name: name.as_str().into(),
                actor: action.actor.get_ref().as_str().into(),
                transitions,
                has_effect: action.effect.is_some(),
            });
        }
        let initial = index(&file.states.initial)?;
        self.check_reachable(file, &states, initial, &actions)?;
        Ok(Model {
            noun: file.resource.name.as_str().into(),
            initial,
            states: states.clone(),
            actions,
            precondition_required: file.token.as_ref().is_some_and(|token| token.required),
            versioned: file.resource.version.is_some(),
            effects_per_resource: file.effects.as_ref().and_then(|effects| effects.at_most),
        })
    }

    /// Every state that a transition leaves must be one that something leads to: the rest are slips of the pen.
    fn check_reachable(
        &self,
        file: &ApiFile,
        states: &[Arc<str>],
        initial: StateIx,
        actions: &[ActionModel],
    ) -> Result<(), SourceError> {
        let mut reached = vec![initial];
        let mut looked_at = 0;
        while let Some(state) = reached.get(looked_at).copied() {
            looked_at += 1;
            for to in actions.iter().flat_map(|action| action.next(state)) {
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
        let name = |state: &StateIx| &*states[usize::from(state.0)];
        let is_reached = |from: &str| reached.iter().any(|state| name(state) == from);
        let transitions = file.actions.values().flat_map(|action| &action.transitions);
        match transitions.into_iter().find(|transition| !is_reached(transition.from.get_ref())) {
            None => Ok(()),
            Some(transition) => {
                let (from, initial) = (transition.from.get_ref(), file.states.initial.get_ref());
                Err(self
                    .wrong(transition.from.span(), format!("no transitions lead from `{initial}` to `{from}`"))
                    .suggest(from, reached.iter().map(name)))
            }
        }
    }

    fn dialect(&self, file: &ApiFile) -> Result<Dialect, SourceError> {
        let mut actions = BTreeMap::new();
        for (name, action) in &file.actions {
            if action.idempotency_key && file.idempotency.is_none() {
                let message = format!("`{name}` sends an idempotency key, but there is no [idempotency] table");
                return Err(self
                    .wrong(action.path.span(), message)
                    .help("add [idempotency] with request_header = \"Idempotency-Key\""));
            }
            let request =
                self.request(&action.actor, &action.method, &action.path, &action.headers, action.body.as_ref())?;
            let dialect = ActionDialect {
                request,
                sends_key: action.idempotency_key,
                effect: self.pointer_option(action.effect.as_ref())?,
            };
            actions.insert(Arc::from(name.as_str()), dialect);
        }
        let mut actors = BTreeMap::new();
        for (name, actor) in &file.actors {
            let subject = match &actor.subject {
                Some(subject) => self.template(subject.get_ref(), subject.span())?,
                None => Template::parse("{person}").expect("this is a template"),
            };
            let actor = ActorDialect { headers: self.headers(&actor.headers)?, subject };
            actors.insert(Arc::from(name.as_str()), actor);
        }
        let resource = &file.resource;
        let volatile = resource.volatile.iter().map(|at| self.pointer(at)).collect::<Result<_, _>>()?;
        Ok(Dialect {
            create: self.create_request(&file.create)?,
            read: self.plain_request(&file.read)?,
            actions,
            effects: file.effects.as_ref().map(|list| self.list(list)).transpose()?,
            events: file.events.as_ref().map(|list| self.list(list)).transpose()?,
            actors,
            credentials: Credentials::default(),
            id: self.pointer(&resource.id)?,
            state: self.pointer(&resource.state)?,
            version: self.pointer_option(resource.version.as_ref())?,
            volatile,
            token: file.token.as_ref().map(|token| self.token(token)).transpose()?,
            idempotency: file.idempotency.as_ref().map(|key| self.key(key)).transpose()?,
            rules: file.replies.iter().map(|reply| self.rule(reply)).collect::<Result<_, _>>()?,
        })
    }

    fn token(&self, token: &TokenFile) -> Result<TokenDialect, SourceError> {
        Ok(TokenDialect {
            reply_header: self.header_name(&token.reply_header)?,
            request_header: self.header_name(&token.request_header)?,
        })
    }

    fn key(&self, key: &KeyFile) -> Result<KeyDialect, SourceError> {
        Ok(KeyDialect {
            request_header: self.header_name(&key.request_header)?,
            replayed_header: key.replayed_header.as_ref().map(|name| self.header_name(name)).transpose()?,
        })
    }

    /// The request that makes the resource, which has no id yet.
    fn create_request(&self, file: &RequestFile) -> Result<RequestTemplate, SourceError> {
        if file.path.get_ref().contains("{id}") {
            return Err(self.wrong(file.path.span(), "there is no {id} before the resource is made"));
        }
        self.plain_request(file)
    }

    fn plain_request(&self, file: &RequestFile) -> Result<RequestTemplate, SourceError> {
        self.request(&file.actor, &file.method, &file.path, &file.headers, file.body.as_ref())
    }

    fn request(
        &self,
        actor: &Spanned<String>,
        method: &Spanned<String>,
        path: &Spanned<String>,
        headers: &BTreeMap<Spanned<String>, Spanned<String>>,
        body: Option<&Spanned<Value>>,
    ) -> Result<RequestTemplate, SourceError> {
        if !METHODS.contains(&method.get_ref().as_str()) {
            return Err(self
                .wrong(method.span(), format!("unknown method `{}`", method.get_ref()))
                .suggest(&method.get_ref().to_ascii_uppercase(), METHODS));
        }
        Ok(RequestTemplate {
            actor: self.actor(actor)?,
            method: method.get_ref().as_str().into(),
            path: self.path(path)?,
            headers: self.headers(headers)?,
            body: body.map(|body| self.body(body.get_ref(), &body.span())).transpose()?,
        })
    }

    fn list(&self, file: &ListFile) -> Result<ListDialect, SourceError> {
        let request = RequestTemplate {
            actor: self.actor(&file.actor)?,
            method: "GET".into(),
            path: self.path(&file.path)?,
            headers: Vec::new(),
            body: None,
        };
        Ok(ListDialect {
            request,
            rows: self.pointer(&file.rows)?,
            id: self.pointer_option(file.id.as_ref())?,
            action: self.pointer_option(file.action.as_ref())?,
            from: self.pointer_option(file.from.as_ref())?,
            to: self.pointer_option(file.to.as_ref())?,
            version: self.pointer_option(file.version.as_ref())?,
        })
    }

    fn actor(&self, name: &Spanned<String>) -> Result<Arc<str>, SourceError> {
        if self.actors.contains(name.get_ref()) {
            return Ok(name.get_ref().as_str().into());
        }
        Err(self
            .wrong(name.span(), format!("unknown actor `{}`", name.get_ref()))
            .suggest(name.get_ref(), self.actors.iter().map(String::as_str))
            .or_help("declare it: [actors.NAME]"))
    }

    fn path(&self, path: &Spanned<String>) -> Result<Template, SourceError> {
        let text = path.get_ref();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !text.starts_with('/') || !plain {
            return Err(
                self.wrong(path.span(), "a path starts with `/` and has no blanks, `#` or non-ASCII characters")
            );
        }
        self.template(text, path.span())
    }

    fn template(&self, text: &str, span: Range<usize>) -> Result<Template, SourceError> {
        Template::parse(text).map_err(|hole| {
            if hole.is_empty() {
                return self.wrong(span, "a `{` that is never closed");
            }
            self.wrong(span, format!("unknown placeholder `{{{hole}}}`")).suggest(&hole, Hole::NAMES)
        })
    }

    fn headers(
        &self,
        headers: &BTreeMap<Spanned<String>, Spanned<String>>,
    ) -> Result<Vec<(Arc<str>, Template)>, SourceError> {
        let mut checked = Vec::new();
        for (name, value) in headers {
            if !value.get_ref().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(self.wrong(value.span(), "a header value is made of visible ASCII characters and blanks"));
            }
            let lower = self.header_name(name)?;
            if FRAMING.contains(&&*lower) {
                let message = format!("the header `{lower}` belongs to the connection, not to the description");
                return Err(self.wrong(name.span(), message));
            }
            if checked.iter().any(|(own, _): &(Arc<str>, Template)| *own == lower) {
                return Err(self.wrong(name.span(), format!("the header `{lower}` is named twice")));
            }
            checked.push((lower, self.template(value.get_ref(), value.span())?));
        }
        Ok(checked)
    }

    fn header_name(&self, name: &Spanned<String>) -> Result<Arc<str>, SourceError> {
        match http::HeaderName::from_bytes(name.get_ref().as_bytes()) {
            Ok(name) => Ok(name.as_str().into()),
            Err(_) => Err(self.wrong(name.span(), format!("`{}` is not a header name", name.get_ref()))),
        }
    }

    fn body(&self, body: &Value, span: &Range<usize>) -> Result<BodyTemplate, SourceError> {
        Ok(match body {
            Value::String(text) => BodyTemplate::Text(self.template(text, span.clone())?),
            Value::Array(items) => {
                BodyTemplate::List(items.iter().map(|item| self.body(item, span)).collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => BodyTemplate::Table(
                (entries.iter())
                    .map(|(key, item)| Ok((key.clone(), self.body(item, span)?)))
                    .collect::<Result<_, SourceError>>()?,
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => BodyTemplate::Other(body.clone()),
        })
    }

    fn pointer_option(&self, pointer: Option<&Spanned<String>>) -> Result<Option<Pointer>, SourceError> {
        pointer.map(|pointer| self.pointer(pointer)).transpose()
    }

    fn pointer(&self, pointer: &Spanned<String>) -> Result<Pointer, SourceError> {
        let text = pointer.get_ref();
        if text.is_empty() || text.starts_with('/') {
            return Ok(text.as_str().into());
        }
        Err(self
            .wrong(pointer.span(), format!("`{text}` is not a JSON Pointer (RFC 6901)"))
            .help(format!("did you mean `/{}`?", text.replace('.', "/"))))
    }

    fn rule(&self, file: &ReplyFile) -> Result<ReplyRule, SourceError> {
        let statuses = (file.status.iter()).map(|status| self.status(status)).collect::<Result<Vec<_>, _>>()?;
        let mut body = Vec::new();
        for (at, value) in &file.body {
            body.push((self.pointer(at)?, value.clone()));
        }
        Ok(ReplyRule { statuses, body, means: file.means })
    }

    fn status(&self, status: &Spanned<StatusFile>) -> Result<StatusRange, SourceError> {
        let range = match status.get_ref() {
            StatusFile::Exact(code @ 100..=599) => Some(StatusRange(*code, *code)),
            StatusFile::Exact(_) => None,
            StatusFile::Class(class) => match class.as_bytes() {
                [digit @ b'1'..=b'5', b'x', b'x'] => {
                    let first = u16::from(digit - b'0') * 100;
                    Some(StatusRange(first, first + 99))
                }
                _ => None,
            },
        };
        range.ok_or_else(|| {
            self.wrong(status.span(), "a status is a number from 100 to 599, or a class such as \"2xx\"")
        })
    }
}
