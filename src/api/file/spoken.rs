//! How the API is spoken: requests, headers, places and rules, each checked where it stands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use toml::Spanned;

use super::super::credentials::Credentials;
use super::super::dialect::asking::{BodyTemplate, JsonTemplate, RequestTemplate, Send};
use super::super::dialect::{
    ActionDialect, Dialect, IdDialect, KeyDialect, ListDialect, Page, Sends, TokenDialect, Told,
};
use super::super::model::Leaves;
use super::super::place::Pointer;
use super::super::template::{Hole, Template, TemplateError};
use super::Reader;
use super::shape::{
    ActionFile, ApiFile, CompareFile, CreateFile, KeyFile, ListFile, ModelFile, Parts, SendFile, Texts, TokenFile,
};
use crate::source::SourceError;

/// Headers that frame or route a request: the client's own affair.
const FRAMING: [&str; 8] =
    ["connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"];
/// What scenarios and rules call the requests that are no actions.
pub(super) const RESERVED: [&str; 4] = ["create", "read", "effects", "events"];
/// What a query calls the number of rows that it asks for.
const PAGE_SIZES: [&str; 4] = ["limit", "per_page", "page_size", "pageSize"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Reader<'_> {
    pub(super) fn dialect(&self, file: &ApiFile) -> Result<Dialect, SourceError> {
        let mut actions = BTreeMap::new();
        for (name, action) in &file.actions {
            actions.insert(Arc::from(name.get_ref().as_str()), self.action(file, name.get_ref(), action)?);
        }
        let mut actors = BTreeMap::new();
        for (name, actor) in &file.actors {
            actors.insert(Arc::from(name.as_str()), self.actor_dialect(actor)?);
        }
        if actors.is_empty() {
            actors.insert(Arc::from(super::ONLY_ACTOR), self.actor_dialect(&super::shape::ActorFile::default())?);
        }
        let resource = &file.resource;
        let volatile = resource.volatile.iter().map(|at| self.pointer(at)).collect::<Result<_, _>>()?;
        let state = self.place_option(self.state_place(file)?)?;
        let create = file.create.as_ref().map(|create| self.create_request(file, create)).transpose()?;
        Ok(Dialect {
            creates_with_key: file.create.as_ref().is_some_and(|create| create.idempotency_key),
            creates_with_value: file.model == ModelFile::Register
                && create.as_ref().is_some_and(|one| has(one, &Hole::Value)),
            create,
            read: file.read.as_ref().map(|read| self.request(&read.parts())).transpose()?,
            views: self.views(file)?,
            settle: self.settle(file)?,
            actions,
            effects: file.effects.as_ref().map(|list| self.list(list)).transpose()?,
            events: file.events.as_ref().map(|list| self.list(list)).transpose()?,
            actors,
            credentials: Credentials::default(),
            logged_in: BTreeMap::new(),
            environment: BTreeMap::new(),
            told_apart: OnceLock::new(),
            id: self.id(file)?,
            answers_json: file.model == ModelFile::StateMachine
                && state.as_ref().is_some_and(super::super::place::Place::is_json),
            state,
            state_word: match file.model {
                ModelFile::StateMachine | ModelFile::Effects => "state",
                ModelFile::Register => "value",
                ModelFile::Counter => "number",
            },
            version: self.place_option(resource.version.as_ref())?,
            volatile,
            token: file.token.as_ref().map(|token| self.token(file, token)).transpose()?,
            idempotency: file.idempotency.as_ref().map(|key| self.key(key)).transpose()?,
            starts: file.counter.as_ref().and_then(|counter| counter.get_ref().starts).unwrap_or(1),
            rules: file.replies.iter().map(|reply| self.rule(file, reply)).collect::<Result<_, _>>()?,
        })
    }

    fn action(&self, file: &ApiFile, name: &str, action: &ActionFile) -> Result<ActionDialect, SourceError> {
        if RESERVED.contains(&name) {
            let message = format!("an action cannot be called `{name}`: scenarios mean the request of that name");
            return Err(self.wrong(action.path.span(), message).help(format!("[actions.{name}-it], say")));
        }
        let request = self.request(&action.parts())?;
        let says_key = has(&request, &Hole::Key);
        self.check_key(file, name, &action.path, action.idempotency_key || says_key)?;
        let says_token = has(&request, &Hole::Token);
        if says_token && file.token.is_none() {
            return Err(self
                .wrong(action.path.span(), format!("`{name}` says {{token}}, but there is no [token] table"))
                .help("add [token] with read = …, the place where replies tell it"));
        }
        let writes_value = action.writes.as_ref().is_some_and(|writes| *writes.get_ref() == Leaves::Value);
        if writes_value && !has(&request, &Hole::Value) {
            let at = action.writes.as_ref().map_or_else(|| action.path.span(), Spanned::span);
            return Err(self
                .wrong(at, format!("`{name}` writes a value, but its request does not say {{value}}"))
                .help("put {value} where the value goes, such as body = { text = \"{value}\" }"));
        }
        let needs_absence = action.needs.as_ref().is_some_and(|needs| *needs.get_ref() == super::Needs::Absent);
        // With `send` every action says the token; without, those that have a hole for it.
        let has_way = says_token || file.token.as_ref().is_some_and(|token| token.send.is_some());
        let sends = Sends {
            key: action.idempotency_key || says_key,
            token: !action.aside && action.token && !needs_absence && has_way,
            value: writes_value,
        };
        if sends.token {
            let send = file.token.as_ref().and_then(|token| token.send.as_ref());
            self.check_room(name, &action.parts(), &request, (&Hole::Token, "version token"), send)?;
        }
        if sends.key {
            let send = file.idempotency.as_ref().and_then(|key| key.send.as_ref());
            self.check_room(name, &action.parts(), &request, (&Hole::Key, "idempotency key"), send)?;
        }
        Ok(ActionDialect {
            sends,
            shows: action.shows,
            effect: self.place_option(action.effect.as_ref())?,
            amount: self.place_option(action.amount.as_ref())?,
            request,
        })
    }

    /// A request that carries a key needs to know how keys are said.
    fn check_key(&self, file: &ApiFile, what: &str, at: &Spanned<String>, sends: bool) -> Result<(), SourceError> {
        if !sends || file.idempotency.is_some() {
            return Ok(());
        }
        let message = format!("`{what}` sends an idempotency key, but there is no [idempotency] table");
        Err(self.wrong(at.span(), message).help("add [idempotency] with send = { header = \"Idempotency-Key\" }"))
    }

    /// What is to be put into the body needs one that it can be put into.
    fn check_room(
        &self,
        what: &str,
        parts: &Parts<'_>,
        request: &RequestTemplate,
        (hole, word): (&Hole, &str),
        send: Option<&Spanned<SendFile>>,
    ) -> Result<(), SourceError> {
        let Some(place) = send.and_then(|send| send.get_ref().body.as_ref()) else { return Ok(()) };
        let at = Send::Body(self.pointer(place)?);
        let Some(lacks) = request.lacks_room(hole, Some(&at), None) else { return Ok(()) };
        let of_form = || parts.form.and_then(|form| form.keys().next()).map(Spanned::span);
        let body = parts.body.map(Spanned::span).or_else(|| parts.raw.map(Spanned::span)).or_else(of_form);
        let message =
            format!("`{what}` is to say its {word} at `{}` of a JSON body, and its body is {lacks}", place.get_ref());
        let name = if *hole == Hole::Key { "{key}" } else { "{token}" };
        let or_none = if *hole == Hole::Token { ", or token = false if this request has none" } else { "" };
        let help = format!("put {name} into the body itself, where it belongs{or_none}");
        Err(self.wrong(body.unwrap_or_else(|| parts.path.span()), message).help(help))
    }

    fn id(&self, file: &ApiFile) -> Result<IdDialect, SourceError> {
        let id = &file.resource.id;
        let Some(made) = id.get_ref().made() else {
            if file.create.is_none() {
                return Err(self
                    .wrong(id.span(), "there is no [create] request whose reply could tell an id")
                    .help("add [create], or let the client make the id up: id = { made = \"doc-{unique}\" }"));
            }
            return Ok(IdDialect::Told(self.place(id)?));
        };
        let template = self.template(made, id.span())?;
        if !template.has(&Hole::Unique) {
            return Err(self
                .wrong(id.span(), "an id that is made up must be a fresh one each time")
                .help("say {unique} in it, such as { made = \"doc-{unique}\" }"));
        }
        Ok(IdDialect::Made(template))
    }

    fn token(&self, file: &ApiFile, token: &TokenFile) -> Result<TokenDialect, SourceError> {
        let read = self.place(&token.read)?;
        let send = token.send.as_ref().map(|send| self.send(send)).transpose()?;
        let says = |action: &ActionFile| self.request(&action.parts()).is_ok_and(|request| has(&request, &Hole::Token));
        if send.is_none() && !file.actions.values().any(says) {
            return Err(self
                .wrong(
                    token.read.span(),
                    "no request says the token: [token] has no `send`, and no action says {token}",
                )
                .help("send = { header = \"If-Match\" }, or {token} where a request names it"));
        }
        Ok(TokenDialect { read, send, is_opaque: token.compare == CompareFile::AsIs })
    }

    fn key(&self, key: &KeyFile) -> Result<KeyDialect, SourceError> {
        Ok(KeyDialect {
            send: key.send.as_ref().map(|send| self.send(send)).transpose()?,
            replayed: self.place_option(key.replayed.as_ref())?,
        })
    }

    fn send(&self, send: &Spanned<SendFile>) -> Result<Send, SourceError> {
        let file = send.get_ref();
        match (&file.header, &file.query, &file.body) {
            (Some(header), None, None) => Ok(Send::Header(self.own_header(header)?)),
            (None, Some(query), None) => Ok(Send::Query(query.get_ref().as_str().into())),
            (None, None, Some(body)) if body.get_ref().starts_with('/') => Ok(Send::Body(self.pointer(body)?)),
            (None, None, Some(body)) => {
                let message = format!("`{}` is not a JSON Pointer (RFC 6901) to a member of the body", body.get_ref());
                Err(self.wrong(body.span(), message).help(format!("did you mean `/{}`?", body.get_ref())))
            }
            _ => Err(self
                .wrong(send.span(), "it is sent in one of `header`, `query` and `body`")
                .help("send = { header = \"If-Match\" }")),
        }
    }

    /// The request that makes the resource, which has an id before only if the client makes it up.
    fn create_request(&self, file: &ApiFile, create: &CreateFile) -> Result<RequestTemplate, SourceError> {
        let request = self.request(&create.parts())?;
        if has(&request, &Hole::Id) && file.resource.id.get_ref().made().is_none() {
            return Err(self
                .wrong(create.path.span(), "there is no {id} before the resource is made")
                .help("where the client makes the id up, say so: [resource] id = { made = \"doc-{unique}\" }"));
        }
        self.check_key(file, "create", &create.path, create.idempotency_key || has(&request, &Hole::Key))?;
        if create.idempotency_key {
            let send = file.idempotency.as_ref().and_then(|key| key.send.as_ref());
            self.check_room("create", &create.parts(), &request, (&Hole::Key, "idempotency key"), send)?;
        }
        Ok(request)
    }

    pub(super) fn request(&self, parts: &Parts<'_>) -> Result<RequestTemplate, SourceError> {
        let method = parts.method;
        if !METHODS.contains(&method.get_ref().as_str()) {
            return Err(self
                .wrong(method.span(), format!("unknown method `{}`", method.get_ref()))
                .suggest(&method.get_ref().to_ascii_uppercase(), METHODS));
        }
        Ok(RequestTemplate {
            actor: self.actor(parts.actor, parts.path)?,
            method: method.get_ref().as_str().into(),
            path: self.path(parts.path)?,
            query: self.texts(parts.query)?,
            headers: self.headers(parts.headers)?,
            body: self.request_body(parts)?,
        })
    }

    fn request_body(&self, parts: &Parts<'_>) -> Result<Option<BodyTemplate>, SourceError> {
        if let (Some(media), None) = (parts.content_type, parts.raw) {
            let message = "`content_type` is for a `raw` body; JSON and forms have their own";
            return Err(self.wrong(media.span(), message).help("headers = { Content-Type = \"…\" } says another one"));
        }
        match (parts.body, parts.form, parts.raw) {
            (None, None, None) => Ok(None),
            (Some(body), None, None) => Ok(Some(BodyTemplate::Json(self.json_body(body.get_ref(), &body.span())?))),
            (None, Some(form), None) => Ok(Some(BodyTemplate::Form(self.texts(form)?))),
            (None, None, Some(raw)) => {
                let media = parts.content_type.map(|media| {
                    let is_plain = media.get_ref().bytes().all(|byte| (b' '..=b'~').contains(&byte));
                    let message = "a media type is made of visible ASCII characters and blanks";
                    if is_plain { Ok(media.get_ref().as_str().into()) } else { Err(self.wrong(media.span(), message)) }
                });
                let template = self.template(raw.get_ref(), raw.span())?;
                Ok(Some(BodyTemplate::Raw(template, media.transpose()?)))
            }
            _ => Err(self
                .wrong(parts.path.span(), "a request has one body: `body` (JSON), `form` or `raw`")
                .help("keep the one that is sent")),
        }
    }

    fn texts(&self, texts: &Texts) -> Result<Vec<(Arc<str>, Template)>, SourceError> {
        (texts.iter())
            .map(|(name, value)| Ok((name.get_ref().as_str().into(), self.template(value.get_ref(), value.span())?)))
            .collect()
    }

    fn list(&self, file: &ListFile) -> Result<ListDialect, SourceError> {
        let request = RequestTemplate {
            actor: self.actor(file.actor.as_ref(), &file.path)?,
            method: "GET".into(),
            path: self.path(&file.path)?,
            query: self.texts(&file.query)?,
            headers: self.headers(&file.headers)?,
            body: None,
        };
        let told = match (&file.rows, &file.count) {
            (Some(rows), None) => Told::Rows(self.json(rows)?),
            (None, Some(count)) => Told::Count(self.place(count)?),
            (Some(_), Some(count)) => {
                return Err(self.wrong(count.span(), "a list has `rows` or a `count`, not both"));
            }
            (None, None) => {
                return Err(self.wrong(file.path.span(), "nothing says what the list tells").help(
                    "rows = \"/results\", the place of its rows (\"\" is the whole body), or count = \"/total\"",
                ));
            }
        };
        Ok(ListDialect {
            request,
            page: self.page(file)?,
            told,
            id: self.json_option(file.id.as_ref())?,
            amount: self.json_option(file.amount.as_ref())?,
            action: self.json_option(file.action.as_ref())?,
            from: self.json_option(file.from.as_ref())?,
            to: self.json_option(file.to.as_ref())?,
            version: self.json_option(file.version.as_ref())?,
        })
    }

    fn page(&self, file: &ListFile) -> Result<Page, SourceError> {
        let of_rows = [file.page.as_ref().map(Spanned::span), file.more.as_ref().map(Spanned::span)];
        if let (None, Some(span)) = (&file.rows, of_rows.into_iter().flatten().next()) {
            return Err(self.wrong(span, "only rows are shown page by page; a `count` is of all"));
        }
        if let Some(none) = file.page.as_ref().filter(|page| *page.get_ref() == 0) {
            return Err(self.wrong(none.span(), "a page has at least one row"));
        }
        let asked = PAGE_SIZES.iter().find_map(|name| file.query.get(*name)?.get_ref().parse().ok());
        let said = file.page.as_ref().map(|page| *page.get_ref());
        Ok(Page {
            rows: said.or(asked).filter(|rows| *rows > 0).map(|rows| rows as usize),
            more: file.more.as_ref().map(|more| self.place(more)).transpose()?,
        })
    }

    pub(super) fn actor(
        &self,
        name: Option<&Spanned<String>>,
        path: &Spanned<String>,
    ) -> Result<Arc<str>, SourceError> {
        let Some(name) = name else {
            return match &self.actors[..] {
                [] => Ok(super::ONLY_ACTOR.into()),
                [only] => Ok(only.as_str().into()),
                several => Err(self.wrong(path.span(), "nothing says which actor makes this request").help(format!(
                    "actor = \"{}\", or another of {}",
                    several[0],
                    several.join(", ")
                ))),
            };
        };
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

    pub(super) fn template(&self, text: &str, span: Range<usize>) -> Result<Template, SourceError> {
        Template::parse(text).map_err(|error| match error {
            TemplateError::Open => self.wrong(span, "a `{` that is never closed").help("`{{` stands for a brace"),
            TemplateError::Stray => self.wrong(span, "a `}` that closes nothing").help("`}}` stands for a brace"),
            TemplateError::UnknownHole(hole) => {
                self.wrong(span, format!("unknown placeholder `{{{hole}}}`")).suggest(&hole, Hole::NAMES)
            }
            TemplateError::UnknownFilter(filter) => {
                self.wrong(span, format!("unknown filter `{filter}`")).suggest(&filter, Hole::FILTERS)
            }
        })
    }

    pub(super) fn headers(&self, headers: &Texts) -> Result<Vec<(Arc<str>, Template)>, SourceError> {
        let mut checked = Vec::new();
        for (name, value) in headers {
            if !value.get_ref().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(self.wrong(value.span(), "a header value is made of visible ASCII characters and blanks"));
            }
            let lower = self.own_header(name)?;
            if checked.iter().any(|(own, _): &(Arc<str>, Template)| *own == lower) {
                return Err(self.wrong(name.span(), format!("the header `{lower}` is named twice")));
            }
            checked.push((lower, self.template(value.get_ref(), value.span())?));
        }
        Ok(checked)
    }

    /// The name of a header that a description may send.
    fn own_header(&self, name: &Spanned<String>) -> Result<Arc<str>, SourceError> {
        let lower = self.header_called(name.get_ref(), name.span())?;
        if FRAMING.contains(&&*lower) {
            let message = format!("the header `{lower}` belongs to the connection, not to the description");
            return Err(self.wrong(name.span(), message));
        }
        Ok(lower)
    }

    pub(super) fn header_called(&self, name: &str, span: Range<usize>) -> Result<Arc<str>, SourceError> {
        match http::HeaderName::from_bytes(name.as_bytes()) {
            Ok(name) => Ok(name.as_str().into()),
            Err(_) => Err(self.wrong(span, format!("`{name}` is not a header name"))),
        }
    }

    pub(super) fn json_body(&self, body: &Value, span: &Range<usize>) -> Result<JsonTemplate, SourceError> {
        Ok(match body {
            Value::String(text) => JsonTemplate::Text(self.template(text, span.clone())?),
            Value::Array(items) => {
                JsonTemplate::List(items.iter().map(|item| self.json_body(item, span)).collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => {
                JsonTemplate::Table(
                    (entries.iter())
                        .map(|(key, item)| Ok((key.clone(), self.json_body(item, span)?)))
                        .collect::<Result<_, SourceError>>()?,
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => JsonTemplate::Other(body.clone()),
        })
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
}

/// Whether a request has this hole anywhere.
fn has(request: &RequestTemplate, hole: &Hole) -> bool {
    let mut has = false;
    request.templates(&mut |template| has |= template.has(hole));
    has
}
