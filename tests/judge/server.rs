//! A server that is correct, in one of many manners: what the simulated histories are told by.

use std::collections::HashMap;
use std::sync::Arc;

use quickeats_bench::api::{Allowed, Model, StateIx};
use quickeats_bench::history::{Actor, Digest, Meaning, Record, Reply, Verb};

use crate::manners::{Manners, Tags, Words};
use crate::notation::blank;

/// A request, as the server hears it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) verb: Verb,
    pub(crate) actor: Actor,
    pub(crate) token: Option<Arc<str>>,
    pub(crate) key: Option<Arc<str>>,
    pub(crate) payload: Option<Digest>,
}

/// The resource at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: StateIx,
    version: u64,
    content: u8,
}

/// A key: whose, for what, and what it says.
type Identity = (Arc<str>, Verb, Arc<str>);

pub(crate) struct Server<'a> {
    model: &'a Model,
    pub(crate) manners: Manners,
    creator: Actor,
    now: Moment,
    was: Vec<Moment>,
    stored: HashMap<Identity, (Option<Digest>, Reply)>,
    made: u32,
    pub(crate) ledger: Vec<Record>,
    pub(crate) events: Vec<Record>,
}

impl<'a> Server<'a> {
    pub(crate) fn new(model: &'a Model, manners: Manners, creator: Actor) -> Self {
        let now = Moment { at: model.initial, version: 1, content: 0 };
        let (stored, ledger, events) = (HashMap::new(), Vec::new(), Vec::new());
        Self { model, manners, creator, now, was: vec![now], stored, made: 0, ledger, events }
    }

    /// The tag of the resource as it is.
    pub(crate) fn tag(&self, actor: &Actor) -> Option<Arc<str>> {
        self.tag_of(self.now, actor)
    }

    fn tag_of(&self, moment: Moment, actor: &Actor) -> Option<Arc<str>> {
        let reader = if self.manners.tags_by_reader { actor.to_string() } else { String::new() };
        Some(match self.manners.tags? {
            Tags::Version => format!("\"{reader}{}\"", moment.version).into(),
            Tags::Content => format!("\"{reader}{}-{}\"", moment.at.0, moment.content).into(),
            Tags::Weak => format!("W/\"{reader}{}\"", moment.version).into(),
        })
    }

    fn shows(&self, moment: Moment, status: u16, actor: &Actor) -> Reply {
        Reply {
            state: Some(Arc::clone(self.model.state_name(moment.at))),
            version: self.manners.versions.then_some(moment.version),
            token: self.tag_of(moment, actor),
            ..blank(status)
        }
    }

    pub(crate) fn picture(&self, status: u16, actor: &Actor) -> Reply {
        self.shows(self.now, status, actor)
    }

    fn read(&self, actor: &Actor, dice: &mut fastrand::Rng) -> Reply {
        let moment = if self.manners.reads_lag { self.was[dice.usize(0..self.was.len())] } else { self.now };
        let volatile = if self.manners.volatile_bodies { dice.u64(..) } else { 0 };
        let version = self.manners.versions.then_some(moment.version);
        let body = format!("{} {} {version:?} {volatile}", moment.at.0, moment.content);
        Reply { digest: Some(Digest::of(body.as_bytes())), ..self.shows(moment, 200, actor) }
    }

    /// Does what is asked, at once.
    pub(crate) fn serve(&mut self, heard: &Heard, dice: &mut fastrand::Rng) -> Reply {
        if self.manners.limits && heard.verb != Verb::Read && dice.u8(0..12) == 0 {
            return refusal(429, Meaning::Refused);
        }
        match &heard.verb {
            Verb::Act(name) => self.act(heard, &Arc::clone(name), dice),
            Verb::Create => self.replay(heard).unwrap_or_else(|| {
                self.made += 1;
                let fresh = Moment { at: self.model.initial, version: 1, content: 0 };
                let id = format!("o{}", self.made);
                let reply = Reply { resource: Some(id.into()), ..self.shows(fresh, 201, &heard.actor) };
                self.store(heard, reply)
            }),
            Verb::Read | Verb::ListEffects | Verb::ListEvents => self.read(&heard.actor, dice),
        }
    }

