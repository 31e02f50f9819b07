//! Reports for machines: true to their formats, whatever strangers said; and the same bytes for the same result.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixed;
mod github;
mod junit;
mod loads;
mod markdown;
mod sarif;
mod snapshots;

use std::sync::LazyLock;

use quickeats_bench::report::{Json, Renderer};
use quickeats_bench::run_result::RunResult;

/// Results of all shapes, by name.
static RESULTS: LazyLock<Vec<(&'static str, RunResult)>> = LazyLock::new(|| {
    let (mixed, mut interrupted, mut lost) = (fixed::mixed(), fixed::nothing_found(), fixed::nothing_found());
    (interrupted.interrupted, interrupted.exit_code) = (true, 130);
    lost.exit_code = 4;
    let mut empty = fixed::nothing_found();
    empty.scenarios.clear();
    (empty.verdict, empty.exit_code) = (quickeats_bench::check::Verdict::Inconclusive, 3);
    empty.totals.scenarios = 0;
    let mut bare = mixed.clone();
    bare.rerun = None;
    vec![
        ("nothing found", fixed::nothing_found()),
        ("one finding", fixed::found(1)),
        ("200 findings", fixed::found(200)),
        ("Korean", fixed::korean()),
        ("hostile", fixed::filled(&mixed, fixed::HOSTILE)),
        ("200 hostile findings", fixed::filled(&fixed::found(200), fixed::HOSTILE)),
        ("empty texts", fixed::filled(&mixed, "")),
        ("mixed", mixed),
        ("interrupted", interrupted),
        ("target lost", lost),
        ("nothing raced", empty),
        ("without what was typed", bare),
    ]
});

fn results() -> impl Iterator<Item = (&'static str, &'static RunResult)> {
    RESULTS.iter().map(|(name, result)| (*name, result))
}

/// What no report may hold, as it is: controls but for line ends, and marks that reorder or hide.
fn forbidden(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
}

/// JSON escapes what a terminal would obey, so that the very same text is read from it.
#[test]
fn json_is_harmless_to_see_and_tells_all() {
    for (name, result) in results() {
        let text = Json.render(result);
        assert_harmless(name, &text);
        assert!(serde_json::from_str::<RunResult>(&text).unwrap() == *result, "{name}");
    }
}

#[track_caller]
fn assert_harmless(name: &str, rendered: &str) {
    let found = rendered.chars().find(|character| forbidden(*character));
    assert!(found.is_none(), "{name}: {found:?}");
}
