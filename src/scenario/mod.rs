//! What to race: from a scenario file to a plan.
//!
//! - [`Scenario`] is a file as written: a state to start from, contenders, what each hears alone. It is for named API
//!   descriptions, or for kinds of models ([`ModelKind`]): then it names [`Role`]s where others name actions.
//! - [`Plan`] is the same, resolved against an API description: which requests, by whom, with which tokens and keys.
//! - [`catalog`] holds the scenarios that are part of the tool, and [`pairs()`] makes those that no file says.

pub mod catalog;
mod contender;
#[cfg(test)]
pub(crate) mod described;
mod file;
mod fit;
mod generic;
mod pairs;
mod plan;
mod resolve;
mod script;
#[cfg(test)]
mod tests;

pub use contender::{Contender, KeyUse, PersonUse, ServerUse, TokenUse};
pub use file::{Scenario, Swarm};
pub use fit::Casting;
pub use generic::{Enough, ModelKind, Role, Starts};
pub use pairs::{PAIRS, pairs};
pub use plan::{ContenderPlan, Need, Plan, PlanError, Step};
pub use script::{ScriptTarget, script};

/// The JSON Schema of scenarios, as it is committed under `scenarios/`: what editors complete them by.
pub fn scenario_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Scenario)).expect("a schema is plain data");
    text.push('\n');
    text
}
