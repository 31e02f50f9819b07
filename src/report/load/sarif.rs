//! A load as SARIF: its findings are results like a race's. Thresholds and what made it void are notifications.

use serde_json::Value;

use super::{junit, told, view};
use crate::load_result::LoadResult;
use crate::report::sarif::{log, notice};
use crate::report::words::Limit;

/// SARIF of a load whose texts are harmless.
pub(in crate::report) fn render(load: &LoadResult) -> String {
    let run = view::as_run(load);
    let mut notices: Vec<Value> = Vec::new();
    notices.extend(junit::trouble(load).map(|(_, told)| notice("error", &told)));
    for scenario in &run.scenarios {
        notices.extend(scenario.doubts.iter().map(|doubt| notice("note", &format!("In doubt: {doubt}."))));
    }
    for limit in &load.thresholds {
        match told::threshold(limit) {
            (Limit::Kept, _) => {}
            (Limit::Crossed, told) => notices.push(notice("error", &format!("A threshold was crossed, {told}."))),
            (Limit::NotMeasured, told) => notices.push(notice("error", &format!("A threshold was not kept, {told}."))),
        }
    }
    notices.extend(load.generator.void.iter().map(|why| notice("warning", &format!("Times are void: {why}."))));
    log(&run, &format!("{}; {}", told::answer(load), told::number(load)), &notices)
}
