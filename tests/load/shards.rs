//! A load that several processes make together: their figures add up, and what went wrong between them is found.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use quickeats_bench::check::Verdict;
use quickeats_bench::load_result::LoadResult;
use quickeats_bench::measure::Spans;
use serde_json::Value;

use crate::registers::{Registers, Stores};
use crate::serving::Service;

/// Processes of a load, in a folder of their own.
struct Shards {
    folder: tempfile::TempDir,
    outputs: Vec<Output>,
}

/// What all processes are told: a beginning far enough ahead that all are there by then.
fn start_at() -> String {
    (jiff::Timestamp::now() + Duration::from_secs(4)).to_string()
}

fn tool(folder: &Path, arguments: &[&str]) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_quickeats-bench"));
    tool.args(arguments).current_dir(folder).env_remove("RUST_BACKTRACE").env_remove("GITHUB_ACTIONS");
    tool
}

impl Shards {
    /// As many as there are addresses, each aimed at its own; all are told `words`.
    fn load(targets: &[&str], words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (moment, of) = (start_at(), targets.len());
        let start = |(index, target): (usize, &&str)| -> Child {
            let (shard, out) = (format!("{}/{of}", index + 1), (index + 1).to_string());
            let own = ["load", "--target", target, "--shard", &shard, "--out", &out, "--start-at", &moment];
            let all = ["--seed", "7", "--clients", "4", "--threads", "1", "--quiet", "--format", "json"];
            let mut tool = tool(folder.path(), &[&own[..], &all[..], words].concat());
            tool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<Child> = targets.iter().enumerate().map(start).collect();
        let outputs = running.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        Self { folder, outputs }
    }

    /// The folder that a process made, from 1.
    fn saved(&self, index: usize) -> PathBuf {
        let mut folders = fs::read_dir(self.folder.path().join(index.to_string())).unwrap();
        folders.next().unwrap().unwrap().path()
    }

    fn result(&self, index: usize) -> LoadResult {
        let output = &self.outputs[index - 1];
        let parsed = serde_json::from_slice(&output.stdout);
        parsed.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    fn results(&self) -> Vec<LoadResult> {
        (1..=self.outputs.len()).map(|index| self.result(index)).collect()
    }

    fn merge(&self, words: &[&str]) -> Output {
        let folders: Vec<String> =
            (1..=self.outputs.len()).map(|index| self.saved(index).display().to_string()).collect();
        let named: Vec<&str> = folders.iter().map(String::as_str).collect();
        tool(self.folder.path(), &[&["merge", "--format", "json"], words, &named].concat()).output().unwrap()
    }
}

fn merged(output: &Output) -> LoadResult {
    let parsed = serde_json::from_slice(&output.stdout);
    parsed.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[track_caller]
fn assert_refused(output: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
    assert!(!said.contains("panicked") && output.stdout.is_empty(), "{said}");
}

/// All times of all shards, as one histogram.
fn all_times(results: &[LoadResult]) -> Spans {
    let mut sum = Spans::default();
    for result in results {
        sum.add(&Spans::decoded(&result.all.from_intended.histogram).unwrap());
    }
    sum
}

#[test]
fn four_processes_merged_are_one_load() {
    let service = Service::start(&[], &[]);
    let shards = Shards::load(
        &[service.url.as_str(); 4],
        &["--requests", "402", "--hot", "50%", "--threshold", "error_rate<1%"],
    );
    let results = shards.results();
    let sent: Vec<u64> = results.iter().map(|result| result.slots.sent).collect();
    assert_eq!(sent, [101, 101, 100, 100]);
    let output = shards.merge(&["--threshold", "rate_412<=100%"]);
    let merged = merged(&output);
    assert_eq!(output.status.code(), Some(i32::from(merged.exit_code)));
    assert_eq!((merged.slots.offered, merged.slots.sent, merged.slots.dropped), (402, 402, 0));
    assert!(merged.slots.add_up());
    assert_eq!(merged.plan.requests, Some(402));
    // Bin by bin: the percentiles of all requests.
    let times = all_times(&results);
    assert_eq!(times.count(), merged.all.from_intended.count);
    assert_eq!(Spans::decoded(&merged.all.from_intended.histogram).unwrap(), times);
    for percentile in &merged.all.from_intended.percentiles {
        let expected = times.at(percentile.percent / 100.0).as_secs_f64() * 1e6;
        assert!((percentile.us - expected).abs() < 1e-6, "{percentile:?}");
    }
    let statuses: u64 = results.iter().flat_map(|result| result.status_counts.values()).sum();
    assert_eq!(merged.status_counts.values().sum::<u64>(), statuses);
    assert_eq!(merged.seconds.iter().map(|second| second.offered).sum::<u64>(), 402);
    assert_eq!(merged.done_by_client.len(), 16);
    let limits: Vec<&str> = merged.thresholds.iter().map(|limit| limit.threshold.as_str()).collect();
    assert_eq!(limits, ["error_rate<1%", "rate_412<=100%"]);
    // Judged again, all of it: each process had resources of its own alone.
    let judged = |result: &LoadResult| result.judged.as_ref().unwrap().operations;
    assert_eq!(judged(&merged), results.iter().map(judged).sum::<u64>());
    let scenario = &merged.judged.as_ref().unwrap().scenario;
    assert_eq!(merged.verdict, Some(Verdict::Holds), "{:?} {:?}", scenario.doubts, scenario.findings);
    let info = merged.merged.unwrap();
    assert_eq!((info.of, info.shards.len(), info.joint_rounds), (4, 4, 0));
    assert_eq!(info.one_machine, cfg!(target_os = "linux"));
    assert!(fs::read_dir(shards.folder.path().join("reports")).unwrap().count() == 1);
}

#[test]
fn a_rate_is_dealt_out_and_all_of_it_offered() {
    let service = Service::start(&[], &[]);
    // Nobody clicks twice: a second click is a request beyond those that the rate asks for.
    let traffic = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-double-clicks.toml");
    let text = "schema = \"quickeats-bench/traffic@1\"\nname = \"calm\"\napis = [\"quickeats-v2\"]\nsummary = \"\"\n\
                [[journeys]]\nname = \"paid\"\nweight = 1\nsteps = [\"payment\", \"read\"]\n";
    fs::write(&traffic, text).unwrap();
    let calm = ["--traffic", traffic.to_str().unwrap(), "--timeout", "20s"];
    let stages = ["--stage", "1s:20..60", "--stage", "1s:61"];
    let shards = Shards::load(&[service.url.as_str(); 2], &[&stages[..], &calm].concat());
    let offered: Vec<u64> = shards.results().iter().map(|result| result.slots.offered).collect();
    // 40 under the ramp, and 61.
    assert_eq!(offered, [51, 50]);
    assert_eq!(merged(&shards.merge(&[])).slots.offered, 101);
}

/// Two shards, each at an address of its own. What they came to alone, and together.
fn two_addresses(stores: Stores) -> ([Option<Verdict>; 2], LoadResult) {
    let server = Registers::start(stores);
    let [first, second] = &server.urls;
    let shards = Shards::load(&[first, second], &["--api", "documents", "--hot", "60%", "--duration", "2s"]);
    let results = shards.results();
    assert!(results.iter().all(|result| result.judged.as_ref().unwrap().left_to_merge > 0), "nothing was shared");
    (
        [results[0].verdict, results[1].verdict],
        merged(&shards.merge(if cfg!(target_os = "linux") { &[] } else { &["--clock-error", "0ms"] })),
    )
}

#[test]
fn what_goes_wrong_between_shards_is_found_by_the_merge_and_by_none_of_them() {
    let (alone, together) = two_addresses(Stores::SplitBrain);
    assert_eq!(alone, [Some(Verdict::Holds); 2]);
    assert_eq!(together.verdict, Some(Verdict::Violated));
    assert_eq!(together.exit_code, 1);
    let findings = together.judged.unwrap().scenario.findings;
    assert!(!findings.is_empty());
    assert!(together.merged.unwrap().joint_rounds > 0);
}

#[test]
fn a_sound_store_at_two_addresses_stays_clean() {
    let (alone, together) = two_addresses(Stores::One);
    assert_eq!(alone, [Some(Verdict::Holds); 2]);
    let judged = together.judged.unwrap();
    assert_eq!(judged.scenario.findings, []);
    assert_eq!(together.verdict, Some(Verdict::Holds), "{:?}", judged.scenario.doubts);
    assert!(together.merged.unwrap().joint_rounds > 0);
}

/// Orders that are there already, which the server named.
#[test]
fn what_is_there_already_is_shared_by_its_id() {
    let service = Service::start(&[], &[]);
    let id = order(&service.url);
    let words = ["--hot-id", &id, "--hot", "50%", "--requests", "120"];
    let shards = Shards::load(&[service.url.as_str(); 2], &words);
    for result in shards.results() {
        let judged = result.judged.unwrap();
        assert_eq!(judged.scenario.findings, []);
        assert!(judged.left_to_merge > 0);
    }
    let together = merged(&shards.merge(if cfg!(target_os = "linux") { &[] } else { &["--clock-error", "0ms"] }));
    assert_eq!(together.merged.as_ref().unwrap().joint_rounds, 1);
    let judged = together.judged.unwrap();
    assert_eq!(judged.scenario.findings, []);
    assert_eq!(judged.scenario.doubts, Vec::<String>::new());
    assert_eq!(together.verdict, Some(Verdict::Holds));
    // One that is not there is told before anything is sent.
    let none =
        tool(shards.folder.path(), &["load", "--target", &service.url, "--hot-id", "none", "--requests", "9", "-q"]);
    let output = { none }.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Makes an order, as a client of the service does.
fn order(url: &str) -> String {
    let api = quickeats_bench::api::builtin::api("quickeats-v2").unwrap();
    let (verb, fill) = (
        quickeats_bench::history::Verb::Create,
        quickeats_bench::api::Fill {
            role: "customer",
            person: "8c3ae7ba-41f9-4f80-9e5c-3a4dcf2f5f3c",
            unique: "one",
            key: Some("k"),
            ..Default::default()
        },
    );
    let request = api.dialect.request(&verb, fill);
    let body = request.body.as_deref().unwrap_or_default();
    let mut said = format!("POST {} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n", request.path);
    for (name, value) in &request.headers {
        write!(said, "{name}: {value}\r\n").unwrap();
    }
    write!(said, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(&[said.as_bytes(), body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let order: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    order["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn edit(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("load.json");
    let mut json: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut json);
    fs::write(path, json.to_string()).unwrap();
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let service = Service::start(&[], &[]);
    let shards = Shards::load(&[service.url.as_str(); 2], &["--requests", "300", "--hot", "50%"]);
    let (folder, [one, two]) = (shards.folder.path(), [shards.saved(1), shards.saved(2)]);
    let shown = [one.display().to_string(), two.display().to_string()];
    let merge = |words: &[&str]| tool(folder, &[&["merge"], words].concat()).output().unwrap();
    let both = [shown[0].as_str(), shown[1].as_str()];

    assert_refused(&merge(&[both[0]]), &["shard 2/2 is missing", "--partial"]);
    assert_refused(&merge(&[both[0], both[1], both[1]]), &["both shard 2/2", "leave one of them out"]);
    assert_refused(&merge(&[both[0], "nowhere"]), &["nowhere", "cannot be read", "load --shard"]);
    let race = folder.join("race");
    fs::create_dir(&race).unwrap();
    fs::write(race.join("run.json"), "{}").unwrap();
    assert_refused(&merge(&[both[0], "race"]), &["race/load.json", "that of a race"]);
    fs::write(race.join("load.json"), "{ not JSON").unwrap();
    assert_refused(&merge(&[both[0], "race"]), &["race/load.json", "not JSON"]);
    fs::write(race.join("load.json"), r#"{"schema": "quickeats-bench/load@1", "seed": 7}"#).unwrap();
    assert_refused(&merge(&[both[0], "race"]), &["no load's result", "missing field"]);

    let whole = fs::read_to_string(two.join("load.json")).unwrap();
    for (change, part) in [
        (r#""seed": 7"#, "another load"),
        (r#""timeout_ms": 5000"#, "--timeout is 5000 ms there, and 5001 ms here"),
        (r#""of": 2"#, "number of shards is 2 there, and 3 here"),
    ] {
        let (name, value) = change.split_once(": ").unwrap();
        let next: u64 = value.parse::<u64>().unwrap() + 1;
        assert!(whole.contains(change), "{change}");
        fs::write(two.join("load.json"), whole.replace(change, &format!("{name}: {next}"))).unwrap();
        let part = if part == "another load" { "--seed is 7 there, and 8 here" } else { part };
        assert_refused(&merge(&both), &["not of one load", part]);
    }
    fs::write(two.join("load.json"), &whole).unwrap();
    edit(&two, |json| json["slots"]["sent"] = 7.into());
    assert_refused(&merge(&both), &["do not add up"]);
    fs::write(two.join("load.json"), &whole).unwrap();
    edit(&two, |json| json["plan"]["shard"] = Value::Null);
    assert_refused(&merge(&both), &["a whole load, and no shard"]);
    fs::write(two.join("load.json"), &whole).unwrap();
    edit(&two, |json| json["all"]["from_intended"]["histogram"] = "HISTFAAA".into());
    assert_refused(&merge(&both), &["the times of `all`", "not an HDR histogram"]);

    // Another machine, whose clock is another.
    fs::write(two.join("load.json"), &whole).unwrap();
    edit(&two, |json| json["clock"]["machine"] = Value::Null);
    assert_refused(&merge(&both), &["several machines", "--clock-error 2ms"]);
    assert_eq!(merge(&["--clock-error", "2ms", both[0], both[1]]).status.code(), Some(0));

    let history = fs::read_to_string(two.join("history.jsonl")).unwrap();
    let without_end = history.trim_end().rsplit_once('\n').unwrap().0;
    for (text, part) in [
        (format!("{without_end}\n"), "was cut"),
        (without_end[..without_end.len() - 9].to_owned(), "expected an operation"),
        (format!("{history}{{}}\n"), "it goes on"),
        (history.replace("\"round\":\"r2\"", "\"round\":\"r1\""), "not one of shard 2/2"),
        (String::new(), "the file ends"),
    ] {
        assert_ne!(text, history);
        fs::write(two.join("history.jsonl"), text).unwrap();
        assert_refused(&merge(&["--clock-error", "2ms", both[0], both[1]]), &["history.jsonl", part]);
    }
}

#[test]
fn what_is_there_of_an_incomplete_set_is_merged_and_proves_little() {
    let server = Registers::start(Stores::SplitBrain);
    let [first, second] = &server.urls;
    let shards = Shards::load(&[first, second], &["--api", "documents", "--hot", "60%", "--requests", "400"]);
    let one = shards.saved(1).display().to_string();
    let output = tool(shards.folder.path(), &["merge", "--partial", "--format", "json", &one]).output().unwrap();
    let merged = merged(&output);
    assert_eq!(merged.verdict, Some(Verdict::Inconclusive));
    assert_eq!((merged.exit_code, merged.slots.sent), (3, 200));
    let judged = merged.judged.unwrap();
    assert_eq!(judged.scenario.findings, []);
    assert!(judged.scenario.doubts[0].contains("shard 2/2 missing"), "{:?}", judged.scenario.doubts);
    assert_eq!(merged.merged.unwrap().missing, [2]);
}
