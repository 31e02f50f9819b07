//! Races at services of other processes: replicas, restarts, and what is left out where a target cannot be known to have it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

#[path = "serving/mod.rs"]
mod serving;

use serving::Service;

const SECRET: &str = "a secret that is as long as one must be";

fn tool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    command.env("SECRET", SECRET);
    command
}

fn serve(options: &[&str]) -> Service {
    Service::start(options, &[("SECRET", SECRET)])
}

fn race(folder: &Path, arguments: &[&str]) -> Output {
    tool().arg("race").args(arguments).args(["--rounds", "5", "--seed", "7", "--out"]).arg(folder).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_a_target_cannot_be_known_to_have_is_left_out_and_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(&[]);
    let output = race(folder.path(), &["--target", &service.url]);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for left_out in ["wrong-role", "others-order", "away-and-back", "crash"] {
        assert!(told.contains(&format!("{left_out} is left out:")), "{left_out}: {told}");
        assert!(!told.contains(&format!("{left_out}: holds")), "{left_out}: {told}");
    }
    assert!(told.contains("✓ holds: 17 of 17 scenarios"), "{told}");
    for (named, way_out) in [("wrong-role", "--jwt-secret-env"), ("crash", "--restart COMMAND")] {
        let output = race(folder.path(), &["--target", &service.url, named]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(way_out), "{}", said(&output));
    }
    // It does speak version 1, so naming the scenario races it.
    let output = race(folder.path(), &["--target", &service.url, "away-and-back"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_promise_kept_in_one_processs_memory_is_broken_at_the_next_replica() {
    let folder = tempfile::tempdir().unwrap();
    let race_at = |file: &str, mistake: &[&str], aim: &[&str]| {
        let store = format!("sqlite:{}", folder.path().join(file).display());
        let mut arguments = vec!["--store", &*store, "--jwt-secret-env", "SECRET"];
        arguments.extend(mistake);
        let (one, other) = (serve(&arguments), serve(&arguments));
        let mut wanted = vec!["--target", &*one.url, "--jwt-secret-env", "SECRET"];
        if aim.is_empty() {
            wanted.extend(["--replica", &*other.url]);
        }
        wanted.extend(["double-create", "late-retry", "others-order", "wrong-role"]);
        let output = race(folder.path(), &wanted);
        (output.status.code(), said(&output))
    };
    let (code, told) = race_at("sound.db", &[], &[]);
    assert_eq!(code, Some(0), "{told}");
    let mistake = ["--defect", "idempotency-memory-per-replica"];
    let (code, told) = race_at("careless.db", &mistake, &[]);
    assert!(code == Some(1) && told.contains("key-forgotten in double-create: 5 of 5 rounds"), "{told}");
    // At one address the mistake cannot be seen, and it is said what was missing.
    let (code, told) = race_at("alone.db", &mistake, &["alone"]);
    assert!(code == Some(0) && told.contains("name another with --replica"), "{told}");
}

#[test]
fn a_target_is_restarted_by_a_command_and_what_it_acknowledged_is_still_there() {
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    // Starts it again whenever it ends, as a supervisor does, until it is told to stop.
    let script = folder.path().join("supervise.sh");
    let mut file = std::fs::File::create(&script).unwrap();
    writeln!(
        file,
        "cd {folder}\n\
         while [ ! -f stop ]; do\n\
           {tool} serve --addr 127.0.0.1:{port} --store sqlite:orders.db >/dev/null 2>&1 </dev/null &\n\
           echo $! > pid.new && mv pid.new pid\n\
           wait $!\n\
         done",
        folder = folder.path().display(),
        tool = env!("CARGO_BIN_EXE_quickeats-bench"),
    )
    .unwrap();
    let mut supervisor = Command::new("sh").arg(&script).stderr(Stdio::null()).spawn().unwrap();
    let restart = format!("kill -9 $(cat {}/pid)", folder.path().display());
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    let url = format!("http://127.0.0.1:{port}");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    let output = race(folder.path(), &["--target", &url, "--restart", &restart, "crash"]);
    let broken = race(folder.path(), &["--target", &url, "--restart", "exit 7", "crash"]);
    std::fs::write(folder.path().join("stop"), "").unwrap();
    assert!(Command::new("sh").args(["-c", &restart]).status().unwrap().success());
    supervisor.wait().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(broken.status.code(), Some(3), "{}", said(&broken));
    assert!(said(&broken).contains("was not restarted: `exit 7` failed: exit status: 7"), "{}", said(&broken));
}

#[test]
fn a_replica_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let service = serve(&[]);
    let output = race(folder.path(), &["--target", &service.url, "--replica", "http://127.0.0.1:1", "late-retry"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("http://127.0.0.1:1 cannot be raced"), "{}", said(&output));
    let output = race(folder.path(), &["--target", &service.url, "--replica", "http://example.com", "late-retry"]);
    assert!(
        output.status.code() == Some(2) && said(&output).contains("--replica http://example.com"),
        "{}",
        said(&output)
    );
}
