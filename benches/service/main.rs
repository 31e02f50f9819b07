//! What the service costs: requests per second of create, read and action on every store, beside a bare axum handler.
//!
//! ```text
//! round 1   bare ▏memory ▏memory, jwt ▏SQLite ▏PostgreSQL ▏     one slice each, one after the other: whatever else the
//! round 2   bare ▏memory ▏memory, jwt ▏SQLite ▏PostgreSQL ▏     machine does in a round hits all of them
//! ```
//!
//! Every server has a runtime of its own with one worker thread, and the client has a thread, so that what is compared is
//! the work that a request takes. The bare handler is sent the very same bytes; it answers with a small JSON object. A
//! ratio is the median over the rounds of a store's rate by the bare handler's in the same round.

#![expect(clippy::print_stdout, reason = "a table is what this is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod contender;
#[path = "../../tests/real_parts/mod.rs"]
#[expect(dead_code, reason = "Redis is for the tests")]
mod real_parts;
mod wire;

use std::time::Duration;

use contender::{Contender, Operation};

/// The one that the program itself has, for all of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 15;

fn main() {
    let contenders = Contender::all();
    println!("{} rounds, {} connections, one worker thread each\n", ROUNDS, wire::CONNECTIONS);
    println!("{:<22} {:>10} {:>14} {:>14} {:>12}", "server", "operation", "requests/s", "µs/request", "of bare");
    // `cargo bench --bench service -- create` for one of them.
    let asked: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |operation: &Operation| asked.is_empty() || asked.iter().any(|name| name == operation.name());
    for operation in Operation::ALL.into_iter().filter(is_asked) {
        let mut rates = vec![Vec::new(); contenders.len()];
        for round in 0..=ROUNDS {
            for (contender, rates) in contenders.iter().zip(&mut rates) {
                let rate = contender.measure(operation);
                // The first round warms caches, connections and prepared statements.
                if round > 0 {
                    rates.push(rate);
                }
            }
        }
        let bare = rates[0].clone();
        for (contender, rates) in contenders.iter().zip(&rates) {
            let ratios = rates.iter().zip(&bare).map(|(rate, bare)| rate / bare).collect();
            let rate = median(rates.clone());
            let each = Duration::from_secs_f64(1.0 / rate).as_nanos();
            println!(
                "{:<22} {:>10} {rate:>14.0} {:>14.1} {:>10.1} %",
                contender.name,
                operation.name(),
                f64::from(u32::try_from(each).unwrap()) / 1e3,
                100.0 * median(ratios)
            );
        }
        println!();
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
