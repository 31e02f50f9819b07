//! Which scenarios are raced: those that were named, else those that are for the API description.

use std::sync::Arc;

use anyhow::{anyhow, bail};

use super::args::RaceArgs;
use super::replay::Replay;
use super::resolve::{is_file, is_spoken_in_process, read, unknown};
use crate::api::Api;
use crate::event::Event;
use crate::scenario::{Casting, ModelKind, Need, PAIRS, Plan, PlanError, Scenario, catalog, pairs};

/// What was named on the command line, before it is known of which API.
#[derive(Debug)]
pub(super) enum Asked {
    /// A scenario, built-in or of a file.
    Scenario(Box<Scenario>),
    /// All pairs of actions.
    Pairs,
    /// One of them.
    Pair(String),
}

impl Asked {
    /// What `typed` names.
    pub(super) fn read(typed: &str) -> anyhow::Result<Self> {
        match Self::pairs(typed) {
            Some(pairs) => Ok(pairs),
            None => Ok(Self::Scenario(Box::new(scenario(typed)?))),
        }
    }

    /// The pairs that `typed` names, if it does: they have no file, and are made from an API description.
    pub(super) fn pairs(typed: &str) -> Option<Self> {
        match typed.strip_prefix(PAIRS)? {
            "" => Some(Self::Pairs),
            rest => (rest.starts_with('/') && !is_toml(typed)).then(|| Self::Pair(typed.to_owned())),
        }
    }

    /// The name of the scenario that was read from a file, if `typed` names one.
    pub(super) fn file(&self, typed: &str) -> Option<String> {
        match self {
            Self::Scenario(scenario) if is_file(typed) => Some(scenario.name.get_ref().clone()),
            Self::Scenario(_) | Self::Pairs | Self::Pair(_) => None,
        }
    }

    /// The API description that it is for, if it says.
    pub(super) fn api(&self) -> Option<&str> {
        match self {
            Self::Scenario(scenario) => scenario.apis.first().map(|api| api.get_ref().as_str()),
            Self::Pairs | Self::Pair(_) => None,
        }
    }
}

fn is_toml(typed: &str) -> bool {
    std::path::Path::new(typed).extension().is_some_and(|extension| extension == "toml")
}

/// The scenario that `typed` names: a file if it looks like one, else a built-in.
pub(super) fn scenario(typed: &str) -> anyhow::Result<Scenario> {
    if is_file(typed) {
        return Ok(Scenario::parse(typed, &read(typed)?)?);
    }
    let mut all = catalog::all();
    all.append(&mut catalog::generic());
    if let Some(index) = all.iter().position(|scenario| scenario.name.get_ref() == typed) {
        return Ok(all.swap_remove(index));
    }
    let names = all.iter().map(|scenario| scenario.name.get_ref().as_str()).chain([PAIRS]);
    Err(unknown("scenario", typed, names, "`quickeats-bench scenarios` lists them; a file's name ends in .toml"))
}

/// The scenarios to race: those asked for, else all that are for this description.
pub(super) fn scenarios(asked: Vec<Asked>, api: &Api) -> anyhow::Result<Vec<Scenario>> {
    if asked.is_empty() {
        return all_for(api);
    }
    let mut scenarios = Vec::new();
    for one in asked {
        match one {
            Asked::Scenario(scenario) => scenarios.push(*scenario),
            Asked::Pairs => scenarios.extend(all_pairs(api)?),
            Asked::Pair(name) => scenarios.push(pair(api, &name)?),
        }
    }
    Ok(scenarios)
}

/// The built-in scenarios for this very description; where there are none, all pairs of a state machine's actions and those for
/// its kind of model.
fn all_for(api: &Api) -> anyhow::Result<Vec<Scenario>> {
    let is_for = |scenario: &Scenario| scenario.is_for(&api.name, api.model.family);
    let mut own = catalog::all();
    own.retain(is_for);
    if !own.is_empty() {
        return Ok(own);
    }
    let mut all = pairs(api);
    all.extend(catalog::generic().into_iter().filter(is_for));
    if all.is_empty() {
        bail!("no built-in scenario is for `{}`\n  = help: name a scenario file", api.name);
    }
    Ok(all)
}

fn all_pairs(api: &Api) -> anyhow::Result<Vec<Scenario>> {
    let all = pairs(api);
    if all.is_empty() {
        let kind = ModelKind::of(api.model.family).word();
        bail!(
            "`{PAIRS}` are two actions that a state of a state-machine allows, and `{}` ({kind}) has none\n  = help: without a \
             scenario's name, those are raced that are for it",
            api.name
        );
    }
    Ok(all)
}

fn pair(api: &Api, name: &str) -> anyhow::Result<Scenario> {
    let mut all = all_pairs(api)?;
    if let Some(index) = all.iter().position(|pair| pair.name.get_ref() == name) {
        return Ok(all.swap_remove(index));
    }
    let names = all.iter().map(|pair| pair.name.get_ref().as_str());
    let hint = format!("they are made from `{}`; --api names another description", api.name);
    Err(unknown("pair of actions", name, names, &hint))
}

