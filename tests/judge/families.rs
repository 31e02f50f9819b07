//! Registers, counters and effects at correct servers, by the thousand: the judge must find nothing, and decide nearly all.
//!
//! Clients are as in `simulated`: they time out before or after the effect, use a key again, name tags that are old, read
//! beside and between. (`family_anomalies` puts something wrong into what they make.)

use std::collections::HashMap;
use std::sync::Arc;

use quickeats_bench::api::{ActionModel, Api, Family, Leaves, Model, Needs};
use quickeats_bench::check::{Alone, Judgment, judge};
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{
    Actor, Call, Cause, Digest, History, Meaning, Operation, Outcome, Phase, Precondition, Record, Reply, Verb, Window,
};
use quickeats_bench::ids::{ClientId, OpId, RoundId};

use crate::manners::Again;
use crate::notation::{blank, load, number_by_opening};

pub(crate) const NAMES: [&str; 5] = ["notes", "pads", "stock", "sums", "wallets"];

/// Histories judged; `FAMILY_HISTORIES=1000000` makes the long run.
pub(crate) fn histories() -> u32 {
    std::env::var("FAMILY_HISTORIES").map_or(30_000, |count| count.parse().expect("FAMILY_HISTORIES is a number"))
}

/// What kind of correct server, and how busy a round.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a coin of its own")]
pub(crate) struct Ways {
    pub(crate) versions: bool,
    pub(crate) tags: bool,
    pub(crate) bodies: bool,
    pub(crate) reads_again: Again,
    pub(crate) marks_replays: bool,
    pub(crate) says_409: bool,
    pub(crate) uses_keys: bool,
    pub(crate) repeats_values: bool,
    pub(crate) loses_answers: bool,
    pub(crate) contenders: u32,
}

impl Ways {
    pub(crate) fn any(dice: &mut fastrand::Rng) -> Self {
        Self {
            versions: dice.bool(),
            tags: dice.bool(),
            bodies: dice.bool(),
            reads_again: [Again::Nothing, Again::Everything, Again::TheTag][dice.usize(0..3)],
            marks_replays: dice.bool(),
            says_409: dice.bool(),
            uses_keys: dice.bool(),
            repeats_values: dice.u8(0..4) == 0,
            loses_answers: dice.bool(),
            contenders: dice.u32(2..7),
        }
    }
}

/// A key: whose, for what, and what it says.
type Identity = (Actor, Verb, Arc<str>);

/// What is asked for may not be.
struct NotAllowed;

/// The resource, and everything said about it under a key.
struct Server<'a> {
    model: &'a Model,
    ways: Ways,
    /// The value, or the number; `None` is absent.
    holds: Option<Arc<str>>,
    version: u64,
    tag: u64,
    ledger: Vec<Record>,
    stored: HashMap<Identity, (Option<Digest>, Reply)>,
}

