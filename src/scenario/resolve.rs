//! From what a scenario names to what the API description has: states, actions, actors.

use std::sync::Arc;

use toml::Spanned;

use super::contender::{Contender, KeyUse, PersonUse, TokenUse};
use super::file::Scenario;
use super::fit::{Casting, Wanted, WantedToken, candidates, casting, described, needs_absence};
use super::generic::{Enough, Role, Starts};
use super::plan::{ContenderPlan, PlanError, Step};
use crate::api::{ActionModel, Api, Bounds, Family, Model, StateIx};
use crate::check::Alone;
use crate::history::{Actor, Verb};
use crate::source::SourceError;

/// Resolves a scenario for an API description.
#[derive(Clone, Copy)]
pub(super) struct Resolver<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) api: &'a Api,
}

impl<'a> Resolver<'a> {
    /// A generic scenario is about any description; where one has nothing for it, nobody made a mistake.
    pub(super) fn wrong(&self, error: SourceError) -> PlanError {
        if self.scenario.is_generic() { PlanError::Unfit(error) } else { PlanError::Mistake(error) }
    }

    /// The state that the scenario starts from.
    pub(super) fn start(&self) -> Result<StateIx, PlanError> {
        let (model, name) = (&self.api.model, &self.api.name);
        match &self.scenario.start {
            Some(written) => model.state(written.get_ref()).ok_or_else(|| {
                let message = format!("`{name}` has no state `{}`", written.get_ref());
                let known = model.states.iter().map(|state| &**state);
                self.wrong(self.scenario.wrong(written, message).suggest(written.get_ref(), known))
            }),
            None => self.nearest_start(),
        }
    }

