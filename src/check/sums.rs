//! What a counter's numbers say: what is missing from or too much in a number that was shown. (`oversell` asks for room.)
//!
//! A number is what it was at first and what the changes that were done add up to, in whatever order they were done. So a
//! number that no choice of the changes gives, of those that were acknowledged and those that may have been done, proves
//! that something went wrong; and which choice would give it after all names what:
//!
//! ```text
//! starts 10, two takes of 1 acknowledged:   8 lawful
//!                                           9 or 10  some of what was acknowledged is missing: lost-update
//! and one more refused:                     7        the refused one was done: rejected-but-applied
//! or one of them sent twice with one key:   7        its key did the work twice: in-flight-duplicate, key-forgotten
//!                                           11, 6    no choice gives it: conservation
//! ```
//!
//! A number outside all choices is called `conservation` and not `illegal-transition`, since single steps are not seen: what
//! is proved is that the sums disagree. Sums are compared without regard to order and bounds, which only allows more.

mod suspects;

use super::evidence::{Evidence, acknowledged, answer, whose};
use super::kind::Kind;
use super::lower::number;
use super::oversell::oversold;
use super::refute::{contending_acks, final_reads_agree};
use super::round::{Ack, Round, is_refused};
use crate::api::Family;
use crate::history::{Meaning, Operation, Verb};
use crate::ids::OpId;
use crate::text::{count, list};
use suspects::{Suspects, Times, Way, sums};

/// Operations that a sentence tells.
const MOST_TOLD: usize = 4;

/// All evidence of this family in one round, told in numbers (`lower`).
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    let Family::Counter(bounds) = round.model.family else { return };
    let Some(start) = number(round.model.state_name(round.model.initial)) else { return };
    found.extend(oversold(round, start, bounds));
    // Where reads may lag by declaration, what they lack proves nothing.
    if !round.model.lags.reads {
        let changes = Change::all(round);
        found.extend(in_the_end(round, &changes, start).or_else(|| on_the_way(round, &changes, start)));
    }
}

/// Requests that change the number once: one request, or all that may be one to the server because they share a key.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) adds: i64,
    pub(super) requests: Vec<&'a Operation>,
}

/// What may have become of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Belief {
    /// What the server said.
    AsTold,
    /// What was acknowledged may not have been done.
    Lost,
    /// Each request of one key may have done it, but for the refused ones.
    Again,
    /// What was refused may have been done.
    Refused,
}

impl<'a> Change<'a> {
    /// The changes that a round asked for.
    pub(super) fn all(round: Round<'a>) -> Vec<Self> {
        let mut changes: Vec<Self> = Vec::new();
        for operation in round.actions() {
            let action = operation.call.action().and_then(|name| round.model.action(name));
            let Some(adds) = action.and_then(|action| action.adds).filter(|adds| *adds != 0) else { continue };
            // Two that cannot share a key may each share it with a third, whom nothing tells apart from either.
            let mut own = Self { adds, requests: vec![operation] };
            let is_same = |change: &mut Self| change.requests.iter().any(|other| other.may_share_key(operation));
            for same in changes.extract_if(.., is_same) {
                own.requests.extend(same.requests);
            }
            changes.push(own);
        }
        changes
    }

    /// One that was acknowledged was done; a stored answer may be another's, but that one was done then.
    fn least(&self) -> usize {
        usize::from(self.requests.iter().any(|one| means(one, Meaning::Applied)))
    }

    /// Each caller's key once, unless all were refused.
    pub(super) fn most(&self) -> usize {
        let done: Vec<&Operation> = self.requests.iter().copied().filter(|one| !is_refused(one)).collect();
        let is_first = |index: &usize| !done[..*index].iter().any(|earlier| earlier.shares_key(done[*index]));
        (0..done.len()).filter(is_first).count()
    }

    fn times(&self, belief: Belief) -> Times {
        let not_refused = self.requests.iter().filter(|one| !is_refused(one)).count();
        match belief {
            Belief::AsTold => (self.least(), self.most()),
            Belief::Lost => (0, self.most()),
            Belief::Again => (self.least(), not_refused),
            Belief::Refused => (self.least(), self.most() + self.requests.len() - not_refused),
        }
    }

    /// The same, of requests that were opened by the time that `picture` was over.
    fn until(&self, picture: &Operation) -> Self {
        let begun = |one: &&Operation| one.window.opened <= picture.window.closed;
        Self { adds: self.adds, requests: self.requests.iter().copied().filter(begun).collect() }
    }
}

pub(super) fn means(operation: &Operation, meaning: Meaning) -> bool {
    operation.outcome.reply().is_some_and(|reply| reply.meaning == meaning)
}

