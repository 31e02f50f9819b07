//! Histories as text. One line an operation:
//!
//! ```text
//! api: pausable                        (optional; a built-in API, one of `models`, or a file of tests/histories/apis)
//! alone: refused                       (optional; what a contender hears alone)
//! # a comment
//! create                     [0 1]                  -> 201 pending_payment v1 "a"
//! * customer cancellation    [2 9] if "a" key k1    -> 200 cancelled v2 "b" effect e1 body 7
//! + customer payment         [9 9] key k1 payload 2 -> 409 refused
//! * rider#2 pickup           [2 9]                  -> unknown
//! read                       [10 11]                -> 200 cancelled v2 "b"
//! effects                    [12 13]                -> e1 e2
//! events                     [14 15]                -> cancellation:pending_payment>cancelled@2
//! ```
//!
//! `*` marks contenders, `?` the look at a resource that was there before, `+` what follows the race, `~` what is read while the server is given time to settle. Times are microseconds. Before `->` may stand `if TOKEN`, `key KEY`,
//! `payload N`, `value WORD` (what it writes), `as PRINCIPAL` and `client N` (else each line is another client's). After it stands a reply (status, then in
//! any order: a meaning if it is not `applied`, a state, `vN`, a token in quotes, `id ID`, `effect ID`, `amount N`, `body N`),
//! or `unknown [STATUS]`, `timeout`, or `not-sent`. A row of effects is `ID` or `ID=AMOUNT`. A line `round 2` (or `control 1`) begins another round.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use quickeats_bench::api::{Api, builtin};
use quickeats_bench::check::Alone;
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{
    Actor, Call, Cause, Digest, History, Meaning, Operation, Outcome, Phase, Precondition, Record, Reply, Verb, Window,
};
use quickeats_bench::ids::{ClientId, OpId, RoundId};

use crate::models;

/// A history and what it is judged by.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) api: Arc<Api>,
    pub(crate) alone: Alone,
    pub(crate) history: History,
}

impl Example {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut api = "quickeats-v2".to_owned();
        let mut alone = Alone::Applied;
        let mut round = RoundId::Raced(1);
        let mut operations = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |what: &str| format!("line {}: {what}: {line}", number + 1);
            if line.is_empty() || line.starts_with('#') {
            } else if let Some(name) = line.strip_prefix("api:") {
                name.trim().clone_into(&mut api);
            } else if let Some(heard) = line.strip_prefix("alone:") {
                alone = if heard.trim() == "refused" { Alone::Refused } else { Alone::Applied };
            } else if let Some(next) = line.strip_prefix("round ") {
                round = RoundId::Raced(next.parse().map_err(|_| wrong("no number"))?);
            } else if let Some(next) = line.strip_prefix("control ") {
                round = RoundId::Control(next.parse().map_err(|_| wrong("no number"))?);
            } else {
                let client = ClientId(1_000 + u32::try_from(number).expect("few lines"));
                operations.push(operation(line, client, round).ok_or_else(|| wrong("not an operation"))?);
            }
        }
        number_by_opening(&mut operations);
        Ok(Self { api: load(&api), alone, history: History::seal(operations) })
    }
}

pub(crate) fn load(name: &str) -> Arc<Api> {
    let known = || models::api(name).map(Arc::new);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories/apis").join(format!("{name}.toml"));
    match fs::read_to_string(&file) {
        Ok(text) => Arc::new(Api::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))),
        Err(error) => known().or_else(|| builtin::api(name)).unwrap_or_else(|| panic!("{}: {error}", file.display())),
    }
}

pub(crate) fn number_by_opening(operations: &mut [Operation]) {
    operations.sort_by_key(|operation| operation.window.opened);
    for (index, operation) in operations.iter_mut().enumerate() {
        operation.id = OpId(u32::try_from(index).unwrap());
    }
}

fn operation(line: &str, client: ClientId, round: RoundId) -> Option<Operation> {
    let (races, line) = line.strip_prefix('*').map_or((false, line), |rest| (true, rest.trim()));
    let (follows, line) = line.strip_prefix('+').map_or((false, line), |rest| (true, rest.trim()));
    let (looks, line) = line.strip_prefix('?').map_or((false, line), |rest| (true, rest.trim()));
    let (waits, line) = line.strip_prefix('~').map_or((false, line), |rest| (true, rest.trim()));
    let (asked, answered) = line.split_once("->")?;
    let (who_what, rest) = asked.split_once('[')?;
    let (times, conditions) = rest.split_once(']')?;
    let (opened, closed) = times.split_once(' ')?;
    let (actor, verb) = who_what_to_call(who_what.trim())?;
    let asked = Asked::parse(conditions.trim())?;
    let outcome = outcome(answered.trim(), &verb)?;
    let stamp = |text: &str| Some(Stamp::from_nanos(text.trim().parse::<u64>().ok()? * 1_000));
    let phase = match (&verb, races) {
        (_, true) => Phase::Contend,
        _ if follows => Phase::Follow,
        _ if waits => Phase::Settle,
        _ if looks => Phase::SetUp,
        (Verb::Create | Verb::Act(_), false) => Phase::SetUp,
        (Verb::Read | Verb::ListEffects | Verb::ListEvents, false) => Phase::Observe,
    };
    Some(Operation {
        id: OpId(0),
        client: asked.client.unwrap_or(client),
        round,
        phase,
        call: Call {
            request: verb.to_string().into(),
            verb,
            actor,
            principal: asked.principal,
            precondition: asked.precondition,
            key: asked.key,
            payload: asked.payload,
            value: asked.value,
        },
        window: Window { opened: stamp(opened)?, released: races.then_some(stamp(opened)?), closed: stamp(closed)? },
        outcome,
    })
}

