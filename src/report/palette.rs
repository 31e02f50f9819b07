//! Colour by meaning, in one place. Every coloured symbol has a word beside it, so nothing is lost without colour.

use anstyle::{AnsiColor, Style};

use crate::check::Verdict;

/// Whether to colour, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Palette {
    /// No escape sequences: a pipe, or `NO_COLOR`.
    Plain,
    /// For a terminal.
    Colour,
}

impl Palette {
    /// What a verdict looks like.
    pub fn verdict(self, verdict: Verdict, text: &str) -> String {
        let colour = match verdict {
            Verdict::Holds => AnsiColor::Green,
            Verdict::Inconclusive => AnsiColor::Yellow,
            Verdict::Violated => AnsiColor::Red,
        };
        self.paint(colour.on_default().bold(), text)
    }

    /// What a warning looks like.
    pub fn warning(self, text: &str) -> String {
        self.paint(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What is as it should be.
    pub fn fine(self, text: &str) -> String {
        self.paint(AnsiColor::Green.on_default().bold(), text)
    }

    /// What is missing or wrong.
    pub fn wrong(self, text: &str) -> String {
        self.paint(AnsiColor::Red.on_default().bold(), text)
    }

    /// What matters less.
    pub fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// What a line is about.
    pub fn strong(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("{style}{text}{style:#}"),
        }
    }
}
