//! What idempotency keys promise: `key-scope-leak`, `in-flight-duplicate` (of resources), `key-forgotten`,
//! `key-reuse-accepted`, `replay-mismatch`. (`effects` counts what requests with one key did; here their answers are
//! compared.)
//!
//! All rules look at pairs of requests with one key and one verb. What one execution made has one *identity*: the id of
//! the effect, or of the created resource. Two answers with different identities tell of two executions.

use std::collections::HashMap;
use std::sync::Arc;

use super::evidence::{Evidence, answer, whose};
use super::kind::Kind;
use super::round::Round;
use crate::history::{Meaning, Operation, Reply, Verb};
use crate::text::{harmless, short};

/// All evidence of this family in one round.
pub(super) fn check(round: Round<'_>, found: &mut Vec<Evidence>) {
    let groups = by_key(round);
    let pairs = || {
        groups.iter().flat_map(|keyed| {
            (keyed.iter().enumerate()).flat_map(|(index, a)| keyed[index + 1..].iter().map(move |b| Pair::of(a, b)))
        })
    };
    found.extend(pairs().filter(|pair| pair.made_its_own(round)).find_map(Pair::key_scope_leak));
    found.extend(pairs().find_map(Pair::in_flight_duplicate));
    found.extend(pairs().find_map(Pair::key_forgotten));
    found.extend(pairs().find_map(|pair| pair.key_reuse_accepted(round.model.keys.refuses_reuse)));
    if round.model.keys.replays_what_was_stored {
        found.extend(pairs().find_map(Pair::replay_mismatch));
    }
}

/// The requests with each key, in the order in which the keys were first sent.
fn by_key(round: Round<'_>) -> Vec<Vec<&Operation>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Operation>> = Vec::new();
    for operation in round.sent() {
        let Some(key) = &operation.call.key else { continue };
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(operation);
    }
    groups
}

/// Two requests with keys, the one that was opened first first.
#[derive(Debug, Clone, Copy)]
struct Pair<'a> {
    first: &'a Operation,
    later: &'a Operation,
}

impl<'a> Pair<'a> {
    fn of(a: &'a Operation, b: &'a Operation) -> Self {
        if a.window.opened <= b.window.opened { Self { first: a, later: b } } else { Self { first: b, later: a } }
    }

    /// Whether what these requests answer with is what they made themselves. Where a resource has a limited number of
    /// effects, and asking for one that is there already is allowed (paying what is paid), all are truthfully shown the same.
    fn made_its_own(self, round: Round<'_>) -> bool {
        let action = self.first.call.action().and_then(|name| round.model.action(name));
        action.is_none_or(|action| round.model.effects_per_resource.is_none() || action.always_changes())
    }

    /// One principal's key got another principal the first one's answer.
    ///
    /// Sound because keys belong to the caller, and ids are made once: an effect or a resource that answers two requests of
    /// two principals was made for one of them. Two actions on one resource may both truthfully answer with its id, so only
    /// what a request *made* counts: the effect of an action, the resource of a creation.
    fn key_scope_leak(self) -> Option<Evidence> {
        let principals = (self.first.call.principal.as_ref()?, self.later.call.principal.as_ref()?);
        let same_key = self.first.call.key == self.later.call.key && self.first.call.verb == self.later.call.verb;
        let identity = made(self.first)?;
        if principals.0 == principals.1 || !same_key || made(self.later)? != identity {
            return None;
        }
        let sentence = format!(
            "{} was answered {}, and {} with the same key {} got the same {}: another principal's answer",
            whose(self.first),
            answer(self.first),
            whose(self.later),
            self.key(),
            harmless(&short(identity), 60),
        );
        Some(self.evidence(Kind::KeyScopeLeak, sentence))
    }

    /// Two creations with one key overlapped, and made two resources.
    fn in_flight_duplicate(self) -> Option<Evidence> {
        let overlapped = !self.first.precedes(self.later);
        if !overlapped || self.first.call.verb != Verb::Create || !self.made_twice() {
            return None;
        }
        let sentence = format!(
            "{} was sent twice at once with one idempotency key ({}; {}), and made two (key {})",
            whose(self.first),
            Self::told(self.first),
            Self::told(self.later),
            self.key(),
        );
        Some(self.evidence(Kind::InFlightDuplicate, sentence))
    }

