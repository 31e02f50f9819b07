//! Signs of distress, all warnings: `no-winner` in a round; `server-error` and `hang`, which only the comparison with
//! the same requests alone (the serial controls) can show.

use super::compose::Alone;
use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::round::Round;
use crate::history::{Cause, Meaning, Operation, Outcome};
use crate::ids::RoundId;
use crate::text::list;

/// Every contender was refused, although each alone would have been accepted.
fn no_winner(round: Round<'_>) -> Option<Evidence> {
    if !round.nobody_won() {
        return None;
    }
    let told: Vec<String> =
        round.contenders().take(4).map(|operation| format!("{} ({})", whose(operation), answer(operation))).collect();
    let sentence = format!("nobody won: {} were all refused, though each alone is accepted", list(&told));
    Some(Evidence::new(Kind::NoWinner, sentence, round.contenders().map(|operation| operation.id)))
}

/// Contenders without an answer, in races and alone.
#[derive(Debug, Default)]
pub(super) struct Distress {
    /// Whether a control was answered at all: without one there is nothing to compare with.
    has_control: bool,
    /// Whether a control was not accepted: then a race that nobody won says nothing.
    is_refused_alone: bool,
    errors: Seen,
    hangs: Seen,
    no_winner: Seen,
}

/// What some rounds show: the first of them, and how many there are.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) first: RoundId,
    pub(super) evidence: Evidence,
    pub(super) witness: Vec<Operation>,
    pub(super) rounds: u64,
}

#[derive(Debug, Default)]
struct Seen {
    alone: bool,
    in_races: Option<Found>,
    /// The last round that was counted.
    last: Option<RoundId>,
}

impl Distress {
    /// Looks at one more round.
    pub(super) fn absorb(&mut self, round: Round<'_>, alone: Alone) {
        if let Some(evidence) = no_winner(round).filter(|_| alone == Alone::Applied) {
            self.no_winner.count(round, || (evidence, round.contenders().cloned().collect()));
        }
        for operation in round.contenders() {
            let accepted = operation.outcome.reply().is_some_and(|reply| reply.meaning == Meaning::Applied);
            self.is_refused_alone |= !round.id.is_raced() && !accepted;
            let Outcome::Unknown(cause) = &operation.outcome else {
                self.has_control |= !round.id.is_raced();
                continue;
            };
            match cause {
                Cause::Status(500..) => self.errors.note(round, operation, Kind::ServerError),
                // What was never let go was withheld by us.
                Cause::TimedOut if operation.window.released.is_some() => {
                    self.hangs.note(round, operation, Kind::Hang);
                }
                Cause::TimedOut
                | Cause::Status(_)
                | Cause::Connect(_)
                | Cause::Tls(_)
                | Cause::Broken(_)
                | Cause::TooLarge
                | Cause::NotHttp(_)
                | Cause::Unreadable { .. }
                | Cause::Abandoned => {}
            }
        }
    }

    /// What races showed and controls did not.
    pub(super) fn findings(self) -> Vec<Found> {
        if !self.has_control {
            return Vec::new();
        }
        let no_winner = self.no_winner.in_races.filter(|_| !self.is_refused_alone);
        let unanswered = [self.errors, self.hangs].into_iter().filter(|seen| !seen.alone);
        unanswered.filter_map(|seen| seen.in_races).chain(no_winner).collect()
    }
}

impl Seen {
    fn note(&mut self, round: Round<'_>, operation: &Operation, kind: Kind) {
        if !round.id.is_raced() {
            self.alone = true;
            return;
        }
        self.count(round, || {
            let sentence = format!("{} in a race: {}; alone it is answered", whose(operation), answer(operation));
            (Evidence::new(kind, sentence, [operation.id]), vec![operation.clone()])
        });
    }

    /// Counts a round, once; the first one is the example. (There may be millions of them: no other is kept.)
    fn count(&mut self, round: Round<'_>, show: impl FnOnce() -> (Evidence, Vec<Operation>)) {
        if self.last.replace(round.id) == Some(round.id) {
            return;
        }
        if let Some(found) = &mut self.in_races {
            found.rounds += 1;
            return;
        }
        let (evidence, witness) = show();
        self.in_races = Some(Found { first: round.id, evidence, witness, rounds: 1 });
    }
}
