//! One run: start the service if asked, look whether the target can be raced, race every plan, save, judge.
//!
//! ```text
//! look ──► for each plan: race ──► book (history line, then judge, then count) ──► result
//! ```
//!
//! Whatever ends a run early (Ctrl-C, a target that is gone), what was seen until then is judged and reported.

mod book;
mod command;
mod extent;
mod in_process;
pub mod load;
mod login;
mod look;
pub mod merge;
mod racing;
mod spoken;
pub mod strategies;
mod thresholds;
mod until;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::api::Api;
use crate::check::{Severity, Verdict};
use crate::clock::Clock;
use crate::event::{Event, Observer};
use crate::history::Delivered;
use crate::race::{Parallel, Restart, Stop};
use crate::run_result::{Exit, ExtentInfo, Rerun, RunResult, SCHEMA, ServiceInfo, TargetInfo, TargetKind, Totals};
use crate::scenario::Plan;
use crate::seed::Seed;
use crate::service::ServiceConfig;
use crate::target::{Delivery, Endpoint, HttpTarget, Patience, TlsError};
use book::Book;
use command::RestartCommand;
pub use extent::Extent;
use extent::Time;
use in_process::InProcess;
pub use in_process::StartError;
use look::look;
use racing::{Ends, Raced, Targets, race_all};
pub use thresholds::Thresholds;
pub use until::{Until, UntilError};

/// Everything a run is asked to do.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The API description.
    pub api: Arc<Api>,
    /// What to race, in order.
    pub plans: Vec<Plan>,
    /// What to race against.
    pub target: TargetChoice,
    /// How long it races.
    pub extent: Extent,
    /// How many rounds of a scenario run side by side.
    pub parallel: Parallel,
    /// The most requests in a second, on average.
    pub max_rate: Option<f64>,
    /// How volleys are delivered.
    pub delivery: Delivery,
    /// Whether the delay between contenders is explored.
    pub sweep: bool,
    /// By scenario, the raced rounds of an earlier run that are to be played again, and no others.
    pub replay: BTreeMap<String, Vec<Delivered>>,
    /// The seed of all choices.
    pub seed: Seed,
    /// The limit for one request.
    pub timeout: Duration,
    /// The severity from which on a finding fails the run.
    pub fail_on: Severity,
    /// Limits that fail the run when crossed.
    pub thresholds: Thresholds,
    /// The folder that the run's own folder goes into.
    pub out: PathBuf,
    /// What to say to make it again, secrets left out.
    pub rerun: Rerun,
}

/// What to race against.
#[derive(Debug, Clone)]
pub enum TargetChoice {
    /// The reference service, started for this run.
    InProcess(Box<ServiceConfig>),
    /// A server that is there.
    Remote {
        /// Where.
        endpoint: Box<Endpoint>,
        /// Another address of the same service, on the same data.
        replica: Option<Box<Endpoint>>,
        /// The shell command that restarts it.
        restart: Option<String>,
    },
}

/// Why a run could not be made, or not be saved.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The target cannot be raced.
    #[error("{target} cannot be raced: {why}\n  = help: {help}")]
    TargetUnusable {
        /// Its URL.
        target: String,
        /// What was seen.
        why: String,
        /// What to try.
        help: String,
    },
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The reference service did not start.
    #[error("the reference service could not be started")]
    Service(#[from] StartError),
    /// The report's folder cannot be written.
    #[error("{} cannot be written: {cause}\n  = help: name another folder with --out", path.display())]
    Report {
        /// The file or folder.
        path: PathBuf,
        /// What the system said. (Told in the message, so it is no `source()` that would be told again.)
        cause: std::io::Error,
    },
}

impl RunError {
    /// The exit code that this error stands for.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::TargetUnusable { .. } | Self::Tls(_) | Self::Service(_) => Exit::TargetUnusable,
            Self::Report { .. } => Exit::Usage,
        }
    }
}

