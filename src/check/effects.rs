//! Effects that do not match what was said: `in-flight-duplicate`, `duplicate-effect`, `rejected-but-applied`.
//!
//! What is counted are effects (rows of the ledger, distinct effect ids), never replies: several 2xx under one key may
//! be lawful replays. A logical operation is a request, or all requests with one idempotency key.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::evidence::{Evidence, answer, list_id, now_says, whose};
use super::kind::Kind;
use super::round::{Round, is_refused, is_unsettled};
use crate::history::{Meaning, Operation, Verb};
use crate::ids::OpId;
use crate::text::{count, harmless, list, short};

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(in_flight_duplicate(round));
    found.extend(duplicate_effect(round));
    found.extend(rejected_but_applied(round));
}

/// Actions with an effect that were sent.
fn effectful(round: Round<'_>) -> impl Iterator<Item = &Operation> {
    round.actions().filter(move |operation| round.has_effect(operation))
}

/// How many distinct effects there were at least: as many as the ledger has rows with different ids, and as many as
/// replies name. Never both together, since a ledger may name its rows otherwise than a reply does; and either may lag.
fn distinct_effects<'a>(round: Round<'a>, operations: impl Iterator<Item = &'a Operation>) -> usize {
    let named: BTreeSet<&Arc<str>> =
        operations.filter_map(|operation| operation.outcome.reply()?.effect.as_ref()).collect();
    named.len().max(distinct_rows(round))
}

/// Who tells of so many effects: `the order now shows 2 effects`, or `the answers name 2 effects` where its ledger has fewer.
fn effects_told(round: Round<'_>, effects: usize) -> String {
    let told = count(effects as u64, "effect");
    if distinct_rows(round) < effects {
        format!("the answers name {told}")
    } else {
        format!("the {} now shows {told}", round.model.noun)
    }
}

/// How many different effects the ledger tells of.
fn distinct_rows(round: Round<'_>) -> usize {
    let rows = round.list(&Verb::ListEffects).map_or(&[][..], |(_, rows)| rows);
    let named: BTreeSet<&Arc<str>> = rows.iter().filter_map(|row| row.id.as_ref()).collect();
    named.len() + rows.iter().filter(|row| row.id.is_none()).count()
}

/// How many logical operations with an effect the server acknowledged, or may have done.
fn explained(round: Round<'_>) -> usize {
    let acknowledged = |operation: &&Operation| {
        (operation.outcome.reply()).is_some_and(|reply| matches!(reply.meaning, Meaning::Applied | Meaning::Replayed))
    };
    let done: Vec<&Operation> =
        effectful(round).filter(|operation| acknowledged(operation) || is_unsettled(operation)).collect();
    let is_first = |index: usize| !done[..index].iter().any(|earlier| earlier.repeats(done[index]));
    (0..done.len()).filter(|index| is_first(*index)).count()
}

/// Two requests with one key overlapped, and the work was done twice.
///
/// Only where every request that could have had an effect carries that one key: then all effects are its own.
fn in_flight_duplicate(round: Round<'_>) -> Option<Evidence> {
    let requests: Vec<&Operation> = effectful(round).collect();
    let key = requests.first()?.call.key.as_ref()?;
    if !requests.iter().all(|operation| operation.repeats(requests[0])) {
        return None;
    }
    let (a, b) = requests.iter().enumerate().find_map(|(index, a)| {
        let overlaps = |b: &&&Operation| !a.precedes(b) && !b.precedes(a);
        requests[index + 1..].iter().find(overlaps).map(|b| (*a, *b))
    })?;
    let effects = distinct_effects(round, requests.iter().copied());
    if effects < 2 {
        return None;
    }
    let sentence = format!(
        "{} was sent twice at once with one idempotency key ({}; {}), and {} of it (key {})",
        whose(a),
        answer(a),
        answer(b),
        effects_told(round, effects),
        harmless(&short(key), 60),
    );
    Some(Evidence::new(Kind::InFlightDuplicate, sentence, witness(round, [a.id, b.id])))
}