    /// The state with the shortest way to it from which all contenders may act.
    fn nearest_start(&self) -> Result<StateIx, PlanError> {
        let model = &self.api.model;
        let mut reachable: Vec<(usize, StateIx)> = (0..model.states.len())
            .filter_map(|index| {
                let state = StateIx(u16::try_from(index).ok()?);
                Some((model.path_to(state)?.len(), state))
            })
            .collect();
        reachable.sort_unstable();
        let mut failed = None;
        for (_, state) in reachable {
            match self.check_start(state) {
                Ok(()) => return Ok(state),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Err(failed
            .unwrap_or_else(|| self.wrong(self.scenario.wrong(&self.scenario.name, "there is no state to start from"))))
    }

    /// Whether all contenders may act after what is done first in `state`.
    fn check_start(&self, state: StateIx) -> Result<(), PlanError> {
        let (_, raced_from) = self.change(state)?;
        self.scenario.contenders.iter().try_for_each(|written| {
            let verb = self.asked(written, &raced_from)?;
            self.check_allowed(written, &verb, &raced_from)
        })
    }

    /// Whether the resource is made, and the steps to where the scenario starts.
    pub(super) fn set_up(&self, start: StateIx) -> Result<(bool, Vec<Step>), PlanError> {
        let (model, dialect) = (&self.api.model, &self.api.dialect);
        // What nobody has made is absent: under an id that is made up there is nothing.
        if self.is_absent(start) && dialect.made_id("").is_some() {
            return Ok((false, Vec::new()));
        }
        let path = model.path_to(start).ok_or_else(|| {
            let goal = model.state_name(start);
            let message = format!("no actions of `{}` lead to the state `{goal}`", self.api.name);
            let place = self.scenario.start.as_ref().unwrap_or(&self.scenario.name);
            self.wrong(self.scenario.wrong(place, message))
        })?;
        let step = |(action, to): &(&ActionModel, StateIx)| Step {
            action: Arc::clone(&action.name),
            actor: person(&action.actor, 1),
            // What a register or counter shows is what it holds, not a state of the model.
            leads_to: (model.family == Family::Lifecycle).then(|| Arc::clone(model.state_name(*to))),
        };
        Ok((dialect.creates(), path.iter().map(step).collect()))
    }

    /// The steps of `change`, and the states that the race may start from after them.
    pub(super) fn change(&self, start: StateIx) -> Result<(Vec<Step>, Vec<StateIx>), PlanError> {
        let mut here = vec![start];
        let mut steps = Vec::new();
        for name in &self.scenario.change {
            let action = self.action_to_change(name, &here)?;
            here = here.iter().flat_map(|state| action.next(*state)).collect();
            here.sort_unstable();
            here.dedup();
            if here.is_empty() {
                let message = format!("`{}` is not allowed where it stands in `change`", name.get_ref());
                return Err(self.wrong(self.scenario.wrong(name, message)));
            }
            steps.push(Step { action: Arc::clone(&action.name), actor: person(&action.actor, 1), leads_to: None });
        }
        Ok((steps, here))
    }

    fn action_to_change(&self, name: &Spanned<String>, here: &[StateIx]) -> Result<&'a ActionModel, PlanError> {
        match self.verb(name, here, Wanted::default())? {
            Verb::Act(action) => Ok(self.api.model.action(&action).expect("found there")),
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => {
                let message = format!("`{}` is no action that changes the resource", name.get_ref());
                Err(self.wrong(self.scenario.wrong(name, message)))
            }
        }
    }

    /// The contender at this place of the volley.
    pub(super) fn contender(&self, index: usize, raced_from: &[StateIx]) -> Result<ContenderPlan, PlanError> {
        let entry = index % self.scenario.contenders.len();
        let written = &self.scenario.contenders[entry];
        let verb = self.asked(written, raced_from)?;
        self.check_allowed(written, &verb, raced_from)?;
        let mut plan = self.planned(written, verb, index, entry)?;
        let is_absent = raced_from.iter().all(|state| self.is_absent(*state));
        if is_absent && matches!(plan.token, TokenUse::Current | TokenUse::Weak) {
            plan.token = TokenUse::None; // what is not there has no token to be conditional on
        }
        Ok(plan)
    }

    /// What comes at this place after the race: a request that is said again is the one that was raced.
    pub(super) fn follower(
        &self,
        index: usize,
        start: StateIx,
        raced_from: &[StateIx],
    ) -> Result<ContenderPlan, PlanError> {
        let written = &self.scenario.then[index];
        let is_generic = self.scenario.is_generic();
        let wanted = Wanted {
            key: is_generic && matches!(written.key, KeyUse::Shared | KeyUse::Reused),
            word: is_generic && written.key == KeyUse::Reused && written.body.is_none(),
            ..Wanted::default()
        };
        let verb = self.verb(&written.action, raced_from, wanted)?;
        let mut plan = self.planned(written, verb, index, index)?;
        if self.is_absent(start) && plan.token == TokenUse::Stale {
            plan.token = TokenUse::None; // there was none before
        }
        Ok(plan)
    }

    /// Who plays the roles of those who race, where the description leaves a choice: each role once.
    pub(super) fn castings(&self, raced_from: &[StateIx]) -> Vec<Casting> {
        let mut castings: Vec<Casting> = Vec::new();
        for written in &self.scenario.contenders {
            let Some(Ok(role)) = Role::parse(written.action.get_ref()) else { continue };
            let casting = casting(self.api, role, raced_from, self.wanted(written));
            castings.extend(casting.filter(|one| !castings.contains(one)));
        }
        castings
    }

    /// What the request of a contender must be sent with: what its scenario is about, if it is a generic one.
    fn wanted(&self, written: &Contender) -> Wanted {
        let (is_generic, token) = (self.scenario.is_generic(), &written.token);
        Wanted {
            key: is_generic && matches!(written.key, KeyUse::Shared | KeyUse::Reused),
            word: is_generic && written.key == KeyUse::Reused && written.body.is_none(),
            token: match token.value {
                _ if !is_generic || token.span.is_none() => WantedToken::None,
                TokenUse::None => WantedToken::None,
                TokenUse::Weak => WantedToken::Weak,
                TokenUse::Current | TokenUse::Stale | TokenUse::Unheard => WantedToken::Any,
            },
        }
    }

    /// What a contender asks for, with what its scenario is about if it is a generic one: a token, a shared key.
    fn asked(&self, written: &Contender, raced_from: &[StateIx]) -> Result<Verb, PlanError> {
        let (is_generic, token) = (self.scenario.is_generic(), &written.token);
        let verb = self.verb(&written.action, raced_from, self.wanted(written))?;
        if is_generic && token.span.is_some() && token.value == TokenUse::None {
            self.check_unconditional(written, &verb)?;
        }
        Ok(verb)
    }

    /// A request that is to go without a token makes sense where that is allowed; one that is to be refused, where it is not.
    fn check_unconditional(&self, written: &Contender, verb: &Verb) -> Result<(), PlanError> {
        let is_required = self.api.model.precondition_required && self.api.dialect.sends_token(verb);
        let name = &self.api.name;
        let message = match self.scenario.alone {
            Alone::Applied if is_required => format!("`{name}` promises to refuse `{verb}` without a version token"),
            Alone::Refused if !is_required => {
                format!("`{name}` does not promise to refuse `{verb}` without a version token")
            }
            Alone::Applied | Alone::Refused | Alone::Either => return Ok(()),
        };
        Err(self.wrong(self.scenario.wrong(&written.action, message)))
    }

    /// What is called `name`, or plays the role of that name, preferably where the resource is in one of these states.
    fn verb(&self, name: &Spanned<String>, from: &[StateIx], wanted: Wanted) -> Result<Verb, PlanError> {
        match (Role::parse(name.get_ref()), name.get_ref().as_str()) {
            (Some(Ok(role)), _) => self.player(name, role, from, wanted),
            (None, "create") if self.api.dialect.creates() => Ok(Verb::Create),
            (None, "read") if self.api.dialect.reads() => Ok(Verb::Read),
            (Some(Err(_)) | None, _) => self.known_action(name),
        }
    }

    fn known_action(&self, name: &Spanned<String>) -> Result<Verb, PlanError> {
        let (model, typed) = (&self.api.model, name.get_ref());
        if let Some(action) = model.action(typed) {
            return Ok(Verb::Act(Arc::clone(&action.name)));
        }
        let known = model.actions.iter().map(|action| &*action.name).chain(["create", "read"]);
        let message = format!("`{}` has no action `{typed}`", self.api.name);
        Err(self.wrong(self.scenario.wrong(name, message).suggest(typed, known)))
    }

    /// What plays a role.
    fn player(&self, name: &Spanned<String>, role: Role, from: &[StateIx], wanted: Wanted) -> Result<Verb, PlanError> {
        candidates(self.api, role, from, wanted).map_err(|missing| {
            let message = format!("`{}` has no {role} {missing}", self.api.name);
            self.wrong(self.scenario.wrong(name, message).help(described(self.api)))
        })
    }

    fn planned(&self, written: &Contender, verb: Verb, index: usize, entry: usize) -> Result<ContenderPlan, PlanError> {
        let dialect = &self.api.dialect;
        let own_role = match &verb {
            Verb::Act(name) => &self.api.model.action(name).expect("found there").actor,
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => dialect.role(&verb),
        };
        let role = match &written.actor {
            None => Arc::clone(own_role),
            Some(actor) if dialect.has_role(actor.get_ref()) => actor.get_ref().as_str().into(),
            Some(actor) => {
                let message = format!("`{}` has no actor `{}`", self.api.name, actor.get_ref());
                let error = self.scenario.wrong(actor, message).suggest(actor.get_ref(), dialect.roles());
                return Err(self.wrong(error));
            }
        };
        let number = match written.person {
            PersonUse::Same => 1,
            PersonUse::Each => u32::try_from(index + 1).expect("volleys are small"),
            PersonUse::Other => 2,
        };
        let key = if dialect.sends_key(&verb) { written.key } else { KeyUse::None };
        // Tokens are known by reading.
        let names_one = dialect.sends_token(&verb) && dialect.reads() && !self.needs_absence(&verb);
        let token = if names_one { written.token.value } else { TokenUse::None };
        let actor = person(&role, number);
        // Who does what is not theirs to do may not even be shown the resource.
        let is_stranger = role != *own_role || written.person == PersonUse::Other;
        let reader = if is_stranger && dialect.reads() { person(dialect.role(&Verb::Read), 1) } else { actor.clone() };
        if let Some(body) = &written.body {
            let token = (token != TokenUse::None).then(|| dialect.lacks_room_for_token(&verb, body)).flatten();
            let key = (key != KeyUse::None).then(|| dialect.lacks_room_for_key(&verb, body)).flatten();
            self.check_room(written, &verb, [("token", token), ("key", key)])?;
        }
        let (body, at, offset) = (written.body.clone(), written.at, written.offset.value);
        Ok(ContenderPlan { verb, actor, reader, token, key, body, at, offset, entry })
    }

    /// What a contender is to name must find its place in the contender's own body.
    fn check_room(
        &self,
        written: &Contender,
        verb: &Verb,
        lacks: [(&str, Option<&'static str>); 2],
    ) -> Result<(), PlanError> {
        let Some((word, lacks)) = lacks.into_iter().find_map(|(word, lacks)| Some((word, lacks?))) else {
            return Ok(());
        };
        let message = format!("`{verb}` cannot say its {word} in this body, which is {lacks}");
        let help = format!("leave `body` out, or say {word} = \"none\"");
        Err(self.wrong(self.scenario.wrong(&written.action, message).help(help)))
    }

    /// What is to be accepted alone must be allowed where the race starts.
    fn check_allowed(&self, written: &Contender, verb: &Verb, raced_from: &[StateIx]) -> Result<(), PlanError> {
        let Verb::Act(name) = verb else { return Ok(()) };
        let model = &self.api.model;
        let action = model.action(name).expect("the plan has it from the description");
        let is_allowed = raced_from.iter().any(|state| action.next(*state).next().is_some());
        if self.scenario.alone != Alone::Applied || is_allowed {
            return Ok(());
        }
        let states: Vec<&str> = raced_from.iter().map(|state| &**model.state_name(*state)).collect();
        let message = format!("`{name}` is not allowed in `{}`, where the race starts", states.join("` or `"));
        let error = self.scenario.wrong(&written.action, message).help("start elsewhere, or say alone = \"refused\"");
        Err(self.wrong(error))
    }

    /// What a fresh counter holds: so that as many of the contenders can be served as the scenario says.
    pub(super) fn starts(&self, contenders: &[ContenderPlan]) -> Result<Option<i64>, PlanError> {
        let Some(written) = &self.scenario.starts else { return Ok(None) };
        let (model, name) = (&self.api.model, &self.api.name);
        let unfit = |message: String| self.wrong(self.scenario.wrong(written, message));
        let Family::Counter(bounds) = model.family else {
            return Err(unfit(format!("`{name}` is no counter: nothing says what it starts with")));
        };
        let adds = |plan: &ContenderPlan| {
            let Verb::Act(action) = &plan.verb else { return 0 };
            model.action(action).and_then(|action| action.adds).unwrap_or(0)
        };
        let (taken, given): (Vec<i64>, Vec<i64>) = contenders.iter().map(adds).partition(|adds| *adds < 0);
        let sum = |all: &[i64]| all.iter().fold(0_i64, |sum, one| sum.saturating_add(*one));
        let floor = bounds.least.unwrap_or(0);
        let starts = match written.get_ref() {
            Starts::With(starts) => *starts,
            Starts::Enough(Enough::ForOne) if bounds.least.is_none() => {
                return Err(unfit(format!(
                    "`{name}` declares no `least`: however much is taken, it is never too much"
                )));
            }
            Starts::Enough(Enough::ForOne) => floor.saturating_sub(taken.iter().copied().min().unwrap_or(0)),
            Starts::Enough(Enough::ForAll) => floor.saturating_sub(sum(&taken)),
        };
        if !holds(bounds, starts) || !holds(bounds, starts.saturating_add(sum(&given))) {
            let message =
                format!("`{name}` cannot start with {starts} and be given {}: that is out of its bounds", sum(&given));
            return Err(unfit(message));
        }
        if !self.api.dialect.can_start_with(starts) {
            let message = format!("`{name}` cannot be made to start with {starts}");
            return Err(
                self.wrong(self.scenario.wrong(written, message).help("[create] says where that goes: {starts}"))
            );
        }
        Ok(Some(starts))
    }

    fn needs_absence(&self, verb: &Verb) -> bool {
        let Verb::Act(name) = verb else { return false };
        self.api.model.action(name).is_some_and(needs_absence)
    }

    fn is_absent(&self, state: StateIx) -> bool {
        self.api.model.family == Family::Register && **self.api.model.state_name(state) == *Model::ABSENT
    }
}

fn holds(bounds: Bounds, number: i64) -> bool {
    bounds.least.is_none_or(|least| least <= number) && bounds.most.is_none_or(|most| number <= most)
}

fn person(role: &Arc<str>, person: u32) -> Actor {
    Actor { role: Arc::clone(role), person }
}
