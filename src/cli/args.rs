//! The command line as typed. What its flags mean together is decided in `resolve`.

#![expect(clippy::doc_markdown, reason = "doc comments of arguments are help texts, read in a terminal")]

pub(super) mod aim;
pub(super) mod check;
pub(super) mod compare;
pub(super) mod demo;
pub(super) mod init;
pub(super) mod load;
pub(super) mod merge;
pub(super) mod probe;
pub(super) mod report;
pub(super) mod service;
pub(super) mod strategies;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::check::Severity;
use crate::race::MOST_PARALLEL;
use crate::run::Until;
use crate::service::{Defect, KeyStoreChoice, LatencyRule, StoreChoice, Strategy};
use crate::target::Delivery;
use crate::text::parse_duration;
use aim::{CredentialArgs, TlsArgs, parse_timeout};

macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0    holds: nothing wrong was seen, and enough was seen to say so
  1    violated: the server broke its contract (or a warning, with --fail-on warning)
  2    usage: the command line or a file it names is wrong
  3    inconclusive: too little was seen to say that it holds
  4    target unusable: not reachable, not HTTP, not this API, or it stopped answering
  5    a threshold was crossed (--max-p95, --max-412-rate, --threshold), or a run compared is worse
  130  interrupted: what was seen is judged and reported"
    };
}

const EXIT_CODES: &str = exit_codes!();
const RACE_HELP: &str = concat!(
    "\
Examples:
  quickeats-bench race
      every built-in V2 scenario against the sound reference service: exits 0
  quickeats-bench race --defect check-then-save
      the same against the classic fake optimistic lock: exits 1 and shows who said what when
  quickeats-bench race --target http://127.0.0.1:8000 cancel-vs-accept --rounds 500 --seed 7
      one scenario against a server of yours that follows the order API

",
    exit_codes!()
);

const LOAD_HELP: &str = concat!(
    "\
Examples:
  quickeats-bench load --duration 30s
      64 clients against the sound reference service, as fast as it answers; every answer is judged
  quickeats-bench load --target http://127.0.0.1:8000 --rate 500/s --duration 1m --hot 5% --threshold 'p95<50ms'
      500 requests in a second by the clock, whatever the server does, one in twenty to orders that all clients act on
  quickeats-bench load --read-only http://127.0.0.1:8000/healthz --duration 10s
      one path, over and over: how fast, as other load generators tell it

",
    exit_codes!()
);

