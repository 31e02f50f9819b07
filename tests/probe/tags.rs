//! Weak entity tags: no match in If-Match, unless a description says that they are compared as they are.

use quickeats_bench::probe_result::Mark;

use crate::found::{advice, assert_differs, assert_found, probed};
use crate::odd::{Asked, Documents, Server};
use crate::tool::changed;

fn weak() -> Server {
    let mut documents = Documents { tag: |version| format!("W/\"{version}\""), ..Documents::new() };
    Server::start(move |asked: &Asked| documents.answer(asked))
}

#[test]
fn weak_tags_that_are_accepted_are_told_before_a_race_tells_them() {
    let server = weak();
    let result = probed(&server.url, "documents");
    assert_differs(
        "weak tags",
        &result,
        &["a weak one is accepted, against RFC 9110 §13.1.1: `replace` is answered 200"],
    );
    assert_found(&result, "version token", Mark::Differs, "a race calls that weak-etag-accepted");
    assert_eq!(advice(&result), ["[token]", "compare = \"as-is\""]);
}

#[test]
fn tags_that_are_compared_as_they_are_are_as_described() {
    let server = weak();
    let folder = tempfile::tempdir().unwrap();
    let token = [("[token]\n", "[token]\ncompare = \"as-is\"\n")];
    let result = probed(&server.url, &changed(folder.path(), "documents", &token));
    assert_differs("as they are", &result, &[]);
    assert!(result.findings.iter().all(|finding| !finding.sentence.contains("weak")), "{:#?}", result.findings);
    assert_found(&result, "version token", Mark::AsDescribed, "told at the header `etag`, compared as it is");
    assert!(advice(&result).is_empty(), "{:?}", advice(&result));
}
