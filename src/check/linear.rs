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
//! *Taking observations at once is safe.* If an operation that only observes may go next and agrees with the state as
//! it is, it is taken without trying anything else. In any legal order that has it later, moving it here changes no
//! state that another operation meets (it changes none anywhere), breaks no real-time edge (everything that had to
//! precede it has been taken), and leaves at most less known to those that followed it, which forbids them nothing.
//! The same is *not* true of an operation that merely happens to change nothing here, such as writing the value that
//! is there already: later it may be what restores that value.

use std::collections::HashSet;

use crate::clock::Stamp;
use crate::spec::Spec;

/// An operation for the search.
#[derive(Debug, Clone)]
pub struct Entry<Op> {
    /// What it did.
    pub op: Op,
    /// Start of its window.
    pub opened: Stamp,
    /// End of its window; `None` is open for ever.
    pub closed: Option<Stamp>,
    /// Whether it may be left out (its outcome is Unknown).
    pub optional: bool,
    /// The entry that must come before it, if one must.
    pub after: Option<usize>,
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

/// Searches for a legal order of `entries` from `start`, taking at most `budget` steps.
pub fn search<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], budget: u64) -> Answer {
    let mut search = Search {
        spec,
        entries,
        done: vec![0; entries.len().div_ceil(64)],
        order: Vec::new(),
        visited: HashSet::new(),
        steps_left: budget,
    };
    match search.explore(start) {
        Some(true) => Answer::Legal(search.order),
        Some(false) => Answer::Illegal,
        None => Answer::GaveUp,
    }
}

struct Search<'a, S: Spec> {
    spec: &'a S,
    entries: &'a [Entry<S::Op>],
    done: Vec<u64>,
    order: Vec<usize>,
    visited: HashSet<(Vec<u64>, S::State)>,
    steps_left: u64,
}

impl<S: Spec> Search<'_, S> {
    /// Whether the operations not yet done can be ordered from `state` on; `None` if the budget ran out.
    fn explore(&mut self, state: &S::State) -> Option<bool> {
        let mark = self.order.len();
        self.take_observations(state)?;
        if (0..self.entries.len()).all(|index| self.is_done(index) || self.entries[index].optional) {
            return Some(true);
        }
        if self.visited.insert((self.done.clone(), state.clone())) {
            for index in self.candidates() {
                self.steps_left = self.steps_left.checked_sub(1)?;
                let mut next = Vec::new();
                self.spec.step(state, &self.entries[index].op, &mut next);
                for after in &next {
                    self.take(index);
                    if self.explore(after)? {
                        return Some(true);
                    }
                    self.undo_to(self.order.len() - 1);
                }
            }
        }
        self.undo_to(mark);
        Some(false)
    }

    /// Takes what may go next and only observes, until there is no more of it.
    fn take_observations(&mut self, state: &S::State) -> Option<()> {
        let mut next = Vec::new();
        loop {
            let before = self.order.len();
            for index in self.candidates() {
                let entry = &self.entries[index];
                if entry.optional || !self.spec.only_observes(&entry.op) {
                    continue;
                }
                self.steps_left = self.steps_left.checked_sub(1)?;
                next.clear();
                self.spec.step(state, &self.entries[index].op, &mut next);
                if !next.is_empty() && next.iter().all(|after| after == state) {
                    self.take(index);
                }
            }
            if self.order.len() == before {
                return Some(());
            }
        }
    }

    /// The operations that may go next: none that must precede them is still to come.
    fn candidates(&self) -> Vec<usize> {
        let open = |index: &usize| !self.is_done(*index);
        let first_close = (0..self.entries.len())
            .filter(open)
            .filter(|index| !self.entries[*index].optional)
            .filter_map(|index| self.entries[index].closed)
            .min();
        (0..self.entries.len())
            .filter(open)
            .filter(|index| first_close.is_none_or(|close| self.entries[*index].opened <= close))
            .filter(|index| self.entries[*index].after.is_none_or(|earlier| self.is_done(earlier)))
            .collect()
    }

    fn is_done(&self, index: usize) -> bool {
        self.done[index / 64] & (1 << (index % 64)) != 0
    }

    fn take(&mut self, index: usize) {
        self.done[index / 64] |= 1 << (index % 64);
        self.order.push(index);
    }

    fn undo_to(&mut self, length: usize) {
        for index in self.order.drain(length..) {
            self.done[index / 64] &= !(1 << (index % 64));
        }
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
