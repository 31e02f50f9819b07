//! Lawful histories by the thousand, from a simulated server that is correct: the judge must find nothing in any of them.
//!
//! The server is one of many: with or without versions, tokens, a ledger, events, bodies; it marks replays or does not,
//! refuses with 409 or 412, looks at keys before or after preconditions, reads the resource again before it answers, and
//! its lists may lag. Clients time out (before or after the effect), repeat keys, and name stale tokens.

use std::collections::HashMap;
use std::sync::Arc;

use quickeats_bench::api::{Lags, Model, StateIx};
use quickeats_bench::check::{Alone, Severity, judge};
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{
    Actor, Call, Cause, History, Meaning, Operation, Outcome, Phase, Precondition, Record, Reply, Verb, Window,
};
use quickeats_bench::ids::{ClientId, OpId, RoundId};

use crate::notation::{blank, load, number_by_opening};

/// Histories judged; `SIMULATED_HISTORIES=1000000` makes the long run.
fn histories() -> u32 {
    std::env::var("SIMULATED_HISTORIES").map_or(20_000, |count| count.parse().expect("SIMULATED_HISTORIES is a number"))
}

/// What kind of correct server.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a coin of its own")]
struct Manners {
    versions: bool,
    tokens: bool,
    ledger: bool,
    events: bool,
    bodies: bool,
    marks_replays: bool,
    says_409: bool,
    key_before_precondition: bool,
    reads_again: bool,
    lists_lag: bool,
    row_ids_differ: bool,
}

impl Manners {
    fn any(dice: &mut fastrand::Rng) -> Self {
        Self {
            versions: dice.bool(),
            tokens: dice.bool(),
            ledger: dice.bool(),
            events: dice.bool(),
            bodies: dice.u8(0..4) != 0,
            marks_replays: dice.bool(),
            says_409: dice.bool(),
            key_before_precondition: dice.bool(),
            reads_again: dice.bool(),
            lists_lag: dice.bool(),
            row_ids_differ: dice.bool(),
        }
    }
}

/// A request: when it was under way, when it takes effect, when it is read again, and what becomes of it.
#[derive(Debug, Clone)]
struct Ask {
    verb: Verb,
    token: Option<u64>,
    key: Option<Arc<str>>,
    opened: u64,
    closed: u64,
    effect: u64,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    TimedOutAfterTheEffect,
    TimedOutBeforeTheEffect,
}

/// The resource.
struct Server<'a> {
    model: &'a Model,
    manners: Manners,
    at: StateIx,
    version: u64,
    stored: HashMap<Arc<str>, Reply>,
    ledger: Vec<Record>,
    events: Vec<Record>,
}

impl Server<'_> {
    fn picture(&self, status: u16) -> Reply {
        Reply {
            state: Some(Arc::clone(self.model.state_name(self.at))),
            version: self.manners.versions.then_some(self.version),
            token: self.manners.tokens.then(|| tag(self.version)),
            ..blank(status)
        }
    }

    fn refusal(status: u16, meaning: Meaning) -> Reply {
        Reply { meaning, ..blank(status) }
    }

    /// Does what is asked, at once.
    fn serve(&mut self, ask: &Ask, dice: &mut fastrand::Rng) -> Reply {
        let Verb::Act(name) = &ask.verb else {
            return self.picture(200);
        };
        let is_stale = ask.token.is_some_and(|token| token != self.version);
        let (status, meaning) = if self.manners.says_409 { (409, Meaning::Refused) } else { (412, Meaning::Stale) };
        let stale = || Self::refusal(status, meaning);
        if is_stale && !self.manners.key_before_precondition {
            return stale();
        }
        if let Some(stored) = ask.key.as_ref().and_then(|key| self.stored.get(key)) {
            let meaning = if self.manners.marks_replays { Meaning::Replayed } else { Meaning::Applied };
            return Reply { meaning, ..stored.clone() };
        }
        if is_stale {
            return stale();
        }
        let action = self.model.action(name).unwrap();
        let next: Vec<StateIx> = action.next(self.at).collect();
        let busy = dice.u8(0..10) == 0;
        if next.is_empty() || busy {
            return Self::refusal(409, Meaning::Refused);
        }
        let (from, to) = (self.at, next[dice.usize(0..next.len())]);
        self.at = to;
        self.version += 1;
        self.events.push(Record {
            action: Some(Arc::clone(name)),
            from: Some(Arc::clone(self.model.state_name(from))),
            to: Some(Arc::clone(self.model.state_name(to))),
            ..Record::default()
        });
        let mut reply = self.picture(200);
        if action.has_effect {
            let id = format!("e{}", self.version);
            let row = if self.manners.row_ids_differ { format!("row-{id}") } else { id.clone() };
            self.ledger.push(Record { id: Some(row.into()), ..Record::default() });
            reply.effect = Some(id.into());
        }
        if !self.manners.bodies {
            reply = blank(204);
        }
        if let Some(key) = &ask.key {
            self.stored.insert(Arc::clone(key), reply.clone());
        }
        reply
    }
}

