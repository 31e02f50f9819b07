//! A scenario, resolved against an API description: everything the race needs, nothing left to look up.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::contender::{KeyUse, ServerUse, TokenUse};
use super::file::{Scenario, Swarm};
use super::fit::Casting;
use super::resolve::Resolver;
use crate::api::{Allowed, Api, Tells};
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
    /// Whether the fresh resource is made. Else its id is made up, and nobody has told the server of it.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub creates: bool,
    /// What a fresh counter holds, if not what the description says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<i64>,
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
    /// Who plays the roles of those who race, where others of the description could, too.
    #[serde(skip)]
    pub castings: Vec<Casting>,
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
    /// How much later than the first it leaves.
    #[serde(rename = "offset_us", serialize_with = "as_micros", skip_serializing_if = "Duration::is_zero")]
    pub offset: Duration,
    /// Which entry of its list it stems from.
    pub entry: usize,
}

fn as_micros<S: serde::Serializer>(offset: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(offset.as_micros().try_into().unwrap_or(u64::MAX))
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

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The scenario names what the API description does not have.
    #[error(transparent)]
    Mistake(SourceError),
    /// The scenario is generic, and the API description has nothing that it could be about.
    #[error(transparent)]
    Unfit(SourceError),
}

impl PlanError {
    /// What is missing, and where it was asked for.
    pub const fn why(&self) -> &SourceError {
        match self {
            Self::Mistake(why) | Self::Unfit(why) => why,
        }
    }
}

impl Plan {
    /// Resolves `scenario` for `api`, with the volley raised to `contenders` where the scenario allows it.
    ///
    /// # Errors
    /// A state, action or actor that the description does not have, with its place in the scenario's file; or a role of a
    /// generic scenario that nothing in the description plays.
    pub fn resolve(scenario: &Scenario, api: &Arc<Api>, contenders: Option<usize>) -> Result<Self, PlanError> {
        let size = match (contenders, &scenario.most_contenders) {
            _ if scenario.swarm.is_some() => 0,
            (Some(wanted), Some(most)) => wanted.clamp(scenario.contenders.len(), *most.get_ref()),
            (Some(_) | None, _) => scenario.contenders.len(),
        };
        let resolver = Resolver { scenario, api };
        let start = resolver.start()?;
        let (creates, set_up) = resolver.set_up(start)?;
        let (change, raced_from) = resolver.change(start)?;
        let contenders =
            (0..size).map(|index| resolver.contender(index, &raced_from)).collect::<Result<Vec<_>, _>>()?;
        let then = (0..scenario.then.len())
            .map(|index| resolver.follower(index, start, &raced_from))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: scenario.name.get_ref().clone(),
            api: Arc::clone(api),
            alone: scenario.alone,
            creates,
            starts: resolver.starts(&contenders)?,
            castings: resolver.castings(&raced_from),
            set_up,
            change,
            contenders,
            then,
            restart: scenario.restart,
            swarm: scenario.swarm.as_ref().map(|swarm| *swarm.get_ref()),
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

impl Step {
    /// The call's verb.
    pub fn verb(&self) -> Verb {
        Verb::Act(Arc::clone(&self.action))
    }
}
