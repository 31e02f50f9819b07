//! If-Match, on servers whose description has no version token.

use quickeats_bench::probe_result::Mark;
use quickeats_bench::scenario::ModelKind;
use serde_json::Value;

use crate::found::{advice, assert_found, probed};
use crate::odd::{Asked, Documents, Server, json};
use crate::tool::skeleton;

/// A description of documents that have no token, and a key with each replacement.
fn keyed(folder: &std::path::Path) -> String {
    let changes = [
        ("[token]\n", "[idempotency]\nsend = { header = \"Idempotency-Key\" }\n"),
        ("read = { header = \"ETag\" }", "#"),
        ("send = { header = \"If-Match\" }", "#"),
        ("required = true  ", "#"),
        ("[actions.replace]\n", "[actions.replace]\nidempotency_key = true\n"),
        ("[actions.remove]\n", "[actions.remove]\nidempotency_key = true\n"),
    ];
    skeleton(folder, ModelKind::Register, &changes)
}

#[test]
fn undescribed_tags_are_asked_for_with_the_key_that_the_server_wants() {
    let mut documents = Documents::new();
    let server = Server::start(move |asked: &Asked| {
        let is_change = asked.method != "GET" && asked.header("if-none-match").is_none();
        if is_change && asked.header("idempotency-key").is_none() {
            return json(400, &Value::Null);
        }
        // A change without any tag is let through.
        documents.looks_at_tags = asked.header("if-match").is_some();
        documents.answer(asked)
    });
    let folder = tempfile::tempdir().unwrap();
    let result = probed(&server.url, &keyed(folder.path()));
    assert_found(&result, "ETag", Mark::Differs, "a strong one is sent, and If-Match is honoured by `replace`");
    let advice = advice(&result);
    assert!(advice.contains(&"send = { header = \"If-Match\" }".to_owned()), "{advice:?}");
    assert!(advice.contains(&"required = false".to_owned()), "{advice:?}");
}

#[test]
fn a_refusal_for_another_reason_says_nothing_of_if_match() {
    for (status, mark, part) in [
        (400, Mark::Open, "and with an unheard-of tag in If-Match, `replace` is answered 400 (refused)"),
        (200, Mark::Learned, "If-Match is not honoured: with an unheard-of tag, `replace` is answered 200 (applied)"),
    ] {
        let mut documents = Documents { looks_at_tags: false, ..Documents::new() };
        let server = Server::start(move |asked: &Asked| match asked.header("if-match") {
            Some(_) if status != 200 => json(status, &Value::Null),
            Some(_) | None => documents.answer(asked),
        });
        let folder = tempfile::tempdir().unwrap();
        assert_found(&probed(&server.url, &keyed(folder.path())), "ETag", mark, part);
    }
}

#[test]
fn weak_tags_that_are_honoured_are_compared_as_they_are() {
    let mut documents = Documents { tag: |version| format!("W/\"{version}\""), ..Documents::new() };
    let server = Server::start(move |asked: &Asked| {
        documents.looks_at_tags = asked.header("if-match").is_some();
        documents.answer(asked)
    });
    let folder = tempfile::tempdir().unwrap();
    let result = probed(&server.url, &keyed(folder.path()));
    assert_found(&result, "ETag", Mark::Differs, "a weak one is sent, and If-Match is honoured by `replace`");
    assert!(advice(&result).contains(&"compare = \"as-is\"".to_owned()), "{:?}", advice(&result));
}
