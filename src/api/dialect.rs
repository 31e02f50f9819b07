//! How an API is spoken: from a call to a request, and from a response to an [`Outcome`](crate::history::Outcome).
//!
//! Reading is total: whatever bytes a server sends become an outcome, and what cannot be read is `Unknown`, never
//! success and never a refusal.

pub(super) mod asking;
pub(super) mod explaining;
pub(super) mod login;
pub(super) mod proof;
mod reading;
mod room;
pub(super) mod rules;
pub(super) mod secrets;
pub(super) mod settling;
pub(super) mod shell;
mod telling;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::credentials::{Credentials, Tells};
use super::place::{Place, Pointer, Source};
use super::template::{Hole, Template};
use crate::history::Verb;
use asking::{RequestTemplate, Send};
use login::{Login, LoginDialect};
use proof::Proof;
use rules::ReplyRule;
use settling::Settle;

/// More rows than this are not taken from a list.
const MOST_RECORDS: usize = 10_000;

/// How each request is written, and how replies are read.
#[derive(Debug, Clone)]
pub struct Dialect {
    pub(super) create: Option<RequestTemplate>,
    pub(super) creates_with_key: bool,
    /// Whether the fresh resource holds the value that its request was filled with.
    pub(super) creates_with_value: bool,
    pub(super) read: Option<RequestTemplate>,
    /// Other requests that show what `read` shows.
    pub(super) views: Vec<RequestTemplate>,
    pub(super) settle: Option<Settle>,
    pub(super) actions: BTreeMap<Arc<str>, ActionDialect>,
    pub(super) effects: Option<ListDialect>,
    pub(super) events: Option<ListDialect>,
    pub(super) actors: BTreeMap<Arc<str>, ActorDialect>,
    pub(super) credentials: Credentials,
    /// What logins told, by role.
    pub(super) logged_in: BTreeMap<Arc<str>, Login>,
    /// What variables of the environment hold, of those that requests name.
    pub(super) environment: BTreeMap<Arc<str>, Arc<str>>,
    /// How well each role can be told, once somebody has asked: forgotten when any of the three above changes.
    pub(super) told_apart: OnceLock<BTreeMap<Arc<str>, Tells>>,
    pub(super) id: IdDialect,
    /// The state of a state machine, the value of a register, the number of a counter.
    pub(super) state: Option<Place>,
    /// What it is called: `state`, `value` or `number`.
    pub(super) state_word: &'static str,
    /// Whether an action's reply is of no use if it has a body that is not JSON.
    pub(super) answers_json: bool,
    pub(super) version: Option<Place>,
    pub(super) volatile: Vec<Pointer>,
    pub(super) token: Option<TokenDialect>,
    pub(super) idempotency: Option<KeyDialect>,
    pub(super) starts: i64,
    pub(super) rules: Vec<ReplyRule>,
}

/// Where a resource's id comes from.
#[derive(Debug, Clone)]
pub(super) enum IdDialect {
    /// The reply to `create` tells it.
    Told(Place),
    /// The client makes it up.
    Made(Template),
}

#[derive(Debug, Clone)]
pub(super) struct ActorDialect {
    pub(super) headers: Vec<(Arc<str>, Template)>,
    /// Whom a token of this actor names.
    pub(super) subject: Template,
    /// What proves that it is asking, by the description.
    pub(super) proof: Option<Proof>,
    /// What it asks for first.
    pub(super) login: Option<LoginDialect>,
}

#[derive(Debug, Clone)]
pub(super) struct ActionDialect {
    pub(super) request: RequestTemplate,
    pub(super) sends: Sends,
    /// Whether its replies show the resource.
    pub(super) shows: bool,
    pub(super) effect: Option<Place>,
    pub(super) amount: Option<Place>,
}

/// What an action's request says beside what everybody knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sends {
    /// An idempotency key.
    pub(super) key: bool,
    /// The version token that it is conditional on.
    pub(super) token: bool,
    /// The value that it leaves behind.
    pub(super) value: bool,
}

#[derive(Debug, Clone)]
pub(super) struct ListDialect {
    pub(super) request: RequestTemplate,
    pub(super) told: Told,
    pub(super) page: Page,
    pub(super) id: Option<Source>,
    pub(super) amount: Option<Source>,
    pub(super) action: Option<Source>,
    pub(super) from: Option<Source>,
    pub(super) to: Option<Source>,
    pub(super) version: Option<Source>,
}

/// How it shows that a list is only the first part of what there is.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// It shows so many rows at most: as many may not be all, unless `more` says so.
    pub(super) rows: Option<usize>,
    /// Something stands here if there are more.
    pub(super) more: Option<Place>,
}

