//! The page of a resource: what all models have in common.

use serde_json::Value;

use super::model::{key_header, shown};
use super::operation::Operation;
use super::page::{Page, key, quoted};
use super::request::Request;
use super::resource::Resource;
use super::{counted, effected, replaced, stepped};
use crate::init::Draft;
use crate::scenario::ModelKind;

/// A page that is being written, and what it is about.
pub(super) struct Drawing<'r, 'a> {
    pub(super) resource: &'r Resource<'a>,
    pub(super) model: ModelKind,
    pub(super) name: &'r str,
    pub(super) page: Page,
}

/// Who races in the scenario, and from where.
#[derive(Debug, Default)]
pub(super) struct Race {
    pub(super) start: String,
    /// Actions, and what else is said of them.
    pub(super) contenders: Vec<(String, &'static str)>,
    pub(super) summary: String,
}

/// The two files.
pub(super) fn drawn(resource: &Resource<'_>, model: ModelKind, name: &str) -> Draft {
    let mut drawing = Drawing { resource, model, name, page: Page::default() };
    drawing.head();
    let race = match model {
        ModelKind::StateMachine => stepped::draw(&mut drawing),
        ModelKind::Register => replaced::draw(&mut drawing),
        ModelKind::Counter => counted::draw(&mut drawing),
        ModelKind::Effects => effected::draw(&mut drawing),
    };
    drawing.replies();
    Draft { description: drawing.page.into_text(), scenario: scenario(name, &race), notes: Vec::new() }
}

impl<'a> Drawing<'_, 'a> {
    fn head(&mut self) {
        let path = crate::text::harmless(&self.resource.path, 100);
        let base = self.operations().next().and_then(|own| own.document.base());
        let page = &mut self.page;
        page.comment("Drawn from an OpenAPI document, which does not say all that is to be known. `guessed` says why a line is as it is:");
        page.comment(
            "check it. `ASK` is for somebody who knows the API. What each key may say: docs/api-descriptions.md",
        );
        if let Some(base) = base {
            page.comment(&format!("Its paths are below `{base}`: say --target http://HOST:PORT{base}"));
        }
        page.line("");
        page.line("schema = \"quickeats-bench/api@1\"");
        page.line(&format!("name = {}", quoted(self.name)));
        page.line(&format!("summary = {}", quoted(&format!("{path}, as its OpenAPI document has it"))));
        page.guess(
            &format!("model = \"{}\"", self.model.word()),
            "from its paths; or state-machine, register, counter, effects",
        );
        page.line("");
    }

    /// `[resource]`, up to where the model's own place is told.
    pub(super) fn resource(&mut self, id: &str, why: &str) {
        self.page.line("[resource]");
        self.page.line(&format!("name = {}", quoted(&self.resource.noun())));
        self.page.guess(&format!("id = {id}"), why);
    }

    /// Where the reply to `create` tells the id, and why.
    pub(super) fn told_id(&self) -> (String, String) {
        let Some(create) = self.resource.create else {
            return ("\"/id\"".to_owned(), "the document has no request that makes one".to_owned());
        };
        let parameter = self.resource.path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
        let names = [parameter.trim_matches(['{', '}']).to_owned(), format!("{}_id", self.resource.noun())];
        let words = ["id", "_id", "uuid", "key", "slug", "name"];
        let answer = create.answer();
        for wanted in words[..3]
            .iter()
            .map(|word| (*word).to_owned())
            .chain(names)
            .chain(words[3..].iter().map(|word| (*word).to_owned()))
        {
            if let Some((pointer, _)) = answer.find(create.document, &|name, _| name.eq_ignore_ascii_case(&wanted)) {
                return (quoted(&pointer), "the reply to create has it".to_owned());
            }
        }
        if create.tells("location") {
            return (
                "{ header = \"Location\", regex = \"/([^/]+)/?$\" }".to_owned(),
                "the reply to create has the header".to_owned(),
            );
        }
        ("\"/id\"".to_owned(), "the document does not say; where does the reply to create tell it?".to_owned())
    }

