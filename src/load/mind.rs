//! What a client decides by: the plan, its chance, and what it shares with others.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::hot::HotSet;
use super::joint::JointSet;
use super::outlet::Outlet;
use super::resource::Resource;
use super::slots::Slots;
use crate::api::{ActionModel, Allowed, Dialect, Family, Model};
use crate::history::{Actor, Verb};
use crate::ids::{ClientId, RoundId};
use crate::seed::{Dice, Seed};
use crate::traffic::{Part, TrafficPlan};

/// What all clients of a thread share.
pub(super) struct Shared {
    pub(super) plan: Arc<TrafficPlan>,
    pub(super) slots: Slots,
    pub(super) hot: Arc<HotSet>,
    pub(super) joint: Option<Arc<JointSet>>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) outlet: Outlet,
    /// Who people are.
    pub(super) people: Seed,
}

/// Numbers that nothing else in the load has, whichever process it is in.
#[derive(Debug)]
pub(super) struct Numbers {
    part: Part,
    is_alone: bool,
    resources: AtomicU32,
    clients: AtomicU32,
}

impl Numbers {
    pub(super) const fn new(part: Part, is_alone: bool) -> Self {
        Self { part, is_alone, resources: AtomicU32::new(0), clients: AtomicU32::new(0) }
    }

    /// Whether there is only one client: what it meets, it meets alone.
    pub(super) const fn is_alone(&self) -> bool {
        self.is_alone
    }

    pub(super) const fn part(&self) -> Part {
        self.part
    }

    pub(super) fn round(&self) -> RoundId {
        let number = self.part.own_number(self.resources.fetch_add(1, Ordering::Relaxed));
        if self.is_alone { RoundId::Control(number) } else { RoundId::Raced(number) }
    }

    pub(super) fn client(&self) -> ClientId {
        // Whoever is alone comes first, and is none of the others.
        let dealt = self.part.own_number(self.clients.fetch_add(1, Ordering::Relaxed)).wrapping_sub(1);
        ClientId(dealt.wrapping_add(if self.is_alone { u32::MAX / 2 } else { 0 }))
    }
}

/// What one client decides by.
pub(super) struct Mind {
    pub(super) shared: Rc<Shared>,
    /// From 1: beside others at one resource it is a person of its own by this number.
    pub(super) number: u32,
    /// What it does: from the seed.
    pub(super) whims: Dice,
    /// Its keys and unique words: never the same in two loads.
    pub(super) nonce: Dice,
}

impl Mind {
    pub(super) fn dialect(&self) -> &Dialect {
        &self.shared.plan.api.dialect
    }

    pub(super) fn model(&self) -> &Model {
        &self.shared.plan.api.model
    }

    /// A resource that nobody knows yet.
    pub(super) fn new_resource(&mut self) -> Arc<Resource> {
        let shared = &self.shared;
        let resource = Resource::new(shared.numbers.round(), shared.people, &mut self.nonce, shared.outlet.clone());
        if let Some(id) = self.shared.plan.api.dialect.made_id(&self.nonce.uuid().to_string()) {
            resource.is_called(id.into());
        }
        Arc::new(resource)
    }

    /// Any action of the contract that a resource in `state` allows; any at all, where that is not known or no matter.
    pub(super) fn action(&mut self, state: Option<&str>) -> Option<Arc<str>> {
        let shared = Rc::clone(&self.shared);
        let model = &shared.plan.api.model;
        let state = state.filter(|_| model.family == Family::Lifecycle).and_then(|state| model.state(state));
        let is_allowed = |action: &&ActionModel| state.is_none_or(|state| action.next(state).next().is_some());
        let allowed: Vec<&ActionModel> =
            model.actions.iter().filter(|action| !action.is_aside).filter(is_allowed).collect();
        (!allowed.is_empty()).then(|| Arc::clone(&allowed[self.whims.below(allowed.len())].name))
    }

    /// Whether nothing more can be done to a resource that shows this state.
    pub(super) fn is_terminal(&self, state: Option<&str>) -> bool {
        let model = self.model();
        let state = state.filter(|_| model.family == Family::Lifecycle).and_then(|state| model.state(state));
        state.is_some_and(|state| model.is_terminal(state))
    }

    /// Who does `action`: the same person as ever where several would be in each other's way, else the client itself.
    pub(super) fn actor(&self, action: &str, is_shared: bool) -> Actor {
        let action = self.model().action(action).expect("it is one of the description's");
        let is_own = is_shared && action.only.is_none_or(|only| only == Allowed::Role);
        Actor { role: Arc::clone(&action.actor), person: if is_own { self.number + 1 } else { 1 } }
    }

    /// Whether a request for `verb` names the token that is known, and it must be read first.
    pub(super) fn must_look(&self, verb: &Verb, is_blurred: bool) -> bool {
        is_blurred && self.dialect().sends_token(verb) && self.dialect().reads()
    }
}
