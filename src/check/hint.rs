//! In which order a round's operations were done, as far as their replies hint at it: for rounds of many contenders, in
//! which a search might lose itself.
//!
//! *Registers.* Values are written once each, so a write and the reads of its value stand together. Where a value's
//! operations do not all overlap, it was there from the first end to the last opening of them; where they do, at one moment
//! in between. Standing at those moments, they keep out of each other's way if any order does (Gibbons and Korach 1997).
//!
//! *Counters.* Whose reply shows the number that is nearest goes first.
//!
//! Hints decide nothing: an order that comes of them is held against the specification like any other.

use super::encode::Encoded;
use super::linear::suggest::suggest;
use super::linear::{Answer, Entry};
use super::lower::number;
use crate::api::{Family, Model, StateIx};
use crate::clock::Stamp;
use crate::spec::Spec;
use crate::spec::lifecycle::{Lifecycle, Op, State};

/// A register's state without a value.
const ABSENT: StateIx = StateIx(0);

/// Whether such hints are looked for.
pub(super) const fn has_any(model: &Model) -> bool {
    matches!(model.family, Family::Register | Family::Counter(_))
}

/// A legal order that the replies hint at.
pub(super) fn order(spec: &Lifecycle<'_>, encoded: &Encoded) -> Option<Answer> {
    let Encoded { start, entries, .. } = encoded;
    let order = match spec.model.family {
        Family::Lifecycle | Family::Effects => None,
        Family::Register => {
            let hints = RegisterHints::of(spec, start.at, entries);
            suggest(spec, start, entries, |now, is_done, index| hints.urgency(now, is_done, index))
        }
        Family::Counter(_) => {
            let hints = CounterHints::of(spec.model, entries);
            suggest(spec, start, entries, |now, _, index| Some(hints.urgency(now, &entries[index], index)))
        }
    };
    order.map(Answer::Legal)
}

/// What a counter's replies hint at.
struct CounterHints {
    /// The number of each state.
    numbers: Vec<Option<i64>>,
    /// The state that each operation's reply shows.
    shown: Vec<Option<StateIx>>,
}

impl CounterHints {
    fn of(model: &Model, entries: &[Entry<Op>]) -> Self {
        let shown = (0..entries.len()).map(|index| shows(entries, index)).collect();
        Self { numbers: model.states.iter().map(number).collect(), shown }
    }

    /// First what shows the next number, then what shows none and may go anywhere, then what shows one far off.
    fn urgency(&self, now: &State, entry: &Entry<Op>, index: usize) -> (bool, u8, Option<u64>, Option<Stamp>) {
        let number = |state: StateIx| self.numbers[usize::from(state.0)];
        let far =
            |shown: StateIx| number(shown).zip(number(now.at)).map_or(u64::MAX, |(one, other)| one.abs_diff(other));
        let distance = self.shown[index].map(far);
        let class = match distance {
            Some(0 | 1) => 0,
            None => 1,
            Some(_) => 2,
        };
        (entry.optional, class, distance, entry.closed)
    }
}

/// What a register's replies hint at.
struct RegisterHints<'a> {
    entries: &'a [Entry<Op>],
    /// Which operations only observe.
    observes: Vec<bool>,
    /// The state that each operation is about.
    places: Vec<Option<usize>>,
    /// For each state: from when on it was there, ...
    moments: Vec<Option<Stamp>>,
    /// ... the version that it was shown as, ...
    versions: Vec<Option<u64>>,
    /// ... and the writes that were answered with it: it is not to go before they are done.
    waiting: Vec<Vec<usize>>,
    /// The version that was read for the answer to each write.
    deadlines: Vec<Option<u64>>,
    /// Whether the first write makes a second version.
    starts_with_a_value: bool,
}

impl<'a> RegisterHints<'a> {
    fn of(spec: &Lifecycle<'_>, start: StateIx, entries: &'a [Entry<Op>]) -> Self {
        let states = spec.model.states.len();
        let places: Vec<Option<usize>> =
            entries.iter().map(|entry| place(spec.model, &entry.op).map(|place| usize::from(place.0))).collect();
        let mut versions = vec![None; states];
        let mut waiting = vec![Vec::new(); states];
        let mut deadlines = vec![None; entries.len()];
        for (entry, place) in entries.iter().zip(&places) {
            let (Op::Read(seen) | Op::Apply { seen, .. }) = &entry.op else { continue };
            if let Some(state) = seen.state.filter(|_| seen.version.is_some()) {
                versions[usize::from(state.0)] = seen.version;
            }
            if let Some(write) = entry.after {
                deadlines[write] = seen.version;
                waiting[place.unwrap_or_default()].extend(place.map(|_| write));
            }
        }
        Self {
            entries,
            observes: entries.iter().map(|entry| spec.only_observes(&entry.op)).collect(),
            moments: moments(states, usize::from(start.0), entries, &places),
            places,
            versions,
            waiting,
            deadlines,
            starts_with_a_value: start != ABSENT,
        }
    }

