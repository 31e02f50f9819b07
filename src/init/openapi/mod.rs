//! An OpenAPI document as a description of one of its resources: what it says is taken, what it does not say is guessed from names and
//! marked so, and what nobody can guess is asked.
//!
//! ```text
//! /orders/{id}/cancel: post ─► resource ─► model ─► page:  [actions.cancel]
//!                                                          transitions = [{ … }]   # guessed: `cancel` sounds like `cancelled`
//! ```
//!
//! A document is a stranger's: it is read within limits, and nothing of it reaches a page unquoted.

mod counted;
mod document;
mod drawn;
mod effected;
mod model;
mod operation;
mod page;
mod replaced;
mod request;
mod resource;
mod schema;
mod states;
mod stepped;

use std::sync::Arc;

use super::{Draft, as_name};
use crate::api::Api;
use crate::scenario::{ModelKind, Plan, Scenario};
use crate::text::harmless;
use document::Document;
pub use document::{LARGEST, OpenApiError};
use resource::Resource;

/// More than so many resources are not listed.
const LISTED: usize = 10;

/// What the user says of the document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes<'a> {
    /// What the description is called; after the resource, if nobody says.
    pub name: Option<&'a str>,
    /// The path of the resource, such as `/orders/{id}`; else the one with most to race.
    pub resource: Option<&'a str>,
    /// Its model; else it is guessed.
    pub model: Option<ModelKind>,
}

/// A draft, and what it is called.
#[derive(Debug)]
pub struct Drawn {
    /// The name of the description.
    pub name: String,
    /// Its texts.
    pub draft: Draft,
}

/// A description of one resource of an OpenAPI document (3.0 or 3.1; JSON or YAML).
///
/// # Errors
/// Why the document cannot be read, or has nothing that could be raced.
///
/// ```
/// use quickeats_bench::init::{OpenApiError, Wishes, from_openapi};
/// let error = from_openapi(r#"{"swagger": "2.0"}"#, &Wishes::default()).unwrap_err();
/// assert!(matches!(error, OpenApiError::Version(_)));
/// ```
pub fn from_openapi(text: &str, wishes: &Wishes<'_>) -> Result<Drawn, OpenApiError> {
    let document = Document::read(text)?;
    let resources = resource::resources(&document);
    let chosen = chosen(&resources, wishes.resource)?;
    let noun = chosen.noun();
    let name = wishes.name.map(str::to_owned).or_else(|| as_name(&noun)).unwrap_or_else(|| "my-api".to_owned());
    let model = wishes.model.unwrap_or_else(|| model::guessed(chosen));
    let mut draft = drawn::drawn(chosen, model, &name);
    draft.notes = notes(&document, &resources, chosen, model);
    draft.notes.push(doubts(&draft.description));
    check(&name, &draft)?;
    Ok(Drawn { name, draft })
}

fn chosen<'r, 'a>(resources: &'r [Resource<'a>], wished: Option<&str>) -> Result<&'r Resource<'a>, OpenApiError> {
    let Some(first) = resources.first() else {
        let message = "the document has nothing to race\n  = help: that is a path with an id, such as /orders/{id}, and something \
                       that changes it; or a path that things are posted to";
        return Err(OpenApiError::Nothing(message.to_owned()));
    };
    let Some(wished) = wished else { return Ok(first) };
    resources.iter().find(|own| own.path.trim_end_matches('/') == wished.trim_end_matches('/')).ok_or_else(|| {
        let list = listed(resources.iter());
        OpenApiError::Nothing(format!(
            "the document has no resource `{}`\n  = help: it has {list}",
            harmless(wished, 100)
        ))
    })
}

fn listed<'r, 'a: 'r>(resources: impl Iterator<Item = &'r Resource<'a>>) -> String {
    let mut paths: Vec<String> = resources.map(|own| harmless(&own.path, 80)).collect();
    let more = paths.len().saturating_sub(LISTED);
    paths.truncate(LISTED);
    let list = paths.join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

fn notes(document: &Document, all: &[Resource<'_>], chosen: &Resource<'_>, model: ModelKind) -> Vec<String> {
    let mut notes = vec![format!("{} as a {}", harmless(&chosen.path, 80), model.word())];
    let others = || all.iter().filter(|own| own.path != chosen.path);
    if others().next().is_some() {
        notes.push(format!("Other resources (--resource): {}", listed(others())));
    }
    if document.is_exhausted() {
        notes.push("The document's schemas contain each other in too many ways; a part was not looked at".to_owned());
    }
    notes
}

/// How much of it is to be looked at.
fn doubts(description: &str) -> String {
    let lines = |word: &str| description.lines().filter(|line| line.contains(word)).count();
    let (guessed, asked) = (lines("# guessed: "), lines("# ASK: "));
    format!("{guessed} lines are guessed and {asked} questions asked: a race proves only what the description says")
}

/// What is written must be read. Where a document is so strange that it is not, that is said.
fn check(name: &str, draft: &Draft) -> Result<(), OpenApiError> {
    let strange = |error: String| {
        let message =
            "what was drawn from the document cannot be read\n  = help: init --model writes a start without it";
        OpenApiError::Nothing(format!("{message}\n{error}"))
    };
    let api = Api::parse(&format!("{name}.toml"), &draft.description).map_err(|error| strange(error.to_string()))?;
    let scenario =
        Scenario::parse(&format!("{name}-race.toml"), &draft.scenario).map_err(|error| strange(error.to_string()))?;
    Plan::resolve(&scenario, &Arc::new(api), None).map_err(|error| strange(error.to_string()))?;
    Ok(())
}
