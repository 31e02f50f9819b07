//! Strangers' text in Markdown: no markup, no HTML, no link, and nobody is called by it.

use std::fmt::Write as _;

/// Text that is shown as it is, in a paragraph, a table's cell, or between tags of HTML.
///
/// What could be markup is written as an entity: those "cannot be used in place of symbols indicating structure" (`CommonMark`
/// 0.31, §6.2). A name or number that GitHub or GitLab would link to (`@someone`, `#12`, `!7`) is parted from its sign by a blank
/// of no width, and so is what would become a link.
pub(in crate::report) fn escaped(text: &str) -> String {
    let text = text.trim_start();
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let begins_list = begins_list(text);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied().unwrap_or(' ');
        let is_first = out.is_empty();
        let is_markup = match character {
            '&' | '<' | '>' | '\\' | '`' | '*' | '|' | '[' | ']' | '#' | '@' | '$' | '~' => true,
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '-' | '+' | '=' | '0'..='9' => is_first && begins_list,
            _ => false,
        };
        if is_markup {
            let _ = write!(out, "&#{};", u32::from(character));
        } else {
            out.push(character);
        }
        let is_reference = "@#!$~%&".contains(character) && (next.is_alphanumeric() || next == '"' || next == '_');
        let is_www = next == '.' && [before, character].iter().all(|one| one.eq_ignore_ascii_case(&'w'));
        let is_link = (character == ':' && next == '/') || is_www;
        if is_reference || is_link {
            out += "&#8203;";
        }
        before = character;
    }
    out
}

/// Whether a line that begins so is the item of a list, a rule, or the line under a heading.
fn begins_list(text: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let number = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    match text.chars().next() {
        Some('-' | '+' | '=') => ends(&text[1..]) || text[1..].starts_with(['-', '=']),
        Some('0'..='9') => number.strip_prefix(['.', ')']).is_some_and(ends),
        Some(_) | None => false,
    }
}

/// The same in a type of even width.
pub(in crate::report) fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// Lines as they are, in a block that none of them can end.
pub(in crate::report) fn fenced(text: &str) -> String {
    fenced_as("text", text)
}

/// The same of code in a `language`.
pub(in crate::report) fn fenced_as(language: &str, text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(escaped("<script>alert(1)</script>"), "&#60;script&#62;alert(1)&#60;/script&#62;");
        assert_eq!(
            escaped("a|b `c` [d](e) **f** ~~g~~"),
            "a&#124;b &#96;c&#96; &#91;d&#93;(e) &#42;&#42;f&#42;&#42; &#126;&#126;&#8203;g&#126;&#126;"
        );
        assert_eq!(escaped("pending_payment _is_ &lt;"), "pending_payment &#95;is&#95; &#38;&#8203;lt;");
        assert_eq!(escaped("- item"), "&#45; item");
        assert_eq!(escaped("    1. item"), "&#49;. item");
        assert_eq!(escaped("---"), "&#45;--");
        assert_eq!([escaped("9 of 12"), escaped("0.1.0"), escaped("-1")], ["9 of 12", "0.1.0", "-1"]);
        assert_eq!(escaped("the customer's 200: cancelled (version 3)"), "the customer's 200: cancelled (version 3)");
    }

    #[test]
    fn nobody_is_called_and_nothing_is_linked() {
        assert_eq!(escaped("@admin see #12, !7"), "&#64;&#8203;admin see &#35;&#8203;12, !&#8203;7");
        assert_eq!(
            escaped("https://evil.example www.evil.example"),
            "https:&#8203;//evil.example www&#8203;.evil.example"
        );
        assert_eq!(escaped("what it throws. And shows."), "what it throws. And shows.");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        assert_eq!(fenced("a\n```\nb\n"), "````text\na\n```\nb\n````\n");
        assert_eq!(fenced("plain"), "```text\nplain\n```\n");
    }
}
