//! Loads in every form: valid, harmless, green if and only if they exit 0; and as they were, byte for byte.

use quickeats_bench::check::Verdict;
use quickeats_bench::load_result::LoadResult;
use quickeats_bench::report::{Github, Json, Junit, Markdown, Palette, Renderer, Sarif, Terminal, visible_width};
use serde_json::Value;

use crate::fixed::HOSTILE;
use crate::snapshots::assert_snapshot;
use crate::{assert_harmless, fixed, junit, sarif};

/// A load that found two kinds, crossed limits, dropped requests, and was late.
fn violated() -> LoadResult {
    serde_json::from_str(include_str!("runs/load.json")).unwrap()
}

fn holds() -> LoadResult {
    let mut load = violated();
    let scenario = &mut load.judged.as_mut().unwrap().scenario;
    scenario.findings.clear();
    scenario.verdict = Verdict::Holds;
    load.verdict = Some(Verdict::Holds);
    load.thresholds.truncate(1);
    load.generator.void.clear();
    load.exit_code = 0;
    load
}

/// One URL, read over and over: nothing to judge.
fn plain() -> LoadResult {
    let mut load = holds();
    (load.judged, load.verdict, load.rates.goodput) = (None, None, None);
    (load.plan.api, load.plan.traffic) = (None, "GET /health".to_owned());
    load.contention.clear();
    load.done_after_tries.clear();
    load.given_up = 0;
    load
}

fn loads() -> Vec<(&'static str, LoadResult)> {
    let mut interrupted = violated();
    (interrupted.interrupted, interrupted.exit_code) = (true, 130);
    let mut lost = plain();
    (lost.exit_code, lost.stopped) = (4, Some("the target answered nothing for 5 s".to_owned()));
    let mut crossed = holds();
    (crossed.exit_code, crossed.thresholds) = (5, violated().thresholds);
    let mut void = holds();
    (void.exit_code, void.generator.void) = (3, violated().generator.void);
    let mut late = holds();
    late.generator.void.clone_from(&void.generator.void);
    late.thresholds.clear();
    let mut inconclusive = holds();
    let scenario = &mut inconclusive.judged.as_mut().unwrap().scenario;
    (scenario.verdict, scenario.doubts) =
        (Verdict::Inconclusive, vec!["no round overlapped: nothing raced".to_owned()]);
    (inconclusive.verdict, inconclusive.exit_code) = (Some(Verdict::Inconclusive), 3);
    let hostile: LoadResult = fixed::filled(&violated(), HOSTILE);
    vec![
        ("violated", violated()),
        ("holds", holds()),
        ("plain", plain()),
        ("interrupted", interrupted),
        ("target lost", lost),
        ("threshold crossed", crossed),
        ("void", void),
        ("late without thresholds", late),
        ("inconclusive", inconclusive),
        ("hostile", hostile),
    ]
}

#[test]
fn loads_are_as_they_were() {
    for (name, load) in [("violated", violated()), ("holds", holds()), ("plain", plain())] {
        assert_snapshot(&format!("load-{name}.xml"), &Junit.render_load(&load));
        assert_snapshot(&format!("load-{name}.md"), &Markdown.render_load(&load));
        assert_snapshot(&format!("load-{name}.github.txt"), &Github.render_load(&load));
        for width in [60, 100] {
            let terminal = Terminal { palette: Palette::Plain, width: Some(width) };
            assert_snapshot(&format!("load-{name}.{width}.txt"), &terminal.render_load(&load));
        }
    }
    assert_snapshot("load-violated.sarif", &Sarif.render_load(&violated()));
}

#[test]
fn a_load_stays_within_its_terminal_and_colour_adds_nothing_but_colour() {
    for (name, load) in loads() {
        for width in [60, 80, 84, 100, 120, 200] {
            let [plain, colour] = [Palette::Plain, Palette::Colour]
                .map(|palette| Terminal { palette, width: Some(width) }.render_load(&load));
            assert_harmless(name, &plain);
            assert_eq!(visible_width(&plain), visible_width(&colour), "{name}");
            // A word of a stranger without a blank in it is not broken.
            let longest = plain.lines().map(visible_width).max();
            assert!(
                name == "hostile" || longest <= Some(usize::from(width)),
                "{name}: {longest:?} of {width}:\n{plain}"
            );
        }
    }
}

#[test]
fn junit_is_valid_and_green_if_and_only_if_the_load_is() {
    for (name, load) in loads() {
        let xml = Junit.render_load(&load);
        assert_eq!(junit::errors(&xml), [""; 0], "{name}");
        assert_harmless(name, &xml);
        let is_red = xml.contains("<failure") || xml.contains("<error");
        assert_eq!(is_red, load.exit_code != 0, "{name}: {xml}");
        let cases = xml.matches("<testcase ").count();
        assert!(cases > load.thresholds.len(), "{name}: a test case for each threshold, and one more");
    }
}

#[test]
fn sarif_is_valid_and_has_a_result_for_each_finding() {
    let schema = sarif::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, load) in loads() {
        let text = Sarif.render_load(&load);
        assert_harmless(name, &text);
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{name}");
        let findings = load.judged.as_ref().map_or(0, |judged| judged.scenario.findings.len());
        assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), findings, "{name}");
    }
}

#[test]
fn annotations_tell_what_failed_and_a_load_that_exits_0_ends_in_a_notice() {
    for (name, load) in loads() {
        let text = Github.render_load(&load);
        assert_harmless(name, &text);
        assert!(text.lines().all(|line| line.starts_with("::")), "{name}: {text}");
        assert_eq!(text.contains("::error "), load.exit_code != 0, "{name}: {text}");
        assert_eq!(text.contains("::notice "), load.exit_code == 0, "{name}: {text}");
    }
}

#[test]
fn markdown_is_harmless_and_short_enough() {
    for (name, load) in loads() {
        let text = Markdown.render_load(&load);
        assert_harmless(name, &text);
        assert!(text.chars().count() <= Markdown::MOST, "{name}");
        assert!(!text.contains("<script"), "{name}");
    }
}

#[test]
fn what_is_said_of_a_load_is_true_of_a_load() {
    for (name, load) in loads().into_iter().filter(|(name, _)| *name != "hostile") {
        let texts = [
            Junit.render_load(&load),
            Sarif.render_load(&load),
            Markdown.render_load(&load),
            Github.render_load(&load),
            Terminal { palette: Palette::Plain, width: None }.render_load(&load),
        ];
        for text in texts {
            for wrong in ["quickeats-bench race", "--replay", "first in round", " rounds, ", "scenario raced", "NaN"] {
                assert!(!text.contains(wrong), "{name}: {wrong}: {text}");
            }
        }
    }
}

#[test]
fn json_is_what_was_saved() {
    let load = violated();
    let again: LoadResult = serde_json::from_str(&Json.render_load(&load)).unwrap();
    assert_eq!(again, load);
}
