//! What a probe found, for assertions.

use std::fs;

use quickeats_bench::probe_result::{Mark, ProbeResult};

use crate::tool::{assert_exit, run, stdout};

/// What a probe of the server at `url` finds, by a description.
pub(crate) fn probed(url: &str, api: &str) -> ProbeResult {
    let output = run(&["probe", url, "--api", api, "--format", "json"]);
    assert_exit(&output, 0);
    serde_json::from_str(&stdout(&output)).unwrap()
}

/// That all differs that is named, and nothing else.
#[track_caller]
pub(crate) fn assert_differs(case: &str, result: &ProbeResult, expected: &[&str]) {
    let differs: Vec<&str> = (result.findings.iter())
        .filter(|finding| finding.mark == Mark::Differs)
        .map(|finding| finding.sentence.as_str())
        .collect();
    let is_expected = |sentence: &&str| expected.iter().any(|part| sentence.contains(part));
    let is_found = |part: &&str| differs.iter().any(|sentence| sentence.contains(part));
    assert!(differs.iter().all(is_expected) && expected.iter().all(is_found), "{case}: {differs:#?}");
}

/// That something is found about `about`, and marked so.
#[track_caller]
pub(crate) fn assert_found(result: &ProbeResult, about: &str, mark: Mark, part: &str) {
    let is_it = |own: &&quickeats_bench::probe_result::ProbeFinding| own.about == about && own.sentence.contains(part);
    let found = result.findings.iter().find(is_it);
    assert_eq!(found.map(|found| found.mark), Some(mark), "`{part}` of {about} in {:#?}", result.findings);
}

/// What a description should say, as lines.
pub(crate) fn advice(result: &ProbeResult) -> Vec<String> {
    result.advice.iter().flat_map(quickeats_bench::probe_result::Advice::lines).collect()
}

/// What `--write` makes of the description in a file.
pub(crate) fn rewritten(url: &str, api: &str) -> String {
    let output = run(&["probe", url, "--api", api, "--write", api]);
    assert_exit(&output, 0);
    fs::read_to_string(api).unwrap()
}
