//! No part of a secret is told, however often a server repeats it, and however little of it fits.

use std::process::Output;
use std::sync::{Arc, Mutex};

use quickeats_bench::init;
use quickeats_bench::scenario::ModelKind;
use serde_json::json;

use crate::odd::{Asked, Jobs, Said, Server, json};
use crate::tool::{assert_exit, assert_has, command, skeleton, stderr, stdout};

/// Longer than anything that is shown of a reply.
fn long() -> String {
    (0..90).map(|number| format!("s{number:03}")).collect::<Vec<_>>().concat()
}

/// No part of a secret stands there, not even its beginning.
#[track_caller]
fn assert_hidden(output: &Output, secrets: &[String]) {
    let all = stdout(output) + &stderr(output);
    for secret in secrets {
        let letters: Vec<char> = secret.chars().collect();
        for part in letters.windows(8) {
            let part: String = part.iter().collect();
            assert!(!all.contains(&part), "`{part}` stands in:\n{all}");
        }
    }
}

/// Jobs whose state, once anything was done to one, is what the caller proved who asks with; and those proofs.
fn echoing(echo: fn(Said, &str) -> Said) -> (Server, Arc<Mutex<Vec<String>>>) {
    let (mut jobs, heard) = (Jobs::new(), Arc::new(Mutex::new(Vec::new())));
    let proofs = Arc::clone(&heard);
    let server = Server::start(move |asked: &Asked| {
        let said = jobs.answer(asked);
        let proof = asked.header("x-key").or(asked.header("authorization")).unwrap_or_default();
        let proof = proof.trim_start_matches("Bearer ");
        proofs.lock().unwrap().push(proof.to_owned());
        if asked.path.len() > 1 { echo(said, proof) } else { said }
    });
    (server, heard)
}

fn as_the_state(_: Said, proof: &str) -> Said {
    json(200, &json!({ "id": "0", "state": proof }))
}

fn as_no_json(_: Said, proof: &str) -> Said {
    Said { status: 200, headers: vec![("content-type", "text/plain".to_owned())], body: proof.to_owned() }
}

/// Asks with each kind of secret: one that was given, one that is minted, and one that stands in the description.
fn asked(echo: fn(Said, &str) -> Said, arguments: &[&str]) {
    let (given, own) =
        (format!("X-Key: {}", long()), format!("[actors.client]\nheaders = {{ X-Key = \"{}\" }}\n", long()));
    let (server, proofs) = echoing(echo);
    for (options, own) in [(&["--header", &given][..], ""), (&["--jwt-secret-env", "S"], ""), (&[], &own)] {
        let folder = tempfile::tempdir().unwrap();
        let create = "# Makes a fresh";
        let api = skeleton(folder.path(), ModelKind::StateMachine, &[(create, &format!("{own}{create}"))]);
        let race = folder.path().join("race.toml");
        let text = init::skeleton(ModelKind::StateMachine, "mine").scenario;
        // Its set-up must lead somewhere, and what it led to is told.
        let text = text.replace("start = \"waiting\"", "start = \"running\"").replace("\"start\"", "\"finish\"");
        std::fs::write(&race, text).unwrap();
        let arguments = arguments.iter().map(|argument| match *argument {
            "API" => api.clone(),
            "RACE" => race.display().to_string(),
            "URL" => server.url.clone(),
            other => other.to_owned(),
        });
        let mut command = command();
        let output = command.args(arguments).args(options).env("S", "a secret of thirty-two bytes or more").output();
        let output = output.unwrap();
        assert!(!stdout(&output).is_empty(), "{}", stderr(&output));
        let proofs: Vec<String> = proofs.lock().unwrap().drain(..).collect();
        assert!(proofs.iter().any(|proof| proof.len() > 100), "{proofs:?}");
        assert_hidden(&output, &proofs);
    }
}

#[test]
fn a_probe_tells_no_part_of_a_secret() {
    for format in ["table", "json"] {
        for echo in [as_the_state, as_no_json] {
            asked(echo, &["probe", "URL", "--api", "API", "--format", format]);
        }
    }
}

#[test]
fn what_is_played_tells_no_part_of_a_secret() {
    for echo in [as_the_state, as_no_json] {
        asked(echo, &["scenarios", "check", "API", "--target", "URL"]);
        asked(echo, &["scenarios", "check", "RACE", "--api", "API", "--target", "URL"]);
    }
}

#[test]
fn a_plain_probe_tells_no_part_of_a_secret() {
    let server = Server::start(|asked: &Asked| {
        let key = asked.header("x-key").unwrap_or_default();
        let told = json(200, &json!({})).with("content-type", format!("text/{key}"));
        told.with("etag", format!("\"{key}\"")).with("allow", format!("GET, {}{key}", "A".repeat(180)))
    });
    let output = command().args(["probe", &server.url, "--header", &format!("X-Key: {}", long())]).output().unwrap();
    assert_exit(&output, 0);
    assert_has(&stdout(&output), &["\"(masked)\" (strong)"]);
    assert_hidden(&output, &[long()]);
}
