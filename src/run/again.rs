//! Judging a saved history again: the same judge, the same counts, the same result as when it was raced.

use serde::Deserialize;
use serde_json::Value;

use crate::api::Model;
use crate::check::{Alone, ScenarioJudge, Severity};
use crate::history::jsonl::SavedScenario;
use crate::measure::Tally;
use crate::run_result::{ScenarioFacts, ScenarioResult};

/// What the judge must know of a saved plan.
#[derive(Debug, Deserialize)]
struct PlanFacts {
    alone: Alone,
    contenders: Vec<Value>,
}

/// A saved plan that the judge cannot use.
#[derive(Debug, thiserror::Error)]
#[error("the plan of `{scenario}` in the history cannot be read: {why}")]
pub struct UnreadablePlan {
    /// The scenario.
    scenario: String,
    /// What is wrong.
    why: serde_json::Error,
}

/// Judges a saved scenario as the run did that saved it.
///
/// # Errors
/// If its plan is not one.
pub fn judge_again(saved: &SavedScenario, model: &Model, fail_on: Severity) -> Result<ScenarioResult, UnreadablePlan> {
    let name = &saved.opening.scenario;
    let facts = PlanFacts::deserialize(&saved.opening.plan)
        .map_err(|why| UnreadablePlan { scenario: crate::text::harmless(name, 80), why })?;
    let mut judge = ScenarioJudge::new(model, facts.alone);
    let mut tally = Tally::default();
    for (round, operations) in saved.history.rounds() {
        judge.absorb(round, operations);
        tally.absorb(round, operations);
    }
    let mut judgment = judge.finish();
    judgment.doubts.extend(saved.doubts.iter().cloned());
    Ok(ScenarioResult::new(ScenarioFacts { name, contenders: facts.contenders.len(), fail_on }, &judgment, &tally))
}
