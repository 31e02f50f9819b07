//! A plan in requests: who sends what, with examples in the holes.

use std::fmt::Write as _;

use super::{Terminal, wrap};
use crate::probe_result::{Outline, OutlineStep};

/// How much of a request is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Method and path.
    Short,
    /// Headers and body, too.
    Whole,
}

impl Terminal {
    /// The plan of a scenario.
    pub fn render_outline(&self, outline: &Outline, detail: Detail) -> String {
        let mut out = String::new();
        let name = self.palette.strong(&outline.scenario);
        let _ = writeln!(out, "{name} ({})", outline.notes.join("; "));
        let steps = || outline.parts.iter().flat_map(|part| &part.steps);
        let who = steps().map(|step| step.who.chars().count()).max().unwrap_or(0);
        let verb = steps().map(|step| step.verb.chars().count()).max().unwrap_or(0);
        for part in &outline.parts {
            for (index, step) in part.steps.iter().enumerate() {
                let title = if index == 0 { part.title } else { "" };
                let _ = writeln!(out, "  {title:6}  {:who$}  {:verb$}  {}", step.who, step.verb, self.line(step));
                if detail == Detail::Whole {
                    self.rest(&mut out, step, &" ".repeat(2 + 6 + 2 + who + 2 + verb + 2));
                }
            }
        }
        self.fit(&out)
    }

    /// Lines of text.
    pub fn render_lines(&self, lines: &[String]) -> String {
        self.fit(&(lines.join("\n") + "\n"))
    }

    fn line(self, step: &OutlineStep) -> String {
        if step.remark.is_empty() {
            return step.asked.request.clone();
        }
        format!("{}  {}", step.asked.request, self.palette.dim(&format!("({})", step.remark)))
    }

    fn rest(self, out: &mut String, step: &OutlineStep, margin: &str) {
        for (name, value) in &step.asked.headers {
            let _ = writeln!(out, "{margin}{}", self.palette.dim(&format!("{name}: {value}")));
        }
        if let Some(body) = &step.asked.body {
            let _ = writeln!(out, "{margin}{}", self.palette.dim(body));
        }
    }

    /// `text` within the terminal's width.
    pub(super) fn fit(self, text: &str) -> String {
        match self.width {
            None => text.to_owned(),
            Some(width) => {
                text.lines().flat_map(|line| wrap(line, usize::from(width))).map(|line| line + "\n").collect()
            }
        }
    }
}
