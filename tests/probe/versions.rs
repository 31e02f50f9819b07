//! Versions that are said to go up by one.

use quickeats_bench::probe_result::Mark;
use quickeats_bench::scenario::ModelKind;

use crate::found::{advice, assert_differs, assert_found, probed, rewritten};
use crate::odd::{Asked, Documents, Server};
use crate::tool::skeleton;

const VALUE: &str = "value = \"/text\"  ";

/// A server whose version goes up by `step`, and a description of it that says where the version is.
fn documents(folder: &std::path::Path, step: u64, place: &str) -> (Server, String) {
    let mut documents = Documents { step, ..Documents::new() };
    let server = Server::start(move |asked: &Asked| documents.answer(asked));
    let version =
        format!("# What the auditors want.\nversion = \"{place}\"   # one more with each\n# The text itself.\n{VALUE}");
    (server, skeleton(folder, ModelKind::Register, &[(VALUE, &version)]))
}

#[test]
fn what_makes_a_resource_has_no_version_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (server, api) = documents(folder.path(), 1, "/version");
    let result = probed(&server.url, &api);
    assert_differs("a true promise", &result, &[]);
    assert_found(&result, "version", Mark::AsDescribed, "went up by one with each of");
    assert!(advice(&result).is_empty(), "{:?}", advice(&result));
    let before = std::fs::read_to_string(&api).unwrap();
    assert_eq!(rewritten(&server.url, &api), before);
}

#[test]
fn a_version_that_is_not_told_is_no_breach() {
    let folder = tempfile::tempdir().unwrap();
    let (server, api) = documents(folder.path(), 1, "/revision");
    let result = probed(&server.url, &api);
    assert_differs("an untold version", &result, &[]);
    assert_found(&result, "version", Mark::Open, "none is told");
    assert!(advice(&result).is_empty(), "{:?}", advice(&result));
}

#[test]
fn a_version_that_goes_up_by_two_is_a_breach_and_what_its_people_wrote_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (server, api) = documents(folder.path(), 2, "/version");
    let before = std::fs::read_to_string(&api).unwrap();
    assert_differs("by two", &probed(&server.url, &api), &["does not go up by one with each change: from "]);
    let line = "version = \"/version\"   # one more with each\n";
    assert!(before.contains(line));
    assert_eq!(rewritten(&server.url, &api), before.replace(line, ""));
}
