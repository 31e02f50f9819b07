//! Registers and counters against the slow obvious version: every order of every choice, step by step on a value.
//!
//! Histories are as often wrong as right. Whatever has a lawful order must not be accused, and whatever has none must be.

use std::collections::HashSet;
use std::sync::Arc;

use quickeats_bench::api::{Family, Leaves, Model, Needs};
use quickeats_bench::check::{Alone, Severity, judge};
use quickeats_bench::clock::Stamp;
use quickeats_bench::history::{
    Actor, Call, Cause, History, Meaning, Operation, Outcome, Phase, Precondition, Reply, Verb, Window,
};
use quickeats_bench::ids::{ClientId, OpId, RoundId};

use crate::notation::{blank, load, number_by_opening};

/// Histories compared; `BRUTE_HISTORIES=1000000` makes the long run.
fn histories() -> u32 {
    std::env::var("BRUTE_HISTORIES").map_or(12_000, |count| count.parse().expect("BRUTE_HISTORIES is a number"))
}

type Value = Option<Arc<str>>;

/// What an operation does, as the obvious version has it.
struct Step<'a> {
    operation: &'a Operation,
    /// What it is to show: at once, or (for the reading of an answer) after the step before it in the list.
    shows: Option<Value>,
    acts: bool,
    optional: bool,
    after: Option<usize>,
}

/// A round's steps, where answers show what was at the write, or what was read after it.
fn steps(operations: &[Operation], reads_after: bool) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for operation in operations.iter().filter(|one| one.call.verb != Verb::Create) {
        let reply = operation.outcome.reply();
        let is_read = operation.call.verb == Verb::Read;
        let refused = reply.is_some_and(|reply| reply.meaning == Meaning::Refused);
        if refused {
            continue;
        }
        let is_absent = is_read && reply.is_some_and(|reply| reply.meaning == Meaning::NotFound);
        let seen: Option<Value> =
            if is_absent { Some(None) } else { reply.and_then(|reply| reply.state.clone()).map(Some) };
        let optional = reply.is_none();
        let shows = if is_read || !reads_after { seen.clone() } else { None };
        steps.push(Step { operation, shows, acts: !is_read, optional, after: None });
        if let (Some(value), true, false) = (seen, reads_after, is_read) {
            let after = Some(steps.len() - 1);
            steps.push(Step { operation, shows: Some(value), acts: false, optional, after });
        }
    }
    steps
}

/// What the action leaves behind; `None` where it is not allowed.
fn leaves(model: &Model, call: &Call, value: &Value) -> Option<Value> {
    let action = model.action(call.action()?)?;
    if let Some(write) = action.write {
        let is_allowed = match write.needs {
            Needs::Anything => true,
            Needs::Present => value.is_some(),
            Needs::Absent => value.is_none(),
        };
        return is_allowed.then(|| if write.leaves == Leaves::Value { call.value.clone() } else { None });
    }
    let Family::Counter(bounds) = model.family else { return None };
    let number = value.as_ref()?.parse::<i64>().ok()? + action.adds?;
    let is_allowed = bounds.least.is_none_or(|least| number >= least) && bounds.most.is_none_or(|most| number <= most);
    is_allowed.then(|| Some(number.to_string().into()))
}

