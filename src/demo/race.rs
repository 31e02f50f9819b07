//! Runs the race of an act as `race` would, and reads from its record what the story needs.

use std::io::{self, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Act, Show};
use crate::api::{Credentials, builtin};
use crate::check::Severity;
use crate::clock::Stamp;
use crate::event::Observer;
use crate::history::{History, Meaning, Operation, Phase, Verb, jsonl, overlapped};
use crate::ids::RoundId;
use crate::jwt::Secret;
use crate::race::{Parallel, Stop};
use crate::run::{self, Extent, Run, RunConfig, RunError, TargetChoice, Thresholds};
use crate::run_result::{FindingResult, Rerun, RunResult, ScenarioResult, WitnessLine};
use crate::scenario::{Plan, catalog};
use crate::service::{Auth, ServiceConfig};
use crate::target::Delivery;

/// The limit for one request, and how long the tokens of a run are good for.
const TIMEOUT: Duration = Duration::from_secs(5);
const LIFETIME_SECONDS: u64 = 24 * 60 * 60;

/// Why the demo could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A race could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is no place for its record.
    #[error("a folder for the records of the races cannot be made in {}: {cause}", std::env::temp_dir().display())]
    Folder {
        /// What the system said.
        cause: io::Error,
    },
    /// What it says cannot be printed.
    #[error("the demo cannot be written to stdout: {0}")]
    Stdout(io::Error),
}

/// A race that was run.
#[derive(Debug)]
pub(super) struct Raced {
    pub(super) result: ScenarioResult,
    /// What the history says; or why it could not be read.
    pub(super) record: Result<Record, String>,
}

/// What the story needs of a race's history.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The round to show, if there is a telling one.
    pub(super) shown: Option<Shown>,
    /// Rounds in which a contender was refused as stale.
    pub(super) refused: usize,
    /// Rounds in which one heard a stored answer.
    pub(super) replayed: usize,
    /// Rounds in which one was told that the other is still being worked on.
    pub(super) in_progress: usize,
}

/// One round.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) number: u32,
    pub(super) contenders: Vec<WitnessLine>,
    /// Contenders and what the server said afterwards.
    pub(super) witness: Vec<WitnessLine>,
    pub(super) aftermath: Option<WitnessLine>,
    /// The order's state in the end.
    pub(super) state: Option<String>,
    /// Rows of the ledger in the end, where it was read.
    pub(super) charges: Option<usize>,
}

impl Raced {
    /// The finding that the act is about, if a raced round showed it.
    pub(super) fn finding(&self, act: Act) -> Option<&FindingResult> {
        (self.result.findings.iter()).find(|finding| Some(finding.kind) == act.finds() && finding.count > 0)
    }
}

/// What an act races.
pub(super) fn plan(act: Act) -> Plan {
    let api = builtin::api(act.api()).expect("the acts' descriptions are built in");
    plan_with(act, &api)
}

fn plan_with(act: Act, api: &Arc<crate::api::Api>) -> Plan {
    let all = catalog::all();
    let scenario = all.iter().find(|scenario| scenario.name.get_ref() == act.scenario());
    let scenario = scenario.expect("the acts' scenarios are built in");
    Plan::resolve(scenario, api, None).expect("a built-in scenario fits its description")
}

