//! The architecture, kept: dependencies point only downwards.
//!
//! Reads every `crate::…` path of the sources and fails where one points upwards, or sideways where that is not allowed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module: its layer, and the modules of its own layer that it may use.
const HOUSE: &[(&str, u8, &[&str])] = &[
    // 1 base
    ("clock", 1, &[]),
    ("ids", 1, &[]),
    ("jwt", 1, &[]),
    ("seed", 1, &[]),
    ("text", 1, &[]),
    ("source", 1, &["text"]),
    // 2 vocabulary
    ("history", 2, &[]),
    ("api", 2, &["history"]),
    // 3 judgment
    ("measure", 3, &[]),
    ("spec", 3, &[]),
    ("check", 3, &["spec"]),
    // 4 world
    ("target", 4, &[]),
    ("service", 4, &[]),
    // 5 drive
    ("check_result", 5, &["run_result"]),
    ("compare_result", 5, &["run_result"]),
    ("event", 5, &[]),
    ("run_result", 5, &[]),
    ("recheck", 5, &["run_result"]),
    ("scenario", 5, &[]),
    ("traffic", 5, &["scenario"]),
    ("load", 5, &["race", "scenario", "traffic"]),
    ("load_result", 5, &["run_result", "traffic"]),
    ("init", 5, &["scenario"]),
    ("race", 5, &["scenario"]),
    ("probe", 5, &["probe_result", "scenario"]),
    ("probe_result", 5, &[]),
    // 6 run and present
    ("run", 6, &[]),
    ("report", 6, &[]),
    // 7 rim
    ("demo", 7, &[]),
    ("cli", 7, &["demo"]),
];

/// What may never be used, though it lies below: (user, used, why).
const APART: &[(&str, &str, &str)] = &[
    ("target", "check", "a target carries requests, it does not judge"),
    ("target", "spec", "a target carries requests, it does not judge"),
    ("service", "api", "the yardstick must not know how it is measured"),
    ("service", "history", "the yardstick must not know how it is measured"),
    ("service", "check", "the yardstick must not know how it is measured"),
    ("service", "spec", "the yardstick must not know how it is measured"),
    ("service", "measure", "the yardstick must not know how it is measured"),
    ("race", "service", "a race knows its target by URL alone"),
    ("load", "service", "a load knows its target by URL alone"),
    ("scenario", "service", "a scenario is about any target"),
    ("traffic", "service", "traffic is for any target"),
    ("traffic", "target", "a plan is data"),
    ("scenario", "target", "a plan is data"),
    ("report", "probe", "a report is rendered from the result alone"),
    ("probe", "service", "a probe knows its target by URL alone"),
    ("report", "load", "a report is rendered from the result alone"),
    ("report", "race", "a report is rendered from the result alone"),
    ("report", "service", "a report is rendered from the result alone"),
    ("report", "target", "a report is rendered from the result alone"),
];

/// Crates that only the async layers may use.
const ASYNC_CRATES: &[&str] = &["tokio", "hyper", "reqwest", "axum", "tokio_rustls", "sqlx", "redis"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The module of `src/` that a file belongs to.
fn module(src: &Path, file: &Path) -> String {
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

/// Every `crate::name` of a file, `crate::{a, b}` included, comments left out.
fn used(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
            continue; // quickeats_bench-like names that end in "crate"
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.push(rest),
            Some(group) => {
                let group = &group[..group.find("};").unwrap_or(group.len())];
                let mut depth = 0;
                let top_level = |c: char| {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    c == ',' && depth == 0
                };
                names.extend(group.split(top_level).map(str::trim_start).filter(|name| !name.is_empty()));
            }
        }
    }
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    names.into_iter().map(name).collect()
}

#[test]
fn dependencies_point_only_downwards() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let house: BTreeMap<&str, (u8, &[&str])> =
        HOUSE.iter().map(|(name, layer, same)| (*name, (*layer, *same))).collect();
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    let mut edges = 0;
    for file in &files {
        let own = module(&src, file);
        if own == "main" || own == "lib" {
            continue;
        }
        let shown = file.strip_prefix(&src).unwrap().display();
        let Some((layer, same)) = house.get(own.as_str()) else {
            wrong.push(format!("{shown}: module `{own}` has no place in the house"));
            continue;
        };
        for name in used(&fs::read_to_string(file).unwrap()) {
            if name == own {
                continue;
            }
            edges += 1;
            match house.get(name.as_str()) {
                None => wrong.push(format!("{shown}: `crate::{name}` is no module of the house")),
                Some((below, _)) if below < layer || same.contains(&name.as_str()) => {
                    let apart = APART.iter().find(|(user, used, _)| *user == own && *used == name);
                    wrong.extend(apart.map(|(_, _, why)| format!("{shown}: uses `{name}`, but {why}")));
                }
                Some(_) => wrong.push(format!("{shown}: uses `{name}`, which does not lie below `{own}`")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(edges > 100, "only {edges} uses were found: the reading of the sources is broken");
}

#[test]
fn judgment_and_vocabulary_never_wait() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let pure = |name: &str| HOUSE.iter().any(|(own, layer, _)| *own == name && *layer <= 3) || name == "report";
    for file in files.iter().filter(|file| pure(&module(&src, file))) {
        let text = fs::read_to_string(file).unwrap();
        for library in ASYNC_CRATES {
            assert!(!text.contains(&format!("{library}::")), "{} uses {library}", file.display());
        }
        assert!(!text.contains("async fn"), "{} waits", file.display());
    }
}

#[test]
fn the_map_lists_every_module_in_layer_order() {
    let text = include_str!("../src/lib.rs");
    let listed: Vec<&str> =
        (text.lines()).filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let layer = |name: &str| HOUSE.iter().find(|(own, _, _)| *own == name).map(|(_, layer, _)| *layer);
    let layers: Vec<u8> = listed.iter().map(|name| layer(name).unwrap_or_else(|| panic!("{name}"))).collect();
    assert!(layers.is_sorted(), "{listed:?}");
    assert_eq!(listed.len(), HOUSE.len());
}
