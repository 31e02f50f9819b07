//! One operation: put together from what is asked and what is answered.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::super::orders::{Action, Status};
use super::super::super::problem::told_with;
use super::Door;

/// An operation of the document.
pub(super) struct Operation {
    pub(super) path: String,
    pub(super) method: &'static str,
    pub(super) told: Value,
}

/// A schema with a member that this answer always has.
pub(super) fn always_with(member: &str, schema: &Value) -> Value {
    json!({"allOf": [schema, {"required": [member]}]})
}

/// An operation that is being described.
pub(super) struct Describing {
    operation: Operation,
    door: Door,
    problem: Value,
    /// Headers that every answer has.
    everywhere: &'static [&'static str],
}

/// Where a component stands.
pub(super) fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn headers(names: &[&[&str]]) -> Map<String, Value> {
    names.concat().into_iter().map(|name| (name.to_owned(), reference("headers", name))).collect()
}

impl Describing {
    /// `problem` is where the schema of problems stands.
    pub(super) fn new(method: &'static str, path: &str, id: &str, summary: &str, door: Door, problem: Value) -> Self {
        let told = json!({
            "operationId": id,
            "summary": summary,
            "tags": ["Service"],
            "parameters": [],
            "responses": {},
        });
        Self {
            operation: Operation { path: path.to_owned(), method, told },
            door,
            problem,
            everywhere: &["Server-Timing"],
        }
    }

    /// Part of V2: whoever asks says who it is, and a store is asked.
    pub(super) fn in_v2(mut self) -> Self {
        self.operation.told["tags"] = json!(["V2"]);
        self.by_somebody().refuses(&[503])
    }

    /// Part of V1: the same, and every answer says that there is something better.
    pub(super) fn in_v1(self) -> Self {
        self.deprecated().by_somebody().refuses(&[503])
    }

    /// Every answer says that there is something better.
    pub(super) fn deprecated(mut self) -> Self {
        self.operation.told["tags"] = json!(["V1"]);
        self.operation.told["deprecated"] = json!(true);
        self.everywhere = &["Server-Timing", "Deprecation", "Sunset", "Link"];
        self
    }

    fn by_somebody(mut self) -> Self {
        match self.door {
            Door::Open => self.takes(&["XActor"]).refuses(&[400]),
            Door::Guarded => {
                self.operation.told["security"] = json!([{"bearer": []}]);
                self.refuses(&[401])
            }
        }
    }

    /// What only some roles may do, where roles are known.
    pub(super) fn of_a_role(self) -> Self {
        match self.door {
            Door::Open => self,
            Door::Guarded => self.refuses(&[403]),
        }
    }

    pub(super) fn takes(mut self, parameters: &[&str]) -> Self {
        let list = self.operation.told["parameters"].as_array_mut().expect("made as a list");
        list.extend(parameters.iter().map(|name| reference("parameters", name)));
        self
    }

    /// A JSON body, and with it a write: what is wrong with a body, and a commit that nobody heard of.
    pub(super) fn with_body(mut self, schema: &Value, required: bool) -> Self {
        self.operation.told["requestBody"] =
            json!({"required": required, "content": {"application/json": {"schema": schema}}});
        self.refuses(&[400, 413, 415, 422, 500])
    }

    fn answers(mut self, status: u16, description: &str, with: &[&str], content: &Value) -> Self {
        let mut answer = json!({"description": description, "headers": headers(&[with, self.everywhere])});
        if !content.is_null() {
            answer["content"] = content.clone();
        }
        self.operation.told["responses"][status.to_string()] = answer;
        self
    }

    pub(super) fn answers_json(self, status: u16, description: &str, with: &[&str], schema: &Value) -> Self {
        self.answers(status, description, with, &json!({"application/json": {"schema": schema}}))
    }

    pub(super) fn answers_text(self, content_type: &str, description: &str) -> Self {
        self.answers(200, description, &[], &json!({content_type: {"schema": {"type": "string"}}}))
    }

    pub(super) fn answers_without_a_body(self, status: u16, description: &str, with: &[&str]) -> Self {
        self.answers(status, description, with, &Value::Null)
    }

    /// Problems that can be told with these statuses.
    pub(super) fn refuses(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |described, status| described.refuses_with(*status, &[]))
    }

    pub(super) fn refuses_with(self, status: u16, with: &[&str]) -> Self {
        let kinds = told_with(StatusCode::from_u16(status).expect("a status of three digits"));
        let (types, titles): (Vec<_>, Vec<_>) = kinds.into_iter().unzip();
        let known = json!({"properties": {"type": {"enum": types}, "status": {"const": status}}});
        let schema = json!({"allOf": [self.problem, known]});
        let own: &[&str] = if status == 401 { &["WWW-Authenticate"] } else { &[] };
        let with = [with, own, &["Cache-Control"]].concat();
        self.answers(status, &titles.join("; or: "), &with, &json!({"application/problem+json": {"schema": schema}}))
    }

    /// What may follow an answer that has an order in it: to read it, and the actions that its state allows.
    pub(super) fn leads_to(mut self, status: u16, now: Status) -> Self {
        let id = "$response.body#/id";
        let mut links = json!({
            "order": {"operationId": "readOrder", "parameters": {"path.id": id}},
            "payments": {"operationId": "listPayments", "parameters": {"path.id": id}},
            "events": {"operationId": "listEvents", "parameters": {"path.id": id}},
        });
        for action in Action::ALL.into_iter().filter(|action| now.after(*action).is_some()) {
            let known = json!({"path.id": id, "header.If-Match": "$response.header.ETag"});
            links[action.name()] = json!({"operationId": action.name(), "parameters": known});
        }
        self.operation.told["responses"][status.to_string()]["links"] = links;
        self
    }

    pub(super) fn done(mut self) -> Operation {
        self.operation.told["responses"].as_object_mut().expect("made as an object").sort_keys();
        self.operation
    }
}
