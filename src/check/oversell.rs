//! `oversell`: more was acknowledged than there was.

use std::cmp::Reverse;

use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::lower::number;
use super::round::Round;
use super::sums::{Change, means, told};
use crate::api::Bounds;
use crate::history::{Meaning, Operation};

/// More was acknowledged than there was room for; or a number beyond the bounds was shown.
///
/// Sound because bounds hold after every change: in the end the number is at most what it was, less all that was
/// acknowledged as taken, and all that may have been given back. Only acknowledged takes count, requests with one key as
/// one, and nothing from outside the contract.
pub(super) fn oversold(round: Round<'_>, start: i64, bounds: Bounds) -> Option<Evidence> {
    let least = bounds.least.filter(|least| start >= *least);
    let most = bounds.most.filter(|most| start <= *most);
    // Room above is room below, seen in the mirror.
    let below = least.and_then(|least| beyond(round, i128::from(start) - i128::from(least), -1));
    let above = || most.and_then(|most| beyond(round, i128::from(most) - i128::from(start), 1));
    below.or_else(above).or_else(|| shown_beyond(round, Bounds { least, most }))
}

/// Acknowledged changes in one direction exceed the room there was in it, and all that may have been done the other way.
fn beyond(round: Round<'_>, room: i128, direction: i64) -> Option<Evidence> {
    let changes = Change::all(round);
    let way = |change: &&Change<'_>| change.adds.signum() == direction;
    let amount = |change: &Change<'_>| i128::from(change.adds.unsigned_abs());
    let back: i128 = (changes.iter().filter(|change| !way(change)))
        .map(|change| amount(change) * i128::try_from(change.most()).unwrap_or(i128::MAX))
        .sum();
    let mut acknowledged: Vec<(&Change<'_>, &Operation)> = (changes.iter().filter(way))
        .filter_map(|change| {
            let is_ack = |one: &&&Operation| means(one, Meaning::Applied);
            let is_all_ours = !change.requests.iter().any(|one| round.is_aside(one));
            Some((change, *change.requests.iter().filter(|_| is_all_ours).find(is_ack)?))
        })
        .collect();
    // The largest first: as few as prove it.
    acknowledged.sort_by_key(|(change, one)| (Reverse(amount(change)), one.id));
    let mut sum = 0;
    let enough = acknowledged.iter().position(|(change, _)| {
        sum += amount(change);
        sum > room + back
    })?;
    let proof: Vec<&Operation> = acknowledged[..=enough].iter().map(|(_, one)| *one).collect();
    let given_back = if back == 0 { String::new() } else { format!(", and {back} may have been given back") };
    let (verb, was) = if direction < 0 { ("taken", "there to take") } else { ("added", "room for") };
    let sentence = format!("{sum} in all acknowledged as {verb}, where {room} was {was}{given_back}: {}", told(&proof));
    Some(Evidence::new(Kind::Oversell, sentence, proof.iter().map(|one| one.id)))
}

/// A reply shows a number beyond the bounds.
fn shown_beyond(round: Round<'_>, bounds: Bounds) -> Option<Evidence> {
    if round.has_asides() {
        return None; // an older API may keep to other bounds
    }
    round.pictures().find_map(|picture| {
        let shown = number(picture.reply.state.as_ref()?)?;
        let below = bounds.least.filter(|least| shown < *least).map(|least| format!("less than {least}"));
        let above = || bounds.most.filter(|most| shown > *most).map(|most| format!("more than {most}"));
        let how = below.or_else(above)?;
        let one = picture.operation;
        let sentence = format!("{} ({}) shows {shown}, {how}, which it may never be", whose(one), answer(one));
        Some(Evidence::new(Kind::Oversell, sentence, [one.id]))
    })
}
