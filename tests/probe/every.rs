//! Every description that is part of the tool, and every one that `init` writes, can be played.

use quickeats_bench::scenario::ModelKind;

use crate::servers;
use crate::tool::{assert_exit, assert_has, run, skeleton, stdout};

#[track_caller]
fn assert_plays(api: &str, url: &str) {
    let output = run(&["scenarios", "check", api, "--target", url]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["✓ fine: "]);
}

#[test]
fn every_built_in_description_can_be_played() {
    for api in ["documents", "revisions", "transactions", "objects", "charges", "stock"] {
        let Some(server) = servers::own("every_built_in_description", api, &[]) else { return };
        assert_plays(api, &server.url);
    }
}

#[test]
fn every_skeleton_can_be_played() {
    let servers = [
        (ModelKind::StateMachine, "jobs"),
        (ModelKind::Register, "documents"),
        (ModelKind::Counter, "stock"),
        (ModelKind::Effects, "charges"),
    ];
    for (model, name) in servers {
        let Some(server) = servers::own("every_skeleton", name, &[]) else { return };
        let folder = tempfile::tempdir().unwrap();
        assert_plays(&skeleton(folder.path(), model, &[]), &server.url);
    }
}

/// What nobody makes is there already: what may be done to it is done, and shown.
#[test]
fn what_nobody_makes_is_played_all_the_same() {
    let Some(server) = servers::own("what_nobody_makes", "charges", &[]) else { return };
    let output = run(&["scenarios", "check", "charges", "--target", &server.url]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["`charge` on a fresh customer", "1 row: ", "✓ fine: 2 requests"]);
}
