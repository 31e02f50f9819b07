//! The search, the versions and the shrinking against all orders of all subsets, on small random histories.

use std::fmt::Debug;
use std::sync::Arc;

use fastrand::Rng;
use quickeats_bench::check::linear::{Answer, Budget, Entry, decide, explore, shrink};
use quickeats_bench::clock::Stamp;
use quickeats_bench::spec::key_value::{self, KeyValue};
use quickeats_bench::spec::register::{self, Register};
use quickeats_bench::spec::{Spec, Versioned};

/// Histories compared, each specification; `LINEARIZABILITY_HISTORIES=1000000` makes the long run.
fn histories() -> u32 {
    let number = |count: String| count.parse().expect("LINEARIZABILITY_HISTORIES is a number");
    std::env::var("LINEARIZABILITY_HISTORIES").map_or(100_000, number)
}

/// One in so many is shrunk as well, which takes longer to verify.
const SHRUNK: u32 = 20;

/// All orders of all subsets that keep the required operations: slow and obvious.
pub(crate) fn brute_force<S: Spec>(spec: &S, state: &S::State, entries: &[Entry<S::Op>], left: &[usize]) -> bool {
    if left.iter().all(|index| entries[*index].optional) {
        return true;
    }
    (0..left.len()).any(|position| {
        let entry = &entries[left[position]];
        if left.iter().any(|other| entries[*other].precedes(entry)) {
            return false;
        }
        let mut next = Vec::new();
        spec.step(state, &entry.op, &mut next);
        let rest: Vec<usize> = left.iter().copied().filter(|index| *index != left[position]).collect();
        next.iter().any(|after| brute_force(spec, after, entries, &rest))
    })
}

fn is_legal<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>]) -> bool {
    brute_force(spec, start, entries, &(0..entries.len()).collect::<Vec<_>>())
}

/// An order that is claimed to be legal, followed step by step.
fn assert_order<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], order: &[usize], shown: &str) {
    let mut states = vec![start.clone()];
    for (place, index) in order.iter().enumerate() {
        assert!(!order[..place].contains(index), "{index} is taken twice:\n{shown}");
        for earlier in &order[..place] {
            assert!(!entries[*index].precedes(&entries[*earlier]), "{order:?} breaks real time:\n{shown}");
        }
        let mut next = Vec::new();
        for state in &states {
            spec.step(state, &entries[*index].op, &mut next);
        }
        states = next;
    }
    assert!(!states.is_empty(), "{order:?} is not legal:\n{shown}");
    let left = (0..entries.len()).filter(|index| !order.contains(index));
    assert!(left.into_iter().all(|index| entries[index].optional), "{order:?} leaves something out:\n{shown}");
}

/// With only `kept` required, and of the others any subset struck out (what only observes, always): is one legal?
fn is_legal_with_alibis<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], kept: &[usize]) -> bool
where
    S::Op: Clone,
{
    let is_alibi = |index: &usize| !kept.contains(index) && !spec.only_observes(&entries[*index].op);
    let alibis: Vec<usize> = (0..entries.len()).filter(is_alibi).collect();
    (0..1_usize << alibis.len()).any(|mask| {
        let stays = |index: &usize| {
            let place = alibis.iter().position(|alibi| alibi == index);
            place.map_or(kept.contains(index), |place| mask & (1 << place) != 0)
        };
        let rest: Vec<Entry<S::Op>> = (0..entries.len()).filter(stays).map(|index| entries[index].clone()).collect();
        is_legal(spec, start, &rest)
    })
}

/// Holds `spec` against `plain`, which says the same in the obvious way.
struct Comparison<'a, S: Spec, P: Spec<Op = S::Op>> {
    spec: &'a S,
    start: S::State,
    plain: &'a P,
    plain_start: P::State,
    entries: &'a [Entry<S::Op>],
}

impl<S: Spec, P: Spec<Op = S::Op>> Comparison<'_, S, P>
where
    S::Op: Clone + Debug,
{
    /// Whether the history is legal, after everyone agreed on it.
    fn agreed(&self, shrinks: bool) -> bool {
        let Self { spec, start, plain, plain_start, entries } = self;
        let shown = format!("{entries:#?}");
        let expected = is_legal(*plain, plain_start, entries);
        match explore(*spec, start, entries, &Budget::steps(1_000_000)).answer {
            Answer::Legal(order) => assert_order(*plain, plain_start, entries, &order, &shown),
            Answer::Illegal => assert!(!expected, "{shown}"),
            Answer::GaveUp => panic!("gave up on {shown}"),
        }
        if !expected && shrinks {
            self.shrinks(&shown);
        }
        expected
    }

    fn shrinks(&self, shown: &str) {
        let Self { spec, start, plain, plain_start, entries } = self;
        let witness = shrink(*spec, start, entries, &Budget::steps(1_000_000)).expect("it is illegal");
        assert!(witness.is_smallest, "{witness:?}\n{shown}");
        let legal = |kept: &[usize]| is_legal_with_alibis(*plain, plain_start, entries, kept);
        assert!(!legal(&witness.proves), "{witness:?} proves nothing:\n{shown}");
        for out in &witness.proves {
            let rest: Vec<usize> = witness.proves.iter().copied().filter(|index| index != out).collect();
            assert!(legal(&rest), "{witness:?} needs no {out}:\n{shown}");
        }
    }
}

