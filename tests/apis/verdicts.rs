//! Every shipped description gets the right verdict on its server: a sound one holds, whatever the seed, and a broken one is named.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::servers::{self, Server};

/// Rounds of each scenario: few, since there are many seeds.
const ROUNDS_SOUND: &str = "4";
/// Rounds of each scenario against a broken server: most mistakes show in the first.
const ROUNDS_BROKEN: &str = "25";
/// The only doubts that rounds so few may leave of a sound server.
const NOTHING_RACED: [&str; 2] = [
    "no round overlapped: nothing raced",
    "rounds overlapped, but none was answered, observed and decided: nothing was shown",
];

/// Races `server`, with the scenarios that `arguments` name or all that fit. The exit code, and `run.json`.
pub(crate) fn race(api: &str, server: &Server, seed: u64, arguments: &[&str]) -> (Option<i32>, Value) {
    let out = tempfile::tempdir().unwrap();
    let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    tool.args(["race", "--target", &server.url, "--api", api, "--seed", &seed.to_string(), "--format", "json", "-q"]);
    tool.args(arguments).arg("--out").arg(out.path());
    let output = tool.output().unwrap();
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{api}, seed {seed}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), json)
}

/// Scenario, kind and sentence of everything that was found.
pub(crate) fn findings(run: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let scenarios = run["scenarios"].as_array().unwrap().iter();
    let all = scenarios.flat_map(|scenario| {
        let found = scenario["findings"].as_array().unwrap().iter();
        found.map(|finding| (text(&scenario["name"]), text(&finding["kind"]), text(&finding["sentence"])))
    });
    all.collect()
}

/// A sound server is never accused, whatever the seed, and every scenario holds with some of them. (One run has so few rounds that
/// on a busy machine none may overlap: that is inconclusive, and rightly so.) A few seeds, so that all of this is over in a minute;
/// more on request (`APIS_SEEDS=20`).
fn holds(api: &str, server: Option<Server>, arguments: &[&str]) {
    let Some(server) = server else { return };
    let seeds = std::env::var("APIS_SEEDS").map_or(8, |seeds| seeds.parse().unwrap());
    let (mut raced, mut held) = (BTreeSet::new(), BTreeSet::new());
    for seed in 1..=seeds {
        let rounds = ["--rounds", ROUNDS_SOUND, "--fail-on", "warning"];
        let (code, run) = race(api, &server, seed, &[arguments, &rounds].concat());
        assert_eq!(findings(&run), [], "{api}, seed {seed}");
        for scenario in run["scenarios"].as_array().unwrap() {
            let name = scenario["name"].as_str().unwrap().to_owned();
            if scenario["verdict"] == "holds" {
                held.insert(name.clone());
            } else {
                let doubts = scenario["doubts"].as_array().unwrap();
                let is_thin = |doubt: &Value| NOTHING_RACED.iter().any(|thin| doubt == thin);
                assert!(doubts.iter().all(is_thin), "{api}, seed {seed}: {name}: {doubts:?}");
                assert_eq!(code, Some(3), "{api}, seed {seed}: {name} did not hold");
            }
            raced.insert(name);
        }
    }
    assert_eq!(held, raced, "{api}: with some seed");
}

macro_rules! sound {
    ($($test:ident: $server:expr, $api:literal;)*) => {
        $(#[test]
        fn $test() {
            holds($api, $server, &[]);
        })*
    };
}

sound! {
    sound_documents: servers::own("sound_documents", "documents", &[]), "documents";
    sound_revisions: servers::own("sound_revisions", "revisions", &[]), "revisions";
    sound_transactions: servers::own("sound_transactions", "transactions", &[]), "transactions";
    sound_objects: servers::own("sound_objects", "objects", &[]), "objects";
    sound_charges: servers::own("sound_charges", "charges", &[]), "charges";
    sound_charges_that_wait:
        servers::own("sound_charges_that_wait", "charges", &["--in-flight", "wait"]), "charges";
    sound_stock: servers::own("sound_stock", "stock", &[]), "stock";
    sound_etcd: servers::real("sound_etcd", "etcd"), "transactions";
}

/// A mistake of one of our servers, a scenario that shows it, and what it is called there.
type Mistake = (&'static str, &'static str, &'static [&'static str]);

