//! How a run is made again: what was said on the command line, with its secrets left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::shell_word;

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

impl Rerun {
    /// Where `serve` listens unless it is told otherwise.
    pub const SERVED_AT: &str = "http://127.0.0.1:8080";

    /// What starts the reference service as it was raced.
    pub fn serve(&self) -> String {
        const OWN: [&str; 6] =
            ["--store", "--idempotency-store", "--strategy", "--latency", "--defect", "--defect-window"];
        let mut command = "quickeats-bench serve".to_owned();
        for pair in self.arguments.windows(2).filter(|pair| OWN.contains(&pair[0].as_str())) {
            let _ = write!(command, " {} {}", pair[0], shell_word(&pair[1]));
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_started_as_it_was_raced() {
        let arguments = ["--defect", "check-then-save", "--store", "sqlite:my orders.db", "--parallel", "3"];
        let rerun = Rerun { arguments: arguments.map(str::to_owned).into(), ..Rerun::default() };
        assert_eq!(rerun.serve(), "quickeats-bench serve --defect check-then-save --store 'sqlite:my orders.db'");
    }
}
