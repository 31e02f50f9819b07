//! `quickeats-bench load`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use super::args::Format;
use super::args::load::{LoadArgs, StopOn};
use super::args::report::ReportFormat;
use super::resolve::{self, DEFAULT_API, is_file};
use super::saved::SavedRun;
use super::watch::Watch;
use super::{Failure, credentials, print, print_exactly, race, report, rerun, usage, workflow};
use crate::api::{Api, Family, Request};
use crate::jwt::Secret;
use crate::race::Stop;
use crate::report::Json;
use crate::run::TargetChoice;
use crate::run::load::{LoadConfig, LoadRun, Subject, load};
use crate::run_result::Exit;
use crate::seed::Seed;
use crate::service::ServiceConfig;
use crate::traffic::{Part, Shape, Spacing, Stage, Traffic, TrafficPlan, built_in};

/// How many clients there are, unless the user says otherwise.
const CLIENTS: u32 = 64;
const CLIENTS_BY_THE_CLOCK: u32 = 256;
/// How long a load lasts, unless the user says otherwise.
const DURATION: Duration = Duration::from_secs(10);

pub(super) async fn main(args: LoadArgs, stop: &Stop) -> Result<Exit, Failure> {
    let config = resolved(&args).map_err(usage)?;
    let watch = Watch::begin(args.quiet, args.metrics_addr).await.map_err(usage)?;
    let loaded = load(&config, &watch, stop).await;
    // A board leaves the terminal before anything else is printed.
    drop(watch);
    let done = match loaded {
        Ok(done) => done,
        Err(error) => {
            let exit = if stop.is_asked() { Exit::Interrupted } else { error.exit() };
            return Err(Failure { error: error.into(), exit });
        }
    };
    show(done, args.format, args.quiet, &args.report)
}

/// Prints what a load came to, and says where it was saved.
pub(super) fn show(done: LoadRun, format: Format, is_quiet: bool, formats: &[ReportFormat]) -> Result<Exit, Failure> {
    let LoadRun { result, folder, unsaved } = done;
    // Before anything is printed: who reads stdout may go away, and loses no report by it.
    let result = SavedRun::Load(Box::new(result));
    let reports = report::beside(&folder, formats, &result);
    let written = if reports.is_empty() { Ok(String::new()) } else { report::write(&result, &reports) };
    let mut saved = format!("aved in {}\n", folder.display());
    if let (Ok(files), false) = (&written, reports.is_empty()) {
        let _ = writeln!(saved, "Reports: {files}");
    }
    match format {
        Format::Table => {
            print(&result.render(&race::terminal()))?;
            if unsaved.is_none() {
                print(&format!("S{saved}"))?;
            }
        }
        Format::Json => {
            print_exactly(&result.render(&Json))?;
            if !is_quiet && unsaved.is_none() {
                // stdout is the JSON alone.
                let _ = write!(io::stderr(), "s{saved}");
            }
        }
    }
    workflow::tell(&result);
    if let Some(error) = unsaved {
        return Err(usage(error));
    }
    written.map_err(usage)?;
    Ok(race::exit_of(result.exit_code()))
}

fn resolved(args: &LoadArgs) -> anyhow::Result<LoadConfig> {
    let (subject, target) = match &args.url {
        Some(url) => plain(args, url)?,
        None => traffic(args)?,
    };
    let shape = shape(args)?;
    let is_open = shape != Shape::Closed;
    let seed = args.seed.map_or_else(Seed::arbitrary, Seed::new);
    let lasts = shape.duration().or(args.duration);
    let duration = match (&shape, args.duration, args.requests) {
        (Shape::Open { .. }, ..) | (Shape::Closed, None, Some(_)) => None,
        (Shape::Closed, given, _) => Some(given.unwrap_or(DURATION)),
    };
    if lasts.or(duration).is_some_and(|lasts| args.warm_up >= lasts) {
        bail!("--warm-up {:?} leaves nothing to measure\n  = help: let the load last longer", args.warm_up);
    }
    let mut thresholds = match &subject {
        Subject::Traffic(plan) => plan.thresholds.clone(),
        Subject::Plain(_) => Vec::new(),
    };
    thresholds.extend(args.threshold.iter().cloned());
    check_labels(args, &subject)?;
    let part = args.shard.map_or(Part::WHOLE, |shard| shard.0);
    let hot_ids = hot_ids(args, &subject)?;
    Ok(LoadConfig {
        rerun: rerun::rerun_load(args, &target, seed.value()),
        subject,
        target,
        shape,
        clients: args.clients.unwrap_or(if is_open { CLIENTS_BY_THE_CLOCK } else { CLIENTS }),
        threads: threads(args.threads),
        part,
        requests: args.requests.map(|requests| part.share(requests)),
        duration,
        warm_up: args.warm_up,
        timeout: args.timeout,
        start_at: args.start_at,
        seed,
        fail_on: args.fail_on.into(),
        hot_ids,
        thresholds,
        abort_on_fail: args.abort_on_fail,
        stop_on_violated: args.stop_on == Some(StopOn::Violated),
        saves_all: args.save_all || args.shard.is_some(),
        out: args.out.clone(),
    })
}

