//! What a rule hands to the judge: a kind, a sentence, and the few operations that prove it.

use super::kind::{Kind, Severity};
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
    /// In words.
    pub sentence: String,
    /// The operations that prove it, in order of opening.
    pub witness: Vec<OpId>,
}

impl Evidence {
    pub(super) fn new(kind: Kind, sentence: String, witness: impl IntoIterator<Item = OpId>) -> Self {
        let mut witness: Vec<OpId> = witness.into_iter().collect();
        witness.sort_unstable();
        witness.dedup();
        Self { kind, severity: kind.severity(), sentence, witness }
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
