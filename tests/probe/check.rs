//! `scenarios check` and `race --dry-run`.

use std::net::TcpListener;

use crate::servers;
use crate::serving::Service;
use crate::tool::{assert_exit, assert_has, changed, command, run, stderr, stdout, steady};

#[test]
fn a_scenario_is_shown_as_the_requests_it_comes_to() {
    let output = run(&["scenarios", "check", "stale-write"]);
    assert_exit(&output, 0);
    let expected = "\
✓ stale-write: a scenario, raced as `quickeats-v2` says
stale-write (each contender, alone, should be refused)
  set-up  customer    create           POST /api/v2/orders  (with a key of its own)
  change  customer    payment          POST /api/v2/orders/example-id/payment  (on the current token, with a key of its own)
  race    customer    cancellation     POST /api/v2/orders/example-id/cancellation  (on a stale token)
          restaurant  acceptance       POST /api/v2/orders/example-id/acceptance  (on a stale token)
  look    customer    read             GET /api/v2/orders/example-id
          customer    list of effects  GET /api/v2/orders/example-id/payments
          customer    list of events   GET /api/v2/orders/example-id/events
";
    assert_eq!(stdout(&output), expected);
}

#[test]
fn a_description_tells_what_can_be_raced_and_what_not_and_why() {
    let output = run(&["scenarios", "check", "scenarios/apis/documents.toml", "concurrent-replace"]);
    assert_exit(&output, 0);
    assert_has(
        &stdout(&output),
        &[
            "✓ scenarios/apis/documents.toml: the API description `documents`",
            "register; 3 actions: replace, put-new, remove",
            "8 scenarios can be raced: concurrent-replace,",
            "blind-replace is left out: `documents` promises to refuse `replace` without a version token",
            "✓ concurrent-replace: a scenario, raced as `documents` says",
        ],
    );
}

#[test]
fn every_mistake_is_told_and_the_other_files_are_checked_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = changed(folder.path(), "documents", &[("writes = \"nothing\"", "writes = \"nothin\"")]);
    let output = run(&["scenarios", "check", &wrong, "stale-wrte", "stale-replace", "stale-write"]);
    assert_exit(&output, 2);
    assert_has(&stdout(&output), &["✓ stale-write: a scenario"]);
    assert_has(
        &stderr(&output),
        &["nothin", "documents.toml:", "did you mean `stale-write`?", "`stale-replace` is for", "or say --api FILE"],
    );
    let output = run(&["scenarios", "check", "stale-write", "--api", "scenarios/apis/documents.toml"]);
    assert_exit(&output, 2);
    assert_has(&stderr(&output), &["`stale-write` is for quickeats-v2, and `documents` (register) is not"]);
}