/// Races an act; none: it was interrupted.
pub(super) async fn race(
    act: Act,
    show: &Show,
    observer: &dyn Observer,
    stop: &Stop,
) -> Result<Option<Raced>, DemoError> {
    // Kept as long as it is read.
    let folder = tempfile::Builder::new().prefix("quickeats-demo-").tempdir();
    let folder = folder.map_err(|cause| DemoError::Folder { cause })?;
    let config = config(act, show, folder.path());
    let Run { result, folder: record, unsaved } = match run::run(&config, observer, stop).await {
        Ok(done) => done,
        Err(_) if stop.is_asked() => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if result.interrupted {
        return Ok(None);
    }
    let RunResult { mut scenarios, .. } = result;
    let result = scenarios.pop().expect("one scenario was raced");
    let mut raced = Raced { result, record: Err(String::new()) };
    raced.record = match unsaved {
        Some(error) => Err(error.to_string()),
        None => read(&record.join("history.jsonl")).map(|history| Record::new(&history, raced.finding(act))),
    };
    Ok(Some(raced))
}

fn config(act: Act, show: &Show, out: &Path) -> RunConfig {
    let secret = Secret::random();
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    let api = builtin::api(act.api()).expect("the acts' descriptions are built in");
    let credentials = Credentials::minting(secret.clone(), now + LIFETIME_SECONDS);
    let api = Arc::new((*api).clone().with_credentials(credentials));
    RunConfig {
        plans: vec![plan_with(act, &api)],
        api,
        target: TargetChoice::InProcess(Box::new(ServiceConfig {
            auth: Auth::Jwt(secret),
            defect: act.defect(),
            ..ServiceConfig::default()
        })),
        extent: Extent::rounds(show.rounds),
        parallel: Parallel::Auto,
        max_rate: None,
        delivery: Delivery::default(),
        sweep: false,
        replay: std::collections::BTreeMap::default(),
        seed: show.seed,
        timeout: TIMEOUT,
        fail_on: Severity::Violation,
        thresholds: Thresholds::default(),
        out: out.to_owned(),
        rerun: Rerun {
            arguments: Vec::new(),
            out: out.display().to_string(),
            files: std::collections::BTreeMap::new(),
        },
    }
}

fn read(path: &Path) -> Result<History, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let saved = jsonl::read(BufReader::new(file)).map_err(|error| error.to_string())?;
    saved.scenarios.into_iter().next().map(|(_, history)| history).ok_or_else(|| "it is empty".to_owned())
}

impl Record {
    fn new(history: &History, finding: Option<&FindingResult>) -> Self {
        let raced = || history.rounds().filter(|(round, _)| round.is_raced());
        let heard = |meaning| {
            let is_heard = |operations| contenders(operations).any(|contender| heard(contender) == Some(meaning));
            raced().filter(|(_, operations)| is_heard(operations)).count()
        };
        let telling = match finding {
            Some(finding) => raced().find(|(round, _)| round.number() == finding.first_round),
            None => raced()
                .filter(|(_, operations)| telling(operations) > 0)
                .max_by_key(|(round, operations)| (telling(operations), std::cmp::Reverse(round.number()))),
        };
        Self {
            shown: telling.map(|(round, operations)| Shown::new(round, operations, finding)),
            refused: heard(Meaning::Stale),
            replayed: heard(Meaning::Replayed),
            in_progress: heard(Meaning::InProgress),
        }
    }
}

fn contenders(operations: &[Operation]) -> impl Iterator<Item = &Operation> + Clone {
    operations.iter().filter(|operation| operation.phase == Phase::Contend)
}

fn heard(operation: &Operation) -> Option<Meaning> {
    operation.outcome.reply().map(|reply| reply.meaning)
}

/// How well a sound round shows that one of two was told yes, and the other the truth.
fn telling(operations: &[Operation]) -> u8 {
    let heard = |meaning| contenders(operations).filter(|contender| heard(contender) == Some(meaning)).count();
    if heard(Meaning::Applied) != 1 || !overlapped(contenders(operations)) {
        return 0;
    }
    if heard(Meaning::Stale) + heard(Meaning::Replayed) == 1 { 2 } else { 1 }
}

impl Shown {
    fn new(round: RoundId, operations: &[Operation], finding: Option<&FindingResult>) -> Self {
        let origin: Option<Stamp> = contenders(operations).map(|contender| contender.window.opened).min();
        let told = |operation: &Operation| WitnessLine::new(operation, origin);
        let last = |verb: &Verb| {
            let looked = |operation: &&Operation| operation.phase == Phase::Observe && operation.call.verb == *verb;
            operations.iter().rev().find(looked)
        };
        let (read, ledger) = (last(&Verb::Read), last(&Verb::ListEffects));
        let reply = |operation: Option<&Operation>| operation.and_then(|operation| operation.outcome.reply().cloned());
        let charges = reply(ledger).and_then(|reply| reply.records).map(|rows| rows.len());
        let contenders: Vec<WitnessLine> = contenders(operations).map(told).collect();
        let (witness, aftermath) = if let Some(finding) = finding {
            (finding.witness.clone(), finding.aftermath.clone())
        } else {
            // The ledger tells something where money is raced for.
            let is_paid = contenders.iter().any(|line| line.idempotency_key.is_some());
            let ledger = ledger.filter(|_| is_paid).map(told);
            (contenders.iter().cloned().chain(ledger).collect(), read.map(told))
        };
        let state = reply(read).and_then(|reply| reply.state).map(|state| state.to_string());
        Self { number: round.number(), contenders, witness, aftermath, state, charges }
    }
}
