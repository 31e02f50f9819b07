//! One operation of a document: what it takes and what it answers.

use serde_json::Value;

use super::document::Document;
use super::schema::Schema;

/// An operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) document: &'a Document,
    /// In upper case.
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    own: &'a Value,
    of_path: &'a Value,
}

/// What a request's body is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    /// None is described.
    None,
    /// JSON, with its media type object.
    Json(&'a Value),
    /// A form, with its media type object.
    Form(&'a Value),
    /// Something else, of this media type.
    Other(&'a str),
}

impl<'a> Operation<'a> {
    pub(super) fn of(
        document: &'a Document,
        (path, item): (&'a str, &'a Value),
        (method, name): (&'static str, &str),
    ) -> Option<Self> {
        let own = item.get(name).filter(|own| own.is_object())?;
        Some(Self { document, method, path, own, of_path: item })
    }

    /// Its parameters; its own stand before those of its path.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'a Value> + use<'a> {
        let document = self.document;
        let lists = [&self.own["parameters"], &self.of_path["parameters"]];
        lists.into_iter().filter_map(Value::as_array).flatten().map(move |parameter| document.resolved(parameter))
    }

    /// Its parameters of a kind (`header`, `query`, `path`): names and parameters.
    pub(super) fn named(&self, kind: &'static str) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        (self.parameters().filter(move |parameter| parameter["in"] == kind))
            .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter)))
    }

    /// A header that it takes.
    pub(super) fn header(&self, is_it: impl Fn(&str) -> bool) -> Option<(&'a str, &'a Value)> {
        self.named("header").find(|(name, _)| is_it(&name.to_ascii_lowercase()))
    }

    /// What it says about itself.
    pub(super) fn words(&self) -> String {
        let text = |name: &str| self.own[name].as_str().unwrap_or_default().to_owned();
        format!("{}\n{}", text("summary"), text("description"))
    }

    /// Its own `security`, else the document's.
    pub(super) fn security(&self) -> &'a Value {
        self.own.get("security").unwrap_or_else(|| self.document.member("security"))
    }

    pub(super) fn statuses(&self) -> Vec<&'a str> {
        self.own["responses"].as_object().into_iter().flat_map(|all| all.keys()).map(String::as_str).collect()
    }

    /// The first answer that means success.
    fn success(&self) -> Option<&'a Value> {
        let all = self.own["responses"].as_object()?;
        let (_, response) = all.iter().find(|(status, _)| status.starts_with('2'))?;
        Some(self.document.resolved(response))
    }

    /// What its body is, if it is done.
    pub(super) fn answer(&self) -> Schema<'a> {
        let media = self.success().map(|response| json_of(&response["content"]));
        media.flatten().map(|media| Schema::of(self.document, &media["schema"])).unwrap_or_default()
    }

    /// Whether its answer tells this header (lower case), if it is done.
    pub(super) fn tells(&self, header: &str) -> bool {
        let headers = self.success().and_then(|response| response["headers"].as_object());
        headers.is_some_and(|all| all.keys().any(|name| name.eq_ignore_ascii_case(header)))
    }

    /// Whether it is done only on the version that it names.
    pub(super) fn is_conditional(&self) -> bool {
        let statuses = self.statuses();
        self.header(|name| name == "if-match").is_some() || statuses.contains(&"412") || statuses.contains(&"428")
    }

    pub(super) fn body(&self) -> Body<'a> {
        let content = &self.document.resolved(&self.own["requestBody"])["content"];
        let is_form =
            |(name, media): (&String, &'a Value)| (*name == "application/x-www-form-urlencoded").then_some(media);
        if let Some(media) = json_of(content) {
            return Body::Json(media);
        }
        let all = || content.as_object().into_iter().flatten();
        match (all().find_map(is_form), all().next()) {
            (Some(form), _) => Body::Form(form),
            (None, Some((other, _))) => Body::Other(other),
            (None, None) => Body::None,
        }
    }

    /// What its body must be.
    pub(super) fn body_schema(&self) -> Schema<'a> {
        match self.body() {
            Body::Json(media) | Body::Form(media) => Schema::of(self.document, &media["schema"]),
            Body::None | Body::Other(_) => Schema::default(),
        }
    }
}

fn json_of(content: &Value) -> Option<&Value> {
    let is_json = |name: &str| name.contains("json") && !name.contains("problem") && !name.contains("patch");
    content.as_object()?.iter().find_map(|(name, media)| is_json(name).then_some(media))
}
