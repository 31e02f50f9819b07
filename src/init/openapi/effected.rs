//! Nothing but effects: what is posted under a key, and the list of what was done.

use serde_json::{Value, json};

use super::drawn::{Drawing, Race};
use super::operation::Operation;
use super::page::{key, quoted};
use super::schema::Schema;

/// Names of members that say whose it is, the likeliest first.
const WHOSE: [&str; 9] =
    ["customer", "account", "user", "recipient", "to", "reference", "external_id", "order", "client"];

pub(super) fn draw(drawing: &mut Drawing<'_, '_>) -> Race {
    let resource = drawing.resource;
    let action = (resource.create.or_else(|| resource.actions.first().map(|(_, own)| *own)))
        .expect("what has nothing to do is not drawn");
    let whose = whose(&action);
    let noun = crate::init::as_name(&resource.noun()).unwrap_or_else(|| "act".to_owned());
    let id = whose.unwrap_or("bench");
    let id = crate::init::as_name(id).unwrap_or_else(|| "bench".to_owned());
    drawing.resource(
        &format!("{{ made = \"{id}-{{unique}}\" }}"),
        "each round has somebody of its own, whose effects are counted",
    );
    drawing.page.line("");
    drawing.keys();
    drawing.actors();
    let name =
        if matches!(noun.as_str(), "create" | "read" | "effects" | "events") { format!("{noun}-it") } else { noun };
    if whose.is_none() {
        drawing.page.comment(
            "ASK: where does the request say whose it is? Say {id} there, or the effects of all rounds are mixed up.",
        );
    }
    drawing.action(&name, &action, whose.map(|member| (member, json!("{id}"))).into_iter().collect());
    answer(drawing, &action);
    list(drawing, whose);
    let has_key = super::model::key_header(&action).is_some();
    let more = if has_key { "key = \"shared\"" } else { "" };
    let contenders = vec![(name.clone(), more), (name.clone(), more)];
    Race { start: "present".to_owned(), contenders, summary: format!("{name} is sent twice at once") }
}

/// The member that says whose it is.
fn whose<'a>(action: &Operation<'a>) -> Option<&'a str> {
    let body = action.body_schema();
    let is_text = |value: &'a Value| Schema::of(action.document, value).is_free_text();
    let is_called =
        |name: &str, word: &str| name == word || name == format!("{word}_id") || name == format!("{word}Id");
    WHOSE.iter().find_map(|word| {
        let found = body.properties.iter().find(|(name, value)| is_called(name, word) && is_text(value));
        found.map(|(name, _)| *name)
    })
}

/// Where the reply tells what was done.
fn answer(drawing: &mut Drawing<'_, '_>, action: &Operation<'_>) {
    let answer = action.answer();
    let find = |wanted: &str| answer.find(action.document, &|name, _| name == wanted).map(|(pointer, _)| pointer);
    match find("id") {
        Some(pointer) => drawing.page.guess(&format!("effect = {}", quoted(&pointer)), "the reply tells an id"),
        None => drawing.page.ask("effect = \"/id\"", "where does its reply tell the id of what was done?"),
    }
    if let Some(pointer) = find("amount") {
        drawing.page.guess(&format!("amount = {}", quoted(&pointer)), "how much that was");
    }
    drawing.page.line("");
}

/// The list of what was really done, for one of those whose it is.
fn list(drawing: &mut Drawing<'_, '_>, whose: Option<&str>) {
    drawing.page.line("# What was really done, for one {id}: without it only what replies name can be counted.");
    drawing.page.line("[effects]");
    let list = drawing.resource.list;
    let asks_for = list.and_then(|list| list.named("query").map(|(name, _)| name).find(|name| Some(*name) == whose));
    let (Some(list), Some(member)) = (list, asks_for) else {
        drawing.page.ask("path = \"/answer-this?whose={id}\"", "how are the effects of one {id} listed?");
        drawing.page.ask("rows = \"\"", "where in the reply is the list? \"\" is the whole of it");
        drawing.page.line("id = \"/id\"");
        drawing.page.line("");
        return;
    };
    let answer = list.answer();
    let is_list = |_: &str, schema: &Schema<'_>| schema.kind() == Some("array");
    let rows = match answer.kind() {
        Some("array") => Some(String::new()),
        _ => answer.find(list.document, &is_list).map(|(pointer, _)| pointer),
    };
    let path = super::request::literal(list.path);
    drawing.page.guess(&format!("path = {}", quoted(&path)), "the list of the same path");
    drawing.page.guess(&format!("query = {{ {} = \"{{id}}\" }}", key(member)), "it can be asked for by this");
    match rows {
        Some(pointer) => drawing.page.guess(&format!("rows = {}", quoted(&pointer)), "the reply has a list there"),
        None => drawing.page.ask("rows = \"\"", "where in the reply is the list? \"\" is the whole of it"),
    }
    drawing.page.line("id = \"/id\"");
    drawing.page.line("");
}
