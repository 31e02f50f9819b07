//! The result of `check` as plain data: what its reports are rendered from, and what `--output json` prints.
//!
//! Versioned like a run's result; its JSON Schema stands in `reports/check.schema.json`, kept true by a test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{PartJudgment, RecordedJudgment, Verdict};
use crate::history::foreign::{Came, Exchange, Value};
use crate::run_result::ScenarioResult;
use crate::text::harmless;

/// The version of the format.
pub const SCHEMA: &str = "quickeats-bench/check@1";

/// What a history was found to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Always `quickeats-bench/check@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The file.
    pub file: String,
    /// How it is written.
    pub format: FileFormat,
    /// What it was held against.
    pub model: ModelName,
    /// The worst of its parts' or scenarios' verdicts.
    pub verdict: Verdict,
    /// The process's exit code.
    pub exit_code: u8,
    /// How long the judging took.
    pub duration_ms: f64,
    /// Operations that count.
    pub operations: u64,
    /// Different (operations done, state) that the search visited; null where a run's own judge was asked.
    pub states_visited: Option<u64>,
    /// Where the file is damaged, if it was to be judged all the same: what stands before that was.
    pub damage: Option<String>,
    /// A recorded history's resources.
    pub parts: Vec<PartResult>,
    /// A run's scenarios, as they stand in its `run.json`.
    pub scenarios: Vec<ScenarioResult>,
}

/// How a history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// The JSON lines that `race` saves.
    History,
    /// Jepsen's log of a register, as recorded against etcd.
    Etcd,
    /// EDN, one map a line.
    Edn,
}

/// What a history is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelName {
    /// The API description in the history.
    Order,
    /// Registers with compare-and-set.
    Register,
    /// A key-value store with append.
    Kv,
}

/// What one resource's operations come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartResult {
    /// Its key; null if there is only one.
    pub key: Option<String>,
    /// What they come to.
    pub verdict: Verdict,
    /// Operations that count.
    pub operations: u64,
    /// Different (operations done, state) visited.
    pub states_visited: u64,
    /// The most operations that could be put in order.
    pub longest_order: u64,
    /// Why it is inconclusive.
    pub doubt: Option<String>,
    /// The few operations that prove a violation, and those that belong to their story, in order of opening.
    pub witness: Vec<StepResult>,
    /// Whether each of the proving operations is known to be needed.
    pub witness_is_smallest: bool,
}

/// One operation of a witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepResult {
    /// Whether it is part of the proof. If not, it belongs to the story: there is no legal order wherever it is placed.
    pub proves: bool,
    /// Whose.
    pub process: i64,
    /// What was asked.
    pub asked: String,
    /// What was answered.
    pub answered: String,
    /// The line that opens it.
    pub opened_line: u32,
    /// The line that closes it; null if nothing does.
    pub closed_line: Option<u32>,
}

impl PartResult {
    fn new(part: &PartJudgment, exchanges: &[Exchange]) -> Self {
        let mut steps: Vec<(usize, bool)> = (part.proves.iter().map(|index| (*index, true)))
            .chain(part.context.iter().map(|index| (*index, false)))
            .collect();
        steps.sort_unstable();
        Self {
            key: part.key.as_deref().map(|key| harmless(key, 200)),
            verdict: part.verdict,
            operations: part.operations as u64,
            states_visited: part.effort.states,
            longest_order: if part.verdict == Verdict::Holds { part.answered } else { part.effort.deepest } as u64,
            doubt: part.doubt.clone(),
            witness: steps.iter().map(|(index, proves)| StepResult::new(&exchanges[*index], *proves)).collect(),
            witness_is_smallest: part.is_smallest,
        }
    }

    /// All parts of a judgment.
    pub fn all(judgment: &RecordedJudgment, exchanges: &[Exchange]) -> Vec<Self> {
        judgment.parts.iter().map(|part| Self::new(part, exchanges)).collect()
    }
}

impl StepResult {
    fn new(exchange: &Exchange, proves: bool) -> Self {
        let function = harmless(&exchange.function, 40);
        let asked = match &exchange.asked {
            Value::Nil => function,
            value => format!("{function} {value}"),
        };
        let answered = match &exchange.came {
            Came::Done(value) if *value == exchange.asked && *value != Value::Nil => "ok".to_owned(),
            Came::Done(value) => value.to_string(),
            Came::Failed(_) => "refused".to_owned(),
            Came::Open => "unknown".to_owned(),
        };
        Self {
            proves,
            process: exchange.process,
            asked,
            answered,
            opened_line: exchange.opened,
            closed_line: exchange.closed,
        }
    }
}
