//! The command that races a scenario of a run again, as it can be pasted into a shell.

use super::words::Counted;
use crate::run_result::{Rerun, RunResult, ScenarioResult};
use crate::text::{harmless, shell_word};

/// `quickeats-bench race SCENARIO … --replay RUN`; none for runs that did not keep what was typed. The server's own timing makes
/// the interleaving: it may differ.
pub fn command(result: &RunResult, scenario: &ScenarioResult) -> Option<String> {
    of(result, [scenario])
}

/// The same for all scenarios of the run. They need no names where none was read from a file.
pub fn run_command(result: &RunResult) -> Option<String> {
    let is_named = result.rerun.as_ref().is_some_and(|rerun| !rerun.files.is_empty());
    of(result, result.scenarios.iter().filter(|_| is_named))
}

/// `quickeats-bench load …`, with the load's seed: the same requests in the same order of each client.
pub fn load_command(rerun: &Rerun) -> String {
    let words = ["quickeats-bench", "load"].into_iter().chain(rerun.arguments.iter().map(String::as_str));
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn of<'a>(result: &'a RunResult, scenarios: impl IntoIterator<Item = &'a ScenarioResult>) -> Option<String> {
    let rerun = result.rerun.as_ref()?;
    if Counted::of(result) == Counted::Resources {
        return Some(load_command(rerun));
    }
    let folder = format!("{}/{}", rerun.out.trim_end_matches('/'), result.run_id);
    let names = scenarios.into_iter().map(|scenario| rerun.files.get(&scenario.name).unwrap_or(&scenario.name));
    let words = ["quickeats-bench", "race"].into_iter().chain(names.map(String::as_str));
    let words = words.chain(rerun.arguments.iter().map(String::as_str)).chain(["--replay", &folder]);
    Some(words.map(quoted).collect::<Vec<_>>().join(" "))
}

/// With nothing in it that a terminal would obey.
fn quoted(word: &str) -> String {
    shell_word(&harmless(word, usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("--rounds"), "--rounds");
        assert_eq!(quoted("http://localhost:8080/api?a=1&b=2"), "'http://localhost:8080/api?a=1&b=2'");
        assert_eq!(quoted("it's; rm -rf $HOME `x`"), r"'it'\''s; rm -rf $HOME `x`'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a\nb\u{1b}"), r"'a\u{a}b\u{1b}'");
    }

    #[test]
    fn a_command_names_the_scenario_or_its_file_and_the_run() {
        let mut result: RunResult =
            serde_json::from_str(include_str!("../../reports/sample/run.json")).expect("the sample is valid");
        let scenario = result.scenarios[0].clone();
        result.rerun = None;
        assert_eq!(command(&result, &scenario), None);
        let mut rerun = crate::run_result::Rerun {
            arguments: vec!["--defect".to_owned(), "check-then-save".to_owned()],
            out: "reports/".to_owned(),
            ..Default::default()
        };
        result.run_id = "one".to_owned();
        result.rerun = Some(rerun.clone());
        let typed = command(&result, &scenario).expect("the run says what was typed");
        assert_eq!(typed, "quickeats-bench race cancel-vs-accept --defect check-then-save --replay reports/one");
        rerun.files.insert(scenario.name.clone(), "my races/a.toml".to_owned());
        result.rerun = Some(rerun);
        let typed = command(&result, &scenario).expect("the run says what was typed");
        assert!(typed.starts_with("quickeats-bench race 'my races/a.toml' "), "{typed}");
    }
}
