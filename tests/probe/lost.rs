//! One bad reply is one finding, and not the end.

use quickeats_bench::probe_result::Mark;
use quickeats_bench::scenario::ModelKind;

use crate::found::{assert_found, probed};
use crate::odd::{Asked, Jobs, Said, Server};
use crate::tool::{assert_exit, assert_has, run, skeleton, stderr, stdout};

/// Jobs, one step of which is answered by what is not HTTP.
fn rude(step: &'static str) -> Server {
    let mut jobs = Jobs::new();
    Server::start(move |asked: &Asked| {
        let is_rude = asked.path.last().is_some_and(|last| last == step);
        if is_rude { Said::rudely() } else { jobs.answer(asked) }
    })
}

#[test]
fn a_reply_that_is_not_http_is_told_of_its_action() {
    let folder = tempfile::tempdir().unwrap();
    let api = skeleton(folder.path(), ModelKind::StateMachine, &[]);
    // The first, one in the middle, and the last that is asked.
    for step in ["cancel", "finish", "start"] {
        let server = rude(step);
        let result = probed(&server.url, &api);
        let is_way = step == "start";
        let part = if is_way { "`start` in `waiting`, alone" } else { &*format!("`{step}` in `") };
        assert_found(&result, "actions", Mark::Differs, part);
        assert_found(&result, "actions", Mark::Differs, "the answer was not HTTP");
        assert_found(&result, "actions", Mark::AsDescribed, "applied, alone: ");
    }
}

#[test]
fn the_rest_of_a_description_is_played_after_a_reply_that_is_not_http() {
    let folder = tempfile::tempdir().unwrap();
    let api = skeleton(folder.path(), ModelKind::StateMachine, &[]);
    let server = rude("cancel");
    let output = run(&["scenarios", "check", &api, "--target", &server.url]);
    assert_exit(&output, 4);
    let told = stdout(&output);
    assert_has(&told, &["the answer was not HTTP", "`start` on a fresh job", "running  at `/state`"]);
    assert!(!told.contains("the target does not answer"), "{told}");
}

#[test]
fn a_server_that_ends_while_it_is_asked_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let api = skeleton(folder.path(), ModelKind::StateMachine, &[]);
    let (mut jobs, mut is_rude) = (Jobs::new(), false);
    let server = Server::start(move |asked: &Asked| {
        is_rude |= asked.path.last().is_some_and(|last| last == "cancel");
        if is_rude { Said::rudely() } else { jobs.answer(asked) }
    });
    let output = run(&["probe", &server.url, "--api", &api]);
    assert_exit(&output, 4);
    assert_has(&stderr(&output), &["cannot be asked: the answer was not HTTP"]);
    let output = run(&["scenarios", "check", &api, "--target", &server.url]);
    assert_exit(&output, 4);
}