/// Each broken server is named, by the scenario and with one of the kinds that stand beside its mistake.
fn is_named(api: &str, mistakes: &[Mistake]) {
    let mut wrong = Vec::new();
    for (mistake, scenario, kinds) in mistakes {
        let Some(server) = servers::own(mistake, api, &["--broken", mistake]) else { return };
        let (code, run) = race(api, &server, 7, &[scenario, "--rounds", ROUNDS_BROKEN]);
        let found = findings(&run);
        if code != Some(1) || !found.iter().any(|(_, kind, _)| kinds.contains(&kind.as_str())) {
            wrong.push(format!("{mistake} by {scenario}: exit {code:?}, expected one of {kinds:?}: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{api}: {}", wrong.join("\n"));
}

#[test]
fn broken_documents() {
    is_named(
        "documents",
        &[
            ("check-then-save", "concurrent-replace", &["lost-update"]),
            ("create-check-then-save", "concurrent-create", &["lost-update"]),
            ("ignore-if-match", "stale-replace", &["stale-write-accepted", "lost-update"]),
            ("ignore-if-none-match", "concurrent-create", &["lost-update"]),
            ("delete-ignores-if-match", "replace-vs-delete", &["double-cas-win"]),
            ("optional-if-match", "missing-token", &["precondition-not-required"]),
            ("weak-compare", "weak-token", &["weak-etag-accepted"]),
            ("etag-unchanged", "concurrent-replace", &["etag-unchanged"]),
            ("etag-per-second", "concurrent-replace", &["etag-unchanged"]),
            ("refused-but-applied", "concurrent-replace", &["rejected-but-applied"]),
            ("lost-write", "concurrent-replace", &["lost-update"]),
            ("stale-reads", "stale-replace", &["stale-read"]),
            ("torn-read", "read-beside-replace", &["stale-read", "torn-read"]),
            ("torn-text", "read-beside-replace", &["torn-read"]),
        ],
    );
}

#[test]
fn broken_revisions() {
    is_named(
        "revisions",
        &[
            ("check-then-save", "concurrent-replace", &["lost-update"]),
            ("ignore-rev", "stale-replace", &["stale-write-accepted", "lost-update"]),
            ("delete-ignores-rev", "replace-vs-delete", &["double-cas-win"]),
            ("put-without-rev", "concurrent-create", &["lost-update"]),
            ("rev-unchanged", "concurrent-replace", &["etag-unchanged"]),
            ("conflict-applies", "concurrent-replace", &["rejected-but-applied"]),
            ("lost-write", "concurrent-replace", &["lost-update"]),
            ("stale-reads", "stale-replace", &["stale-read"]),
        ],
    );
}

#[test]
fn broken_transactions() {
    is_named(
        "transactions",
        &[
            ("check-then-save", "concurrent-replace", &["lost-update"]),
            ("ignore-compare", "stale-replace", &["stale-write-accepted", "lost-update"]),
            ("create-compares-nothing", "concurrent-create", &["lost-update"]),
            ("failed-txn-applies", "concurrent-replace", &["rejected-but-applied"]),
            ("revision-unchanged", "concurrent-replace", &["etag-unchanged"]),
            ("lost-write", "concurrent-replace", &["lost-update"]),
            ("stale-reads", "stale-replace", &["stale-read", "etag-reused"]),
        ],
    );
}

#[test]
fn broken_objects() {
    is_named(
        "objects",
        &[
            ("check-then-save", "concurrent-replace", &["lost-update"]),
            ("create-check-then-save", "concurrent-create", &["lost-update"]),
            ("ignore-if-match", "stale-replace", &["stale-write-accepted", "lost-update"]),
            ("ignore-if-none-match", "concurrent-create", &["lost-update"]),
            ("etag-unchanged", "concurrent-replace", &["etag-unchanged"]),
            ("refused-but-applied", "concurrent-replace", &["rejected-but-applied"]),
            ("lost-write", "concurrent-replace", &["lost-update"]),
            ("stale-reads", "stale-replace", &["stale-read"]),
        ],
    );
}

#[test]
fn broken_charges() {
    is_named(
        "charges",
        &[
            ("look-up-then-store", "double-effect", &["in-flight-duplicate"]),
            ("key-forgotten", "double-effect", &["key-forgotten", "in-flight-duplicate"]),
            ("ignore-key", "double-effect", &["in-flight-duplicate"]),
            ("replays-anything", "reused-key", &["key-reuse-accepted"]),
            ("replay-rebuilt", "double-effect", &["in-flight-duplicate", "key-forgotten"]),
            ("charges-before-key", "double-effect", &["in-flight-duplicate", "duplicate-effect"]),
            ("refused-but-charged", "reused-key", &["rejected-but-applied", "duplicate-effect"]),
            ("charges-twice", "double-effect", &["in-flight-duplicate", "duplicate-effect"]),
            ("lost-charge", "double-effect", &["audit-mismatch"]),
            ("stale-list", "double-effect", &["audit-mismatch"]),
        ],
    );
}

#[test]
fn broken_stock() {
    is_named(
        "stock",
        &[
            ("read-modify-write", "lost-count", &["lost-update"]),
            ("oversell", "oversell", &["oversell"]),
            ("take-then-put-back", "any-swarm", &["oversell", "dirty-read", "conservation"]),
            ("refused-but-taken", "oversell", &["oversell", "rejected-but-applied"]),
            ("takes-two", "any-swarm", &["conservation", "lost-update"]),
            ("lost-take", "lost-count", &["lost-update", "acknowledged-then-lost"]),
            ("stale-reads", "take-vs-give", &["stale-read", "acknowledged-then-lost", "conservation", "lost-update"]),
        ],
    );
}
