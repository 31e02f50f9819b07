//! Servers whose answers take time to hold, and that can be read in more than one place.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::servers;
use crate::verdicts::{findings, race};

/// The description of documents with more in it.
fn described(folder: &Path, more: &str) -> String {
    let text = include_str!("../../scenarios/apis/documents.toml")
        .replace("value = \"/text\" ", "volatile = [\"/indexed\"]\nvalue = \"/text\" ");
    assert!(text.contains("volatile"));
    let file = folder.join("late.toml");
    std::fs::write(&file, format!("{text}\n{more}\n")).unwrap();
    file.to_str().unwrap().to_owned()
}

const SETTLED: &str = "[settle]\nstrong_token = true\nuntil = { read = \"/indexed\", is = [\"true\"] }\n";

fn raced(name: &str, options: &[&str], more: &str, arguments: &[&str]) -> Option<(Option<i32>, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let server = servers::own(name, "documents", options)?;
    Some(race(&described(folder.path(), more), &server, 7, arguments))
}

#[test]
fn a_document_is_raced_once_it_has_settled() {
    let late = ["--index", "late"];
    let arguments = ["concurrent-replace", "replace-vs-delete", "stale-replace", "--rounds", "6"];
    let Some((code, run)) = raced("settled", &late, SETTLED, &arguments) else { return };
    assert_eq!((code, findings(&run)), (Some(0), Vec::new()), "{}", run["scenarios"]);
    // Without waiting nobody has a tag that could match.
    let (code, run) = raced("unsettled", &late, "", &arguments).unwrap();
    assert_ne!(code, Some(0), "{}", run["scenarios"]);
}

/// Where nothing is, there is nothing to wait for: no round is lost for that, before the race or after it.
#[test]
fn what_is_not_there_has_nothing_to_settle() {
    let arguments = ["concurrent-create", "replace-vs-delete", "--rounds", "8"];
    let Some((code, run)) = raced("absent", &["--index", "late"], SETTLED, &arguments) else { return };
    assert_eq!((code, findings(&run)), (Some(0), Vec::new()), "{}", run["scenarios"]);
    for scenario in run["scenarios"].as_array().unwrap() {
        assert_eq!(scenario["rounds_void"], 0, "{scenario}");
        assert_eq!(scenario["trials"], scenario["rounds_overlapped"], "{scenario}");
    }
}

/// Asking before a race waits for it, too, and asks at every place.
#[test]
fn a_check_waits_and_asks_at_every_place() {
    let Some(server) = servers::own("checked", "documents", &["--index", "late"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let views = "[views.mirror]\nmethod = \"GET\"\npath = \"/mirror/{id}\"\n";
    let check = |more: &str| {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
        tool.args(["scenarios", "check", &described(folder.path(), more), "--target", &server.url]);
        let output = tool.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = check(&(SETTLED.to_owned() + views));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("GET /mirror/doc-") && said.contains("200 applied"), "{said}");
    // Without waiting no tag is one that could match.
    let (code, said) = check("");
    assert_eq!(code, Some(4), "{said}");
}

#[test]
fn what_a_server_shows_before_it_has_settled_is_no_evidence_and_a_broken_one_is_found_all_the_same() {
    let broken = ["--index", "late", "--broken", "check-then-save", "--window", "3ms"];
    let Some((code, run)) = raced("broken", &broken, SETTLED, &["concurrent-replace", "--rounds", "12"]) else {
        return;
    };
    assert_eq!(code, Some(1), "{}", run["scenarios"]);
    assert!(findings(&run).iter().any(|(_, kind, _)| kind == "lost-update"), "{:?}", findings(&run));
}

#[test]
fn one_that_never_settles_is_inconclusive_and_says_why() {
    let never = SETTLED.replace("\"true\"", "\"never\"") + "limit = \"50ms\"\n";
    let Some((code, run)) = raced("never", &[], &never, &["concurrent-replace", "--rounds", "3"]) else { return };
    assert_eq!(code, Some(3), "{}", run["scenarios"]);
    let doubts = run["scenarios"][0]["doubts"].to_string();
    assert!(
        doubts.contains("the document did not settle in time ([settle]): a read of it was last answered 200"),
        "{doubts}"
    );
}

#[test]
fn a_quiet_period_is_kept() {
    // Twice the time until it is indexed: nobody needs to look.
    let quiet = "[settle]\nquiet = \"120ms\"\n";
    let arguments = ["concurrent-replace", "--rounds", "4"];
    let Some((code, run)) = raced("quiet", &["--index", "late"], quiet, &arguments) else { return };
    assert_eq!(code, Some(0), "{}", run["scenarios"]);
}

#[test]
fn another_place_to_read_at_must_agree() {
    let views = "[views.mirror]\nmethod = \"GET\"\npath = \"/mirror/{id}\"\n";
    let arguments = ["concurrent-replace", "--rounds", "12"];
    let Some((code, run)) = raced("mirror", &[], views, &arguments) else { return };
    assert_eq!((code, findings(&run)), (Some(0), Vec::new()));
    // It is seen there, and nowhere else.
    let stale = ["--broken", "stale-mirror"];
    let (_, unseen) = raced("unseen", &stale, "", &arguments).unwrap();
    assert_eq!(findings(&unseen), []);
    let (code, seen) = raced("seen", &stale, views, &arguments).unwrap();
    assert_eq!(code, Some(1), "{}", seen["scenarios"]);
    assert!(findings(&seen).iter().any(|(_, kind, _)| kind == "stale-read"), "{:?}", findings(&seen));
}
