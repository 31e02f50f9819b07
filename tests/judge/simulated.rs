//! Lawful histories by the thousand, from simulated servers that are correct: the judge must find nothing in any of them.
//!
//! What each server is like, `manners` draws; `clients` says what is asked of it. Clients time out (before or after the effect, which may come long after the
//! round was looked at), repeat keys with the same payload and with others, name tags that are old, weak or another's, read
//! beside and between, make resources of their own, ask for what they may not, and say things again once the race is over.

use quickeats_bench::api::{Lags, Model};
use quickeats_bench::check::{Alone, Kind, Severity, judge};
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{
    Call, Cause, History, Meaning, Operation, Outcome, Phase, Precondition, Record, Reply, Verb, Window,
};
use quickeats_bench::ids::{ClientId, OpId, RoundId};

use crate::clients::{Ask, Fate, creator, read, script};
use crate::manners::{Again, Manners};
use crate::notation::{blank, load, number_by_opening};
use crate::server::Server;

/// Histories judged; `SIMULATED_HISTORIES=1000000` makes the long run.
fn histories() -> u32 {
    std::env::var("SIMULATED_HISTORIES").map_or(20_000, |count| count.parse().expect("SIMULATED_HISTORIES is a number"))
}

fn operation(ask: &Ask, manners: Manners, outcome: Outcome) -> Operation {
    let (opened, closed) = (Stamp::from_nanos(ask.opened), Stamp::from_nanos(ask.closed));
    Operation {
        id: OpId(0),
        client: ClientId(ask.client),
        round: RoundId::Raced(1),
        phase: ask.phase,
        call: Call {
            request: ask.heard.verb.to_string().into(),
            verb: ask.heard.verb.clone(),
            actor: ask.heard.actor.clone(),
            precondition: ask.heard.token.clone().map_or(Precondition::Absent, Precondition::Token),
            key: ask.heard.key.clone(),
            payload: ask.heard.payload,
            value: None,
            principal: manners.principal(&ask.heard.actor),
        },
        window: Window { opened, released: (ask.phase == Phase::Contend).then_some(opened), closed },
        outcome,
    }
}

/// One round with a server of these manners.
pub(crate) fn history(model: &Model, manners: Manners, dice: &mut fastrand::Rng) -> Vec<Operation> {
    let mut server = Server::new(model, manners, creator(model));
    let mut set_up = read(model, Phase::SetUp, 1, (0, 1, 0));
    set_up.heard.verb = Verb::Create;
    let created = server.picture(201, &creator(model));
    let mut operations = vec![operation(&set_up, manners, Outcome::Answered(created))];
    let asks = script(model, &server, dice);
    let is_alone = |ask: &Ask| asks.iter().filter(|other| other.heard.key == ask.heard.key).count() == 1;
    // Answers that are to be read again, each at a moment within its window.
    let mut pending: Vec<(u64, usize)> = Vec::new();
    for (index, ask) in asks.iter().enumerate() {
        let mut ask = ask.clone();
        if ask.looks_first {
            ask.heard.token = server.tag(&ask.heard.actor);
        }
        let outcome = match ask.fate {
            Fate::TimedOutBeforeTheEffect => Outcome::Unknown(Cause::TimedOut),
            Fate::TimedOutAfterTheEffect => {
                server.serve(&ask.heard, dice);
                Outcome::Unknown(Cause::TimedOut)
            }
            Fate::Answered => Outcome::Answered(server.serve(&ask.heard, dice)),
            Fate::SaidTwice => {
                let first = server.serve(&ask.heard, dice);
                let is_done = first.meaning == Meaning::Applied;
                let again = server.replay(&ask.heard).filter(|_| is_done);
                Outcome::Answered(again.unwrap_or(first))
            }
        };
        let is_own = outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Applied && reply.state.is_some());
        operations.push(operation(&ask, manners, outcome));
        let is_act = ask.heard.verb != Verb::Read && ask.heard.verb != Verb::Create;
        if manners.reads_again != Again::Nothing && is_own && is_act && (ask.heard.key.is_none() || is_alone(&ask)) {
            pending.push((dice.u64(ask.effect..=ask.closed), operations.len() - 1));
        }
        let now = asks.get(index + 1).map_or(u64::MAX, |next| next.effect);
        pending.retain(|(moment, index)| {
            let is_due = *moment < now;
            let operation = &mut operations[*index];
            if is_due && let Outcome::Answered(reply) = &mut operation.outcome {
                let shown = server.picture(200, &operation.call.actor);
                reply.token = shown.token;
                if manners.reads_again == Again::Everything {
                    (reply.state, reply.version) = (shown.state, shown.version);
                }
            }
            !is_due
        });
    }
    for (verb, rows, wanted) in [
        (Verb::ListEffects, &server.ledger, manners.ledger),
        (Verb::ListEvents, &server.events, manners.events.is_some()),
    ] {
        if wanted {
            let mut ask = read(model, Phase::Observe, 50, (5_000, 5_001, 5_000));
            ask.heard.verb = verb;
            let shown = if manners.lists_lag { dice.usize(0..=rows.len()) } else { rows.len() };
            let reply = Reply { records: Some(listed(rows, shown, dice)), ..blank(200) };
            operations.push(operation(&ask, manners, Outcome::Answered(reply)));
        }
    }
    number_by_opening(&mut operations);
    operations
}