fn tag(version: u64) -> Arc<str> {
    format!("\"t{version}\"").into()
}

/// What clients ask in one round, in order of effect.
fn script(model: &Model, manners: Manners, dice: &mut fastrand::Rng) -> Vec<Ask> {
    let mut asks = Vec::new();
    let window = |dice: &mut fastrand::Rng, from: u64| {
        let opened = from + dice.u64(0..300);
        let closed = opened + dice.u64(10..300);
        (opened, closed, dice.u64(opened..=closed))
    };
    for number in 0..dice.u32(2..6) {
        let action = &model.actions[dice.usize(0..model.actions.len())];
        let (opened, closed, effect) = window(dice, 100);
        let fate = match dice.u8(0..8) {
            0 => Fate::TimedOutBeforeTheEffect,
            1 => Fate::TimedOutAfterTheEffect,
            _ => Fate::Answered,
        };
        let keyed = action.has_effect || dice.u8(0..4) == 0;
        let late = fate == Fate::TimedOutAfterTheEffect && dice.bool();
        let ask = Ask {
            verb: Verb::Act(Arc::clone(&action.name)),
            token: (manners.tokens && dice.u8(0..5) != 0).then(|| if dice.u8(0..4) == 0 { 2 } else { 1 }),
            key: keyed.then(|| format!("{}-{}", action.name, if dice.bool() { 0 } else { number }).into()),
            opened,
            closed,
            effect: if late { effect + 1_000 } else { effect },
            fate,
        };
        if ask.key.is_some() && dice.u8(0..3) == 0 {
            // A retry, later, with the same key.
            let (opened, closed, effect) = window(dice, ask.closed + 1);
            asks.push(Ask { opened, closed, effect, fate: Fate::Answered, ..ask.clone() });
        }
        asks.push(ask);
    }
    for from in [100, 400, 2_000, 3_000] {
        let (opened, closed, effect) = window(dice, from);
        asks.push(Ask { verb: Verb::Read, token: None, key: None, opened, closed, effect, fate: Fate::Answered });
    }
    asks.sort_by_key(|ask| ask.effect);
    asks
}

fn operation(verb: Verb, phase: Phase, window: (u64, u64), outcome: Outcome) -> Operation {
    let (opened, closed) = (Stamp::from_nanos(window.0), Stamp::from_nanos(window.1));
    Operation {
        id: OpId(0),
        client: ClientId(0),
        round: RoundId::Raced(1),
        phase,
        call: Call {
            request: verb.to_string().into(),
            verb,
            actor: Actor { role: "anyone".into(), person: 1 },
            precondition: Precondition::Absent,
            key: None,
            payload: None,
            principal: None,
        },
        window: Window { opened, released: (phase == Phase::Contend).then_some(opened), closed },
        outcome,
    }
}