/// How a list tells.
#[derive(Debug, Clone)]
pub(super) enum Told {
    /// Row by row.
    Rows(Source),
    /// By a number alone.
    Count(Place),
}

#[derive(Debug, Clone)]
pub(super) struct TokenDialect {
    pub(super) read: Place,
    pub(super) send: Option<Send>,
    /// Whether tokens are compared as they are: then `W/` makes none a weak one.
    pub(super) is_opaque: bool,
}

/// What stands for `W/` where it makes no token a weak one: nobody who looks for weak ones finds it.
const OPAQUE_WEAK: &str = "(W/)";

impl TokenDialect {
    /// A token as it is known here, from what a reply said.
    pub(super) fn known(&self, said: Arc<str>) -> Arc<str> {
        match said.strip_prefix("W/") {
            Some(rest) if self.is_opaque => format!("{OPAQUE_WEAK}{rest}").into(),
            Some(_) | None => said,
        }
    }

    /// What a request says, of a token as it is known here.
    pub(super) fn said<'a>(&self, known: &'a str) -> Cow<'a, str> {
        match known.strip_prefix(OPAQUE_WEAK) {
            Some(rest) if self.is_opaque => format!("W/{rest}").into(),
            Some(_) | None => known.into(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct KeyDialect {
    pub(super) send: Option<Send>,
    pub(super) replayed: Option<Place>,
}

/// What one request is filled with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fill<'a> {
    /// The resource's id; empty before it exists.
    pub id: &'a str,
    /// The role of who asks.
    pub role: &'a str,
    /// Who asks: unique to the person and the round.
    pub person: &'a str,
    /// A token unique to the request.
    pub unique: &'a str,
    /// The version token to be conditional on.
    pub token: Option<&'a str>,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// A body instead of the described one.
    pub body: Option<&'a Value>,
    /// What a fresh counter is to hold; `None` as the description says.
    pub starts: Option<i64>,
    /// The round's name in the history; empty outside of rounds.
    pub round: &'a str,
    /// Which contender of the round it is, from 1; 0 if none.
    pub contender: usize,
}

impl IdDialect {
    /// Where a reply tells it.
    pub(super) const fn place(&self) -> Option<&Place> {
        match self {
            Self::Told(place) => Some(place),
            Self::Made(_) => None,
        }
    }
}

impl Dialect {
    fn template(&self, verb: &Verb) -> &RequestTemplate {
        let missing = "plans are checked against the description";
        match verb {
            Verb::Create => self.create.as_ref().expect(missing),
            Verb::Read => self.read.as_ref().expect(missing),
            Verb::Act(name) => &self.actions.get(name).expect(missing).request,
            Verb::ListEffects => &self.effects.as_ref().expect(missing).request,
            Verb::ListEvents => &self.events.as_ref().expect(missing).request,
        }
    }

    /// Whether the description has a request for `verb`.
    pub fn speaks(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Create => self.create.is_some(),
            Verb::Read => self.read.is_some(),
            Verb::Act(name) => self.actions.contains_key(name),
            Verb::ListEffects => self.effects.is_some(),
            Verb::ListEvents => self.events.is_some(),
        }
    }

    /// The role that makes this request unless a scenario says otherwise.
    pub fn role(&self, verb: &Verb) -> &Arc<str> {
        &self.template(verb).actor
    }

    /// Whether the description knows the role `name`.
    pub fn has_role(&self, name: &str) -> bool {
        self.actors.contains_key(name)
    }

    /// The roles, by name.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.actors.keys().map(|name| &**name)
    }

    /// Where a reply tells its version token, in words, where the API has tokens.
    pub fn token_place(&self) -> Option<String> {
        self.token.as_ref().map(|token| token.read.to_string())
    }

    /// The header that carries a reply's version token, if it is one.
    pub fn token_header(&self) -> Option<&str> {
        self.token.as_ref().and_then(|token| token.read.header())
    }

    /// Whether tokens are entity tags, of which some are weak (RFC 9110 §8.8.1).
    pub fn has_weak_tokens(&self) -> bool {
        let is_tag = self.token_header().is_some_and(|header| header == "etag");
        is_tag && self.token.as_ref().is_some_and(|token| !token.is_opaque)
    }

    /// Whether replies carry a version token and requests can be conditional on it.
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether requests carry idempotency keys.
    pub const fn has_keys(&self) -> bool {
        self.idempotency.is_some()
    }

    /// Where a stored answer says that it is one, in words, where it does.
    pub fn replay_place(&self) -> Option<String> {
        self.idempotency.as_ref().and_then(|keys| keys.replayed.as_ref()).map(ToString::to_string)
    }

    /// Whether replies to an action show the resource.
    pub fn shows_resource(&self, action: &str) -> bool {
        self.actions.get(action).is_none_or(|action| action.shows)
    }

    /// Whether the client makes up the ids of fresh resources.
    pub const fn makes_ids(&self) -> bool {
        matches!(self.id, IdDialect::Made(_))
    }

    /// Whether a request makes the resource; else it is there, or not there, without one.
    pub const fn creates(&self) -> bool {
        self.create.is_some()
    }

    /// Whether the resource can be read.
    pub const fn reads(&self) -> bool {
        self.read.is_some()
    }

    /// Whether a fresh counter can be made to hold what a scenario asks for: `starts` itself, where nobody can say.
    pub fn can_start_with(&self, starts: i64) -> bool {
        let mut is_told = starts == self.starts;
        if let Some(create) = &self.create {
            create.templates(&mut |template| is_told |= template.has(&Hole::Starts));
        }
        is_told
    }

    /// Whether the actor of a role must log in before it asks anything else.
    pub fn logins(&self) -> impl Iterator<Item = &Arc<str>> {
        self.actors.iter().filter(|(_, actor)| actor.login.is_some()).map(|(role, _)| role)
    }

    /// The variables of the environment that requests name.
    pub fn variables(&self) -> BTreeSet<Arc<str>> {
        let mut variables = BTreeSet::new();
        let lists = [&self.effects, &self.events].into_iter().flatten().map(|list| &list.request);
        let requests = self.create.iter().chain(&self.read).chain(&self.views).chain(lists);
        for request in requests.chain(self.actions.values().map(|action| &action.request)) {
            request.templates(&mut |template| variables.extend(template.variables().cloned()));
        }
        for actor in self.actors.values() {
            let own = actor.headers.iter().map(|(_, value)| value).chain([&actor.subject]);
            own.for_each(|template| variables.extend(template.variables().cloned()));
            if let Some(proof) = &actor.proof {
                proof.templates(&mut |template| variables.extend(template.variables().cloned()));
            }
            if let Some(login) = &actor.login {
                login.request.templates(&mut |template| variables.extend(template.variables().cloned()));
            }
        }
        variables
    }

    /// Whether a request for `verb` is sent with an idempotency key.
    pub fn sends_key(&self, verb: &Verb) -> bool {
        let sends = match verb {
            Verb::Create => self.creates_with_key,
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.sends.key),
            Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        };
        sends && self.idempotency.is_some()
    }

    /// Whether a request for `verb` can be conditional on a version token.
    pub fn sends_token(&self, verb: &Verb) -> bool {
        let sends = match verb {
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.sends.token),
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        };
        sends && self.token.is_some()
    }

    /// What is conditional by headers of its own, whatever token it names (`If-None-Match: *`; RFC 9110 §13.1). What only saves the
    /// transfer of what is known (`If-Modified-Since`, `If-Range`) protects no change, and is none.
    pub fn own_conditions(&self) -> Vec<Verb> {
        const CONDITIONS: [&str; 3] = ["if-match", "if-none-match", "if-unmodified-since"];
        let acts = self.actions.keys().map(|name| Verb::Act(Arc::clone(name)));
        let all = self.create.iter().map(|_| Verb::Create).chain(acts);
        let names_one = |name: &str| CONDITIONS.iter().any(|one| name.eq_ignore_ascii_case(one));
        all.filter(|verb| self.template(verb).headers.iter().any(|(name, _)| names_one(name))).collect()
    }

    /// Whether the body of a request for `verb` is another one each time.
    pub fn says_a_word(&self, verb: &Verb) -> bool {
        let mut says = false;
        if let Some(body) = &self.template(verb).body {
            let words = [Hole::Unique, Hole::Value, Hole::Random, Hole::Sequence];
            body.templates(&mut |template| says |= words.iter().any(|hole| template.has(hole)));
        }
        says
    }

    /// Whether a request for `verb` writes the value that it is filled with.
    pub fn writes_a_value(&self, verb: &Verb) -> bool {
        match verb {
            Verb::Create => self.creates_with_value,
            Verb::Act(action) => self.actions.get(action).is_some_and(|action| action.sends.value),
            Verb::Read | Verb::ListEffects | Verb::ListEvents => false,
        }
    }

    /// The lists that tell what really happened: effects, then events, where the API has them.
    pub fn lists(&self) -> impl Iterator<Item = Verb> {
        let effects = self.effects.is_some().then_some(Verb::ListEffects);
        let events = self.events.is_some().then_some(Verb::ListEvents);
        effects.into_iter().chain(events)
    }

    /// How many rows its lists show at most, where that is known: of a resource with as many, a list does not tell all.
    pub fn longest_list(&self) -> Option<usize> {
        let lists = self.effects.iter().chain(&self.events);
        lists.filter_map(|list| list.page.rows).min()
    }
}
