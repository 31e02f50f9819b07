//! API descriptions for tests: a register, a counter and nothing but effects, with and without what roles ask for.

use crate::api::{Api, Bounds, Family};

const HEAD: &str = r#"
schema = "quickeats-bench/api@1"
name = "documents"
summary = "s"
[token]
read = { header = "ETag" }
send = { header = "If-Match" }
required = false
[idempotency]
send = { header = "Idempotency-Key" }
[actors.editor]
headers = { X-Actor = "{person}" }
[read]
method = "GET"
path = "/docs/{id}"
"#;

const REGISTER: &str = r#"
[create]
method = "POST"
path = "/docs"
body = { text = "{value}" }
[actions.delete]
method = "PUT"
path = "/docs/{id}/delete"
writes = "nothing"
[actions.put-new]
method = "PUT"
path = "/docs/{id}/put-new"
body = { text = "{value}" }
writes = "value"
needs = "absent"
[actions.replace]
method = "PUT"
path = "/docs/{id}/replace"
body = { text = "{value}" }
writes = "value"
needs = "present"
"#;

const COUNTER: &str = r#"
[resource]
name = "document"
id = "/id"
value = "/text"
[create]
method = "POST"
path = "/docs"
body = { text = "{starts}" }
[actions.give]
method = "PUT"
path = "/docs/{id}/give"
adds = 2
[actions.take]
method = "PUT"
path = "/docs/{id}/take"
idempotency_key = true
adds = -3
"#;

const EFFECTS: &str = r#"
schema = "quickeats-bench/api@1"
name = "documents"
summary = "s"
model = "effects"
[resource]
name = "document"
id = { made = "{unique}" }
[idempotency]
send = { header = "Idempotency-Key" }
[actions.charge]
method = "PUT"
path = "/docs/{id}/charge"
idempotency_key = true
effect = "/id"
[effects]
path = "/docs/{id}/charges"
rows = ""
id = "/id"
"#;

const MACHINE: &str = r#"
schema = "quickeats-bench/api@1"
name = "jobs"
summary = "s"
[resource]
name = "job"
id = "/id"
state = "/state"
[idempotency]
send = { header = "Idempotency-Key" }
[states]
initial = "draft"
terminal = ["void"]
[create]
method = "POST"
path = "/jobs"
[read]
method = "GET"
path = "/jobs/{id}"
[actions.annul]
method = "POST"
path = "/jobs/{id}/annul"
idempotency_key = true
effect = "/refund"
body = { why = "{unique}" }
transitions = [{ from = "paid", to = "void" }]
[actions.pay]
method = "POST"
path = "/jobs/{id}/pay"
idempotency_key = true
effect = "/payment"
body = { why = "{unique}" }
transitions = [{ from = "open", to = "paid" }]
[actions.submit]
method = "POST"
path = "/jobs/{id}/submit"
transitions = [{ from = "draft", to = "open" }]
"#;

fn parsed(text: &str) -> Api {
    Api::parse("documents.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

fn of(model: &str, rest: &str) -> String {
    HEAD.replace("summary = \"s\"", &format!("summary = \"s\"\nmodel = \"{model}\"")) + rest
}

fn register_text(is_made_up: bool) -> String {
    let id = if is_made_up { "{ made = \"doc-{unique}\" }" } else { "\"/id\"" };
    of("register", &format!("[resource]\nname = \"document\"\nid = {id}\nvalue = \"/text\"\n{REGISTER}"))
}

/// A register with `replace`, `put-new` and `delete`, of which `put-new` needs no token: made by POST, or at ids that the
/// client makes up.
pub(crate) fn register(is_made_up: bool) -> Api {
    parsed(&register_text(is_made_up))
}

/// The same with these actions alone.
pub(crate) fn register_with(actions: &str) -> Api {
    let text = register_text(true);
    let (head, _) = text.split_once("[actions").unwrap();
    parsed(&format!("{head}{actions}"))
}

/// The same at ids that the client makes up, and without a request that makes one.
pub(crate) fn register_that_nobody_makes() -> Api {
    let text = register_text(true);
    let (head, rest) = text.split_once("[create]").unwrap();
    parsed(&format!("{head}{}", &rest[rest.find("[actions").unwrap()..]))
}

/// A counter with `take` (three at a time) and `give` (two), between these bounds.
pub(crate) fn counter(bounds: Bounds) -> Api {
    bounded(&of("counter", COUNTER), bounds)
}

/// The same, where nobody can say what a fresh one holds.
pub(crate) fn counter_that_starts_as_it_likes(bounds: Bounds) -> Api {
    bounded(&of("counter", COUNTER).replace("{starts}", "many"), bounds)
}

fn bounded(text: &str, bounds: Bounds) -> Api {
    let mut api = parsed(text);
    api.model.family = Family::Counter(bounds);
    api
}

/// A job that must be submitted before it can be paid, and paid before it can be annulled: these two have effects.
pub(crate) fn machine() -> Api {
    parsed(MACHINE)
}

/// Nothing but a `charge`, which is sent with a key: nothing is made, nothing can be read.
pub(crate) fn effects() -> Api {
    parsed(EFFECTS)
}
