//! Scenarios as people write them: valid ones are read, each mistake is named where it stands, and editors know the format by
//! its JSON Schema.

use std::fs;
use std::sync::Arc;

use quickeats_bench::api::Api;
use quickeats_bench::scenario::{ModelKind, Plan, PlanError, Scenario, scenario_schema};
use quickeats_bench::source::SourceError;
use serde_json::Value;

use super::{corpus, files, root};

const COMMITTED_SCHEMA: &str = include_str!("../../scenarios/scenario.schema.json");
const MALFORMED: &str = include_str!("scenarios.txt");

#[test]
fn scenario_schema_is_current() {
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(root().join("scenarios/scenario.schema.json"), scenario_schema()).unwrap();
    }
    let how = "regenerate it: UPDATE_SCHEMA=1 cargo test --test descriptions schema";
    assert_eq!(COMMITTED_SCHEMA, scenario_schema(), "{how}");
}

#[track_caller]
fn assert_true_to_the_schema(text: &str) {
    let schema: Value = serde_json::from_str(COMMITTED_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json: Value = toml::from_str(text).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{text}\n{errors:?}");
}

#[test]
fn valid_scenarios_are_read_and_true_to_the_schema() {
    for path in ["scenarios", "scenarios/generic", "tests/descriptions/scenarios"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&path).unwrap();
        resolved(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_true_to_the_schema(&text);
    }
}

/// The descriptions that a scenario of these tests can be for: those that are shipped, and the valid ones.
fn descriptions() -> Vec<Arc<Api>> {
    let all = ["scenarios/apis", "tests/descriptions/valid"].into_iter().flat_map(files);
    all.map(|path| Arc::new(Api::parse("x.toml", &fs::read_to_string(path).unwrap()).unwrap())).collect()
}

/// Reads a scenario and plans it: for the descriptions it names, or, if it is a generic one, for one of its models at least.
fn resolved(text: &str) -> Result<(), SourceError> {
    let scenario = Scenario::parse("mine.toml", text)?;
    let plan = |api: &Arc<Api>| Plan::resolve(&scenario, api, Some(4)).map(drop);
    let error = |error: PlanError| error.why().clone();
    let all = descriptions();
    if !scenario.is_generic() {
        let is_named = |api: &&Arc<Api>| scenario.is_for(&api.name, api.model.family);
        return all.iter().filter(is_named).try_for_each(plan).map_err(error);
    }
    let is_of_model =
        |api: &&Arc<Api>| scenario.models.iter().any(|own| *own.get_ref() == ModelKind::of(api.model.family));
    // The last is a valid one of these tests.
    let mut tried: Vec<_> = all.iter().filter(is_of_model).map(plan).collect();
    if tried.iter().any(Result::is_ok) { Ok(()) } else { tried.pop().unwrap().map_err(error) }
}

#[test]
fn every_mistake_in_a_scenario_is_named_where_it_stands() {
    corpus::assert_all_are_named(MALFORMED, "tests/descriptions/scenarios", 45, resolved);
}

/// A token that is said in the described body is not said in another one.
#[test]
fn a_body_of_its_own_does_not_lose_the_token() {
    let scenario = |token: &str| {
        format!(
            "schema = \"quickeats-bench/scenario@1\"\nname = \"own\"\napis = [\"transactions\"]\nsummary = \"\"\nstory = \"\"\n\
             start = \"present\"\nalone = \"applied\"\n[[contenders]]\naction = \"replace\"\ntoken = \"{token}\"\n\
             body = {{ success = [] }}\n[[contenders]]\naction = \"replace\""
        )
    };
    let error = resolved(&scenario("current")).unwrap_err().to_string();
    assert!(error.contains("cannot say its token in this body") && error.contains("mine.toml:9"), "{error}");
    resolved(&scenario("none")).unwrap();
}

/// Every example of the reference is a scenario.
#[test]
fn every_example_of_the_scenarios_reference_is_read() {
    let page = fs::read_to_string(root().join("docs/scenario-files.md")).unwrap();
    let mut examples = 0;
    for block in page.split("\n```toml\n").skip(1) {
        let (example, _) = block.split_once("\n```").unwrap();
        resolved(example).unwrap_or_else(|error| panic!("{example}\n{error}"));
        assert_true_to_the_schema(example);
        examples += 1;
    }
    assert!(examples >= 5, "{examples}");
}
