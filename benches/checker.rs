//! How fast the general checker is, and how much memory it takes: on recorded histories with known verdicts, and on made
//! ones of a million operations. `cargo bench --bench checker`; `LINEARIZABILITY_DATA` names the recorded histories.

#![expect(clippy::print_stdout, reason = "the figures are the answer")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fastrand::Rng;
use quickeats_bench::api::{Api, StateIx};
use quickeats_bench::check::linear::{Answer, Budget, Entry, decide};
use quickeats_bench::check::{RecordedModel, Verdict, judge_recorded};
use quickeats_bench::history::foreign::{Exchange, edn, jepsen_log};
use quickeats_bench::spec::Versioned;
use quickeats_bench::spec::lifecycle::{Lifecycle, Op, Seen, State, Token, TokenIx};
use quickeats_bench::spec::register::{self, Register};

/// Operations of the made histories.
const OPERATIONS: u64 = 1_000_000;
/// Runs of each recorded history, of which the median counts.
const RUNS: usize = 51;

fn main() {
    match std::env::var_os("LINEARIZABILITY_DATA") {
        Some(folder) => recorded(Path::new(&folder)),
        None => println!("left out: recorded histories (LINEARIZABILITY_DATA is not set)\n"),
    }
    println!("{:<46} {:>10} {:>10} {:>12}", "1,000,000 operations of one resource", "time", "states", "peak memory");
    let start = register::State { value: None, version: Some(0) };
    made("register with versions", &Register::VERSIONED, &start, || register_history(true, 0));
    made("register with versions, 1 % without answer", &Register::VERSIONED, &start, || register_history(true, 100));
    let api = Api::parse("pausable.toml", include_str!("../tests/histories/apis/pausable.toml")).unwrap();
    let spec = Lifecycle { model: &api.model, relaxed: None };
    let fresh = State { at: api.model.initial, version: Some(0), token: Token::Is(TokenIx(0)), keys: Vec::new() };
    made("job paused and resumed, versions and tokens", &spec, &fresh, job_history);
    let start = register::State::default();
    made("register, no versions", &Register::PLAIN, &start, || register_history(false, 0));
}

/// The recorded histories: read, judged on one thread, shrunk if refuted.
fn recorded(folder: &Path) {
    let verdicts = fs::read_to_string(folder.join("verdicts.csv")).unwrap();
    let mut etcd: Vec<(Duration, String)> = Vec::new();
    println!("{:<16} {:>8} {:>12} {:>12} {:>8} {:>10}", "recorded", "ops", "verdict", "judged in", "states", "read in");
    for line in verdicts.lines().skip(1) {
        let name = line.split(',').next().unwrap();
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let is_log = name.starts_with("etcd");
        let model = if is_log { RecordedModel::Register } else { RecordedModel::KeyValue };
        let (read_in, exchanges) = median(|| if is_log { jepsen_log::read(&text) } else { edn::read(&text) }.exchanges);
        let (judged_in, (verdict, states)) = median(|| judged(&exchanges, model));
        println!(
            "{name:<16} {:>8} {verdict:>12} {:>12} {states:>8} {:>10}",
            exchanges.len(),
            format!("{:.1} µs", micros(judged_in)),
            format!("{:.0} µs", micros(read_in)),
        );
        if is_log {
            etcd.push((judged_in, name.to_owned()));
        }
    }
    let sum: Duration = etcd.iter().map(|(time, _)| *time).sum();
    let worst = etcd.iter().max().unwrap();
    let count = etcd.len();
    println!(
        "sum of the {count} etcd logs: {:.2} ms; worst: {:.1} µs ({})\n",
        micros(sum) / 1e3,
        micros(worst.0),
        worst.1
    );
}

/// The verdict, and the witness if there is one.
fn judged(exchanges: &[Exchange], model: RecordedModel) -> (Verdict, u64) {
    let judgment = judge_recorded(exchanges, model, &Budget::steps(u64::MAX), 1).unwrap();
    (judgment.verdict(), judgment.parts.iter().map(|part| part.effort.states).sum())
}

