//! Text within a width. Korean letters take two columns, so widths are measured and not counted.

use console::measure_text_width;

use crate::report::Palette;

/// Prose is not wider than this, however wide the terminal: nobody likes to read longer lines.
const PROSE: usize = 100;

/// What a page of text is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    /// Columns to stay within.
    pub(super) width: usize,
    /// Whether to colour.
    pub(super) palette: Palette,
}

/// Breaks `text` at blanks into lines of at most `width` columns, each indented by `indent`. An empty line begins a paragraph; other
/// line ends are blanks. A word that is wider stays whole.
pub(super) fn wrap(text: &str, indent: usize, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.trim().split("\n\n") {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && indent + measure_text_width(&line) + 1 + measure_text_width(word) > width {
                lines.push(format!("{:indent$}{line}", ""));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(format!("{:indent$}{line}", ""));
    }
    lines
}

/// `text`, filled up with blanks to `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{:1$}", "", width.saturating_sub(measure_text_width(text)))
}

impl Page {
    /// Prose, indented.
    pub(super) fn prose(self, text: &str) -> String {
        self.painted(text, str::to_owned)
    }

    /// The same, painted line by line, so that no colour runs over a line's end.
    pub(super) fn painted(self, text: &str, paint: impl Fn(&str) -> String) -> String {
        (wrap(text, 2, self.width.min(PROSE)).iter())
            .map(|line| if line.is_empty() { "\n".to_owned() } else { paint(line) + "\n" })
            .collect()
    }

    /// `━━ Act 1 of 5 ━━ its title ━━━━━━━━`
    pub(super) fn heading(self, above: &str, title: &str) -> String {
        let above = if above.is_empty() { String::new() } else { format!("━━ {above} ") };
        let rule = "━".repeat(self.width.min(PROSE).saturating_sub(2 + measure_text_width(&above) + 2));
        let titled = wrap(title, 2, self.width.min(PROSE))
            .iter()
            .fold(String::new(), |text, line| format!("{text}{}\n", self.palette.strong(line)));
        format!("{}\n{titled}", self.palette.dim(&format!("{above}━━{rule}")))
    }

    /// What the next lines are.
    pub(super) fn label(self, text: &str) -> String {
        self.painted(text, |line| self.palette.strong(line))
    }

    /// A command, to be copied: where it does not fit, its lines end with a backslash.
    pub(super) fn command(self, command: &str) -> String {
        let lines = wrap(command, 6, self.width.min(PROSE).saturating_sub(2));
        let mut text = lines.join(" \\\n");
        text.replace_range(..2, "");
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_takes_two_columns_a_letter() {
        assert_eq!(wrap("주문이 취소됨 확인", 2, 15), ["  주문이 취소됨", "  확인"]);
        assert_eq!(wrap("주문이 취소됨 확인", 2, 14), ["  주문이", "  취소됨 확인"]);
        assert_eq!(measure_text_width(&pad("주문", 6)), 6);
    }

    #[test]
    fn an_empty_line_begins_a_paragraph_and_other_line_ends_do_not() {
        assert_eq!(wrap("one\ntwo\n\nthree\n", 0, 80), ["one two", "", "three"]);
    }

    #[test]
    fn a_command_can_be_copied() {
        let page = Page { width: 40, palette: Palette::Plain };
        assert_eq!(page.command("race --seed 7"), "    race --seed 7\n");
        let long = page.command("race --defect check-then-save cancel-vs-accept --seed 7");
        assert_eq!(long, "    race --defect check-then-save \\\n      cancel-vs-accept --seed 7\n");
        assert_eq!(long.replace("\\\n", "").split_whitespace().count(), 6);
    }
}
