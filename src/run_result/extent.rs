//! How long a run was to race, and what ended early for it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long a run was to race, and which scenarios ended before their last round for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtentInfo {
    /// Rounds per scenario.
    pub rounds: u32,
    /// Milliseconds for the whole run; null for as long as it takes.
    pub duration_ms: Option<u64>,
    /// When a scenario has shown enough: `violated`, or `confidence=99%,rate=1%`.
    pub until: Vec<String>,
    /// Scenarios whose time was over before all rounds were raced.
    pub out_of_time: Vec<String>,
    /// Scenarios that had shown enough.
    pub settled: Vec<String>,
}
