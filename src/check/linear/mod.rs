//! Is there an order of these operations, within their windows, that the specification allows?
//!
//! Depth-first search over linearization points with memoised (operations done, state), after Wing & Gong (1993) and
//! Lowe (2017). Optional operations (outcome Unknown) may take effect at any time after they were opened, or never:
//! they can explain a history, they cannot condemn one.
//!
//! ```text
//! a |-----|              a before b; c may come anywhere after it was opened, or not at all
//!           b |----|
//!    c |- - - - - - - ->
//! ```
//!
//! Where replies carry versions, [`versions`] decides most histories in one pass; [`decide`] asks it first.
//!
//! ```
//! use quickeats_bench::check::linear::{Answer, Entry, search};
//! use quickeats_bench::spec::register::{Op, Register, State};
//!
//! let write = Entry::closed(Op::write(1), 0, 10);
//! let read = Entry::closed(Op::read(None), 20, 30);
//! assert_eq!(search(&Register::PLAIN, &State::default(), &[write, read], 1_000), Answer::Illegal);
//! ```

mod alibi;
mod budget;
mod done;
mod events;
mod memo;
mod optional;
mod search;
mod shrink;
pub mod suggest;
pub mod versions;

use crate::clock::Stamp;
use crate::spec::{Spec, Versioned};

pub use budget::{Budget, Limit};
pub use search::explore;
pub use shrink::{Witness, shrink};

/// An operation for the search.
#[derive(Debug, Clone)]
pub struct Entry<Op> {
    /// What it did.
    pub op: Op,
    /// Start of its window.
    pub opened: Stamp,
    /// End of its window; `None` is open for ever.
    pub closed: Option<Stamp>,
    /// Whether it may be left out (its outcome is Unknown). Then its window's end says nothing.
    pub optional: bool,
    /// The entry that must come before it, if one must.
    pub after: Option<usize>,
}

impl<Op> Entry<Op> {
    /// An operation that certainly took effect between two moments (nanoseconds).
    pub const fn closed(op: Op, opened: u64, closed: u64) -> Self {
        let (opened, closed) = (Stamp::from_nanos(opened), Some(Stamp::from_nanos(closed)));
        Self { op, opened, closed, optional: false, after: None }
    }

    /// An operation that may have taken effect at any time after a moment (nanoseconds), or never.
    pub const fn unknown(op: Op, opened: u64) -> Self {
        Self { op, opened: Stamp::from_nanos(opened), closed: None, optional: true, after: None }
    }

    /// Real-time order: this operation had certainly taken effect before `other` began.
    pub fn precedes(&self, other: &Self) -> bool {
        !self.optional && self.closed.is_some_and(|closed| closed < other.opened)
    }
}

/// What the search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A legal order: indices of the entries that took effect, in turn.
    Legal(Vec<usize>),
    /// No order is legal.
    Illegal,
    /// The budget ran out first.
    GaveUp,
}

/// An answer, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The answer.
    pub answer: Answer,
    /// How much was looked at, and how far it came.
    pub effort: Effort,
    /// Where there is no legal order: the longest that there is of a beginning. Empty where nothing was searched.
    pub deepest: Vec<usize>,
}

/// How much a search looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Times that the specification was asked.
    pub steps: u64,
    /// Different (operations done, state) visited.
    pub states: u64,
    /// The most operations that could be put in order.
    pub deepest: usize,
    /// The operation that could not be put next there: its window ended, and no state that was reached allows it.
    pub stuck: Option<usize>,
    /// What ran out, if the search gave up.
    pub limit: Option<Limit>,
}

/// Searches for a legal order of `entries` from `start`, taking at most `budget` steps.
pub fn search<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], budget: u64) -> Answer {
    explore(spec, start, entries, &Budget::steps(budget)).answer
}

