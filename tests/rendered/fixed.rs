//! Fixed results that every renderer is held against.

use std::collections::BTreeMap;

use quickeats_bench::check::Verdict;
use quickeats_bench::run_result::RunResult;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What strangers would like to write into somebody else's report.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>]]><!-- --> \" onload=x ' \u{1b}[31mred\u{1b}[0m\0\u{fffe}\u{202e}drow\r\n\
    ::error title=mine::owned\n##[error]owned\n\n# heading\n- item\n```\n`````\n| a | b |\n@admin #1 \
    ![i](https://evil.example/i) [l](javascript:alert(1)) **b** _i_ {0} {x} %0A%0D%25 &lt; \u{2028} \u{9b}31m www.evil.example";

/// One scenario of each verdict and one with a warning; one threshold crossed, one kept.
pub(crate) fn mixed() -> RunResult {
    serde_json::from_str(include_str!("runs/mixed.json")).unwrap()
}

/// Only what holds: nothing was found.
pub(crate) fn nothing_found() -> RunResult {
    let mut result = mixed();
    result.scenarios.retain(|scenario| scenario.findings.is_empty() && scenario.verdict == Verdict::Holds);
    result.thresholds.clear();
    result.verdict = Verdict::Holds;
    result.exit_code = 0;
    count(&mut result);
    result
}

/// So many scenarios with one finding each.
pub(crate) fn found(number: usize) -> RunResult {
    let mut result = mixed();
    let violated = result.scenarios.swap_remove(0);
    result.scenarios = (1..=number)
        .map(|number| {
            let mut scenario = violated.clone();
            scenario.name = format!("race-{number:03}");
            (scenario.latency_bins, scenario.deliveries, scenario.findings[0].round) = (Vec::new(), Vec::new(), None);
            scenario
        })
        .collect();
    count(&mut result);
    result
}

/// A run whose people and states have Korean names.
pub(crate) fn korean() -> RunResult {
    let mut result = mixed();
    result.scenarios.truncate(1);
    result.api = "주문".into();
    let scenario = &mut result.scenarios[0];
    scenario.name = "취소-대-수락".into();
    let finding = &mut scenario.findings[0];
    finding.sentence =
        "고객의 취소가 승인되었고(200: 취소됨, 버전 3) 식당의 수락도 승인되었다(200: 준비 중, 버전 3)".into();
    let round = finding.round.iter_mut().flat_map(|round| &mut round.operations);
    for line in finding.witness.iter_mut().chain(&mut finding.aftermath).chain(round) {
        line.actor = "고객".into();
        line.answer = "200: 취소됨, 버전 3".into();
    }
    count(&mut result);
    result
}

/// `result` with `text` in every field that takes any text, and in every name of a map.
pub(crate) fn filled<R: Serialize + DeserializeOwned>(result: &R, text: &str) -> R {
    let mut data = serde_json::to_value(result).unwrap();
    let mut places = Vec::new();
    walk(&data, String::new(), &mut places);
    // Whether a field takes any text is tried in the first place that it has: others name a kind, a verdict, a method.
    let mut takes_any: BTreeMap<String, bool> = BTreeMap::from([("/schema".to_owned(), false)]);
    let mut small = data.clone();
    if let Some(scenarios) = small["scenarios"].as_array_mut() {
        scenarios.truncate(4);
    }
    for place in &places {
        let field = place.split('/').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join("/");
        let takes = *takes_any.entry(field).or_insert_with(|| {
            let mut tried = small.clone();
            let Some(found) = tried.pointer_mut(place) else { return false };
            *found = Value::from(text);
            serde_json::from_value::<R>(tried).is_ok()
        });
        if takes {
            *data.pointer_mut(place).unwrap() = Value::from(text);
        }
    }
    data["rerun"]["files"] = serde_json::json!({ text: text });
    serde_json::from_value(data).unwrap()
}

fn walk(data: &Value, place: String, places: &mut Vec<String>) {
    match data {
        Value::String(_) => places.push(place),
        Value::Array(items) => {
            (items.iter().enumerate()).for_each(|(index, item)| walk(item, format!("{place}/{index}"), places));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| walk(value, format!("{place}/{name}"), places));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn count(result: &mut RunResult) {
    let with = |verdict| result.scenarios.iter().filter(|scenario| scenario.verdict == verdict).count() as u64;
    let totals = &mut result.totals;
    totals.scenarios = result.scenarios.len() as u64;
    (totals.holds, totals.violated) = (with(Verdict::Holds), with(Verdict::Violated));
    totals.inconclusive = with(Verdict::Inconclusive);
    totals.findings = result.scenarios.iter().map(|scenario| scenario.findings.len() as u64).sum();
    totals.rounds = result.scenarios.iter().map(|scenario| scenario.rounds).sum();
    totals.rounds_overlapped = result.scenarios.iter().map(|scenario| scenario.rounds_overlapped).sum();
    totals.requests = result.scenarios.iter().map(|scenario| scenario.requests).sum();
}
