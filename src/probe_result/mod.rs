//! What was asked of a target before any race, and what it said: plain data, which the terminal's reports are rendered from.
//! Holds no secret: what may be one was masked before it came here.

mod findings;

use crate::api::Sighted;
pub use findings::{Advice, Mark, ProbeFinding, ProbeResult, SCHEMA, StatusSeen};

/// One request and what was heard.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Who asked: a role, and which person in it.
    pub who: String,
    /// What for: `create`, `read`, the name of an action or of a list.
    pub verb: String,
    /// The request.
    pub asked: Asked,
    /// What came of it.
    pub heard: Heard,
}

/// A request, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Method and path.
    pub request: String,
    /// Its headers, but for those that every request has.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body.
    pub body: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub enum Heard {
    /// No complete reply; why.
    Nothing(String),
    /// A reply.
    Reply(Box<Told>),
}

/// A reply, for people.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its status.
    pub status: u16,
    /// What it means: a word of `[[replies]]`, or `unknown` where that is left open.
    pub meaning: &'static str,
    /// What says so.
    pub because: String,
    /// Those of its headers that matter.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body.
    pub body: Option<String>,
    /// What was read from it, or should have been.
    pub sights: Vec<Sighted>,
    /// Why races can make nothing of it.
    pub unreadable: Option<String>,
}

impl Turn {
    /// Why nothing can be made of what came, if so: half a sentence.
    pub fn failure(&self) -> Option<String> {
        match &self.heard {
            Heard::Nothing(why) => Some(why.clone()),
            Heard::Reply(told) => told.unreadable.clone().or_else(|| {
                let missed = told.sights.iter().find(|sight| sight.is_needed && sight.found.is_none())?;
                Some(format!("there is no {} at {}", missed.what, missed.place))
            }),
        }
    }
}

/// A plan in requests: what would be sent, with examples in the holes.
#[derive(Debug, Clone)]
pub struct Outline {
    /// The scenario.
    pub scenario: String,
    /// The API description.
    pub api: String,
    /// What is to be known of it: what each contender should hear alone, say.
    pub notes: Vec<String>,
    /// Its parts, in order.
    pub parts: Vec<OutlinePart>,
}

/// One part of a plan.
#[derive(Debug, Clone)]
pub struct OutlinePart {
    /// `set-up`, `change`, `race`, `then`, `look`.
    pub title: &'static str,
    /// Its requests.
    pub steps: Vec<OutlineStep>,
}

/// One request of a plan.
#[derive(Debug, Clone)]
pub struct OutlineStep {
    /// Who asks.
    pub who: String,
    /// What for.
    pub verb: String,
    /// The request.
    pub asked: Asked,
    /// On which token, with which key, how much later, where to.
    pub remark: String,
}

/// What was played, one request after the other.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// All that was asked, in order, under a title wherever something new begins.
    pub turns: Vec<(Option<String>, Turn)>,
    /// Why it ended early, if it did.
    pub ended: Option<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// What was heard or read that the description does not allow, a sentence each; and what may have been meant, if that is known.
    pub mismatches: Vec<(String, Option<String>)>,
}

impl Played {
    /// How many replies nothing can be made of.
    pub fn failures(&self) -> usize {
        self.turns.iter().filter(|(_, turn)| turn.failure().is_some()).count()
    }

    /// Whether everything could be played and read, and was as described.
    pub fn is_fine(&self) -> bool {
        self.ended.is_none() && self.failures() == 0 && self.mismatches.is_empty()
    }
}
