//! SARIF: valid by OASIS's own schema, which is read from the sources of `serde-sarif` (it makes its types of it).

use std::path::PathBuf;
use std::process::Command;

use quickeats_bench::report::{Renderer, Sarif};
use serde_json::Value;

use crate::{assert_harmless, fixed, results};

/// The schema of SARIF 2.1.0.
pub(crate) fn schema() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let schema = std::fs::read(manifest.parent().unwrap().join("src/schema.json")).unwrap();
    let mut schema: Value = serde_json::from_slice(&schema).unwrap();
    // Its one slip: a bracket that stands alone, in what a language's name may be. No log says its language here.
    for object in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][object]["properties"]["language"];
        assert!(language["pattern"].as_str().unwrap().ends_with("{2}]?$"), "{language}");
        language.as_object_mut().unwrap().remove("pattern");
    }
    schema
}

#[test]
fn every_log_is_valid_by_the_schema() {
    let schema = schema();
    assert!(schema["title"].as_str().unwrap().contains("SARIF) Version 2.1.0"), "{}", schema["title"]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, result) in results() {
        let text = Sarif.render(result);
        assert_harmless(name, &text);
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [""; 0], "{name}");
        let typed: serde_sarif::sarif::Sarif = serde_json::from_str(&text).unwrap();
        let findings: u64 = result.scenarios.iter().map(|scenario| scenario.findings.len() as u64).sum();
        assert_eq!(typed.runs[0].results.as_ref().unwrap().len() as u64, findings, "{name}");
    }
    let mut broken: Value = serde_json::from_str(&Sarif.render(&fixed::mixed())).unwrap();
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&broken));
}

/// What GitHub's code scanning asks for besides: a file for each result, and a rule that stands where it says.
#[test]
fn every_result_has_a_file_and_its_rule() {
    for (name, result) in results() {
        let log: Value = serde_json::from_str(&Sarif.render(result)).unwrap();
        let run = &log["runs"][0];
        for result in run["results"].as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            assert!(
                place["artifactLocation"]["uri"].is_string() && place["region"]["startLine"] == 1,
                "{name}: {place}"
            );
            if let Some(base) = place["artifactLocation"]["uriBaseId"].as_str() {
                assert!(run["originalUriBaseIds"][base].is_object(), "{name}: {base}");
            }
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"], "{name}");
            assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
        }
    }
}

#[test]
fn a_finding_points_to_the_file_that_was_named() {
    let place = |change: fn(&mut quickeats_bench::run_result::Rerun)| {
        let mut result = fixed::found(1);
        change(result.rerun.as_mut().unwrap());
        let log: Value = serde_json::from_str(&Sarif.render(&result)).unwrap();
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"].clone()
    };
    let built_in = place(|_| {});
    assert_eq!(built_in["uri"], "quickeats-bench/scenarios/race-001.toml");
    assert_eq!(built_in["uriBaseId"], "QUICKEATS_BENCH");
    let described = place(|rerun| rerun.arguments.extend(["--api".to_owned(), "./api/mine.toml".to_owned()]));
    assert_eq!((&described["uri"], &described["uriBaseId"]), (&"api/mine.toml".into(), &"%SRCROOT%".into()));
    let written = place(|rerun| {
        rerun.arguments.extend(["--api".to_owned(), "mine.toml".to_owned()]);
        rerun.files.insert("race-001".to_owned(), "races/one.toml".to_owned());
    });
    assert_eq!(written["uri"], "races/one.toml");
}
