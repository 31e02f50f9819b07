//! Lawful histories of a simulated server stay lawful; an anomaly put into one is found, and its operation named.

use std::sync::Arc;

use fastrand::Rng;
use quickeats_bench::check::linear::{Answer, Budget, Entry, decide, explore, shrink};
use quickeats_bench::clock::Stamp;
use quickeats_bench::spec::key_value::{self, KeyValue};
use quickeats_bench::spec::register::{Call, Op, Register, State};

const ROUNDS: u32 = 300;

/// A server that does one thing after the other, and clients that wait for their answers: each value is written once.
fn served(dice: &mut Rng, operations: u64, clients: u64, has_versions: bool) -> Vec<Entry<Op>> {
    let (mut value, mut version) = (None, 0);
    let mut free_from = vec![0; usize::try_from(clients).unwrap()];
    let mut history = Vec::new();
    for number in 1..=operations {
        let moment = number * 100;
        let fresh = i64::try_from(number).unwrap();
        let idle: Vec<usize> = (0..free_from.len()).filter(|client| free_from[*client] < moment).collect();
        let Some(client) = dice.choice(idle) else { continue };
        let op = match (dice.u8(0..6), value) {
            (0..3, _) => Op::read(value),
            (3, Some(from)) => Op::cas(from, fresh),
            (4, _) => Op::cas_failed(-1),
            _ => Op::write(fresh),
        };
        if let Call::Write(to) | Call::Cas(_, to) = op.call {
            (value, version) = (Some(to), version + 1);
        }
        let is_told = has_versions && !matches!(op.call, Call::CasFailed(_));
        let op = if is_told { op.at(version) } else { op };
        let opened = moment - dice.u64(0..(moment - free_from[client]).min(400));
        let closed = moment + dice.u64(0..400);
        free_from[client] = closed + 1;
        let is_change = matches!(op.call, Call::Write(_) | Call::Cas(..));
        if is_change && dice.u8(0..12) == 0 {
            // It was done, but its answer was lost, and so is its client.
            history.push(Entry::unknown(Op { version: None, ..op }, opened));
            free_from[client] = u64::MAX;
            free_from.push(closed + 1);
        } else {
            history.push(Entry::closed(op, opened, closed));
        }
    }
    history
}

fn answer(history: &[Entry<Op>]) -> Answer {
    let has_versions = history.iter().any(|entry| entry.op.version.is_some());
    let spec = if has_versions { Register::VERSIONED } else { Register::PLAIN };
    let start = State { value: None, version: has_versions.then_some(0) };
    let searched = explore(&spec, &start, history, &Budget::steps(10_000_000)).answer;
    let decided = decide(&spec, &start, history, &Budget::steps(10_000_000)).answer;
    assert_eq!(std::mem::discriminant(&searched), std::mem::discriminant(&decided));
    decided
}

#[test]
fn what_a_correct_register_answers_is_legal() {
    let mut dice = Rng::with_seed(4);
    for round in 0..ROUNDS {
        let history = served(&mut dice, 120, 8, round % 2 == 0);
        assert!(matches!(answer(&history), Answer::Legal(_)), "round {round}: {history:#?}");
    }
}

#[test]
fn versions_decide_without_a_search_even_where_answers_are_missing() {
    let mut dice = Rng::with_seed(9);
    let start = State { value: None, version: Some(0) };
    let decided = (0..ROUNDS)
        .filter(|_| {
            let history = served(&mut dice, 120, 8, true);
            let found = decide(&Register::VERSIONED, &start, &history, &Budget::steps(0));
            assert_ne!(found.answer, Answer::Illegal, "{history:#?}");
            found.answer != Answer::GaveUp
        })
        .count();
    assert!(decided > ROUNDS as usize / 2, "versions decided {decided} of {ROUNDS}");
}

/// The value that a write or cas certainly left behind.
fn wrote(entry: &Entry<Op>) -> Option<i64> {
    match entry.op.call {
        Call::Write(value) | Call::Cas(_, value) if !entry.optional => Some(value),
        Call::Write(_) | Call::Cas(..) | Call::Read(_) | Call::CasFailed(_) => None,
    }
}

/// The ways to go wrong, each certain: values are written once.
#[derive(Debug, Clone, Copy)]
enum Anomaly {
    /// A value that was replaced before the read began.
    Stale,
    /// A value whose write had not begun when the read ended.
    FromTheFuture,
    /// A value that nobody wrote.
    OutOfThinAir,
    /// Two that replaced the same value.
    DoubleWin,
}

