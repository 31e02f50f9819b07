//! What a probe found: a line for each thing that was asked, then what to write.

use std::fmt::Write as _;

use super::Terminal;
use crate::probe_result::{Advice, Mark, ProbeResult};
use crate::text::count;

impl Terminal {
    /// The findings of a probe.
    pub fn render_probe(&self, result: &ProbeResult) -> String {
        let mut out = String::new();
        let against = result.api.as_ref().map(|api| format!(", held against `{api}`")).unwrap_or_default();
        let _ = writeln!(out, "{}{against}", self.palette.strong(&result.target));
        let width = result.findings.iter().map(|finding| finding.about.chars().count()).max().unwrap_or(0);
        for finding in &result.findings {
            let mark = match finding.mark {
                Mark::AsDescribed => self.palette.fine("✓"),
                Mark::Differs => self.palette.wrong("✗"),
                Mark::Open => self.palette.warning("?"),
                Mark::Learned => self.palette.dim("·"),
            };
            let _ = writeln!(out, "  {mark} {:width$}  {}", finding.about, finding.sentence);
        }
        if !result.statuses.is_empty() {
            let _ = writeln!(out, "\n{}", self.palette.strong("statuses"));
        }
        for seen in &result.statuses {
            let _ = writeln!(out, "  {} {}: {}", seen.status, seen.meaning, seen.requests.join(", "));
        }
        if result.api.is_some() {
            self.answer_of_probe(&mut out, result);
        }
        self.fit(&out)
    }

    fn answer_of_probe(self, out: &mut String, result: &ProbeResult) {
        let number = |mark| result.findings.iter().filter(|finding| finding.mark == mark).count() as u64;
        let (differs, open) = (number(Mark::Differs), number(Mark::Open));
        let fine = count(number(Mark::AsDescribed), "thing");
        let answer = if differs == 0 {
            self.palette.fine(&format!("✓ as described: {fine}"))
        } else {
            self.palette.wrong(&format!("✗ otherwise than described or than HTTP says: {}", count(differs, "thing")))
        };
        let _ = writeln!(out, "\n{answer}; {open} that cannot be told. Nothing raced: this proves nothing about races");
        if !result.advice.is_empty() {
            let _ = writeln!(
                out,
                "\nIf the server is as it should be, the description is not, and should say (--write FILE writes it so):\n"
            );
            for line in lines(&result.advice) {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
}

/// The lines of all advice, each table's header once.
fn lines(advice: &[Advice]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut here = None;
    for one in advice {
        let mut own = one.lines();
        if own.len() > 1 {
            let header = own.remove(0);
            if here.as_ref() != Some(&header) {
                lines.push(header.clone());
                here = Some(header);
            }
        }
        lines.append(&mut own);
    }
    lines
}