#[test]
fn played_once_each_request_is_shown_with_what_was_read() {
    let Some(server) = servers::own("played_once", "documents", &[]) else { return };
    let arguments =
        ["scenarios", "check", "stale-replace", "--api", "scenarios/apis/documents.toml", "--target", &server.url];
    let output = run(&arguments);
    assert_exit(&output, 0);
    let told = steady(&stdout(&output));
    let expected = "
change
   3  PUT /docs/doc-WORD  client: replace
      if-match: \"1\"
      {\"text\":\"WORD\"}
    → 200 applied  (says HTTP)
      content-type: application/json
      etag: \"2\"
      {\"name\": \"doc-WORD\", \"text\": \"WORD\"}
      ✓ value          WORD  at `/text`
      ✓ version token  \"2\"  at the header `etag`

contenders, one after the other
   4  PUT /docs/doc-WORD  client: replace
      if-match: \"1\"
      {\"text\":\"WORD\"}
    → 412 stale  (says HTTP)
";
    assert_has(&told, &[expected, "✓ fine: 6 requests, and every reply could be read"]);
}

#[test]
fn a_wrong_place_is_told_with_what_stands_there_and_what_was_meant() {
    let Some(server) = servers::own("a_wrong_place", "documents", &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let wrong = changed(folder.path(), "documents", &[("\"/text\"", "\"/doc/text\""), ("\"ETag\"", "\"E-Tag\"")]);
    let output = run(&["scenarios", "check", &wrong, "--target", &server.url]);
    assert_exit(&output, 4);
    assert_has(
        &stdout(&output),
        &[
            "✗ value          nothing at `/doc/text`: the body has these keys: name, text; did you mean `/text`?",
            "✗ version token  nothing at the header `e-tag`: the reply has these headers: content-type, etag,",
            "did you mean `etag`?",
            "✗ not all could be read",
        ],
    );
}

/// A token without its quotes is no entity tag: every change is refused, and nothing would ever race.
#[test]
fn an_action_that_is_refused_where_the_description_allows_it_is_told() {
    let Some(server) = servers::own("refused_where_allowed", "documents", &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let bare = "read = { header = \"ETag\", regex = '\"(.*)\"' }";
    let wrong = changed(folder.path(), "documents", &[("read = { header = \"ETag\" }", bare)]);
    let output = run(&["scenarios", "check", &wrong, "--target", &server.url]);
    assert_exit(&output, 4);
    let told = stdout(&output);
    assert_has(
        &told,
        &[
            "✗ `replace` was refused (412: ",
            ") on a fresh document, where the description allows it",
            "✗ `remove` was refused (412",
            "  = help: it named the token `",
            "[token] read = { header = \"etag\" }",
            "✗ not as described: ",
        ],
    );
    assert!(!told.contains("`put-new` was refused") && !told.contains("✓ fine"), "{told}");
}

/// Where lines end in CR LF, `.` takes the CR, too: no read would ever show what was written.
#[test]
fn a_value_that_comes_back_as_another_is_told() {
    let Some(server) = servers::own("another_value", "objects", &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let line = |raw: &str| raw.replace("{value}", "SUMMARY:{value}\\r\\nEND");
    let changes = |regex| [("raw = \"{value}\"", line("raw = \"{value}\"")), ("{ body = true }", regex)];
    for (regex, exit, sentence) in [
        ("{ body = true, regex = 'SUMMARY:(.*)' }", 4, "\\r`: the place takes too much"),
        ("{ body = true, regex = 'SUMMARY:(.{8})' }", 4, "`: the place takes too little"),
        ("{ body = true, regex = 'SUMMARY:([^\\r\\n]*)' }", 0, "✓ fine"),
    ] {
        let changes = changes(regex.to_owned());
        let changes: Vec<(&str, &str)> = changes.iter().map(|(from, to)| (*from, to.as_str())).collect();
        let api = changed(folder.path(), "objects", &changes);
        let output = run(&["scenarios", "check", &api, "--target", &server.url]);
        assert_exit(&output, exit);
        let told = stdout(&output);
        assert_has(&told, &[sentence]);
        assert_eq!(told.matches("value: wrote `").count(), usize::from(exit == 4), "{told}");
    }
}

#[test]
fn a_description_is_played_action_by_action_and_rules_are_named_by_their_line() {
    let service = Service::start(&["--defect", "ignore-if-match"], &[]);
    let output = run(&["scenarios", "check", "quickeats-v2", "--target", &service.url]);
    assert_exit(&output, 0);
    let told = steady(&stdout(&output));
    assert_has(
        &told,
        &[
            "`cancellation` on a fresh order",
            "      ✓ state          cancelled  at `/status`\n",
            "      ✓ rows  1 row: cancellation, from pending_payment, to cancelled, version 2  at `/results`",
            "      ✓ effect         WORD  at `/payment/id`\n",
            "note: not tried, as a fresh order does not allow it: `acceptance`, `rejection`",
        ],
    );
    let Some(server) = servers::own("rules_by_line", "transactions", &[]) else { return };
    let output = run(&["scenarios", "check", "scenarios/apis/transactions.toml", "--target", &server.url]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["→ 200 applied  (says the [[replies]] rule on line 71)"]);
}

#[test]
fn a_target_that_is_gone_or_far_away_is_told() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = run(&["scenarios", "check", "quickeats-v2", "--target", &format!("http://127.0.0.1:{port}")]);
    assert_exit(&output, 4);
    assert_has(&stdout(&output), &["→ ✗ no reply: no connection", "✗ ended early: 1 request"]);
    let output = run(&["scenarios", "check", "quickeats-v2", "--target", "http://10.1.2.3"]);
    assert_exit(&output, 2);
    assert_has(&stderr(&output), &["--allow-remote"]);
}

/// Every way to say a secret, against a server that repeats what it is told.
#[test]
fn no_secret_is_shown() {
    let Some(server) = servers::own("no_secret", "documents", &[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let actor = "[actors.client]\nheaders = { X-Api-Key = \"l1teral-key\", X-Note = \"{env:BENCH_NOTE}\" }\n[read]";
    let path = "/docs/{env:BENCH_PLACE}-{id}";
    let changes = [("[read]", actor), ("/docs/{id}", path)];
    let api = changed(folder.path(), "documents", &changes);
    let arguments = [
        format!("scenarios check {api} --target {}", server.url),
        format!("race --dry-run --api {api} --target {}", server.url),
    ];
    for arguments in arguments {
        let mut command = command();
        command.args(arguments.split(' ')).args([
            "--header",
            "X-Tenant: t3nant-value",
            "--bearer",
            "client=b3arer-value",
        ]);
        let output = command.env("BENCH_NOTE", "n0te-value").env("BENCH_PLACE", "pl4ce-value").output().unwrap();
        assert_exit(&output, 0);
        let all = stdout(&output) + &stderr(&output);
        for secret in ["l1teral", "n0te", "pl4ce", "t3nant", "b3arer"] {
            assert!(!all.contains(secret), "{secret} stands in:\n{all}");
        }
        assert_has(&all, &["x-tenant: (masked)", "authorization: Bearer (masked)", "PUT /docs/(masked)-doc-"]);
    }
}

/// `put` stands before `patch` in the file.
#[test]
fn who_else_could_play_a_role_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let patch = "[actions.patch]\nmethod = \"PATCH\"\npath = \"/docs/{id}\"\nbody = { text = \"{value}\" }\nwrites = \"value\"\n\
                 needs = \"present\"\n\n# Of two who make";
    let api =
        changed(folder.path(), "documents", &[("[actions.replace]", "[actions.put]"), ("# Of two who make", patch)]);
    let output = run(&["race", "--dry-run", "--api", &api, "concurrent-replace", "stale-replace", "concurrent-create"]);
    assert_exit(&output, 0);
    let note = "note: <replace> of concurrent-replace and stale-replace is played by `put`; `patch` could play it, too (name it in \
                a scenario of yours)\n";
    assert_has(&stderr(&output), &[note]);
    assert_eq!(stderr(&output).matches("could play").count(), 1, "{}", stderr(&output));
}

#[test]
fn a_dry_run_shows_the_plan_and_sends_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let output = run(&["race", "--dry-run", "cancel-vs-accept", "--target", &url, "--seed", "7", "--rounds", "30"]);
    assert_exit(&output, 0);
    assert_has(
        &steady(&stdout(&output)),
        &[
            "dry run, nothing is sent: 1 scenario, quickeats-v2 against http://HOST\n30 rounds of each",
            "delivery auto, 5s for one request, seed 7\n",
            "race    customer    cancellation     POST /api/v2/orders/example-id/cancellation  (on the current token)\n",
            "if-match: \"example-token\"\n",
            "{\"reason\":\"example-word\"}\n",
        ],
    );
    assert!(listener.accept().is_err(), "somebody connected");
    let output = run(&["race", "--dry-run"]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["21 scenarios, quickeats-v2 against the reference service, in-process"]);
    let output = run(&["race", "--dry-run", "--api", "scenarios/apis/documents.toml"]);
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["8 scenarios, documents against no target yet (--target)", "PUT /docs/doc-example"]);
    let output = run(&["race", "--api", "scenarios/apis/documents.toml"]);
    assert_exit(&output, 2);
    let output = run(&["race", "--dry-run", "nonsense"]);
    assert_exit(&output, 2);
}
