//! The general check: is there any lawful order of the round's operations? And if there is none, which single rule
//! would have to be relaxed to make one: that names the kind.

use super::encode::{AckReading, encode};
use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::linear::{Answer, search};
use super::round::Round;
use crate::history::{Phase, Verb};
use crate::ids::OpId;
use crate::spec::lifecycle::{Lifecycle, Relaxation};

/// Steps for one search of one round. Ordinary rounds need fewer than a hundred.
const BUDGET: u64 = 200_000;

/// What the general check says of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refutation {
    /// A lawful order exists.
    None,
    /// No lawful order exists, even if acknowledgements are taken for later reads.
    Refuted,
    /// It could not be decided, and why.
    Undecided(String),
}

/// Looks for a lawful order of `round`.
pub(super) fn check(round: Round<'_>) -> Refutation {
    for reading in [AckReading::AtTheWrite, AckReading::ReadAfterwards, AckReading::PartsReadAfterwards] {
        match attempt(round, reading, None) {
            Ok(Answer::Legal(_)) => return Refutation::None,
            Ok(Answer::Illegal) => {}
            Ok(Answer::GaveUp) => {
                return Refutation::Undecided("the search for a lawful order ran out of steps".to_owned());
            }
            Err(why) => return Refutation::Undecided(why),
        }
    }
    Refutation::Refuted
}

/// Names a refuted round's kind: the first rule whose relaxation makes it lawful, in order of how little it accuses
/// the server of.
pub(super) fn name(round: Round<'_>) -> Evidence {
    let reads_agree = final_reads_agree(round) && !events_tell_of_every_ack(round);
    let ladder = [
        (Relaxation::SpuriousStale, Kind::Spurious412),
        (Relaxation::VersionSlips, Kind::VersionGap),
        (Relaxation::AppliedRefusals, Kind::RejectedButApplied),
        (Relaxation::IgnoredPreconditions, ignored_precondition(round)),
        // Two reads after quiet that say the same are no slip of a cache, unless the events contradict them.
        if reads_agree { (Relaxation::LostAcks, Kind::LostUpdate) } else { (Relaxation::OldReads, Kind::StaleRead) },
        if reads_agree { (Relaxation::OldReads, Kind::StaleRead) } else { (Relaxation::LostAcks, Kind::LostUpdate) },
        (Relaxation::AnyTransition, Kind::IllegalTransition),
    ];
    let makes_lawful = |rule| {
        // A write that left no trace cannot have left what its acknowledgement shows either.
        let reading = if rule == Relaxation::LostAcks { AckReading::Unread } else { AckReading::ReadAfterwards };
        matches!(attempt(round, reading, Some(rule)), Ok(Answer::Legal(_)))
    };
    let found = ladder.into_iter().find(|(rule, _)| makes_lawful(*rule));
    let (kind, because) = match found {
        Some((Relaxation::SpuriousStale, _)) if round.nobody_won() => {
            (Kind::NoWinner, "every contender was refused, although the token they named was the current one")
        }
        // One acknowledgement alone was not overwritten by another.
        Some((Relaxation::LostAcks, _)) if contending_acks(round) == 1 => {
            (Kind::AcknowledgedThenLost, explain(Relaxation::LostAcks))
        }
        Some((rule, kind)) => (kind, explain(rule)),
        None => (Kind::IllegalTransition, "no single slip explains it"),
    };
    let story: Vec<String> = told(round).map(|(_, told)| told).collect();
    let sentence = format!("no order of these answers is lawful: {}; {because}", story.join("; "));
    Evidence::new(kind, sentence, told(round).map(|(id, _)| id))
}

/// Acknowledged actions of the race and what followed it.
fn contending_acks(round: Round<'_>) -> usize {
    round.acks().filter(|ack| ack.operation.phase != Phase::SetUp).count()
}

/// What an ignored precondition is called: by two winners on one token, or by one that came too late.
fn ignored_precondition(round: Round<'_>) -> Kind {
    let tokens: Vec<_> = round.own_acks().filter_map(|ack| ack.operation.call.precondition.strong_token()).collect();
    let shared = tokens.iter().enumerate().any(|(index, token)| tokens[index + 1..].contains(token));
    if shared { Kind::DoubleCasWin } else { Kind::StaleWriteAccepted }
}

fn explain(rule: Relaxation) -> &'static str {
    match rule {
        Relaxation::SpuriousStale => "one was refused as stale although its token was the current one",
        Relaxation::VersionSlips => "the version skipped or repeated a number",
        Relaxation::AppliedRefusals => "one that was refused has taken effect",
        Relaxation::IgnoredPreconditions => "one was done although its token was not the current one",
        Relaxation::OldReads => "a read shows older state than one already acknowledged",
        Relaxation::LostAcks => "one that was acknowledged has left no trace",
        Relaxation::AnyTransition => "one led where no declared action leads",
    }
}

/// What contenders and observers were told: the part of the round that the contradiction lies in.
fn told(round: Round<'_>) -> impl Iterator<Item = (OpId, String)> {
    let last_read = round.final_read().map(|(operation, _)| operation.id);
    let contenders = round.contenders();
    let read = round.operations.iter().filter(move |operation| Some(operation.id) == last_read);
    (contenders.chain(read)).map(|operation| (operation.id, format!("{} ({})", whose(operation), answer(operation))))
}

fn final_reads_agree(round: Round<'_>) -> bool {
    let reads: Vec<_> = round.final_reads().map(|(_, reply)| (&reply.state, reply.version)).collect();
    reads.len() >= 2 && reads.windows(2).all(|pair| pair[0] == pair[1]) && round.unsettled().next().is_none()
}

/// Whether the server's own list of events has every acknowledged action: then none is without a trace.
fn events_tell_of_every_ack(round: Round<'_>) -> bool {
    let Some((_, rows)) = round.list(&Verb::ListEvents) else { return false };
    let told = |name: &str| rows.iter().filter(|row| row.action.as_deref() == Some(name)).count();
    round
        .own_acks()
        .all(|ack| told(ack.action()) >= round.own_acks().filter(|other| other.action() == ack.action()).count())
}

fn attempt(round: Round<'_>, reading: AckReading, relaxed: Option<Relaxation>) -> Result<Answer, String> {
    let encoded = encode(round, reading)?;
    let spec = Lifecycle { model: round.model, relaxed };
    Ok(search(&spec, &encoded.start, &encoded.entries, BUDGET))
}