/// Some of the rows: what lags need not be the last one.
fn listed(rows: &[Record], shown: usize, dice: &mut fastrand::Rng) -> Vec<Record> {
    let mut rows = rows.to_vec();
    while rows.len() > shown {
        rows.remove(dice.usize(0..rows.len()));
    }
    rows
}

/// One of the models, with what this server promises.
pub(crate) fn promised(model: &Model, manners: Manners) -> Model {
    let mut model = model.clone();
    model.versioned = manners.versions;
    model.precondition_required = manners.requires_preconditions;
    model.lags = Lags { reads: manners.reads_lag, effects: manners.lists_lag, events: manners.lists_lag };
    // A server that judges the precondition first refuses a retry whose token is old.
    model.keys.replays_what_was_stored = manners.key_before_precondition;
    model.keys.refuses_reuse = !manners.replays_for_any_payload;
    model
}

#[test]
fn no_correct_server_is_ever_accused() {
    let names = ["quickeats-v2", "quickeats-v1", "pausable", "idempotent", "tips", "bookings", "documents", "jars"];
    let models: Vec<_> = names.map(load).into();
    let mut dice = fastrand::Rng::with_seed(11);
    let (mut evidence, mut open) = (0, 0);
    for number in 0..histories() {
        let manners = Manners::any(&mut dice);
        let model = promised(&models[dice.usize(0..models.len())].model, manners);
        let history = History::seal(history(&model, manners, &mut dice));
        let judgment = judge(&history, &model, Alone::Refused);
        let is_fair = |kind: Kind, severity: Severity| match kind {
            Kind::StaleRead | Kind::NonMonotonicRead | Kind::AcknowledgedThenLost => {
                severity == Severity::Warning && manners.reads_lag
            }
            Kind::KeyReuseAccepted => severity == Severity::Warning && manners.replays_for_any_payload,
            _ => false,
        };
        if let Some(finding) = judgment.findings.iter().find(|finding| !is_fair(finding.kind, finding.severity)) {
            panic!(
                "history {number} of seed 11, {}, {manners:?}: {} {}\n{}",
                model.noun,
                finding.kind,
                finding.sentence,
                told(&history)
            );
        }
        let is_open = |doubt: &String| doubt.contains("it cannot be told whether they changed anything");
        assert!(judgment.doubts.iter().all(is_open), "history {number} of seed 11: {:?}", judgment.doubts);
        open += u64::from(!judgment.doubts.is_empty());
        evidence += judgment.trials;
    }
    let all = u64::from(histories());
    assert!(evidence > all / 3, "only {evidence} of the histories are evidence of anything");
    assert!(open < all / 20, "{open} of the histories could not be decided");
}

fn told(history: &History) -> String {
    let line = |one: &Operation| {
        let call = &one.call;
        let (opened, closed) = (one.window.opened, one.window.closed);
        format!(
            "  [{opened:?} {closed:?}] {} {} {:?} key {:?} {:?} as {:?} -> {:?}",
            call.actor, call.verb, call.precondition, call.key, call.payload, call.principal, one.outcome
        )
    };
    history.operations().map(line).collect::<Vec<_>>().join("\n")
}
