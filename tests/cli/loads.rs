//! `load`: what it prints, serves and saves, and what other commands make of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Tool, assert_exit, stderr, stdout};

/// A load that finds something, however busy the machine is; its folder.
fn violated(tool: &Tool, more: &[&str]) -> (std::process::Output, PathBuf) {
    let defect =
        ["load", "--requests", "600", "--clients", "8", "--hot", "40%", "--seed", "7", "--defect", "check-then-save"];
    let window = ["--defect-window", "3ms", "--out", "saved"];
    let output = tool.run(&[&defect[..], &window, more].concat());
    let folder = std::fs::read_dir(tool.path().join("saved")).unwrap().next().unwrap().unwrap().path();
    (output, folder)
}

fn verdict(json: &str) -> String {
    serde_json::from_str::<Value>(json).unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn a_load_is_reported_listed_rendered_and_judged_again() {
    let tool = Tool::new();
    let formats = ["--report", "html,md,junit,sarif,json,table,github", "--threshold", "error_rate<0.9"];
    let (output, folder) = violated(&tool, &formats);
    assert_exit(&output, 1);
    let told = stdout(&output);
    for part in [
        "✗ violated",
        "correct operations/s",
        "✓ threshold kept error_rate<0.9",
        "Again: quickeats-bench load",
        "Reports: ",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for name in ["report.html", "report.md", "junit.xml", "report.sarif", "load.json", "report.txt", "annotations.txt"]
    {
        assert!(folder.join(name).is_file(), "{name}");
    }
    assert!(!folder.join("run.json").exists());
    let path = folder.display().to_string();
    for format in ["table", "html", "md", "junit", "sarif", "json", "github"] {
        let again = tool.run(&["report", &path, "--format", format]);
        assert_exit(&again, 0);
        let name = match format {
            "table" => "report.txt",
            "html" => "report.html",
            "md" => "report.md",
            "junit" => "junit.xml",
            "sarif" => "report.sarif",
            "json" => "load.json",
            _ => "annotations.txt",
        };
        assert_eq!(stdout(&again), std::fs::read_to_string(folder.join(name)).unwrap(), "{format}");
    }
    let listed = tool.run(&["history", "saved"]);
    assert_exit(&listed, 0);
    for part in ["load", "✗ violated", "goodput", "p95"] {
        assert!(stdout(&listed).contains(part), "{part}: {}", stdout(&listed));
    }
    let history = folder.join("history.jsonl").display().to_string();
    let checked = tool.run(&["check", &history, "--output", "json"]);
    assert_exit(&checked, 1);
    assert_eq!(verdict(&stdout(&checked)), "violated");
    let verified = tool.run(&["verify", &path]);
    assert_exit(&verified, 2);
    assert!(stderr(&verified).contains("is a load") && stderr(&verified).contains("check"), "{}", stderr(&verified));
    let compared = tool.run(&["compare", &path, &path]);
    assert_exit(&compared, 2);
    assert!(stderr(&compared).contains("is a load"), "{}", stderr(&compared));
}

#[test]
fn a_clean_load_whose_history_is_all_saved_is_clean_again() {
    let tool = Tool::new();
    let load =
        ["load", "--requests", "400", "--clients", "6", "--hot", "40%", "--seed", "7", "--save-all", "--out", "saved"];
    let output = tool.run(&[&load[..], &["--format", "json"]].concat());
    let told = verdict(&stdout(&output));
    let folder = std::fs::read_dir(tool.path().join("saved")).unwrap().next().unwrap().unwrap().path();
    let history = folder.join("history.jsonl").display().to_string();
    let checked = tool.run(&["check", &history, "--output", "json"]);
    assert_eq!((told.as_str(), verdict(&stdout(&checked)).as_str()), ("holds", "holds"));
}

/// A page of the metrics, its head included.
fn scrape(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn metrics_are_served_while_a_load_is_under_way() {
    let tool = Tool::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"))
        .args([
            "load",
            "--duration",
            "60s",
            "--clients",
            "4",
            "--metrics-addr",
            "0",
            "--threshold",
            "p95<9s",
            "--out",
            "saved",
        ])
        .current_dir(tool.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let told =
        lines.find_map(|line| line.unwrap().split_once("metrics at http://").map(|(_, rest)| rest.to_owned())).unwrap();
    let address = told.strip_suffix("/metrics").unwrap();
    // The load says something once a second; what it has sent by then is on the page.
    let mut page = scrape(address, "/metrics");
    while page.contains("quickeats_load_answered_total 0\n") {
        assert!(child.try_wait().unwrap().is_none(), "the load ended");
        page = scrape(address, "/metrics");
    }
    let elsewhere = scrape(address, "/");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("application/openmetrics-text"), "{page}");
    for part in [
        "quickeats_load_answers_total{status=\"20",
        "quickeats_load_from_intended_seconds_bucket{le=\"+Inf\"}",
        "quickeats_load_from_actual_seconds_count",
        "quickeats_load_judged_operations_total",
        "quickeats_load_threshold_crossed{threshold=\"p95<9s\"} 0",
        "# EOF",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(elsewhere.starts_with("HTTP/1.1 404"), "{elsewhere}");
}

#[test]
fn a_port_that_is_taken_is_a_mistake_before_the_load_begins() {
    let tool = Tool::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = tool.run(&["load", "--duration", "60s", "--metrics-addr", &address, "--out", "saved"]);
    assert_exit(&output, 2);
    assert!(stderr(&output).contains("--metrics-addr") && stderr(&output).contains(&address), "{}", stderr(&output));
    assert!(!tool.path().join("saved").exists());
    let wrong = tool.run(&["load", "--metrics-addr", "somewhere"]);
    assert_exit(&wrong, 2);
}
