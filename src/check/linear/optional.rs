//! What can be told before the search begins: which operations are alike, and which optional ones may matter to one another.

use super::Entry;
use crate::spec::Spec;

/// For each optional entry the one that does the same and was opened just before it. What others must follow, or must
/// itself follow another, is like nothing else.
pub(super) fn equals<Op: PartialEq>(entries: &[Entry<Op>], needed: &[bool]) -> Vec<Option<u32>> {
    /// Looked back at so many: enough to find most equals, and no square of a long history.
    const FAR: usize = 256;
    let mut free: Vec<usize> = (0..entries.len())
        .filter(|index| entries[*index].optional && entries[*index].after.is_none() && !needed[*index])
        .collect();
    free.sort_by_key(|index| entries[*index].opened);
    let mut before = vec![None; entries.len()];
    for (place, index) in free.iter().enumerate() {
        let mut earlier = free[place.saturating_sub(FAR)..place].iter().rev();
        let equal = earlier.find(|other| entries[**other].op == entries[*index].op);
        before[*index] = equal.map(|other| u32::try_from(*other).expect("a history has fewer than 2^32 operations"));
    }
    before
}

/// For each required entry that others do the same as, the number of their kind. What others must follow, or must itself
/// follow another, is like nothing else; and what only observes is taken at once anyway.
pub(super) fn alike<S: Spec>(spec: &S, entries: &[Entry<S::Op>], needed: &[bool]) -> Vec<Option<u32>> {
    /// Of more than this none is taken for alike: asking would take the square of their number.
    const MOST: usize = 512;
    let mut kinds: Vec<(usize, Vec<usize>)> = Vec::new();
    let is_free = |index: &usize| {
        let entry = &entries[*index];
        !entry.optional && entry.closed.is_some() && entry.after.is_none() && !needed[*index]
    };
    for index in (0..entries.len()).filter(|_| entries.len() <= MOST).filter(is_free) {
        let op = &entries[index].op;
        if spec.only_observes(op) {
            continue;
        }
        match kinds.iter_mut().find(|(first, _)| entries[*first].op == *op) {
            Some((_, own)) => own.push(index),
            None => kinds.push((index, vec![index])),
        }
    }
    let mut alike = vec![None; entries.len()];
    for (number, (_, own)) in (0..).zip(kinds).filter(|(_, (_, own))| own.len() > 1) {
        for index in own {
            alike[index] = Some(number);
        }
    }
    alike
}

/// Which optional entries may help another optional one, or must precede any.
pub(super) fn helpers<S: Spec>(spec: &S, entries: &[Entry<S::Op>], needed: &[bool]) -> Vec<bool> {
    /// Of more than this every one is taken for a helper: asking would take the square of their number.
    const MOST: usize = 4_096;
    let optional: Vec<usize> = (0..entries.len()).filter(|index| entries[*index].optional).collect();
    let mut helps = vec![false; entries.len()];
    for index in &optional {
        let may_help = |other: &usize| other != index && spec.may_help(&entries[*index].op, &entries[*other].op);
        helps[*index] = needed[*index] || optional.len() > MOST || optional.iter().any(may_help);
    }
    helps
}
