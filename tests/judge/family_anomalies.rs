//! Lawful histories of registers, counters and effects with one anomaly put in: it must be found and named.

use std::collections::HashMap;

use quickeats_bench::api::{Family, Model};
use quickeats_bench::check::Kind;
use quickeats_bench::history::{Meaning, Operation, Outcome, Phase, Record, Reply, Verb};

use crate::families::{NAMES, Ways, histories, history, judged, refusal};
use crate::notation::{blank, load};

/// Puts an anomaly of `kind` into a lawful history. `None` where it has no place for it, or the anomaly might be explained.
fn inject(kind: Kind, operations: &mut [Operation], model: &Model) -> Option<()> {
    if operations.iter().any(|one| matches!(one.outcome, Outcome::Unknown(_)) || one.call.key.is_some()) {
        return None;
    }
    let is_act = |one: &Operation| one.call.action().is_some();
    let is_done = |one: &Operation| is_act(one) && means(one, Meaning::Applied);
    let first = operations[0]
        .outcome
        .reply()
        .filter(|_| operations[0].call.verb == Verb::Create || model.family == Family::Effects);
    let first = first.cloned().unwrap_or(blank(0));
    let adds = |one: &Operation| model.action(one.call.action()?)?.adds;
    let held = |one: &Operation| one.outcome.reply()?.state.as_ref()?.parse::<i64>().ok();
    match (kind, model.family) {
        // What everybody is told is as if one of them had not been.
        (Kind::LostUpdate | Kind::AcknowledgedThenLost, Family::Counter(_)) => {
            let lost = operations.iter().find(|one| is_done(one)).and_then(adds)?;
            let is_alone = operations.iter().filter(|one| is_done(one)).count() == 1;
            for read in operations.iter_mut().filter(|one| one.phase == Phase::Observe) {
                let number = held(read)? - lost;
                reply_mut(read)?.state = Some(number.to_string().into());
            }
            return (is_alone == (kind == Kind::AcknowledgedThenLost)).then_some(());
        }
        (Kind::AcknowledgedThenLost, Family::Register) => {
            let is_alone = operations.iter().filter(|one| is_done(one)).count() == 1;
            let before = (first.state, first.version, first.token);
            for read in operations.iter_mut().filter(|one| one.call.verb == Verb::Read) {
                let reply = reply_mut(read)?;
                (reply.state, reply.version, reply.token) = before.clone();
                reply.meaning = Meaning::Applied;
            }
            return (is_alone && before.0.is_some()).then_some(());
        }
        (Kind::Oversell, Family::Counter(bounds)) => {
            let start = first.state?.parse::<i64>().ok()?;
            let takes = operations.iter().filter(|one| is_done(one)).filter(|one| adds(one) == Some(-1)).count();
            let only_takes = operations.iter().filter(|one| is_act(one)).all(|one| adds(one) == Some(-1));
            let is_sold_out = start - i64::try_from(takes).ok()? == bounds.least?;
            let refused = operations.iter_mut().find(|one| is_act(one) && means(one, Meaning::Refused))?;
            *reply_mut(refused)? = blank(204);
            return (only_takes && is_sold_out).then_some(());
        }
        (Kind::RejectedButApplied, Family::Counter(_) | Family::Register) => {
            let done = operations.iter().filter(|one| is_done(one)).count();
            let one = operations.iter_mut().find(|one| is_done(one))?;
            *reply_mut(one)? = refusal(409, Meaning::Refused);
            return (done == 1).then_some(());
        }
        (Kind::DirtyRead, Family::Counter(_) | Family::Register) => {
            let refused = operations.iter().find(|one| is_act(one) && means(one, Meaning::Refused))?.clone();
            let read = operations
                .iter_mut()
                .find(|one| one.call.verb == Verb::Read && one.phase == Phase::Contend && !one.precedes(&refused))?;
            let seen = match adds(&refused) {
                Some(adds) => Some((held(read)? + adds).to_string().into()),
                None => refused.call.value.clone(),
            };
            let reply = reply_mut(read)?;
            *reply = Reply { state: Some(seen?), ..blank(200) };
        }
        (Kind::TornRead, Family::Register) => {
            let write = operations.iter().find(|one| is_done(one) && one.call.value.is_some())?.clone();
            let (old, new) = (operations[0].call.value.clone()?, write.call.value.clone()?);
            let read = operations.iter_mut().find(|one| one.call.verb == Verb::Read && one.phase == Phase::Contend)?;
            let mixed = format!("{}{}", &new[..new.len() - 1], &old[1..]);
            let reply = reply_mut(read)?;
            *reply = Reply { state: Some(mixed.into()), ..blank(200) };
            return (new != old).then_some(());
        }
        (Kind::StaleRead, Family::Register) => {
            let over = operations.iter().find(|one| is_done(one))?.window.closed;
            let read = operations.iter_mut().find(|one| one.phase == Phase::Observe && one.window.opened > over)?;
            let reply = reply_mut(read)?;
            (reply.state, reply.version, reply.token) = (Some(first.state?), first.version, first.token);
            reply.meaning = Meaning::Applied;
        }
        (Kind::DuplicateEffect, Family::Effects) => {
            let rows = operations.iter_mut().find_map(|one| reply_mut(one)?.records.as_mut())?;
            rows.push(Record { id: Some("another".into()), ..Record::default() });
            return (rows.len() > 1).then_some(());
        }
        (Kind::AuditMismatch, Family::Effects) => {
            _ = operations.iter_mut().find_map(|one| reply_mut(one)?.records.as_mut())?.pop()?;
        }
        _ => return None,
    }
    Some(())
}

