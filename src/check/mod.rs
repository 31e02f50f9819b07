//! The judge: from a history to a verdict. Pure, so a saved history gets the same verdict anywhere.
//!
//! Two ways to a finding, one promise (a reported violation is real):
//! - *direct evidence*, one file per family: `access`, `idempotency`, `effects`, `tokens`, `updates`, `preconditions`,
//!   `transitions`, `reads`, `sums`, `oversell`, `records`, `distress`. Each rule states beside its code why what it saw cannot be
//!   lawful.
//! - the *general check* (`refute`): a search ([`linear`]) for any lawful order of the round's operations under the
//!   declared state machine. If there is none and no direct evidence names the cause, the one rule that would have to
//!   be relaxed does.
//!
//! Registers and counters are told as state machines first, one for each round (`lower`); of effects there is but one state.
//!
//! Histories that other tools recorded are judged by the general check alone (`recorded`), key by key ([`parts`]).
//!
//! A round's cause is reported once, under its most telling kind ([`Kind`]'s order), with the others as evidence.
//!
//! ```
//! use quickeats_bench::api::builtin;
//! use quickeats_bench::check::{Alone, Severity, Verdict, judge};
//! use quickeats_bench::history::History;
//!
//! let api = builtin::api("quickeats-v2").unwrap();
//! let judgment = judge(&History::default(), &api.model, Alone::Applied);
//! assert_eq!(judgment.verdict(Severity::Violation), Verdict::Inconclusive); // an empty history proves nothing
//! ```

mod access;
mod authors;
mod compose;
mod distress;
mod effects;
mod encode;
mod evidence;
mod hint;
mod idempotency;
mod kind;
mod left;
pub mod linear;
mod lost;
mod lower;
mod oversell;
pub mod parts;
mod preconditions;
mod reads;
mod recorded;
mod records;
mod refute;
mod round;
mod rules;
mod story;
mod sums;
mod tokens;
mod transitions;
mod updates;

pub use compose::{Alone, Finding, Judgment, ScenarioJudge};
pub use evidence::answer;
pub use kind::{Kind, Severity, Verdict};
pub use recorded::{PartJudgment, RecordedJudgment, RecordedModel, judge_recorded};
pub use story::{Order, Story};

use crate::api::Model;
use crate::history::History;

/// Judges a whole history of one scenario.
pub fn judge(history: &History, model: &Model, alone: Alone) -> Judgment {
    let mut judge = ScenarioJudge::new(model, alone);
    for (round, operations) in history.rounds() {
        judge.absorb(round, operations);
    }
    judge.finish()
}
