//! The order of operations as their replies tell it: near-linear where the search might not be.
//!
//! A [`Versioned`] specification promises that versions never fall along a legal order, and that a reply which tells a
//! version is legal only where that version is left behind. Two conclusions follow, and no others are drawn:
//!
//! - *Contradiction.* `a` was over before `b` began, and `a` tells a higher version than `b`. Any legal order has `a`
//!   before `b`, hence `b` at a version as high at least as `a`'s; `b` is not legal there. So no order is legal, whatever
//!   else was done, known or unknown. Lying versions change nothing about this: the specification says what versions
//!   must be, and a server that tells others has broken it.
//! - *Legal.* The order that the versions suggest is tried like any other: step by step against the specification, and
//!   as a whole against real time. If it passes it is a legal order; how it was come by does not matter.
//!
//! If neither holds (replies are missing, two claim one version, a suggestion fails) nothing is said, and the search
//! decides.
//!
//! ```text
//! made 1 |----|            at 3 |-------|        versions  1      2          3
//!            made 2 |-------|                    order     made 1, made 2, made 3, at 3
//!                      made 3 |---|              anywhere  as soon as time and specification allow
//! ```

use super::Entry;
use crate::clock::Stamp;
use crate::spec::{Place, Versioned};

/// What the versions say of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// This order is legal.
    Legal(Vec<usize>),
    /// No order is: the first entry was over before the second began, and tells a higher version.
    Contradiction(usize, usize),
    /// Neither can be told from versions alone.
    Open,
}

/// Asks the versions.
pub fn check<S: Versioned>(spec: &S, start: &S::State, entries: &[Entry<S::Op>]) -> Ruling {
    let mut told: Vec<Told> = Vec::new();
    let mut anywhere: Vec<usize> = Vec::new();
    let mut unknown: Vec<usize> = Vec::new();
    let mut is_open = false;
    for (index, entry) in entries.iter().enumerate() {
        is_open |= entry.after.is_some();
        if entry.optional {
            unknown.push(index);
            continue;
        }
        match spec.place(&entry.op) {
            Place::Made(version) => told.push(Told { version, is_read: false, opened: entry.opened, index }),
            Place::At(version) => told.push(Told { version, is_read: true, opened: entry.opened, index }),
            Place::Anywhere => anywhere.push(index),
            Place::Untold => is_open = true,
        }
    }
    if told.is_empty() {
        return Ruling::Open;
    }
    if let Some((earlier, later)) = contradiction(entries, &told) {
        return Ruling::Contradiction(earlier, later);
    }
    if is_open {
        return Ruling::Open;
    }
    told.sort_unstable();
    anywhere.sort_by_key(|index| entries[*index].opened);
    unknown.sort_by_key(|index| entries[*index].opened);
    let steps_left = 64 * entries.len() as u64;
    let suggestion =
        Suggestion { spec, entries, state: start.clone(), order: Vec::new(), next: Vec::new(), steps_left };
    match suggestion.build(&told, &anywhere, unknown) {
        Some(order) if keeps_real_time(entries, &order) => Ruling::Legal(order),
        Some(_) | None => Ruling::Open,
    }
}

/// An operation whose reply tells its version. Ordered as the versions suggest: what made a version before what saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    version: u64,
    is_read: bool,
    opened: Stamp,
    index: usize,
}

/// Two of which the first was over before the second began, and tells a higher version.
fn contradiction<Op>(entries: &[Entry<Op>], told: &[Told]) -> Option<(usize, usize)> {
    let mut by_opening: Vec<&Told> = told.iter().collect();
    by_opening.sort_by_key(|one| one.opened);
    let mut by_end: Vec<(Stamp, &Told)> =
        told.iter().filter_map(|one| Some((entries[one.index].closed?, one))).collect();
    by_end.sort_by_key(|(closed, _)| *closed);
    let mut over = by_end.into_iter().peekable();
    let mut highest: Option<&Told> = None;
    for later in by_opening {
        while let Some((_, earlier)) = over.next_if(|(closed, _)| *closed < later.opened) {
            if highest.is_none_or(|known| known.version < earlier.version) {
                highest = Some(earlier);
            }
        }
        if let Some(earlier) = highest.filter(|earlier| earlier.version > later.version) {
            return Some((earlier.index, later.index));
        }
    }
    None
}

