//! How the API is spoken: requests, headers, pointers and rules, each checked where it stands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned;

use super::super::credentials::Credentials;
use super::super::dialect::{
    ActionDialect, ActorDialect, BodyTemplate, Dialect, KeyDialect, ListDialect, Pointer, Presence, ReplyRule,
    RequestTemplate, StatusRange, TokenDialect,
};
use super::super::template::{Hole, Template};
use super::Reader;
use super::shape::{ApiFile, CreateFile, KeyFile, ListFile, ReadFile, ReplyFile, StatusFile, TokenFile};
use crate::source::SourceError;

/// Headers that frame or route a request: the client's own affair.
const FRAMING: [&str; 8] =
    ["connection", "content-length", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"];
/// What scenarios call the requests that are no actions.
const RESERVED: [&str; 2] = ["create", "read"];
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

impl Reader<'_> {
    pub(super) fn dialect(&self, file: &ApiFile) -> Result<Dialect, SourceError> {
        let mut actions = BTreeMap::new();
        for (name, action) in &file.actions {
            if action.idempotency_key && file.idempotency.is_none() {
                let message = format!("`{name}` sends an idempotency key, but there is no [idempotency] table");
                return Err(self
                    .wrong(action.path.span(), message)
                    .help("add [idempotency] with request_header = \"Idempotency-Key\""));
            }
            if RESERVED.contains(&name.as_str()) {
                let message = format!("an action cannot be called `{name}`: scenarios mean the request of that name");
                return Err(self.wrong(action.path.span(), message).help(format!("[actions.{name}-it], say")));
            }
            let request =
                self.request(&action.actor, &action.method, &action.path, &action.headers, action.body.as_ref())?;
            let dialect = ActionDialect {
                request,
                sends_key: action.idempotency_key,
                sends_token: !action.aside,
                writes_value: false,
                effect: self.pointer_option(action.effect.as_ref())?,
                amount: self.pointer_option(action.amount.as_ref())?,
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
            creates_with_key: self.creates_with_key(file)?,
            creates_with_value: false,
            read: self.read_request(&file.read)?,
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
            presence: Presence::default(),
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
    fn create_request(&self, file: &CreateFile) -> Result<RequestTemplate, SourceError> {
        if file.path.get_ref().contains("{id}") {
            return Err(self.wrong(file.path.span(), "there is no {id} before the resource is made"));
        }
        self.request(&file.actor, &file.method, &file.path, &file.headers, file.body.as_ref())
    }

    fn creates_with_key(&self, file: &ApiFile) -> Result<bool, SourceError> {
        if file.create.idempotency_key && file.idempotency.is_none() {
            return Err(self
                .wrong(
                    file.create.path.span(),
                    "creating sends an idempotency key, but there is no [idempotency] table",
                )
                .help("add [idempotency] with request_header = \"Idempotency-Key\""));
        }
        Ok(file.create.idempotency_key)
    }

    fn read_request(&self, file: &ReadFile) -> Result<RequestTemplate, SourceError> {
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
            amount: self.pointer_option(file.amount.as_ref())?,
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
