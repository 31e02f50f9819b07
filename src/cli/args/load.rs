//! `load`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::aim::{CredentialArgs, TlsArgs, parse_timeout};
use super::report::ReportFormat;
use super::service::InProcessArgs;
use super::{FailOn, Format, parse_rate, parse_run_time};
use crate::cli::watch::MetricsAddr;
use crate::text::parse_duration;
use crate::traffic::{Part, Stage, Threshold, parse_percent};

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct LoadArgs {
    /// One URL that is read over and over, for comparison with other load generators: nothing but GET, and nothing is judged
    #[arg(value_name = "URL", conflicts_with_all = [
        "target", "api", "traffic", "hot", "think", "stop_on", "save_all", "fail_on",
        "store", "idempotency_store", "strategy", "latency", "defect", "defect_window",
    ])]
    pub(in crate::cli) url: Option<String>,

    /// Send nothing but reads. A URL is only read anyway; of traffic, those journeys are left that make no resource and change none
    #[arg(long)]
    pub(in crate::cli) read_only: bool,

    /// The server to load, such as http://127.0.0.1:8000 [default: the reference service, started in-process]
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) target: Option<String>,

    /// The API description: a built-in name, or a file ending in .toml [default: quickeats-v2]
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) api: Option<String>,

    /// What clients do: a built-in name, or a file ending in .toml [default: the built-in traffic of the API; if there is none, fresh
    /// resources that are acted on at random]
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) traffic: Option<String>,

    #[command(flatten)]
    pub(in crate::cli) credentials: CredentialArgs,

    #[command(flatten)]
    pub(in crate::cli) tls: TlsArgs,

    /// Allow a target that is not on this machine. Load only servers that you may load, and whose data you may change
    #[arg(long)]
    pub(in crate::cli) allow_remote: bool,

    #[command(flatten)]
    pub(in crate::cli) service: InProcessArgs,

    /// How many clients there are, each with a connection of its own: a closed load, each begins its next request when the last one is
    /// answered; with --rate or --stage, how many requests may be under way at once [default: 64; 256 by the clock]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(in crate::cli) clients: Option<u32>,

    /// On how many threads clients are [default: half of the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(in crate::cli) threads: Option<u32>,

    /// An open load: so many requests begin in a second, such as 500/s, whether or not earlier ones were answered
    #[arg(long, value_name = "N/s", value_parser = parse_rate, conflicts_with = "stage", requires = "duration")]
    pub(in crate::cli) rate: Option<f64>,

    /// A stretch of an open load: 30s:500/s at one rate, 30s:0..2000/s from one rate to another. May be given several times, one after
    /// the other; a short one at a high rate is a spike
    #[arg(long, value_name = "TIME:RATE", conflicts_with = "duration")]
    pub(in crate::cli) stage: Vec<TypedStage>,

    /// Requests of an open load begin by chance (a Poisson process, as independent users come), not evenly
    #[arg(long)]
    pub(in crate::cli) poisson: bool,

    /// How long it lasts; --rate needs it [default: 10s, or until --requests are sent]
    #[arg(long, value_name = "DURATION", value_parser = parse_run_time)]
    pub(in crate::cli) duration: Option<Duration>,

    /// How many requests are sent at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) requests: Option<u64>,

    /// What begins before this is left out of the figures. (It is judged all the same)
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = parse_duration)]
    pub(in crate::cli) warm_up: Duration,

    /// The share of requests to a few resources that all clients act on, such as 5%: there they are in each other's way [default: as the
    /// traffic says]
    #[arg(long, value_name = "SHARE", value_parser = parse_percent)]
    pub(in crate::cli) hot: Option<f64>,

    /// A resource that is there already, by its id: all clients act on it, those of other shards too, instead of on resources that the load makes.
    /// May be given several times. Nobody else may act on it meanwhile. A few hundred requests go to each; then it is left alone
    #[arg(long, value_name = "ID", requires = "target", conflicts_with = "url")]
    pub(in crate::cli) hot_id: Vec<String>,

    /// How long a client of a closed load thinks before each request: 10ms, or 10ms..50ms by chance [default: as the traffic says]
    #[arg(long, value_name = "TIME[..TIME]", conflicts_with_all = ["rate", "stage"])]
    pub(in crate::cli) think: Option<Think>,

    /// Exit 5 if this is not kept: p95<50ms, payment.p99<80ms, rate_412<0.2, error_rate<0.1%, goodput>1000/s. May be given several times;
    /// times count from when requests were meant to begin
    #[arg(long, value_name = "LIMIT")]
    pub(in crate::cli) threshold: Vec<Threshold>,

    /// End the load as soon as a threshold is crossed
    #[arg(long)]
    pub(in crate::cli) abort_on_fail: bool,

    /// End the load as soon as a violation is proven
    #[arg(long, value_name = "EVENT")]
    pub(in crate::cli) stop_on: Option<StopOn>,

    /// This process is one of several that make one load together: 2/4 is the second of four. Each gets its part of the rate and of the
    /// requests, and has --clients of its own. Give all the same --seed, and `merge` what they saved
    #[arg(long, value_name = "I/N", requires = "seed")]
    pub(in crate::cli) shard: Option<Shard>,

    /// When to begin, such as 2026-01-31T12:00:00Z, so that several processes begin together
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) start_at: Option<jiff::Timestamp>,

    /// Save the history of every resource, not only of those that show something. (A shard always does)
    #[arg(long)]
    pub(in crate::cli) save_all: bool,

    /// Repeats a load's choices: what clients do, and in which order [default: arbitrary, printed]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,

    /// The limit for one request, and for one of an open load to begin: after that it is dropped
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_timeout)]
    pub(in crate::cli) timeout: Duration,

    /// From which severity on a finding fails the load
    #[arg(long, value_name = "SEVERITY", default_value = "violation")]
    pub(in crate::cli) fail_on: FailOn,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: Format,

    /// Reports to write beside load.json, in the load's folder; several are parted by commas, or given one by one
    #[arg(long, value_name = "FORMAT", value_delimiter = ',')]
    pub(in crate::cli) report: Vec<ReportFormat>,

    /// Serve how the load stands to Prometheus, at /metrics: an address and a port, or a port of this machine alone; 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT")]
    pub(in crate::cli) metrics_addr: Option<MetricsAddr>,

    /// The folder that the load's own folder goes into
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(in crate::cli) out: PathBuf,

    /// No progress on stderr
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
}

