//! States that may not follow each other: `resurrected-terminal`, `illegal-transition`, `version-gap`.

use std::collections::BTreeMap;

use super::evidence::{Evidence, acknowledged, whose};
use super::kind::Kind;
use super::round::{Ack, Round, is_about_the_resource};
use crate::api::StateIx;
use crate::history::{Reply, Verb};
use crate::ids::OpId;
use crate::text::harmless;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(resurrected_terminal(round));
    found.extend(in_the_events(round).or_else(|| in_adjacent_versions(round)));
    found.extend(version_gap(round));
}

/// Whether an action of the contract leads from one state to the other, or one from outside it that was sent in this round.
fn may_lead(round: Round<'_>, from: StateIx, to: StateIx) -> bool {
    let by_sent = || {
        round.actions().any(|operation| {
            let action = operation.call.action().and_then(|name| round.model.action(name));
            action.is_some_and(|action| action.is_aside && action.leads(from, to))
        })
    };
    round.model.allows(from, to) || by_sent()
}

/// An action was accepted after the resource had been shown in a terminal state, which it does not allow it in.
///
/// Sound because nothing leaves a terminal state: it still was in it when the action was opened, whatever had raced before.
/// An older API on the same data may do what it likes, so a round with one accuses nobody.
fn resurrected_terminal(round: Round<'_>) -> Option<Evidence> {
    if round.has_asides() {
        return None;
    }
    round.own_acks().find_map(|ack| {
        let action = round.model.action(ack.action())?;
        let ended = round.pictures().find(|picture| {
            let state = picture.reply.state.as_ref().and_then(|name| round.model.state(name));
            let forbids = |state: StateIx| round.model.is_terminal(state) && action.next(state).next().is_none();
            state.is_some_and(forbids) && picture.operation.precedes(ack.operation)
        })?;
        let sentence = format!(
            "{} showed `{}`, which is terminal, and after that {}",
            whose(ended.operation),
            harmless(ended.reply.state.as_deref().unwrap_or_default(), 40),
            acknowledged(&ack),
        );
        Some(Evidence::new(Kind::ResurrectedTerminal, sentence, [ended.operation.id, ack.id()]))
    })
}

/// Two changes, one acknowledged before the other began, and the second's version is not above the first's.
///
/// Sound where every change takes the version up by one, and both were changes: what may be a stored answer, or an action
/// that may have changed nothing, is left out. (Changes that overlapped and made one version overwrote each other:
/// `updates` has that. Gaps that only the whole history shows are the search's to find.)
fn version_gap(round: Round<'_>) -> Option<Evidence> {
    if !round.model.versioned {
        return None;
    }
    // An older API may answer for a change that it found done.
    let always_changes = |ack: &Ack<'_>| {
        round.model.action(ack.action()).is_some_and(|action| !action.is_aside && action.always_changes())
    };
    let changes: Vec<Ack<'_>> = round.own_acks().filter(always_changes).collect();
    let (first, later) = changes.iter().enumerate().find_map(|(index, first)| {
        let repeats = |later: &&Ack<'_>| {
            first.operation.precedes(later.operation)
                && first.reply.version.is_some()
                && later.reply.version.is_some()
                && later.reply.version <= first.reply.version
        };
        changes[index + 1..].iter().find(repeats).map(|later| (first, later))
    })?;
    let sentence =
        format!("{}, and after that {}: the version did not go up", acknowledged(first), acknowledged(later));
    Some(Evidence::new(Kind::VersionGap, sentence, [first.id(), later.id()]))
}

/// An event names two states that no action connects.
fn in_the_events(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEvents)?;
    rows.iter().find_map(|row| {
        let (from, to) = (row.from.as_ref()?, row.to.as_ref()?);
        let (before, after) = (round.model.state(from)?, round.model.state(to)?);
        if before == after || may_lead(round, before, after) {
            return None;
        }
        let action = row.action.as_deref().unwrap_or("an action");
        let sentence = format!(
            "the {}'s events tell that {} took it from `{}` to `{}`, which no declared action does",
            round.model.noun,
            harmless(action, 40),
            harmless(from, 40),
            harmless(to, 40),
        );
        Some(Evidence::new(Kind::IllegalTransition, sentence, [listing.id]))
    })
}

/// Versions *n* and *n*+1 were shown in states that no action connects. A version shown in two states (a lost
/// update) says nothing here.
fn in_adjacent_versions(round: Round<'_>) -> Option<Evidence> {
    if !round.model.versioned {
        return None;
    }
    let mut shown: BTreeMap<u64, Option<(OpId, &Reply)>> = BTreeMap::new();
    for operation in round.operations.iter().filter(|operation| is_about_the_resource(operation)) {
        let Some(reply) = operation.outcome.reply().filter(|reply| reply.state.is_some()) else {
            continue;
        };
        if let Some(version) = reply.version {
            (shown.entry(version))
                .and_modify(|one| *one = one.filter(|(_, other)| other.state == reply.state))
                .or_insert(Some((operation.id, reply)));
        }
    }
    shown.iter().find_map(|(version, one)| {
        let (first, before) = (*one)?;
        let (second, after) = (*shown.get(&version.checked_add(1)?)?)?;
        let (from, to) = (before.state.as_ref()?, after.state.as_ref()?);
        if may_lead(round, round.model.state(from)?, round.model.state(to)?) {
            return None;
        }
        let sentence = format!(
            "version {version} of the {} is `{}` and the next version is `{}`, which no declared action does",
            round.model.noun,
            harmless(from, 40),
            harmless(to, 40),
        );
        Some(Evidence::new(Kind::IllegalTransition, sentence, [first, second]))
    })
}
