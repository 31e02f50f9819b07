//! An order that is likely to be legal, tried before any search.
//!
//! Where many requests are under way at once and their replies say little, a search may look at more orders than there is
//! time for, and still the round is plain: the reads say which write came last. So who knows what the replies mean says how
//! urgent each operation is, and the most urgent that may go next, and is legal, goes next. An order that is legal step by
//! step and keeps real time is a legal order; how it was come by does not matter. If it ends nowhere, nothing is said.

use super::Entry;
use crate::clock::Stamp;
use crate::spec::Spec;

/// Puts `entries` in order by `urgency`, the smallest first, asked anew in each state with what is done by then; `None` is
/// never. `None` if that leads nowhere.
pub fn suggest<S: Spec, U: Ord>(
    spec: &S,
    start: &S::State,
    entries: &[Entry<S::Op>],
    urgency: impl Fn(&S::State, &[bool], usize) -> Option<U>,
) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = (0..entries.len()).collect();
    let (mut state, mut order, mut next) = (start.clone(), Vec::new(), Vec::new());
    let mut is_done = vec![false; entries.len()];
    while left.iter().any(|index| !entries[*index].optional) {
        // What began after the first of these ends had come must come after it.
        let horizon = left.iter().filter_map(|index| end(&entries[*index])).min();
        let may_go = |index: &usize| {
            let entry = &entries[*index];
            horizon.is_none_or(|end| entry.opened <= end) && entry.after.is_none_or(|earlier| is_done[earlier])
        };
        let mut lead = |state: &S::State, index: usize| {
            next.clear();
            spec.step(state, &entries[index].op, &mut next);
            next.drain(..).next()
        };
        let observed = left
            .iter()
            .copied()
            .filter(may_go)
            .find(|index| spec.only_observes(&entries[*index].op) && lead(&state, *index).as_ref() == Some(&state));
        let (chosen, after) = if let Some(index) = observed {
            (index, state.clone())
        } else {
            let urgent = |index: usize| Some((urgency(&state, &is_done, index)?, index));
            let mut able: Vec<(U, usize)> = left.iter().copied().filter(may_go).filter_map(urgent).collect();
            able.sort_unstable();
            able.into_iter().find_map(|(_, index)| Some((index, lead(&state, index)?)))?
        };
        state = after;
        is_done[chosen] = true;
        order.push(chosen);
        left.retain(|index| *index != chosen);
    }
    Some(order)
}

fn end<Op>(entry: &Entry<Op>) -> Option<Stamp> {
    entry.closed.filter(|_| !entry.optional).map(|closed| closed.max(entry.opened))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::register::{Op, Register, State};

    #[test]
    fn the_most_urgent_that_may_go_and_is_legal_goes_next() {
        let entries = [
            Entry::closed(Op::write(1), 0, 10),
            Entry::closed(Op::write(2), 0, 10),
            Entry::closed(Op::write(3), 20, 30),
            Entry::closed(Op::read(Some(1)), 12, 15),
            Entry::unknown(Op::write(4), 0),
        ];
        let later_first = |_: &State, _: &[bool], index: usize| (index < 4).then_some(std::cmp::Reverse(index));
        let order = suggest(&Register::PLAIN, &State::default(), &entries, later_first).unwrap();
        assert_eq!(order, [1, 0, 3, 2]);
        let in_turn = |_: &State, _: &[bool], index: usize| Some(index);
        assert_eq!(suggest(&Register::PLAIN, &State::default(), &entries[..4], in_turn), None);
    }
}
