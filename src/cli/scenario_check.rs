//! `quickeats-bench scenarios check`: what is wrong with files; and, with a target, what is read from its replies.

use std::io::{self, Write as _};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};

use super::args::aim::ScenarioCheckArgs;
use super::resolve::{self, is_file};
use super::selection::{self, Asked};
use super::{Failure, credentials, print, race, unusable, usage};
use crate::api::{Api, Credentials, builtin};
use crate::clock::Clock;
use crate::probe::{Player, outline};
use crate::probe_result::Played;
use crate::race::Stop;
use crate::report::Detail;
use crate::run_result::Exit;
use crate::scenario::{ModelKind, Plan, PlanError, Scenario, catalog, pairs};
use crate::target::{Endpoint, HttpTarget, Patience, log_in};
use crate::text::count;

/// What a file is.
enum Checked {
    Scenario(Box<Scenario>),
    /// Pairs of actions, of whatever description.
    Pairs(Asked),
    Description(Arc<Api>),
}

pub(super) async fn main(args: &ScenarioCheckArgs, stop: &Stop) -> Result<Exit, Failure> {
    let endpoint = args.target.as_deref().map(|typed| resolve::remote("--target", typed, args.allow_remote, &args.tls));
    let endpoint = endpoint.transpose().map_err(usage)?;
    let read = args.files.iter().map(|typed| (typed, checked(typed)));
    let read: Vec<(&String, anyhow::Result<Checked>)> = read.collect();
    let described: Vec<Arc<Api>> = (read.iter())
        .filter_map(|(_, checked)| match checked {
            Ok(Checked::Description(api)) => Some(Arc::clone(api)),
            Ok(Checked::Scenario(_) | Checked::Pairs(_)) | Err(_) => None,
        })
        .collect();
    let mut worst = Exit::Holds;
    for (typed, checked) in read {
        let done = match checked {
            Ok(checked) => one(args, endpoint.as_deref(), typed, checked, &described, stop).await,
            Err(error) => Err(usage(error)),
        };
        let exit = done.unwrap_or_else(|failure| {
            let _ = writeln!(io::stderr(), "error: {:#}", failure.error);
            failure.exit
        });
        if stop.is_asked() {
            return Ok(Exit::Interrupted);
        }
        // A mistake in a file comes before what a target says.
        worst = if worst == Exit::Holds || exit == Exit::Usage { exit } else { worst };
    }
    Ok(worst)
}

/// What `typed` names, read: a scenario or a description, told apart by the `schema` of a file.
fn checked(typed: &str) -> anyhow::Result<Checked> {
    if let Some(pairs) = Asked::pairs(typed) {
        return Ok(Checked::Pairs(pairs));
    }
    if !is_file(typed) {
        return match builtin::api(typed) {
            Some(api) => Ok(Checked::Description(api)),
            None => Ok(Checked::Scenario(Box::new(selection::scenario(typed)?))),
        };
    }
    let text = resolve::read(typed)?;
    let is_scenario = text.lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "schema" && value.contains("/scenario@"))
    });
    if is_scenario {
        Ok(Checked::Scenario(Box::new(Scenario::parse(typed, &text)?)))
    } else {
        Ok(Checked::Description(Arc::new(Api::parse(typed, &text)?)))
    }
}

async fn one(
    args: &ScenarioCheckArgs,
    endpoint: Option<&Endpoint>,
    typed: &str,
    checked: Checked,
    described: &[Arc<Api>],
    stop: &Stop,
) -> Result<Exit, Failure> {
    match checked {
        Checked::Scenario(scenario) => {
            let api = api_of(args, &scenario, described).map_err(usage)?;
            return shown_or_played(args, endpoint, typed, &scenario, &api, stop).await;
        }
        Checked::Pairs(asked) => {
            let api = api_of_pairs(args, described).map_err(usage)?;
            let mut worst = Exit::Holds;
            for pair in selection::scenarios(vec![asked], &api).map_err(usage)? {
                let exit = shown_or_played(args, endpoint, pair.name.get_ref(), &pair, &api, stop).await?;
                worst = if worst == Exit::Holds { exit } else { worst };
            }
            return Ok(worst);
        }
        Checked::Description(api) => {
            let shown = crate::text::harmless(typed, 200);
            print(&format!("✓ {shown}: the API description `{}`\n", api.name))?;
            match endpoint {
                None => print(&race::terminal().render_lines(&summary(&api)))?,
                Some(endpoint) => return played(args, endpoint, &api, None, stop).await,
            }
        }
    }
    Ok(Exit::Holds)
}

/// What a scenario comes to; or, with a target, what came of it there.
async fn shown_or_played(
    args: &ScenarioCheckArgs,
    endpoint: Option<&Endpoint>,
    typed: &str,
    scenario: &Scenario,
    api: &Arc<Api>,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let plan = plan(scenario, api).map_err(usage)?;
    let shown = crate::text::harmless(typed, 200);
    print(&format!("✓ {shown}: a scenario, raced as `{}` says\n", api.name))?;
    match endpoint {
        None => print(&race::terminal().render_outline(&outline(&plan), Detail::Short))?,
        Some(endpoint) => return played(args, endpoint, api, Some(scenario), stop).await,
    }
    Ok(Exit::Holds)
}

