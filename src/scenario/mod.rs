//! What to race: from a scenario file to a plan.
//!
//! - [`Scenario`] is a file as written: a state to start from, contenders, what each hears alone.
//! - [`Plan`] is the same, resolved against an API description: which requests, by whom, with which tokens and keys.
//! - [`catalog`] holds the scenarios that are part of the tool.

pub mod catalog;
mod file;
mod plan;

pub use file::{Contender, KeyUse, PersonUse, Scenario, ServerUse, Swarm, TokenUse};
pub use plan::{ContenderPlan, Need, Plan, PlanError, Step};
