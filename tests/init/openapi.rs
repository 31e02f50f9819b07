//! Descriptions that are drawn from OpenAPI documents: what a document tells is in them, and strange documents are refused in words.

use proptest::prelude::*;
use quickeats_bench::api::Api;
use quickeats_bench::init::{Drawn, OpenApiError, Wishes, from_openapi};
use quickeats_bench::scenario::ModelKind;
use serde_json::{Value, json};

use super::serving::Service;
use super::tool::Tool;

fn drawn(text: &str) -> Drawn {
    from_openapi(text, &Wishes::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// The description has these lines, whatever is said beside them.
#[track_caller]
fn assert_says(description: &str, lines: &[&str]) {
    let has = |line: &&str| {
        description.lines().any(|own| own.split("  #").next().unwrap().split(" # ").next().unwrap().trim_end() == *line)
    };
    let missing: Vec<_> = lines.iter().filter(|line| !has(line)).collect();
    assert!(missing.is_empty(), "{missing:#?} missing in\n{description}");
}

#[test]
fn pets_are_a_register() {
    let Drawn { name, draft } = drawn(include_str!("documents/pets.yaml"));
    assert_eq!(name, "pet");
    assert_says(
        &draft.description,
        &[
            "model = \"register\"",
            "id = \"/id\"",
            "value = \"/name\"",
            "read = { header = \"ETag\" }",
            "required = true",
            "bearer = \"{env:API_TOKEN}\"",
            "path = \"/pets/{id}\"",
            "headers = { X-Region = \"eu\" }",
            "body = { name = \"{value}\", kind = \"cat\", born = \"2030-01-01\" }",
            "writes = \"value\"",
            "writes = \"nothing\"",
            "token = false",
        ],
    );
    assert!(draft.description.contains("say --target http://HOST:PORT/v1\n"), "{}", draft.description);
    assert!(draft.notes.iter().any(|note| note.contains("/owners/{owner}")), "{:?}", draft.notes);
}

#[test]
fn what_is_made_by_a_write_has_ids_that_the_client_thinks_up() {
    let body =
        json!({ "content": { "application/json": { "schema": { "properties": { "text": { "type": "string" } } } } } });
    let header = |name: &str| json!({ "in": "header", "name": name, "schema": { "type": "string" } });
    let text = json!({ "openapi": "3.1.0", "paths": { "/docs/{name}": {
        "get": { "responses": { "200": body } },
        "put": { "parameters": [header("If-Match"), header("If-None-Match")], "requestBody": body, "responses": { "200": body, "412": {} } },
        "delete": { "parameters": [header("If-Match")], "responses": { "204": {} } },
    } } });
    let draft = drawn(&text.to_string()).draft;
    assert_says(
        &draft.description,
        &[
            "id = { made = \"doc-{unique}\" }",
            "value = \"/text\"",
            "required = false",
            "[create]",
            "headers = { If-None-Match = \"*\" }",
            "[actions.put-new]",
            "needs = \"absent\"",
            "[actions.remove]",
        ],
    );
    assert!(!draft.description.contains("token = false"), "{}", draft.description);
}

#[test]
fn an_etag_that_no_change_asks_for_is_no_promise() {
    let text = include_str!("documents/pets.yaml").replace("If-Match, in: header", "X-Old, in: header");
    let text = text.replace("412: ", "409: ").replace("428: ", "400: ");
    assert!(drawn(&text).draft.description.contains("# [token]"));
}

#[test]
fn stock_is_a_counter() {
    let draft = drawn(include_str!("documents/stock.json")).draft;
    assert_says(
        &draft.description,
        &[
            "model = \"counter\"",
            "id = { header = \"Location\", regex = \"/([^/]+)/?$\" }",
            "value = \"/data/quantity\"",
            "headers = { X-Api-Key = \"{env:API_KEY}\" }",
            "body = { sku = \"{unique}\", quantity = \"{starts|number}\" }",
            "path = \"/warehouses/1/items/{id}:reserve\"",
            "headers = { X-Api-Version = \"2\" }",
            "body = { units = 1 }",
            "adds = -1",
            "adds = 1",
        ],
    );
    assert!(draft.description.contains("ASK: which warehouse is there"), "{}", draft.description);
    assert!(!draft.description.contains("audit"), "what neither takes nor gives is no action");
}

#[test]
fn payments_are_effects() {
    let draft = drawn(include_str!("documents/payments.json")).draft;
    assert_says(
        &draft.description,
        &[
            "model = \"effects\"",
            "id = { made = \"customer-{unique}\" }",
            "send = { header = \"Idempotency-Key\" }",
            "replayed = { header = \"idempotent-replayed\" }",
            "basic = { user = \"{env:API_USER}\", password = \"{env:API_PASSWORD}\" }",
            "form = { amount = \"50\", currency = \"eur\", customer = \"{id}\" }",
            "idempotency_key = true",
            "effect = \"/id\"",
            "amount = \"/amount\"",
            "query = { customer = \"{id}\" }",
            "rows = \"/data\"",
        ],
    );
}

#[test]
fn a_resource_and_a_model_can_be_chosen() {
    let text = include_str!("documents/pets.yaml");
    let wishes = Wishes { name: Some("mine"), resource: Some("/owners/{owner}"), model: Some(ModelKind::Register) };
    let Drawn { name, draft } = from_openapi(text, &wishes).unwrap();
    assert_eq!(name, "mine");
    assert_says(&draft.description, &["name = \"owner\"", "writes = \"nothing\""]);
    for model in ModelKind::ALL {
        for text in [
            text,
            r#"{"openapi": "3.0.0", "paths": {"/x": {"post": {}}}}"#,
            include_str!("documents/stock.json"),
            include_str!("documents/payments.json"),
        ] {
            from_openapi(text, &Wishes { model: Some(model), ..Wishes::default() })
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let error = from_openapi(text, &Wishes { resource: Some("/cats/{id}"), ..Wishes::default() }).unwrap_err();
    assert!(
        error.to_string().contains("has no resource `/cats/{id}`") && error.to_string().contains("/pets/{petId}"),
        "{error}"
    );
}

/// The reference service's own document, and what its people know beside it: how much a payment is.
#[tokio::test]
async fn the_reference_service_is_raced_by_what_its_own_document_tells() {
    let tool = Tool::new();
    for (defect, expected) in [(&[][..], 0), (&["--defect", "check-then-save"], 1)] {
        let service = Service::start(defect, &[]);
        let document = reqwest_text(&format!("{}/openapi.json", service.url)).await;
        std::fs::write(tool.path("openapi.json"), document).unwrap();
        let files = tool.succeeds(&["init", "shop", "--from-openapi", "openapi.json", "--force"]);
        assert_eq!(files, "shop.toml\nshop-race.toml\n");

        let drawn = std::fs::read_to_string(tool.path("shop.toml")).unwrap();
        let (create, edited) =
            ("path = \"/api/v2/orders\"\nbody = {} ", "path = \"/api/v2/orders\"\nbody = { amount = 1 } ");
        assert!(drawn.contains(create), "{drawn}");
        std::fs::write(tool.path("shop.toml"), drawn.replacen(create, edited, 1)).unwrap();

        let race = ["race", "--api", "shop.toml", "--target", &service.url, "--rounds", "20", "--seed", "7"];
        let (report, _) = tool.exits(expected, &race);
        assert_eq!(report.contains("violation lost-update"), expected == 1, "{report}");
        tool.exits(expected, &[&race[..], &["shop-race.toml"]].concat());
    }
}

async fn reqwest_text(url: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

#[track_caller]
fn assert_refused(text: &str, says: &str) -> OpenApiError {
    let error = from_openapi(text, &Wishes::default()).unwrap_err();
    assert!(error.to_string().contains(says), "{error}");
    error
}

#[test]
fn what_is_no_such_document_is_refused_in_words() {
    assert_refused("", "no OpenAPI document");
    assert_refused("{", "neither JSON nor YAML");
    assert_refused("a: [", "neither JSON nor YAML");
    assert_refused("[]", "nothing says `openapi: 3.…`");
    assert_refused("hello", "nothing says `openapi: 3.…`");
    assert_refused(r#"{"swagger": "2.0", "paths": {}}"#, "convert it to 3.0 first");
    assert_refused(r#"{"openapi": "4.0.0"}"#, "it says `openapi: 4.0.0`");
    assert_refused(r#"{"openapi": "3.1.0"}"#, "nothing to race");
    assert_refused(r#"{"openapi": "3.1.0", "paths": {"/health": {"get": {}}}}"#, "nothing to race");
    assert_refused(&"[".repeat(100_000), "neither JSON nor YAML");
    assert_refused(&format!("openapi: 3.1.0\npaths: {}", "[".repeat(100_000)), "neither JSON nor YAML");
    let levels = (1..30).map(|level| format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1));
    let bomb = levels.collect::<Vec<_>>().concat();
    assert_refused(&format!("openapi: 3.1.0\na0: &a0 [x]\n{bomb}"), "neither JSON nor YAML");
    assert_refused(&format!("{{\"openapi\": \"{}\"}}", " ".repeat(16 << 20)), "longer than 16 MiB");
}

#[test]
fn schemas_that_contain_each_other_have_an_end() {
    let all: Vec<Value> = (0..20).map(|index| json!({ "$ref": format!("#/components/schemas/S{index}") })).collect();
    let names: Vec<String> = (0..20).map(|index| format!("p{index}")).collect();
    let properties: Value = names.iter().cloned().zip(all.iter().cloned()).collect::<serde_json::Map<_, _>>().into();
    let schemas: serde_json::Map<String, Value> = (0..20)
        .map(|index| (format!("S{index}"), json!({ "allOf": all, "properties": properties, "required": names })))
        .collect();
    let content = json!({ "application/json": { "schema": all[0] } });
    let operation = json!({ "requestBody": { "content": content }, "responses": { "200": { "content": content } } });
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/a": { "post": operation }, "/a/{id}": { "get": operation, "put": operation }, "/b": { "$ref": "#/paths/~1b" } },
        "components": { "schemas": schemas },
    });
    let draft = drawn(&document.to_string()).draft;
    assert!(draft.notes.iter().any(|note| note.contains("contain each other")), "{:?}", draft.notes);
}

/// As long as the largest public documents, and longer.
#[test]
fn a_document_of_twenty_thousand_paths_is_read() {
    let paths = (0..5_000).flat_map(|number| {
        let own = format!("/things{number}");
        let posted = |path: String| (path, json!({ "post": {} }));
        let item = (format!("{own}/{{id}}"), json!({ "get": {}, "put": {} }));
        [posted(format!("{own}/{{id}}/cancel")), posted(format!("{own}/{{id}}:stop")), posted(own), item]
    });
    let mut paths: serde_json::Map<String, Value> = paths.collect();
    paths["/things4321/{id}"]["delete"] = json!({});
    let text = json!({ "openapi": "3.1.0", "paths": paths }).to_string();
    let wishes = Wishes { model: Some(ModelKind::StateMachine), ..Wishes::default() };
    let draft = from_openapi(&text, &wishes).unwrap_or_else(|error| panic!("{error}")).draft;
    assert!(draft.notes[0].starts_with("/things4321/{id} as a "), "{:?}", draft.notes);
    assert!(draft.notes[1].ends_with(" and 4989 more"), "{:?}", draft.notes);
    assert_says(&draft.description, &["[create]", "[actions.cancel]", "[actions.stop]"]);
}

/// Words that mean something in a document, and some that could break a page.
const WORDS: &[&str] = &[
    "$ref",
    "#/paths",
    "#/components/x",
    "allOf",
    "oneOf",
    "properties",
    "required",
    "type",
    "string",
    "integer",
    "array",
    "object",
    "enum",
    "status",
    "id",
    "version",
    "stock",
    "text",
    "content",
    "application/json",
    "application/x-www-form-urlencoded",
    "schema",
    "example",
    "default",
    "responses",
    "200",
    "201",
    "requestBody",
    "parameters",
    "in",
    "name",
    "header",
    "query",
    "If-Match",
    "Idempotency-Key",
    "X-{y}",
    "security",
    "a\nb = \"",
    "{",
    "}}",
    "{unique}",
    "items",
    "minItems",
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "",
    "\u{7f}\u{0}",
    "cancelled",
    "→",
];

fn any_value() -> impl Strategy<Value = Value> {
    let word = || proptest::sample::select(WORDS).prop_map(str::to_owned);
    let leaf = prop_oneof![
        word().prop_map(Value::String),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((word(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An operation that is nearly one.
fn any_operation() -> impl Strategy<Value = Value> {
    (any_value(), any_value(), any_value(), any_value()).prop_map(|(body, answer, parameters, words)| {
        json!({
            "summary": words,
            "parameters": [{ "in": "header", "name": parameters, "required": true, "schema": body }, parameters],
            "requestBody": { "content": { "application/json": { "schema": { "properties": { "text": { "type": "string" }, "status": body }, "required": ["status"] } } } },
            "responses": { "200": { "content": { "application/json": { "schema": { "properties": { "id": {}, "status": answer, "stock": body, "text": { "type": "string" } } } } } } },
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_document_holds_the_description_is_read(
        operations in proptest::collection::vec(any_operation(), 5),
        paths in proptest::collection::vec((proptest::sample::select(WORDS), any_value()), 0..3),
        rest in any_value(),
        model in proptest::option::of(proptest::sample::select(&ModelKind::ALL[..])),
    ) {
        let mut all = json!({
            "/a b/{x}/c": { "post": operations[0], "get": operations[1] },
            "/a b/{x}/c/{id}": { "get": operations[1], "put": operations[2], "delete": operations[3] },
            "/a b/{x}/c/{id}/cancel": { "post": operations[4] },
            "/take#it": { "post": operations[3] },
        });
        for (path, item) in paths {
            all[format!("/{path}")] = item;
        }
        let document = json!({ "openapi": "3.1.0", "paths": all, "components": rest, "security": rest });
        let drawn = from_openapi(&document.to_string(), &Wishes { model, ..Wishes::default() });
        let drawn = drawn.unwrap_or_else(|error| panic!("{error}\n{document}"));
        Api::parse("x.toml", &drawn.draft.description).unwrap();
    }

    #[test]
    fn a_document_that_was_torn_is_read_or_refused(at in 0_usize..4_000, byte in any::<u8>(), cut in 0_usize..4_000) {
        for text in [include_str!("documents/pets.yaml"), include_str!("documents/stock.json")] {
            let mut bytes = text.as_bytes().to_vec();
            let (at, length) = (at % bytes.len(), bytes.len());
            bytes[at] = byte;
            bytes.truncate(length.saturating_sub(cut % 40));
            let _ = from_openapi(&String::from_utf8_lossy(&bytes), &Wishes::default());
        }
    }
}
