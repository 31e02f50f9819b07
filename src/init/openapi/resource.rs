//! What in a document could be raced: a path with an id, what makes it, and what is done to it.

use std::collections::{HashMap, HashSet};

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

impl<'a> Resource<'a> {
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

    /// The paths by which it is made and changed.
    fn changed_at(&self) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        self.create.iter().chain(self.actions.iter().map(|(_, action)| action)).map(|own| own.path)
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

/// The paths of a document, by what stands where: each is looked at once for every resource that it belongs to, however many
/// there are.
struct Paths<'a> {
    all: Vec<(&'a str, &'a Value)>,
    /// Where in `all` those of these parts are.
    at: HashMap<Vec<&'a str>, Vec<usize>>,
    /// Where those are that say a word below these parts, and the word.
    below: HashMap<Vec<&'a str>, Vec<(usize, &'a str)>>,
    /// The parts that an id follows.
    collections: HashSet<Vec<&'a str>>,
}

impl<'a> Paths<'a> {
    fn of(document: &'a Document) -> Self {
        let all: Vec<(&str, &Value)> = (document.member("paths").as_object().into_iter().flatten())
            .filter(|(path, _)| path.starts_with('/'))
            .map(|(path, item)| (path.as_str(), document.resolved(item)))
            .collect();
        let mut paths = Self { all, at: HashMap::new(), below: HashMap::new(), collections: HashSet::new() };
        for (index, (path, _)) in paths.all.iter().enumerate() {
            let own = parts(path);
            if let Some((last, init)) = own.split_last() {
                if is_parameter(last) {
                    paths.collections.insert(init.to_vec());
                }
                for (above, word) in words_below(init, last) {
                    paths.below.entry(above).or_default().push((index, word));
                }
            }
            paths.at.entry(own).or_default().push(index);
        }
        paths
    }

    /// Those of these parts.
    fn at<'p>(&'p self, parts: &[&'p str]) -> &'p [usize] {
        self.at.get(parts).map_or(&[], Vec::as_slice)
    }
}

/// All that could be raced, what has most to it first.
pub(super) fn resources(document: &Document) -> Vec<Resource<'_>> {
    let paths = Paths::of(document);
    let has_id = |(path, _): &&(&str, &Value)| parts(path).last().is_some_and(|last| is_parameter(last));
    let mut resources: Vec<Resource<'_>> =
        paths.all.iter().filter(has_id).map(|(path, _)| with_id(document, path, &paths)).collect();
    let known: HashSet<&str> = resources.iter().flat_map(Resource::changed_at).collect();
    let mut more = Vec::new();
    for (path, item) in &paths.all {
        let create = operation(document, (path, item), "POST");
        if create.is_some() && !known.contains(*path) {
            let list = operation(document, (path, item), "GET");
            let path = (*path).to_owned();
            more.push(Resource { path, create, list, read: None, actions: Vec::new(), lists_below: Vec::new() });
        }
    }
    resources.append(&mut more);
    resources.retain(Resource::is_raceable);
    resources.sort_by_key(|resource| std::cmp::Reverse(resource.weight()));
    resources
}

fn operation<'a>(document: &'a Document, path: (&'a str, &'a Value), method: &str) -> Option<Operation<'a>> {
    let method = METHODS.into_iter().find(|(name, _)| *name == method)?;
    Operation::of(document, path, method)
}

/// The resource whose id is at the end of this path.
fn with_id<'a>(document: &'a Document, path: &str, paths: &Paths<'a>) -> Resource<'a> {
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
    let at = |index: usize, method| operation(document, paths.all[index], method);
    for &index in paths.at(above) {
        resource.create = resource.create.or_else(|| at(index, "POST"));
        resource.list = resource.list.or_else(|| at(index, "GET"));
    }
    let below = paths.below.get(&own).into_iter().flatten();
    // In the order of the document: names that are taken go to whoever comes first.
    let mut all: Vec<(usize, Option<&str>)> = below.map(|(index, word)| (*index, Some(*word))).collect();
    all.extend(paths.at(&own).iter().map(|index| (*index, None)));
    all.sort_unstable();
    for (index, word) in all {
        let Some(word) = word else {
            resource.read = resource.read.or_else(|| at(index, "GET"));
            for (name, method) in [("replace", "PUT"), ("change", "PATCH"), ("remove", "DELETE")] {
                resource.add(name, at(index, method));
            }
            continue;
        };
        if !paths.collections.contains(&parts(paths.all[index].0)) {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                resource.add(word, at(index, method));
            }
        }
        resource.lists_below.extend(at(index, "GET"));
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

/// What a path may be below, and the word that follows there: `cancel` of `/orders/{id}/cancel`, and of `/orders/{id}:cancel`.
fn words_below<'a>(init: &[&'a str], last: &'a str) -> Vec<(Vec<&'a str>, &'a str)> {
    let mut all = Vec::new();
    if !is_parameter(last) {
        all.push((init.to_vec(), last));
    }
    for (end, _) in last.match_indices("}:").filter(|_| last.starts_with('{')) {
        let above = init.iter().copied().chain([&last[..=end]]).collect();
        all.push((above, &last[end + 2..]));
    }
    all
}
