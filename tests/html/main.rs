//! The HTML report: what it shows of fixed runs, that strangers' words stay words, and that it stays small.
//!
//! Snapshots are outlines of pages (an element a line), under `tests/html/snapshots`. After a wanted change:
//! `UPDATE_SNAPSHOTS=1 cargo test --test html`, and read the difference. `tests/html/browse` opens the same pages in Chromium.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::assigning_clones, reason = "a few words of a fixed run")]

mod hostile;
mod loads;
mod outline;
mod runs;

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use outline::Piece;
use quickeats_bench::report::{Html, Renderer as _};
use quickeats_bench::run_result::RunResult;

fn render(result: &RunResult) -> String {
    Html.render(result)
}

/// Pages that between them have every part.
fn pages() -> Vec<(&'static str, String)> {
    let runs = vec![
        ("violated", runs::violated()),
        ("holds", runs::holds()),
        ("inconclusive", runs::inconclusive()),
        ("swept", runs::swept()),
        ("many", runs::many(200)),
        ("korean", runs::korean()),
        ("hostile", runs::hostile()),
        ("nothing", runs::nothing()),
    ];
    let loads = vec![
        ("load-violated", loads::violated()),
        ("load-holds", loads::holds()),
        ("load-plain", loads::plain()),
        ("load-hostile", loads::hostile()),
    ];
    let runs = runs.into_iter().map(|(name, result)| (name, render(&result)));
    runs.chain(loads.into_iter().map(|(name, load)| (name, Html.render_load(&load)))).collect()
}

#[test]
fn pages_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/html/snapshots");
    let kept = ["holds", "inconclusive", "swept", "nothing", "load-violated", "load-plain"];
    for (name, page) in pages().into_iter().filter(|(name, _)| kept.contains(name)) {
        let outline = outline::of(&page);
        let path = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &outline).unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = outline.lines().zip(known.lines()).find(|(now, before)| now != before);
        assert!(
            outline == known,
            "{name} changed, first at {changed:?}. If that is wanted: UPDATE_SNAPSHOTS=1 cargo test --test html"
        );
    }
}

/// Written for `tests/html/browse`, which opens them in a browser.
#[test]
fn pages_for_a_browser() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("html");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page) in pages() {
        std::fs::write(folder.join(format!("{name}.html")), page).unwrap();
    }
    assert!(std::fs::read_dir(&folder).unwrap().count() >= pages().len(), "{}", folder.display());
}

#[test]
fn the_answer_comes_first_and_in_words() {
    let heading = |result: &RunResult| {
        let pieces = outline::pieces(&render(result));
        let from = pieces.iter().position(|piece| piece.is_start("h1")).unwrap();
        pieces[from..].iter().take_while(|piece| !piece.is_end("h1")).filter_map(Piece::text).collect::<String>()
    };
    assert_eq!(heading(&runs::violated()), "✗ Violated in the one scenario raced");
    assert_eq!(heading(&runs::holds()), "✓ Holds in the one scenario raced");
    assert_eq!(heading(&runs::inconclusive()), "? Inconclusive in the one scenario raced");
    assert_eq!(heading(&runs::nothing()), "? Inconclusive: no scenario was raced");
    assert_eq!(heading(&runs::many(200)), "✗ Violated in 40 of 40 scenarios");
}

#[test]
fn nothing_is_fetched_and_links_stay_within_the_page() {
    for (name, page) in pages() {
        let pieces = outline::pieces(&page);
        let attributes = || pieces.iter().flat_map(Piece::attributes);
        let ids: Vec<&str> = attributes().filter(|(key, _)| *key == "id").map(|(_, value)| value).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: an id is there twice");
        for (key, value) in attributes().filter(|(key, _)| ["href", "src", "action", "srcset", "data"].contains(key)) {
            let known = value.strip_prefix('#').map(|id| unique.contains(id));
            assert!(known == Some(true) || (key == "href" && value == "data:,"), "{name}: {key}={value}");
        }
        for (key, value) in attributes().filter(|(key, _)| *key == "aria-labelledby") {
            assert!(unique.contains(value), "{name}: {key}={value}");
        }
        assert!(attributes().all(|(key, _)| key != "style"), "{name}: the policy allows no style attribute");
    }
}

