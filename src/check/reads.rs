//! Reads that do not show what was: `torn-read`, `dirty-read`, `non-monotonic-read`, `acknowledged-then-lost`, `stale-read`.

use std::collections::BTreeSet;

use super::evidence::{Evidence, acknowledged, answer, whose};
use super::kind::Kind;
use super::round::{Ack, Picture, Round, is_refused};
use crate::api::{Family, StateIx};
use crate::history::{Operation, Verb};
use crate::text::harmless;

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    found.extend(torn_read(round));
    found.extend(dirty_read(round));
    if round.model.versioned {
        let late = |evidence: Evidence| if round.model.lags.reads { evidence.into_warning() } else { evidence };
        found.extend(non_monotonic_read(round).map(late));
        found.extend(older_than_acknowledged(round).map(late));
    }
}

/// One reply shows the token of one version and the number of another.
///
/// Sound because other replies map both: this token to another version, and this version to another token. A token that
/// never changes, or that comes back, leaves one of the two without a witness, and is called by its own name (`tokens`).
fn torn_read(round: Round<'_>) -> Option<Evidence> {
    let shown: Vec<Picture<'_>> = (round.pictures_of_one_moment())
        .filter(|picture| picture.strong_token().is_some() && picture.reply.version.is_some())
        .filter(|picture| !round.may_be_replay(picture.operation) && !round.is_aside(picture.operation))
        .collect();
    round.reads().find_map(|torn| {
        let (token, version) = (torn.strong_token()?, torn.reply.version?);
        let of_token =
            shown.iter().find(|other| other.strong_token() == Some(token) && other.reply.version != Some(version))?;
        let of_version =
            shown.iter().find(|other| other.strong_token() != Some(token) && other.reply.version == Some(version))?;
        // The maps must themselves be agreed upon by more than the torn reply, or it may be they that are torn.
        let confirmed = |picture: &Picture<'_>| {
            shown.iter().any(|other| {
                other.operation.id != picture.operation.id
                    && other.strong_token() == picture.strong_token()
                    && other.reply.version == picture.reply.version
            })
        };
        if !confirmed(of_token) || !confirmed(of_version) || confirmed(&torn) {
            return None;
        }
        let sentence = format!(
            "{} ({}) carries the token of version {} with the body of version {version}",
            whose(torn.operation),
            answer(torn.operation),
            of_token.reply.version.unwrap_or_default(),
        );
        let witness = [torn.operation.id, of_token.operation.id, of_version.operation.id];
        Some(Evidence::new(Kind::TornRead, sentence, witness))
    })
}

/// A read showed a state that only a refused action leads to, and that is gone again.
///
/// Sound because the state is not where the resource was made, nor where anything leads that was or may have been done, in
/// any order. (If the state stays, the refusal itself is the lie: `rejected-but-applied`.)
fn dirty_read(round: Round<'_>) -> Option<Evidence> {
    if matches!(round.model.family, Family::Counter(_)) {
        return None; // a change may be done often there: `sums` counts
    }
    let possible = possible_states(round)?;
    let in_the_end = round.model.state(round.final_read()?.1.state.as_ref()?)?;
    round.reads().find_map(|read| {
        let state = round.model.state(read.reply.state.as_ref()?)?;
        if possible.contains(&state) || state == in_the_end {
            return None;
        }
        let refused = round.refusals().find(|refused| leads_to(round, refused, state))?;
        let sentence = format!(
            "{} showed `{}`, where only {} leads, and that was refused ({})",
            whose(read.operation),
            harmless(round.model.state_name(state), 40),
            whose(refused),
            answer(refused),
        );
        Some(Evidence::new(Kind::DirtyRead, sentence, [read.operation.id, refused.id]))
    })
}

/// Every state that actions which were or may have been done can have led to, however often and in whatever order.
fn possible_states(round: Round<'_>) -> Option<BTreeSet<StateIx>> {
    let mut possible = BTreeSet::from([round.starts_at()?]);
    loop {
        let before = possible.len();
        for operation in round.actions().filter(|operation| !is_refused(operation)) {
            let action = operation.call.action().and_then(|name| round.model.action(name))?;
            let reached: Vec<StateIx> = possible.iter().flat_map(|state| action.next(*state)).collect();
            possible.extend(reached);
        }
        if possible.len() == before {
            return Some(possible);
        }
    }
}

