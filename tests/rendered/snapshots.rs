//! What each renderer makes of fixed results, byte for byte.

use std::path::Path;

use quickeats_bench::report::{Github, Junit, Markdown, Renderer, Sarif};

use crate::fixed;

/// Holds `rendered` against the file of that name; writes it where `UPDATE_SNAPSHOTS` is set.
#[track_caller]
pub(crate) fn assert_snapshot(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, rendered).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(rendered.lines()).position(|(one, other)| one != other);
    assert!(
        committed == rendered,
        "{name} differs, first in line {:?}; look at it: UPDATE_SNAPSHOTS=1 cargo test --test rendered, and git diff",
        differs.map(|line| line + 1)
    );
}

#[test]
fn of_one_scenario_of_each_verdict() {
    let result = fixed::mixed();
    assert_snapshot("mixed.xml", &Junit.render(&result));
    assert_snapshot("mixed.sarif", &Sarif.render(&result));
    assert_snapshot("mixed.md", &Markdown.render(&result));
    assert_snapshot("mixed.txt", &Github.render(&result));
}

#[test]
fn of_a_run_that_found_nothing() {
    let result = fixed::nothing_found();
    assert_snapshot("nothing-found.xml", &Junit.render(&result));
    assert_snapshot("nothing-found.md", &Markdown.render(&result));
    assert_snapshot("nothing-found.txt", &Github.render(&result));
}

#[test]
fn of_a_run_in_korean() {
    let result = fixed::korean();
    assert_snapshot("korean.xml", &Junit.render(&result));
    assert_snapshot("korean.md", &Markdown.render(&result));
    assert_snapshot("korean.txt", &Github.render(&result));
}

#[test]
fn of_hostile_bytes() {
    let mut result = fixed::mixed();
    result.scenarios.truncate(1);
    let result = fixed::filled(&result, fixed::HOSTILE);
    assert_snapshot("hostile.xml", &Junit.render(&result));
    assert_snapshot("hostile.md", &Markdown.render(&result));
    assert_snapshot("hostile.txt", &Github.render(&result));
}
