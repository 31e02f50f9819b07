//! `probe`: each finding, as described and flipped.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use quickeats_bench::probe_result::Mark;
use quickeats_bench::report::probe_schema;

use crate::found::{advice, assert_differs, probed};
use crate::servers;
use crate::serving::Service;
use crate::tool::{assert_exit, assert_has, changed, command, run, stderr, stdout, steady};

const COMMITTED_SCHEMA: &str = include_str!("../../reports/probe.schema.json");

#[test]
fn the_committed_schema_is_the_formats_and_results_follow_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/probe.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(path, probe_schema()).unwrap();
    }
    assert_eq!(COMMITTED_SCHEMA, probe_schema(), "regenerate it: UPDATE_SCHEMA=1 cargo test --test probe schema");
    let service = Service::start(&[], &[]);
    let output = run(&["probe", &service.url, "--api", "quickeats-v1", "--format", "json"]);
    assert_exit(&output, 0);
    let told: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let schema = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&told), "{told}");
}

#[test]
fn a_url_is_read_by_safe_methods_alone() {
    let Some(server) = servers::own("a_url_is_read", "documents", &[]) else { return };
    let output = run(&["probe", &format!("{}/docs/none", server.url)]);
    assert_exit(&output, 0);
    let told = steady(&stdout(&output));
    let expected = "\
http://HOST/docs/none
  · TLS          none: plain text
  · HTTP         HTTP/1.1, not HTTP/2: races send with barrier, head or tail
  · connections  kept: a second request on one is answered
  · GET          404, application/json, 38 bytes
  · ETag         none
  · OPTIONS      501, says nothing of methods
";
    assert_eq!(told, expected);
}

#[test]
fn a_sound_service_is_as_described() {
    let service = Service::start(&[], &[]);
    let output = run(&["probe", &service.url, "--api", "quickeats-v2"]);
    assert_exit(&output, 0);
    let expected = "\
http://HOST, held against `quickeats-v2`
  · TLS              none: plain text
  · HTTP             HTTP/1.1 and HTTP/2: every method of delivery can be used
  · connections      kept: a second request on one is answered
  ✓ absence          a read where nobody made any order is answered 404 (not-found)
  ✓ version token    told at the header `etag`, strong; the same when it is read again
  ✓ version token    a current one is accepted: `payment` is answered 200 (applied)
  ✓ version token    it changes when `payment` changes the resource
  ✓ version token    a stale one is refused: `cancellation` 412 (stale), `acceptance` 412 (stale) and `rejection` 412 (stale)
  ✓ version token    it is required: without it, `payment` is answered 428 (missing-precondition)
  ✓ version token    a weak one is refused: `payment` is answered 412 (stale)
  ✓ keys of create   said again, it hears the stored answer: 201 (replayed)
  ✓ keys of create   a stored answer says so at the header `idempotent-replayed`
  ✓ keys of create   said again after `cancellation`, it hears the stored answer: 201 (replayed)
  ✓ keys of payment  said again, it hears the stored answer: 200 (replayed)
  ✓ keys of payment  a stored answer says so at the header `idempotent-replayed`
  ✓ keys of payment  said again after `cancellation`, it hears the stored answer: 200 (replayed)
  ✓ used keys        `create` with a used key and another payload is refused: 422 (refused)
  ✓ actions          applied, alone: `payment`, `cancellation`, `acceptance`, `rejection`, `preparation-complete`, `pickup` and `delivery`
  ✓ lists            8 rows of what was done, at once
  ✓ reads            28 of 28 reads right after a change showed it
  ✓ version          went up by one with each of 7 changes

statuses
  200 applied: acceptance, cancellation, delivery, list of effects, list of events, payment, pickup, preparation-complete, read, rejection
  200 replayed: payment
  201 applied: create
  201 replayed: create
  404 not-found: read
  412 stale: acceptance, cancellation, payment, rejection
  422 refused: create
  428 missing-precondition: payment

✓ as described: 18 things; 0 that cannot be told. Nothing raced: this proves nothing about races
";
    assert_eq!(steady(&stdout(&output)), expected);
}

#[test]
fn a_server_that_does_otherwise_is_told_by_what_it_does() {
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "documents",
            "optional-if-match",
            &["it is not required: without it, `replace` is answered 200"],
            &["[token]", "required = false"],
        ),
        (
            "documents",
            "ignore-if-match",
            &["a stale one is accepted: `replace`", "a stale one is accepted: `remove`", "a weak one is accepted"],
            &[],
        ),
        ("documents", "delete-ignores-if-match", &["a stale one is accepted: `remove` is answered 204"], &[]),
        ("documents", "weak-compare", &["a weak one is accepted, against RFC 9110"], &[]),
        ("documents", "etag-unchanged", &["it does not change when `replace` changes the resource"], &[]),
        (
            "documents",
            "refused-but-applied",
            &["and `replace` changes the resource all the same", "and `remove` changes the resource all the same"],
            &[],
        ),
        ("documents", "ignore-if-none-match", &["`put-new`, which needs that there is none, is accepted"], &[]),
        (
            "documents",
            "stale-reads",
            &["reads right after a change showed it, the others were late"],
            &["[read]", "eventual = true"],
        ),
        ("charges", "ignore-key", &["said again, it is done once more: 200", "as another request"], &[]),
        ("charges", "replays-anything", &["as if it were the first request"], &["[idempotency]", "# without `reuse`"]),
        ("charges", "refused-but-charged", &["is refused, and done all the same"], &[]),
        ("charges", "stale-list", &["`charge` has its row there late"], &["[effects]", "eventual = true"]),
    ];
    for (api, broken, expected, lines) in cases {
        let Some(server) = servers::own("a_server_that_does_otherwise", api, &["--broken", broken]) else { return };
        let result = probed(&server.url, &format!("scenarios/apis/{api}.toml"));
        assert_differs(broken, &result, expected);
        assert_eq!(advice(&result), *lines, "{broken}");
    }
}

