//! A plan as the requests it comes to, with examples in the holes: pure, nothing is sent.

use std::sync::Arc;

use crate::api::{Api, Fill, Request};
use crate::check::Alone;
use crate::history::{Actor, Verb};
use crate::probe_result::{Asked, Outline, OutlinePart, OutlineStep};
use crate::scenario::{ContenderPlan, KeyUse, Plan, ServerUse, Step, TokenUse};
use crate::text::harmless;

/// What stands for a told id.
const ID: &str = "example-id";
/// Characters shown of a body.
const BODY: usize = 400;

/// The requests of a plan.
pub fn outline(plan: &Plan) -> Outline {
    let api = &plan.api;
    let id = api.dialect.made_id("example").unwrap_or_else(|| ID.to_owned());
    let write = Writer { api, id: &id, starts: plan.starts };
    let mut set_up = Vec::new();
    if plan.creates {
        set_up.push(write.plain(&Verb::Create));
    }
    set_up.extend(plan.set_up.iter().map(|step| write.step(step)));
    let contenders = plan.contenders.iter().map(|contender| write.contender(contender)).collect();
    let looks = api.dialect.reads().then_some(Verb::Read).into_iter().chain(api.dialect.lists());
    let parts = [
        ("set-up", set_up),
        ("change", plan.change.iter().map(|step| write.step(step)).collect()),
        ("race", contenders),
        ("then", plan.then.iter().map(|follower| write.contender(follower)).collect()),
        ("look", looks.map(|verb| write.plain(&verb)).collect()),
    ];
    Outline {
        scenario: plan.name.clone(),
        api: api.name.to_string(),
        notes: notes(plan),
        parts: (parts.into_iter().filter(|(_, steps)| !steps.is_empty()))
            .map(|(title, steps)| OutlinePart { title, steps })
            .collect(),
    }
}

fn notes(plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(swarm) = plan.swarm {
        notes.push(format!(
            "{} clients make {} requests each, at random, on {}",
            swarm.clients,
            swarm.steps,
            crate::text::count(u64::from(swarm.resources), &plan.api.model.noun)
        ));
    } else {
        let word = match plan.alone {
            Alone::Applied => "accepted",
            Alone::Refused => "refused",
            Alone::Either => "accepted or refused",
        };
        notes.push(format!("each contender, alone, should be {word}"));
    }
    if plan.restart {
        notes.push("the target is restarted after the race".to_owned());
    }
    notes
}

/// A request for people: what of it may be a secret was masked before.
pub fn asked(shown: &Request) -> Asked {
    let headers = shown.headers.iter().filter(|(name, _)| !matches!(&**name, "content-type" | "cache-control"));
    Asked {
        request: format!("{} {}", shown.method, harmless(&shown.path, 300)),
        headers: headers.map(|(name, value)| (name.to_string(), harmless(value, 200))).collect(),
        body: shown.body.as_deref().map(|body| harmless(&String::from_utf8_lossy(body), BODY)),
    }
}

/// Writes requests with examples.
struct Writer<'a> {
    api: &'a Api,
    id: &'a str,
    starts: Option<i64>,
}

impl Writer<'_> {
    fn plain(&self, verb: &Verb) -> OutlineStep {
        let actor = Actor { role: Arc::clone(self.api.dialect.role(verb)), person: 1 };
        let key = if self.api.dialect.sends_key(verb) { KeyUse::Own } else { KeyUse::None };
        self.write(verb, &actor, (TokenUse::None, key), None, Vec::new())
    }

    fn step(&self, step: &Step) -> OutlineStep {
        let verb = step.verb();
        let dialect = &self.api.dialect;
        let token = if dialect.sends_token(&verb) { TokenUse::Current } else { TokenUse::None };
        let key = if dialect.sends_key(&verb) { KeyUse::Own } else { KeyUse::None };
        let goal = step.leads_to.as_ref().map(|goal| format!("must lead to `{goal}`"));
        self.write(&verb, &step.actor, (token, key), None, goal.into_iter().collect())
    }

    fn contender(&self, plan: &ContenderPlan) -> OutlineStep {
        let mut remarks = Vec::new();
        if !plan.offset.is_zero() {
            remarks.push(format!("{:?} later", plan.offset));
        }
        if plan.at == ServerUse::Replica {
            remarks.push("at the replica".to_owned());
        }
        self.write(&plan.verb, &plan.actor, (plan.token, plan.key), plan.body.as_ref(), remarks)
    }

    fn write(
        &self,
        verb: &Verb,
        actor: &Actor,
        (token, key): (TokenUse, KeyUse),
        body: Option<&serde_json::Value>,
        mut remarks: Vec<String>,
    ) -> OutlineStep {
        let dialect = &self.api.dialect;
        let (said, on) = match token {
            TokenUse::Current => (Some("\"example-token\""), "on the current token"),
            TokenUse::Stale => (Some("\"example-stale-token\""), "on a stale token"),
            TokenUse::Weak => (Some("W/\"example-token\""), "on a token that is said to be weak"),
            TokenUse::Unheard => (Some("\"example-unheard-token\""), "on a token that no version had"),
            TokenUse::None => (None, "without a token"),
        };
        let (named, with) = match key {
            KeyUse::Own => (Some("example-key"), "with a key of its own"),
            KeyUse::Shared => (Some("example-shared-key"), "with the shared key"),
            KeyUse::Reused => (Some("example-shared-key"), "with the shared key and a payload of its own"),
            KeyUse::None => (None, "without a key"),
        };
        if dialect.sends_key(verb) {
            remarks.insert(0, with.to_owned());
        }
        if dialect.sends_token(verb) {
            remarks.insert(0, on.to_owned());
        }
        let person = format!("{}-{}", actor.role, actor.person);
        let starts = self.starts;
        let unique = "example-word";
        let fill = Fill {
            id: self.id,
            role: &actor.role,
            person: &person,
            unique,
            token: said,
            key: named,
            body,
            starts,
            round: "r1",
            contender: 1,
        };
        let (_, shown) = dialect.request_and_shown(verb, fill);
        OutlineStep { who: actor.to_string(), verb: verb.to_string(), asked: asked(&shown), remark: remarks.join(", ") }
    }
}