/// More effects than one resource may have; or more than there were logical operations that had one, where at least one
/// was acknowledged. (If none was, what is left is a refusal that took effect.)
fn duplicate_effect(round: Round<'_>) -> Option<Evidence> {
    let effects = distinct_effects(round, effectful(round));
    let explained = explained(round);
    let over_the_most = round.model.effects_per_resource.is_some_and(|most| effects > most as usize);
    if !over_the_most && (effects <= explained || explained == 0) {
        return None;
    }
    let limit = match round.model.effects_per_resource {
        Some(most) if over_the_most => format!("at most {most} may be"),
        Some(_) | None => format!("{explained} can be explained"),
    };
    let requests: Vec<&Operation> = effectful(round).take(4).collect();
    let told: Vec<String> =
        requests.iter().map(|operation| format!("{} ({})", whose(operation), answer(operation))).collect();
    let sentence = format!("{} where {limit}: {}", effects_told(round, effects), list(&told));
    Some(Evidence::new(Kind::DuplicateEffect, sentence, witness(round, requests.iter().map(|operation| operation.id))))
}

/// A refusal left an effect, an event or a change behind.
fn rejected_but_applied(round: Round<'_>) -> Option<Evidence> {
    refused_yet_in_the_ledger(round)
        .or_else(|| refused_yet_in_the_events(round))
        .or_else(|| refused_yet_in_the_version(round))
}

/// The ledger has more rows than all acknowledged and Unknown operations can explain, and one was refused.
fn refused_yet_in_the_ledger(round: Round<'_>) -> Option<Evidence> {
    let (listing, _) = round.list(&Verb::ListEffects)?;
    let refused = effectful(round).find(|operation| is_refused(operation))?;
    let effects = distinct_rows(round);
    if effects <= explained(round) {
        return None;
    }
    let sentence = format!(
        "{} was refused ({}), yet the ledger shows {} where {} can be explained",
        whose(refused),
        answer(refused),
        count(effects as u64, "effect"),
        explained(round),
    );
    Some(Evidence::new(Kind::RejectedButApplied, sentence, [refused.id, listing.id]))
}

/// The events tell of an action more often than it was acknowledged or may have been done, and one was refused.
fn refused_yet_in_the_events(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEvents)?;
    round.refusals().find_map(|refused| {
        let name = refused.call.action()?;
        let told = rows.iter().filter(|row| row.action.as_deref() == Some(name)).count();
        let may_have_been_done = (round.actions())
            .filter(|operation| operation.call.action() == Some(name) && !is_refused(operation))
            .count();
        if told <= may_have_been_done {
            return None;
        }
        let now = now_says(round);
        let says = now.as_ref().map(|(says, _)| format!(", and {says}")).unwrap_or_default();
        let sentence = format!(
            "{} was refused ({}), yet the {}'s events tell of it{says}",
            whose(refused),
            answer(refused),
            round.model.noun,
        );
        Some(Evidence::new(Kind::RejectedButApplied, sentence, [refused.id, listing.id]))
    })
}

/// Without a list of events: the version went up more often than anything acknowledged or Unknown explains.
fn refused_yet_in_the_version(round: Round<'_>) -> Option<Evidence> {
    if !round.model.versioned || round.list(&Verb::ListEvents).is_some() {
        return None;
    }
    let first = round.at_first()?.version?;
    let (reading, last) = round.final_read()?;
    let last = last.version?;
    let own_replays = round.actions().filter(|operation| round.may_replay_itself(operation));
    let changes = (round.acks().count() + round.unsettled().count() + own_replays.count()) as u64;
    let refused = round.refusals().next()?;
    let explained = first.saturating_add(changes);
    // A jump that an acknowledgement shows itself is a slip of the version, and accuses no refusal.
    let shown_by_an_ack = round.acks().any(|ack| ack.reply.version.is_some_and(|version| version > explained));
    if last <= explained || shown_by_an_ack {
        return None;
    }
    let sentence = format!(
        "{} was refused ({}), yet the {} went from version {first} to {last} where {} can be explained",
        whose(refused),
        answer(refused),
        round.model.noun,
        count(changes, "change"),
    );
    let acks = round.acks().map(|ack| ack.id());
    Some(Evidence::new(Kind::RejectedButApplied, sentence, acks.chain([refused.id, reading.id])))
}

fn witness(round: Round<'_>, operations: impl IntoIterator<Item = OpId>) -> impl Iterator<Item = OpId> {
    operations.into_iter().chain(list_id(round, &Verb::ListEffects))
}
