//! How tight a volley is: how far apart its requests arrive, by the clock of the server that they arrive at.
//!
//! ```text
//! part `spread`
//!   round 1   naive ▏barrier ▏head ▏tail ▏single packet ▏     one volley each, one after the other: whatever else the
//!   round 2   naive ▏barrier ▏head ▏tail ▏single packet ▏     machine does in a round hits all of them
//! ```
//!
//! *Naive* is what a test does that has no gate: warm connections, and a task for each request, all begun by one task. What is
//! measured besides is what `race` uses ([`quickeats_bench::target`]), with the same runtime as the program has. A read on
//! each connection comes before each volley, as in a race.
//!
//! `cargo bench --bench delivery -- spread` for a part, and `-- spread direct` for some of its tables: `direct`, `tls`,
//! `jitter`, `service`.

#![expect(clippy::print_stdout, reason = "a table is what this is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod proxy;
mod server;
mod spread;
mod volley;

/// The one that the program itself has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_asked = |part: &str| asked.is_empty() || asked.iter().any(|word| word == part);
    if is_asked("spread") {
        spread::measure(asked.get(1..).unwrap_or_default());
    }
}