/// The plans of `scenarios`, and what the user should know about those that were left out. `is_named`: the user did that,
/// so one that cannot be raced is a mistake.
pub(super) fn plans(
    args: &RaceArgs,
    (api, scenarios): (&Arc<Api>, &[Scenario]),
    replay: Option<&Replay>,
    is_named: bool,
) -> anyhow::Result<(Vec<Plan>, Vec<Event<'static>>)> {
    let mut plans: Vec<Plan> = Vec::new();
    let mut notices: Vec<String> = Vec::new();
    for scenario in scenarios {
        let name = scenario.name.get_ref();
        check_audience(scenario, api)?;
        if replay.is_some_and(|replay| !replay.rounds.contains_key(name)) {
            bail!("scenario `{name}` has no rounds in the run that is to be played again");
        }
        if plans.iter().any(|plan| plan.name == *name) {
            bail!("scenario `{name}` is named twice");
        }
        let wanted = args.contenders.map(usize::from);
        let plan = match Plan::resolve(scenario, api, wanted) {
            Ok(plan) => plan,
            Err(PlanError::Unfit(why)) if !is_named => {
                notices.push(format!("{name} is left out: {}", why.message));
                continue;
            }
            Err(error @ (PlanError::Unfit(_) | PlanError::Mistake(_))) => return Err(error.into()),
        };
        let is_own = args.target.is_none() && is_spoken_in_process(api);
        if let Some(need) = plan.unmet(is_named || is_own, is_own || args.restart.is_some()) {
            let why = unmet(need);
            if is_named {
                bail!("scenario `{name}` proves nothing here: {why}");
            }
            notices.push(format!("{name} is left out: {why}"));
            continue;
        }
        notices.extend(remarks(args, &plan, wanted));
        plans.push(plan);
    }
    if plans.is_empty() {
        bail!("no scenario is left to race{}", way_out(api, &notices));
    }
    notices.extend(castings(&plans));
    Ok((plans, notices.into_iter().map(Event::Notice).collect()))
}

fn check_audience(scenario: &Scenario, api: &Api) -> anyhow::Result<()> {
    if scenario.is_for(&api.name, api.model.family) {
        return Ok(());
    }
    let (name, audience) = (scenario.name.get_ref(), scenario.audience());
    if scenario.is_generic() {
        let kind = ModelKind::of(api.model.family).word();
        return Err(anyhow!(
            "scenario `{name}` is for {audience}, and `{}` is a {kind}\n  = help: without a scenario's name, those are raced that \
             are for it",
            api.name
        ));
    }
    let first = scenario.apis.first().map_or("NAME", |api| api.get_ref());
    Err(anyhow!("scenario `{name}` is for {audience}, not for `{}`\n  = help: race it with --api {first}", api.name))
}

/// What is done other than a user may think.
fn remarks(args: &RaceArgs, plan: &Plan, wanted: Option<usize>) -> Vec<String> {
    let (name, mut remarks) = (&plan.name, Vec::new());
    if plan.uses_replica() && args.target.is_some() && args.replica.is_none() {
        remarks.push(format!(
            "{name} retries at the target itself; where the service has several replicas, name another with --replica"
        ));
    }
    if let Some(wanted) = wanted
        && plan.width() != wanted
    {
        let width = plan.width();
        remarks.push(format!("{name} races {width} contenders, not {wanted}: its file sets the range"));
    }
    remarks
}

/// What to do where nothing is left to race. Nobody has seen the notices yet.
fn way_out(api: &Api, notices: &[String]) -> String {
    if api.model.actions.iter().any(|action| action.only.is_some()) {
        return "\n  = help: say who is asking, with --jwt-secret-env or --bearer".to_owned();
    }
    format!("\n  {}\n  = help: name a scenario file of your own", notices.join("\n  "))
}

/// Who plays a role that others could play, too: one note for each role and player, with the scenarios that it is of.
fn castings(plans: &[Plan]) -> Vec<String> {
    let mut all: Vec<(&Casting, Vec<&str>)> = Vec::new();
    for plan in plans {
        for casting in &plan.castings {
            match all.iter_mut().find(|(own, _)| *own == casting) {
                Some((_, names)) => names.push(&plan.name),
                None => all.push((casting, vec![&plan.name])),
            }
        }
    }
    let quoted = |name: &Arc<str>| format!("`{name}`");
    let note = |(casting, names): (&Casting, Vec<&str>)| {
        let others = crate::text::list(&casting.others.iter().map(quoted).collect::<Vec<_>>());
        format!(
            "{} of {} is played by `{}`; {others} could play it, too (name it in a scenario of yours)",
            casting.role,
            crate::text::list(&names),
            casting.by
        )
    };
    all.into_iter().map(note).collect()
}

/// Why a scenario proves nothing against a target.
const fn unmet(need: Need) -> &'static str {
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
}