fn history(model: &Model, manners: Manners, dice: &mut fastrand::Rng) -> History {
    let mut server = Server {
        model,
        manners,
        at: model.initial,
        version: 1,
        stored: HashMap::new(),
        ledger: Vec::new(),
        events: Vec::new(),
    };
    let mut operations = vec![operation(Verb::Create, Phase::SetUp, (0, 1), Outcome::Answered(server.picture(201)))];
    let mut asks = script(model, manners, dice).into_iter().peekable();
    // Answers that are to be read again, each at a moment within its window.
    let mut pending: Vec<(u64, usize)> = Vec::new();
    while let Some(ask) = asks.next() {
        let outcome = match ask.fate {
            Fate::TimedOutBeforeTheEffect => Outcome::Unknown(Cause::TimedOut),
            Fate::TimedOutAfterTheEffect => {
                server.serve(&ask, dice);
                Outcome::Unknown(Cause::TimedOut)
            }
            Fate::Answered => Outcome::Answered(server.serve(&ask, dice)),
        };
        let phase = if ask.verb == Verb::Read { Phase::Observe } else { Phase::Contend };
        let mut operation = operation(ask.verb.clone(), phase, (ask.opened, ask.closed), outcome);
        operation.call.precondition = ask.token.map_or(Precondition::Absent, |token| Precondition::Token(tag(token)));
        operation.call.key.clone_from(&ask.key);
        let is_own =
            operation.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Applied && reply.state.is_some());
        let is_fresh = ask.key.is_none();
        operations.push(operation);
        if manners.reads_again && is_own && is_fresh && phase == Phase::Contend {
            pending.push((dice.u64(ask.effect..=ask.closed), operations.len() - 1));
        }
        let now = asks.peek().map_or(u64::MAX, |next| next.effect);
        pending.retain(|(moment, index)| {
            let is_due = *moment < now;
            if is_due && let Outcome::Answered(reply) = &mut operations[*index].outcome {
                let effect = reply.effect.take();
                *reply = Reply { effect, ..server.picture(200) };
            }
            !is_due
        });
    }
    for (verb, rows, wanted) in
        [(Verb::ListEffects, server.ledger, manners.ledger), (Verb::ListEvents, server.events, manners.events)]
    {
        let shown = if manners.lists_lag { dice.usize(0..=rows.len()) } else { rows.len() };
        if wanted {
            let reply = Reply { records: Some(rows[..shown].to_vec()), ..blank(200) };
            operations.push(operation(verb, Phase::Observe, (5_000, 5_001), Outcome::Answered(reply)));
        }
    }
    number_by_opening(&mut operations);
    History::seal(operations)
}

#[test]
fn no_correct_server_is_ever_accused() {
    let models: Vec<_> = ["quickeats-v2", "quickeats-v1", "pausable", "idempotent", "tips"].map(load).into();
    let mut dice = fastrand::Rng::with_seed(11);
    let mut evidence = 0;
    for number in 0..histories() {
        let mut model = models[dice.usize(0..models.len())].model.clone();
        let manners = Manners::any(&mut dice);
        model.versioned = manners.versions;
        model.precondition_required = false;
        model.effects_per_resource = None;
        model.lags = Lags { reads: false, effects: manners.lists_lag, events: manners.lists_lag };
        // A server that judges the precondition first refuses a retry whose token is old.
        model.keys.replays_what_was_stored = manners.key_before_precondition;
        let history = history(&model, manners, &mut dice);
        let judgment = judge(&history, &model, Alone::Refused);
        let accused = judgment.findings.iter().find(|finding| finding.kind.severity() == Severity::Violation);
        if let Some(finding) = accused {
            let told: Vec<String> = (history.operations())
                .map(|one| {
                    format!("  {:?} {:?} {:?} -> {:?}", one.window, one.call.verb, one.call.precondition, one.outcome)
                })
                .collect();
            panic!(
                "history {number} of seed 11, {manners:?}: {} {}\n{}",
                finding.kind,
                finding.sentence,
                told.join("\n")
            );
        }
        assert_eq!(judgment.doubts, [""; 0], "history {number} of seed 11");
        evidence += judgment.trials;
    }
    assert!(evidence > u64::from(histories()) / 2, "only {evidence} of the histories are evidence of anything");
}
