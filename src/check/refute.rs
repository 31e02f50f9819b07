//! The general check: is there any lawful order of the round's operations? And if there is none, which single rule
//! would have to be relaxed to make one: that names the kind.

use std::collections::BTreeSet;

use super::encode::{AckReading, Encoded, encode};
use super::evidence::{Evidence, Telling, answer, whose};
use super::hint;
use super::kind::Kind;
use super::left::leads_to;
use super::linear::{Answer, Budget, decide};
use super::round::{Round, is_refused};
use crate::history::{Meaning, Operation, Phase, Verb};
use crate::ids::OpId;
use crate::spec::lifecycle::{Lifecycle, Op, Relaxation};

/// Steps for one search of one round. Ordinary rounds need fewer than a hundred.
const BUDGET: u64 = 200_000;
/// Operations of a witness that its sentence tells; the report shows all.
const MOST_TOLD: usize = 6;

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
    let spec = Lifecycle { model: round.model, relaxed: None };
    let encoded = |reading| encode(round, reading, &BTreeSet::new());
    let is_hinted = |reading| encoded(reading).is_ok_and(|encoded| hint::order(&spec, &encoded).is_some());
    if hint::has_any(round.model) && AckReading::SOUND.into_iter().any(is_hinted) {
        return Refutation::None;
    }
    let mut gave_up = false;
    for reading in AckReading::SOUND {
        let Encoded { start, entries, .. } = match encoded(reading) {
            Ok(encoded) => encoded,
            Err(why) => return Refutation::Undecided(why),
        };
        match decide(&spec, &start, &entries, &Budget::steps(BUDGET)).answer {
            Answer::Legal(_) => return Refutation::None,
            Answer::Illegal => {}
            Answer::GaveUp => gave_up = true,
        }
    }
    if gave_up {
        return Refutation::Undecided("the search for a lawful order ran out of steps".to_owned());
    }
    Refutation::Refuted
}

/// A rule that is relaxed to explain a round.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slip {
    rule: Relaxation,
    kind: Kind,
    /// Refusals that certainly did nothing, though refusals may have been done.
    idle: BTreeSet<OpId>,
}

impl Slip {
    fn new(rule: Relaxation, kind: Kind) -> Self {
        Self { rule, kind, idle: BTreeSet::new() }
    }
}

/// The slips that may explain a round, in order of how little they accuse the server of, and of how much speaks for them; and the
/// first of them that does.
///
/// That what was refused was done explains much that is nothing of the kind: a change that nobody saw may lie wherever one is
/// missing, and the token that it would have made hides that another was named twice. So it is the first explanation only
/// where something was shown that a refused request alone can have left. Where nothing was, a precondition that was ignored
/// or an acknowledged change that was not made goes first: these have answers that say so. What remains, no such slip explains:
/// then something refused was done, though only what followed tells it.
fn ladder(round: Round<'_>) -> (Vec<Slip>, Option<usize>) {
    let explains = |slip: &Slip| makes_lawful(round, slip, &BTreeSet::new());
    let refusal = |idle| Slip { rule: Relaxation::AppliedRefusals, kind: Kind::RejectedButApplied, idle };
    let unseen = round.refusals().filter(|refused| !is_seen(round, refused)).map(|refused| refused.id).collect();
    let mut ladder = vec![
        Slip::new(Relaxation::SpuriousStale, Kind::Spurious412),
        Slip::new(Relaxation::VersionSlips, Kind::VersionGap),
        refusal(unseen),
        Slip::new(Relaxation::IgnoredPreconditions, ignored_precondition(round)),
    ];
    if let found @ Some(_) = ladder.iter().position(explains) {
        return (ladder, found);
    }
    let looked_at = ladder.len();
    let lost_acks = Slip::new(Relaxation::LostAcks, Kind::LostUpdate);
    let old_reads = Slip::new(Relaxation::OldReads, Kind::StaleRead);
    if !explains(&lost_acks) {
        ladder.push(refusal(BTreeSet::new()));
    }
    // Two reads after quiet that say the same are no slip of a cache, unless the events contradict them.
    let reads_agree = final_reads_agree(round) && !events_tell_of_every_ack(round);
    ladder.extend(if reads_agree { [lost_acks, old_reads] } else { [old_reads, lost_acks] });
    ladder.push(Slip::new(Relaxation::AnyTransition, Kind::IllegalTransition));
    let found = ladder[looked_at..].iter().position(explains).map(|place| looked_at + place);
    (ladder, found)
}

/// Whether a state was shown that nothing but this refused request (or others that were refused) can have left. One that was told
/// to wait for a request with its own key left nothing: it says that the other one is being worked on.
fn is_seen(round: Round<'_>, refused: &Operation) -> bool {
    let waits_for_it = |one: &Operation| {
        one.shares_key(refused) && one.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::InProgress)
    };
    let may_have_left = |state| {
        let done = |one: &Operation| !is_refused(one) && !waits_for_it(one) && leads_to(round, one, state);
        round.starts_at() == Some(state) || round.actions().any(done)
    };
    (round.pictures().filter(|picture| !picture.operation.precedes(refused)))
        .filter_map(|picture| round.model.state(picture.reply.state.as_ref()?))
        .any(|state| leads_to(round, refused, state) && !may_have_left(state))
}

