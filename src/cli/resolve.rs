//! What the flags mean together: files are read, names looked up, and every contradiction is named here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{MAIN_SEPARATOR, Path};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};

use super::args::RaceArgs;
use super::args::aim::TlsArgs;
use super::args::service::InProcessArgs;
use super::credentials;
use super::replay::Replay;
use super::rerun::rerun;
use super::selection::{self, Asked};
use crate::api::{Api, Credentials, EnvironmentError, builtin};
use crate::event::Event;
use crate::jwt::Secret;
use crate::race::Parallel;
use crate::run::{Extent, RunConfig, TargetChoice, Thresholds};
use crate::seed::Seed;
use crate::service::{Auth, Defect, Latency, LatencyRule, ServiceConfig};
use crate::target::{Endpoint, Trust};
use crate::text::nearest;

/// What is raced unless another API is named.
pub(super) const DEFAULT_API: &str = "quickeats-v2";
/// Requests in a second that a target on another machine gets at most, unless the user says otherwise.
const RATE_FAR_AWAY: f64 = 100.0;

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
    let asked = asked_for.iter().map(|name| Asked::read(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let files = asked_for.iter().zip(&asked).filter_map(|(typed, asked)| Some((asked.file(typed)?, typed.clone())));
    let files = files.collect();
    let described = api(args, &asked, replay.as_ref())?;
    let (target, credentials) = target(args, &described)?;
    let api = Arc::new(with_environment((*described).clone())?.with_credentials(credentials));
    let is_named = !asked.is_empty();
    let scenarios = selection::scenarios(asked, &api)?;
    let (plans, notices) = selection::plans(args, (&api, &scenarios), replay.as_ref(), is_named)?;
    check_in_process(args, &api)?;
    let is_far = matches!(&target, TargetChoice::Remote { endpoint, .. } if !endpoint.is_loopback());
    let config = RunConfig {
        rerun: rerun(args, &target, files),
        api,
        plans,
        target,
        extent: extent(args)?,
        parallel: args.parallel.map_or(Parallel::Auto, Parallel::Rounds),
        max_rate: args.max_rate.or(if is_far { Some(RATE_FAR_AWAY) } else { None }),
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

/// The description that is named; else that of the named scenarios, or of the run that is to be played again.
fn api(args: &RaceArgs, asked: &[Asked], replay: Option<&Replay>) -> anyhow::Result<Arc<Api>> {
    let implied = asked.first().and_then(Asked::api);
    let played = replay.map(|replay| replay.api.as_str());
    let typed = args.api.as_deref().or(implied).or(played).unwrap_or(DEFAULT_API);
    if args.api.is_none() && played == Some(typed) && !is_file(typed) && builtin::api(typed).is_none() {
        bail!(
            "the run that is to be played again raced `{typed}`, which is not built in\n  = help: name its file with --api"
        );
    }
    description(typed)
}

/// The description that `typed` names: a file if it looks like one, else a built-in one.
pub(super) fn description(typed: &str) -> anyhow::Result<Arc<Api>> {
    if is_file(typed) {
        return Ok(Arc::new(Api::parse(typed, &read(typed)?)?));
    }
    builtin::api(typed).ok_or_else(|| unknown("API", typed, builtin::names(), "a file's name ends in .toml"))
}

/// The API with what the environment holds for it. The values are secrets: no error repeats one.
pub(super) fn with_environment(api: Api) -> anyhow::Result<Api> {
    let name = Arc::clone(&api.name);
    api.with_environment(|variable| std::env::var(variable).ok()).map_err(|error| match error {
        EnvironmentError::Missing(variable) => anyhow!(
            "`{name}` needs the environment variable {variable}, and there is none\n  = help: export {variable}=…, or say something else than {{env:{variable}}} in the API description"
        ),
        EnvironmentError::Unfit { ref name, .. } => anyhow!(
            "{error}\n  = help: a header holds visible ASCII characters and blanks: export {name} without the rest, such as the end of a line"
        ),
    })
}

/// What the in-process reference service speaks.
const SPOKEN_IN_PROCESS: [&str; 2] = ["quickeats-v1", DEFAULT_API];

/// Whether the in-process reference service speaks it.
pub(super) fn is_spoken_in_process(api: &Api) -> bool {
    SPOKEN_IN_PROCESS.contains(&&*api.name)
}

/// The reference service speaks two of the built-in APIs, and its defects are mistakes of V2.
fn check_in_process(args: &RaceArgs, api: &Api) -> anyhow::Result<()> {
    // A dry run asks nobody.
    if args.target.is_none() && !args.dry_run && !is_spoken_in_process(api) {
        bail!(
            "the in-process reference service does not speak `{}`\n  = help: aim at a server that does, with --target",
            api.name
        );
    }
    if let Some(defect) = args.service.defect
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
        let service = in_process(&args.service, args.timeout, &secret)?;
        let credentials = if is_spoken_in_process(api) {
            credentials::minting(secret)
        } else {
            credentials::given(&args.credentials, api)?
        };
        return Ok((TargetChoice::InProcess(Box::new(service)), credentials));
    };
    let there = |flag, typed| remote(flag, typed, args.allow_remote, &args.tls);
    let endpoint = there("--target", typed)?;
    let replica = args.replica.as_deref().map(|typed| there("--replica", typed)).transpose()?;
    Ok((
        TargetChoice::Remote { endpoint, replica, restart: args.restart.clone() },
        credentials::given(&args.credentials, api)?,
    ))
}

/// The reference service, as it is to be started; it believes whoever shows a token signed with `secret`.
pub(super) fn in_process(args: &InProcessArgs, timeout: Duration, secret: &Secret) -> anyhow::Result<ServiceConfig> {
    let service = ServiceConfig {
        auth: Auth::Jwt(secret.clone()),
        store: args.store.clone(),
        key_store: args.idempotency_store.clone(),
        strategy: args.strategy,
        latency: latency(&args.latency, timeout.min(ServiceConfig::default().request_timeout))?,
        defect: args.defect,
        defect_window: defect_window(args.defect, args.defect_window)?,
        ..ServiceConfig::default()
    };
    service.check().context("--defect")?;
    Ok(service)
}

/// A server that is there, on this machine unless others are allowed.
pub(super) fn remote(flag: &'static str, typed: &str, allowed: bool, tls: &TlsArgs) -> anyhow::Result<Box<Endpoint>> {
    let endpoint = Endpoint::parse(typed).context(flag)?;
    if !endpoint.is_loopback() && !allowed {
        bail!(
            "{flag} {endpoint} is not on this machine\n  = help: a race loads the server and changes its data; if you may do that there, add --allow-remote"
        );
    }
    Ok(Box::new(endpoint.trusting(trust(tls)?)))
}

/// How TLS is spoken to a target.
fn trust(args: &TlsArgs) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    if let Some(file) = &args.cacert {
        trust = trust.with_roots(file).context("--cacert")?;
    }
    if let (Some(certificate), Some(key)) = (&args.cert, &args.key) {
        trust = trust.with_identity(certificate, key).context("--cert and --key")?;
    }
    if !args.insecure {
        return Ok(trust);
    }
    // Said however quiet it is to be.
    let _ = writeln!(
        io::stderr(),
        "WARNING: --insecure: no certificate is verified. Whoever is on the way can read and change all that is said, tokens included"
    );
    Ok(trust.believing_anyone())
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

pub(super) fn is_file(typed: &str) -> bool {
    Path::new(typed).extension().is_some_and(|extension| extension == "toml") || typed.contains(MAIN_SEPARATOR)
}

/// The text of a file that a person wrote: a regular file, and not a huge one.
pub(super) fn read(path: &str) -> anyhow::Result<String> {
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

pub(super) fn unknown<'a>(
    what: &str,
    typed: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    hint: &str,
) -> anyhow::Error {
    let shown = crate::text::harmless(typed, 80);
    match nearest(typed, known.clone()) {
        Some(name) => anyhow!("unknown {what} `{shown}`\n  = help: did you mean `{name}`?"),
        None => {
            anyhow!("unknown {what} `{shown}`\n  = help: known are {}; {hint}", known.collect::<Vec<_>>().join(", "))
        }
    }
}
