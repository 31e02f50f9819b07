//! States that may not follow each other: `illegal-transition`.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::kind::Kind;
use super::round::Round;
use crate::history::{Reply, Verb};
use crate::ids::OpId;
use crate::text::harmless;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(in_the_events(round).or_else(|| in_adjacent_versions(round)));
}

/// An event names two states that no action connects.
fn in_the_events(round: Round<'_>) -> Option<Evidence> {
    let (listing, rows) = round.list(&Verb::ListEvents)?;
    rows.iter().find_map(|row| {
        let (from, to) = (row.from.as_ref()?, row.to.as_ref()?);
        let (before, after) = (round.model.state(from)?, round.model.state(to)?);
        if before == after || round.model.allows(before, after) {
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
    for operation in round.operations {
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
        if round.model.allows(round.model.state(from)?, round.model.state(to)?) {
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
