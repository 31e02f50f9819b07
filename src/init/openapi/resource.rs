//! What in a document could be raced: a path with an id, what makes it, and what is done to it.

use serde_json::Value;

use super::document::Document;
use super::operation::Operation;

/// The methods that matter, as they are sent and as documents write them.
const METHODS: [(&str, &str); 5] =
    [("GET", "get"), ("POST", "post"), ("PUT", "put"), ("PATCH", "patch"), ("DELETE", "delete")];

/// A path with an id at its end, or a path that things are posted to.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    /// `/orders/{id}`; or, where no path has an id, `/charges`.
    pub(super) path: String,
    /// `POST` to the path above the id.
    pub(super) create: Option<Operation<'a>>,
    pub(super) read: Option<Operation<'a>>,
    /// `GET` of the path above the id.
    pub(super) list: Option<Operation<'a>>,
    /// What changes it, by name: `replace` (PUT), `change` (PATCH), `remove` (DELETE), and what follows the id in a path.
    pub(super) actions: Vec<(String, Operation<'a>)>,
    /// `GET` of a path below the id.
    pub(super) lists_below: Vec<Operation<'a>>,
}

impl Resource<'_> {
    /// Its own word: `order` of `/orders/{id}`.
    pub(super) fn noun(&self) -> String {
        let words = self.path.split('/').rev().filter(|part| !part.is_empty() && !is_parameter(part));
        let word = words.map(|part| part.split(':').next().unwrap_or(part)).next().unwrap_or("resource");
        let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ')).collect();
        match word.strip_suffix("ies") {
            Some(stem) if stem.len() > 1 => format!("{stem}y"),
            _ if word.ends_with("ss") || word.len() < 3 => word,
            _ => word.strip_suffix('s').unwrap_or(&word).to_owned(),
        }
    }

    /// How much there is to race: what changes it counts most.
    fn weight(&self) -> usize {
        let has = |operation: &Option<Operation<'_>>| usize::from(operation.is_some());
        self.actions.len() * 4 + has(&self.create) * 2 + has(&self.read)
    }

    /// Whether anything is done with it at all.
    fn is_raceable(&self) -> bool {
        !self.actions.is_empty() || self.create.is_some()
    }
}

pub(super) fn is_parameter(part: &str) -> bool {
    part.starts_with('{') && part.ends_with('}')
}

/// The parts of a path, without the empty ones: `/orders/` is `/orders`.
fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !part.is_empty()).collect()
}

/// All that could be raced, what has most to it first.
pub(super) fn resources(document: &Document) -> Vec<Resource<'_>> {
    let paths: Vec<(&str, &Value)> = (document.member("paths").as_object().into_iter().flatten())
        .filter(|(path, _)| path.starts_with('/'))
        .map(|(path, item)| (path.as_str(), document.resolved(item)))
        .collect();
    let mut resources: Vec<Resource<'_>> = Vec::new();
    for (path, _) in &paths {
        if parts(path).last().is_some_and(|last| is_parameter(last)) {
            resources.push(with_id(document, path, &paths));
        }
    }
    for (path, item) in &paths {
        let create = operation(document, (path, item), "POST");
        let is_known = |own: &Resource<'_>| own.create.is_some_and(|create| create.path == *path) || own.has(path);
        if create.is_some() && !resources.iter().any(is_known) {
            let list = operation(document, (path, item), "GET");
            let path = (*path).to_owned();
            resources.push(Resource { path, create, list, read: None, actions: Vec::new(), lists_below: Vec::new() });
        }
    }
    resources.retain(Resource::is_raceable);
    resources.sort_by_key(|resource| std::cmp::Reverse(resource.weight()));
    resources
}

impl Resource<'_> {
    fn has(&self, path: &str) -> bool {
        self.actions.iter().any(|(_, action)| action.path == path)
    }
}

fn operation<'a>(document: &'a Document, path: (&'a str, &'a Value), method: &str) -> Option<Operation<'a>> {
    let method = METHODS.into_iter().find(|(name, _)| *name == method)?;
    Operation::of(document, path, method)
}

/// The resource whose id is at the end of this path.
fn with_id<'a>(document: &'a Document, path: &str, paths: &[(&'a str, &'a Value)]) -> Resource<'a> {
    let own = parts(path);
    let above = &own[..own.len() - 1];
    let mut resource = Resource {
        path: path.to_owned(),
        create: None,
        read: None,
        list: None,
        actions: Vec::new(),
        lists_below: Vec::new(),
    };
    for (other, item) in paths {
        let at = |method| operation(document, (other, item), method);
        let other_parts = parts(other);
        if other_parts == own {
            resource.read = resource.read.or_else(|| at("GET"));
            for (name, method) in [("replace", "PUT"), ("change", "PATCH"), ("remove", "DELETE")] {
                resource.add(name, at(method));
            }
        } else if other_parts == above {
            resource.create = resource.create.or_else(|| at("POST"));
            resource.list = resource.list.or_else(|| at("GET"));
        } else if let Some(word) = word_below(&own, &other_parts) {
            let is_collection = paths.iter().any(|(deeper, _)| {
                let deeper = parts(deeper);
                deeper.len() == other_parts.len() + 1
                    && deeper.starts_with(&other_parts)
                    && deeper.last().is_some_and(|last| is_parameter(last))
            });
            if !is_collection {
                for method in ["POST", "PUT", "PATCH", "DELETE"] {
                    resource.add(word, at(method));
                }
            }
            resource.lists_below.extend(at("GET"));
        }
    }
    resource
}

impl<'a> Resource<'a> {
    fn add(&mut self, word: &str, operation: Option<Operation<'a>>) {
        let Some(operation) = operation else { return };
        let name = crate::init::as_name(word).unwrap_or_else(|| "act".to_owned());
        // `create` and `read` are the requests of that name; what is there twice is told apart by its method.
        let is_taken = |name: &str, all: &[(String, Operation<'a>)]| {
            matches!(name, "create" | "read" | "effects" | "events") || all.iter().any(|(own, _)| own == name)
        };
        let mut full = name.clone();
        if is_taken(&full, &self.actions) {
            full = format!("{}-{name}", operation.method.to_ascii_lowercase());
        }
        while is_taken(&full, &self.actions) {
            full.push_str("-2");
        }
        self.actions.push((full, operation));
    }
}

/// The word after the id: `cancel` of `/orders/{id}/cancel`, and of `/orders/{id}:cancel`.
fn word_below<'a>(own: &[&str], other: &[&'a str]) -> Option<&'a str> {
    let (last, init) = other.split_last()?;
    if init == own && !is_parameter(last) {
        return Some(last);
    }
    let (own_last, own_init) = own.split_last()?;
    (init == own_init).then(|| last.strip_prefix(own_last)?.strip_prefix(':')).flatten()
}