#[test]
fn the_reference_service_is_told_by_its_defects() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--defect", "optional-if-match"], &["it is not required"]),
        (
            &["--defect", "stale-412-applies"],
            &["`acceptance` changes", "`cancellation` changes", "`rejection` changes"],
        ),
        (&["--defect", "idempotency-replays-anything"], &["as if it were the first request"]),
        (
            &["--defect", "idempotency-replay-differs"],
            &["`cancellation`, it is recognised, and hears another answer: 201", "and hears another answer: 200"],
        ),
        // What lags is no other mistake.
        (&["--defect", "ack-before-commit"], &["reads right after a change showed it, the others were late"]),
    ];
    for (options, expected) in cases {
        let service = Service::start(options, &[]);
        assert_differs(options[1], &probed(&service.url, "quickeats-v2"), expected);
    }
}

#[test]
fn sound_servers_of_every_kind_are_as_described() {
    for api in ["documents", "revisions", "transactions", "objects", "charges", "stock"] {
        let Some(server) = servers::own("sound_servers", api, &[]) else { return };
        let result = probed(&server.url, &format!("scenarios/apis/{api}.toml"));
        assert_differs(api, &result, &[]);
        assert!(advice(&result).is_empty(), "{api}: {:?}", result.advice);
        assert!(result.findings.iter().any(|finding| finding.mark == Mark::AsDescribed), "{api}");
    }
}

/// A description that promises too much or too little is corrected, key by key, and then all is as described.
#[test]
fn what_was_learned_is_written_and_is_right() {
    let service = Service::start(&[], &[]);
    let folder = tempfile::tempdir().unwrap();
    let changes = [
        ("required = true ", "required = false "),
        ("replayed = { header = \"Idempotent-Replayed\" }\n", ""),
        ("replay = \"stored\" ", "# replay: unknown "),
        ("reuse = \"refused\" ", "# reuse: unknown "),
        ("path = \"/api/v2/orders/{id}/acceptance\"", "shows = false\npath = \"/api/v2/orders/{id}/acceptance\""),
    ];
    // It names nobody the service does not know.
    let api = changed(folder.path(), "quickeats-v2", &changes);
    let output = run(&["probe", &service.url, "--api", &api, "--write", &api]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["If the server is as it should be", "  [token]\n  required = true\n"]);
    assert_has(&stderr(&output), &["5 keys changed in "]);
    let written = fs::read_to_string(&api).unwrap();
    assert_has(
        &written,
        &[
            "required = true             # an action without it must be refused (428)\n",
            "# a retry of a finished request gets the stored answer\n",
            "replay = \"stored\"\n",
            "reuse = \"refused\"\n",
            "replayed = { header = \"idempotent-replayed\" }\n",
            "shows = true\n",
            "# Every transition applied.\n[events]\n",
        ],
    );
    let result = probed(&service.url, &api);
    assert_differs("written", &result, &[]);
    assert!(result.advice.is_empty(), "{:?}", result.advice);
}

#[test]
fn an_api_that_says_nothing_of_tags_and_keys_is_asked_for_them() {
    let Some(server) = servers::own("an_api_that_says_nothing", "documents", &["--broken", "optional-if-match"]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let token = "[token]\nread = { header = \"ETag\" }\nsend = { header = \"If-Match\" }\nrequired = true                 # a change without it must be refused (428)\n";
    let api = changed(folder.path(), "documents", &[(token, "")]);
    let result = probed(&server.url, &api);
    assert_differs("no [token]", &result, &["a strong one is sent, and If-Match is honoured by"]);
    let expected = [
        "[token]",
        "read = { header = \"ETag\" }",
        "[token]",
        "send = { header = \"If-Match\" }",
        "[token]",
        "required = false",
    ];
    assert_eq!(advice(&result), expected);
}

#[test]
fn a_target_that_cannot_be_asked_exits_4_and_one_far_away_is_not() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = run(&["probe", &format!("http://127.0.0.1:{port}")]);
    assert_exit(&output, 4);
    assert_has(&stderr(&output), &["cannot be asked: no connection", "is the server running"]);
    for (arguments, parts) in [
        (&["probe", "http://10.1.2.3"][..], &["--allow-remote"][..]),
        (&["probe", "http://127.0.0.1:1", "--write", "x.toml"], &["--api"]),
        (&["probe", "http://127.0.0.1:1", "--api", "quickeats-v3"], &["did you mean `quickeats-v"]),
    ] {
        let output = run(arguments);
        assert_exit(&output, 2);
        assert_has(&stderr(&output), parts);
    }
}

#[test]
fn no_secret_is_told() {
    let service = Service::start(&["--auth", "jwt", "--jwt-secret-env", "PATH"], &[]);
    for api in [None, Some("quickeats-v2")] {
        for format in ["table", "json"] {
            let mut command = command();
            command.args(["probe", &service.url, "--format", format, "--header", "Authorization: Bearer s3cret.t0ken"]);
            let output = command.args(api.iter().flat_map(|api| ["--api", api])).output().unwrap();
            // Nobody is let in with that token.
            assert_exit(&output, if api.is_some() { 4 } else { 0 });
            let all = stdout(&output) + &stderr(&output);
            assert!(!all.contains("s3cret"), "{all}");
            if api.is_some() {
                assert_has(&all, &["cannot be asked: POST /api/v2/orders was answered", "401", "scenarios check"]);
            }
        }
    }
}
