//! A request as a client decides on it, and how it becomes one.

use std::sync::Arc;

use serde_json::Value;

use super::mind::Mind;
use super::resource::{Resource, name};
use crate::api::{Fill, Request};
use crate::history::{Actor, Call, Digest, Meaning, Phase, Precondition, Reply, Verb};
use crate::scenario::{KeyUse, TokenUse};
use crate::traffic::Ask;

/// A request about a resource, as decided on.
#[derive(Debug)]
pub(super) struct Saying {
    pub(super) resource: Arc<Resource>,
    pub(super) phase: Phase,
    pub(super) verb: Verb,
    pub(super) actor: Actor,
    pub(super) token: Option<Arc<str>>,
    pub(super) key: Option<Arc<str>>,
    /// The unique word in it; a fresh one, if none is given.
    pub(super) word: Option<Arc<str>>,
    pub(super) body: Option<Arc<Value>>,
    /// Whether it is sent twice at the same moment, on two connections: a double click.
    pub(super) is_doubled: bool,
}

/// What a client knows of a resource.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) state: Option<Arc<str>>,
    pub(super) token: Option<Arc<str>>,
    /// The token before that one.
    pub(super) old_token: Option<Arc<str>>,
    /// It was changed, and the answer did not tell to what.
    pub(super) is_blurred: bool,
}

impl Known {
    /// Learns from an answer.
    pub(super) fn learn(&mut self, verb: &Verb, reply: &Reply, has_token: bool) {
        // A stored answer tells what was.
        if reply.meaning != Meaning::Applied {
            return;
        }
        let changes = !matches!(verb, Verb::Read);
        self.is_blurred = changes && has_token && reply.token.is_none();
        if reply.token != self.token && (reply.token.is_some() || changes) {
            self.old_token = std::mem::replace(&mut self.token, reply.token.clone()).or(self.old_token.take());
        }
        if reply.state.is_some() || changes {
            self.state.clone_from(&reply.state);
        }
    }
}

impl Saying {
    /// A plain request: by the role that makes it, without a token or a key.
    pub(super) fn plain(mind: &Mind, resource: &Arc<Resource>, verb: Verb, phase: Phase) -> Self {
        let actor = Actor { role: Arc::clone(mind.dialect().role(&verb)), person: 1 };
        Self {
            resource: Arc::clone(resource),
            phase,
            verb,
            actor,
            token: None,
            key: None,
            word: None,
            body: None,
            is_doubled: false,
        }
    }

    /// Makes the resource.
    pub(super) fn create(mind: &mut Mind, resource: &Arc<Resource>) -> Self {
        let key = mind.dialect().sends_key(&Verb::Create).then(|| mind.nonce.uuid().to_string().into());
        Self { key, ..Self::plain(mind, resource, Verb::Create, Phase::SetUp) }
    }

    /// What a step asks for, by somebody who knows this of the resource. `None` if it is about a token that nobody has.
    pub(super) fn ask(mind: &mut Mind, resource: &Arc<Resource>, ask: &Ask, known: &Known) -> Option<Self> {
        let shown = if ask.token == TokenUse::Stale { &known.old_token } else { &known.token };
        if matches!(ask.token, TokenUse::Stale | TokenUse::Weak) && shown.is_none() {
            return None;
        }
        let token = ask.token.sent(shown.clone(), &mut mind.nonce);
        let (key, word) = mind.key(resource, ask.key);
        Some(Self {
            resource: Arc::clone(resource),
            phase: Phase::Contend,
            verb: ask.verb.clone(),
            actor: ask.actor.clone(),
            token,
            key,
            word,
            body: ask.body.clone(),
            is_doubled: ask.is_doubled,
        })
    }

    /// The request, and the call as the history keeps it.
    pub(super) fn speak(&self, mind: &mut Mind) -> (Request, Call) {
        let dialect = &mind.shared.plan.api.dialect;
        let unique = match &self.word {
            Some(word) => Arc::clone(word),
            None => mind.nonce.uuid().to_string().into(),
        };
        let person = self.resource.name(&self.actor);
        let round = self.resource.round().to_string();
        let fill = Fill {
            id: self.resource.id(),
            role: &self.actor.role,
            person: &person,
            unique: &unique,
            token: self.token.as_deref(),
            key: self.key.as_deref(),
            body: self.body.as_deref(),
            starts: None,
            round: &round,
            contender: 0,
        };
        let request = dialect.request(&self.verb, fill);
        let shown = dialect.shown(&self.verb, fill, &request);
        let payload = self.key.is_some().then(|| Digest::of(request.body.as_deref().unwrap_or_default()));
        let call = Call {
            principal: dialect.principal(&self.actor),
            actor: self.actor.clone(),
            request: shown,
            precondition: self.token.clone().map_or(Precondition::Absent, Precondition::Token),
            key: self.key.clone(),
            payload,
            value: dialect.writes_a_value(&self.verb).then_some(unique),
            verb: self.verb.clone(),
        };
        (request, call)
    }
}

/// A request that is about no resource: a path that is read.
pub(super) fn get(mind: &Mind, path: &str, role: &Arc<str>) -> Request {
    let actor = Actor { role: Arc::clone(role), person: 1 };
    let person = name(mind.shared.people, &actor, mind.number);
    mind.dialect().get(path, Fill { role, person: &person, ..Fill::default() })
}

impl Mind {
    /// The key that a request carries, and the word in it.
    pub(super) fn key(&mut self, resource: &Resource, key: KeyUse) -> (Option<Arc<str>>, Option<Arc<str>>) {
        match key {
            KeyUse::Own => (Some(self.nonce.uuid().to_string().into()), None),
            KeyUse::Shared => (Some(Arc::clone(&resource.shared_key)), Some(Arc::clone(&resource.shared_word))),
            KeyUse::Reused => (Some(Arc::clone(&resource.shared_key)), None),
            KeyUse::None => (None, None),
        }
    }
}
