//! One load: start the service if asked, look whether the target can be loaded, load it, judge meanwhile, save.
//!
//! ```text
//! look ──► rehearse (one client alone) ──► load ──► result
//!                     │                     │  once a second: Snapshot ──► observer
//!                     └──── histories ──────┴──► judge (a thread of its own)
//! ```

mod collect;
pub(super) mod judging;
mod origin;
pub(super) mod save;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::in_process::InProcess;
use super::{RunError, TargetChoice, book, describe, login, look};
use crate::api::Request;
use crate::check::Severity;
use crate::clock::{Clock, Stamp};
use crate::history::Digest;
use crate::load::{Joint, Load, Outlet, What, Which, queue, start};
use crate::load_result::{LoadEvent, LoadObserver, LoadResult};
use crate::race::Stop;
use crate::run_result::Rerun;
use crate::seed::Seed;
use crate::service::{ServiceConfig, StoreChoice};
use crate::target::{HttpTarget, Patience, Prepared, Route, RouteError};
use crate::traffic::{Part, Shape, Threshold, TrafficPlan};
use collect::Collector;
use judging::{Bench, Judge};
use origin::Origin;

/// How many requests one client makes alone, before the load.
const REHEARSAL: u64 = 60;
/// The in-process service keeps orders that nobody changes any more for so long, at least: a load makes millions.
const RETENTION: Duration = Duration::from_secs(20);
/// What a client does beside the steps of its journey, between two requests that must meet the same order: a walk, the look at what
/// became of it, a visit elsewhere.
const ASIDE: u32 = 32;
/// The load begins so much later than all is ready, so that all its threads are.
const RUN_UP: Duration = Duration::from_millis(100);

/// Everything a load is asked to do.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// What is sent.
    pub subject: Subject,
    /// What is loaded.
    pub target: TargetChoice,
    /// When requests begin.
    pub shape: Shape,
    /// How many clients this process has.
    pub clients: u32,
    /// On how many threads.
    pub threads: u32,
    /// Which part of the whole load this process is.
    pub part: Part,
    /// How many requests this process sends at most.
    pub requests: Option<u64>,
    /// How long a closed load lasts.
    pub duration: Option<Duration>,
    /// What is left out of the figures.
    pub warm_up: Duration,
    /// The limit for one request.
    pub timeout: Duration,
    /// When it begins, if it must not begin at once.
    pub start_at: Option<jiff::Timestamp>,
    /// The seed of all choices.
    pub seed: Seed,
    /// The severity from which on a finding fails the load.
    pub fail_on: Severity,
    /// Resources that are there already, and that all act on.
    pub hot_ids: Vec<Arc<str>>,
    /// Limits.
    pub thresholds: Vec<Threshold>,
    /// Whether a crossed limit ends the load.
    pub abort_on_fail: bool,
    /// Whether a violation ends it.
    pub stop_on_violated: bool,
    /// Whether the history of every resource is saved.
    pub saves_all: bool,
    /// The folder that the load's own folder goes into.
    pub out: PathBuf,
    /// What to say to make it again, secrets left out.
    pub rerun: Rerun,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum Subject {
    /// Traffic, whose answers are judged.
    Traffic(Arc<TrafficPlan>),
    /// One request over and over.
    Plain(Box<Request>),
}

/// A load that was made.
#[derive(Debug)]
pub struct LoadRun {
    /// What it came to.
    pub result: LoadResult,
    /// The folder it was saved in.
    pub folder: PathBuf,
    /// What could not be saved. It was judged all the same.
    pub unsaved: Option<RunError>,
}