fn spoil(history: &mut [Entry<Op>], anomaly: Anomaly, dice: &mut Rng) -> Option<usize> {
    let reads: Vec<usize> =
        (0..history.len()).filter(|index| matches!(history[*index].op.call, Call::Read(_))).collect();
    let read = dice.choice(reads)?;
    let writes = || history.iter().filter(|entry| wrote(entry).is_some());
    match anomaly {
        Anomaly::Stale => {
            let replaced =
                writes().find(|old| writes().any(|new| old.precedes(new) && new.precedes(&history[read])))?;
            history[read].op.call = Call::Read(wrote(replaced));
            Some(read)
        }
        Anomaly::FromTheFuture => {
            let later = writes().find(|write| history[read].precedes(write))?;
            history[read].op.call = Call::Read(wrote(later));
            Some(read)
        }
        Anomaly::OutOfThinAir => {
            history[read].op.call = Call::Read(Some(1_000_000));
            Some(read)
        }
        Anomaly::DoubleWin => {
            let swaps: Vec<(usize, i64)> = (history.iter().enumerate())
                .filter_map(|(index, entry)| match entry.op.call {
                    Call::Cas(from, _) if !entry.optional => Some((index, from)),
                    _ => None,
                })
                .collect();
            let (first, second) = (swaps.first()?, swaps.last().filter(|last| last.0 != swaps[0].0)?);
            if let Call::Cas(_, to) = history[second.0].op.call {
                history[second.0].op.call = Call::Cas(first.1, to);
            }
            Some(second.0)
        }
    }
}

#[test]
fn an_anomaly_put_into_a_register_is_found_and_its_operation_named() {
    let mut dice = Rng::with_seed(5);
    for anomaly in [Anomaly::Stale, Anomaly::FromTheFuture, Anomaly::OutOfThinAir, Anomaly::DoubleWin] {
        let mut found = 0;
        for round in 0..ROUNDS / 4 {
            let mut history = served(&mut dice, 80, 6, false);
            let Some(spoilt) = spoil(&mut history, anomaly, &mut dice) else { continue };
            assert_eq!(answer(&history), Answer::Illegal, "{anomaly:?}, round {round}: {history:#?}");
            let witness = shrink(&Register::PLAIN, &State::default(), &history, &Budget::steps(1_000_000)).unwrap();
            let is_told = witness.proves.contains(&spoilt) || witness.context.contains(&spoilt);
            assert!(witness.is_smallest && is_told, "{anomaly:?} {spoilt} {witness:?}");
            assert!(witness.proves.len() <= 8, "{anomaly:?}: {witness:?}");
            found += 1;
        }
        assert!(found > 20, "{anomaly:?} was put in only {found} times");
    }
}

#[test]
fn a_version_that_runs_backwards_is_found_without_a_search() {
    let mut dice = Rng::with_seed(6);
    for _ in 0..ROUNDS {
        let mut history = served(&mut dice, 80, 6, true);
        let last = history.iter().rposition(|entry| matches!(entry.op.call, Call::Read(_))).unwrap();
        let old = history[last].op.version.unwrap().saturating_sub(20);
        history[last].op.version = Some(old);
        let is_over = || panic!("the search was asked");
        let start = State { value: None, version: Some(0) };
        let found = decide(&Register::VERSIONED, &start, &history, &Budget::steps(0).until(&is_over));
        assert_eq!(found.answer, Answer::Illegal);
        assert_eq!(found.effort.stuck, Some(last));
    }
}

/// Clients that append to one key, in turn; the third in four reads.
fn appended(dice: &mut Rng) -> Vec<Entry<key_value::Op>> {
    let mut text = String::new();
    let mut history = Vec::new();
    for number in 0..80_u64 {
        let moment = 1_000 + number * 100;
        let op = if dice.u8(0..3) == 0 {
            key_value::Op::Get(text.as_str().into())
        } else {
            let piece = format!("<{number}>");
            text.push_str(&piece);
            key_value::Op::Append(piece.into())
        };
        history.push(Entry::closed(op, moment - dice.u64(0..250), moment + dice.u64(0..250)));
    }
    history
}

fn key_answer(history: &[Entry<key_value::Op>]) -> Answer {
    let spec = KeyValue::for_ops(history.iter().map(|entry| &entry.op));
    explore(&spec, &spec.absent(), history, &Budget::steps(10_000_000)).answer
}

#[test]
fn an_append_that_is_missing_from_a_later_get_is_found() {
    let mut dice = Rng::with_seed(7);
    let mut found = 0;
    for round in 0..ROUNDS {
        let mut history = appended(&mut dice);
        assert!(matches!(key_answer(&history), Answer::Legal(_)), "round {round}: {history:#?}");
        let Some((at, text)) = history.iter().enumerate().rev().find_map(|(index, entry)| match &entry.op {
            key_value::Op::Get(text) => Some((index, Arc::clone(text))),
            key_value::Op::Put(_) | key_value::Op::Append(_) => None,
        }) else {
            continue;
        };
        let lost = history.iter().find_map(|entry| match &entry.op {
            key_value::Op::Append(piece) if entry.precedes(&history[at]) => Some(Arc::clone(piece)),
            key_value::Op::Append(_) | key_value::Op::Get(_) | key_value::Op::Put(_) => None,
        });
        let Some(lost) = lost else { continue };
        history[at].op = key_value::Op::Get(text.replace(&*lost, "").into());
        assert_eq!(key_answer(&history), Answer::Illegal, "round {round}: {history:#?}");
        found += 1;
    }
    assert!(found > ROUNDS / 2);
}

#[test]
fn a_long_history_overflows_no_stack_and_keeps_its_order() {
    let mut dice = Rng::with_seed(8);
    let history = served(&mut dice, 30_000, 10, false);
    let Answer::Legal(order) = answer(&history) else { panic!("a correct register") };
    let mut latest = Stamp::from_nanos(0);
    for index in order {
        latest = latest.max(history[index].opened);
        assert!(history[index].optional || history[index].closed >= Some(latest));
    }
}
