//! Records that do not account for what was acknowledged: `audit-mismatch`, `conservation`.
//!
//! Only lists that were asked for after every action had closed are compared, and the observer gives a server that lags
//! time to catch up before it takes its last list. What a list lacks that may lag by declaration is no evidence.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::round::{Ack, Round, is_refused};
use crate::api::Family;
use crate::history::{Meaning, Operation, Reply, Verb};
use crate::ids::OpId;
use crate::text::{count, harmless};

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    let lags = round.model.lags;
    let missing_event = || if lags.events { None } else { missing_event(round) };
    let missing_effect = || if lags.effects { None } else { missing_effect(round) };
    found.extend(missing_event().or_else(|| superfluous_event(round)).or_else(missing_effect));
    found.extend(conservation(round));
}

/// An acknowledged change that the events do not tell of.
///
/// Sound for actions that change the state whenever they are done: each of their acknowledgements is a transition applied.
/// What may be a stored answer is no acknowledgement of its own. An event in words that the description does not have (or
/// in none) may be the one that is looked for.
fn missing_event(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEvents)?;
    let acks: Vec<Ack<'_>> = round.own_acks().filter(|ack| always_changes(round, ack.action())).collect();
    let ack = acks.iter().find(|ack| {
        let is_it = |name: &str| name == ack.action() || round.model.action(name).is_none();
        let told = rows.iter().filter(|row| row.action.as_deref().is_none_or(is_it)).count();
        told < acks.iter().filter(|other| other.action() == ack.action()).count()
    })?;
    let sentence = format!(
        "{} was acknowledged ({}), and the {}'s events do not tell of it",
        whose(ack.operation),
        answer(ack.operation),
        round.model.noun,
    );
    Some(Evidence::new(Kind::AuditMismatch, sentence, [ack.id(), listing.id]))
}

fn always_changes(round: Round<'_>, action: &str) -> bool {
    round.model.action(action).is_some_and(|action| !action.is_aside && action.always_changes())
}

/// The events tell of an action more often than it was sent. (If one of those was refused, it is the refusal that lies:
/// `rejected-but-applied`; an action that was never sent is someone else's, and voids the round.)
fn superfluous_event(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEvents)?;
    round.actions().find_map(|operation| {
        let name = operation.call.action()?;
        let sent: Vec<&Operation> = round.actions().filter(|other| other.call.action() == Some(name)).collect();
        let told = rows.iter().filter(|row| row.action.as_deref() == Some(name)).count();
        if told <= sent.len() || sent.iter().any(|operation| is_refused(operation)) {
            return None;
        }
        let sentence = format!(
            "`{}` was sent {}, and the {}'s events tell of it {}",
            harmless(name, 40),
            count(sent.len() as u64, "time"),
            round.model.noun,
            count(told as u64, "time"),
        );
        Some(Evidence::new(Kind::AuditMismatch, sentence, sent.iter().map(|one| one.id).chain([listing.id])))
    })
}

/// Replies name more effects than the ledger has rows; or, where effects are all that there is, more were acknowledged.
fn missing_effect(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEffects)?;
    let named: Vec<OpId> = effects_named(round).values().map(|(id, _)| *id).collect();
    let named = if named.len() > rows.len() { named } else { effects_acknowledged(round) };
    if named.len() <= rows.len() {
        return None;
    }
    let sentence = format!(
        "{} acknowledged, and the ledger shows {}",
        if named.len() == 1 { "1 effect was".to_owned() } else { format!("{} effects were", named.len()) },
        count(rows.len() as u64, "row"),
    );
    Some(Evidence::new(Kind::AuditMismatch, sentence, named.into_iter().chain([listing.id])))
}

/// Requests that were acknowledged and had an effect each, whether or not their replies name it: an acknowledgement tells of one
/// where there is nothing else to do, and no limit that an earlier one may have reached. Of those that may share a key, one.
fn effects_acknowledged(round: Round<'_>) -> Vec<OpId> {
    if round.model.family != Family::Effects || round.model.effects_per_resource.is_some() {
        return Vec::new();
    }
    let acks: Vec<Ack<'_>> = round.acks().filter(|ack| !round.is_aside(ack.operation)).collect();
    let is_first =
        |index: &usize| !acks[..*index].iter().any(|other| other.operation.may_share_key(acks[*index].operation));
    (0..acks.len()).filter(is_first).map(|index| acks[index].id()).collect()
}

/// The effects that replies name, each with the first reply that does, and its amount.
fn effects_named(round: Round<'_>) -> BTreeMap<&Arc<str>, (OpId, Option<i64>)> {
    let mut named = BTreeMap::new();
    // A stored answer names what was done as well as the first one did.
    for operation in round.actions() {
        let told = |reply: &&Reply| matches!(reply.meaning, Meaning::Applied | Meaning::Replayed);
        let Some(reply) = operation.outcome.reply().filter(told) else { continue };
        if let Some(effect) = &reply.effect {
            named.entry(effect).or_insert((operation.id, reply.amount));
        }
    }
    named
}

/// As many effects as were acknowledged, and other amounts.
///
/// Sound where every effect was acknowledged with its id and its amount, and nothing is open: then both sums are of the same
/// effects. An acknowledgement that names no effect may have had one that stands in the ledger in another's place.
fn conservation(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEffects)?;
    let named = effects_named(round);
    let has_unnamed = round.actions().any(|operation| {
        let is_unnamed = operation.outcome.reply().is_some_and(|reply| reply.effect.is_none());
        round.has_effect(operation) && is_unnamed && !is_refused(operation)
    });
    if named.is_empty() || named.len() != rows.len() || has_unnamed || round.unsettled().next().is_some() {
        return None;
    }
    let acknowledged = named.values().map(|(_, amount)| amount.map(i128::from)).sum::<Option<i128>>()?;
    let recorded = rows.iter().map(|row| row.amount.map(i128::from)).sum::<Option<i128>>()?;
    if acknowledged == recorded {
        return None;
    }
    let sentence = format!("effects of {acknowledged} in all were acknowledged, and the ledger adds up to {recorded}");
    let acks = named.values().map(|(id, _)| *id);
    Some(Evidence::new(Kind::Conservation, sentence, acks.chain([listing.id])))
}
