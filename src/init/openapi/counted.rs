//! A counter: a number that is added to or taken from.

use serde_json::{Value, json};

use super::drawn::{Drawing, Race};
use super::model::{adds, count};
use super::operation::Operation;
use super::page::quoted;
use super::schema::Schema;
use super::states::verbs;

/// Names of members that say how many.
const HOW_MANY: [&str; 6] = ["quantity", "amount", "count", "number", "units", "by"];

pub(super) fn draw(drawing: &mut Drawing<'_, '_>) -> Race {
    let resource = drawing.resource;
    let pointer = count(resource);
    let (id, why) = drawing.told_id();
    drawing.resource(&id, &why);
    match &pointer {
        Some(pointer) => {
            drawing.page.guess(&format!("value = {}", quoted(pointer)), "a whole number that is called so");
        }
        None => drawing.page.ask("value = \"/count\"", "where does a reply tell the number?"),
    }
    drawing.versions();
    drawing.page.line("[counter]");
    drawing.page.line(
        "starts = 3                              # what a fresh one holds, where a scenario does not say otherwise",
    );
    drawing.page.ask("least = 0", "must it never be less?");
    drawing.page.line("");
    drawing.token();
    drawing.keys();
    drawing.actors();
    let member = pointer.as_deref().and_then(|pointer| pointer.rsplit('/').next());
    let create = resource.create.map(|create| create.body_schema());
    let told = member.filter(|member| create.is_some_and(|body| body.property(member).is_some()));
    if told.is_none() {
        drawing.page.comment("ASK: how is a fresh one made to hold so many? Say \"{starts|number}\" there.");
    }
    drawing.create(told.map(|member| (member, json!("{starts|number}"))).into_iter().collect());
    drawing.read();
    actions(drawing)
}

fn actions(drawing: &mut Drawing<'_, '_>) -> Race {
    let all = verbs(drawing.resource);
    let known: Vec<_> = all.iter().filter(|(name, _)| adds(name).is_some()).copied().collect();
    let described = if known.is_empty() { &all } else { &known };
    for (name, operation) in described {
        let how_many = how_many(operation);
        drawing.action(name, operation, how_many.map(|member| (member, json!(1))).into_iter().collect());
        let line = format!("adds = {}", adds(name).unwrap_or(-1));
        match adds(name) {
            Some(_) => drawing.page.guess(&line, "from its name; its request must say the same"),
            None => drawing.page.ask(&line, "what does it add? Less than nothing takes away"),
        }
        drawing.page.line("");
    }
    if described.is_empty() {
        drawing.page.line("[actions.take]");
        drawing.page.line("method = \"POST\"");
        drawing.page.ask("path = \"/answer-this/{id}\"", "how is something taken? The document does not say");
        drawing.page.line("adds = -1");
        drawing.page.line("");
    }
    let take = described.iter().find(|(name, _)| adds(name).is_none_or(|adds| adds < 0)).or(described.first());
    let take = take.map_or("take", |(name, _)| name.as_str()).to_owned();
    let summary = format!("{take} and {take} at once");
    Race { start: "present".to_owned(), contenders: vec![(take.clone(), ""), (take, "")], summary }
}

/// The member of the request that says how many.
fn how_many<'a>(operation: &Operation<'a>) -> Option<&'a str> {
    let body = operation.body_schema();
    let is_number =
        |value: &'a Value| matches!(Schema::of(operation.document, value).kind(), Some("integer" | "number"));
    let found = HOW_MANY
        .iter()
        .find_map(|word| body.properties.iter().find(|(name, value)| name.contains(word) && is_number(value)));
    found.map(|(name, _)| *name)
}
