//! Every rule on one round: what is wrong with it, its cause first.

use std::cmp::Reverse;

use super::evidence::Evidence;
use super::kind::{Kind, Severity};
use super::refute::{self, Refutation};
use super::round::Round;
use super::{access, effects, idempotency, preconditions, reads, records, sums, tokens, transitions, updates};
use crate::api::Model;

/// Everything wrong with a round, its cause first, and what could not be decided.
pub(super) fn judge_round(round: Round<'_>) -> (Vec<Evidence>, Option<String>) {
    let mut found = Vec::new();
    access::check(round, &mut found);
    idempotency::check(round, &mut found);
    effects::check(round, &mut found);
    tokens::check(round, &mut found);
    updates::check(round, &mut found);
    preconditions::check(round, &mut found);
    transitions::check(round, &mut found);
    reads::check(round, &mut found);
    sums::check(round, &mut found);
    let mut doubt = None;
    let is_explained = is_explained(&found);
    match refute::check(round) {
        Refutation::Refuted if !is_explained => found.push(refute::name(round)),
        Refutation::Undecided(why) if !is_explained => doubt = Some(why),
        Refutation::None if !is_explained => doubt = updates::undecidable(round),
        Refutation::None | Refutation::Refuted | Refutation::Undecided(_) => {}
    }
    // Last: where the states themselves contradict what was acknowledged, a record that does so too is no cause.
    records::check(round, &mut found);
    (ranked(found), doubt)
}

/// What a round proves that cannot be judged by its states (`lower` says why, and what it found): whom keys and effects belong
/// to and how often they were done asks for no states.
pub(super) fn judge_without_states(round: Round<'_>, found: &[Evidence]) -> Vec<Evidence> {
    let mut found = found.to_vec();
    // Somebody else's changes count as versions, too.
    let model = Model { versioned: false, ..round.model.clone() };
    let round = Round { model: &model, ..round };
    access::check(round, &mut found);
    idempotency::check(round, &mut found);
    effects::check(round, &mut found);
    ranked(found)
}

/// Whether a contradiction is explained. A warning does not explain one, but for the stored refusal, which is one.
pub(super) fn is_explained(found: &[Evidence]) -> bool {
    found.iter().any(|one| one.severity == Severity::Violation || one.kind == Kind::KeyPoisoned)
}

/// The worst of each kind; and a warning is no cause of a violation, however telling its kind.
fn ranked(mut found: Vec<Evidence>) -> Vec<Evidence> {
    found.sort_by_key(|evidence| (evidence.kind, Reverse(evidence.severity)));
    found.dedup_by_key(|evidence| evidence.kind);
    found.sort_by_key(|evidence| (Reverse(evidence.severity), evidence.kind));
    found
}