    /// Where versions are told: first what makes the next one, then what may have made any, as long as any is missing; and of
    /// these first what was certainly done. Where they are not: what was there first.
    fn urgency(&self, now: &State, is_done: &[bool], index: usize) -> Option<(u8, u64, Option<Stamp>, Option<Stamp>)> {
        let entry = &self.entries[index];
        let place = self.places[index];
        let version = place.and_then(|place| self.versions[place]);
        let moment = place.and_then(|place| self.moments[place]);
        let current = self.version(now, is_done);
        let is_filler = entry.optional && moment.is_none();
        let waits = |place: usize| self.waiting[place].iter().any(|other| *other != index && !is_done[*other]);
        let class = match (version.zip(current), is_filler) {
            _ if place.is_some_and(waits) => 4,
            (Some((version, now)), _) if version > now + 1 => 3,
            (Some(_), _) => 0,
            (None, false) => 1,
            (None, true) if current.is_some() => 2,
            (None, true) => return None,
        };
        // Of many alike, that which must go soonest: by the version that its answer shows, or by its end.
        let is_one_of_many = class == 1 && current.is_some();
        let latest = if is_one_of_many { self.deadlines[index] } else { version.filter(|_| class >= 3) };
        let moment = moment.filter(|_| !is_one_of_many);
        Some((class, latest.unwrap_or(u64::MAX), moment, entry.closed))
    }

    /// The version now, where any is told. Before the first is, the changes are counted: most often the first value is version 1.
    fn version(&self, now: &State, is_done: &[bool]) -> Option<u64> {
        let is_change = |index: &usize| is_done[*index] && !self.observes[*index];
        let counted = || {
            let changes = (0..is_done.len()).filter(is_change).count();
            u64::from(self.starts_with_a_value) + changes as u64
        };
        self.versions.iter().any(Option::is_some).then(|| now.version.unwrap_or_else(counted))
    }
}

/// The state that an operation, or the reading of its answer that follows it, shows.
fn shows(entries: &[Entry<Op>], index: usize) -> Option<StateIx> {
    let own = match &entries[index].op {
        Op::Read(seen) | Op::Apply { seen, .. } => seen.state,
        Op::Replay { .. } | Op::Stale { .. } | Op::Refused { .. } => None,
    };
    let follower = || entries.iter().find(|entry| entry.after == Some(index));
    own.or_else(|| match follower().map(|entry| &entry.op) {
        Some(Op::Read(seen)) => seen.state,
        _ => None,
    })
}

/// The state that an operation is about: the one that an action leads to, or a read shows.
fn place(model: &Model, op: &Op) -> Option<StateIx> {
    match op {
        Op::Read(seen) => seen.state,
        Op::Apply { action, seen, .. } => {
            let mut steps = model.actions[*action].transitions.iter();
            let first = steps.next()?.to;
            steps.all(|step| step.to == first).then_some(first).or(seen.state)
        }
        Op::Replay { .. } | Op::Stale { .. } | Op::Refused { .. } => None,
    }
}

/// The moment from which on each state was there; nothing for what was never shown and may not have been.
fn moments(states: usize, start: usize, entries: &[Entry<Op>], places: &[Option<usize>]) -> Vec<Option<Stamp>> {
    let mut first_end: Vec<Option<Stamp>> = vec![None; states];
    let mut last_opening: Vec<Option<Stamp>> = vec![None; states];
    for (entry, place) in entries.iter().zip(places) {
        let Some(place) = *place else { continue };
        if let Some(closed) = entry.closed.filter(|_| !entry.optional) {
            first_end[place] = Some(first_end[place].map_or(closed, |end| end.min(closed)));
            last_opening[place] = last_opening[place].max(Some(entry.opened));
        }
    }
    // It was there before anything else.
    first_end[start] = Some(Stamp::from_nanos(0));
    let spans: Vec<(Stamp, Stamp)> =
        first_end.iter().zip(&last_opening).filter_map(|(end, opening)| Some(((*end)?, (*opening)?))).collect();
    let standing: Vec<&(Stamp, Stamp)> = spans.iter().filter(|(from, until)| from < until).collect();
    let moment = |(end, opening): (&Option<Stamp>, &Option<Stamp>)| {
        let (end, opening) = ((*end)?, opening.unwrap_or(Stamp::from_nanos(0)));
        if end < opening {
            return Some(end);
        }
        // It was there for a moment: not while another is known to have been.
        let over = standing.iter().find(|(from, until)| *from <= opening && opening < *until);
        Some(over.map_or(opening, |(_, until)| (*until).min(end)))
    };
    first_end.iter().zip(&last_opening).map(moment).collect()
}