    /// The request was finished, and a later retry made something anew.
    fn key_forgotten(self) -> Option<Evidence> {
        if !self.first.precedes(self.later) || !self.made_twice() {
            return None;
        }
        let sentence = format!(
            "{} was done ({}), and its retry with the same key {} did it again ({})",
            whose(self.first),
            Self::told(self.first),
            self.key(),
            Self::told(self.later),
        );
        Some(self.evidence(Kind::KeyForgotten, sentence))
    }

    fn made_twice(self) -> bool {
        self.first.repeats(self.later)
            && made(self.first).zip(made(self.later)).is_some_and(|(one, other)| one != other)
    }

    /// The request was finished, and its key was accepted with another payload: executed, or answered as if it were the
    /// same. An executed one is wrong anywhere: the key has two effects. A replay is wrong where the API promises a refusal.
    fn key_reuse_accepted(self, is_promised: bool) -> Option<Evidence> {
        let other_payload = self.first.shares_key(self.later) && !self.first.repeats(self.later);
        let both = done(self.first).zip(done(self.later));
        if !other_payload || !self.first.precedes(self.later) || both.is_none() {
            return None;
        }
        let is_executed = made(self.first).zip(made(self.later)).is_some_and(|(one, other)| one != other);
        let how = if is_executed { "was done as well" } else { "was answered as if it were the same" };
        let sentence = format!(
            "{} was done ({}), and another request with its key {} and another payload {how} ({})",
            whose(self.first),
            Self::told(self.first),
            self.key(),
            Self::told(self.later),
        );
        let evidence = self.evidence(Kind::KeyReuseAccepted, sentence);
        Some(if is_executed || is_promised { evidence } else { evidence.into_warning() })
    }

    /// Two requests were one logical operation, and got different answers: both must be the one that was stored. Fields that
    /// the API description declares volatile are not compared, nor is a refusal for now (409 while in progress; 429, which a
    /// limiter in front of the service says without having looked at the key).
    fn replay_mismatch(self) -> Option<Evidence> {
        if !self.first.repeats(self.later) {
            return None;
        }
        let stored = done(self.first);
        let difference = match (stored, done(self.later)) {
            (Some(one), Some(other)) => differs(one, other)?,
            (Some(_), None) if self.first.precedes(self.later) => {
                let is_for_good = |reply: &&Reply| reply.meaning.is_refusal() && reply.status != 429;
                let refused = self.later.outcome.reply().filter(is_for_good)?;
                format!("refused it with {}", refused.status)
            }
            (Some(_) | None, _) => return None,
        };
        let sentence = format!(
            "{} was done ({}), and its retry with the same key {} {difference} ({})",
            whose(self.first),
            Self::told(self.first),
            self.key(),
            Self::told(self.later),
        );
        Some(self.evidence(Kind::ReplayMismatch, sentence))
    }

    fn key(self) -> String {
        harmless(&short(self.first.call.key.as_deref().unwrap_or_default()), 60)
    }

    /// An answer, with the id of what was made where that is the point.
    fn told(operation: &Operation) -> String {
        match (&operation.call.verb, made(operation)) {
            (Verb::Create, Some(id)) => format!("{}, id {}", answer(operation), harmless(&short(id), 60)),
            _ => answer(operation),
        }
    }

    fn evidence(self, kind: Kind, sentence: String) -> Evidence {
        Evidence::new(kind, sentence, [self.first.id, self.later.id])
    }
}

/// The reply of a request that the server says it did, now or earlier.
fn done(operation: &Operation) -> Option<&Reply> {
    let did = |reply: &&Reply| matches!(reply.meaning, Meaning::Applied | Meaning::Replayed);
    operation.outcome.reply().filter(did)
}

/// The identity of what a request made.
fn made(operation: &Operation) -> Option<&Arc<str>> {
    let reply = done(operation)?;
    match operation.call.verb {
        Verb::Create => reply.resource.as_ref(),
        Verb::Act(_) => reply.effect.as_ref(),
        Verb::Read | Verb::ListEffects | Verb::ListEvents => None,
    }
}

/// In what two answers to one logical operation differ.
fn differs(one: &Reply, other: &Reply) -> Option<String> {
    if one.status != other.status {
        return Some(format!("got {} instead of {}", other.status, one.status));
    }
    if one.state != other.state || one.version != other.version {
        return Some("got another picture".to_owned());
    }
    let both = one.digest.zip(other.digest);
    (both.is_some_and(|(one, other)| one != other)).then(|| "got another body".to_owned())
}