fn who_what_to_call(text: &str) -> Option<(Actor, Verb)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (who, what) = match words[..] {
        [what] => ("customer", what),
        [who, what] => (who, what),
        _ => return None,
    };
    let (role, person) = who.split_once('#').map_or(Some((who, 1)), |(role, n)| Some((role, n.parse().ok()?)))?;
    let verb = match what {
        "create" => Verb::Create,
        "read" => Verb::Read,
        "effects" => Verb::ListEffects,
        "events" => Verb::ListEvents,
        action => Verb::Act(action.into()),
    };
    Some((Actor { role: role.into(), person }, verb))
}

/// What stands between the times and the arrow.
#[derive(Default)]
struct Asked {
    precondition: Precondition,
    key: Option<Arc<str>>,
    payload: Option<Digest>,
    value: Option<Arc<str>>,
    principal: Option<Arc<str>>,
    client: Option<ClientId>,
}

impl Asked {
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut asked = Self::default();
        while let Some(word) = words.next() {
            match word {
                "if" => asked.precondition = Precondition::Token(words.next()?.into()),
                "key" => asked.key = Some(words.next()?.into()),
                "payload" => asked.payload = Some(Digest(words.next()?.parse().ok()?)),
                "value" => asked.value = Some(words.next()?.into()),
                "as" => asked.principal = Some(words.next()?.into()),
                "client" => asked.client = Some(ClientId(words.next()?.parse().ok()?)),
                _ => return None,
            }
        }
        Some(asked)
    }
}

fn outcome(text: &str, verb: &Verb) -> Option<Outcome> {
    let mut words = text.split_whitespace().peekable();
    match (words.peek().copied(), verb) {
        (Some("unknown"), _) => {
            let status = words.nth(1).map(str::parse).transpose().ok()?;
            Some(Outcome::Unknown(status.map_or(Cause::Broken("reset".to_owned()), Cause::Status)))
        }
        (Some("timeout"), _) => Some(Outcome::Unknown(Cause::TimedOut)),
        (Some("not-sent"), _) => Some(Outcome::NotSent(Cause::Connect("refused".to_owned()))),
        (_, Verb::ListEffects | Verb::ListEvents) => {
            let records = words.map(record).collect::<Option<Vec<Record>>>()?;
            Some(Outcome::Answered(Reply { records: Some(records), ..blank(200) }))
        }
        _ => {
            let mut reply = blank(words.next()?.parse().ok()?);
            while let Some(word) = words.next() {
                match word {
                    "id" => reply.resource = Some(words.next()?.into()),
                    "amount" => reply.amount = Some(words.next()?.parse().ok()?),
                    "effect" => reply.effect = Some(words.next()?.into()),
                    "body" => reply.digest = Some(Digest(words.next()?.parse().ok()?)),
                    _ if word.starts_with('"') || word.starts_with("W/") => reply.token = Some(word.into()),
                    _ => match (meaning(word), word.strip_prefix('v').and_then(|digits| digits.parse().ok())) {
                        (Some(meaning), _) => reply.meaning = meaning,
                        (None, Some(version)) => reply.version = Some(version),
                        (None, None) => reply.state = Some(word.into()),
                    },
                }
            }
            Some(Outcome::Answered(reply))
        }
    }
}

fn meaning(word: &str) -> Option<Meaning> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// `ID`, `ID=AMOUNT`, or `ACTION:FROM>TO@VERSION`.
fn record(word: &str) -> Option<Record> {
    let Some((action, rest)) = word.split_once(':') else {
        let (id, amount) = word.split_once('=').map_or((word, None), |(id, amount)| (id, Some(amount)));
        let amount = amount.map(str::parse).transpose().ok()?;
        return Some(Record { id: Some(id.into()), amount, ..Record::default() });
    };
    let (states, version) = rest.split_once('@')?;
    let (from, to) = states.split_once('>')?;
    Some(Record {
        id: None,
        amount: None,
        action: Some(action.into()),
        from: Some(from.into()),
        to: Some(to.into()),
        version: Some(version.parse().ok()?),
    })
}

pub(crate) fn blank(status: u16) -> Reply {
    Reply::new(status, Meaning::Applied)
}