/// The changes, each done as `belief` has it.
fn ways(changes: &[Change<'_>], belief: Belief) -> Vec<Way> {
    changes.iter().map(|change| (change.adds, change.times(belief))).collect()
}

/// The last number, read after all was quiet, is none that the changes can have led to.
fn in_the_end(round: Round<'_>, changes: &[Change<'_>], start: i64) -> Option<Evidence> {
    let (read, reply) = round.final_read()?;
    let shown = number(reply.state.as_ref()?)?;
    let by = shown.checked_sub(start)?;
    let leads = |belief| Some(sums(ways(changes, belief))?.contains(&by));
    if leads(Belief::AsTold)? {
        return None;
    }
    // Told in full only where all of it can be looked at.
    let is_lost = leads(Belief::Lost)?;
    let slip = |belief| {
        let is_it = leads(belief)?;
        Some(is_it.then(|| Suspects::of(by, &ways(changes, Belief::AsTold), &ways(changes, belief))).flatten())
    };
    let again = slip(Belief::Again)?.map(|suspects| Slip::again(changes, &suspects));
    let refused = slip(Belief::Refused)?.map(|suspects| Slip::refused(changes, &suspects));
    let ends = format!("it held {start} at first, and in the end {shown}");
    if is_lost {
        // Reads that do not agree may be late: the search says so.
        return final_reads_agree(round).then(|| {
            let others = [again, refused];
            lost(round, &missing(changes, by), &ends, others.iter().flatten())
        });
    }
    let seen = acks(round).map(|ack| ack.id()).chain([read.id]);
    Some(match (again, refused) {
        (Some(again), refused) => {
            let sentence = format!("{}: {ends}, so {}{}", again.told, again.done, or_else(refused.iter()));
            let requests = again.ids().chain(refused.iter().flat_map(Slip::ids)).chain([read.id]);
            Evidence::new(again.kind, sentence, requests)
        }
        (None, Some(refused)) => {
            let sentence = format!("{}, yet {ends}: {}", refused.told, refused.done);
            Evidence::new(refused.kind, sentence, seen.chain(refused.ids()))
        }
        (None, None) => {
            let all: Vec<&Operation> = changes.iter().flat_map(|change| &change.requests).copied().collect();
            let sentence =
                format!("{ends}, which nothing explains that was acknowledged or may have been done: {}", told(&all));
            Evidence::new(Kind::Conservation, sentence, all.iter().map(|one| one.id).chain([read.id]))
        }
    })
}

/// What was acknowledged is missing from the last number; or one of the other slips was made, which lead there as well.
fn lost<'a>(
    round: Round<'_>,
    proof: &[&Operation],
    ends: &str,
    others: impl Iterator<Item = &'a Slip<'a>> + Clone,
) -> Evidence {
    let kind = if contending_acks(round) == 1 { Kind::AcknowledgedThenLost } else { Kind::LostUpdate };
    let lost = if proof.len() == 1 { "it is lost" } else { "not all of them are in it" };
    let sentence = format!("{}; {ends}: {lost}{}", told(proof), or_else(others.clone()));
    let reads = round.final_reads().map(|(read, _)| read.id);
    Evidence::new(kind, sentence, proof.iter().map(|one| one.id).chain(reads).chain(others.flat_map(Slip::ids)))
}

/// A kind of slip that leads to the number, in words.
struct Slip<'a> {
    kind: Kind,
    requests: Vec<&'a Operation>,
    /// What was said.
    told: String,
    /// What was done all the same.
    done: &'static str,
}

