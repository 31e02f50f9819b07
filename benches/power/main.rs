//! How often a fake optimistic lock is caught: the share of rounds that show the lost update of `check-then-save`, by store, by
//! the window between check and save, by how far apart the two actions reach it, and by method of delivery; together, and swept.
//!
//! ```text
//! stores     no sweep, nothing apart    every store × window, a column for each method
//! memory     apart × window             the same rounds with departures together, and with the sweep
//! postgres   apart × window             the same, beside a real database
//! ```
//!
//! Every cell is a run as `race` makes it, of `cancel-vs-accept` against the reference service in this process. The share is of
//! all rounds that were raced, whether they overlapped or not. With the sweep, it is of the rounds after the warm-up,
//! and beside it stands the round of the first catch: the latest one of all seeds.

#![expect(clippy::print_stdout, reason = "a table is what this is for")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod cell;
#[path = "../../tests/real_parts/mod.rs"]
#[expect(dead_code, reason = "Redis is for the tests")]
mod real_parts;
mod table;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cell::{Cell, Store};
use clap::{Parser, ValueEnum};
use quickeats_bench::target::Delivery;
use quickeats_bench::text::parse_duration;
use table::{Row, Table};

/// The one that the program itself has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured, and how long.
#[derive(Debug, Parser)]
struct Args {
    /// The tables to make.
    #[arg(value_enum, default_values = ["stores", "memory", "postgres"])]
    tables: Vec<Asked>,
    /// How much time lies between check and save, beside what naturally does.
    #[arg(long, value_delimiter = ',', value_parser = parse_duration, default_value = "0s,50us,200us,1ms,5ms")]
    windows: Vec<Duration>,
    /// How much later the acceptance reaches its check than the cancellation; on PostgreSQL 1 ms alone unless asked for.
    #[arg(long, value_delimiter = ',', value_parser = parse_duration)]
    apart: Option<Vec<Duration>>,
    #[arg(long, value_delimiter = ',', default_value = "barrier,head,tail,single-packet-head,single-packet-tail,auto")]
    methods: Vec<Delivery>,
    /// One run of a cell for each.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Rounds of a run without the sweep.
    #[arg(long, default_value_t = 300)]
    rounds: u32,
    /// Rounds of a run with the sweep.
    #[arg(long, default_value_t = 400)]
    swept_rounds: u32,
    /// Only without the sweep (off), or only with it (on).
    #[arg(long, value_enum)]
    sweep: Option<Sweep>,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    Stores,
    Memory,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sweep {
    Off,
    On,
}

fn main() {
    let args = Args::parse();
    let begun = Instant::now();
    println!("seeds {:?}; {} rounds, {} with the sweep; {}\n", args.seeds, args.rounds, args.swept_rounds, load());
    let mut kinds = BTreeSet::new();
    for asked in &args.tables {
        for table in tables(*asked, &args) {
            kinds.append(&mut table.measure(&args.seeds));
        }
    }
    println!("found as: {}; {} s; {}", Vec::from_iter(kinds).join(", "), begun.elapsed().as_secs(), load());
}

/// The tables that one word stands for.
fn tables(asked: Asked, args: &Args) -> Vec<Table> {
    let (store, apart) = match asked {
        Asked::Stores => return vec![stores(args)],
        Asked::Memory => (Store::Memory, [0, 300, 1_000, 3_000, 5_000].map(Duration::from_micros).to_vec()),
        Asked::Postgres => (Store::Postgres, vec![Duration::from_millis(1)]),
    };
    let apart = args.apart.clone().unwrap_or(apart);
    if !store.is_there() {
        return Vec::new();
    }
    let of = |sweep: Sweep| {
        let is_swept = sweep == Sweep::On;
        let cells = || apart.iter().flat_map(|apart| args.windows.iter().map(move |window| (*apart, *window)));
        let rounds = if is_swept { args.swept_rounds } else { args.rounds };
        let cell = |(apart, window), method| Cell { store, window, apart, method, is_swept, rounds };
        let row = |at: (Duration, Duration)| Row {
            heads: vec![table::span(at.0), table::span(at.1)],
            cells: args.methods.iter().map(|method| cell(at, *method)).collect(),
        };
        Table {
            title: format!("{}, {}", store.name(), if is_swept { "with the sweep" } else { "without the sweep" }),
            heads: &["apart", "window"],
            rows: cells().map(row).collect(),
        }
    };
    [Sweep::Off, Sweep::On].into_iter().filter(|sweep| args.sweep.is_none_or(|only| only == *sweep)).map(of).collect()
}

/// Every store that is there, with nothing apart and without a sweep.
fn stores(args: &Args) -> Table {
    let stores = Store::ALL.into_iter().filter(|store| store.is_there());
    let row = |(store, window): (Store, Duration)| Row {
        heads: vec![store.name().to_owned(), table::span(window)],
        cells: (args.methods.iter())
            .map(|method| Cell {
                store,
                window,
                apart: Duration::ZERO,
                method: *method,
                is_swept: false,
                rounds: args.rounds,
            })
            .collect(),
    };
    Table {
        title: "every store, nothing apart, without the sweep".to_owned(),
        heads: &["store", "window"],
        rows: stores.flat_map(|store| args.windows.iter().map(move |window| (store, *window))).map(row).collect(),
    }
}

/// How busy the machine is: the figures are only as good as it is quiet.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    format!("load {}", if load.is_empty() { "unknown".to_owned() } else { load.join(" ") })
}
