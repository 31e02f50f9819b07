//! One request on the wire, and its place in time.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Digest, Outcome};
use crate::clock::Stamp;
use crate::ids::{ClientId, OpId, RoundId};

/// One request on the wire and what came of it (judging R8: a retry is an operation of its own).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// Dense within the round, in order of opening.
    pub id: OpId,
    /// The lane it was made on.
    pub client: ClientId,
    /// The fresh resource it belongs to.
    pub round: RoundId,
    /// What part it plays in its round.
    pub phase: Phase,
    /// What was asked.
    pub call: Call,
    /// When.
    pub window: Window,
    /// What came of it.
    pub outcome: Outcome,
}

impl Operation {
    /// Real-time order (judging R1): this operation was certainly over before `other` began. Never true of an
    /// Unknown outcome, whose effect may come at any later time (R3).
    pub fn precedes(&self, other: &Self) -> bool {
        !self.outcome.is_open_ended() && self.window.closed < other.window.opened
    }

    /// Whether two requests are one logical operation: the same caller sent the same action with the same payload under
    /// the same idempotency key. (Keys belong to the caller.)
    pub fn repeats(&self, other: &Self) -> bool {
        self.shares_key(other) && self.call.payload == other.call.payload
    }

    /// Whether the same caller sent the same action under the same idempotency key, whatever the payload. The caller is
    /// whom the server was told to be dealing with; where nothing proved it, the person.
    pub fn shares_key(&self, other: &Self) -> bool {
        let is_same_caller = match (&self.call.principal, &other.call.principal) {
            (Some(own), Some(other)) => own == other,
            (None, _) | (_, None) => self.call.actor == other.call.actor,
        };
        is_same_caller && self.names_key_of(other)
    }

    /// As [`Self::shares_key`], or it cannot be told: to a server that nobody proves anything to, all may be one caller.
    pub fn may_share_key(&self, other: &Self) -> bool {
        let may_be_same_caller = match (&self.call.principal, &other.call.principal) {
            (Some(own), Some(other)) => own == other,
            (None, _) | (_, None) => true,
        };
        may_be_same_caller && self.names_key_of(other)
    }

    fn names_key_of(&self, other: &Self) -> bool {
        let (own, other) = (&self.call, &other.call);
        own.key.is_some() && own.key == other.key && own.verb == other.verb
    }

    /// The time from the gate's release (or, ungated, from opening) to the last response byte.
    pub fn latency(&self) -> std::time::Duration {
        self.window.closed.since(self.window.released.unwrap_or(self.window.opened))
    }
}

/// Whether some two of `contenders` were on their way at once: each released before the other was answered.
pub fn overlapped<'a>(contenders: impl IntoIterator<Item = &'a Operation>) -> bool {
    let mut flights: Vec<(Stamp, Stamp)> = (contenders.into_iter())
        .filter_map(|contender| Some((contender.window.released?, contender.window.closed)))
        .collect();
    flights.sort_unstable();
    // If any two overlap, some two neighbours by release do.
    flights.windows(2).any(|pair| pair[1].0 <= pair[0].1)
}

/// What part an operation plays in its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Brings the fresh resource to the starting state, and reads what contenders must know.
    SetUp,
    /// Races.
    Contend,
    /// Follows the race, one after the other: late retries, latecomers.
    Follow,
    /// Waits for the server to settle, as the API description asks. What it shows meanwhile is not judged.
    Settle,
    /// Looks at what the server says once all that is done.
    Observe,
}

/// When an operation could have taken effect. Recording may widen a window, never narrow it (judging R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Before the first byte could matter, also of a request whose end was withheld.
    pub opened: Stamp,
    /// When the gate let the withheld end go. For skew, overlap and latency only, never for order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Stamp>,
    /// After the last response byte, or when waiting for it ended.
    pub closed: Stamp,
}

/// What was asked of the server, in the API description's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What kind of request.
    pub verb: Verb,
    /// Who asked.
    pub actor: Actor,
    /// Whom the server was told to be dealing with, if anything proved it: two with one name are one principal to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<Arc<str>>,
    /// Method and path, as sent; for people.
    pub request: Arc<str>,
    /// The version token the request was conditional on.
    #[serde(default, skip_serializing_if = "Precondition::is_absent")]
    pub precondition: Precondition,
    /// The idempotency key it carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
    /// What it carried beside, where it carried a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Digest>,
    /// The value it was to write, where the resource is a register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Arc<str>>,
}

impl Call {
    /// The action's name, if this call is one.
    pub fn action(&self) -> Option<&str> {
        match &self.verb {
            Verb::Act(name) => Some(name),
            Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => None,
        }
    }
}

/// The kinds of request a race is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// Makes the fresh resource.
    Create,
    /// Reads it.
    Read,
    /// Does the named action to it.
    Act(Arc<str>),
    /// Lists the effects it had (a ledger of charges, say).
    ListEffects,
    /// Lists the transitions the server says it applied.
    ListEvents,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Act(name) => name,
            Self::ListEffects => "list of effects",
            Self::ListEvents => "list of events",
        })
    }
}

/// A person in a role: `rider 2` is the second rider of a round.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// A role of the API description.
    pub role: Arc<str>,
    /// Which person in that role, from 1.
    pub person: u32,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.person {
            1 => write!(f, "{}", self.role),
            person => write!(f, "{} {person}", self.role),
        }
    }
}

/// What a request was conditional on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precondition {
    /// Nothing.
    #[default]
    Absent,
    /// The resource's version token being this one.
    Token(Arc<str>),
}

impl Precondition {
    /// Whether the request was unconditional.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The token, if the request named one.
    pub fn token(&self) -> Option<&Arc<str>> {
        match self {
            Self::Token(token) => Some(token),
            Self::Absent => None,
        }
    }

    /// The token, if it is one that strong comparison can match (RFC 9110 §8.8.3.2).
    pub fn strong_token(&self) -> Option<&Arc<str>> {
        self.token().filter(|token| !token.starts_with("W/"))
    }
}