/// Makes the run.
///
/// # Errors
/// If the target cannot be raced at all, or the report's folder not be made. What goes wrong later loses nothing.
pub async fn run(config: &RunConfig, observer: &dyn Observer, stop: &Stop) -> Result<Run, RunError> {
    let clock = Clock::start();
    let time = Time::start(config.extent.duration, config.timeout);
    let started_at = jiff::Timestamp::now();
    let service = match &config.target {
        TargetChoice::InProcess(service) => {
            Some(InProcess::start((**service).clone(), config.plans.iter().any(Plan::uses_replica)).await?)
        }
        TargetChoice::Remote { .. } => None,
    };
    let (endpoint, replica) = match (&config.target, &service) {
        (TargetChoice::Remote { endpoint, replica, .. }, _) => ((**endpoint).clone(), replica.as_deref().cloned()),
        (TargetChoice::InProcess(_), Some(service)) => (service.endpoint().clone(), service.replica().cloned()),
        (TargetChoice::InProcess(_), None) => unreachable!("started above"),
    };
    let patience = Patience { request: config.timeout };
    let url = endpoint.to_string();
    let target = HttpTarget::new(endpoint.clone(), clock, patience)?;
    let spoken = spoken::spoken(config, &target, stop).await;
    let target = target.speaking(spoken);
    let config = &{
        let mut config = config.clone();
        config.api = login::log_in(&config.api, &target, &url, stop).await?;
        config.plans.iter_mut().for_each(|plan| plan.api = Arc::clone(&config.api));
        config
    };
    let command = match &config.target {
        TargetChoice::Remote { restart: Some(command), .. } => {
            let target = HttpTarget::new(endpoint, clock, patience)?.speaking(spoken);
            Some(RestartCommand { command: command.clone(), target, api: Arc::clone(&config.api) })
        }
        TargetChoice::Remote { restart: None, .. } | TargetChoice::InProcess(_) => None,
    };
    let restart = (service.as_ref().map(|service| service as &dyn Restart))
        .or(command.as_ref().map(|command| command as &dyn Restart));
    let replica = match replica {
        Some(endpoint) => {
            let url = endpoint.to_string();
            let replica = HttpTarget::new(endpoint, clock, patience)?.speaking(spoken);
            look(&config.api, &replica, &url, stop).await?;
            Some(replica)
        }
        None => None,
    };
    observer.on(&Event::RunStarted { target: &url, scenarios: config.plans.len(), seed: config.seed.value() });
    let methods = spoken::methods(config, &target, &url, stop).await?;
    let mut book = Book::open(config, started_at)?;
    let ends = Ends { time, stop, cut: &Stop::default() };
    let targets = Targets { target: &target, replica: replica.as_ref(), restart, methods: &methods };
    let raced = race_all(config, targets, &url, clock, &mut book, observer, ends);
    let raced = time.bound(raced, stop, ends.cut).await;
    drop(service);
    let result = conclude(config, &book, started_at, clock, url, raced, stop.is_asked());
    let (folder, unsaved) = book.save(&result);
    Ok(Run { result, folder, unsaved })
}

/// A run that was made.
#[derive(Debug)]
pub struct Run {
    /// What it came to.
    pub result: RunResult,
    /// The folder it was saved in.
    pub folder: PathBuf,
    /// What could not be saved: the disk filled up, say. It was judged all the same.
    pub unsaved: Option<RunError>,
}

fn describe(service: &ServiceConfig) -> ServiceInfo {
    ServiceInfo {
        store: service.store.to_string(),
        idempotency_store: service.key_store.to_string(),
        strategy: service.strategy.to_string(),
        latency: service.latency.rules().map(|rule| rule.to_string()).collect(),
    }
}

fn conclude(
    config: &RunConfig,
    book: &Book,
    started_at: jiff::Timestamp,
    clock: Clock,
    url: String,
    raced: Raced,
    interrupted: bool,
) -> RunResult {
    let Raced { scenarios, tally, target_lost, out_of_time, settled } = raced;
    let verdict = scenarios.iter().map(|scenario| scenario.verdict).max().unwrap_or(Verdict::Inconclusive);
    let thresholds = config.thresholds.judge(&config.plans, &scenarios);
    let crossed = thresholds.iter().any(|threshold| threshold.crossed);
    let exit = match verdict {
        _ if interrupted => Exit::Interrupted,
        Verdict::Violated => Exit::Violated,
        Verdict::Inconclusive | Verdict::Holds if target_lost => Exit::TargetUnusable,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Holds if crossed => Exit::Threshold,
        Verdict::Holds => Exit::Holds,
    };
    let (kind, defect, service) = match &config.target {
        TargetChoice::InProcess(service) => {
            let defect = service.defect.map(|defect| defect.name().to_owned());
            (TargetKind::InProcess, defect, Some(describe(service)))
        }
        TargetChoice::Remote { .. } => (TargetKind::Remote, None, None),
    };
    RunResult {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: book.run_id().to_owned(),
        started_at: started_at.to_string(),
        duration_ms: clock.now().nanos() / 1_000_000,
        seed: config.seed.value(),
        api: config.api.name.to_string(),
        target: TargetInfo { url, kind, defect, service },
        interrupted,
        extent: Some(ExtentInfo {
            rounds: config.extent.rounds,
            duration_ms: config.extent.duration.map(|duration| duration.as_millis().try_into().unwrap_or(u64::MAX)),
            until: config.extent.until.iter().map(Until::to_string).collect(),
            out_of_time,
            settled,
        }),
        delivery: config.delivery,
        fail_on: config.fail_on,
        verdict,
        exit_code: exit.code(),
        rerun: Some(config.rerun.clone()),
        totals: Totals::new(&scenarios, &tally),
        thresholds,
        scenarios,
    }
}