/// The description that pairs are made from: as a race finds it, but for one among the files.
fn api_of_pairs(args: &ScenarioCheckArgs, described: &[Arc<Api>]) -> anyhow::Result<Arc<Api>> {
    match (&args.api, described.iter().find(|api| !pairs(api).is_empty())) {
        (Some(typed), _) => resolve::description(typed),
        (None, Some(own)) => Ok(Arc::clone(own)),
        (None, None) => resolve::description(resolve::DEFAULT_API),
    }
}

/// The description that a scenario is checked against.
fn api_of(args: &ScenarioCheckArgs, scenario: &Scenario, described: &[Arc<Api>]) -> anyhow::Result<Arc<Api>> {
    let name = scenario.name.get_ref();
    let api = if let Some(typed) = &args.api {
        resolve::description(typed)?
    } else {
        let own = described.iter().find(|api| scenario.is_for(&api.name, api.model.family));
        let named = scenario.apis.first().and_then(|api| builtin::api(api.get_ref()));
        own.cloned().or(named).ok_or_else(|| {
            anyhow!(
                "scenario `{name}` is for {}, and no such description is among the files\n  = help: name one, or say --api FILE",
                scenario.audience()
            )
        })?
    };
    if !scenario.is_for(&api.name, api.model.family) {
        let kind = ModelKind::of(api.model.family).word();
        bail!("scenario `{name}` is for {}, and `{}` ({kind}) is not", scenario.audience(), api.name);
    }
    Ok(api)
}

fn plan(scenario: &Scenario, api: &Arc<Api>) -> anyhow::Result<Plan> {
    Plan::resolve(scenario, api, None).map_err(|error| match error {
        error @ PlanError::Mistake(_) => error.into(),
        PlanError::Unfit(why) => {
            anyhow::Error::new(why).context(format!("scenario `{}` would be left out", scenario.name.get_ref()))
        }
    })
}

/// What a description comes to: what it needs, and what can be raced by it.
fn summary(api: &Arc<Api>) -> Vec<String> {
    let mut lines = vec![format!("  {}", crate::text::harmless(&api.summary, 200))];
    let names: Vec<&str> = api.model.actions.iter().map(|action| &*action.name).collect();
    let kind = ModelKind::of(api.model.family).word();
    lines.push(format!("  {kind}; {}: {}", count(names.len() as u64, "action"), names.join(", ")));
    for variable in api.dialect.variables() {
        let is_set = std::env::var_os(&*variable).is_some();
        let word = if is_set { "is set" } else { "is not set: export it before a race" };
        lines.push(format!("  needs {variable} of the environment, which {word}"));
    }
    let built_in = catalog::all().into_iter().chain(catalog::generic());
    let all = built_in.chain(pairs(api)).filter(|scenario| scenario.is_for(&api.name, api.model.family));
    let (mut raced, mut left_out) = (Vec::new(), Vec::new());
    for scenario in all {
        let name = scenario.name.get_ref().clone();
        match Plan::resolve(&scenario, api, None) {
            Ok(_) => raced.push(name),
            Err(error) => left_out.push(format!("  - {name} is left out: {}", error.why().message)),
        }
    }
    lines.push(format!("  {} can be raced: {}", count(raced.len() as u64, "scenario"), raced.join(", ")));
    lines.extend(left_out);
    lines
}

/// Plays a scenario, or the description itself, against the target.
async fn played(
    args: &ScenarioCheckArgs,
    endpoint: &Endpoint,
    api: &Api,
    scenario: Option<&Scenario>,
    stop: &Stop,
) -> Result<Exit, Failure> {
    let credentials = credentials::given(&args.credentials, api).map_err(usage)?;
    let played = tokio::select! {
        biased;
        () = stop.asked() => return Ok(Exit::Interrupted),
        played = play(args, endpoint, api, credentials, scenario) => played?,
    };
    print(&race::terminal().render_played(&played))?;
    Ok(if played.is_fine() { Exit::Holds } else { Exit::TargetUnusable })
}

async fn play(
    args: &ScenarioCheckArgs,
    endpoint: &Endpoint,
    api: &Api,
    credentials: Credentials,
    scenario: Option<&Scenario>,
) -> Result<Played, Failure> {
    let api = resolve::with_environment(api.clone()).map_err(usage)?.with_credentials(credentials);
    let target = HttpTarget::new(endpoint.clone(), Clock::start(), Patience { request: args.timeout });
    let target = target.map_err(unusable)?;
    let spoken = target.ask_what_it_speaks().await;
    let target = target.speaking(spoken);
    let api = log_in(&target, &api).await.map_err(|error| {
        let help = error.help();
        unusable(anyhow!("{endpoint}: {error}\n  = help: {help}"))
    })?;
    let api = Arc::new(api);
    let player = Player::new(&target, &api);
    Ok(match scenario {
        None => player.play_description().await,
        Some(scenario) => player.play(&plan(scenario, &api).context("the plan").map_err(usage)?).await,
    })
}
