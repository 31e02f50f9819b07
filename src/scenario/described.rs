//! API descriptions for tests: a register, a counter and nothing but effects, with and without what roles ask for.

use std::sync::Arc;

use crate::api::{ActionModel, Api, Bounds, Family, Leaves, Model, Needs, StateIx, Transition, Write};

/// How requests are spoken; what they mean is set below.
const SPOKEN: &str = r#"
schema = "quickeats-bench/api@1"
name = "documents"
summary = "s"
[resource]
name = "document"
id = "/id"
state = "/text"
[states]
initial = "present"
terminal = []
[token]
reply_header = "ETag"
request_header = "If-Match"
required = false
[idempotency]
request_header = "Idempotency-Key"
[actors.editor]
headers = { X-Actor = "{person}" }
[create]
actor = "editor"
method = "POST"
path = "/docs"
[read]
actor = "editor"
method = "GET"
path = "/docs/{id}"
"#;

const LIST: &str = "[effects]\nactor = \"editor\"\npath = \"/docs/{id}/charges\"\nrows = \"\"\nid = \"/id\"\n";

fn action(name: &str, keyed: bool) -> String {
    format!(
        "[actions.{name}]\nactor = \"editor\"\nmethod = \"PUT\"\npath = \"/docs/{{id}}/{name}\"\nidempotency_key = {keyed}\n\
         transitions = [{{ from = \"present\", to = \"present\" }}]\n"
    )
}

/// A description with these actions; `keyed` ones are sent with a key. What they do is for the caller to say.
fn spoken(names: &[&str], keyed: &[&str], family: Family, list: &str) -> Api {
    let actions: String = names.iter().map(|name| action(name, keyed.contains(name))).collect();
    let mut api = Api::parse("documents.toml", &format!("{SPOKEN}{actions}{list}")).unwrap();
    api.model.family = family;
    api
}

fn change(api: &mut Api, name: &str, change: impl FnOnce(&mut ActionModel)) {
    change(api.model.actions.iter_mut().find(|action| &*action.name == name).unwrap());
}

/// A register with `replace`, `put-new` and `delete`, of which the last needs no token: made by POST, or at ids that the
/// client makes up.
pub(crate) fn register(is_made_up: bool) -> Api {
    let mut api = spoken(&["delete", "put-new", "replace"], &[], Family::Register, "");
    let (absent, present) = (StateIx(0), StateIx(1));
    api.model.states = [Model::ABSENT, Model::PRESENT].map(Arc::from).into();
    api.model.initial = present;
    let steps = |from: &[StateIx], to| from.iter().map(|from| Transition { from: *from, to }).collect();
    let write = |needs, leaves| Some(Write { needs, leaves });
    change(&mut api, "delete", |action| {
        (action.write, action.transitions) =
            (write(Needs::Anything, Leaves::Nothing), steps(&[present, absent], absent));
    });
    change(&mut api, "put-new", |action| {
        (action.write, action.transitions) = (write(Needs::Absent, Leaves::Value), steps(&[absent], present));
    });
    change(&mut api, "replace", |action| {
        (action.write, action.transitions) = (write(Needs::Present, Leaves::Value), steps(&[present], present));
    });
    api.dialect.presence.made_id = is_made_up.then(|| "doc-{unique}".to_owned());
    api
}

/// A counter with `take` (three at a time) and `give` (two), between these bounds.
pub(crate) fn counter(bounds: Bounds) -> Api {
    let mut api = spoken(&["give", "take"], &["take"], Family::Counter(bounds), "");
    change(&mut api, "take", |action| action.adds = Some(-3));
    change(&mut api, "give", |action| action.adds = Some(2));
    api.dialect.presence.is_told_its_start = true;
    api
}

/// The same, but that each holds the same number at first.
pub(crate) fn counter_that_starts_alike(bounds: Bounds) -> Api {
    let mut api = counter(bounds);
    api.dialect.presence.is_told_its_start = false;
    api
}

/// Nothing but a `charge`, which is sent with a key: nothing is made, nothing can be read.
pub(crate) fn effects() -> Api {
    let mut api = spoken(&["charge"], &["charge"], Family::Effects, LIST);
    change(&mut api, "charge", |action| action.has_effect = true);
    let presence = &mut api.dialect.presence;
    (presence.made_id, presence.is_never_made, presence.is_never_read) = (Some("{unique}".to_owned()), true, true);
    api
}