/// Whether no operation stands behind one that began after it was over.
fn keeps_real_time<Op>(entries: &[Entry<Op>], order: &[usize]) -> bool {
    let mut latest = None;
    order.iter().all(|index| {
        let entry = &entries[*index];
        latest = latest.max(Some(entry.opened));
        let is_late = !entry.optional && entry.closed.is_some_and(|closed| Some(closed) < latest);
        !is_late
    })
}

/// An order as it is put together.
struct Suggestion<'a, S: Versioned> {
    spec: &'a S,
    entries: &'a [Entry<S::Op>],
    state: S::State,
    order: Vec<usize>,
    next: Vec<S::State>,
    steps_left: u64,
}

impl<S: Versioned> Suggestion<'_, S> {
    /// What the versions tell in its order; what may stand anywhere as soon as it can; and where a version was made by
    /// none that tells of it, an unknown operation that could have.
    fn build(mut self, told: &[Told], anywhere: &[usize], mut unknown: Vec<usize>) -> Option<Vec<usize>> {
        let mut first_end_from: Vec<Option<Stamp>> = vec![None; told.len() + 1];
        for (place, one) in told.iter().enumerate().rev() {
            let own = self.entries[one.index].closed;
            let rest = first_end_from[place + 1];
            first_end_from[place] = own.into_iter().chain(rest).min();
        }
        let mut coming = anywhere.iter().copied().peekable();
        let mut waiting: Vec<usize> = Vec::new();
        for (place, one) in told.iter().enumerate() {
            // What begins only after one of those still to come has ended must come after it.
            let horizon = first_end_from[place];
            while let Some(index) = coming.next_if(|index| horizon.is_none_or(|end| self.entries[*index].opened <= end))
            {
                waiting.push(index);
            }
            self.place_waiting(&mut waiting)?;
            let before = if one.is_read { one.version } else { one.version.saturating_sub(1) };
            while self.spec.version(&self.state).is_some_and(|version| version < before) {
                self.fill_gap(&mut unknown, horizon, before, one.index)?;
                self.place_waiting(&mut waiting)?;
            }
            if !self.take(one.index)? {
                return None;
            }
        }
        waiting.extend(coming);
        self.place_waiting(&mut waiting)?;
        waiting.is_empty().then_some(self.order)
    }

    /// Takes `index` if it is legal here. `None` if too much was tried.
    fn take(&mut self, index: usize) -> Option<bool> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        self.next.clear();
        self.spec.step(&self.state, &self.entries[index].op, &mut self.next);
        let Some(after) = self.next.drain(..).next() else { return Some(false) };
        self.state = after;
        self.order.push(index);
        Some(true)
    }

    fn is_legal(&mut self, index: usize) -> bool {
        self.next.clear();
        self.spec.step(&self.state, &self.entries[index].op, &mut self.next);
        !self.next.is_empty()
    }

    fn place_waiting(&mut self, waiting: &mut Vec<usize>) -> Option<()> {
        let mut kept = 0;
        for place in 0..waiting.len() {
            let index = waiting[place];
            if !self.take(index)? {
                waiting[kept] = index;
                kept += 1;
            }
        }
        waiting.truncate(kept);
        Some(())
    }

    /// Lets the first unknown operation that can, make the next version. If that is version `last`, `then` must be legal
    /// after it.
    fn fill_gap(&mut self, unknown: &mut Vec<usize>, horizon: Option<Stamp>, last: u64, then: usize) -> Option<()> {
        let before = self.spec.version(&self.state);
        for place in 0..unknown.len() {
            let index = unknown[place];
            if horizon.is_some_and(|end| self.entries[index].opened > end) {
                return None;
            }
            let kept = self.state.clone();
            if self.take(index)? {
                let made = self.spec.version(&self.state);
                if made > before && (made < Some(last) || self.is_legal(then)) {
                    unknown.remove(place);
                    return Some(());
                }
                self.order.pop();
                self.state = kept;
            }
        }
        None
    }
}
