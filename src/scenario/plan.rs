//! A scenario, resolved against an API description: everything the race needs, nothing left to look up.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::file::{Contender, KeyUse, PersonUse, Scenario, ServerUse, Swarm, TokenUse};
use crate::api::{Allowed, Api, StateIx, Tells};
use crate::check::Alone;
use crate::history::{Actor, Verb};
use crate::measure::Servers;
use crate::source::SourceError;

/// What a scenario comes to, for one API and one size of volley. Saved with the run.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// The API description.
    #[serde(skip)]
    pub api: Arc<Api>,
    /// What a contender hears alone.
    pub alone: Alone,
    /// From a fresh resource to the starting state, one after the other.
    pub set_up: Vec<Step>,
    /// Done after stale tokens were read, one after the other.
    pub change: Vec<Step>,
    /// Who races, in the order written.
    pub contenders: Vec<ContenderPlan>,
    /// What follows the race, one after the other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<ContenderPlan>,
    /// Whether the target is restarted after the race.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restart: bool,
    /// Clients that act at random, instead of contenders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swarm: Option<Swarm>,
}

/// One action of the set-up.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The action.
    pub action: Arc<str>,
    /// Who does it.
    pub actor: Actor,
    /// The state it must lead to; a round that goes elsewhere is void.
    pub leads_to: Option<Arc<str>>,
}

/// One contender, or one that follows the race.
#[derive(Debug, Clone, Serialize)]
pub struct ContenderPlan {
    /// What it asks for.
    pub verb: Verb,
    /// Who does it.
    pub actor: Actor,
    /// Who reads the version token for it: itself, or someone who may read the resource.
    pub reader: Actor,
    /// Which version token it names.
    pub token: TokenUse,
    /// Which idempotency key it carries.
    pub key: KeyUse,
    /// A body instead of the described one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Which server it is sent to.
    pub at: ServerUse,
    /// Which entry of its list it stems from.
    pub entry: usize,
}

/// What a plan asks of its target beyond the API description: without it, a scenario proves nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// That the server can tell roles apart.
    Roles,
    /// That the server can tell persons in one role apart.
    Persons,
    /// That the server speaks what the API description has aside of the contract.
    Asides,
    /// That somebody can restart it.
    Restart,
}

/// A scenario that does not fit its API description.
pub type PlanError = SourceError;

impl Plan {
    /// Resolves `scenario` for `api`, with the volley raised to `contenders` where the scenario allows it.
    ///
    /// # Errors
    /// A state, action or actor that the description does not have, with its place in the scenario's file.
    pub fn resolve(scenario: &Scenario, api: &Arc<Api>, contenders: Option<usize>) -> Result<Self, PlanError> {
        let size = match (contenders, &scenario.most_contenders) {
            _ if scenario.swarm.is_some() => 0,
            (Some(wanted), Some(most)) => wanted.clamp(scenario.contenders.len(), *most.get_ref()),
            (Some(_) | None, _) => scenario.contenders.len(),
        };
        let (set_up, start) = set_up(scenario, api)?;
        let (change, raced_from) = change(scenario, api, start)?;
        let mut plans = Vec::with_capacity(size);
        for index in 0..size {
            let entry = index % scenario.contenders.len();
            let plan = contender(scenario, api, &scenario.contenders[entry], index, entry)?;
            check_allowed(scenario, api, entry, &plan, &raced_from)?;
            plans.push(plan);
        }
        let then = (scenario.then.iter().enumerate())
            .map(|(index, written)| contender(scenario, api, written, index, index))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: scenario.name.get_ref().clone(),
            api: Arc::clone(api),
            alone: scenario.alone,
            set_up,
            change,
            contenders: plans,
            then,
            restart: scenario.restart,
            swarm: scenario.swarm,
        })
    }

    /// How many are at it at once.
    pub fn width(&self) -> usize {
        self.swarm.map_or(self.contenders.len(), |swarm| usize::from(swarm.clients))
    }

    /// Whether a refusal as stale is what every contender should hear: its 412 rate says nothing about contention.
    pub fn expects_stale(&self) -> bool {
        let never_matches = |token| matches!(token, TokenUse::Stale | TokenUse::Weak | TokenUse::Unheard);
        self.swarm.is_none() && self.contenders.iter().all(|contender| never_matches(contender.token))
    }

    /// Whether part of it is sent to a replica of the target, where there is one.
    pub fn uses_replica(&self) -> bool {
        self.contenders.iter().chain(&self.then).any(|contender| contender.at == ServerUse::Replica)
    }

    /// Where those who race are sent.
    pub fn contenders_go(&self) -> Servers {
        let is_one = self.contenders.windows(2).all(|pair| pair[0].at == pair[1].at);
        if is_one { Servers::One } else { Servers::Two }
    }

    /// What it needs and the target, spoken to with the API description's credentials, cannot be known to have.
    pub fn unmet(&self, speaks_asides: bool, can_restart: bool) -> Option<Need> {
        let model = &self.api.model;
        let is_aside = |step: &Step| model.action(&step.action).is_some_and(|action| action.is_aside);
        if !speaks_asides && self.change.iter().any(is_aside) {
            return Some(Need::Asides);
        }
        if self.restart && !can_restart {
            return Some(Need::Restart);
        }
        let trespasses = self.contenders.iter().chain(&self.then).filter_map(|contender| {
            let Verb::Act(name) = &contender.verb else { return None };
            let action = model.action(name)?;
            let tells = self.api.dialect.tells(&contender.actor.role);
            let own_tells = self.api.dialect.tells(&action.actor);
            match action.only? {
                _ if contender.actor.role != action.actor => {
                    (tells.min(own_tells) < Tells::Role).then_some(Need::Roles)
                }
                Allowed::Creator if contender.actor.person != 1 => (tells < Tells::Person).then_some(Need::Persons),
                Allowed::Creator | Allowed::Role => None,
            }
        });
        trespasses.max()
    }
}

