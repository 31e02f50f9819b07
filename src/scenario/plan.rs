//! A scenario, resolved against an API description: everything the race needs, nothing left to look up.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::file::{KeyUse, PersonUse, Scenario, TokenUse};
use crate::api::{Api, StateIx};
use crate::check::Alone;
use crate::history::{Actor, Verb};
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

/// One contender.
#[derive(Debug, Clone, Serialize)]
pub struct ContenderPlan {
    /// The action.
    pub action: Arc<str>,
    /// Who does it.
    pub actor: Actor,
    /// Which version token it names.
    pub token: TokenUse,
    /// Which idempotency key it carries.
    pub key: KeyUse,
    /// A body instead of the described one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Which `[[contenders]]` entry it stems from.
    pub entry: usize,
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
            (Some(wanted), Some(most)) => wanted.clamp(scenario.contenders.len(), *most.get_ref()),
            (Some(_) | None, _) => scenario.contenders.len(),
        };
        let (set_up, start) = set_up(scenario, api)?;
        let (change, raced_from) = change(scenario, api, start)?;
        let mut plans = Vec::with_capacity(size);
        for index in 0..size {
            plans.push(contender(scenario, api, index, &raced_from)?);
        }
        Ok(Self {
            name: scenario.name.get_ref().clone(),
            api: Arc::clone(api),
            alone: scenario.alone,
            set_up,
            change,
            contenders: plans,
        })
    }

    /// Whether a refusal as stale is what every contender should hear: its 412 rate says nothing about contention.
    pub fn expects_stale(&self) -> bool {
        self.contenders.iter().all(|contender| contender.token == TokenUse::Stale)
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

fn contender(scenario: &Scenario, api: &Api, index: usize, raced_from: &[StateIx]) -> Result<ContenderPlan, PlanError> {
    let entry = index % scenario.contenders.len();
    let written = &scenario.contenders[entry];
    let action = known_action(scenario, api, &written.action)?;
    let is_allowed = raced_from.iter().any(|state| action.next(*state).next().is_some());
    if scenario.alone == Alone::Applied && !is_allowed {
        let states: Vec<&str> = raced_from.iter().map(|state| &**api.model.state_name(*state)).collect();
        let message = format!("`{}` is not allowed in `{}`, where the race starts", action.name, states.join("` or `"));
        return Err(scenario.wrong(&written.action, message).help("start elsewhere, or say alone = \"refused\""));
    }
    let role = match &written.actor {
        None => Arc::clone(&action.actor),
        Some(actor) if api.dialect.has_role(actor.get_ref()) => actor.get_ref().as_str().into(),
        Some(actor) => {
            return Err((scenario.wrong(actor, format!("`{}` has no actor `{}`", api.name, actor.get_ref())))
                .suggest(actor.get_ref(), api.dialect.roles()));
        }
    };
    let number = match written.person {
        PersonUse::Same => 1,
        PersonUse::Each => u32::try_from(index + 1).expect("volleys are small"),
    };
    let key = if api.dialect.sends_key(&action.name) { written.key } else { KeyUse::None };
    let token = if api.dialect.has_token() { written.token.value } else { TokenUse::None };
    Ok(ContenderPlan {
        action: Arc::clone(&action.name),
        actor: person(&role, number),
        token,
        key,
        body: written.body.clone(),
        entry,
    })
}

fn known_action<'a>(
    scenario: &Scenario,
    api: &'a Api,
    name: &toml::Spanned<String>,
) -> Result<&'a crate::api::ActionModel, PlanError> {
    api.model.action(name.get_ref()).ok_or_else(|| {
        (scenario.wrong(name, format!("`{}` has no action `{}`", api.name, name.get_ref())))
            .suggest(name.get_ref(), api.model.actions.iter().map(|action| &*action.name))
    })
}

impl Step {
    /// The call's verb.
    pub fn verb(&self) -> Verb {
        Verb::Act(Arc::clone(&self.action))
    }
}

impl ContenderPlan {
    /// The call's verb.
    pub fn verb(&self) -> Verb {
        Verb::Act(Arc::clone(&self.action))
    }
}