/// The refused requests that must have been done for the slip to explain the round: of as many as possible it is held that they
/// did nothing.
fn done_though_refused(round: Round<'_>, slip: &Slip) -> BTreeSet<OpId> {
    let mut slip = slip.clone();
    let suspects: Vec<OpId> = round.refusals().map(|one| one.id).filter(|id| !slip.idle.contains(id)).collect();
    for id in &suspects {
        slip.idle.insert(*id);
        if !makes_lawful(round, &slip, &BTreeSet::new()) {
            slip.idle.remove(id);
        }
    }
    suspects.into_iter().filter(|id| !slip.idle.contains(id)).collect()
}

/// A refuted round, whose kind is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refuted {
    because: &'static str,
    /// The slips that do not explain it, ...
    lesser: Vec<Slip>,
    /// ... and the one that does, if any.
    slip: Option<Slip>,
}

/// Names a refuted round's kind: the first rule whose relaxation makes it lawful.
pub(super) fn name(round: Round<'_>) -> Evidence {
    let (mut ladder, place) = ladder(round);
    ladder.truncate(place.map_or(ladder.len(), |place| place + 1));
    let slip = place.and_then(|_| ladder.pop());
    let (kind, because) = match slip.as_ref().map(|slip| (slip.rule, slip.kind)) {
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
    Evidence::refuted(kind, Refuted { because, lesser: ladder, slip })
}

impl Refuted {
    /// The operations that prove it, and the whole in words.
    pub(super) fn tell(&self, round: Round<'_>) -> Telling {
        let mut accused: BTreeSet<OpId> =
            shrink(round, &self.lesser).into_iter().map(|operation| operation.id).collect();
        // Whoever is said to have done what they refused is named.
        if let Some(slip) = self.slip.as_ref().filter(|slip| slip.rule == Relaxation::AppliedRefusals) {
            accused.extend(done_though_refused(round, slip));
        }
        let witness: Vec<&Operation> =
            round.operations.iter().filter(|operation| accused.contains(&operation.id)).collect();
        let mut story: Vec<String> = (witness.iter())
            .take(MOST_TOLD)
            .map(|operation| format!("{} ({})", whose(operation), answer(operation)))
            .collect();
        if witness.len() > MOST_TOLD {
            story.push(format!("and {} more", witness.len() - MOST_TOLD));
        }
        let sentence = format!("no order of these answers is lawful: {}; {}", story.join("; "), self.because);
        Telling::new(sentence, witness.iter().map(|operation| operation.id))
    }
}

/// Whether one slip alone explains the round.
fn makes_lawful(round: Round<'_>, slip: &Slip, doubted: &BTreeSet<OpId>) -> bool {
    // A write that left no trace cannot have left what its acknowledgement shows either.
    let reading = if slip.rule == Relaxation::LostAcks { AckReading::Unread } else { AckReading::ReadAfterwards };
    matches!(attempt(round, reading, Some(slip), doubted), Ok(Answer::Legal(_)))
}

/// The operations that the accusation needs: as soon as any one of them is not believed, a lawful order exists, or a `lesser`
/// slip explains it.
///
/// To disbelieve an operation is to know nothing of what came of it: it may have been done or not. That only ever allows
/// more orders, so what is refuted with less believed is refuted with more, and dropping one operation after the other ends
/// in a set of which none can be dropped. What the race and its observers said is kept longest.
fn shrink<'a>(round: Round<'a>, lesser: &[Slip]) -> Vec<&'a Operation> {
    let mut candidates: Vec<&Operation> = (round.operations.iter())
        .filter(|operation| matches!(operation.call.verb, Verb::Read | Verb::Act(_)))
        .filter(|operation| operation.outcome.reply().is_some())
        .collect();
    candidates.sort_by_key(|operation| match (&operation.call.verb, operation.phase) {
        (Verb::Read, Phase::SetUp) => 0,
        (_, Phase::SetUp) => 1,
        (Verb::Read, _) => 2,
        (_, _) => 3,
    });
    let is_refuted = |doubted: &BTreeSet<OpId>| {
        let illegal = |reading| matches!(attempt(round, reading, None, doubted), Ok(Answer::Illegal));
        AckReading::SOUND.into_iter().all(illegal) && !lesser.iter().any(|slip| makes_lawful(round, slip, doubted))
    };
    let mut doubted = BTreeSet::new();
    for operation in &candidates {
        doubted.insert(operation.id);
        if !is_refuted(&doubted) {
            doubted.remove(&operation.id);
        }
    }
    let mut witness: Vec<&Operation> =
        candidates.into_iter().filter(|operation| !doubted.contains(&operation.id)).collect();
    witness.sort_by_key(|operation| operation.id);
    witness
}

/// Acknowledged actions of the race and what followed it.
pub(super) fn contending_acks(round: Round<'_>) -> usize {
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

/// Whether the server was asked twice or more after all was quiet, said the same each time, and nothing is open that might
/// change it yet.
pub(super) fn final_reads_agree(round: Round<'_>) -> bool {
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

fn attempt(
    round: Round<'_>,
    reading: AckReading,
    slip: Option<&Slip>,
    doubted: &BTreeSet<OpId>,
) -> Result<Answer, String> {
    let mut encoded = encode(round, reading, doubted)?;
    for (entry, of) in encoded.entries.iter_mut().zip(&encoded.of) {
        let is_idle = slip.is_some_and(|slip| slip.idle.contains(of));
        if let Op::Stale { action, .. } | Op::Refused { action } = &mut entry.op {
            *action = action.filter(|_| !is_idle);
        }
    }
    let spec = Lifecycle { model: round.model, relaxed: slip.map(|slip| slip.rule) };
    if let Some(answer) = hint::order(&spec, &encoded) {
        return Ok(answer);
    }
    Ok(decide(&spec, &encoded.start, &encoded.entries, &Budget::steps(BUDGET)).answer)
}
