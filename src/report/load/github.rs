//! A load as annotations of a GitHub workflow: findings, thresholds that were crossed, and what made it void.

use super::{junit, told, view};
use crate::check::Verdict;
use crate::load_result::LoadResult;
use crate::report::github::{Annotation, Level, lines, of_doubts, of_finding};
use crate::report::words::Limit;

/// The annotations of a load whose texts are harmless.
pub(in crate::report) fn render(load: &LoadResult) -> String {
    let run = view::as_run(load);
    let mut annotations = Vec::new();
    let of_load =
        |level: Level, title: &str, told: String| Annotation { level, title: title.to_owned(), file: None, told };
    for scenario in &run.scenarios {
        annotations.extend(scenario.findings.iter().map(|finding| of_finding(&run, scenario, finding)));
        if scenario.verdict == Verdict::Inconclusive {
            annotations.push(of_doubts(&run, scenario));
        }
    }
    for limit in &load.thresholds {
        match told::threshold(limit) {
            (Limit::Kept, _) => {}
            (Limit::Crossed, told) => annotations.push(of_load(Level::Error, "threshold crossed", told)),
            (Limit::NotMeasured, told) => annotations.push(of_load(Level::Error, "threshold not measured", told)),
        }
    }
    let trouble = junit::trouble(load);
    let is_void_told = trouble.as_ref().is_some_and(|(kind, _)| *kind == "void");
    annotations.extend(trouble.map(|(kind, told)| of_load(Level::Error, &kind.replace('-', " "), told)));
    if !is_void_told {
        annotations
            .extend(load.generator.void.iter().map(|why| of_load(Level::Warning, "times are void", why.clone())));
    }
    if load.exit_code == 0 {
        let told = format!("{}; {}; {}", told::answer(load), told::number(load), told::loaded(load));
        annotations.push(of_load(Level::Notice, "quickeats-bench", told));
    }
    lines(&annotations)
}