impl<'a> Slip<'a> {
    /// A key did its work again.
    fn again(changes: &[Change<'a>], suspects: &Suspects) -> Self {
        let of = |place: &usize| changes[*place].requests.as_slice();
        let requests = suspects.places().iter().flat_map(of).copied().collect::<Vec<_>>();
        let kind = suspects.places().iter().map(|place| kind_of_twice(of(place))).min();
        let (keys, done) = match suspects {
            Suspects::Alone(places) if places.len() == 1 => ("with one idempotency key", "it was done twice"),
            Suspects::Alone(_) => ("with several idempotency keys", "one key did its work twice"),
            Suspects::Together(_) => ("with several idempotency keys", "each key did its work twice"),
        };
        let told = format!("{}, {keys}", told(&requests));
        Self { kind: kind.expect("there is a suspect"), requests, told, done }
    }

    /// What was refused was done.
    fn refused(changes: &[Change<'a>], suspects: &Suspects) -> Self {
        let requests: Vec<&Operation> = (suspects.places().iter())
            .flat_map(|place| changes[*place].requests.iter().copied())
            .filter(|one| is_refused(one))
            .collect();
        let done = match suspects {
            _ if requests.len() == 1 => "it was done",
            Suspects::Alone(_) => "one of them was done",
            Suspects::Together(_) => "these together lead there, and none of what was refused does alone",
        };
        let told = match requests[..] {
            [one] => format!("{} was refused ({})", whose(one), answer(one)),
            _ => format!("{} were refused", told(&requests)),
        };
        Self { kind: Kind::RejectedButApplied, requests, told, done }
    }

    fn ids(&self) -> impl Iterator<Item = OpId> {
        self.requests.iter().map(|one| one.id)
    }
}

/// Other slips that lead to the same number: nobody can tell which it was.
fn or_else<'a>(others: impl Iterator<Item = &'a Slip<'a>>) -> String {
    others.map(|other| format!("; or else {}, and {}", other.told, other.done)).collect::<Vec<_>>().concat()
}

/// What a key that did its work twice is called: by whether its requests were under way together.
fn kind_of_twice(requests: &[&Operation]) -> Kind {
    let done: Vec<&&Operation> = requests.iter().filter(|one| !is_refused(one)).collect();
    let overlap = |a: &Operation, b: &Operation| !a.precedes(b) && !b.precedes(a);
    let any_overlap = done.iter().enumerate().any(|(index, a)| done[index + 1..].iter().any(|b| overlap(a, b)));
    if any_overlap { Kind::InFlightDuplicate } else { Kind::KeyForgotten }
}

/// As few acknowledged requests as prove that one of them is missing: whatever else was done or not, the sum is another.
fn missing<'b>(changes: &[Change<'b>], by: i64) -> Vec<&'b Operation> {
    let mut believed: Vec<bool> = changes.iter().map(|change| change.least() > 0).collect();
    let is_proof = |believed: &[bool]| {
        let way = |(change, is_believed): (&Change<'b>, &bool)| {
            (change.adds, change.times(if *is_believed { Belief::AsTold } else { Belief::Lost }))
        };
        sums(changes.iter().zip(believed).map(way)).is_some_and(|sums| !sums.contains(&by))
    };
    for place in (0..changes.len()).rev() {
        if std::mem::replace(&mut believed[place], false) && !is_proof(&believed) {
            believed[place] = true;
        }
    }
    let ack = |change: &Change<'b>| change.requests.iter().copied().find(|one| means(one, Meaning::Applied));
    changes.iter().zip(believed).filter(|(_, is_believed)| *is_believed).filter_map(|(change, _)| ack(change)).collect()
}

/// A number was shown on the way that nothing which had begun by then can have led to.
///
/// A number that a refused change alone explains, and that is gone again, was read before that change was taken back.
fn on_the_way(round: Round<'_>, changes: &[Change<'_>], start: i64) -> Option<Evidence> {
    let in_the_end = round.final_read().and_then(|(_, reply)| reply.state.clone());
    round.pictures().find_map(|picture| {
        let one = picture.operation;
        let shown = number(picture.reply.state.as_ref()?)?;
        let by = shown.checked_sub(start)?;
        let begun: Vec<Change<'_>> = changes.iter().map(|change| change.until(one)).collect();
        // What had begun need not have been done yet.
        let so_far = |belief| -> Vec<Way> {
            ways(&begun, belief).into_iter().map(|(adds, (_, most))| (adds, (0, most))).collect()
        };
        let leads = |belief| Some(sums(so_far(belief))?.contains(&by));
        // A key that did its work twice: the search has it, or the end shows it.
        if leads(Belief::Lost)? || leads(Belief::Again)? {
            return None;
        }
        if leads(Belief::Refused)? {
            let suspects = Suspects::of(by, &so_far(Belief::AsTold), &so_far(Belief::Refused))?;
            let refused = Slip::refused(&begun, &suspects);
            let is_gone = in_the_end.is_some() && in_the_end != picture.reply.state;
            let is_dirty = one.call.verb == Verb::Read && is_gone;
            let sentence =
                format!("{} ({}) shows {shown}, and {}: {}", whose(one), answer(one), refused.told, refused.done);
            return is_dirty.then(|| Evidence::new(Kind::DirtyRead, sentence, refused.ids().chain([one.id])));
        }
        let sentence = format!(
            "{} ({}) shows {shown}, and it held {start} at first: nothing that had begun by then leads there",
            whose(one),
            answer(one)
        );
        let witness = begun.iter().flat_map(|change| &change.requests).map(|request| request.id).chain([one.id]);
        Some(Evidence::new(Kind::Conservation, sentence, witness))
    })
}

fn acks(round: Round<'_>) -> impl Iterator<Item = Ack<'_>> {
    round.acks().filter(move |ack| {
        round.model.action(ack.action()).and_then(|action| action.adds).is_some_and(|adds| adds != 0)
    })
}

/// `the customer's buy was acknowledged (200: 9), customer 2's buy … and 3 more`.
pub(super) fn told(operations: &[&Operation]) -> String {
    let tell = |one: &&Operation| match one.outcome.reply() {
        Some(reply) if reply.meaning == Meaning::Applied => acknowledged(&Ack { operation: one, reply }),
        _ => format!("{} ({})", whose(one), answer(one)),
    };
    let mut words: Vec<String> = operations.iter().take(MOST_TOLD).map(tell).collect();
    if operations.len() > MOST_TOLD {
        words.push(format!("{} more", count((operations.len() - MOST_TOLD) as u64, "request")));
    }
    list(&words)
}