fn window<Op>(dice: &mut Rng, op: Op, may_be_unknown: bool) -> Entry<Op> {
    let opened = dice.u64(0..20);
    if may_be_unknown && dice.u8(0..5) == 0 {
        return Entry::unknown(op, opened);
    }
    let closed = Some(Stamp::from_nanos(opened + dice.u64(0..8)));
    Entry { closed, ..Entry::closed(op, opened, opened) }
}

fn register_history(dice: &mut Rng, has_versions: bool) -> Vec<Entry<register::Op>> {
    let mut history = Vec::new();
    for _ in 0..dice.usize(1..7) {
        let (a, b) = (dice.i64(0..3), dice.i64(0..3));
        let op = match dice.u8(0..8) {
            0..3 => register::Op::read((a > 0).then_some(a)),
            3..6 => register::Op::write(a),
            6 => register::Op::cas(a, b),
            _ => register::Op::cas_failed(a),
        };
        let mut entry = window(dice, op, !Register::PLAIN.only_observes(&op));
        if has_versions && !entry.optional && dice.u8(0..6) > 0 {
            // Mostly a version that fits the moment, so that legal histories come about.
            entry.op =
                op.at((entry.opened.nanos() / 6 + dice.u64(0..2)).max(u64::from(!Register::PLAIN.only_observes(&op))));
        }
        history.push(entry);
    }
    history
}

fn assert_balanced(legal: u32, all: u32) {
    let few = all / 20;
    assert!(legal > few && all - legal > few, "{legal} of {all} are legal: too lopsided to prove much");
}

#[test]
fn a_register_is_judged_as_by_brute_force() {
    let mut dice = Rng::with_seed(1);
    let mut legal = 0;
    for number in 0..histories() {
        let entries = register_history(&mut dice, false);
        let start = register::State::default();
        let compared = Comparison {
            spec: &Register::PLAIN,
            start,
            plain: &Register::PLAIN,
            plain_start: start,
            entries: &entries,
        };
        legal += u32::from(compared.agreed(number % SHRUNK == 0));
    }
    assert_balanced(legal, histories());
}

#[test]
fn a_register_with_versions_is_judged_as_by_brute_force() {
    let mut dice = Rng::with_seed(2);
    let mut legal = 0;
    for _ in 0..histories() {
        let entries = register_history(&mut dice, true);
        let start = register::State { value: None, version: dice.bool().then_some(0) };
        legal += u32::from(decided(&Register::VERSIONED, &start, &entries));
    }
    assert_balanced(legal, histories());
}

/// What versions and search say together, after brute force agreed.
fn decided<S: Versioned>(spec: &S, start: &S::State, entries: &[Entry<S::Op>]) -> bool
where
    S::Op: Debug,
{
    let expected = is_legal(spec, start, entries);
    let shown = format!("{entries:#?}");
    match decide(spec, start, entries, &Budget::steps(1_000_000)).answer {
        Answer::Legal(order) => assert_order(spec, start, entries, &order, &shown),
        Answer::Illegal => assert!(!expected, "{shown}"),
        Answer::GaveUp => panic!("gave up on {shown}"),
    }
    expected
}

/// A key as everyone would write it down.
struct Plain;

impl Spec for Plain {
    type State = String;
    type Op = key_value::Op;

    fn step(&self, state: &String, op: &key_value::Op, next: &mut Vec<String>) {
        match op {
            key_value::Op::Get(text) if **text == **state => next.push(state.clone()),
            key_value::Op::Get(_) => {}
            key_value::Op::Put(text) => next.push(text.to_string()),
            key_value::Op::Append(more) => next.push(format!("{state}{more}")),
        }
    }

    fn only_observes(&self, op: &key_value::Op) -> bool {
        matches!(op, key_value::Op::Get(_))
    }
}

fn key_value_history(dice: &mut Rng) -> Vec<Entry<key_value::Op>> {
    // Few and ambiguous pieces: `a` + `ab` and `aa` + `b` are one text.
    let pieces = ["a", "b", "ab", ""];
    let text = |dice: &mut Rng, most: usize| -> Arc<str> {
        (0..dice.usize(0..=most)).map(|_| pieces[dice.usize(0..3)]).collect::<String>().into()
    };
    (0..dice.usize(1..7))
        .map(|_| {
            let op = match dice.u8(0..7) {
                0..3 => key_value::Op::Get(text(dice, 2)),
                3 => key_value::Op::Put(text(dice, 1)),
                _ => key_value::Op::Append(pieces[dice.usize(0..4)].into()),
            };
            let is_get = Plain.only_observes(&op);
            window(dice, op, !is_get)
        })
        .collect()
}

#[test]
fn a_key_is_judged_as_by_brute_force() {
    let mut dice = Rng::with_seed(3);
    let mut legal = 0;
    for number in 0..histories() {
        let entries = key_value_history(&mut dice);
        let spec = KeyValue::for_ops(entries.iter().map(|entry| &entry.op));
        let (start, plain_start) = (spec.absent(), String::new());
        let compared = Comparison { spec: &spec, start, plain: &Plain, plain_start, entries: &entries };
        legal += u32::from(compared.agreed(number % SHRUNK == 0));
    }
    assert_balanced(legal, histories());
}