fn person(role: &Arc<str>, person: u32) -> Actor {
    Actor { role: Arc::clone(role), person }
}

fn set_up(scenario: &Scenario, api: &Api) -> Result<(Vec<Step>, StateIx), PlanError> {
    let model = &api.model;
    let start = model.state(scenario.start.get_ref()).ok_or_else(|| {
        (scenario.wrong(&scenario.start, format!("`{}` has no state `{}`", api.name, scenario.start.get_ref())))
            .suggest(scenario.start.get_ref(), model.states.iter().map(|state| &**state))
    })?;
    let path = model.path_to(start).ok_or_else(|| {
        let message = format!("no actions of `{}` lead to the state `{}`", api.name, scenario.start.get_ref());
        scenario.wrong(&scenario.start, message)
    })?;
    let step = |(action, to): &(&crate::api::ActionModel, StateIx)| Step {
        action: Arc::clone(&action.name),
        actor: person(&action.actor, 1),
        leads_to: Some(Arc::clone(model.state_name(*to))),
    };
    Ok((path.iter().map(step).collect(), start))
}

/// The steps of `change`, and the states that the race may start from after them.
fn change(scenario: &Scenario, api: &Api, start: StateIx) -> Result<(Vec<Step>, Vec<StateIx>), PlanError> {
    let mut here = vec![start];
    let mut steps = Vec::new();
    for name in &scenario.change {
        let action = known_action(scenario, api, name)?;
        here = here.iter().flat_map(|state| action.next(*state)).collect();
        if here.is_empty() {
            let message = format!("`{}` is not allowed where it stands in `change`", name.get_ref());
            return Err(scenario.wrong(name, message));
        }
        steps.push(Step { action: Arc::clone(&action.name), actor: person(&action.actor, 1), leads_to: None });
    }
    Ok((steps, here))
}

fn contender(
    scenario: &Scenario,
    api: &Api,
    written: &Contender,
    index: usize,
    entry: usize,
) -> Result<ContenderPlan, PlanError> {
    let (verb, own_role) = match written.action.get_ref().as_str() {
        "create" => (Verb::Create, Arc::clone(api.dialect.role(&Verb::Create))),
        "read" => (Verb::Read, Arc::clone(api.dialect.role(&Verb::Read))),
        _ => {
            let action = known_action(scenario, api, &written.action)?;
            (Verb::Act(Arc::clone(&action.name)), Arc::clone(&action.actor))
        }
    };
    let role = match &written.actor {
        None => Arc::clone(&own_role),
        Some(actor) if api.dialect.has_role(actor.get_ref()) => actor.get_ref().as_str().into(),
        Some(actor) => {
            return Err((scenario.wrong(actor, format!("`{}` has no actor `{}`", api.name, actor.get_ref())))
                .suggest(actor.get_ref(), api.dialect.roles()));
        }
    };
    let number = match written.person {
        PersonUse::Same => 1,
        PersonUse::Each => u32::try_from(index + 1).expect("volleys are small"),
        PersonUse::Other => 2,
    };
    let key = if api.dialect.sends_key(&verb) { written.key } else { KeyUse::None };
    let token = if api.dialect.sends_token(&verb) { written.token.value } else { TokenUse::None };
    let actor = person(&role, number);
    // Who does what is not theirs to do may not even be shown the resource.
    let is_stranger = role != own_role || written.person == PersonUse::Other;
    let reader = if is_stranger { person(api.dialect.role(&Verb::Read), 1) } else { actor.clone() };
    Ok(ContenderPlan { verb, actor, reader, token, key, body: written.body.clone(), at: written.at, entry })
}

/// What is to be accepted alone must be allowed where the race starts.
fn check_allowed(
    scenario: &Scenario,
    api: &Api,
    entry: usize,
    plan: &ContenderPlan,
    raced_from: &[StateIx],
) -> Result<(), PlanError> {
    let Verb::Act(name) = &plan.verb else { return Ok(()) };
    let action = api.model.action(name).expect("the plan has it from the description");
    let is_allowed = raced_from.iter().any(|state| action.next(*state).next().is_some());
    if scenario.alone == Alone::Refused || is_allowed {
        return Ok(());
    }
    let states: Vec<&str> = raced_from.iter().map(|state| &**api.model.state_name(*state)).collect();
    let message = format!("`{name}` is not allowed in `{}`, where the race starts", states.join("` or `"));
    let written = &scenario.contenders[entry].action;
    Err(scenario.wrong(written, message).help("start elsewhere, or say alone = \"refused\""))
}

fn known_action<'a>(
    scenario: &Scenario,
    api: &'a Api,
    name: &toml::Spanned<String>,
) -> Result<&'a crate::api::ActionModel, PlanError> {
    api.model.action(name.get_ref()).ok_or_else(|| {
        (scenario.wrong(name, format!("`{}` has no action `{}`", api.name, name.get_ref())))
            .suggest(name.get_ref(), api.model.actions.iter().map(|action| &*action.name).chain(["create", "read"]))
    })
}

impl Step {
    /// The call's verb.
    pub fn verb(&self) -> Verb {
        Verb::Act(Arc::clone(&self.action))
    }
}
