//! A journey: one client brings a resource of its own from step to step.

use std::sync::Arc;

use super::mind::Mind;
use super::resource::Resource;
use super::saying::{Known, Saying};
use crate::api::Family;
use crate::history::{Meaning, Phase, Reply, Verb};
use crate::scenario::{KeyUse, TokenUse};
use crate::seed::Dice;
use crate::traffic::{Ask, Journey as Plan, JourneyStep, TrafficPlan};

/// A walk ends after so many actions, where nothing else ends it.
const LONGEST_WALK: u32 = 16;

/// A journey under way.
#[derive(Debug)]
pub(super) struct Journey {
    plan: usize,
    /// The next step.
    at: usize,
    /// Actions of the walk under way.
    walked: u32,
    resource: Option<Arc<Resource>>,
    known: Known,
    /// Whatever is made now is another resource.
    is_made: bool,
    /// Nobody knows what came of its last request, or its resource was never made: it ends.
    is_lost: bool,
}

/// What a journey asks for next.
#[derive(Debug)]
pub(super) enum Next {
    Say(Saying),
    /// A path is read: its place in the plan.
    Get(usize, usize),
    Over,
}

impl Journey {
    /// Draws a journey by weight.
    pub(super) fn begin(plan: &TrafficPlan, whims: &mut Dice) -> Self {
        let total: f64 = plan.journeys.iter().map(|journey| journey.weight).sum();
        let mut drawn = whims.fraction() * total;
        let place = plan.journeys.iter().position(|journey| {
            drawn -= journey.weight;
            drawn < 0.0
        });
        Self {
            plan: place.unwrap_or(0),
            at: 0,
            walked: 0,
            resource: None,
            known: Known::default(),
            is_made: false,
            is_lost: false,
        }
    }

    /// What it asks for next.
    pub(super) fn next(&mut self, mind: &mut Mind) -> Next {
        if self.is_lost {
            return Next::Over;
        }
        let shared = Arc::clone(&mind.shared.plan);
        let plan = &shared.journeys[self.plan];
        let Some(resource) = self.resource.clone() else {
            return if plan.has_resource { self.set_out(mind, plan) } else { self.step_without(plan) };
        };
        while let Some(step) = plan.steps.get(self.at) {
            let said = match step {
                JourneyStep::Get { .. } => {
                    self.at += 1;
                    return Next::Get(self.plan, self.at - 1);
                }
                JourneyStep::Walk => self.walk(mind, &resource),
                JourneyStep::Ask(ask) if mind.must_look(&ask.verb, self.known.is_blurred) => {
                    return Next::Say(Saying::plain(mind, &resource, Verb::Read, Phase::Contend));
                }
                JourneyStep::Ask(ask) => {
                    self.at += 1;
                    Saying::ask(mind, &resource, ask, &self.known)
                }
            };
            if let Some(saying) = said {
                return Next::Say(saying);
            }
        }
        Next::Over
    }

    /// Makes the resource; where nobody need make it, takes the first step at once.
    fn set_out(&mut self, mind: &mut Mind, plan: &Plan) -> Next {
        let resource = mind.new_resource();
        self.resource = Some(Arc::clone(&resource));
        if mind.dialect().creates() {
            return Next::Say(Saying::create(mind, &resource));
        }
        debug_assert!(!plan.steps.is_empty());
        self.next(mind)
    }

    fn step_without(&mut self, plan: &Plan) -> Next {
        if self.at >= plan.steps.len() {
            return Next::Over;
        }
        self.at += 1;
        Next::Get(self.plan, self.at - 1)
    }

    /// One more action of a walk; `None` at its end.
    fn walk(&mut self, mind: &mut Mind, resource: &Arc<Resource>) -> Option<Saying> {
        let is_lifecycle = mind.model().family == Family::Lifecycle;
        let most = if is_lifecycle { LONGEST_WALK } else { 1 };
        let is_unknown = is_lifecycle && self.known.state.is_none() && mind.dialect().reads();
        if self.walked < most && (self.known.is_blurred || is_unknown) && mind.dialect().reads() {
            return Some(Saying::plain(mind, resource, Verb::Read, Phase::Contend));
        }
        let action = if self.walked < most { mind.action(self.known.state.as_deref()) } else { None };
        let Some(action) = action else {
            self.at += 1;
            self.walked = 0;
            return None;
        };
        self.walked += 1;
        let (actor, verb) = (mind.actor(&action, false), Verb::Act(action));
        let key = if mind.dialect().sends_key(&verb) { KeyUse::Own } else { KeyUse::None };
        let token = if mind.dialect().sends_token(&verb) { TokenUse::Current } else { TokenUse::None };
        Saying::ask(mind, resource, &Ask { verb, actor, token, key, body: None, is_doubled: false }, &self.known)
    }

    /// Learns what came of a request of its own. `None` if nobody knows.
    pub(super) fn heard(&mut self, mind: &Mind, verb: &Verb, reply: Option<&Reply>) {
        let Some(reply) = reply else {
            self.is_lost = true;
            return;
        };
        if *verb == Verb::Create && self.is_made {
            return;
        }
        self.known.learn(verb, reply, mind.dialect().has_token());
        if *verb == Verb::Read && reply.meaning != Meaning::Applied {
            // It is not there, or not for us. A walk goes on without knowing what it shows.
            self.known.is_blurred = false;
            self.is_lost |= mind.model().family == Family::Lifecycle;
        }
        if *verb == Verb::Create {
            self.is_made = true;
            match (&reply.resource, &self.resource) {
                (Some(id), Some(resource)) if reply.meaning == Meaning::Applied => resource.is_called(Arc::clone(id)),
                (None, Some(resource)) if reply.meaning == Meaning::Applied && !resource.id().is_empty() => {}
                _ => self.is_lost = true,
            }
        }
    }

    /// Its resource, if it got as far as to have one.
    pub(super) fn into_resource(self) -> Option<Arc<Resource>> {
        self.resource.filter(|resource| !resource.id().is_empty())
    }
}