fn is_lawful(model: &Model, steps: &[Step<'_>], done: u32, value: &Value, seen: &mut HashSet<(u32, Value)>) -> bool {
    let left = |index: &usize| done & (1 << index) == 0;
    if (0..steps.len()).filter(left).all(|index| steps[index].optional) {
        return true;
    }
    if !seen.insert((done, value.clone())) {
        return false;
    }
    (0..steps.len()).filter(left).any(|index| {
        let step = &steps[index];
        let precedes = |other: usize| {
            let other = &steps[other];
            !other.optional && other.operation.window.closed < step.operation.window.opened
        };
        if (0..steps.len()).filter(left).any(precedes) || step.after.is_some_and(|after| left(&after)) {
            return false;
        }
        let after = if step.acts { leaves(model, &step.operation.call, value) } else { Some(value.clone()) };
        let after = after.filter(|after| step.shows.as_ref().is_none_or(|shown| shown == after));
        after.is_some_and(|after| is_lawful(model, steps, done | 1 << index, &after, seen))
    })
}

fn random(model: &Model, dice: &mut fastrand::Rng) -> (Value, Vec<Operation>) {
    let is_counter = matches!(model.family, Family::Counter(_));
    let is_made = is_counter || !model.actions.iter().any(|action| &*action.name == "add");
    let start: Value = if is_counter { Some(dice.i64(0..3).to_string().into()) } else { is_made.then(|| "v9".into()) };
    let verb = |verb: Verb| Call {
        request: verb.to_string().into(),
        verb,
        actor: Actor { role: "user".into(), person: 1 },
        principal: None,
        precondition: Precondition::Absent,
        key: None,
        payload: None,
        value: None,
    };
    let mut operations = Vec::new();
    let mut add = |call: Call, phase: Phase, (opened, closed): (u64, u64), outcome: Outcome| {
        operations.push(Operation {
            id: OpId(0),
            client: ClientId(u32::try_from(operations.len()).unwrap()),
            round: RoundId::Raced(1),
            phase,
            call,
            window: Window { opened: Stamp::from_nanos(opened), released: None, closed: Stamp::from_nanos(closed) },
            outcome,
        });
    };
    if is_made {
        let reply = Reply { state: start.clone(), ..blank(201) };
        add(verb(Verb::Create), Phase::SetUp, (0, 1), Outcome::Answered(reply));
    }
    let words = dice.u32(1..5);
    let any = |dice: &mut fastrand::Rng| -> Arc<str> {
        let number = dice.u32(0..words);
        if is_counter { dice.i64(-1..5).to_string().into() } else { format!("v{number}").into() }
    };
    let mut written = vec![start.clone()];
    for number in 0..dice.u64(2..6) {
        let action = &model.actions[dice.usize(0..model.actions.len())];
        let mut call = verb(Verb::Act(Arc::clone(&action.name)));
        if action.write.is_some_and(|write| write.leaves == Leaves::Value) {
            call.value = Some(any(dice));
            written.push(call.value.clone());
        }
        let opened = 10 + dice.u64(0..20);
        let shown = if is_counter { Some(any(dice)) } else { call.value.clone() };
        let outcome = match dice.u8(0..8) {
            0 => Outcome::Unknown(Cause::TimedOut),
            1 => Outcome::Answered(Reply::new(409, Meaning::Refused)),
            2 if call.value.is_some() || is_counter => Outcome::Answered(Reply { state: shown, ..blank(200) }),
            _ => Outcome::Answered(blank(204)),
        };
        let phase = if number < 2 { Phase::Contend } else { Phase::Follow };
        add(call, phase, (opened, opened + dice.u64(0..15)), outcome);
    }
    for _ in 0..dice.u64(0..5) {
        let opened = 10 + dice.u64(0..40);
        let seen = if is_counter { Some(any(dice)) } else { written[dice.usize(0..written.len())].clone() };
        let seen = if !is_counter && dice.u8(0..6) == 0 { None } else { seen };
        let reply =
            if seen.is_some() { Reply { state: seen, ..blank(200) } } else { Reply::new(404, Meaning::NotFound) };
        add(verb(Verb::Read), Phase::Observe, (opened, opened + dice.u64(0..10)), Outcome::Answered(reply));
    }
    number_by_opening(&mut operations);
    (start, operations)
}

#[test]
fn the_judge_agrees_with_brute_force_on_registers_and_counters() {
    let models = ["notes", "pads", "stock", "sums"].map(load);
    let mut dice = fastrand::Rng::with_seed(43);
    let (mut lawful, mut unlawful) = (0, 0);
    for number in 0..histories() {
        let mut model = models[dice.usize(0..models.len())].model.clone();
        (model.precondition_required, model.versioned) = (false, false);
        let (start, operations) = random(&model, &mut dice);
        let is_right =
            |reads_after| is_lawful(&model, &steps(&operations, reads_after), 0, &start, &mut HashSet::new());
        let expected = is_right(false) || is_right(true);
        let judgment = judge(&History::seal(operations.iter().cloned()), &model, Alone::Refused);
        let found = judgment.findings.iter().find(|one| one.severity == Severity::Violation);
        let shown = || {
            let lines: Vec<String> = operations
                .iter()
                .map(|one| format!("  {:?} {} {:?} {:?}", one.window, one.call.verb, one.call.value, one.outcome))
                .collect();
            format!(
                "history {number} of seed 43, {}: {found:?} {:?}\n{}",
                model.noun,
                judgment.doubts,
                lines.join("\n")
            )
        };
        assert!(judgment.doubts.is_empty() && found.is_none() == expected, "{}", shown());
        if expected { lawful += 1 } else { unlawful += 1 }
    }
    let few = histories() / 10;
    assert!(lawful > few && unlawful > few, "{lawful} lawful and {unlawful} not: too lopsided to prove much");
}
