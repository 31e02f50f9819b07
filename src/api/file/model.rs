//! What the API means, by the kind of resource: states, actions and promises, each checked where it stands.

use std::sync::Arc;

use toml::Spanned;

use super::super::model::{
    ActionModel, Bounds, Family, KeyPromises, Lags, Leaves, Model, Needs, StateIx, Transition, Write,
};
use super::Reader;
use super::place::PlaceFile;
use super::shape::{ActionFile, ApiFile, ModelFile, ReplayFile, ReuseFile, StatesFile};
use crate::source::SourceError;

/// More states than this are not a description of one resource.
const MOST_STATES: usize = 1_000;

impl Reader<'_> {
    pub(super) fn model(&self, file: &ApiFile) -> Result<Model, SourceError> {
        self.check_tables(file)?;
        let states = self.states(file)?;
        let mut actions = Vec::new();
        // In the order of the file: of several that play a role, the first one does.
        let mut written: Vec<(&Spanned<String>, &ActionFile)> = file.actions.iter().collect();
        written.sort_by_key(|(name, _)| name.span().start);
        for (name, action) in written {
            let transitions = match file.model {
                ModelFile::StateMachine => self.transitions(action, &states)?,
                ModelFile::Register | ModelFile::Counter | ModelFile::Effects => implied(file.model, action),
            };
            let write = (file.model == ModelFile::Register).then(|| write(action));
            actions.push(ActionModel {
                name: name.get_ref().as_str().into(),
                actor: self.actor(action.actor.as_ref(), &action.path)?,
                transitions,
                has_effect: action.effect.is_some(),
                only: action.only,
                is_aside: action.aside,
                is_conditional: action.token,
                write,
                adds: action.adds.as_ref().map(|adds| *adds.get_ref()),
            });
        }
        if file.model == ModelFile::StateMachine {
            self.check_reachable(file, &states, &actions)?;
        }
        Ok(Model {
            noun: file.resource.name.as_str().into(),
            family: family(file),
            initial: states.initial,
            states: states.names,
            actions,
            precondition_required: file.token.as_ref().is_some_and(|token| token.required),
            versioned: file.resource.version.is_some(),
            effects_per_resource: file.effects.as_ref().and_then(|effects| effects.at_most),
            terminal: states.terminal,
            keys: KeyPromises {
                replays_what_was_stored: (file.idempotency.as_ref())
                    .is_some_and(|keys| keys.replay == Some(ReplayFile::Stored)),
                refuses_reuse: (file.idempotency.as_ref()).is_some_and(|keys| keys.reuse == Some(ReuseFile::Refused)),
            },
            lags: Lags {
                reads: file.read.as_ref().is_some_and(|read| read.eventual),
                effects: file.effects.as_ref().is_some_and(|list| list.eventual),
                events: file.events.as_ref().is_some_and(|list| list.eventual),
            },
        })
    }

    /// Where replies tell what the model is about.
    pub(super) fn state_place<'f>(&self, file: &'f ApiFile) -> Result<Option<&'f Spanned<PlaceFile>>, SourceError> {
        let resource = &file.resource;
        let (own, other, key, model) = match file.model {
            ModelFile::StateMachine => (&resource.state, &resource.value, "state", "state machine"),
            ModelFile::Register => (&resource.value, &resource.state, "value", "register"),
            ModelFile::Counter => (&resource.value, &resource.state, "value", "counter"),
            ModelFile::Effects => (&resource.state, &resource.value, "state", "model of effects"),
        };
        match (own, other) {
            (_, Some(other)) => Err(self
                .wrong(other.span(), format!("a {model} has no such place"))
                .help(format!("where a reply tells it is called `{key}` here"))),
            (None, None) if file.model != ModelFile::Effects => Err(self
                .wrong(resource.id.span(), format!("[resource] lacks `{key}`: where a reply of a {model} tells it"))
                .help(format!("{key} = \"/{key}\", a JSON Pointer; or another place"))),
            (own, None) => Ok(own.as_ref()),
        }
    }

    /// Tables and requests that the model needs, or has no use for.
    fn check_tables(&self, file: &ApiFile) -> Result<(), SourceError> {
        let is_machine = file.model == ModelFile::StateMachine;
        match (&file.states, is_machine) {
            (None, true) => {
                return Err(self.wrong(file.name.span(), "a state machine needs a [states] table").help(
                    "[states] with initial = \"…\" and terminal = []; or another `model`: register, counter, effects",
                ));
            }
            (Some(states), false) => {
                return Err(self
                    .wrong(states.initial.span(), "[states] is for a state machine alone")
                    .help("leave it out, or leave `model` out"));
            }
            (Some(_), true) | (None, false) => {}
        }
        if let (Some(counter), false) = (&file.counter, file.model == ModelFile::Counter) {
            return Err(self.wrong(counter.span(), "[counter] is for `model = \"counter\"` alone"));
        }
        if file.read.is_none() && file.model != ModelFile::Effects {
            return Err(self
                .wrong(file.name.span(), "there is no [read] request: nothing would ever be seen")
                .help("add [read] with method = \"GET\" and path = \"/…/{id}\""));
        }
        if file.read.is_none() && file.effects.is_none() {
            return Err(self
                .wrong(file.name.span(), "there is neither [read] nor [effects]: nothing would ever be seen")
                .help("add [effects] with path = \"…\" and rows = \"/…\", the list that tells what was done"));
        }
        if file.create.is_none() && !matches!(file.model, ModelFile::Register | ModelFile::Effects) {
            return Err(self
                .wrong(file.name.span(), "there is no [create] request: each round needs a fresh resource")
                .help("add [create] with method = \"POST\" and path = \"/…\""));
        }
        if file.actions.is_empty() {
            return Err(self
                .wrong(file.name.span(), "there are no actions: nothing could race")
                .help("[actions.NAME]"));
        }
        file.actions.iter().try_for_each(|(name, action)| self.check_action(file.model, name.get_ref(), action))
    }

    /// What an action says must be of its model.
    fn check_action(&self, model: ModelFile, name: &str, action: &ActionFile) -> Result<(), SourceError> {
        let path = || action.path.span();
        match model {
            ModelFile::StateMachine if action.transitions.is_empty() => {
                let message = format!("the action `{name}` has no transitions: nothing could ever be done with it");
                return Err(self.wrong(path(), message).help("transitions = [{ from = \"…\", to = \"…\" }]"));
            }
            ModelFile::Register if action.writes.is_none() => {
                let message = format!("the action `{name}` does not say what it writes");
                return Err(self
                    .wrong(path(), message)
                    .help("writes = \"value\", or writes = \"nothing\" for a delete"));
            }
            ModelFile::Counter if action.adds.as_ref().is_none_or(|adds| *adds.get_ref() == 0) => {
                let message = format!("the action `{name}` does not say what it adds");
                return Err(self.wrong(path(), message).help("adds = -1 takes one, adds = 1 gives one"));
            }
            ModelFile::Effects if action.effect.is_none() => {
                let message = format!("the action `{name}` does not say where a reply tells its effect's id");
                return Err(self.wrong(path(), message).help("effect = \"/id\""));
            }
            _ => {}
        }
        let strange = |at: std::ops::Range<usize>, key: &str, model: &str| {
            Err(self.wrong(at, format!("`{key}` is for `model = \"{model}\"` alone")))
        };
        match (&action.writes, &action.needs, &action.adds, action.transitions.first()) {
            (Some(writes), ..) if model != ModelFile::Register => strange(writes.span(), "writes", "register"),
            (_, Some(needs), ..) if model != ModelFile::Register => strange(needs.span(), "needs", "register"),
            (_, _, Some(adds), _) if model != ModelFile::Counter => strange(adds.span(), "adds", "counter"),
            (_, _, _, Some(step)) if model != ModelFile::StateMachine => {
                strange(step.from.span(), "transitions", "state-machine")
            }
            _ => Ok(()),
        }
    }

    fn states(&self, file: &ApiFile) -> Result<States, SourceError> {
        let Some(declared) = &file.states else { return Ok(States::implied(file)) };
        let mut names: Vec<Arc<str>> = vec![declared.initial.get_ref().as_str().into()];
        for transition in file.actions.values().flat_map(|action| &action.transitions) {
            for name in [&transition.from, &transition.to] {
                if !names.iter().any(|own| **own == **name.get_ref()) {
                    names.push(name.get_ref().as_str().into());
                }
            }
        }
        if names.len() > MOST_STATES {
            let message = format!("{} states; at most {MOST_STATES} can be judged", names.len());
            return Err(self.wrong(declared.initial.span(), message));
        }
        let leaves = |name: &str| {
            let mut steps = file.actions.values().flat_map(|action| &action.transitions);
            steps.any(|step| step.from.get_ref() == name)
        };
        let initial = &declared.initial;
        if !leaves(initial.get_ref()) {
            let message = format!("no transition leaves the initial state `{}`", initial.get_ref());
            let known = names.iter().map(|name| &**name).filter(|name| leaves(name));
            return Err(self.wrong(initial.span(), message).suggest(initial.get_ref(), known));
        }
        self.declared(declared, names)
    }

    fn declared(&self, file: &StatesFile, names: Vec<Arc<str>>) -> Result<States, SourceError> {
        let mut states = States { names, initial: StateIx(0), terminal: Vec::new() };
        for name in &file.terminal {
            let state = states.named(name).ok_or_else(|| {
                self.wrong(name.span(), format!("no transition mentions the state `{}`", name.get_ref()))
                    .suggest(name.get_ref(), states.names.iter().map(|state| &**state))
            })?;
            states.terminal.push(state);
        }
        Ok(states)
    }

    fn transitions(&self, action: &ActionFile, states: &States) -> Result<Vec<Transition>, SourceError> {
        let mut transitions = Vec::new();
        for step in &action.transitions {
            let known = "every state that a transition mentions was collected";
            let (from, to) = (states.named(&step.from).expect(known), states.named(&step.to).expect(known));
            if states.terminal.contains(&from) && from != to && !action.aside {
                let message = format!("`{}` is declared terminal, so nothing may leave it", step.from.get_ref());
                return Err(self.wrong(step.from.span(), message));
            }
            transitions.push(Transition { from, to });
        }
        Ok(transitions)
    }

    /// Every state that a transition leaves must be one that something leads to: the rest are slips of the pen.
    fn check_reachable(&self, file: &ApiFile, states: &States, actions: &[ActionModel]) -> Result<(), SourceError> {
        let mut reached = vec![states.initial];
        let mut looked_at = 0;
        while let Some(state) = reached.get(looked_at).copied() {
            looked_at += 1;
            for to in actions.iter().flat_map(|action| action.next(state)) {
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
        let name = |state: &StateIx| &*states.names[usize::from(state.0)];
        let is_reached = |from: &str| reached.iter().any(|state| name(state) == from);
        let transitions = file.actions.values().flat_map(|action| &action.transitions);
        match transitions.into_iter().find(|transition| !is_reached(transition.from.get_ref())) {
            None => Ok(()),
            Some(transition) => {
                let (from, initial) = (transition.from.get_ref(), name(&states.initial));
                Err(self
                    .wrong(transition.from.span(), format!("no transitions lead from `{initial}` to `{from}`"))
                    .suggest(from, reached.iter().map(name)))
            }
        }
    }
}

/// A model's states.
struct States {
    names: Vec<Arc<str>>,
    initial: StateIx,
    terminal: Vec<StateIx>,
}

impl States {
    /// The states of a model that has no named ones: what races need for their set-up.
    fn implied(file: &ApiFile) -> Self {
        let names: &[&str] = match file.model {
            ModelFile::Register => &[Model::PRESENT, Model::ABSENT],
            ModelFile::StateMachine | ModelFile::Counter | ModelFile::Effects => &[Model::PRESENT],
        };
        // What no request makes is not there before somebody writes it.
        let is_absent = file.model == ModelFile::Register && file.create.is_none();
        let initial = if is_absent { ABSENT } else { PRESENT };
        Self { names: names.iter().map(|name| (*name).into()).collect(), initial, terminal: Vec::new() }
    }

    fn named(&self, name: &Spanned<String>) -> Option<StateIx> {
        let position = self.names.iter().position(|state| **state == **name.get_ref())?;
        u16::try_from(position).ok().map(StateIx)
    }
}

/// The place of `present` and of `absent` among the implied states.
const PRESENT: StateIx = StateIx(0);
const ABSENT: StateIx = StateIx(1);

/// Where an action leads in a model that has no named states.
fn implied(model: ModelFile, action: &ActionFile) -> Vec<Transition> {
    let write = write(action);
    if model != ModelFile::Register {
        return vec![Transition { from: PRESENT, to: PRESENT }];
    }
    let to = match write.leaves {
        Leaves::Value => PRESENT,
        Leaves::Nothing => ABSENT,
    };
    let from: &[StateIx] = match write.needs {
        Needs::Anything => &[PRESENT, ABSENT],
        Needs::Present => &[PRESENT],
        Needs::Absent => &[ABSENT],
    };
    from.iter().map(|from| Transition { from: *from, to }).collect()
}

fn write(action: &ActionFile) -> Write {
    Write {
        needs: action.needs.as_ref().map_or(Needs::Anything, |needs| *needs.get_ref()),
        leaves: action.writes.as_ref().map_or(Leaves::Value, |writes| *writes.get_ref()),
    }
}

fn family(file: &ApiFile) -> Family {
    match file.model {
        ModelFile::StateMachine => Family::Lifecycle,
        ModelFile::Register => Family::Register,
        ModelFile::Effects => Family::Effects,
        ModelFile::Counter => {
            let counter = file.counter.as_ref().map(Spanned::get_ref);
            Family::Counter(Bounds {
                least: counter.and_then(|counter| counter.least),
                most: counter.and_then(|counter| counter.most),
            })
        }
    }
}
