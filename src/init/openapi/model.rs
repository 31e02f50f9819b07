//! Which kind of model a resource is.

use super::operation::Operation;
use super::resource::Resource;
use super::schema::Schema;
use super::states::{is_state, verbs};
use crate::scenario::ModelKind;

/// Names of members that count something.
const COUNTS: [&str; 15] = [
    "stock",
    "quantity",
    "balance",
    "available",
    "inventory",
    "remaining",
    "seats",
    "credits",
    "points",
    "count",
    "amount",
    "capacity",
    "free",
    "level",
    "total",
];
const TAKES: [&str; 14] = [
    "take",
    "reserve",
    "withdraw",
    "debit",
    "decrement",
    "consume",
    "sell",
    "redeem",
    "spend",
    "book",
    "deduct",
    "use",
    "buy",
    "purchase",
];
const GIVES: [&str; 12] = [
    "give",
    "release",
    "deposit",
    "credit",
    "increment",
    "restock",
    "return",
    "add",
    "refund",
    "replenish",
    "topup",
    "top-up",
];

/// What kind it most likely is.
pub(super) fn guessed(resource: &Resource<'_>) -> ModelKind {
    let verbs = verbs(resource);
    let shown = shown(resource);
    let takes = verbs.iter().any(|(name, _)| adds(name).is_some_and(|adds| adds < 0));
    if takes && count(resource).is_some() {
        return ModelKind::Counter;
    }
    let state = shown.find_state();
    if state.is_some() && !verbs.is_empty() {
        return ModelKind::StateMachine;
    }
    let whole = |wanted: &str| resource.actions.iter().any(|(name, _)| name == wanted);
    if state.as_ref().is_some_and(|(_, state)| state.choices().len() > 1)
        && names_state(resource).is_some()
        && !whole("replace")
    {
        return ModelKind::StateMachine;
    }
    if whole("replace") || whole("change") {
        return ModelKind::Register;
    }
    if !verbs.is_empty() {
        return ModelKind::StateMachine;
    }
    if resource.create.is_some_and(|create| key_header(&create).is_some()) || !whole("remove") {
        return ModelKind::Effects;
    }
    ModelKind::StateMachine
}

/// What the resource looks like when it is read; else when it was made; else when something was done to it.
pub(super) fn shown<'a>(resource: &Resource<'a>) -> Shown<'a> {
    let operations =
        resource.read.into_iter().chain(resource.create).chain(resource.actions.iter().map(|(_, own)| *own));
    let first = operations.map(|own| (own, own.answer())).find(|(_, answer)| !answer.properties.is_empty());
    match first {
        Some((operation, schema)) => Shown { operation: Some(operation), schema },
        None => Shown { operation: None, schema: Schema::default() },
    }
}

/// An answer that shows the resource.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    operation: Option<Operation<'a>>,
    schema: Schema<'a>,
}

impl<'a> Shown<'a> {
    /// Where it shows the first member that `is_it`.
    pub(super) fn find(&self, is_it: &dyn Fn(&str, &Schema<'a>) -> bool) -> Option<(String, Schema<'a>)> {
        self.schema.find(self.operation?.document, is_it)
    }

    /// Where it shows its state, and which there are.
    pub(super) fn find_state(&self) -> Option<(String, Schema<'a>)> {
        let is_text = |schema: &Schema<'_>| schema.kind().is_none_or(|kind| kind == "string");
        (self.find(&|name, schema| is_state(name) && !schema.choices().is_empty()))
            .or_else(|| self.find(&|name, schema| is_state(name) && is_text(schema)))
    }
}

/// PUT or PATCH whose body names the state.
pub(super) fn names_state<'r, 'a>(resource: &'r Resource<'a>) -> Option<(&'r Operation<'a>, &'a str)> {
    resource.actions.iter().filter(|(name, _)| matches!(name.as_str(), "replace" | "change")).find_map(
        |(_, operation)| {
            let body = operation.body_schema();
            let (name, _) = body.properties.iter().find(|(name, _)| is_state(name))?;
            Some((operation, *name))
        },
    )
}

/// Where the number is that it counts.
pub(super) fn count(resource: &Resource<'_>) -> Option<String> {
    let is_count = |name: &str| COUNTS.iter().any(|word| name.to_ascii_lowercase().contains(word));
    let found = shown(resource).find(&|name, schema| schema.kind() == Some("integer") && is_count(name));
    found.map(|(pointer, _)| pointer)
}

/// Whether an action of that name takes (less than nothing) or gives.
pub(super) fn adds(name: &str) -> Option<i64> {
    let is = |words: &[&str]| words.iter().any(|word| name == *word || name.starts_with(&format!("{word}-")));
    let noun = name.trim_end_matches('s').trim_end_matches("ation").trim_end_matches("al");
    let sounds =
        |words: &[&str]| is(words) || words.iter().any(|word| word.len() > 4 && noun == word.trim_end_matches('e'));
    if sounds(&TAKES) {
        return Some(-1);
    }
    sounds(&GIVES).then_some(1)
}

/// The header of an operation that carries an idempotency key.
pub(super) fn key_header<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    operation
        .header(|name| name.contains("idempoten"))
        .map(|(name, _)| name)
        .filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_ok())
}