    fn act(&mut self, heard: &Heard, name: &Arc<str>, dice: &mut fastrand::Rng) -> Reply {
        let action = self.model.action(name).unwrap();
        if let Some(only) = action.only.filter(|_| self.manners.principal(&heard.actor).is_some()) {
            if heard.actor.role != action.actor {
                return refusal(403, Meaning::Unauthorized);
            }
            if only == Allowed::Creator && self.manners.caller(&heard.actor) != self.manners.caller(&self.creator) {
                return refusal(404, Meaning::NotFound);
            }
        }
        let (status, meaning) = if self.manners.says_409 { (409, Meaning::Refused) } else { (412, Meaning::Stale) };
        let current = self.tag(&heard.actor).filter(|tag| !tag.starts_with("W/"));
        let is_stale = !action.is_aside && heard.token.is_some() && heard.token != current;
        let is_settled = action.is_settled_in(self.now.at) && self.manners.says_done_already;
        if is_stale && !is_settled && !self.manners.key_before_precondition {
            return refusal(status, meaning);
        }
        if let Some(stored) = self.replay(heard) {
            return stored;
        }
        if heard.token.is_none() && !action.is_aside && self.manners.requires_preconditions {
            return refusal(428, Meaning::MissingPrecondition);
        }
        if is_stale && !is_settled {
            return refusal(status, meaning);
        }
        let next: Vec<StateIx> = action.next(self.now.at).collect();
        if next.is_empty() || dice.u8(0..10) == 0 {
            return refusal(409, Meaning::Refused);
        }
        let to = next[dice.usize(0..next.len())];
        let is_there_already = is_settled && (is_stale || dice.bool());
        let had_its_effect = self.model.effects_per_resource.is_some() && !self.ledger.is_empty();
        if !is_there_already {
            self.change(name, to, dice);
        }
        let mut reply = self.picture(200, &heard.actor);
        if action.has_effect {
            let is_new = !had_its_effect && !is_there_already;
            let number = if is_new { self.ledger.len() + 1 } else { self.ledger.len() };
            let id = format!("e{number}");
            if is_new {
                let row = if self.manners.row_ids_differ { format!("row-{id}") } else { id.clone() };
                let amount = Some(10 * i64::try_from(number).unwrap());
                self.ledger.push(Record { id: Some(row.into()), amount, ..Record::default() });
            }
            let shown = self.ledger.last();
            reply.amount = shown.and_then(|row| row.amount);
            reply.effect = shown.map(|_| id.into());
        }
        if !self.manners.bodies {
            reply = blank(204);
        }
        self.store(heard, reply)
    }

    fn change(&mut self, name: &Arc<str>, to: StateIx, dice: &mut fastrand::Rng) {
        let from = std::mem::replace(&mut self.now.at, to);
        self.now.version += 1;
        if from == to {
            self.now.content = dice.u8(0..3);
        }
        self.was.push(self.now);
        self.events.push(Record {
            action: match self.manners.events {
                Some(Words::Ours) => Some(Arc::clone(name)),
                Some(Words::Theirs) => Some(format!("{name} was done").into()),
                Some(Words::None) | None => None,
            },
            from: Some(Arc::clone(self.model.state_name(from))),
            to: Some(Arc::clone(self.model.state_name(to))),
            version: self.manners.versions.then_some(self.now.version),
            ..Record::default()
        });
    }

    fn identity(&self, heard: &Heard) -> Option<Identity> {
        Some((self.manners.caller(&heard.actor), heard.verb.clone(), heard.key.clone()?))
    }

    /// The stored answer, if there is one.
    pub(crate) fn replay(&self, heard: &Heard) -> Option<Reply> {
        let (payload, stored) = self.stored.get(&self.identity(heard)?)?;
        if *payload != heard.payload && !self.manners.replays_for_any_payload {
            return Some(refusal(422, Meaning::Refused));
        }
        let meaning = if self.manners.marks_replays { Meaning::Replayed } else { Meaning::Applied };
        Some(Reply { meaning, ..stored.clone() })
    }

    fn store(&mut self, heard: &Heard, reply: Reply) -> Reply {
        if let Some(identity) = self.identity(heard) {
            self.stored.insert(identity, (heard.payload, reply.clone()));
        }
        reply
    }
}

fn refusal(status: u16, meaning: Meaning) -> Reply {
    Reply { meaning, ..blank(status) }
}
