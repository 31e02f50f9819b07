//! A guarded server is raced with tokens, and no token, header or secret is found anywhere afterwards.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails its test; clippy knows tests by attribute")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use quickeats_bench::jwt::{Claims, Secret};

const SECRET: &str = "0123456789-correct-horse-battery";

/// `serve`, on a free port, until dropped.
struct Served {
    process: Child,
    url: String,
    banner: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        let mut process = tool(arguments)
            .args(["--addr", "127.0.0.1:0"])
            .env("QB_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let banner: Vec<_> = lines.by_ref().map(Result::unwrap).take_while(|line| !line.contains("defect")).collect();
        let url = banner[0].strip_prefix("listening on ").unwrap().to_owned();
        Self { process, url, banner: banner.join("\n") }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn tool(arguments: &[&str]) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    tool.args(arguments).env_remove("RUST_BACKTRACE").env_remove("QB_SECRET");
    tool
}

fn race(served: &Served, folder: &Path, arguments: &[&str]) -> Output {
    tool(&["race", "--rounds", "20", "--target", &served.url, "--out", folder.to_str().unwrap()])
        .args(arguments)
        .env("QB_SECRET", SECRET)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(code), "{}\n{}", text(&output.stdout), text(&output.stderr));
}

/// Every file below `folder`, and what was printed.
fn everything_said(output: &Output, folder: &Path) -> Vec<u8> {
    let mut said = [&output.stdout[..], &output.stderr].concat();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { said.extend(fs::read(path).unwrap()) }
        }
    }
    said
}

fn contains(said: &[u8], secret: &str) -> bool {
    said.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn tokens_are_minted_for_a_guarded_target_and_kept_nowhere() {
    let served = Served::start(&["serve", "--jwt-secret-env", "QB_SECRET"]);
    assert!(served.banner.contains("jwt"), "{}", served.banner);
    let folder = tempfile::tempdir().unwrap();
    let stranger = race(&served, folder.path(), &[]);
    assert_exit(&stranger, 4);
    assert!(String::from_utf8_lossy(&stranger.stderr).contains("401"));
    let raced = race(&served, folder.path(), &["--jwt-secret-env", "QB_SECRET", "--header", "X-Tenant: t0p-secret"]);
    assert_exit(&raced, 0);
    let said = everything_said(&raced, folder.path());
    assert!(said.len() > 10_000, "the run was saved");
    for secret in [SECRET, "t0p-secret", "eyJ"] {
        assert!(!contains(&said, secret), "{secret}");
    }
}

#[test]
fn ready_made_tokens_are_sent_by_role_and_kept_nowhere() {
    let served = Served::start(&["serve", "--auth", "jwt", "--jwt-secret-env", "QB_SECRET"]);
    let secret = Secret::new(SECRET).unwrap();
    let token = |role: &str, sub: &str| {
        let claims = Claims { sub: sub.to_owned(), role: role.to_owned(), exp: 4_000_000_000 };
        format!("{role}={}", secret.mint(&claims))
    };
    let (ann, roma, bob) = (token("customer", "ann"), token("restaurant", "trattoria-roma"), token("rider", "bob"));
    let folder = tempfile::tempdir().unwrap();
    let raced = race(
        &served,
        folder.path(),
        &["--bearer", &ann, "--bearer", &roma, "--bearer", &bob, "cancel-vs-accept", "duplicate-payment"],
    );
    assert_exit(&raced, 0);
    assert!(!contains(&everything_said(&raced, folder.path()), "eyJ"));
}

#[test]
fn what_cannot_be_a_credential_is_refused_without_being_repeated() {
    let here = ["race", "--target", "http://127.0.0.1:1"];
    for (arguments, expected) in [
        (vec!["--jwt-secret-env", "QB_NOT_THERE"], "no such variable"),
        (vec!["--header", "hunter2"], "NAME:VALUE"),
        (vec!["--header", "X-Key: hunter2é"], "visible ASCII"),
        (vec!["--bearer", "hunter2"], "ROLE=TOKEN"),
        (vec!["--bearer", "chef=hunter2"], "customer, restaurant, rider"),
        (vec!["--bearer", "rider=hunter2 hunter2"], "visible ASCII"),
        (vec!["--bearer", "rider=hunter2", "--jwt-secret-env", "QB_SECRET"], "cannot be used with"),
    ] {
        let output = tool(&[&here[..], &arguments].concat()).env("QB_SECRET", SECRET).output().unwrap();
        assert_exit(&output, 2);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    let described = include_str!("../scenarios/apis/documents.toml");
    fs::write(file.path(), format!("{described}\n[actors.editor]\nbearer = \"{{env:QB_TOKEN}}\"\n")).unwrap();
    let output = tool(&here).arg("--api").arg(file.path()).env("QB_TOKEN", "hunter2\r").output().unwrap();
    assert_exit(&output, 2);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("QB_TOKEN holds a line break") && !said.contains("hunter2"), "{said}");
    let short = tool(&["serve", "--jwt-secret-env", "QB_SECRET"]).env("QB_SECRET", "hunter2").output().unwrap();
    assert_exit(&short, 2);
    let said = String::from_utf8_lossy(&short.stderr).into_owned();
    assert!(said.contains("32 bytes") && !said.contains("hunter2"), "{said}");
    for arguments in [&["serve", "--auth", "jwt"][..], &["serve", "--auth", "off", "--jwt-secret-env", "QB_SECRET"]] {
        assert_exit(&tool(arguments).output().unwrap(), 2);
    }
}
