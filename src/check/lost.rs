//! Which of two acknowledged writes, of which one cannot stand, is the lost one; where that can be told.
//!
//! The one that stands is the one that was done last, and what was shown after both tells it: a state that no other write
//! leads to, or a token that no other write was answered with. Then the other is lost, unless somebody built upon it: whoever
//! was granted something on its token has seen it stand.

use std::sync::Arc;

use super::evidence::{acknowledged, now_says, whose};
use super::left::{is_third, leads_to, left};
use super::round::{Ack, Picture, Round};
use crate::api::StateIx;
use crate::history::Operation;
use crate::ids::OpId;
use crate::text::harmless;

/// What became of the two, as the end of a sentence; and the operation that tells it.
pub(super) fn ending(round: Round<'_>, a: &Ack<'_>, b: &Ack<'_>) -> (String, Option<OpId>) {
    let is_built_upon = |x: &Ack<'_>, y: &Ack<'_>| built_upon(round, x, y).next().is_some();
    match (stands(round, a, b), stands(round, b, a)) {
        (Some((says, id)), None) if !is_built_upon(b, a) => {
            (format!("; {says}: {} is lost", whose(b.operation)), Some(id))
        }
        (None, Some((says, id))) if !is_built_upon(a, b) => {
            (format!("; {says}: {} is lost", whose(a.operation)), Some(id))
        }
        _ if is_built_upon(a, b) || is_built_upon(b, a) => (": only one of the two can stand".to_owned(), None),
        _ if round.actions().any(|third| is_third(third, a, b)) => ("; one of the two is lost".to_owned(), None),
        _ => match now_says(round) {
            Some((says, id)) => (format!("; {says}: one of the two is lost"), Some(id)),
            None => (": only one of the two can stand".to_owned(), None),
        },
    }
}

/// What tells that `x` was done after `y`, in words, and where.
fn stands(round: Round<'_>, x: &Ack<'_>, y: &Ack<'_>) -> Option<(String, OpId)> {
    let is_after = |operation: &Operation| x.operation.precedes(operation) && y.operation.precedes(operation);
    let state = own_state(round, x, y);
    let shows_state = |picture: &Picture<'_>| shown(round, picture).is_some_and(|shown| Some(shown) == state);
    let shows_token =
        |picture: &Picture<'_>| picture.strong_token().is_some_and(|token| Some(token) == own_token(x, y));
    let tells = |picture: &Picture<'_>| is_after(picture.operation) && (shows_state(picture) || shows_token(picture));
    let reads: Vec<Picture<'_>> = round.reads().filter(tells).collect();
    let last = round.final_read().map(|(operation, _)| operation.id);
    if let Some(read) = reads.iter().find(|read| Some(read.operation.id) == last) {
        let (says, id) = now_says(round)?;
        let how =
            if shows_state(read) { String::new() } else { format!(", under the token of {}", whose(x.operation)) };
        return Some((format!("{says}{how}"), id));
    }
    if let Some(read) = reads.first() {
        let state = read.reply.state.as_deref().unwrap_or_default();
        return Some((format!("a read after both showed `{}`", harmless(state, 40)), read.operation.id));
    }
    let granted = built_upon(round, x, y).find(|ack| is_after(ack.operation))?;
    Some((format!("{}, on what {} left", acknowledged(&granted), whose(x.operation)), granted.id()))
}

/// The state that `x` leaves, if of all that was not done before both of them it alone can have left it.
fn own_state(round: Round<'_>, x: &Ack<'_>, y: &Ack<'_>) -> Option<StateIx> {
    let leaves = |ack: &Ack<'_>| {
        let told = || round.model.state(ack.reply.state.as_ref()?);
        left(round, ack.operation).or_else(told)
    };
    let state = leaves(x)?;
    let is_others = |third: &Operation| is_third(third, x, y) && leads_to(round, third, state);
    (leaves(y).is_some_and(|other| other != state) && !round.actions().any(is_others)).then_some(state)
}

/// The strong token that `x` was answered with, if `y` was answered with another. (A server that reads its answers again may
/// show the same to both. What leaves nothing is answered with none.)
fn own_token<'a>(x: &Ack<'a>, y: &Ack<'_>) -> Option<&'a Arc<str>> {
    let strong = |token: &&Arc<str>| !token.starts_with("W/");
    let other = y.reply.token.as_ref().filter(strong)?;
    x.reply.token.as_ref().filter(strong).filter(|own| *own != other)
}

/// Changes that were granted on what `x` left: on the token that it was answered with, or that its own state was shown under.
fn built_upon<'a>(round: Round<'a>, x: &Ack<'a>, y: &Ack<'a>) -> impl Iterator<Item = Ack<'a>> {
    let state = own_state(round, x, y);
    let mut tokens: Vec<Arc<str>> = own_token(x, y).cloned().into_iter().collect();
    let shows_it = |read: &Picture<'_>| state.is_some() && shown(round, read) == state;
    tokens.extend(round.reads().filter(shows_it).filter_map(|read| read.strong_token().cloned()));
    let ids = [x.id(), y.id()];
    round.own_acks().filter(move |ack| {
        let named = ack.operation.call.precondition.strong_token();
        let is_granted = named.is_some_and(|named| tokens.contains(named));
        is_granted && !ids.contains(&ack.id()) && !round.may_be_done_already(ack.operation)
    })
}

fn shown(round: Round<'_>, picture: &Picture<'_>) -> Option<StateIx> {
    round.model.state(picture.reply.state.as_ref()?)
}
