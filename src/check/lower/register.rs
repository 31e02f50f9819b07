//! A register's round: a state for each value that was written, and one for none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::torn::torn;
use super::{Lowered, Unjudged, creation, early_reads, reply_mut, shown};
use crate::api::{ActionModel, Leaves, Model, Needs, StateIx, Transition, Write};
use crate::check::evidence::whose;
use crate::check::round::{Round, is_refused};
use crate::history::{Meaning, Operation, Verb};
use crate::text::{harmless, short};

/// The state of what was created with a value that nothing shows.
const UNSHOWN: &str = "what it held at first";
/// More writes than this in one round are not made states of.
const MOST: usize = 1_024;

/// The round in values.
pub(super) fn lower(round: Round<'_>) -> Result<Lowered, Unjudged> {
    let start = start(round)?;
    let values = Values::of(round, &start)?;
    let mut operations = round.operations.to_vec();
    let is_removed = removes(round).next().is_some();
    for operation in &mut operations {
        tell_in_values(operation, round.model, &values.absent, is_removed);
    }
    let strangers = shown(&operations).filter(|(_, value)| values.state(value).is_none());
    if let Some((operation, value)) = strangers.into_iter().next() {
        let why = format!(
            "{} showed `{}`, which nobody in the round wrote: someone else did, or the server changes what it is given",
            whose(operation),
            harmless(value, 60),
        );
        let found = shown(&operations).find_map(|(operation, value)| torn(operation, value, &values.written));
        return Err(Unjudged { why, found: found.into_iter().collect() });
    }
    let mut model = Model {
        states: values.names.clone(),
        initial: values.state(&start).expect("the start is a state"),
        actions: Vec::new(),
        terminal: Vec::new(),
        // What is made anew begins its versions anew.
        versioned: round.model.versioned && !is_removed,
        ..round.model.clone()
    };
    name_writes(round, &values, &mut model, &mut operations);
    Ok(Lowered { model, operations })
}

/// What the register holds at first.
fn start(round: Round<'_>) -> Result<Arc<str>, String> {
    let Some((creation, reply)) = creation(round)? else {
        return Ok(round.held_at_first()?.unwrap_or_else(|| absent(round)));
    };
    let read = || early_reads(round).find_map(|reply| reply.state.clone());
    let value = creation.call.value.clone().or_else(|| reply.state.clone()).or_else(read);
    Ok(value.unwrap_or_else(|| UNSHOWN.into()))
}

/// The name of the state without a value: one that no value has.
fn absent(round: Round<'_>) -> Arc<str> {
    let mut name = Model::ABSENT.to_owned();
    let is_a_value = |name: &str| {
        let written = round.operations.iter().filter_map(|one| one.call.value.as_deref());
        let shown = shown(round.operations).map(|(_, value)| &**value);
        written.chain(shown).any(|value| value == name)
    };
    while is_a_value(&name) {
        name.push('*');
    }
    name.into()
}

/// Removals that were or may have been done.
fn removes(round: Round<'_>) -> impl Iterator<Item = &Operation> {
    round.actions().filter(move |operation| {
        let write = write_of(round, operation);
        write.is_some_and(|write| write.leaves == Leaves::Nothing) && !is_refused(operation)
    })
}

fn write_of(round: Round<'_>, operation: &Operation) -> Option<Write> {
    operation.call.action().and_then(|name| round.model.action(name)).and_then(|action| action.write)
}

/// The values of a round, as states.
struct Values {
    absent: Arc<str>,
    /// State names: no value first, then every value.
    names: Vec<Arc<str>>,
    places: HashMap<Arc<str>, StateIx>,
    /// What was sent to be written, by what made the register too, each value once.
    written: Vec<Arc<str>>,
    /// States that may be found already by what leads to them.
    come_back: BTreeSet<StateIx>,
}

