//! What simulated clients ask of a server in one round.

use std::sync::Arc;

use quickeats_bench::api::{ActionModel, Allowed, Model};
use quickeats_bench::history::{Actor, Digest, Phase, Verb};

use crate::server::{Heard, Server};

/// A request: when it was under way, when it takes effect, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) heard: Heard,
    /// Asks for what is current when it is sent, instead of what `heard` names.
    pub(crate) looks_first: bool,
    pub(crate) client: u32,
    pub(crate) phase: Phase,
    pub(crate) opened: u64,
    pub(crate) closed: u64,
    pub(crate) effect: u64,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Answered,
    TimedOutAfterTheEffect,
    TimedOutBeforeTheEffect,
    /// Something between sends it again, and passes on the second answer.
    SaidTwice,
}

pub(crate) fn creator(model: &Model) -> Actor {
    let own = model.actions.iter().find(|action| action.only == Some(Allowed::Creator));
    Actor { role: Arc::clone(&own.unwrap_or(&model.actions[0]).actor), person: 1 }
}

/// The verb and actor of any action of the model.
fn any_action(model: &Model, dice: &mut fastrand::Rng) -> (Verb, Actor) {
    let action = &model.actions[dice.usize(0..model.actions.len())];
    let person = dice.u32(1..=2);
    let strange = &model.actions[dice.usize(0..model.actions.len())].actor;
    let role = Arc::clone(if dice.u8(0..12) == 0 { strange } else { &action.actor });
    (Verb::Act(Arc::clone(&action.name)), Actor { role, person })
}

fn window(dice: &mut fastrand::Rng, from: u64) -> (u64, u64, u64) {
    let opened = from + dice.u64(0..300);
    let closed = opened + dice.u64(10..300);
    (opened, closed, dice.u64(opened..=closed))
}

/// A tag that a client may name: one that is, was, will be, never was, or is weak.
fn any_token(server: &Server<'_>, actor: &Actor, dice: &mut fastrand::Rng) -> Option<Arc<str>> {
    let current = server.tag(actor)?;
    match dice.u8(0..8) {
        0 => None,
        1 => Some(current.replace('1', "2").into()),
        2 => Some(format!("W/{}", current.trim_start_matches("W/")).into()),
        3 => server.tag(&Actor { person: 3 - actor.person.min(2), ..actor.clone() }),
        _ => Some(current),
    }
}

/// What clients ask in one round, in order of effect.
pub(crate) fn script(model: &Model, server: &Server<'_>, dice: &mut fastrand::Rng) -> Vec<Ask> {
    let mut asks: Vec<Ask> = Vec::new();
    for number in 0..dice.u32(2..6) {
        let (verb, actor) = match dice.u8(0..8) {
            0 => (Verb::Create, Actor { person: dice.u32(1..=2), ..creator(model) }),
            1 => (Verb::Read, creator(model)),
            _ => any_action(model, dice),
        };
        let action = verb_action(model, &verb);
        let (opened, closed, effect) = window(dice, 100);
        let is_keyed = verb == Verb::Create || action.is_some_and(|action| action.has_effect) || dice.u8(0..4) == 0;
        let key: Option<Arc<str>> =
            (is_keyed && verb != Verb::Read).then(|| format!("k{}", if dice.bool() { 0 } else { number }).into());
        let fate = match dice.u8(0..10) {
            0 => Fate::TimedOutBeforeTheEffect,
            1 => Fate::TimedOutAfterTheEffect,
            2 if key.is_some() => Fate::SaidTwice,
            _ => Fate::Answered,
        };
        let late = if fate == Fate::TimedOutAfterTheEffect && dice.bool() { dice.u64(0..4_000) } else { 0 };
        let sends_token = action.is_some_and(|action| !action.is_aside);
        let token = sends_token.then(|| any_token(server, &actor, dice)).flatten();
        let payload = key.as_ref().map(|_| Digest(u64::from(dice.u8(0..4) == 0)));
        let heard = Heard { verb, actor, token, key, payload };
        let phase = Phase::Contend;
        let client = 10 + number;
        asks.push(Ask { heard, looks_first: false, client, phase, opened, closed, effect: effect + late, fate });
    }
    // What was said under a key is said again, later, as it was or with something else; or another person uses the key.
    let keyed: Vec<Ask> = asks.iter().filter(|ask| ask.heard.key.is_some()).cloned().collect();
    for number in 0..dice.u32(0..4) {
        let Some(said) = keyed.get(dice.usize(0..4)) else { continue };
        let opened = 800 + 200 * u64::from(number);
        let mut heard = said.heard.clone();
        match dice.u8(0..6) {
            0 => heard.payload = Some(Digest(9)),
            1 => heard.actor.person = 3 - heard.actor.person,
            _ => {}
        }
        let client = 20 + number;
        let looks_first = heard.token.is_some() && dice.bool();
        let (closed, effect) = (opened + 150, dice.u64(opened..opened + 150));
        asks.push(Ask {
            heard,
            looks_first,
            client,
            phase: Phase::Follow,
            opened,
            closed,
            effect,
            fate: Fate::Answered,
        });
    }
    // Readers: one client reads beside the race, again and again; observers look in the end.
    let mut from = 100;
    for _ in 0..dice.u32(2..6) {
        let (opened, closed, effect) = window(dice, from);
        from = closed + 1;
        asks.push(read(model, Phase::Contend, 30, (opened, closed, effect)));
    }
    for number in 0..2 {
        let times = window(dice, 2_000 + 1_000 * u64::from(number));
        asks.push(read(model, Phase::Observe, 40 + number, times));
    }
    asks.sort_by_key(|ask| ask.effect);
    asks
}

pub(crate) fn read(model: &Model, phase: Phase, client: u32, (opened, closed, effect): (u64, u64, u64)) -> Ask {
    let heard = Heard { verb: Verb::Read, actor: creator(model), token: None, key: None, payload: None };
    Ask { heard, looks_first: false, client, phase, opened, closed, effect, fate: Fate::Answered }
}

fn verb_action<'a>(model: &'a Model, verb: &Verb) -> Option<&'a ActionModel> {
    match verb {
        Verb::Act(name) => model.action(name),
        Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => None,
    }
}
