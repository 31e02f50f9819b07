//! What an API means: a finite state machine per resource, and what the contract promises about tokens and effects.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;

/// A state's place in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateIx(pub u16);

/// The declared behaviour of one resource when requests come one after the other.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the resource is called, for sentences: `order`.
    pub noun: Arc<str>,
    /// What kind of resource it is. For all but a [`Family::Lifecycle`] the states say no more than what races need for
    /// their set-up: the judge makes a state of each value (`check::lower`).
    pub family: Family,
    /// State names; a [`StateIx`] counts into them.
    pub states: Vec<Arc<str>>,
    /// Where a fresh resource starts.
    pub initial: StateIx,
    /// What can be done.
    pub actions: Vec<ActionModel>,
    /// Whether every change needs a precondition.
    pub precondition_required: bool,
    /// Whether the declared version goes up by exactly one with each change.
    pub versioned: bool,
    /// How many effects one resource may have at most, however often it is asked (charges of an order: 1).
    pub effects_per_resource: Option<u32>,
    /// States that nothing leaves.
    pub terminal: Vec<StateIx>,
    /// What the API promises about idempotency keys, beyond one effect a key.
    pub keys: KeyPromises,
    /// What may lag behind what was acknowledged.
    pub lags: Lags,
}

/// The kinds of resource that can be described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Named states, and actions that lead from one to another.
    Lifecycle,
    /// A value that is replaced as a whole, or removed. Its states are [`Model::ABSENT`] and [`Model::PRESENT`]; a reply's state is
    /// the value.
    Register,
    /// A number that actions add to or take from, within bounds (stock, a balance, seats). Its one state is [`Model::PRESENT`]; a
    /// reply's state is the number.
    Counter(Bounds),
    /// Nothing but the effects that it is asked for (charges of a customer, say). Its one state is [`Model::PRESENT`], and no
    /// reply need show it.
    Effects,
}

/// The least and the most that a counter may be; `None` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Not less than this.
    pub least: Option<i64>,
    /// Not more than this.
    pub most: Option<i64>,
}

/// What an action does to a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Write {
    /// What it needs to find.
    pub needs: Needs,
    /// What it leaves behind.
    pub leaves: Leaves,
}

/// What a write needs to find; where it does not, it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// Nothing in particular.
    Anything,
    /// A value.
    Present,
    /// No value (`If-None-Match: *`).
    Absent,
}

/// What a write leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Leaves {
    /// The value it was sent with (`Call::value`).
    Value,
    /// No value.
    Nothing,
}

/// What may lag behind what was acknowledged, by declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lags {
    /// Reads.
    pub reads: bool,
    /// The list of effects.
    pub effects: bool,
    /// The list of events.
    pub events: bool,
}

/// What an API promises about idempotency keys, beyond one effect a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyPromises {
    /// A retry of a finished request gets the answer that was stored: same status, same body.
    pub replays_what_was_stored: bool,
    /// A used key with another payload is refused.
    pub refuses_reuse: bool,
}

/// Who may do an action, where the API promises to keep others out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Allowed {
    /// Anyone in the action's role.
    Role,
    /// Whoever created the resource.
    Creator,
}

/// One action.
#[derive(Debug, Clone)]
pub struct ActionModel {
    /// Its name.
    pub name: Arc<str>,
    /// Who does it, unless a scenario says otherwise.
    pub actor: Arc<str>,
    /// Where it leads. Several from one state: the server decides, the reply tells.
    pub transitions: Vec<Transition>,
    /// Whether it has an effect outside the resource (a charge) whose id the reply carries.
    pub has_effect: bool,
    /// Who alone may do it; `None` promises nothing.
    pub only: Option<Allowed>,
    /// Whether it comes from outside the contract (an older API on the same data): it needs no precondition, and explains
    /// a step only in a round that sent it.
    pub is_aside: bool,
    /// Whether it is sent with a version token, where the API has them: of others none is promised to be required.
    pub is_conditional: bool,
    /// What it does to a register.
    pub write: Option<Write>,
    /// What it adds to a counter; less than nothing takes from it.
    pub adds: Option<i64>,
}

