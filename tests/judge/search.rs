//! The search against the slow obvious version, on the specification that races are judged by.

use quickeats_bench::api::StateIx;
use quickeats_bench::check::linear::{Answer, Entry, search};
use quickeats_bench::clock::Stamp;
use quickeats_bench::spec::Spec;
use quickeats_bench::spec::lifecycle::{KeyIx, Lifecycle, Op, Relaxation, Seen, State, Token, TokenIx};

/// Histories compared; `SEARCH_HISTORIES=1000000` makes the long run.
fn histories() -> u32 {
    std::env::var("SEARCH_HISTORIES").map_or(100_000, |count| count.parse().expect("SEARCH_HISTORIES is a number"))
}

/// All orders of all subsets that keep the required operations.
fn brute_force(spec: &Lifecycle<'_>, state: &State, entries: &[Entry<Op>], left: &[usize]) -> bool {
    if left.iter().all(|index| entries[*index].optional) {
        return true;
    }
    (0..left.len()).any(|position| {
        let entry = &entries[left[position]];
        let preceded = |other: &usize| {
            let other = &entries[*other];
            !other.optional && other.closed.is_some_and(|closed| closed < entry.opened)
        };
        if left.iter().any(preceded) || entry.after.is_some_and(|earlier| left.contains(&earlier)) {
            return false;
        }
        let mut next = Vec::new();
        spec.step(state, &entry.op, &mut next);
        let rest: Vec<usize> = left.iter().copied().filter(|index| *index != left[position]).collect();
        next.iter().any(|after| brute_force(spec, after, entries, &rest))
    })
}

struct Dice(fastrand::Rng);

impl Dice {
    fn one_in(&mut self, n: u8) -> bool {
        self.0.u8(0..n) == 0
    }

    fn seen(&mut self, states: u16) -> Seen {
        Seen {
            state: self.0.bool().then(|| StateIx(self.0.u16(0..states))),
            version: self.one_in(3).then(|| self.0.u64(1..4)),
            token: self.one_in(3).then(|| TokenIx(self.0.u32(0..3))),
        }
    }

    fn operation(&mut self, spec: &Lifecycle<'_>) -> Op {
        let states = u16::try_from(spec.model.states.len()).expect("models are small");
        let action = self.0.usize(0..spec.model.actions.len());
        let token = self.0.bool().then(|| TokenIx(self.0.u32(0..3)));
        let key = KeyIx(self.0.u32(0..2));
        match self.0.u8(0..9) {
            0 | 1 => Op::Read(self.seen(states)),
            2 => Op::Stale { token, action: Some(action) },
            3 => Op::Refused { action: Some(action) },
            4 => Op::Replay { key },
            _ => {
                let key = self.one_in(3).then_some(key);
                Op::Apply { action, precondition: token, key, seen: self.seen(states) }
            }
        }
    }

    fn history(&mut self, spec: &Lifecycle<'_>) -> Vec<Entry<Op>> {
        let mut entries: Vec<Entry<Op>> = Vec::new();
        for index in 0..self.0.usize(1..7) {
            let op = self.operation(spec);
            let opened = self.0.u64(0..20);
            let optional = matches!(op, Op::Apply { .. }) && self.one_in(5);
            let follows = index > 0 && matches!(op, Op::Read(_)) && self.0.bool();
            entries.push(Entry {
                op,
                opened: Stamp::from_nanos(opened),
                closed: (!optional).then(|| Stamp::from_nanos(opened + self.0.u64(0..8))),
                optional,
                after: follows.then(|| self.0.usize(0..index)),
            });
        }
        entries
    }
}

#[test]
fn the_search_agrees_with_brute_force_under_every_rule() {
    let api = crate::notation::load("pausable");
    let rules = [
        None,
        None,
        None,
        Some(Relaxation::SpuriousStale),
        Some(Relaxation::VersionSlips),
        Some(Relaxation::OldReads),
        Some(Relaxation::AppliedRefusals),
        Some(Relaxation::IgnoredPreconditions),
        Some(Relaxation::LostAcks),
        Some(Relaxation::AnyTransition),
    ];
    let mut dice = Dice(fastrand::Rng::with_seed(7));
    let (mut legal, mut illegal) = (0, 0);
    for number in 0..histories() {
        let spec = Lifecycle { model: &api.model, relaxed: rules[dice.0.usize(0..rules.len())] };
        let entries = dice.history(&spec);
        let start = State {
            at: api.model.initial,
            version: dice.0.bool().then_some(1),
            token: if dice.0.bool() { Token::Is(TokenIx(0)) } else { Token::Unknown },
            keys: Vec::new(),
        };
        let found = search(&spec, &start, &entries, 1_000_000);
        let expected = brute_force(&spec, &start, &entries, &(0..entries.len()).collect::<Vec<_>>());
        let shown = || format!("history {number} of seed 7, {:?}, from {start:?}:\n{entries:#?}", spec.relaxed);
        assert_eq!(matches!(found, Answer::Legal(_)), expected, "{}", shown());
        if expected { legal += 1 } else { illegal += 1 }
    }
    let few = histories() / 10;
    assert!(legal > few && illegal > few, "{legal} legal and {illegal} illegal: too lopsided to prove much");
}
