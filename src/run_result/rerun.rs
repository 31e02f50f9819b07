//! How a run is made again: what was said on the command line, with its secrets left out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to say to race the same again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// The arguments of `race` that say what is raced and how it is reached, a word each. Where a secret stood, `…` stands.
    pub arguments: Vec<String>,
    /// The folder that the run's own folder lies in, as it was typed.
    pub out: String,
    /// Scenarios that were read from files, and these as they were typed.
    pub files: BTreeMap<String, String>,
}