impl Values {
    fn of(round: Round<'_>, start: &Arc<str>) -> Result<Self, String> {
        let absent = absent(round);
        let mut values = Self {
            names: Vec::new(),
            places: HashMap::new(),
            written: Vec::new(),
            come_back: BTreeSet::new(),
            absent: Arc::clone(&absent),
        };
        values.add(&absent);
        let start = values.add(start);
        values.come_back.insert(start);
        // What it was made with was written as well; what a reply alone told of it need not have been.
        values.written.extend(creation(round)?.and_then(|(creation, _)| creation.call.value.clone()));
        for operation in round.actions() {
            let to = match write_of(round, operation).map(|write| write.leaves) {
                None => continue,
                Some(Leaves::Nothing) => Arc::clone(&absent),
                Some(Leaves::Value) => {
                    let unsaid = || format!("what {} was to write was not recorded", whose(operation));
                    operation.call.value.clone().ok_or_else(unsaid)?
                }
            };
            // Whatever leads there a second time may find it there.
            let is_known = values.places.contains_key(&to) && to != absent;
            let is_second_removal = to == absent && removes(round).nth(1).is_some();
            let state = values.add(&to);
            if is_known || is_second_removal {
                values.come_back.insert(state);
            }
            if to != absent && !values.written.contains(&to) {
                values.written.push(to);
            }
        }
        if values.names.len() > MOST {
            return Err(format!("more than {MOST} values are too many to look for an order of their writes"));
        }
        Ok(values)
    }

    fn add(&mut self, value: &Arc<str>) -> StateIx {
        let next = StateIx(u16::try_from(self.names.len()).unwrap_or(u16::MAX));
        *self.places.entry(Arc::clone(value)).or_insert_with(|| {
            self.names.push(Arc::clone(value));
            next
        })
    }

    fn state(&self, value: &Arc<str>) -> Option<StateIx> {
        self.places.get(value).copied()
    }

    /// Where a write of `to` may lead from. To where it is already only if that may be: a value is written once.
    fn steps(&self, needs: Needs, to: StateIx) -> impl Iterator<Item = Transition> {
        let all = (0..self.names.len()).map(|place| StateIx(u16::try_from(place).expect("no more than MOST")));
        all.filter(move |from| match needs {
            Needs::Anything => true,
            Needs::Present => from.0 != 0,
            Needs::Absent => from.0 == 0,
        })
        .filter(move |from| *from != to || self.come_back.contains(&to))
        .map(move |from| Transition { from, to })
    }
}

/// A reply in the words of values: what is not found is absent. What removes a value may show what it removed, and what is
/// made anew has versions of its own; neither tells anything here.
fn tell_in_values(operation: &mut Operation, model: &Model, absent: &Arc<str>, is_removed: bool) {
    let leaves = operation.call.action().and_then(|name| model.action(name)).and_then(|action| action.write);
    let removes = leaves.is_some_and(|write| write.leaves == Leaves::Nothing);
    let is_read = operation.call.verb == Verb::Read;
    let Some(reply) = reply_mut(operation) else { return };
    if is_removed {
        reply.version = None;
    }
    if reply.meaning.is_refusal() {
        reply.state = None;
    }
    let is_absent = is_read && reply.meaning == Meaning::NotFound;
    if removes || is_absent {
        (reply.state, reply.version, reply.token) = (None, None, None);
    }
    if is_absent {
        (reply.meaning, reply.state) = (Meaning::Applied, Some(Arc::clone(absent)));
    }
}