/// How many threads a load has: half of the cores, unless the user says otherwise.
pub(super) fn threads(asked: Option<u32>) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked.unwrap_or_else(|| u32::try_from((cores / 2).max(1)).unwrap_or(1))
}

/// The traffic of an API that no file says: built in, or made for any.
pub(super) fn traffic_for(api: &Arc<Api>) -> anyhow::Result<TrafficPlan> {
    let is_for = |traffic: &Traffic| traffic.apis.iter().any(|name| *name.get_ref() == *api.name);
    Ok(match built_in().into_iter().find(is_for) {
        Some(traffic) => TrafficPlan::resolve(&traffic, api)?,
        None => TrafficPlan::generic(api),
    })
}

/// The reference service, ready for so many connections.
pub(super) fn loaded(service: ServiceConfig, clients: u32) -> ServiceConfig {
    // A client that clicks twice has two connections.
    let connection_limit = service.connection_limit.max(2 * clients as usize + 64);
    ServiceConfig { connection_limit, ..service }
}

/// Resources that are there already, each once.
fn hot_ids(args: &LoadArgs, subject: &Subject) -> anyhow::Result<Vec<Arc<str>>> {
    let mut ids: Vec<Arc<str>> = Vec::new();
    for id in &args.hot_id {
        if !ids.iter().any(|known| **known == **id) {
            ids.push(id.as_str().into());
        }
    }
    let Subject::Traffic(plan) = subject else { return Ok(ids) };
    if ids.is_empty() {
        return Ok(ids);
    }
    if plan.hot.share <= 0.0 {
        bail!(
            "--hot-id names what all clients act on, and no request is to go there\n  = help: say what share, such as --hot 5%"
        );
    }
    if !plan.api.dialect.reads() || plan.api.model.family == Family::Effects {
        bail!(
            "--hot-id: nothing shows what a {} of `{}` was before the load, so what becomes of it could not be judged",
            plan.api.model.noun,
            plan.api.name
        );
    }
    if plan.api.model.lags.reads {
        bail!(
            "--hot-id: reads of `{}` may lag, by its description, so nothing tells how a {} began",
            plan.api.name,
            plan.api.model.noun
        );
    }
    if args.shard.is_some() && args.start_at.is_none() {
        bail!(
            "--hot-id needs --start-at where there are shards: each looks at the resource first, before any of them acts on it"
        );
    }
    Ok(ids)
}

fn shape(args: &LoadArgs) -> anyhow::Result<Shape> {
    let stages: Vec<Stage> = match (args.rate, args.duration) {
        (Some(rate), Some(duration)) => {
            let duration_ms = u64::try_from(duration.as_millis()).context("--duration")?;
            vec![Stage { duration_ms, from: rate, to: rate }]
        }
        _ => args.stage.iter().map(|typed| typed.stage).collect(),
    };
    if stages.is_empty() {
        if args.poisson {
            bail!(
                "--poisson is about requests that begin by the clock\n  = help: say at which rate, with --rate or --stage"
            );
        }
        return Ok(Shape::Closed);
    }
    let arrivals = if args.poisson { Spacing::Poisson } else { Spacing::Constant };
    let shape = Shape::Open { stages, arrivals };
    if shape.offers().is_some_and(|requests| requests < 1.0) {
        bail!("the stages offer less than one request\n  = help: give them a higher rate, or more time");
    }
    Ok(shape)
}

