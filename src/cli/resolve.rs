//! What the flags mean together: files are read, names looked up, and every contradiction is named here.

use std::fs;
use std::path::{MAIN_SEPARATOR, Path};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::args::RaceArgs;
use super::credentials;
use super::replay::Replay;
use crate::api::{Api, Credentials, builtin};
use crate::event::Event;
use crate::jwt::Secret;
use crate::race::Parallel;
use crate::run::{Extent, RunConfig, TargetChoice, Thresholds};
use crate::scenario::{Need, Plan, Scenario, catalog};
use crate::seed::Seed;
use crate::service::{Auth, Defect, Latency, LatencyRule, ServiceConfig};
use crate::target::Endpoint;
use crate::text::nearest;

const DEFAULT_API: &str = "quickeats-v2";

/// A run as it is meant, and what the user should know about it.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) config: RunConfig,
    pub(super) notices: Vec<Event<'static>>,
}

/// Resolves `race`'s arguments.
pub(super) fn race(args: &RaceArgs) -> anyhow::Result<Resolved> {
    let replay = args.replay.as_deref().map(Replay::read).transpose()?;
    let asked_for = match &replay {
        Some(replay) if args.scenarios.is_empty() => &replay.scenarios,
        Some(_) | None => &args.scenarios,
    };
    let named = asked_for.iter().map(|name| scenario(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let described = api(args, &named)?;
    let (target, credentials) = target(args, &described)?;
    let api = Arc::new(with_environment((*described).clone())?.with_credentials(credentials));
    let is_named = !named.is_empty();
    let scenarios = if is_named { named } else { scenarios_of(&api)? };
    let mut plans: Vec<Plan> = Vec::new();
    let mut notices = Vec::new();
    for scenario in &scenarios {
        let name = scenario.name.get_ref();
        if !scenario.apis.iter().any(|own| *own.get_ref() == *api.name) {
            let apis: Vec<&str> = scenario.apis.iter().map(|api| api.get_ref().as_str()).collect();
            bail!(
                "scenario `{name}` is for {}, not for `{}`\n  = help: race it with --api {}",
                apis.join(", "),
                api.name,
                apis.first().unwrap_or(&"NAME")
            );
        }
        if replay.as_ref().is_some_and(|replay| !replay.rounds.contains_key(name)) {
            bail!("scenario `{name}` has no rounds in the run that is to be played again");
        }
        if plans.iter().any(|plan| plan.name == *name) {
            bail!("scenario `{name}` is named twice");
        }
        let wanted = args.contenders.map(usize::from);
        let plan = Plan::resolve(scenario, &api, wanted)?;
        if let Some(need) =
            plan.unmet(is_named || args.target.is_none(), args.target.is_none() || args.restart.is_some())
        {
            let why = unmet(need);
            if is_named {
                bail!("scenario `{name}` proves nothing here: {why}");
            }
            notices.push(Event::Notice(format!("{name} is left out: {why}")));
            continue;
        }
        if plan.uses_replica() && args.target.is_some() && args.replica.is_none() {
            notices.push(Event::Notice(format!(
                "{name} retries at the target itself; where the service has several replicas, name another with --replica"
            )));
        }
        if let Some(wanted) = wanted
            && plan.width() != wanted
        {
            notices.push(Event::Notice(format!(
                "{name} races {} contenders, not {wanted}: its file sets the range",
                plan.width()
            )));
        }
        plans.push(plan);
    }
    if plans.is_empty() {
        bail!("no scenario is left to race\n  = help: say who is asking, with --jwt-secret-env or --bearer");
    }
    check_in_process(args, &api)?;
    let config = RunConfig {
        api,
        plans,
        target,
        extent: extent(args)?,
        parallel: args.parallel.map_or(Parallel::Auto, Parallel::Rounds),
        delivery: args.delivery,
        sweep: args.sweep,
        seed: replay.as_ref().map_or_else(|| args.seed.map_or_else(Seed::arbitrary, Seed::new), |replay| replay.seed),
        replay: replay.map(|replay| replay.rounds).unwrap_or_default(),
        timeout: args.timeout,
        fail_on: args.fail_on.into(),
        thresholds: Thresholds { max_p95: args.max_p95, max_412_rate: args.max_412_rate },
        out: args.out.clone(),
    };
    Ok(Resolved { config, notices })
}

/// How long to race. A rule that the rounds cannot reach is a mistake.
fn extent(args: &RaceArgs) -> anyhow::Result<Extent> {
    for rule in &args.until {
        if let Some(needed) = rule.trials_needed()
            && needed > u64::from(args.rounds)
        {
            bail!(
                "--until {rule} takes {needed} rounds that tell of no violation, and --rounds {} are fewer
  = help: give it --rounds {needed} or, as not every round tells, some more",
                args.rounds
            );
        }
    }
    Ok(Extent { rounds: args.rounds, duration: args.duration, until: args.until.clone() })
}

/// Why a scenario proves nothing against a target.
fn unmet(need: Need) -> String {
    match need {
        Need::Roles => {
            "nothing tells the target who is asking; say it with --jwt-secret-env, or a --bearer for each role"
        }
        Need::Persons => "nothing tells the target two persons of one role apart; --jwt-secret-env does",
        Need::Restart => "nothing can restart the target; --restart COMMAND says what does",
        Need::Asides => {
            "the target may not speak what stands aside of the API (version 1); name the scenario to race it"
        }
    }
    .to_owned()
}

/// The scenario that `typed` names: a file if it looks like one, else a built-in.
pub(super) fn scenario(typed: &str) -> anyhow::Result<Scenario> {
    if is_file(typed) {
        return Ok(Scenario::parse(typed, &read(typed)?)?);
    }
    let mut all = catalog::all();
    if let Some(index) = all.iter().position(|scenario| scenario.name.get_ref() == typed) {
        return Ok(all.swap_remove(index));
    }
    let names = all.iter().map(|scenario| scenario.name.get_ref().as_str());
    Err(unknown("scenario", typed, names, "`quickeats-bench scenarios` lists them; a file's name ends in .toml"))
}

fn api(args: &RaceArgs, named: &[Scenario]) -> anyhow::Result<Arc<Api>> {
    let implied = named.first().and_then(|scenario| scenario.apis.first()).map(|api| api.get_ref().as_str());
    let typed = args.api.as_deref().or(implied).unwrap_or(DEFAULT_API);
    if is_file(typed) {
        return Ok(Arc::new(Api::parse(typed, &read(typed)?)?));
    }
    builtin::api(typed).ok_or_else(|| unknown("API", typed, builtin::names(), "a file's name ends in .toml"))
}

/// The API with what the environment holds for it. The values are secrets: no error repeats one.
fn with_environment(api: Api) -> anyhow::Result<Api> {
    let name = Arc::clone(&api.name);
    api.with_environment(|variable| std::env::var(variable).ok()).map_err(|variable| {
        anyhow!(
            "`{name}` needs the environment variable {variable}, and there is none\n  = help: export {variable}=…, or say something else than {{env:{variable}}} in the API description"
        )
    })
}

fn scenarios_of(api: &Api) -> anyhow::Result<Vec<Scenario>> {
    let mut all = catalog::all();
    all.retain(|scenario| scenario.apis.iter().any(|own| *own.get_ref() == *api.name));
    if all.is_empty() {
        bail!("no built-in scenario is for `{}`\n  = help: name a scenario file", api.name);
    }
    Ok(all)
}

/// The reference service speaks the built-in APIs alone, and its defects are mistakes of V2.
fn check_in_process(args: &RaceArgs, api: &Api) -> anyhow::Result<()> {
    if args.target.is_none() && builtin::api(&api.name).is_none() {
        bail!(
            "the in-process reference service does not speak `{}`\n  = help: aim at a server that does, with --target",
            api.name
        );
    }
    if let Some(defect) = args.defect
        && *api.name != *DEFAULT_API
    {
        bail!("--defect {defect} is a mistake of {DEFAULT_API}, and `{}` is raced", api.name);
    }
    Ok(())
}

/// What to race against, and how to say there who is asking. The reference service believes a secret of this run's own.
fn target(args: &RaceArgs, api: &Api) -> anyhow::Result<(TargetChoice, Credentials)> {
    let Some(typed) = &args.target else {
        let secret = Secret::random();
        let service = ServiceConfig {
            auth: Auth::Jwt(secret.clone()),
            store: args.store.clone(),
            key_store: args.idempotency_store.clone(),
            strategy: args.strategy,
            latency: latency(&args.latency, args.timeout.min(ServiceConfig::default().request_timeout))?,
            defect: args.defect,
            defect_window: defect_window(args.defect, args.defect_window)?,
            ..ServiceConfig::default()
        };
        service.check().context("--defect")?;
        return Ok((TargetChoice::InProcess(Box::new(service)), credentials::minting(secret)));
    };
    let endpoint = remote("--target", typed, args.allow_remote)?;
    let replica = args.replica.as_deref().map(|typed| remote("--replica", typed, args.allow_remote)).transpose()?;
    Ok((TargetChoice::Remote { endpoint, replica, restart: args.restart.clone() }, credentials::given(args, api)?))
}

/// A server that is there, on this machine unless others are allowed.
fn remote(flag: &'static str, typed: &str, allowed: bool) -> anyhow::Result<Box<Endpoint>> {
    let endpoint = Endpoint::parse(typed).context(flag)?;
    if !endpoint.is_loopback() && !allowed {
        bail!(
            "{flag} {endpoint} is not on this machine\n  = help: a race loads the server and changes its data; if you may do that there, add --allow-remote"
        );
    }
    Ok(Box::new(endpoint))
}

/// What is added to the defect's gap. Only a mistake that is a gap can be widened.
pub(super) fn defect_window(defect: Option<Defect>, window: Option<Duration>) -> anyhow::Result<Duration> {
    if let (Some(defect), Some(_)) = (defect, window)
        && !defect.has_window()
    {
        bail!(
            "--defect-window: `{defect}` is no gap between check and act, there is nothing to widen\n  = help: leave it out, this defect shows every time"
        );
    }
    Ok(window.unwrap_or_default())
}

/// How long actions take, if anybody waits that long.
pub(super) fn latency(rules: &[LatencyRule], limit: Duration) -> anyhow::Result<Latency> {
    let latency: Latency = rules.iter().copied().collect();
    if latency.longest() >= limit {
        bail!(
            "--latency: an action that takes {:?} is given up after {limit:?}, before it is answered\n  = help: let it take less",
            latency.longest()
        );
    }
    Ok(latency)
}

fn is_file(typed: &str) -> bool {
    Path::new(typed).extension().is_some_and(|extension| extension == "toml") || typed.contains(MAIN_SEPARATOR)
}

/// The text of a file that a person wrote: a regular file, and not a huge one.
fn read(path: &str) -> anyhow::Result<String> {
    const LARGEST: u64 = 1 << 20;
    let shown = crate::text::harmless(path, 200);
    let facts = fs::metadata(path).with_context(|| format!("{shown} cannot be read"))?;
    if !facts.is_file() {
        bail!("{shown} is not a file\n  = help: name a TOML file");
    }
    if facts.len() > LARGEST {
        bail!("{shown} has {} bytes, and at most {LARGEST} are read", facts.len());
    }
    fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))
}

fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str> + Clone, hint: &str) -> anyhow::Error {
    let shown = crate::text::harmless(typed, 80);
    match nearest(typed, known.clone()) {
        Some(name) => anyhow!("unknown {what} `{shown}`\n  = help: did you mean `{name}`?"),
        None => {
            anyhow!("unknown {what} `{shown}`\n  = help: known are {}; {hint}", known.collect::<Vec<_>>().join(", "))
        }
    }
}