impl Server<'_> {
    fn token(&self) -> Option<Arc<str>> {
        (self.ways.tags && self.holds.is_some()).then(|| format!("\"{}\"", self.tag).into())
    }

    fn picture(&self, status: u16) -> Reply {
        let version = (self.ways.versions && self.holds.is_some()).then_some(self.version);
        Reply { state: self.holds.clone(), version, token: self.token(), ..blank(status) }
    }

    fn serve(&mut self, call: &Call) -> Reply {
        let Verb::Act(name) = &call.verb else {
            return if self.holds.is_some() { self.picture(200) } else { refusal(404, Meaning::NotFound) };
        };
        let identity = call.key.clone().map(|key| (call.actor.clone(), call.verb.clone(), key));
        if let Some((payload, stored)) = identity.as_ref().and_then(|identity| self.stored.get(identity)) {
            let meaning = if self.ways.marks_replays { Meaning::Replayed } else { Meaning::Applied };
            let is_same = *payload == call.payload;
            return if is_same { Reply { meaning, ..stored.clone() } } else { refusal(422, Meaning::Refused) };
        }
        let is_stale = call.precondition.token().is_some_and(|token| Some(token) != self.token().as_ref());
        if is_stale {
            let (status, meaning) = if self.ways.says_409 { (409, Meaning::Refused) } else { (412, Meaning::Stale) };
            return refusal(status, meaning);
        }
        let reply = match self.change(self.model.action(name).unwrap(), call) {
            Ok(effect) => Reply { effect, ..if self.ways.bodies { self.picture(200) } else { blank(204) } },
            Err(NotAllowed) => return refusal(409, Meaning::Refused),
        };
        if let Some(identity) = identity {
            self.stored.insert(identity, (call.payload, reply.clone()));
        }
        reply
    }

    /// Does it, if it may; the effect, if it has one.
    fn change(&mut self, action: &ActionModel, call: &Call) -> Result<Option<Arc<str>>, NotAllowed> {
        let next = match (action.write, action.adds, self.model.family) {
            (Some(write), ..) => {
                let is_there = self.holds.is_some();
                if (write.needs == Needs::Present && !is_there) || (write.needs == Needs::Absent && is_there) {
                    return Err(NotAllowed);
                }
                let value = (write.leaves == Leaves::Value).then(|| call.value.clone().unwrap());
                if is_there != value.is_some() && value.is_some() {
                    self.version = 0; // made anew
                }
                value
            }
            (None, Some(adds), Family::Counter(bounds)) => {
                let number = self.holds.as_ref().unwrap().parse::<i64>().unwrap() + adds;
                let is_short = adds < 0 && bounds.least.is_some_and(|least| number < least);
                let is_over = adds > 0 && bounds.most.is_some_and(|most| number > most);
                if !action.is_aside && (is_short || is_over) {
                    return Err(NotAllowed);
                }
                Some(number.to_string().into())
            }
            _ => {
                let id: Arc<str> = format!("e{}", self.ledger.len()).into();
                self.ledger.push(Record { id: Some(Arc::clone(&id)), ..Record::default() });
                return Ok(self.ways.bodies.then_some(id));
            }
        };
        if self.holds != next {
            (self.holds, self.version, self.tag) = (next, self.version + 1, self.tag + 1);
        }
        Ok(None)
    }
}

pub(crate) fn refusal(status: u16, meaning: Meaning) -> Reply {
    Reply::new(status, meaning)
}

fn call(verb: Verb, person: u32) -> Call {
    Call {
        request: verb.to_string().into(),
        verb,
        actor: Actor { role: "user".into(), person },
        principal: Some(person.to_string().into()),
        precondition: Precondition::Absent,
        key: None,
        payload: None,
        value: None,
    }
}

/// A request and the three moments of it: opened, took effect, closed.
struct Ask {
    call: Call,
    phase: Phase,
    client: u32,
    times: (u64, u64, u64),
    is_lost: bool,
}

fn ask(call: Call, phase: Phase, client: u32, from: u64, dice: &mut fastrand::Rng) -> Ask {
    let opened = from + dice.u64(0..200);
    let closed = opened + dice.u64(10..300);
    Ask { call, phase, client, times: (opened, dice.u64(opened..=closed), closed), is_lost: false }
}

fn contender(server: &Server<'_>, number: u32, dice: &mut fastrand::Rng) -> Ask {
    let (model, ways) = (server.model, server.ways);
    if dice.u8(0..6) == 0 && model.family != Family::Effects {
        return ask(call(Verb::Read, 1), Phase::Contend, 10 + number, 100, dice);
    }
    let action = &model.actions[dice.usize(0..model.actions.len())];
    let mut call = call(Verb::Act(Arc::clone(&action.name)), dice.u32(1..=2));
    let word = if ways.repeats_values { dice.u32(0..3) } else { number };
    let writes = action.write.is_some_and(|write| write.leaves == Leaves::Value);
    call.value = writes.then(|| format!("word-{word}").into());
    if ways.uses_keys && dice.bool() {
        call.key = Some(format!("k{}", dice.u8(0..2)).into());
        call.payload = Some(Digest::of(call.value.as_deref().unwrap_or_default().as_bytes()));
    }
    let may_be_there = action.write.is_some_and(|write| write.needs != Needs::Absent) || action.adds.is_some();
    if let Some(token) = server.token().filter(|_| may_be_there && (model.precondition_required || dice.bool())) {
        call.precondition = Precondition::Token(token);
    }
    let mut ask = ask(call, Phase::Contend, 10 + number, 100, dice);
    ask.is_lost = ways.loses_answers && dice.u8(0..5) == 0;
    if ask.is_lost && dice.bool() {
        ask.times.1 += dice.u64(0..4_000); // the effect may come long after everybody has looked, or never
    }
    ask
}