/// When a load ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum StopOn {
    /// A violation is proven.
    Violated,
}

/// A stage, as typed.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct TypedStage {
    pub(in crate::cli) stage: Stage,
    typed: String,
}

impl fmt::Display for TypedStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

impl FromStr for TypedStage {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let expected = || "write a stage as 30s:500/s, or 30s:0..2000/s".to_owned();
        let (time, rates) = typed.split_once(':').ok_or_else(expected)?;
        let duration = parse_run_time(time)?;
        let rates = rates.strip_suffix("/s").unwrap_or(rates);
        let (from, to) = rates.split_once("..").unwrap_or((rates, rates));
        let rate = |typed: &str| match typed.strip_suffix("/s").unwrap_or(typed).trim().parse::<f64>() {
            Ok(rate) if (0.0..=1e9).contains(&rate) => Ok(rate),
            Ok(_) | Err(_) => Err(expected()),
        };
        let duration_ms = u64::try_from(duration.as_millis()).map_err(|_| expected())?;
        Ok(Self { stage: Stage { duration_ms, from: rate(from)?, to: rate(to)? }, typed: typed.to_owned() })
    }
}

/// Think time, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Think(pub(in crate::cli) std::ops::Range<Duration>);

impl FromStr for Think {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let (least, most) = typed.split_once("..").unwrap_or((typed, typed));
        let (least, most) = (parse_duration(least)?, parse_duration(most)?);
        if least > most {
            return Err(format!("{least:?} is more than {most:?}: write the shorter time first"));
        }
        Ok(Self(least..most))
    }
}

/// One of several processes, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Shard(pub(in crate::cli) Part);

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.index + 1, self.0.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let expected = || "write it as 2/4: the second of four; 1000 are the most".to_owned();
        let (index, of) = typed.split_once('/').ok_or_else(expected)?;
        match (index.parse::<u32>(), of.parse::<u32>()) {
            (Ok(index), Ok(of)) if index >= 1 && index <= of && of <= 1_000 => Ok(Self(Part { index: index - 1, of })),
            _ => Err(expected()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_think_times_and_shards_are_read() {
        let stage = |typed: &str| typed.parse::<TypedStage>().map(|typed| typed.stage);
        assert_eq!(stage("30s:0..2000/s"), Ok(Stage { duration_ms: 30_000, from: 0.0, to: 2_000.0 }));
        assert_eq!(stage("500ms:20"), Ok(Stage { duration_ms: 500, from: 20.0, to: 20.0 }));
        for wrong in ["", "30s", "30:5/s", "30s:5/m", "30s:..5", "30s:-1/s", "0s:5/s", "30s:nan/s"] {
            assert!(stage(wrong).is_err(), "{wrong}");
        }
        assert_eq!("10ms..50ms".parse(), Ok(Think(Duration::from_millis(10)..Duration::from_millis(50))));
        assert!("50ms..10ms".parse::<Think>().is_err() && "fast".parse::<Think>().is_err());
        assert_eq!("2/4".parse(), Ok(Shard(Part { index: 1, of: 4 })));
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for wrong in ["0/4", "5/4", "4", "1/0", "a/b", "1/1001"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
