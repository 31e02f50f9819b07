//! How fast the client for load is: requests per second that one core sends and takes the answers of, beside other clients.
//!
//! ```text
//! core 0   server ─────────────────────────────────────────────────────  a bare axum handler, 64 connections
//! core 1   ask ▏send ▏hyper ▏reqwest ▏wrk ▏h2load ▏ ask ▏send ▏hyper …   one after the other, round by round: whatever else
//!                                                                        the machine does in a round hits all of them
//! ```
//!
//! Each is a process of its own, held to its core by `taskset`, and sends the same header lines. A ratio is the median over the
//! rounds of a client's rate by that of wrk in the same round. The server may be what is slow, though: then the rates are
//! the server's, and a quick client has it woken more often. So the time of the client's core is told too, by the kernel's
//! own count, what of it was spent outside the kernel, and how busy both cores were.
//!
//!     cargo bench --bench load               # 7 rounds of 2 s each
//!     cargo bench --bench load -- 3 ask wrk  # 3 rounds, of these only

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod client;
mod contender;
mod server;

use contender::{Contender, Slice};

/// The one that the program itself has, for all of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
/// How long a slice lasts (seconds).
const SLICE: u64 = 2;
const CONNECTIONS: usize = 64;
/// What all others are compared with.
const YARDSTICK: &str = "wrk";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words {
        // What the processes that this one starts are told.
        ["serve"] => server::serve(),
        ["drive", client, url] => client::drive(client, url),
        _ => compare(&words),
    }
}

fn compare(words: &[&str]) {
    let rounds = words.iter().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS);
    let asked: Vec<_> = words.iter().filter(|word| word.parse::<usize>().is_err()).collect();
    let mut contenders = Contender::all();
    contenders.retain(|contender| asked.is_empty() || asked.iter().any(|name| **name == contender.name()));
    let server = server::start();
    println!("{rounds} rounds of {SLICE} s each, {CONNECTIONS} connections, server on core 0, client on core 1\n");
    let mut slices: Vec<Vec<Slice>> = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, slices) in contenders.iter().zip(&mut slices) {
            let slice = contender.run(&server);
            // The first round warms the server and the files of all programs.
            if round > 0 {
                slices.push(slice);
            }
        }
    }
    show(&contenders, &slices);
}

fn show(contenders: &[Contender], slices: &[Vec<Slice>]) {
    let yardstick = contenders.iter().position(|contender| contender.name() == YARDSTICK).map(|at| &slices[at]);
    println!(
        "{:<8} {:>11} {:>8} {:>12} {:>8} {:>15} {:>12} {:>12}",
        "client", "requests/s", "of wrk", "core µs each", "of wrk", "outside kernel", "client busy", "server busy"
    );
    for (contender, slices) in contenders.iter().zip(slices) {
        let all = |number: fn(&Slice) -> f64| median(slices.iter().map(number).collect());
        let beside = |number: fn(&Slice) -> f64| {
            let pairs = |its: &Vec<Slice>| slices.iter().zip(its).map(|(own, its)| number(own) / number(its)).collect();
            yardstick.map_or_else(|| "-".to_owned(), |its| format!("{:.3}", median(pairs(its))))
        };
        println!(
            "{:<8} {:>11.0} {:>8} {:>12.2} {:>8} {:>15.2} {:>10.0} % {:>10.0} %",
            contender.name(),
            all(Slice::rate),
            beside(Slice::rate),
            all(Slice::micros),
            beside(Slice::micros),
            all(Slice::own_micros),
            all(|slice| 100.0 * slice.client_busy),
            all(|slice| 100.0 * slice.server_busy),
        );
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