fn median<T>(work: impl Fn() -> T) -> (Duration, T) {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[RUNS / 2], work())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Judges a made history, by versions first. It must be legal.
fn made<S: Versioned>(name: &str, spec: &S, start: &S::State, history: impl Fn() -> Vec<Entry<S::Op>>) {
    let history = history();
    forget_peak();
    let began = Instant::now();
    let found = decide(spec, start, &history, &Budget::steps(u64::MAX));
    let spent = began.elapsed();
    assert!(matches!(found.answer, Answer::Legal(_)), "{name}: {:?}", found.effort);
    let time = format!("{:.2} s", spent.as_secs_f64());
    println!("{name:<46} {time:>10} {:>10} {:>12}", found.effort.states, peak());
}

/// The windows of 16 clients, each waiting for its answers; in between stands the moment at which each takes effect.
fn windows(dice: &mut Rng) -> impl Iterator<Item = (u64, u64)> {
    let mut free_from = [0; 16];
    (1..=OPERATIONS).map(move |number| {
        let moment = number * 100;
        let client = (0..free_from.len()).min_by_key(|client| free_from[*client]).unwrap();
        let opened = (moment - dice.u64(0..600).min(moment)).max(free_from[client]);
        let closed = moment + dice.u64(0..600);
        free_from[client] = closed + 1;
        (opened, closed)
    })
}

fn register_history(has_versions: bool, one_lost_in: u64) -> Vec<Entry<register::Op>> {
    let mut dice = Rng::with_seed(7);
    let (mut value, mut version) = (None, 0);
    let windows: Vec<(u64, u64)> = windows(&mut dice.fork()).collect();
    let operation = |(opened, closed)| {
        let fresh = dice.i64(0..1_000);
        let op = match (dice.u8(0..4), value) {
            (0..2, _) => register::Op::read(value),
            (2, Some(from)) => register::Op::cas(from, fresh),
            _ => register::Op::write(fresh),
        };
        let (register::Call::Write(to) | register::Call::Cas(_, to)) = op.call else {
            return Entry::closed(if has_versions { op.at(version) } else { op }, opened, closed);
        };
        (value, version) = (Some(to), version + 1);
        if one_lost_in > 0 && dice.u64(0..one_lost_in) == 0 {
            return Entry::unknown(op, opened);
        }
        Entry::closed(if has_versions { op.at(version) } else { op }, opened, closed)
    };
    windows.into_iter().map(operation).collect()
}

/// A job that is paused and resumed on the current token, read in between, and refused on stale tokens.
fn job_history() -> Vec<Entry<Op>> {
    let mut dice = Rng::with_seed(7);
    let (mut at, mut version) = (0_u16, 0_u32);
    let windows: Vec<(u64, u64)> = windows(&mut dice.fork()).collect();
    let operation = |(opened, closed)| {
        let action = usize::from(at);
        let op = match dice.u8(0..4) {
            0 => Op::Stale { token: Some(TokenIx(version + 1)), action: Some(action) },
            1 => {
                let precondition = Some(TokenIx(version));
                (at, version) = (1 - at, version + 1);
                Op::Apply { action, precondition, key: None, seen: seen(at, version) }
            }
            _ => Op::Read(seen(at, version)),
        };
        Entry::closed(op, opened, closed)
    };
    windows.into_iter().map(operation).collect()
}

fn seen(at: u16, version: u32) -> Seen {
    Seen { state: Some(StateIx(at)), version: Some(u64::from(version)), token: Some(TokenIx(version)) }
}

/// Lets the kernel begin a new peak (Linux).
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The largest this process has been since: the history and all that judging it took.
fn peak() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.map_or_else(|| "unknown".to_owned(), |size| format!("{} MiB", size / 1_024))
}