/// Whether it may find nothing: then the round begins with nothing.
fn makes(action: &ActionModel) -> bool {
    action.write.is_some_and(|write| write.needs != Needs::Present)
}

/// One round at a server with these ways.
pub(crate) fn history(model: &Model, ways: Ways, dice: &mut fastrand::Rng) -> Vec<Operation> {
    let is_made = model.family != Family::Effects && !model.actions.iter().any(makes);
    let first: Option<Arc<str>> = match model.family {
        Family::Counter(_) => Some(dice.i64(0..if ways.contenders > 9 { 80 } else { 6 }).to_string().into()),
        _ => is_made.then(|| "first".into()),
    };
    let (ledger, stored) = (Vec::new(), HashMap::new());
    let mut server = Server { model, ways, holds: first.clone(), version: 1, tag: 1, ledger, stored };
    let mut operations = Vec::new();
    if is_made {
        let made = Call { value: first.filter(|_| model.family == Family::Register), ..call(Verb::Create, 1) };
        let made = Ask { call: made, phase: Phase::SetUp, client: 1, times: (0, 1, 2), is_lost: false };
        operations.push(operation(&made, Outcome::Answered(server.picture(201))));
    }
    let mut asks: Vec<Ask> = (0..ways.contenders).map(|number| contender(&server, number, dice)).collect();
    if model.family != Family::Effects {
        asks.extend((0..2).map(|number| ask(call(Verb::Read, 1), Phase::Observe, 40, 2_000 + 1_000 * number, dice)));
    }
    asks.sort_by_key(|ask| ask.times.1);
    let mut to_read_again: Vec<(u64, usize)> = Vec::new();
    for ask in &asks {
        read_again(&server, &mut operations, &mut to_read_again, ask.times.1);
        let is_late = ask.is_lost && ask.times.1 > 5_000;
        let outcome = match ask.is_lost {
            true if is_late => Outcome::Unknown(Cause::TimedOut), // never
            true => {
                server.serve(&ask.call);
                Outcome::Unknown(Cause::TimedOut)
            }
            false => Outcome::Answered(server.serve(&ask.call)),
        };
        let shows = outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Applied && reply.state.is_some());
        if shows && ask.call.key.is_none() && ways.reads_again != Again::Nothing && ask.call.verb != Verb::Read {
            to_read_again.push((dice.u64(ask.times.1..=ask.times.2), operations.len()));
        }
        operations.push(operation(ask, outcome));
    }
    read_again(&server, &mut operations, &mut to_read_again, u64::MAX);
    if model.family == Family::Effects {
        let list = ask(call(Verb::ListEffects, 1), Phase::Observe, 50, 9_000, dice);
        let reply = Reply { records: Some(server.ledger.clone()), ..blank(200) };
        operations.push(operation(&list, Outcome::Answered(reply)));
    }
    number_by_opening(&mut operations);
    operations
}

/// Answers that were to be read again before `now`.
fn read_again(server: &Server<'_>, operations: &mut [Operation], due: &mut Vec<(u64, usize)>, now: u64) {
    for (_, index) in due.extract_if(.., |(moment, _)| *moment < now) {
        let Outcome::Answered(reply) = &mut operations[index].outcome else { continue };
        let shown = server.picture(200);
        reply.token = shown.token;
        if server.ways.reads_again == Again::Everything {
            (reply.state, reply.version) = (shown.state, shown.version);
        }
    }
}

