//! The report as one HTML file: it asks nothing of any network, works from disk, without its script, on paper and aloud.
//!
//! ```text
//! RunResult ──► sections (maud escapes every value) ──► page ──► inert: what no template wrote and a reader cannot see
//!                                                                 (control characters, bidi marks) is spelled out
//! ```
//!
//! A page has caps (findings in full, operations drawn, characters of a sentence) and says where one was reached; `run.json`
//! has all. Its policy (CSP) allows its own style and script by their digests, and nothing else.

mod answer;
mod charts;
mod effort;
mod findings;
mod load;
mod mending;
mod scenarios;
mod timeline;
mod words;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use super::Renderer;
use crate::load_result::LoadResult;
use crate::run_result::RunResult;
use crate::text::{harmless, harmless_lines};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The report as a page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Html;

impl Renderer for Html {
    fn render(&self, result: &RunResult) -> String {
        text(page(result))
    }

    fn render_load(&self, result: &LoadResult) -> String {
        text(load::page(result))
    }
}

fn text(page: Markup) -> String {
    let mut text = inert(page.into_string());
    text.push('\n');
    text
}

/// Spells out what is no text: control characters, and marks that reorder it. Whatever field it came from, and whichever section
/// shows it. Line ends are the templates' own.
fn inert(page: String) -> String {
    if page.lines().all(|line| !line.contains(|one: char| !one.is_ascii_graphic() && one != ' ')) {
        return page;
    }
    harmless_lines(&page)
}

fn page(result: &RunResult) -> Markup {
    let found = findings::all(result);
    let main = html! {
        (answer::section(result, &found))
        (findings::section(result))
        (mending::section(&found))
        (scenarios::section(result))
        (charts::section(result))
        (effort::section(result))
    };
    whole(&answer::title(result), &result.tool_version, &main, &answer::footer(result))
}

/// A page around what it says.
fn whole(title: &str, tool_version: &str, main: &Markup, footer: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "quickeats-bench " (harmless(tool_version, 40)) };
                meta name="referrer" content="no-referrer";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the answer" }
                main id="main" { (main) }
                (footer)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

/// Nothing from anywhere but the style and the script of this page, known by their digests.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_spelled_out_and_line_ends_stay() {
        assert_eq!(inert("a\u{202e}b\nc\u{0}\u{1b}[31m주".to_owned()), "a\\u{202e}b\nc\\u{0}\\u{1b}[31m주");
        assert_eq!(inert("plain\ntext".to_owned()), "plain\ntext");
    }

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--") && text.is_ascii(), "{text}");
        }
    }
}
