//! Nothing is skipped in silence: what was to be sent, what was, and what came of it.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use quickeats_bench::load_result::LoadResult;

use super::serving::Service;
use super::{Tool, assert_adds_up, assert_exit, stderr};

#[test]
fn a_budget_is_spent_to_the_last_request_and_a_seed_repeats_the_choices() {
    let tool = Tool::new();
    let load =
        || tool.load(&["--seed", "7", "--clients", "1", "--hot", "0%", "--requests", "300", "--duration", "40s"], 0);
    let (first, second) = (load(), load());
    assert_adds_up(&first);
    assert_eq!((first.slots.sent, first.slots.answered), (300, 300));
    let sent = |result: &LoadResult| result.requests.iter().map(|one| (one.name.clone(), one.sent)).collect::<Vec<_>>();
    assert_eq!(sent(&first), sent(&second));
    // Nothing overlaps but what one client sends twice at once.
    assert!(first.judged.unwrap().scenario.rounds_overlapped < 20);
}

#[test]
fn an_open_load_offers_its_rate_and_each_slot_is_accounted_for() {
    let service = Service::start(&[], &[]);
    let url = format!("{}/healthz", service.url);
    let tool = Tool::new();
    let result =
        tool.load(&["--read-only", &url, "--stage", "1s:100/s", "--stage", "1s:100..300/s", "--warm-up", "500ms"], 0);
    assert_adds_up(&result);
    assert_eq!(result.slots.offered + result.warm_up.offered, 300);
    assert_eq!(result.warm_up.offered, 50);
    assert_eq!((result.verdict, result.judged), (None, None));
    let by_chance =
        tool.load(&["--read-only", &url, "--rate", "200/s", "--poisson", "--duration", "2s", "--seed", "7"], 0);
    assert_adds_up(&by_chance);
    let again = tool.load(&["--read-only", &url, "--rate", "200/s", "--poisson", "--duration", "2s", "--seed", "7"], 0);
    assert_eq!(by_chance.slots.offered, again.slots.offered);
    assert!((300..500).contains(&by_chance.slots.offered), "{}", by_chance.slots.offered);
}

#[test]
fn what_cannot_begin_in_time_is_dropped_and_what_is_not_answered_is_unknown() {
    // It accepts connections, and never answers.
    let stuck = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", stuck.local_addr().unwrap());
    let tool = Tool::new();
    let arguments =
        ["--read-only", &url, "--rate", "100/s", "--duration", "2s", "--clients", "5", "--timeout", "500ms"];
    // A target that answers nothing is none.
    let result = tool.load(&arguments, 4);
    assert_adds_up(&result);
    assert_eq!(result.slots.offered, 200);
    assert!(result.slots.dropped > 100 && result.slots.unknown == result.slots.sent, "{:?}", result.slots);
    assert_eq!(result.all.timed_out, result.slots.unknown);
    assert!(result.all.from_actual.percentile(50.0).unwrap() >= 500_000.0, "as long as it was waited for");
}

#[test]
fn what_is_under_way_when_a_load_is_stopped_is_counted() {
    let stuck = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", stuck.local_addr().unwrap());
    let tool = Tool::new();
    let arguments = ["load", &url, "--duration", "60s", "--clients", "5", "--timeout", "50s", "--format", "json"];
    let mut command = tool.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_exit(&output, 130);
    let result: LoadResult = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&result);
    assert_eq!((result.slots.sent, result.slots.unknown, result.all.timed_out), (5, 5, 5), "{:?}", result.slots);
    assert_eq!(result.done_by_client, [0; 5]);
}

#[test]
fn a_target_that_dies_in_a_short_load_is_gone() {
    let service = Service::start(&[], &[]);
    let tool = Tool::new();
    let (url, process) = (service.url.clone(), service.id().to_string());
    let arguments = ["load", "--target", &url, "--rate", "100/s", "--duration", "6s", "--clients", "8", "--seed", "7"];
    let mut command = tool.command(&[&arguments[..], &["--format", "json", "--quiet"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").args(["-KILL", &process]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_exit(&output, 4);
    let result: LoadResult = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&result);
    assert!(
        result.stopped.as_ref().unwrap().contains("the target answered nothing for the last"),
        "{:?}",
        result.stopped
    );
    // Orders that could not be made are none that hold.
    let made = result.requests.iter().find(|one| one.name == "create").unwrap().answered;
    assert!(result.judged.unwrap().scenario.rounds <= made + 8 + 8, "{made}");
}

#[test]
fn who_thinks_longer_than_the_load_lasts_does_not_hold_it_up() {
    let service = Service::start(&[], &[]);
    let tool = Tool::new();
    let began = std::time::Instant::now();
    let arguments = ["--target", &service.url, "--think", "60s", "--duration", "1s", "--clients", "2", "--seed", "7"];
    let result = tool.load(&arguments, 3);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(result.slots.sent, 0);
}

#[test]
fn of_a_url_every_answer_counts_and_what_is_not_there_is_an_error() {
    let service = Service::start(&[], &[]);
    let tool = Tool::new();
    let load = |path: &str, code: i32| {
        let url = format!("{}{path}", service.url);
        tool.load(&[&url, "--requests", "50", "--clients", "2", "--threshold", "error_rate<1%"], code)
    };
    let missing = load("/nothing-here", 5);
    assert_adds_up(&missing);
    assert_eq!((missing.slots.answered, missing.all.errors, missing.all.error_rate), (50, 50, Some(1.0)));
    let there = load("/healthz", 0);
    assert_eq!((there.slots.answered, there.all.errors), (50, 0));
}

#[test]
fn a_load_that_keeps_its_limits_is_not_ended_by_them() {
    let service = Service::start(&[], &[]);
    let tool = Tool::new();
    let arguments = [
        "--target",
        &service.url,
        "--rate",
        "100/s",
        "--duration",
        "4s",
        "--warm-up",
        "900ms",
        "--clients",
        "16",
        "--seed",
        "7",
        "--abort-on-fail",
        "--threshold",
        "throughput>90/s",
        // Most journeys are under way when the first second is over, and nothing of them is judged.
        "--threshold",
        "goodput>60/s",
    ];
    let result = tool.load(&arguments, 0);
    assert_adds_up(&result);
    assert_eq!(result.stopped, None);
    assert!(result.measured_ms > 3_000, "{}", result.measured_ms);
}

#[test]
fn a_target_that_is_not_there_or_goes_away_is_told() {
    let tool = Tool::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let output = tool.run(&["load", "--target", &url, "--duration", "1s"]);
    assert_exit(&output, 4);
    assert!(stderr(&output).contains("is the server running"), "{}", stderr(&output));
    let service = Service::start(&[], &[]);
    let arguments =
        ["load", "--target", &service.url, "--duration", "60s", "--clients", "4", "--seed", "7", "--format", "json"];
    let mut command = tool.command(&arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let under_way = said.by_ref().map(Result::unwrap).find(|line| line.contains("/s answered"));
    assert!(under_way.is_some(), "it told nothing");
    drop(service);
    // Both are read at once: a pipe that nobody reads would hold it up.
    let rest = std::thread::spawn(move || said.map(Result::unwrap).collect::<Vec<String>>());
    let output = child.wait_with_output().unwrap();
    let rest = rest.join().unwrap();
    assert_eq!(output.status.code(), Some(4), "{rest:?}");
    let result: LoadResult = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&result);
    assert!(result.stopped.as_ref().unwrap().contains("answered nothing"), "{:?}", result.stopped);
    assert!(result.slots.answered > 0 && result.slots.failed > 0, "{:?}", result.slots);
    assert!(result.judged.unwrap().operations > 0);
}
