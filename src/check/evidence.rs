//! What a rule hands to the judge: a kind, a sentence, and the few operations that prove it.

use std::borrow::Cow;

use super::kind::{Kind, Severity};
use super::refute::Refuted;
use super::round::{Ack, Round};
use crate::history::{Meaning, Operation, Outcome, Verb};
use crate::ids::OpId;
use crate::text;

/// A proven anomaly of one round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Evidence {
    /// What it is.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// What shows it.
    proof: Proof,
}

/// What shows an anomaly, as far as it has been looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Proof {
    /// All of it.
    Told(Telling),
    /// No order is lawful. Which operations it takes to see that is looked for only where somebody is to read it: of many rounds
    /// of one kind one is shown, and looking takes longer than judging.
    Refuted(Box<Refuted>),
}

/// An anomaly in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Telling {
    /// In words.
    pub sentence: String,
    /// The operations that prove it, in order of opening.
    pub witness: Vec<OpId>,
}

impl Telling {
    pub(super) fn new(sentence: String, witness: impl IntoIterator<Item = OpId>) -> Self {
        let mut witness: Vec<OpId> = witness.into_iter().collect();
        witness.sort_unstable();
        witness.dedup();
        Self { sentence, witness }
    }
}

impl Evidence {
    pub(super) fn new(kind: Kind, sentence: String, witness: impl IntoIterator<Item = OpId>) -> Self {
        let proof = Proof::Told(Telling::new(sentence, witness));
        Self { kind, severity: kind.severity(), proof }
    }

    /// That no order of a round is lawful.
    pub(super) fn refuted(kind: Kind, refuted: Refuted) -> Self {
        Self { kind, severity: kind.severity(), proof: Proof::Refuted(Box::new(refuted)) }
    }

    /// In words, and which operations prove it. `round` is the one that it was found in, as the rules were told it.
    pub(super) fn telling(&self, round: Round<'_>) -> Cow<'_, Telling> {
        match &self.proof {
            Proof::Told(telling) => Cow::Borrowed(telling),
            Proof::Refuted(refuted) => Cow::Owned(refuted.tell(round)),
        }
    }

    /// The same as a warning: the API description does not promise that it cannot be.
    pub(super) fn into_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }
}

/// `the customer's cancellation`, `rider 2's pickup`.
pub(super) fn whose(operation: &Operation) -> String {
    let article = if operation.call.actor.person == 1 { "the " } else { "" };
    format!("{article}{}'s {}", operation.call.actor, operation.call.verb)
}

/// `the customer's cancellation was acknowledged (200: cancelled, version 3)`.
pub(super) fn acknowledged(ack: &Ack<'_>) -> String {
    format!("{} was acknowledged ({})", whose(ack.operation), answer(ack.operation))
}

/// What was answered, short: `200: cancelled, version 3`, `412 stale`, `no answer: …`.
pub fn answer(operation: &Operation) -> String {
    let reply = match &operation.outcome {
        Outcome::Answered(reply) => reply,
        Outcome::NotSent(cause) => return format!("not sent: {}", text::harmless(&cause.to_string(), 200)),
        Outcome::Unknown(cause) => return format!("unknown: {}", text::harmless(&cause.to_string(), 200)),
    };
    if let Some(records) = &reply.records {
        return format!("{}: {}", reply.status, text::count(records.len() as u64, "row"));
    }
    let mut said = Vec::new();
    said.extend(reply.state.as_ref().map(|state| text::harmless(state, 40)));
    said.extend(reply.version.map(|version| format!("version {version}")));
    said.extend(reply.effect.as_ref().map(|effect| format!("effect {}", text::harmless(&text::short(effect), 40))));
    if said.is_empty() || !matches!(reply.meaning, Meaning::Applied) {
        said.insert(0, reply.meaning.word().to_owned());
    }
    format!("{}: {}", reply.status, said.join(", "))
}

/// `the server now says preparing, version 4`, with the operation that says it.
pub(super) fn now_says(round: Round<'_>) -> Option<(String, OpId)> {
    let (operation, reply) = round.final_read()?;
    let state = text::harmless(reply.state.as_ref()?, 40);
    let version = reply.version.map(|version| format!(", version {version}")).unwrap_or_default();
    Some((format!("the server now says `{state}`{version}"), operation.id))
}

/// The ids of the operations that list what happened, where they were answered.
pub(super) fn list_id(round: Round<'_>, verb: &Verb) -> Option<OpId> {
    round.list(verb).map(|(operation, _)| operation.id)
}
