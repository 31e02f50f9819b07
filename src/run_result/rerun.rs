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
    /// The command that races `scenario` again, round by round as the run with this id did. (The interleaving may differ.)
    pub fn command(&self, scenario: &str, run_id: &str) -> String {
        let scenario = self.files.get(scenario).map_or(scenario, String::as_str);
        let run = format!("{}/{run_id}", self.out.trim_end_matches('/'));
        let words = [scenario].into_iter().chain(self.arguments.iter().map(String::as_str)).chain(["--replay", &run]);
        words.fold("quickeats-bench race".to_owned(), |command, next| format!("{command} {}", shell_word(next)))
    }

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
    fn commands_quote_what_a_shell_would_read_otherwise() {
        let rerun = Rerun {
            arguments: ["--target", "http://127.0.0.1:1", "--header", "X-Key: …", "--defect", "check-then-save"]
                .map(str::to_owned)
                .into(),
            out: "my reports/".to_owned(),
            files: BTreeMap::from([("mine".to_owned(), "./it's.toml".to_owned())]),
        };
        assert_eq!(
            rerun.command("mine", "2026"),
            r"quickeats-bench race './it'\''s.toml' --target http://127.0.0.1:1 --header 'X-Key: …' --defect check-then-save --replay 'my reports/2026'"
        );
        assert_eq!(rerun.serve(), "quickeats-bench serve --defect check-then-save");
    }
}