/// Looks for a legal order by versions first, and searches where they do not decide.
pub fn decide<S: Versioned>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], budget: &Budget<'_>) -> Found {
    let steps = entries.len() as u64;
    let effort = Effort { steps, states: steps, deepest: entries.len(), ..Effort::default() };
    match versions::check(spec, start, entries) {
        versions::Ruling::Legal(order) => Found { answer: Answer::Legal(order), effort, deepest: Vec::new() },
        versions::Ruling::Contradiction(_, later) => {
            let effort = Effort { stuck: Some(later), deepest: 0, ..effort };
            Found { answer: Answer::Illegal, effort, deepest: Vec::new() }
        }
        versions::Ruling::Open => explore(spec, start, entries, budget),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A register: `w3` writes, `r3` reads.
    struct Register;

    impl Spec for Register {
        type State = u8;
        type Op = (char, u8);

        fn step(&self, state: &u8, (what, value): &(char, u8), next: &mut Vec<u8>) {
            match what {
                'w' => next.push(*value),
                _ if value == state => next.push(*state),
                _ => {}
            }
        }

        fn only_observes(&self, (what, _): &(char, u8)) -> bool {
            *what == 'r'
        }
    }

    /// Reads a diagram: one line a client, `w3[` opens, `]` closes, `>` stays open for ever.
    fn diagram(lines: &[&str]) -> Vec<Entry<(char, u8)>> {
        let mut entries = Vec::new();
        for line in lines {
            let bytes = line.as_bytes();
            for (at, _) in line.match_indices('[') {
                let end = at + line[at..].find([']', '>']).unwrap();
                entries.push(Entry {
                    op: (char::from(bytes[at - 2]), bytes[at - 1] - b'0'),
                    opened: Stamp::from_nanos(at as u64),
                    closed: (bytes[end] == b']').then(|| Stamp::from_nanos(end as u64)),
                    optional: bytes[end] == b'>',
                    after: None,
                });
            }
        }
        entries
    }

    fn answer(lines: &[&str]) -> Answer {
        search(&Register, &0, &diagram(lines), 10_000)
    }

    #[test]
    fn a_read_after_a_write_sees_it() {
        assert!(matches!(answer(&["w1[  ]", "        r1[ ]"]), Answer::Legal(_)));
        assert_eq!(answer(&["w1[  ]", "        r0[ ]"]), Answer::Illegal);
    }

    #[test]
    fn a_read_that_overlaps_a_write_may_see_either_value() {
        assert!(matches!(answer(&["w1[     ]", "   r0[ ]"]), Answer::Legal(_)));
        assert!(matches!(answer(&["w1[     ]", "   r1[ ]"]), Answer::Legal(_)));
    }

    #[test]
    fn a_value_once_seen_cannot_be_unseen() {
        let new_then_old = ["w1[                ]", "   r1[ ]  r0[ ]"];
        assert_eq!(answer(&new_then_old), Answer::Illegal);
    }

    #[test]
    fn a_timed_out_write_may_still_be_observed() {
        assert!(matches!(answer(&["w1[ >", "         r0[ ]  r1[ ]"]), Answer::Legal(_)));
        assert!(matches!(answer(&["w1[ >", "         r0[ ]  r0[ ]"]), Answer::Legal(_)));
    }

    #[test]
    fn a_timed_out_write_takes_effect_once_at_most() {
        assert_eq!(answer(&["w1[ >", "     w2[ ]  r1[ ]", "                  r2[ ]"]), Answer::Illegal);
    }

    #[test]
    fn a_timed_out_write_cannot_explain_a_read_before_it_began() {
        assert_eq!(answer(&["       w1[ >", "r1[ ]"]), Answer::Illegal);
    }

    #[test]
    fn a_search_without_budget_gives_up_instead_of_guessing() {
        assert_eq!(search(&Register, &0, &diagram(&["w1[  ]", "        r0[ ]"]), 1), Answer::GaveUp);
    }

    /// All orders of all subsets that keep the required ones: slow and obvious.
    fn brute_force(state: u8, entries: &[Entry<(char, u8)>], left: &[usize]) -> bool {
        if left.iter().all(|index| entries[*index].optional) {
            return true;
        }
        (0..left.len()).any(|position| {
            let index = left[position];
            let preceded = left.iter().any(|other| {
                !entries[*other].optional && entries[*other].closed.is_some_and(|close| close < entries[index].opened)
            });
            let mut next = Vec::new();
            Register.step(&state, &entries[index].op, &mut next);
            !preceded
                && next.iter().any(|after| {
                    let mut rest = left.to_vec();
                    rest.remove(position);
                    brute_force(*after, entries, &rest)
                })
        })
    }

    #[test]
    fn the_search_agrees_with_brute_force_on_random_small_histories() {
        let mut dice = fastrand::Rng::with_seed(20_260_101);
        let (mut legal, mut illegal) = (0, 0);
        for _ in 0..20_000 {
            let entries: Vec<Entry<(char, u8)>> = (0..dice.usize(1..7))
                .map(|_| {
                    let opened = dice.u64(0..20);
                    let open_ended = dice.u8(0..5) == 0;
                    Entry {
                        op: (if dice.bool() { 'w' } else { 'r' }, dice.u8(0..3)),
                        opened: Stamp::from_nanos(opened),
                        closed: (!open_ended).then(|| Stamp::from_nanos(opened + dice.u64(0..8))),
                        optional: open_ended,
                        after: None,
                    }
                })
                .collect();
            let found = search(&Register, &0, &entries, 1_000_000);
            let expected = brute_force(0, &entries, &(0..entries.len()).collect::<Vec<_>>());
            let mut shown = String::new();
            for entry in &entries {
                let _ = writeln!(shown, "{entry:?}");
            }
            assert_eq!(matches!(found, Answer::Legal(_)), expected, "{shown}");
            if expected { legal += 1 } else { illegal += 1 }
        }
        assert!(legal > 2_000 && illegal > 2_000, "{legal} legal and {illegal} illegal: too lopsided to prove much");
    }
}