/// One allowed step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// State before.
    pub from: StateIx,
    /// State after.
    pub to: StateIx,
}

impl Model {
    /// The state of a register without a value.
    pub const ABSENT: &'static str = "absent";
    /// The state of whatever is there.
    pub const PRESENT: &'static str = "present";

    /// The state called `name`.
    pub fn state(&self, name: &str) -> Option<StateIx> {
        let index = self.states.iter().position(|state| &**state == name)?;
        Some(StateIx(u16::try_from(index).expect("the file is limited to fewer states")))
    }

    /// The name of `state`.
    pub fn state_name(&self, state: StateIx) -> &Arc<str> {
        &self.states[usize::from(state.0)]
    }

    /// The action called `name`.
    pub fn action(&self, name: &str) -> Option<&ActionModel> {
        self.actions.iter().find(|action| &*action.name == name)
    }

    /// Whether any action of the contract leads from `from` to `to`.
    pub fn allows(&self, from: StateIx, to: StateIx) -> bool {
        self.contract().any(|action| action.leads(from, to))
    }

    /// Whether nothing leaves `state`.
    pub fn is_terminal(&self, state: StateIx) -> bool {
        self.terminal.contains(&state)
    }

    /// The actions that are not from outside the contract.
    fn contract(&self) -> impl Iterator<Item = &ActionModel> {
        self.actions.iter().filter(|action| !action.is_aside)
    }

    /// The shortest way from the initial state to `goal`: actions, each with the state it must lead to.
    pub fn path_to(&self, goal: StateIx) -> Option<Vec<(&ActionModel, StateIx)>> {
        let mut reached: Vec<Option<(&ActionModel, StateIx)>> = vec![None; self.states.len()];
        let mut queue = VecDeque::from([self.initial]);
        while let Some(state) = queue.pop_front() {
            if state == goal {
                return Some(walk_back(&reached, goal));
            }
            for action in self.contract() {
                for to in action.next(state) {
                    let slot = &mut reached[usize::from(to.0)];
                    if slot.is_none() && to != self.initial {
                        *slot = Some((action, state));
                        queue.push_back(to);
                    }
                }
            }
        }
        None
    }
}

/// From `goal` back to where nothing was reached from, turned round.
fn walk_back<'a>(reached: &[Option<(&'a ActionModel, StateIx)>], goal: StateIx) -> Vec<(&'a ActionModel, StateIx)> {
    let mut path = Vec::new();
    let mut here = goal;
    while let Some((action, before)) = reached[usize::from(here.0)] {
        path.push((action, here));
        here = before;
    }
    path.reverse();
    path
}

impl ActionModel {
    /// Whether it may lead from `from` to `to`.
    pub fn leads(&self, from: StateIx, to: StateIx) -> bool {
        self.transitions.iter().any(|transition| transition.from == from && transition.to == to)
    }

    /// Whether this action leads to `state` and, done there, may leave it at that: what it asks for is done already.
    pub fn is_settled_in(&self, state: StateIx) -> bool {
        let leads_there = self.transitions.iter().any(|step| step.to == state && step.from != state);
        leads_there && self.leads(state, state)
    }

    /// Whether it changes the state whenever it is done.
    pub fn always_changes(&self) -> bool {
        self.transitions.iter().all(|step| step.from != step.to)
    }

    /// The states this action may lead to from `state`; none if it is not allowed there.
    pub fn next(&self, state: StateIx) -> impl Iterator<Item = StateIx> {
        (self.transitions.iter()).filter(move |transition| transition.from == state).map(|transition| transition.to)
    }
}

#[cfg(test)]
mod tests {
    use crate::api::builtin;

    #[test]
    fn the_way_to_a_state_is_the_shortest_one() {
        let api = builtin::api("quickeats-v2").unwrap();
        let way = |state: &str| -> Vec<String> {
            let goal = api.model.state(state).unwrap();
            (api.model.path_to(goal).unwrap().iter()).map(|(action, _)| action.name.to_string()).collect()
        };
        assert!(way("pending_payment").is_empty());
        assert_eq!(way("ready_for_pickup"), ["payment", "acceptance", "preparation-complete"]);
        assert_eq!(way("cancelled"), ["cancellation"]);
    }
}
