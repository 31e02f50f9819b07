//! A state machine.

use serde_json::{Value, json};

use super::drawn::{Drawing, Race};
use super::model::{names_state, shown};
use super::operation::Operation;
use super::page::quoted;
use super::schema::{Schema, escaped};
use super::states::{Machine, Steps, machine, verbs};
use crate::init::as_name;

/// An action: its name, its request, and what its body says of its own.
type Verb<'a> = (String, Operation<'a>, Option<(&'a str, String)>);

pub(super) fn draw(drawing: &mut Drawing<'_, '_>) -> Race {
    let resource = drawing.resource;
    let state = shown(resource).find_state();
    let choices = state.as_ref().map(|(_, schema)| schema.choices()).unwrap_or_default();
    let default = state.as_ref().and_then(|(_, schema)| schema.keyword("default")).and_then(Value::as_str);
    let verbs = all(drawing, &choices, default);
    let mut told: Vec<_> = (verbs.iter())
        .map(|(name, own, says)| (name.clone(), own.words(), says.as_ref().map(|(_, state)| state.clone())))
        .collect();
    if told.is_empty() {
        told.push(("act".to_owned(), String::new(), None));
    }
    let machine = machine(&choices, default, &told);

    let (id, why) = drawing.told_id();
    drawing.resource(&id, &why);
    match &state {
        Some((pointer, _)) => drawing.page.guess(&format!("state = {}", quoted(pointer)), "it is called so"),
        None => drawing.page.ask("state = \"/state\"", "where does a reply tell the state?"),
    }
    drawing.versions();
    states(drawing, &machine);
    drawing.token();
    drawing.keys();
    drawing.actors();
    drawing.create(Vec::new());
    drawing.read();
    actions(drawing, &verbs, &machine);
    lists(drawing);
    race(&machine)
}

fn actions(drawing: &mut Drawing<'_, '_>, verbs: &[Verb<'_>], machine: &Machine) {
    for ((name, operation, says), steps) in verbs.iter().zip(&machine.actions) {
        let says = says.iter().map(|(member, state)| (*member, json!(state))).collect();
        drawing.action(name, operation, says);
        transitions(drawing, steps);
        effect(drawing, name, operation);
        drawing.page.line("");
    }
    if let ([], [steps]) = (verbs, &machine.actions[..]) {
        drawing.page.line("[actions.act]");
        drawing.page.line("method = \"POST\"");
        drawing.page.ask("path = \"/answer-this/{id}\"", "what is done to it? The document does not say");
        transitions(drawing, steps);
        drawing.page.line("");
    }
}

/// What leads from one state to another: what follows the id in a path; else, whoever writes a state.
fn all<'a>(drawing: &Drawing<'_, 'a>, choices: &[&str], default: Option<&str>) -> Vec<Verb<'a>> {
    let own: Vec<Verb<'a>> =
        verbs(drawing.resource).into_iter().map(|(name, own)| (name.clone(), *own, None)).collect();
    if !own.is_empty() {
        return own;
    }
    if let Some((operation, member)) = names_state(drawing.resource) {
        let initial = default.or(choices.first().copied());
        let to = choices.iter().filter(|state| Some(**state) != initial);
        let named = to.filter_map(|state| {
            Some((format!("to-{}", as_name(state)?), *operation, Some((member, (*state).to_owned()))))
        });
        let named: Vec<Verb<'a>> = named.collect();
        if !named.is_empty() {
            return named;
        }
    }
    drawing.resource.actions.iter().map(|(name, own)| (name.clone(), *own, None)).collect()
}

fn states(drawing: &mut Drawing<'_, '_>, machine: &Machine) {
    drawing.page.line("[states]");
    drawing.page.guess(
        &format!("initial = {}", quoted(&machine.initial)),
        "the document's default, or the first that it names",
    );
    let terminal: Vec<String> = machine.terminal.iter().map(|state| quoted(state)).collect();
    drawing.page.guess(&format!("terminal = [{}]", terminal.join(", ")), "they sound final, and nothing leaves them");
    if !machine.unmentioned.is_empty() {
        drawing.page.comment(&format!(
            "ASK: what leads to these, which the document has, too: {}?",
            machine.unmentioned.join(", ")
        ));
    }
    drawing.page.line("");
}

fn transitions(drawing: &mut Drawing<'_, '_>, steps: &Steps) {
    let mut all: Vec<String> = Vec::new();
    for (from, to) in &steps.transitions {
        let step = format!("{{ from = {}, to = {} }}", quoted(from), quoted(to));
        if !all.contains(&step) {
            all.push(step);
        }
    }
    drawing.page.comment(&format!("guessed: {}", steps.why));
    drawing.page.line(&format!("transitions = [{}]", all.join(", ")));
}

/// A member of the reply that has the action's name and an id: what it made besides.
fn effect(drawing: &mut Drawing<'_, '_>, name: &str, operation: &Operation<'_>) {
    let answer = operation.answer();
    let Some(member) = answer.property(name) else { return };
    let inner = Schema::of(operation.document, member);
    if inner.property("id").is_some() {
        let pointer = |last: &str| quoted(&format!("/{}/{last}", escaped(name)));
        drawing.page.guess(&format!("effect = {}", pointer("id")), "the reply has an id of its own there");
        if inner.property("amount").is_some() {
            drawing.page.guess(&format!("amount = {}", pointer("amount")), "how much that was");
        }
    }
}

/// Lists below the resource: of what was done, maybe.
fn lists(drawing: &mut Drawing<'_, '_>) {
    for list in &drawing.resource.lists_below {
        let answer = list.answer();
        let is_list = |_: &str, schema: &Schema<'_>| schema.kind() == Some("array");
        let found = answer.find(list.document, &is_list).map(|(pointer, _)| pointer);
        let Some(rows) = found.or_else(|| (answer.kind() == Some("array")).then(String::new)) else { continue };
        let page = &mut drawing.page;
        page.comment("ASK: is this a list of effects that were had (charges), or of steps that were taken? Then it is checked, too:");
        page.comment("[effects]    # or [events], which has action, from and to in the place of id");
        page.comment(&format!("path = {}", quoted(list.path)));
        page.comment(&format!("rows = {}", quoted(&rows)));
        page.comment("id = \"/id\"");
        page.line("");
    }
}

/// Two that one state allows, the first state on the way that allows two; else one of them twice.
fn race(machine: &Machine) -> Race {
    let all =
        || machine.actions.iter().flat_map(|steps| steps.transitions.iter().map(move |(from, _)| (from, &steps.name)));
    let mut best: Option<(&String, Vec<&String>)> = None;
    for (from, _) in all() {
        let mut names: Vec<&String> = all().filter(|(own, _)| *own == from).map(|(_, name)| name).collect();
        names.dedup();
        names.truncate(2);
        if best.as_ref().is_none_or(|(_, own)| own.len() < names.len()) {
            best = Some((from, names));
        }
    }
    let (start, names) = best.map_or((machine.initial.clone(), Vec::new()), |(start, names)| (start.clone(), names));
    let first = names.first().map_or_else(String::new, |name| (*name).clone());
    let second = names.last().map_or_else(String::new, |name| (*name).clone());
    let summary = format!("{first} and {second} at once");
    Race { start, contenders: vec![(first, ""), (second, "")], summary }
}