/// Makes the load.
///
/// # Errors
/// If the target cannot be loaded at all, or the folder not be made. What goes wrong later loses nothing.
pub async fn load(config: &LoadConfig, observer: &dyn LoadObserver, stop: &Stop) -> Result<LoadRun, RunError> {
    let clock = Clock::start();
    let origin = Origin::of(clock, config.seed);
    let started_at = jiff::Timestamp::now();
    let service = match &config.target {
        TargetChoice::InProcess(service) => Some(InProcess::start(config.kept_in_bounds(service), false).await?),
        TargetChoice::Remote { .. } => None,
    };
    let endpoint = match (&config.target, &service) {
        (TargetChoice::Remote { endpoint, .. }, _) => (**endpoint).clone(),
        (TargetChoice::InProcess(_), Some(service)) => service.endpoint().clone(),
        (TargetChoice::InProcess(_), None) => unreachable!("started above"),
    };
    let url = endpoint.to_string();
    let patience = Patience { request: config.timeout };
    let route = Route::new(&endpoint, clock, patience).await.map_err(|error| unusable(&url, &error))?;
    let subject = ready(config, &endpoint, clock, &url, stop).await?;
    let (folder, run_id) = book::make_folder(&config.out, started_at)?;
    let cannot_spill = |cause| RunError::Report { path: folder.clone(), cause };
    let (outlet, inlet) = queue(&folder).map_err(cannot_spill)?;
    let what = what(&subject, &route, &url)?;
    let traffic = subject.name();
    observer.on(&LoadEvent::Started { target: &url, traffic: &traffic, seed: config.seed.value() });
    let halt = Stop::default();
    let common_begin = config.common_begin(clock);
    let judge = match &subject {
        Subject::Plain(_) => None,
        Subject::Traffic(plan) if !plan.is_judged() => None,
        Subject::Traffic(plan) => {
            let bench = Bench {
                api: Arc::clone(&plan.api),
                clients: config.clients,
                fail_on: config.fail_on,
                saves_all: config.saves_all,
                history: folder.join("history.jsonl"),
                seed: config.seed,
                part: config.part,
            };
            Some(Judge::start(bench, inlet).map_err(cannot_spill)?)
        }
    };
    let nonce = Seed::arbitrary();
    if judge.is_some() {
        let alone = config.rehearsal(what.clone(), nonce.child("alone"));
        run(alone, &route, clock, clock.now(), stop, outlet.clone()).await;
    }
    let (told, mut hears) = mpsc::unbounded_channel();
    let begin = common_begin.map_or_else(|| clock.now(), |begin| begin.max(clock.now()));
    let begin = begin.max(Stamp::from_nanos(clock.now().nanos() + nanos(RUN_UP)));
    let joint = config.joint(&subject, common_begin.map(|common| begin.since(common)), observer);
    let load = Load { joint: joint.clone(), ..config.load(what, nonce) };
    let threads = start(load, &route, clock, begin, &halt, outlet, told).map_err(cannot_spill)?;
    let mut collector = Collector::new(config, subject.labels(), begin, clock);
    collector.listen(&mut hears, judge.as_ref(), observer, (stop, &halt)).await;
    for thread in threads {
        // It has told all that it had to tell.
        let broken = match tokio::task::spawn_blocking(move || thread.join()).await {
            Ok(Ok(Ok(()))) => continue,
            Ok(Ok(Err(error))) => format!("a thread of the load broke down: {error}"),
            Ok(Err(_)) | Err(_) => "a thread of the load broke down: it panicked".to_owned(),
        };
        observer.on(&LoadEvent::Notice(&broken));
        collector.broke_down(broken);
    }
    let mut sentence = None;
    if let Some(judge) = judge {
        // Whatever was spilled is judged now, which may take a while.
        sentence = tokio::task::spawn_blocking(move || judge.finish()).await.ok();
        if sentence.is_none() {
            collector.broke_down("the judge broke down: it panicked".to_owned());
        }
    }
    drop(service);
    let clock = (config.part != Part::WHOLE).then(|| origin.at_the_end(clock, begin));
    let joint = joint.map(|joint| config.digest(&subject, &joint));
    let facts = save::Facts { run_id, started_at, url, traffic, interrupted: stop.is_asked(), clock, joint };
    Ok(save::conclude(config, &subject, &collector, sentence, facts, folder))
}

impl Subject {
    /// Its name, for people.
    fn name(&self) -> String {
        match self {
            Self::Traffic(plan) => plan.name.clone(),
            Self::Plain(request) => format!("{} {}", request.method, request.path),
        }
    }

    fn labels(&self) -> Arc<[Arc<str>]> {
        match self {
            Self::Traffic(plan) => Arc::clone(&plan.labels),
            Self::Plain(_) => [Arc::from(self.name())].into(),
        }
    }
}

impl LoadConfig {
    /// The service for a load of any length: in memory it forgets what nobody comes back to.
    fn kept_in_bounds(&self, service: &ServiceConfig) -> ServiceConfig {
        let is_in_memory = matches!(service.store, StoreChoice::Memory);
        ServiceConfig { retention: is_in_memory.then(|| self.retention()), ..service.clone() }
    }

    /// No client may come back to an order, or with a key, that was forgotten: a sound service would be blamed for it. So orders are kept
    /// for as long as all the turns of the longest journey may take, and for a few requests that run into their limit.
    fn retention(&self) -> Duration {
        let Subject::Traffic(plan) = &self.subject else { return RETENTION };
        let steps = plan.journeys.iter().map(|journey| journey.steps.len()).max().unwrap_or(0);
        let turns = u32::try_from(steps).unwrap_or(u32::MAX).saturating_add(ASIDE);
        let thinking = plan.think.as_ref().map_or(Duration::ZERO, |think| think.end);
        let pause = thinking.saturating_add(self.shape.longest_pause(self.clients));
        RETENTION.max(self.timeout.saturating_mul(4)).saturating_add(pause.saturating_mul(turns))
    }

