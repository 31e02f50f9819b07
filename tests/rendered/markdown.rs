//! Markdown: within GitHub's limit, and of the same structure whatever strangers said.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use quickeats_bench::report::{Markdown, Renderer};

use crate::{assert_harmless, fixed, results};

/// What a page is made of: its elements, tags of HTML included, without its text.
fn structure(markdown: &str) -> Vec<String> {
    let tag = |html: &str| {
        let names = html.split('<').skip(1).map(|rest| rest.split(['>', '\n']).next().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let told = |event| match event {
        Event::Start(element) => Some(format!("{element:?}")),
        Event::End(element) => Some(format!("/{element:?}")),
        Event::Html(html) | Event::InlineHtml(html) => Some(tag(&html)),
        Event::Text(_) | Event::SoftBreak => None,
        other => Some(format!("{other:?}")),
    };
    Parser::new_ext(markdown, Options::all()).filter_map(told).collect()
}

/// What GitHub looks through for names, numbers and addresses to link: all text but that of blocks of code.
fn prose(markdown: &str) -> String {
    let mut is_code = false;
    let told = |event| {
        match &event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            _ => {}
        }
        match event {
            Event::Text(text) if !is_code => Some(text.to_string()),
            _ => None,
        }
    };
    Parser::new_ext(markdown, Options::all()).filter_map(told).collect()
}

#[test]
fn hostile_text_changes_no_element() {
    for result in [fixed::mixed(), fixed::found(3), fixed::korean()] {
        let plain = Markdown.render(&fixed::filled(&result, "plain"));
        let hostile = Markdown.render(&fixed::filled(&result, fixed::HOSTILE));
        let prose = prose(&hostile);
        assert!(!prose.contains("@admin") && !prose.contains("://") && !prose.contains("www."), "{prose}");
        assert!(prose.contains("<script>alert(1)</script>") && prose.contains("admin"), "it is shown: {prose}");
        assert_eq!(structure(&hostile), structure(&plain), "{hostile}");
        assert!(structure(&plain).iter().any(|element| element.starts_with("Table")), "the structure is read");
    }
}

#[test]
fn a_comment_is_short_enough_for_github_and_counts_what_it_leaves_out() {
    for (name, result) in results() {
        let markdown = Markdown.render(result);
        assert_harmless(name, &markdown);
        assert!(markdown.chars().count() <= Markdown::MOST, "{name}: {}", markdown.chars().count());
        let left = "*Left out, to stay below 65536 characters: ";
        assert_eq!(markdown.contains(left), name.starts_with("200"), "{name}");
        assert_eq!(markdown.matches("<details>").count(), markdown.matches("</details>").count(), "{name}");
    }
    let markdown = Markdown.render(&fixed::found(200));
    let shown = markdown.matches("<details><summary>✗ violation").count();
    assert!(shown > 20 && markdown.contains(&format!("{} timelines", 200 - shown)), "{shown} are shown");
}

#[test]
fn a_run_of_many_scenarios_and_long_texts_stays_within_the_limit() {
    let result = fixed::filled(&fixed::found(300), &"`|<@주문 ".repeat(300));
    let markdown = Markdown.render(&result);
    assert!(markdown.chars().count() <= Markdown::MOST, "{}", markdown.chars().count());
    assert!(markdown.contains("Left out"));
}