/// A limit on requests of a kind must be on one that there is.
fn check_labels(args: &LoadArgs, subject: &Subject) -> anyhow::Result<()> {
    for threshold in &args.threshold {
        let Some(label) = &threshold.label else { continue };
        let known: Vec<&str> = match subject {
            Subject::Traffic(plan) => plan.labels.iter().map(|label| &**label).collect(),
            Subject::Plain(_) => Vec::new(),
        };
        if !known.contains(&label.as_str()) {
            return Err(resolve::unknown(
                "kind of request",
                label,
                known.iter().copied(),
                "leave out what is before the dot for all",
            ))
            .context("--threshold");
        }
    }
    Ok(())
}

/// One URL, read over and over.
fn plain(args: &LoadArgs, url: &str) -> anyhow::Result<(Subject, TargetChoice)> {
    let parsed = url::Url::parse(url).with_context(|| format!("`{}` is not a URL", crate::text::harmless(url, 200)))?;
    let mut base = parsed.clone();
    base.set_path("");
    base.set_query(None);
    base.set_fragment(None);
    let endpoint = resolve::remote("URL", base.as_str(), args.allow_remote, &args.tls)?;
    let path = parsed.query().map_or_else(|| parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
    let headers = credentials::headers(&args.credentials)?;
    let headers = headers.headers().iter().map(|(name, value)| (Arc::clone(name), Arc::clone(value))).collect();
    let request = Request { method: "GET".into(), path, headers, body: None };
    let target = TargetChoice::Remote { endpoint, replica: None, restart: None };
    Ok((Subject::Plain(Box::new(request)), target))
}

fn traffic(args: &LoadArgs) -> anyhow::Result<(Subject, TargetChoice)> {
    let file = args.traffic.as_deref().map(read_traffic).transpose()?;
    let implied = file.as_ref().and_then(|traffic| traffic.apis.first()).map(|name| name.get_ref().as_str());
    let described = resolve::description(args.api.as_deref().or(implied).unwrap_or(DEFAULT_API))?;
    let (target, credentials) = target(args, &described)?;
    let api = Arc::new(resolve::with_environment((*described).clone())?.with_credentials(credentials));
    if api.dialect.settle().is_some() {
        bail!(
            "`{}` says that reads lag behind ([settle]), and a load does not wait for them: what they show could not be judged\n  = help: race it",
            api.name
        );
    }
    let mut plan = match file {
        Some(traffic) => TrafficPlan::resolve(&traffic, &api)?,
        None => traffic_for(&api)?,
    };
    if let Some(hot) = args.hot {
        plan.hot.share = hot;
    }
    if plan.hot.share > 0.0 && plan.hot.resources == 0 {
        bail!(
            "--hot needs resources that all clients act on, and the traffic has none\n  = help: [hot] resources = 8, in its file"
        );
    }
    if let Some(think) = &args.think {
        plan.think = Some(think.0.clone());
    }
    if args.read_only {
        plan = plan.reads_only().context(
            "--read-only: every journey of this traffic changes something\n  = help: name one URL, or a file whose journeys are made of `get`",
        )?;
    }
    Ok((Subject::Traffic(Arc::new(plan)), target))
}

fn read_traffic(typed: &str) -> anyhow::Result<Traffic> {
    if is_file(typed) {
        return Ok(Traffic::parse(typed, &resolve::read(typed)?)?);
    }
    let all = built_in();
    let names: Vec<String> = all.iter().map(|traffic| traffic.name.get_ref().clone()).collect();
    let found = all.into_iter().find(|traffic| traffic.name.get_ref() == typed);
    found.ok_or_else(|| {
        resolve::unknown("traffic", typed, names.iter().map(String::as_str), "a file's name ends in .toml")
    })
}

fn target(args: &LoadArgs, api: &Api) -> anyhow::Result<(TargetChoice, crate::api::Credentials)> {
    if let Some(typed) = &args.target {
        let endpoint = resolve::remote("--target", typed, args.allow_remote, &args.tls)?;
        let credentials = credentials::given(&args.credentials, api)?;
        return Ok((TargetChoice::Remote { endpoint, replica: None, restart: None }, credentials));
    }
    if !resolve::is_spoken_in_process(api) {
        bail!(
            "the in-process reference service does not speak `{}`\n  = help: aim at a server that does, with --target",
            api.name
        );
    }
    if args.shard.is_some() {
        bail!("--shard is about a server that several processes load\n  = help: start one, and name it with --target");
    }
    let secret = Secret::random();
    let service = resolve::in_process(&args.service, args.timeout, &secret)?;
    let service = loaded(service, args.clients.unwrap_or(CLIENTS_BY_THE_CLOCK));
    Ok((TargetChoice::InProcess(Box::new(service)), credentials::minting(secret)))
}
