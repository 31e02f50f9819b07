//! A target that is frozen for half of the load: what its users would have waited is told, not what a polite client saw.

use std::process::Command;
use std::time::{Duration, Instant};

use super::serving::Service;
use super::{Tool, assert_adds_up};

#[test]
fn a_frozen_target_shows_in_the_times_from_when_requests_were_meant_to_begin() {
    let service = Service::start(&[], &[]);
    let (url, process) = (format!("{}/healthz", service.url), service.id().to_string());
    let tool = Tool::new();
    let arguments =
        ["--rate", "50/s", "--duration", "10s", "--clients", "8", "--timeout", "20s", "--format", "json", "--quiet"];
    let mut command = tool.command(&[&["load", "--read-only", &url], &arguments[..]].concat());
    let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    std::thread::sleep(Duration::from_secs(2));
    let frozen = Instant::now();
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(5));
    signal("-CONT");
    let frozen = frozen.elapsed();
    let output = child.wait_with_output().unwrap();
    let result: quickeats_bench::load_result::LoadResult = serde_json::from_slice(&output.stdout).unwrap();
    assert_adds_up(&result);
    assert_eq!((result.slots.offered, result.slots.answered), (500, 500), "{:?}", result.slots);
    // Of 10 s, so much was frozen. Whoever was to begin in it waited for its end: the waits are spread evenly from 0 to all of it.
    let share = frozen.as_secs_f64() / 10.0;
    for percent in [75.0, 90.0, 95.0] {
        let truth = (frozen.as_secs_f64() - (1.0 - percent / 100.0) * 10.0) * 1e6;
        let found = result.all.from_intended.percentile(percent).unwrap();
        assert!((found / truth - 1.0).abs() < 0.05, "p{percent}: {found} for {truth} (frozen for {share:.3} of it)");
    }
    // From when they began, only those that were under way waited: 8 of 500.
    assert!(result.all.from_actual.percentile(95.0).unwrap() < 1e6, "{:?}", result.all.from_actual.percentiles);
    assert!(result.all.from_actual.max_us > 4.5e6);
}
