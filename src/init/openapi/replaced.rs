//! A register: a value that is replaced as a whole, or removed.

use serde_json::{Value, json};

use super::drawn::{Drawing, Race};
use super::model::shown;
use super::operation::Operation;
use super::page::quoted;
use super::request::Request;
use super::schema::Schema;

/// Names of members in which any text will do, the likeliest first.
const TEXTS: [&str; 10] =
    ["text", "content", "body", "value", "title", "name", "description", "note", "comment", "label"];

pub(super) fn draw(drawing: &mut Drawing<'_, '_>) -> Race {
    let resource = drawing.resource;
    let writer =
        ["replace", "change"].iter().find_map(|wanted| resource.actions.iter().find(|(name, _)| name == wanted));
    let member = writer.and_then(|(_, own)| text_member(drawing, own));
    // Without a POST that makes one, whoever writes first makes it, where it wants.
    let is_made_up = resource.create.is_none();
    if is_made_up {
        let noun = crate::init::as_name(&resource.noun()).unwrap_or_else(|| "one".to_owned());
        drawing.resource(
            &format!("{{ made = \"{noun}-{{unique}}\" }}"),
            "nothing but a write makes one: so the client thinks up ids",
        );
    } else {
        let (id, why) = drawing.told_id();
        drawing.resource(&id, &why);
    }
    match &member {
        Some((_, pointer)) => {
            drawing.page.guess(&format!("value = {}", quoted(pointer)), "a text that is written and shown");
        }
        None => drawing.page.ask("value = \"/value\"", "a text that each write writes anew and a read shows: where?"),
    }
    drawing.versions();
    drawing.token();
    drawing.keys();
    drawing.actors();
    let name = member.as_ref().map_or("value", |(name, _)| *name);
    let says = || vec![(name, json!("{value}"))];
    match (is_made_up, writer) {
        (true, Some((_, own))) => {
            drawing.page.line("[create]");
            Request { operation: own, item: &resource.path, says: says(), headers: first(own) }
                .write(&mut drawing.page);
            drawing.page.line("");
        }
        _ => drawing.create(says()),
    }
    drawing.read();
    actions(drawing, writer.map(|(name, own)| (name.as_str(), own)), name);
    let replace = writer.map_or("replace", |(name, _)| name.as_str()).to_owned();
    let more = if drawing.has_token() { "token = \"current\"" } else { "" };
    let contenders = vec![(replace.clone(), more), (replace, more)];
    Race { start: "present".to_owned(), contenders, summary: "Two replace it at once".to_owned() }
}

/// What a write says that must be the first: none may be there (RFC 9110 §13.1.2).
fn first(writer: &Operation<'_>) -> Vec<(&'static str, &'static str)> {
    let takes = writer.header(|name| name == "if-none-match").is_some();
    if takes { vec![("If-None-Match", "*")] } else { Vec::new() }
}

fn actions(drawing: &mut Drawing<'_, '_>, writer: Option<(&str, &Operation<'_>)>, member: &str) {
    let makes_it = drawing.resource.create.is_none();
    let needs = if makes_it && !drawing.has_token() { "needs = \"anything\"" } else { "needs = \"present\"" };
    let question = "\"present\" if it is refused where there is none, \"anything\" if not";
    if let Some((name, own)) = writer {
        drawing.action(name, own, vec![(member, json!("{value}"))]);
        drawing.page.line("writes = \"value\"");
        drawing.page.ask(needs, question);
        let headers = first(own);
        if makes_it && !headers.is_empty() {
            drawing.page.line("");
            drawing.page.line("[actions.put-new]");
            let says = vec![(member, json!("{value}"))];
            Request { operation: own, item: &drawing.resource.path, says, headers }.write(&mut drawing.page);
            drawing.page.line("writes = \"value\"");
            drawing.page.line("needs = \"absent\"");
        }
    } else {
        drawing.page.line("[actions.replace]");
        drawing.page.line("method = \"PUT\"");
        drawing.page.ask("path = \"/answer-this/{id}\"", "how is it written? The document does not say");
        drawing.page.line("body = { value = \"{value}\" }");
        drawing.page.line("writes = \"value\"");
    }
    drawing.page.line("");
    if let Some((name, own)) = drawing.resource.actions.iter().find(|(name, _)| name == "remove") {
        drawing.action(name, own, Vec::new());
        drawing.page.line("writes = \"nothing\"");
        drawing.page.ask("needs = \"present\"", question);
        drawing.page.line("");
    }
}

/// A member of the request in which any text will do, and where the resource shows it.
fn text_member<'a>(drawing: &Drawing<'_, 'a>, writer: &Operation<'a>) -> Option<(&'a str, String)> {
    let body = writer.body_schema();
    let shown = shown(drawing.resource);
    let fits = |(name, value): &(&'a str, &'a Value)| {
        let is_text = Schema::of(writer.document, value).is_free_text();
        let pointer =
            is_text.then(|| shown.find(&|own, schema| own == *name && schema.kind() == Some("string"))).flatten();
        Some((*name, pointer?.0))
    };
    let rank =
        |name: &str| TEXTS.iter().position(|word| name.to_ascii_lowercase().contains(word)).unwrap_or(TEXTS.len());
    body.properties.iter().filter_map(fits).min_by_key(|(name, _)| rank(name))
}
