//! `GET /openapi.json`: the API as OpenAPI 3.1, for programs that write clients, checks and documentation.
//!
//! ```text
//! the structs that handlers read and write ──schemars──► components/schemas ─┐
//! orders::Status::after, problem::told_with ─────────────────────────────────┼──► document, one for each `--auth`
//! operations: what is asked and answered where, a table ─────────────────────┘
//! ```
//!
//! OpenAPI 3.1 has JSON Schema 2020-12 for its schemas, which is what `schemars` writes. The operations are a table and
//! not attributes on handlers, because one handler serves all seven actions, and because every answer of a kind has the
//! same headers. `tests/order_service` holds every answer it gets against this document.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use super::super::identity::Auth;
use super::Shared;
use operations::Operation;
use schemas::Schemas;

mod headers;
mod operation;
mod operations;
mod schemas;

/// Whether the service that is described asks who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// Anyone may do anything; a header may say who it is.
    Open,
    /// A bearer token is needed.
    Guarded,
}

/// `GET /openapi.json`
pub(super) async fn page(State(service): State<Shared>) -> Response {
    static OPEN: LazyLock<Bytes> = LazyLock::new(|| document(Door::Open).to_string().into());
    static GUARDED: LazyLock<Bytes> = LazyLock::new(|| document(Door::Guarded).to_string().into());
    let document = match &service.config.auth {
        Auth::Off => &OPEN,
        Auth::Jwt(_) => &GUARDED,
    };
    ([(CONTENT_TYPE, "application/json")], Bytes::clone(document)).into_response()
}

fn document(door: Door) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for operation in operations::all(&mut schemas, door) {
        let Operation { path, method, told } = operation;
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        methods[method] = told;
    }
    for (path, methods) in &mut paths {
        let options = operations::options(path, methods);
        methods["options"] = options;
    }
    let mut components = json!({
        "schemas": schemas.into_components(),
        "headers": headers::answered(),
        "parameters": headers::asked(),
    });
    match door {
        Door::Open => forget(&mut components["headers"], "WWW-Authenticate"),
        Door::Guarded => forget(&mut components["parameters"], "XActor"),
    }
    if door == Door::Guarded {
        components["securitySchemes"] = json!({
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "HS256. `sub` says who it is, `role` is customer, restaurant or rider, `exp` is needed.",
            },
        });
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "QuickEats orders",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Customers, restaurants and riders act on the same order at the same moment. V2 makes every \
                action a resource and protects it with If-Match and Idempotency-Key; V1 is kept for old apps, and loses \
                updates by design. Every path is answered with a trailing slash, too; HEAD is, wherever GET is; and any \
                other method is told the right ones (405, Allow).",
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": "V2", "description": "The API."},
            {"name": "V1", "description": "The API before it: the last write wins."},
            {"name": "Service", "description": "About the service itself."},
        ],
        "paths": paths,
        "components": components,
    })
}

fn forget(components: &mut Value, name: &str) {
    components.as_object_mut().and_then(|named| named.remove(name)).expect("described, and only by the other door");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{V1, root_paths, v1, v2};
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let of_v1 = v1::paths().names.into_iter().map(|path| format!("{V1}{path}"));
        let routes: BTreeSet<_> = root_paths().names.into_iter().chain(v2::paths().names).chain(of_v1).collect();
        for door in [Door::Open, Door::Guarded] {
            let document = document(door);
            let described = document["paths"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(routes, described);
        }
    }

    /// Every `$ref` of a document, and every `operationId` that a link names.
    fn pointers(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if let ("$ref", Value::String(pointer)) = (name.as_str(), member) {
                        found.insert(pointer.clone());
                    }
                    pointers(member, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| pointers(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
        for door in [Door::Open, Door::Guarded] {
            let document = document(door);
            let mut found = BTreeSet::new();
            pointers(&document, &mut found);
            for pointer in &found {
                assert!(document.pointer(pointer.trim_start_matches('#')).is_some(), "{pointer}");
            }
            for kind in ["schemas", "headers", "parameters"] {
                for name in document["components"][kind].as_object().unwrap().keys() {
                    let pointer = format!("#/components/{kind}/{name}");
                    assert!(found.contains(&pointer), "{pointer}");
                }
            }
        }
    }

    #[test]
    fn operations_have_ids_of_their_own_and_links_name_them() {
        let document = document(Door::Open);
        let methods =
            document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
        let operations: Vec<_> = methods.collect();
        let ids: BTreeSet<_> = operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), operations.len());
        let answers = operations.iter().flat_map(|operation| operation["responses"].as_object().unwrap().values());
        let links = answers.filter_map(|answer| answer.get("links")?.as_object()).flat_map(Map::values);
        let linked: BTreeSet<_> = links.map(|link| link["operationId"].as_str().unwrap()).collect();
        assert!(linked.len() > 7 && linked.is_subset(&ids), "{linked:?}");
    }
}