    /// When all processes of the load begin, by this one's clock. (A moment before that clock began is its first.)
    fn common_begin(&self, clock: Clock) -> Option<Stamp> {
        let (now, left) = (clock.now(), self.start_at?.duration_since(jiff::Timestamp::now()));
        let nanos = i128::from(now.nanos()) + left.as_nanos();
        Some(Stamp::from_nanos(u64::try_from(nanos).unwrap_or(0)))
    }

    /// What all processes act on, if there are several and they can agree on it. `late`: how much later than all together this one begins.
    fn joint(&self, subject: &Subject, late: Option<Duration>, observer: &dyn LoadObserver) -> Option<Joint> {
        let Subject::Traffic(plan) = subject else { return None };
        if !self.hot_ids.is_empty() {
            // Of one process alone nobody else need know the keys.
            let seed = self.start_at.map_or_else(Seed::arbitrary, |start_at| self.seed.child(&start_at.to_string()));
            return Some(Joint { seed: seed.child("joint"), which: Which::Given(self.hot_ids.clone()) });
        }
        if self.part == Part::WHOLE || plan.hot.share <= 0.0 || plan.hot.resources == 0 || !Joint::suits(&plan.api) {
            return None;
        }
        let (Some(late), Some(start_at)) = (late, self.start_at) else {
            observer.on(&LoadEvent::Notice(
                "without --start-at the shards agree on no resources, and none is in another's way",
            ));
            return None;
        };
        let seed = self.seed.child("joint").child(&start_at.to_string());
        Some(Joint { seed, which: Which::Agreed { resources: plan.hot.resources, late } })
    }

    /// What the resources that all processes act on follow from, as one word.
    fn digest(&self, subject: &Subject, joint: &Joint) -> String {
        let Subject::Traffic(plan) = subject else { return String::new() };
        let name = plan.api.dialect.made_id("joint").unwrap_or_default();
        let which = match &joint.which {
            Which::Agreed { resources, .. } => resources.to_string(),
            Which::Given(ids) => format!("{ids:?}"),
        };
        let told = format!("{} {which} {} {name} {}", joint.seed, self.part.of, plan.api.source);
        format!("{:016x}", Digest::of(told.as_bytes()).0)
    }

    fn load(&self, what: What, nonce: Seed) -> Load {
        Load {
            what,
            shape: self.shape.clone(),
            clients: self.clients,
            threads: self.threads.min(self.clients),
            part: self.part,
            requests: self.requests,
            duration: self.duration,
            warm_up: self.warm_up,
            timeout: self.timeout,
            is_alone: false,
            joint: None,
            seed: self.seed,
            nonce,
        }
    }

    /// One client alone, to be compared with.
    fn rehearsal(&self, what: What, nonce: Seed) -> Load {
        Load {
            shape: Shape::Closed,
            clients: 1,
            threads: 1,
            requests: Some(REHEARSAL),
            duration: Some(Duration::from_secs(5)),
            is_alone: true,
            seed: self.seed.child("alone"),
            ..self.load(what, nonce)
        }
    }
}

/// Makes a load of which nothing is measured.
async fn run(load: Load, route: &Route, clock: Clock, begin: Stamp, stop: &Stop, outlet: Outlet) {
    let (told, mut hears) = mpsc::unbounded_channel();
    let Ok(threads) = start(load, route, clock, begin, stop, outlet, told) else { return };
    while hears.recv().await.is_some() {}
    for thread in threads {
        // What it came to is in the history.
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// The subject, with everybody logged in, at a target that can be loaded.
async fn ready(
    config: &LoadConfig,
    endpoint: &crate::target::Endpoint,
    clock: Clock,
    url: &str,
    stop: &Stop,
) -> Result<Subject, RunError> {
    let Subject::Traffic(plan) = &config.subject else { return Ok(config.subject.clone()) };
    let target = HttpTarget::new(endpoint.clone(), clock, Patience { request: config.timeout })?;
    let api = login::log_in(&plan.api, &target, url, stop).await?;
    look::look(&api, &target, url, stop).await?;
    look::look_at(&config.hot_ids, &api, &target, url).await?;
    let mut plan = (**plan).clone();
    plan.api = api;
    Ok(Subject::Traffic(Arc::new(plan)))
}

fn what(subject: &Subject, route: &Route, url: &str) -> Result<What, RunError> {
    Ok(match subject {
        Subject::Traffic(plan) => What::Traffic(Arc::clone(plan)),
        Subject::Plain(request) => What::Plain(Arc::new(Prepared::new(route, request).map_err(|failure| {
            let (why, help) = (failure.cause().to_string(), "look at the headers that are sent".to_owned());
            RunError::TargetUnusable { target: url.to_owned(), why, help }
        })?)),
    })
}

fn unusable(url: &str, error: &RouteError) -> RunError {
    let help = "is the server running, and is the URL right?".to_owned();
    RunError::TargetUnusable { target: url.to_owned(), why: error.to_string(), help }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 4)
}
