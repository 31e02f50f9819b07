//! A fresh resource, who deals with it, and how a call to it becomes a request.

use std::sync::Arc;

use crate::api::{Dialect, Fill, Request};
use crate::history::{Actor, Call, Digest, Outcome, Precondition, Verb, Window};
use crate::ids::RoundId;
use crate::scenario::{ContenderPlan, KeyUse};
use crate::seed::{Dice, Seed};
use crate::target::{Exchange, Failure};

/// A fresh resource and who deals with it.
pub(super) struct Stage<'a> {
    pub(super) dialect: &'a Dialect,
    pub(super) id: Arc<str>,
    pub(super) persons: Persons,
    /// The one key of all who share, and the unique word in what they send: the same request, said again.
    pub(super) shared_key: Arc<str>,
    pub(super) shared_word: String,
}

/// Names for a round's people: unguessable, and the same person has the same name throughout the round.
#[derive(Clone, Copy)]
pub(super) struct Persons {
    pub(super) seed: Seed,
    pub(super) round: RoundId,
}

impl Persons {
    fn name(self, actor: &Actor) -> String {
        self.seed.child(&actor.to_string()).dice().uuid().to_string()
    }
}

/// What a call is made of, beside its verb and actor.
#[derive(Default)]
pub(super) struct Extras<'a> {
    pub(super) id: &'a str,
    pub(super) token: Option<Arc<str>>,
    pub(super) key: Option<Arc<str>>,
    pub(super) word: Option<String>,
    pub(super) body: Option<&'a serde_json::Value>,
    /// What a fresh counter is to hold.
    pub(super) starts: Option<i64>,
    /// Which contender it is, from 1; 0 if none.
    pub(super) contender: usize,
    /// The view that is read, from 0; the resource itself, if none is named.
    pub(super) view: Option<usize>,
}

impl Stage<'_> {
    /// The request that `plan` asks for, sent with `token` by the contender of this number; 0 by one that does not race.
    pub(super) fn speak_plan(
        &self,
        (plan, contender): (&ContenderPlan, usize),
        token: Option<Arc<str>>,
        dice: &mut Dice,
    ) -> (Request, Call) {
        let (key, word) = match plan.key {
            KeyUse::Own => (Some(dice.uuid().to_string().into()), None),
            KeyUse::Shared => (Some(Arc::clone(&self.shared_key)), Some(self.shared_word.clone())),
            KeyUse::Reused => (Some(Arc::clone(&self.shared_key)), None),
            KeyUse::None => (None, None),
        };
        let extras =
            Extras { id: &self.id, token, key, word, body: plan.body.as_ref(), contender, ..Extras::default() };
        speak(self.dialect, self.persons, plan.verb.clone(), plan.actor.clone(), extras, dice)
    }

    /// A request that changes nothing: a read by `actor`, or a list where nothing can be read. `None` if there is neither.
    pub(super) fn speak_look(&self, actor: &Actor, dice: &mut Dice) -> Option<(Request, Call)> {
        if self.dialect.reads() {
            return Some(self.speak_read(actor, dice));
        }
        let list = self.dialect.lists().next()?;
        let actor = Actor { role: Arc::clone(self.dialect.role(&list)), person: 1 };
        let extras = Extras { id: &self.id, ..Extras::default() };
        Some(speak(self.dialect, self.persons, list, actor, extras, dice))
    }

    pub(super) fn speak_read(&self, actor: &Actor, dice: &mut Dice) -> (Request, Call) {
        let extras = Extras { id: &self.id, ..Extras::default() };
        speak(self.dialect, self.persons, Verb::Read, actor.clone(), extras, dice)
    }
}

pub(super) fn reader(dialect: &Dialect) -> Actor {
    Actor { role: Arc::clone(dialect.role(&Verb::Read)), person: 1 }
}

/// The request for a call, and the call as the history keeps it.
pub(super) fn speak(
    dialect: &Dialect,
    persons: Persons,
    verb: Verb,
    actor: Actor,
    extras: Extras<'_>,
    dice: &mut Dice,
) -> (Request, Call) {
    let (person, round) = (persons.name(&actor), persons.round.to_string());
    let unique = extras.word.unwrap_or_else(|| dice.uuid().to_string());
    let fill = Fill {
        id: extras.id,
        role: &actor.role,
        person: &person,
        unique: &unique,
        token: extras.token.as_deref(),
        key: extras.key.as_deref(),
        body: extras.body,
        starts: extras.starts,
        round: &round,
        contender: extras.contender,
    };
    let (request, shown) = if let Some(view) = extras.view {
        dialect.view(view, fill)
    } else {
        let request = dialect.request(&verb, fill);
        let shown = dialect.shown(&verb, fill, &request);
        (request, shown)
    };
    let payload = extras.key.is_some().then(|| Digest::of(request.body.as_deref().unwrap_or_default()));
    let value = dialect.writes_a_value(&verb).then(|| unique.as_str().into());
    let call = Call {
        verb,
        principal: dialect.principal(&actor),
        actor,
        request: shown,
        precondition: extras.token.map_or(Precondition::Absent, Precondition::Token),
        key: extras.key,
        payload,
        value,
    };
    (request, call)
}

pub(super) fn read_exchange(dialect: &Dialect, verb: &Verb, exchange: Exchange) -> (Window, Outcome) {
    let outcome = match exchange.result {
        Ok(response) => dialect.read(verb, &response),
        Err(Failure::NotSent(cause)) => Outcome::NotSent(cause),
        Err(Failure::Unknown(cause)) => Outcome::Unknown(cause),
    };
    (exchange.window, outcome)
}
