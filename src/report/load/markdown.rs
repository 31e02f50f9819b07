//! A load as Markdown: the answer and the one number, thresholds, findings to unfold, and a table by request.

use std::fmt::Write as _;

use super::{told, view};
use crate::load_result::{LoadResult, RequestFigures};
use crate::report::Markdown;
use crate::report::markdown::{
    ANNOUNCED, CELL, MARK, clip, code, escaped, fenced, finding_row, findings, fitting, left_out, length, prose,
    stories, table,
};
use crate::report::replay;

/// Markdown of a load whose texts are harmless.
pub(in crate::report) fn render(load: &LoadResult) -> String {
    let run = view::as_run(load);
    let (head, foot) = (head(load), foot(load));
    let mut room = Markdown::MOST - ANNOUNCED - length(&head) - length(&foot);
    let found = findings(&run);
    let findings = table(
        "\n| | finding | traffic | seen |\n|---|---|---|---|\n",
        found.iter().map(|(scenario, finding)| finding_row(&run, scenario, finding)),
        &mut room,
    );
    let requests = table(
        "\n| request | sent | done | errors | 412 | p50 | p95 | p99 | max |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        std::iter::once(&load.all).chain(&load.requests).map(request_row),
        &mut room,
    );
    let stories = fitting(stories(&run, &found), &mut room);
    let both = if requests.text.is_empty() {
        String::new()
    } else {
        "\n<sub>Times from when a request was meant to begin / from when it did.</sub>\n".to_owned()
    };
    let left_out = left_out(&[
        (findings.left_out, "finding"),
        (stories.left_out, "timeline"),
        (requests.left_out, "kind of request"),
    ]);
    [head, findings.text, stories.text, requests.text, both, left_out, foot].concat()
}

fn head(load: &LoadResult) -> String {
    let mut head =
        format!("{MARK}## {}; {}\n\n{}\n\n", told::answer(load), told::number(load), prose(&told::loaded(load)));
    let mut item = |told: &str| {
        let _ = writeln!(head, "- {}", prose(told));
    };
    if let Some(ended) = told::ended(load) {
        item(&format!("! {ended}"));
    }
    for caveat in told::caveats(load) {
        item(&format!("! {caveat}"));
    }
    load.generator.void.iter().take(4).for_each(|why| item(&format!("! times are void: {why}")));
    for limit in load.thresholds.iter().take(50) {
        let (kept, told) = told::threshold(limit);
        item(&format!("{} {}", told::kept(kept), clip(&told, CELL)));
    }
    for doubt in load.judged.iter().flat_map(|judged| &judged.scenario.doubts).take(8) {
        item(&format!("? in doubt: {}", clip(doubt, CELL)));
    }
    head
}

fn request_row(figures: &RequestFigures) -> String {
    let none = || "–".to_owned();
    let share = |share: Option<f64>| share.map_or_else(none, told::share);
    let (intended, actual) = (&figures.from_intended, &figures.from_actual);
    let at = |percent: f64| {
        let told = [intended, actual].map(|times| told::percentile(times, percent).map_or_else(none, told::span));
        told.join(" / ")
    };
    let longest = if intended.count == 0 {
        none()
    } else {
        format!("{} / {}", told::span(intended.max_us), told::span(actual.max_us))
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {longest} |\n",
        code(&clip(&figures.name, CELL)),
        figures.sent,
        figures.achieved,
        share(figures.error_rate),
        share(figures.rate_412),
        at(50.0),
        at(95.0),
        at(99.0),
    )
}

fn foot(load: &LoadResult) -> String {
    let mut foot = String::from("\n");
    let facts = [
        Some(told::rates(load)),
        Some(told::slots(load)),
        told::dropped(load),
        told::refused(load),
        told::judged(load),
        told::excluded(load).map(|excluded| format!("holds means: {excluded}")),
        Some(format!("generator: {}", told::generator(load))),
    ];
    for fact in facts.into_iter().flatten() {
        let _ = writeln!(foot, "- {}", prose(&fact));
    }
    if let Some(rerun) = &load.rerun {
        let _ = write!(foot, "\nLoad it again:\n\n{}", fenced(&clip(&replay::load_command(rerun), 4_000)));
    }
    let _ = write!(
        foot,
        "\n<sub>seed {}, run {}, quickeats-bench {}</sub>\n",
        load.seed,
        code(&clip(&load.run_id, CELL)),
        escaped(&clip(&load.tool_version, CELL)),
    );
    foot
}
