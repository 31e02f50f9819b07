//! What a probe found: a small versioned format, whose JSON Schema stands in `reports/probe.schema.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the format.
pub const SCHEMA: &str = "quickeats-bench/probe@1";

/// What was learned of a target before any race.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeResult {
    /// Always `quickeats-bench/probe@1`.
    pub schema: String,
    /// The version of the tool.
    pub tool_version: String,
    /// The target's URL.
    pub target: String,
    /// The API description that it was held against; null if there was none.
    pub api: Option<String>,
    /// What was found, in order of asking.
    pub findings: Vec<ProbeFinding>,
    /// Which statuses were seen, and what they mean by the description.
    pub statuses: Vec<StatusSeen>,
    /// What the description should say instead.
    pub advice: Vec<Advice>,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeFinding {
    /// What was asked about: `version token`, `keys of payment` …
    pub about: String,
    /// How it compares with the description.
    pub mark: Mark,
    /// What was seen.
    pub sentence: String,
}

/// How what was seen compares with the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// As described.
    AsDescribed,
    /// Otherwise than described, or than HTTP says.
    Differs,
    /// It cannot be told.
    Open,
    /// Nothing is described of it.
    Learned,
}

/// A status that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusSeen {
    /// The status.
    pub status: u16,
    /// What it means by the description.
    pub meaning: String,
    /// What was answered so: `create`, `read`, actions, lists.
    pub requests: Vec<String>,
}

/// A key that the description should have, or not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// Where: tables from the outside in, and the key.
    pub key: Vec<String>,
    /// What it should say: a truth value, a text, or a table; null takes the key out.
    pub value: Option<Value>,
}

impl Advice {
    /// The lines to write: `[token]` and `required = false`.
    ///
    /// ```
    /// use quickeats_bench::probe_result::Advice;
    ///
    /// let advice = Advice { key: vec!["token".into(), "required".into()], value: Some(false.into()) };
    /// assert_eq!(advice.lines(), ["[token]", "required = false"]);
    /// ```
    pub fn lines(&self) -> Vec<String> {
        let (key, tables) = self.key.split_last().map_or(("", &[][..]), |(key, tables)| (key.as_str(), tables));
        let line = match &self.value {
            Some(value) => format!("{key} = {}", toml_of(value)),
            None => format!("# without `{key}`"),
        };
        if tables.is_empty() { vec![line] } else { vec![format!("[{}]", tables.join(".")), line] }
    }
}

/// A value as TOML writes it on one line.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", toml_of(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        // A text, a number and a truth value are written as in JSON.
        other => other.to_string(),
    }
}