fn means(operation: &Operation, meaning: Meaning) -> bool {
    operation.outcome.reply().is_some_and(|reply| reply.meaning == meaning)
}

fn reply_mut(operation: &mut Operation) -> Option<&mut Reply> {
    match &mut operation.outcome {
        Outcome::Answered(reply) => Some(reply),
        Outcome::NotSent(_) | Outcome::Unknown(_) => None,
    }
}

#[test]
fn what_is_put_into_a_history_of_any_family_is_found() {
    let models = NAMES.map(load);
    let mut wrong = Vec::new();
    for kind in [
        Kind::Oversell,
        Kind::LostUpdate,
        Kind::AcknowledgedThenLost,
        Kind::RejectedButApplied,
        Kind::DirtyRead,
        Kind::StaleRead,
        Kind::TornRead,
        Kind::DuplicateEffect,
        Kind::AuditMismatch,
    ] {
        let mut dice = fastrand::Rng::with_seed(41);
        let (mut put_in, mut found, mut named) = (0_u32, 0_u32, 0_u32);
        let mut others: HashMap<Kind, u32> = HashMap::new();
        for _ in 0..histories() / 6 {
            let mut model = models[dice.usize(0..models.len())].model.clone();
            let plain = Ways { tags: false, versions: false, bodies: false, uses_keys: false, ..Ways::any(&mut dice) };
            let ways = Ways { repeats_values: false, loses_answers: false, ..plain };
            model.precondition_required = false;
            model.versioned = ways.versions;
            let mut operations = history(&model, ways, &mut dice);
            if inject(kind, &mut operations, &model).is_none() {
                continue;
            }
            put_in += 1;
            let judgment = judged(&operations, &model);
            let Some(finding) = judgment.findings.first() else { continue };
            found += 1;
            named += u32::from(finding.kind <= kind);
            *others.entry(finding.kind).or_default() += 1;
        }
        // Not every one leaves proof: another request may explain it.
        if put_in < 20 || found * 10 < put_in * 9 || named * 10 < found * 9 {
            wrong.push(format!("{kind}: {put_in} put in, {found} found, {named} so named: {others:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