    /// `version` and `volatile`, where the resource shows such.
    pub(super) fn versions(&mut self) {
        let shown = shown(self.resource);
        let of_kind = |name: &str, kind| {
            shown
                .find(&|own, schema| own.to_ascii_lowercase().ends_with(name) && schema.kind() == Some(kind))
                .map(|(pointer, _)| pointer)
        };
        if let Some(pointer) = of_kind("version", "integer").or_else(|| of_kind("revision", "integer")) {
            self.page.comment(&format!(
                "version = {}   # ASK: does each change add exactly one to it? Then remove the first #",
                quoted(&pointer)
            ));
        }
        let times: Vec<String> = (["updated_at", "updatedat", "modified", "last_modified"].iter())
            .filter_map(|name| of_kind(name, "string"))
            .map(|pointer| quoted(&pointer))
            .collect();
        if !times.is_empty() {
            self.page.guess(&format!("volatile = [{}]", times.join(", ")), "it tells a time, not the resource");
        }
        self.page.line("");
    }

    /// All operations that the description speaks of.
    fn operations(&self) -> impl Iterator<Item = Operation<'a>> + use<'_, 'a> {
        let resource = self.resource;
        resource.create.into_iter().chain(resource.read).chain(resource.actions.iter().map(|(_, own)| *own))
    }

    /// Whether its changes are conditional on an `ETag`. (One that is told and never asked for is for caches.)
    pub(super) fn has_token(&self) -> bool {
        self.resource.actions.iter().any(|(_, own)| own.is_conditional())
    }

    pub(super) fn token(&mut self) {
        if !self.has_token() {
            self.page
                .comment("ASK: is a change conditional on a version token that the document does not mention? Then:");
            self.page.comment("[token]");
            self.page.comment("read = { header = \"ETag\" }");
            self.page.comment("send = { header = \"If-Match\" }");
            self.page.comment("required = true");
            self.page.line("");
            return;
        }
        let is_required = |own: &Operation<'_>| {
            own.statuses().contains(&"428")
                || own.header(|name| name == "if-match").is_some_and(|(_, parameter)| parameter["required"] == true)
        };
        let is_required = self.resource.actions.iter().any(|(_, own)| is_required(own));
        self.page.line("[token]");
        self.page.guess("read = { header = \"ETag\" }", "the document has If-Match, or answers 412");
        self.page.line("send = { header = \"If-Match\" }");
        let why = if is_required {
            "If-Match is required, or 428 is answered"
        } else {
            "nothing says that If-Match must be there"
        };
        self.page.guess(&format!("required = {is_required}"), why);
        self.page.line("");
    }

    pub(super) fn keys(&mut self) {
        let Some(header) = self.operations().find_map(|own| key_header(&own)) else { return };
        let replayed = ["idempotent-replayed", "idempotency-replayed", "x-idempotent-replayed"];
        let told = replayed.iter().find(|name| self.operations().any(|own| own.tells(name)));
        self.page.line("[idempotency]");
        self.page.guess(&format!("send = {{ header = {} }}", quoted(header)), "the document has the header");
        if let Some(told) = told {
            self.page.guess(&format!("replayed = {{ header = {} }}", quoted(told)), "an answer has the header");
        }
        self.page.comment("ASK: what is promised beyond one effect a key? Remove the # of what is so.");
        self.page
            .comment("replay = \"stored\"    # a retry of a finished request hears the first answer, word for word");
        self.page.comment("reuse = \"refused\"    # a used key with another payload is refused");
        self.page.line("");
    }

    /// One actor, with what the document's security asks of it.
    pub(super) fn actors(&mut self) {
        let Some((name, scheme)) = self.scheme() else {
            self.page.comment("ASK: must it know who asks? The document does not say so. Then:");
            self.page.comment("[actors.client]");
            self.page.comment("bearer = \"{env:API_TOKEN}\"");
            self.page.line("");
            return;
        };
        let why = format!("the document's security scheme {name}; the secret is taken from the environment");
        self.page.line("[actors.client]");
        let word = |member: &str| scheme[member].as_str().unwrap_or_default().to_ascii_lowercase();
        match (&*word("type"), &*word("scheme"), &*word("in")) {
            ("http", "basic", _) => {
                self.page.guess("basic = { user = \"{env:API_USER}\", password = \"{env:API_PASSWORD}\" }", &why);
            }
            ("apikey", _, "header") => {
                let header =
                    scheme["name"].as_str().filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok());
                let header = header.filter(|name| {
                    !matches!(name.to_ascii_lowercase().as_str(), "host" | "connection" | "content-length")
                });
                let line = format!("headers = {{ {} = \"{{env:API_KEY}}\" }}", key(header.unwrap_or("X-Api-Key")));
                self.page.guess(&line, &why);
            }
            ("apikey", _, "cookie") => {
                let cookie = scheme["name"].as_str().unwrap_or("session");
                let is_plain = !cookie.is_empty()
                    && cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
                let cookie = if is_plain { cookie } else { "session" };
                self.page.guess(&format!("headers = {{ Cookie = \"{cookie}={{env:API_COOKIE}}\" }}"), &why);
            }
            ("apikey", _, "query") => {
                self.page.comment("ASK: the document wants a key in the query: say query = { NAME = \"{env:API_KEY}\" } in each request");
            }
            _ => self.page.guess("bearer = \"{env:API_TOKEN}\"", &why),
        }
        self.page.line("");
    }

    /// The first scheme that an operation of the resource requires.
    fn scheme(&self) -> Option<(String, &'a Value)> {
        let mut all = self
            .operations()
            .flat_map(|own| own.security().as_array().into_iter().flatten().map(move |one| (own, one)));
        let (operation, name) = all.find_map(|(own, one)| Some((own, one.as_object()?.keys().next()?)))?;
        let schemes = &operation.document.member("components")["securitySchemes"];
        let scheme = operation.document.resolved(&schemes[name.as_str()]);
        scheme.is_object().then(|| (name.clone(), scheme))
    }

    /// `[create]`, with what its body says of its own.
    pub(super) fn create(&mut self, says: Vec<(&str, Value)>) {
        self.page.line("# Makes a fresh one: each round of a race has one of its own.");
        self.page.line("[create]");
        if let Some(create) = &self.resource.create {
            Request { operation: create, item: &self.resource.path, says, headers: Vec::new() }.write(&mut self.page);
        } else {
            self.page.line("method = \"POST\"");
            self.page.ask("path = \"/answer-this\"", "how is one made? The document does not say");
        }
        self.page.line("");
    }

    pub(super) fn read(&mut self) {
        self.page.line("[read]");
        if let Some(read) = &self.resource.read {
            Request { operation: read, item: &self.resource.path, says: Vec::new(), headers: Vec::new() }
                .write(&mut self.page);
        } else {
            self.page.line("method = \"GET\"");
            self.page.ask("path = \"/answer-this/{id}\"", "how is it read? The document does not say");
        }
        self.page.line("");
    }

    /// `[actions.NAME]` and its request.
    pub(super) fn action(&mut self, name: &str, operation: &Operation<'_>, says: Vec<(&str, Value)>) {
        self.page.line(&format!("[actions.{}]", key(name)));
        Request { operation, item: &self.resource.path, says, headers: Vec::new() }.write(&mut self.page);
        if self.has_token() && !operation.is_conditional() {
            self.page.guess("token = false", "it has neither If-Match nor 412");
        }
    }

    /// Which answers there are, and what they mean unless a rule says otherwise.
    fn replies(&mut self) {
        let mut statuses: Vec<&str> = self.operations().flat_map(|own| own.statuses()).collect();
        statuses.sort_unstable();
        statuses.dedup();
        if !statuses.is_empty() {
            self.page.comment(&format!("The document has these answers: {}.", statuses.join(", ")));
        }
        self.page.comment("2xx means that it was done, 412 that the token is not the current one, other 4xx that it was refused, 202, 3xx and 5xx");
        self.page.comment("that nobody knows. ASK: does one mean something else (a 402 that moves a state, a 409 for a key in use)? Then:");
        self.page.comment("[[replies]]");
        self.page.comment("status = [409]");
        self.page.comment("means = \"in-progress\"");
    }
}

/// The race to start from.
fn scenario(name: &str, race: &Race) -> String {
    let mut page = Page::default();
    page.comment(&format!(
        "A race of your own. `race --api {name}.toml` without it races all that fits the description."
    ));
    page.comment("What each key may say: docs/scenario-files.md");
    page.line("");
    page.line("schema = \"quickeats-bench/scenario@1\"");
    page.line(&format!("name = {}", quoted(&format!("{name}-race"))));
    page.line(&format!("apis = [{}]", quoted(name)));
    page.line(&format!("summary = {}", quoted(&race.summary)));
    page.line(&format!("start = {}", quoted(&race.start)));
    page.line("alone = \"applied\"             # what each hears when nobody races with it");
    page.line("most_contenders = 16          # how far --contenders may raise their number");
    for (action, more) in &race.contenders {
        page.line("");
        page.line("[[contenders]]");
        page.line(&format!("action = {}", quoted(action)));
        if !more.is_empty() {
            page.line(more);
        }
    }
    page.into_text()
}
