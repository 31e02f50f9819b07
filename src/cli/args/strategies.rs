//! `compare-strategies`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Format, parse_run_time};
use crate::service::{KeyStoreChoice, LatencyRule, StoreChoice};
use crate::text::parse_duration;
use crate::traffic::parse_percent;

pub(in crate::cli) const HELP: &str = "\
Both strategies of the reference service are right; what differs is who waits, and who works in vain. Each is loaded at each share,
in turn, with every answer judged.

Exit codes:
  0    compared, and every load holds
  1    violated: a load found the service wrong
  2    usage: the command line is wrong
  3    inconclusive: a load has too little to tell
  4    the service could not be started
  130  interrupted: what was measured until then is told";

#[derive(Debug, Args)]
pub(in crate::cli) struct StrategiesArgs {
    /// Where the service keeps its orders: memory, sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub(in crate::cli) store: StoreChoice,

    /// Where the service keeps idempotency keys: same, or redis://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, value_name = "STORE", default_value = "same")]
    pub(in crate::cli) idempotency_store: KeyStoreChoice,

    /// How long actions take before they reach the store: 2ms, or acceptance=3ms. May be given several times
    #[arg(long, value_name = "[ACTION=]DURATION")]
    pub(in crate::cli) latency: Vec<LatencyRule>,

    /// Shares of requests to orders that all clients act on
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_value = "0.1%,5%,40%,80%", value_parser = parse_percent)]
    pub(in crate::cli) hot: Vec<f64>,

    /// How many such orders there are at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(in crate::cli) resources: u16,

    /// How many clients there are
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(in crate::cli) clients: u32,

    /// How long each load lasts
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_run_time)]
    pub(in crate::cli) duration: Duration,

    /// What of each load is left out of the figures
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub(in crate::cli) warm_up: Duration,

    /// How often each load is made; medians are told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(in crate::cli) repeats: u32,

    /// Repeats the loads' choices [default: arbitrary, printed]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: Format,

    /// The folder that the comparison's own folder goes into
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(in crate::cli) out: PathBuf,

    /// No progress on stderr
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
}