#[test]
fn headings_leave_no_level_out() {
    for (name, page) in pages() {
        let mut last = 0;
        for piece in outline::pieces(&page) {
            for level in 1..=6 {
                if piece.is_start(&format!("h{level}")) {
                    assert!(level <= last + 1, "{name}: h{level} after h{last}");
                    last = level;
                }
            }
        }
        assert!(last > 0, "{name}");
    }
}

#[test]
fn the_policy_names_this_style_and_this_script() {
    let page = render(&runs::violated());
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
        let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(digest);
        assert!(page.contains(&format!("{directive} 'sha256-{hash}';")), "{element}");
    }
    assert!(page.contains("content=\"default-src 'none';"));
}

#[test]
fn strangers_words_stay_words() {
    let (hostile, friendly) = (render(&runs::hostile()), render(&runs::violated_fully()));
    hostile::assert_harmless(&hostile, &friendly);
    hostile::assert_harmless(&Html.render_load(&loads::hostile()), &Html.render_load(&loads::violated()));
}

#[test]
fn a_load_says_whether_it_is_right_and_how_fast_before_anything_else() {
    let top = |page: String| {
        page.split_once("<main").and_then(|(_, main)| main.split_once("</header>")).unwrap().0.to_owned()
    };
    let violated = top(Html.render_load(&loads::violated()));
    for part in
        ["Violated under load", "80 correct operations/s", "Times are void", "Threshold crossed", "p95, intended start"]
    {
        assert!(violated.contains(part), "{part}: {violated}");
    }
    let plain = top(Html.render_load(&loads::plain()));
    assert!(
        plain.contains("Measured, not judged") && plain.contains("86 answers/s") && !plain.contains("goodput"),
        "{plain}"
    );
}

#[test]
fn a_load_draws_both_views_of_its_times_and_tells_no_number_that_is_none() {
    let page = Html.render_load(&loads::violated());
    for chart in [
        "Latency by percentile",
        "Requests over time",
        "Latency over time",
        "Errors over time",
        "Refused as stale",
        "Tries until done",
    ] {
        assert_eq!(page.matches(&format!("<b>{chart}")).count(), 1, "{chart}");
    }
    assert!(page.matches("class=\"curve").count() >= 5 && !page.contains("NaN") && !page.contains("inf "));
    assert!(!page.contains("quickeats-bench race") && page.contains("quickeats-bench load --defect check-then-save"));
}

#[test]
fn findings_beyond_the_cap_are_rows_and_it_says_so() {
    let cards = |page: &str| page.matches("<article class=\"card ").count();
    assert_eq!(cards(&render(&runs::holds())), 0);
    let one = render(&runs::violated());
    assert!(cards(&one) == 1 && !one.contains("Shown in full") && !one.contains("id=\"more-findings\""));
    let many = render(&runs::many(200));
    assert_eq!(cards(&many), 100);
    assert!(many.contains("And 100 findings more") && many.contains("Shown in full: the first 100 of 200."));
    assert!(many.contains("run.json has all"));
}

#[test]
fn a_long_round_is_cut_around_its_proof_and_it_says_so() {
    let page = render(&runs::long_round(120));
    assert!(page.contains("showing 48 of 120 operations, those nearest to the proof"), "{}", outline::of(&page));
    for witness in &runs::long_round(120).scenarios[0].findings[0].witness {
        assert!(page.contains(&format!("data-op=\"1-{}\"", witness.operation)), "operation {}", witness.operation);
    }
}

/// 40 scenarios with 5 findings each, of 120 operations each, with long words in a script of three bytes a character.
#[test]
fn a_huge_run_stays_small() {
    let page = render(&runs::huge());
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(page.contains("Shown in full: the first 100 of 200."));
    assert!(page.contains("the rest is left out; run.json has all"));
}