fn operation(ask: &Ask, outcome: Outcome) -> Operation {
    let (opened, _, closed) = ask.times;
    let (opened, closed) = (Stamp::from_nanos(opened), Stamp::from_nanos(closed));
    Operation {
        id: OpId(0),
        client: ClientId(ask.client),
        round: RoundId::Raced(1),
        phase: ask.phase,
        call: ask.call.clone(),
        window: Window { opened, released: (ask.phase == Phase::Contend).then_some(opened), closed },
        outcome,
    }
}

pub(crate) fn judged(operations: &[Operation], model: &Model) -> Judgment {
    judge(&History::seal(operations.iter().cloned()), model, Alone::Refused)
}

#[track_caller]
fn assert_lawful(judgment: &Judgment, operations: &[Operation], told: &str) {
    let sentences: Vec<String> =
        judgment.findings.iter().map(|finding| format!("{}: {}", finding.kind, finding.sentence)).collect();
    let lines: Vec<String> =
        operations.iter().map(|one| format!("  {:?} {:?} {:?}", one.window, one.call, one.outcome)).collect();
    assert!(sentences.is_empty(), "{told}: {sentences:#?}\n{}", lines.join("\n"));
}

#[test]
fn no_correct_server_is_ever_accused_whatever_it_holds() {
    let models: Vec<Arc<Api>> = NAMES.into_iter().chain(["shelves"]).map(load).collect();
    let mut dice = fastrand::Rng::with_seed(31);
    let (mut trials, mut open) = (0, 0);
    for number in 0..histories() {
        let mut model = models[dice.usize(0..models.len())].model.clone();
        let ways = Ways::any(&mut dice);
        model.precondition_required &= ways.tags;
        model.versioned = ways.versions;
        let operations = history(&model, ways, &mut dice);
        let judgment = judged(&operations, &model);
        assert_lawful(&judgment, &operations, &format!("history {number} of seed 31, {}, {ways:?}", model.noun));
        trials += judgment.trials;
        open += u64::from(!judgment.doubts.is_empty());
        let is_open = |doubt: &String| doubt.contains("cannot be told");
        assert!(judgment.doubts.iter().all(is_open), "history {number} of seed 31: {:?}", judgment.doubts);
    }
    let all = u64::from(histories());
    assert!(trials > all / 3, "only {trials} of the histories are evidence of anything");
    assert!(open < all / 100, "{open} of the histories could not be decided");
}

/// The same resource, of whose actions only these are raced.
fn only(name: &str, actions: &[&str]) -> Model {
    let mut model = load(name).model.clone();
    model.precondition_required = false;
    model.actions.retain(|action| actions.contains(&&*action.name));
    model
}

#[test]
fn a_race_of_64_is_decided() {
    let races: [(&str, &[&str]); 6] = [
        ("stock", &["take"]),
        ("sums", &["take"]),
        ("pads", &["put"]),
        ("pads", &["add"]),
        ("notes", &["put"]),
        ("wallets", &["charge"]),
    ];
    let mut dice = fastrand::Rng::with_seed(37);
    let mut undecided = Vec::new();
    for (name, actions) in races {
        for number in 0..25 {
            let mut model = only(name, actions);
            let ways =
                Ways { tags: false, uses_keys: false, repeats_values: false, contenders: 64, ..Ways::any(&mut dice) };
            model.versioned = ways.versions;
            let operations = history(&model, ways, &mut dice);
            let judgment = judged(&operations, &model);
            let told = format!("history {number} of {name}, {actions:?}, {ways:?}");
            assert_lawful(&judgment, &operations, &told);
            undecided.extend(judgment.doubts.iter().map(|doubt| format!("{told}: {doubt}")));
        }
    }
    assert!(undecided.len() <= 1, "{undecided:#?}");
}