/// Makes an action of each write: of each value that an action was sent with. Requests with one key and several values stay
/// one action, which may have led to any of them: the key's answer is that of one of them.
fn name_writes(round: Round<'_>, values: &Values, model: &mut Model, operations: &mut [Operation]) {
    let mut sent_with: HashMap<(&str, &str), BTreeSet<StateIx>> = HashMap::new();
    let value_of = |operation: &Operation| operation.call.value.as_ref().and_then(|value| values.state(value));
    for operation in round.actions() {
        if let (Some(name), Some(key), Some(value)) =
            (operation.call.action(), &operation.call.key, value_of(operation))
        {
            sent_with.entry((name, key)).or_default().insert(value);
        }
    }
    let mut named: BTreeMap<(usize, BTreeSet<StateIx>), Arc<str>> = BTreeMap::new();
    for operation in operations.iter_mut() {
        let Some(name) = operation.call.action() else { continue };
        let Some(place) = round.model.actions.iter().position(|action| *action.name == *name) else { continue };
        let base = &round.model.actions[place];
        let writes_value = base.write.is_some_and(|write| write.leaves == Leaves::Value);
        let Some(value) = value_of(operation).filter(|_| writes_value) else { continue };
        let own = || BTreeSet::from([value]);
        let key = operation.call.key.as_deref();
        let to = key.and_then(|key| sent_with.get(&(name, key)).cloned()).unwrap_or_else(own);
        let action = named.entry((place, to)).or_insert_with_key(|(_, to)| {
            let name = name_of(base, to, values, model);
            model.actions.push(action(base, Arc::clone(&name), to.iter().copied(), values));
            name
        });
        operation.call.verb = Verb::Act(Arc::clone(action));
    }
    for base in &round.model.actions {
        let leaves = base.write.map(|write| write.leaves);
        match leaves {
            Some(Leaves::Value) => {}
            Some(Leaves::Nothing) => model.actions.push(action(base, Arc::clone(&base.name), [StateIx(0)], values)),
            None => model.actions.push(ActionModel { transitions: stays(values), ..base.clone() }),
        }
    }
    tell_events(round, values, &named, operations);
}

/// An action of the lowered machine, which leads to any of `to`.
fn action(base: &ActionModel, name: Arc<str>, to: impl IntoIterator<Item = StateIx>, values: &Values) -> ActionModel {
    let needs = base.write.map_or(Needs::Anything, |write| write.needs);
    let transitions = to.into_iter().flat_map(|to| values.steps(needs, to)).collect();
    ActionModel { name, transitions, ..base.clone() }
}

/// What does not write leaves everything as it is.
fn stays(values: &Values) -> Vec<Transition> {
    let all = values.places.values();
    all.map(|state| Transition { from: *state, to: *state }).collect()
}

/// ``replace with `v3` ``: short where that tells it from every other.
fn name_of(base: &ActionModel, to: &BTreeSet<StateIx>, values: &Values, model: &Model) -> Arc<str> {
    let told = |shorten: &dyn Fn(&str) -> String| {
        let words: Vec<String> =
            to.iter().map(|to| format!("`{}`", shorten(&values.names[usize::from(to.0)]))).collect();
        format!("{} with {}", base.name, words.join(" or "))
    };
    let is_free = |name: &String| model.action(name).is_none();
    let candidates = [told(&|value| harmless(&short(value), 40)), told(&|value| harmless(value, 200))];
    let numbered = || format!("{} ({})", candidates[0], model.actions.len() + 1);
    candidates.iter().find(|name| is_free(name)).cloned().unwrap_or_else(numbered).into()
}

/// Events tell of a write by its action and by what it left.
fn tell_events(
    round: Round<'_>,
    values: &Values,
    named: &BTreeMap<(usize, BTreeSet<StateIx>), Arc<str>>,
    operations: &mut [Operation],
) {
    let lists = operations.iter_mut().filter(|operation| operation.call.verb == Verb::ListEvents);
    for row in lists.filter_map(reply_mut).filter_map(|reply| reply.records.as_mut()).flatten() {
        let Some(to) = row.to.as_ref().and_then(|to| values.state(to)) else { continue };
        let place = (round.model.actions.iter()).position(|action| Some(&*action.name) == row.action.as_deref());
        let told = named.iter().find(|((of, leads), _)| Some(*of) == place && leads.contains(&to));
        row.action = told.map(|(_, name)| Arc::clone(name)).or_else(|| row.action.take());
    }
}
