//! Whether a key was heard: not by every server that does not say otherwise.

use std::collections::BTreeMap;

use quickeats_bench::probe_result::{Mark, ProbeResult};
use quickeats_bench::scenario::ModelKind;

use crate::found::{advice, assert_differs, assert_found, probed};
use crate::odd::{Asked, Documents, Jobs, Server};
use crate::tool::skeleton;

const KEYS: &str = "[idempotency]\nsend = { header = \"Idempotency-Key\" }\n\n";

/// What is found of a server for documents, where `replace` carries a key; `without_token`: and no version token.
fn of_documents(mut documents: Documents, without_token: bool) -> ProbeResult {
    let server = Server::start(move |asked: &Asked| documents.answer(asked));
    let folder = tempfile::tempdir().unwrap();
    let keys = [
        ("[read]\n", &*format!("{KEYS}[read]\n")),
        ("[actions.replace]\n", "[actions.replace]\nidempotency_key = true\n"),
    ];
    let token = [
        ("[token]\n", ""),
        ("read = { header = \"ETag\" }", "#"),
        ("send = { header = \"If-Match\" }", "#"),
        ("required = true  ", "#"),
    ];
    let changes = [&keys[..], if without_token { &token[..] } else { &[] }].concat();
    probed(&server.url, &skeleton(folder.path(), ModelKind::Register, &changes))
}

/// The same of jobs, whose every step carries a key, on a server that answers as `answer` says.
fn of_jobs(mut answer: impl FnMut(&mut Jobs, &Asked) -> crate::odd::Said + Send + 'static) -> ProbeResult {
    let mut jobs = Jobs::new();
    let server = Server::start(move |asked: &Asked| answer(&mut jobs, asked));
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str| (format!("[actions.{name}]\n"), format!("[actions.{name}]\nidempotency_key = true\n"));
    let steps = ["start", "finish", "cancel"].map(key);
    let mut changes: Vec<(&str, &str)> = steps.iter().map(|(from, to)| (&**from, &**to)).collect();
    let read = format!("{KEYS}[read]\n");
    changes.push(("[read]\n", &read));
    probed(&server.url, &skeleton(folder.path(), ModelKind::StateMachine, &changes))
}

#[test]
fn a_version_more_is_a_request_done_once_more() {
    let result = of_documents(Documents { looks_at_tags: false, ..Documents::new() }, false);
    assert_found(&result, "keys of replace", Mark::Differs, "said again, it is done once more: 200 (applied)");
}

#[test]
fn what_its_token_refuses_says_nothing_of_its_key() {
    let result = of_documents(Documents::new(), false);
    assert_found(
        &result,
        "keys of replace",
        Mark::Open,
        "said again, it is refused: 412 (stale), as it would be without its key",
    );
    assert!(advice(&result).is_empty(), "{:?}", advice(&result));
}

#[test]
fn what_its_state_refuses_says_nothing_of_its_key() {
    let result = of_jobs(Jobs::answer);
    for action in ["start", "finish", "cancel"] {
        assert_found(
            &result,
            &format!("keys of {action}"),
            Mark::Open,
            "it is refused: 409 (refused), as it would be without its key",
        );
    }
    assert_differs("no key is looked at", &result, &[]);
}

#[test]
fn the_same_answer_again_proves_nothing_alone() {
    // No tag, no version, no effect: the same value was written, once or twice.
    let result = of_documents(Documents { looks_at_tags: false, tag: |_| String::new(), ..Documents::new() }, true);
    assert_found(&result, "keys of replace", Mark::Open, "does not tell whether it was done once more");
}

/// A server that stores its answers, and says so nowhere: what another key is refused for, this one is not.
#[test]
fn what_is_accepted_with_its_key_alone_was_recognised() {
    let mut stored = BTreeMap::new();
    let result = of_jobs(move |jobs, asked| {
        let Some(key) = asked.header("idempotency-key") else { return jobs.answer(asked) };
        let said = stored.entry(key.to_owned()).or_insert_with(|| jobs.answer(asked));
        said.clone()
    });
    for action in ["start", "finish", "cancel"] {
        assert_found(
            &result,
            &format!("keys of {action}"),
            Mark::Differs,
            "said again, it hears the stored answer: 200 (applied), which is not promised",
        );
    }
    assert_eq!(advice(&result), ["[idempotency]", "replay = \"stored\""]);
}
