//! A counter's round: a state for each number that it can have come to.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Lowered, Unjudged, creation, early_reads, is_done, reply_mut};
use crate::api::{ActionModel, Bounds, Model, StateIx, Transition};
use crate::check::oversell::oversold;
use crate::check::round::{Round, is_about_the_resource};
use crate::history::Operation;
use crate::text::harmless;

/// More numbers than this are not made states of. A race of equal takes has one for each contender.
const MOST: usize = 4_096;

/// The round in numbers.
pub(super) fn lower(round: Round<'_>, bounds: Bounds) -> Result<Lowered, Unjudged> {
    let mut operations = round.operations.to_vec();
    let mut told = BTreeSet::new();
    for operation in &mut operations {
        told.extend(tell_as_number(operation, &round.model.noun)?);
    }
    let start = start(Round { operations: &operations, ..round })?;
    let Some(reachable) = reachable(round, start, bounds) else {
        let mut unjudged = Unjudged::from(format!(
            "the {} may have come to more than {MOST} numbers, which are too many to look for an order of its changes",
            round.model.noun
        ));
        unjudged.found.extend(oversold(Round { operations: &operations, ..round }, start, bounds));
        return Err(unjudged);
    };
    // What was shown and cannot be is a state too, which nothing leads to: `sums` says what is wrong with it.
    let states: Vec<i64> = reachable.iter().copied().chain(told.difference(&reachable).copied()).collect();
    if states.len() > usize::from(u16::MAX) {
        return Err(format!("the {} was shown as too many numbers", round.model.noun).into());
    }
    let index = |number: i64| {
        let place = states.iter().position(|state| *state == number)?;
        Some(StateIx(u16::try_from(place).expect("looked at above")))
    };
    let actions = (round.model.actions.iter())
        .map(|action| ActionModel { transitions: steps(action, &reachable, bounds), ..action.clone() })
        .collect();
    let model = Model {
        states: states.iter().map(|number| number.to_string().into()).collect(),
        initial: index(start).expect("the start is reachable"),
        actions,
        terminal: Vec::new(),
        ..round.model.clone()
    };
    Ok(Lowered { model, operations })
}

/// Where an action leads: from each number to the one that it makes of it; within bounds, if it is of the contract (an older
/// API may keep to none). The numbers that can be come to are the first states, in order.
fn steps(action: &ActionModel, reachable: &BTreeSet<i64>, bounds: Bounds) -> Vec<Transition> {
    let adds = action.adds.unwrap_or(0);
    let numbers: Vec<i64> = reachable.iter().copied().collect();
    let lead = |(place, number): (usize, &i64)| {
        let to = number.checked_add(adds).filter(|to| action.is_aside || is_allowed(*to, adds, bounds))?;
        let ix = |place: usize| StateIx(u16::try_from(place).expect("no more than MOST"));
        Some(Transition { from: ix(place), to: ix(numbers.binary_search(&to).ok()?) })
    };
    numbers.iter().enumerate().filter_map(lead).collect()
}

/// Whether a change by `adds` may lead to `number`: what takes must leave the least, and what adds not exceed the most.
fn is_allowed(number: i64, adds: i64, bounds: Bounds) -> bool {
    let leaves_enough = adds >= 0 || bounds.least.is_none_or(|least| number >= least);
    let has_room = adds <= 0 || bounds.most.is_none_or(|most| number <= most);
    leaves_enough && has_room
}

/// The numbers that any of the round's changes, in any order, can have led to. A refused one may have been done all the
/// same: that is for the rules to say.
fn reachable(round: Round<'_>, start: i64, bounds: Bounds) -> Option<BTreeSet<i64>> {
    let mut numbers = BTreeSet::from([start]);
    for operation in round.actions() {
        let adds = operation.call.action().and_then(|name| round.model.action(name)).and_then(|action| action.adds);
        let more: Vec<i64> = numbers.iter().filter_map(|number| number.checked_add(adds.unwrap_or(0))).collect();
        numbers.extend(more);
        // Sums beyond the bounds are kept on the way: a change the other way may lead back.
        if numbers.len() > 4 * MOST {
            return None;
        }
    }
    // What is outside the contract may lead outside its bounds.
    if !round.has_asides() {
        let least = bounds.least.map_or(i64::MIN, |least| least.min(start));
        let most = bounds.most.map_or(i64::MAX, |most| most.max(start));
        numbers.retain(|number| (least..=most).contains(number));
    }
    (numbers.len() <= MOST).then_some(numbers)
}

/// What it held at first: what its creation was answered with, else what was read before anyone acted.
fn start(round: Round<'_>) -> Result<i64, String> {
    let created = creation(round)?.and_then(|(_, reply)| reply.state.as_ref());
    let read = || early_reads(round).filter_map(|reply| reply.state.as_ref()).last();
    let shown = created.or_else(read).and_then(number);
    shown.ok_or_else(|| format!("nothing shows what the {} held at first", round.model.noun))
}

/// Puts the number that a reply shows in its plain form; and returns it.
fn tell_as_number(operation: &mut Operation, noun: &str) -> Result<Option<i64>, String> {
    let is_picture = is_about_the_resource(operation) && operation.outcome.reply().is_some_and(is_done);
    let Some(reply) = reply_mut(operation) else { return Ok(None) };
    let Some(shown) = &reply.state else { return Ok(None) };
    match number(shown) {
        Some(number) => {
            reply.state = Some(number.to_string().into());
            Ok(is_picture.then_some(number))
        }
        None if is_picture => {
            Err(format!("the server showed the {noun} as `{}`, which is no whole number", harmless(shown, 40)))
        }
        None => {
            reply.state = None; // a refusal may say what it likes there
            Ok(None)
        }
    }
}

/// A whole number as a server may write it: `3`, `-3`, `3.00`.
pub(in crate::check) fn number(text: &Arc<str>) -> Option<i64> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction.bytes().all(|digit| digit == b'0').then(|| whole.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_may_be_written_with_noughts_behind_the_point() {
        let read = |text: &str| number(&text.into());
        assert_eq!([read("3"), read("-3"), read(" 3.00")], [Some(3), Some(-3), Some(3)]);
        assert_eq!([read(""), read("3.5"), read("many"), read("99999999999999999999")], [None; 4]);
    }
}