fn leads_to(round: Round<'_>, operation: &Operation, state: StateIx) -> bool {
    let action = operation.call.action().and_then(|name| round.model.action(name));
    action.is_some_and(|action| action.transitions.iter().any(|step| step.to == state))
}

/// One client read a version, and then an older one. Versions only go up, so the second read is of the past.
fn non_monotonic_read(round: Round<'_>) -> Option<Evidence> {
    let reads: Vec<Picture<'_>> = round.reads().collect();
    let (new, old) = reads.iter().enumerate().find_map(|(index, first)| {
        let older = |later: &&Picture<'_>| {
            later.operation.client == first.operation.client
                && first.operation.precedes(later.operation)
                && later.reply.version < first.reply.version
                && later.reply.version.is_some()
        };
        reads[index + 1..].iter().find(older).map(|later| (*first, *later))
    })?;
    let sentence = format!(
        "one client's read showed {}, and its next one {}: older, though versions only go up",
        answer(new.operation),
        answer(old.operation),
    );
    Some(Evidence::new(Kind::NonMonotonicRead, sentence, [new.operation.id, old.operation.id]))
}

/// A read that began after version *n* was acknowledged, or shown to somebody, shows an older one.
///
/// If no read after the acknowledgement ever shows it, though the server was given time and asked more than once, the
/// write is not late but lost.
fn older_than_acknowledged(round: Round<'_>) -> Option<Evidence> {
    let lags = |shown: &Operation, version: Option<u64>, read: &Picture<'_>| {
        version.is_some()
            && read.reply.version.is_some()
            && read.reply.version < version
            && shown.precedes(read.operation)
    };
    let late = |ack: &Ack<'_>| round.reads().find(|read| lags(ack.operation, ack.reply.version, read));
    // Lost tells more than late.
    if let Some(ack) = round.own_acks().find(|ack| late(ack).is_some() && is_lost(round, ack)) {
        return Some(lost(round, &ack));
    }
    if let Some((ack, read)) = round.own_acks().find_map(|ack| Some((ack, late(&ack)?))) {
        return Some(stale(&ack, &read));
    }
    round.reads().find_map(|seen| {
        let read = round.reads().find(|read| lags(seen.operation, seen.reply.version, read))?;
        let sentence = format!(
            "a read showed {}, and a read that began after it {}",
            answer(seen.operation),
            answer(read.operation),
        );
        Some(Evidence::new(Kind::StaleRead, sentence, [seen.operation.id, read.operation.id]))
    })
}

/// Whether the server was asked twice or more after all was quiet, and never showed the acknowledged version. (Where the
/// events tell of the write, it is there, and the reads lag.)
fn is_lost(round: Round<'_>, ack: &Ack<'_>) -> bool {
    let events = round.list(&Verb::ListEvents).map_or(&[][..], |(_, rows)| rows);
    if events.iter().any(|row| row.action.as_deref() == Some(ack.action())) {
        return false;
    }
    let shows_it = |version: Option<u64>| version >= ack.reply.version;
    let shown_later = (round.reads()).any(|read| shows_it(read.reply.version));
    round.final_reads().count() >= 2 && !shown_later && round.unsettled().next().is_none()
}

fn lost(round: Round<'_>, ack: &Ack<'_>) -> Evidence {
    let reads: Vec<&Operation> = round.final_reads().map(|(operation, _)| operation).collect();
    let sentence = format!(
        "{}, and none of the {} reads after all was quiet shows it: {}",
        acknowledged(ack),
        reads.len(),
        reads.last().map(|read| answer(read)).unwrap_or_default(),
    );
    // Two of them suffice: the first, and the last, which had the most time to catch up.
    let two = [reads.first(), reads.last()].into_iter().flatten().map(|read| read.id);
    Evidence::new(Kind::AcknowledgedThenLost, sentence, two.chain([ack.id()]))
}

fn stale(ack: &Ack<'_>, read: &Picture<'_>) -> Evidence {
    let sentence = format!("{}, and a read that began after that showed {}", acknowledged(ack), answer(read.operation));
    Evidence::new(Kind::StaleRead, sentence, [ack.id(), read.operation.id])
}
