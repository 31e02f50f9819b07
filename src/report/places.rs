//! Where a finding is placed. Nothing in a repository is known to hold the mistake, but code scanning shows no alert without a file
//! (GitHub takes `physicalLocation` as required). So a finding points to what states the promise that was broken:
//!
//! 1. the scenario's file, or that of a load's traffic, if one was named;
//! 2. else the API description's, if one was named;
//! 3. else the scenario as it is built in: under a base and a folder of its own, so that it is not taken for a file of the repository.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::words::Counted;
use crate::run_result::{RunResult, ScenarioResult};

/// The repository that is scanned: a name that viewers know.
const REPOSITORY: &str = "%SRCROOT%";
/// What is built into the tool.
const BUILT_IN: &str = "QUICKEATS_BENCH";
/// What a path of a URI does not hold as it is (RFC 3986, §3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// The bases that places are told by.
pub(super) fn bases() -> Value {
    json!({
        REPOSITORY: {"description": {"text": "The folder that the run was started in."}},
        BUILT_IN: {"description": {"text": "What is built into quickeats-bench: `quickeats-bench scenarios show NAME` prints it."}},
    })
}

/// The `physicalLocation` of a scenario's findings.
pub(super) fn of(result: &RunResult, scenario: &ScenarioResult) -> Value {
    let artifact = file(result, &scenario.name).map_or_else(
        || {
            let folder = match Counted::of(result) {
                Counted::Rounds => "scenarios",
                Counted::Resources => "traffic",
            };
            json!({"uri": format!("quickeats-bench/{folder}/{}.toml", encoded(&scenario.name)), "uriBaseId": BUILT_IN})
        },
        |path| at(&path),
    );
    json!({"artifactLocation": artifact, "region": {"startLine": 1}})
}

/// The file of the user's that a scenario's findings are told by, as it was typed.
pub(super) fn file(result: &RunResult, scenario: &str) -> Option<String> {
    let rerun = result.rerun.as_ref()?;
    let named = |flag: &str| {
        let at = rerun.arguments.iter().position(|word| word == flag)?;
        rerun
            .arguments
            .get(at + 1)
            .filter(|named| std::path::Path::new(named).extension().is_some_and(|end| end == "toml"))
    };
    rerun
        .files
        .get(scenario)
        .or_else(|| named("--traffic"))
        .or_else(|| named("--api"))
        .map(|path| path.replace('\\', "/"))
}

/// A path as typed: within the repository if it is relative, else a `file:` URI.
fn at(path: &str) -> Value {
    let mut relative = path;
    while let Some(rest) = relative.strip_prefix("./") {
        relative = rest.trim_start_matches('/');
    }
    if relative.starts_with('/') {
        json!({"uri": format!("file://{}", encoded(relative))})
    } else {
        json!({"uri": encoded(relative), "uriBaseId": REPOSITORY})
    }
}

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        let repository = |uri: &str| json!({"uri": uri, "uriBaseId": "%SRCROOT%"});
        assert_eq!(at("./races/my race.toml"), repository("races/my%20race.toml"));
        assert_eq!(at("races/주문.toml"), repository("races/%EC%A3%BC%EB%AC%B8.toml"));
        assert_eq!(at("javascript:alert(1).toml"), repository("javascript%3Aalert(1).toml"));
        assert_eq!(at("/srv/a#b.toml"), json!({"uri": "file:///srv/a%23b.toml"}));
    }
}