const MERGE_HELP: &str = concat!(
    "\
Examples:
  quickeats-bench merge reports/*
      all shards of a load that ran on this machine
  quickeats-bench merge shards/* --clock-error 5ms
      on several machines, whose clocks were within 5 ms of the true time

",
    exit_codes!()
);

const CHECK_HELP: &str = concat!(
    "\
Examples:
  quickeats-bench check reports/2026-01-31T12-00-00Z/history.jsonl
      a run's history again: the same verdict, anywhere
  quickeats-bench check register.log
      Jepsen's log of a compare-and-set register: is it linearizable?
  quickeats-bench check --model kv --timeout 10s history.edn
      a key-value history as EDN, key by key

",
    exit_codes!()
);

const VERIFY_HELP: &str = "\
Exit codes:
  0  everything that run.json says stands
  1  something does not: it is named
  2  the run cannot be read";

/// Proves whether an HTTP API stays correct when people act on it at the same moment.
#[derive(Debug, Parser)]
#[command(name = "quickeats-bench", version, after_help = EXIT_CODES, subcommand_required = true, arg_required_else_help = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Race scenarios against a server, and judge what it said
    #[command(after_help = EXIT_CODES, after_long_help = RACE_HELP)]
    Race(Box<RaceArgs>),
    /// Load a server, and judge every answer: how fast it is, and whether it is right
    #[command(after_help = EXIT_CODES, after_long_help = LOAD_HELP)]
    Load(Box<load::LoadArgs>),
    /// Load the reference service with each of its strategies, over how much contention there is: which gets more right in a second?
    #[command(after_help = strategies::HELP)]
    CompareStrategies(strategies::StrategiesArgs),
    /// Make one of what several processes of a load saved: add their figures up, and judge what they did to the same resources
    #[command(after_help = EXIT_CODES, after_long_help = MERGE_HELP)]
    Merge(merge::MergeArgs),
    /// Judge a saved history: of a run, or recorded by another tool
    #[command(after_help = EXIT_CODES, after_long_help = CHECK_HELP)]
    Check(check::CheckArgs),
    /// Ask a server what it promises before a race: TLS, HTTP, tokens, keys, reads
    #[command(after_help = probe::HELP)]
    Probe(Box<probe::ProbeArgs>),
    /// Derive every finding of a saved run again from its raw history
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Watch the mistakes that this finds: real races, in plain words, a few minutes
    #[command(after_help = demo::HELP)]
    Demo(demo::DemoArgs),
    /// Render a saved run again: for a terminal, a pull request, a CI server, code scanning
    #[command(after_help = report::HELP)]
    Report(report::ReportArgs),
    /// Hold a run against an earlier one: what became worse, what better, and what is noise
    #[command(after_help = compare::HELP)]
    Compare(compare::CompareArgs),
    /// List the saved runs of a folder, the last first (`check` judges the history of one)
    History(compare::HistoryArgs),
    /// Run the reference order service
    Serve(ServeArgs),
    /// Write a commented description of an API of your own, and a race, to start from
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// List the built-in scenarios, show one as a start for your own, or check files of your own
    Scenarios(ScenariosArgs),
}

#[derive(Debug, Args)]
#[command(allow_negative_numbers = true)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct RaceArgs {
    /// Scenarios to race: built-in names, files ending in .toml, or pairs: every two actions that a state of the API allows [default: all
    /// built-in ones of the API; if there are none, its pairs and the generic ones that fit it]
    #[arg(value_name = "SCENARIO")]
    pub(super) scenarios: Vec<String>,

    /// The server to race, such as http://127.0.0.1:8000 [default: the reference service, started in-process]
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,

    /// Another address of the same service, on the same data: late retries go there, since a promise that one process keeps
    /// in its memory is no promise
    #[arg(long, value_name = "URL", requires = "target")]
    pub(super) replica: Option<String>,

    /// A shell command that restarts the target, best by killing it: what it acknowledged must still be there afterwards. It returns when the old process is gone;
    /// the race waits until the new one answers. Run
    /// once a round, in scenarios about crashes alone
    #[arg(long, value_name = "COMMAND", requires = "target")]
    pub(super) restart: Option<String>,

    /// The API description: a built-in name, or a file ending in .toml [default: that of the named scenarios, else
    /// quickeats-v2]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) api: Option<String>,

    #[command(flatten)]
    pub(super) credentials: CredentialArgs,

    /// Print what would be raced, request by request, and send nothing
    #[arg(long, conflicts_with = "format")]
    pub(super) dry_run: bool,

    #[command(flatten)]
    pub(super) tls: TlsArgs,

    /// Allow a target that is not on this machine. Race only servers that you may load, and whose data you may change
    #[arg(long, requires = "target")]
    pub(super) allow_remote: bool,

    #[command(flatten)]
    pub(super) service: service::InProcessArgs,

    /// Rounds per scenario
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) rounds: u32,

    /// The time for the whole run: each scenario gets an equal part of what is left. The round under way then ends, and what
    /// was seen is judged; with fewer rounds less is excluded [default: as long as the rounds take]
    #[arg(long, value_name = "DURATION", value_parser = parse_run_time)]
    pub(super) duration: Option<Duration>,

    /// When a scenario has shown enough: `violated`, once a violation is proven; `confidence=99%,rate=1%`, once so many rounds
    /// told of none that violations in 1 % of such rounds are excluded at 99 % confidence. May be given twice: what comes
    /// first. Rounds that run beside the last one are finished and counted, too
    #[arg(long, value_name = "RULE", value_parser = str::parse::<Until>)]
    pub(super) until: Vec<Until>,

    /// How many rounds run side by side, so that a slow server gets as many in a minute as a fast one. Swarms, and scenarios
    /// that restart the server, run one round after the other [default: measured: one where a round takes less than 40 ms,
    /// else one per 20 ms of it, up to 128, and fewer where the server gets slower for it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_PARALLEL)))]
    pub(super) parallel: Option<u32>,

    /// The most requests in a second, on average: rounds wait, and a volley goes as one all the same [default: none for a
    /// target on this machine, 100 for others]
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    pub(super) max_rate: Option<f64>,

    /// How volleys are delivered: what of each contender's request is held back until all are there, and over which HTTP
    #[arg(long, value_name = "METHOD", default_value = "auto", value_parser = delivery_parser())]
    pub(super) delivery: Delivery,

    /// Explore the delay between contenders, from microseconds to tens of milliseconds: where one takes longer to what it
    /// collides in, they collide only if the other leaves later. The rounds go where collisions are found
    #[arg(long)]
    pub(super) sweep: bool,

    /// Play the rounds of a saved run again: its scenarios, its seed, and round by round the method and the delays that it came to.
    /// Name the same target, or the same set-up of the reference service, beside it. (The interleaving may differ)
    #[arg(long, value_name = "RUN", conflicts_with_all = ["seed", "sweep", "delivery", "rounds"])]
    pub(super) replay: Option<PathBuf>,

    /// How many race in each round, where a scenario allows more than it names
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=64))]
    pub(super) contenders: Option<u16>,

    /// Repeats a run's choices: the order of contenders within each volley [default: arbitrary, printed]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,

    /// The limit for one request, and for a volley to assemble
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_timeout)]
    pub(super) timeout: Duration,

    /// Exit 5 if any scenario's p95 latency is above this
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) max_p95: Option<Duration>,

    /// Exit 5 if any scenario's share of 412 answers is above this (0 to 1); scenarios that send stale tokens on
    /// purpose are left out
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    pub(super) max_412_rate: Option<f64>,

    /// From which severity on a finding fails the run
    #[arg(long, value_name = "SEVERITY", default_value = "violation")]
    pub(super) fail_on: FailOn,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(super) format: Format,

    /// Reports to write beside run.json, in the run's folder; several are parted by commas, or given one by one
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', conflicts_with = "dry_run")]
    pub(super) report: Vec<report::ReportFormat>,

    /// The folder that the run's own folder goes into
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(super) out: PathBuf,

    /// No progress on stderr
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// A run's folder, with its run.json and history.jsonl
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub(super) addr: SocketAddr,

    /// Where orders are kept: memory, sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE. Its tables are
    /// made if they are not there; several services may share one PostgreSQL
    #[arg(long, value_name = "STORE", default_value = "memory")]
    pub(super) store: StoreChoice,

    /// Where idempotency keys are kept: same (with the orders, in one transaction), or
    /// redis://USER:PASSWORD@HOST:PORT/DATABASE; several services may share one Redis
    #[arg(long, value_name = "STORE", default_value = "same")]
    pub(super) idempotency_store: KeyStoreChoice,

    /// Write a line about every request to stderr
    #[arg(long, value_name = "FORMAT")]
    pub(super) log: Option<LogFormat>,

    /// Load so many orders, restaurants and riders at start; those that are there already are left as they are
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    pub(super) seed_data: u32,

    /// How long the answer to an idempotency key is kept
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = parse_duration)]
    pub(super) idempotency_ttl: Duration,

    /// How long a key stays claimed if whoever claimed it dies; longer than the 30s that a request may take, or a
    /// request may outlive its claim
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration)]
    pub(super) idempotency_lease: Duration,

    /// Forget orders that nobody has changed for so long, so that a long load takes no more memory than a short one. Lost with an order: its
    /// payments, its events and its idempotency keys; who asks for it then hears 404, and a request that is sent again counts as new.
    /// No request takes longer, either. For --store memory alone [default: nothing is forgotten]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) retention: Option<Duration>,

    /// Whether callers must prove who they are [default: jwt if --jwt-secret-env is given, else off]
    #[arg(long, value_name = "HOW")]
    pub(super) auth: Option<AuthChoice>,

    /// The environment variable with the secret that tokens are signed with (HS256): 32 bytes at least
    #[arg(long, value_name = "VAR")]
    pub(super) jwt_secret_env: Option<String>,

    /// How contenders for one order are kept apart
    #[arg(long, value_name = "NAME", default_value = "optimistic", value_parser = strategy_parser())]
    pub(super) strategy: Strategy,

    /// How long actions take before they reach the store: 500ms, all of them; acceptance=3ms, one of them, and then that is
    /// its own time. May be given several times
    #[arg(long, value_name = "[ACTION=]DURATION")]
    pub(super) latency: Vec<LatencyRule>,

    /// The mistake that the service makes
    #[arg(long, value_name = "NAME", value_parser = defect_parser())]
    pub(super) defect: Option<Defect>,

    /// Widen the defect's gap (between check and act, answer and commit, cache and store) by this long, such as 1ms
    #[arg(long, value_name = "DURATION", requires = "defect", value_parser = parse_duration)]
    pub(super) defect_window: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct ScenariosArgs {
    #[command(subcommand)]
    pub(super) command: Option<ScenariosCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScenariosCommand {
    /// List the built-in scenarios
    List,
    /// Print a scenario's file: its story, and a start for your own
    Show {
        /// A built-in name, or a file ending in .toml
        name: String,
    },
    /// Check scenarios and API descriptions; with --target, play them once, nothing racing, and show what was read from each reply
    #[command(after_help = aim::CHECK_EXIT_CODES)]
    Check(Box<aim::ScenarioCheckArgs>),
}

/// How `serve` writes about requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// One JSON object a line: at, trace_id (the caller's traceparent), method, path, status, duration_ms, statements
    Json,
}

/// Whether callers of `serve` must prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AuthChoice {
    /// Anyone may do anything; an X-Actor header is believed
    Off,
    /// A bearer token (HS256; claims sub, role, exp) says who asks; roles and ownership say what they may do
    Jwt,
}

/// From which severity on a finding fails the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Only violations.
    Violation,
    /// Warnings, too.
    Warning,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Violation => Self::Violation,
            FailOn::Warning => Self::Warning,
        }
    }
}

/// What is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The answer, the findings and a table, for people.
    Table,
    /// The result as JSON alone.
    Json,
}

fn defect_parser() -> impl TypedValueParser<Value = Defect> {
    let names = Defect::ALL.iter().map(|defect| PossibleValue::new(defect.name()).help(defect.mistake()));
    PossibleValuesParser::new(names).map(|name| name.parse().expect("only names of defects pass"))
}

fn strategy_parser() -> impl TypedValueParser<Value = Strategy> {
    let names = Strategy::ALL.iter().map(|strategy| PossibleValue::new(strategy.name()).help(strategy.means()));
    PossibleValuesParser::new(names).map(|name| name.parse().expect("only names of strategies pass"))
}

fn delivery_parser() -> impl TypedValueParser<Value = Delivery> {
    let names = Delivery::ALL.iter().map(|delivery| PossibleValue::new(delivery.name()).help(delivery.withholds()));
    PossibleValuesParser::new(names).map(|name| name.parse().expect("only names of deliveries pass"))
}

fn parse_run_time(typed: &str) -> Result<Duration, String> {
    let duration = parse_duration(typed)?;
    if duration.is_zero() { Err("a run takes more time than none, such as 30s".to_owned()) } else { Ok(duration) }
}

fn parse_rate(typed: &str) -> Result<f64, String> {
    match typed.strip_suffix("/s").unwrap_or(typed).parse() {
        Ok(rate) if (0.01..=1e9).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("a rate is a number of requests in a second from 0.01 on, such as 50".to_owned()),
    }
}

fn parse_share(typed: &str) -> Result<f64, String> {
    match typed.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        Ok(_) | Err(_) => Err("a share is a number from 0 to 1, such as 0.6".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The lines of a page that a shell would run, as it would take them: within its YAML, and at its prompts.
    fn documented(page: &str) -> Vec<String> {
        let mut lines: Vec<String> =
            page.lines().filter_map(|line| line.strip_prefix("$ ")).map(ToOwned::to_owned).collect();
        for block in page.split("```yaml\n").skip(1) {
            let yaml = block.split("```").next().expect("split yields one");
            let parsed: serde_json::Value = serde_saphyr::from_str(yaml).expect("the example is YAML");
            collect(&parsed, &mut lines);
        }
        lines.retain(|line| line.starts_with("quickeats-bench "));
        // What a shell or a workflow puts in: a number or a moment, as they would.
        let filled = [
            ("$((JOB_COMPLETION_INDEX + 1))/4", "2/4"),
            ("${{ matrix.shard }}/4", "2/4"),
            ("$START_AT", "2026-01-31T12:00:00Z"),
            ("${{ needs.plan.outputs.start_at }}", "2026-01-31T12:00:00Z"),
            ("'", ""),
        ];
        let fill = |line: &String| filled.iter().fold(line.clone(), |line, (hole, word)| line.replace(hole, word));
        lines.iter().map(fill).collect()
    }

    fn collect(value: &serde_json::Value, lines: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => lines.extend(text.lines().map(ToOwned::to_owned)),
            serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
            serde_json::Value::Object(fields) => fields.values().for_each(|field| collect(field, lines)),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }

    #[test]
    fn documented_command_lines_are_accepted() {
        let pages = [include_str!("../../docs/ci.md"), include_str!("../../docs/load-many-machines.md")];
        let [ci, load] = pages.map(documented);
        assert_eq!((ci.len(), load.len()), (4, 7), "{ci:?} {load:?}");
        for line in ci.into_iter().chain(load) {
            let parsed = Cli::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {}", parsed.expect_err("checked"));
        }
    }
}
