//! The report of `check`: the answer, then each violation with its witness as a small timeline, then the effort.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Terminal, table, wrap};
use crate::check::Verdict;
use crate::check_result::{CheckResult, ModelName, PartResult, StepResult};
use crate::text::count;

/// Columns of a timeline.
const COLUMNS: u64 = 32;
/// Operations shown of one witness; `--output json` has all.
const MOST_STEPS: usize = 16;
/// Violated keys shown; `--output json` has all.
const MOST_PARTS: usize = 4;

impl Terminal {
    /// The report of a check.
    pub fn render_check(&self, result: &CheckResult) -> String {
        let mut out = String::new();
        self.checked(&mut out, result).expect("writing to a string does not fail");
        match self.width {
            None => out,
            Some(width) => {
                out.lines().flat_map(|line| wrap(line, usize::from(width))).map(|line| line + "\n").collect()
            }
        }
    }

    fn checked(self, out: &mut String, result: &CheckResult) -> std::fmt::Result {
        let against = match result.model {
            ModelName::Order => "against the API description in it",
            ModelName::Register => "as a register",
            ModelName::Kv => "as a key-value store",
        };
        let word = match result.verdict {
            Verdict::Holds => "✓ holds",
            Verdict::Inconclusive => "? inconclusive",
            Verdict::Violated => "✗ violated",
        };
        writeln!(out, "{}: {}, {against}", self.palette.verdict(result.verdict, word), result.file)?;
        let mut told = BTreeSet::new();
        for scenario in &result.scenarios {
            self.scenario(out, scenario, None, &mut told)?;
        }
        if !result.scenarios.is_empty() {
            writeln!(out, "\n{}", table::render(&result.scenarios, self.width))?;
        }
        let violated = || result.parts.iter().filter(|part| part.verdict == Verdict::Violated);
        for part in violated().take(MOST_PARTS) {
            self.violated_part(out, part)?;
        }
        if violated().count() > MOST_PARTS {
            writeln!(out, "\nshowing {MOST_PARTS} of {} violated keys; --output json has all", violated().count())?;
        }
        for (part, doubt) in result.parts.iter().filter_map(|part| Some((part, part.doubt.as_ref()?))) {
            let word = self.palette.verdict(Verdict::Inconclusive, "? inconclusive");
            let most =
                format!("at most {} of {} operations could be put in order", part.longest_order, part.operations);
            writeln!(out, "\n{word}{}: {doubt}; {most}", of_key(part))?;
        }
        if let Some(damage) = &result.damage {
            let word = self.palette.warning("! damaged");
            writeln!(out, "\n{word} {damage}; judged is what stands before it")?;
        }
        let states = result.states_visited.map(|states| format!(", {} visited", count(states, "state")));
        let resources = if result.parts.is_empty() {
            String::new()
        } else {
            format!(" on {}", count(result.parts.len() as u64, "resource"))
        };
        writeln!(
            out,
            "\n{}{resources}{}, {:.1} ms",
            count(result.operations, "operation"),
            states.unwrap_or_default(),
            result.duration_ms,
        )
    }

    fn violated_part(self, out: &mut String, part: &PartResult) -> std::fmt::Result {
        let mark = self.palette.verdict(Verdict::Violated, "✗ violation");
        let proving = part.witness.iter().filter(|step| step.proves).count() as u64;
        let those = if proving == 1 { "operation has" } else { "operations have" };
        write!(out, "\n{mark}{}: {proving} {those} no legal order", of_key(part))?;
        if part.witness_is_smallest {
            write!(out, "; without any one of them there is one")?;
        }
        writeln!(out)?;
        let shown = &part.witness[..part.witness.len().min(MOST_STEPS)];
        let first = shown.iter().map(|step| step.opened_line).min().unwrap_or(0);
        let last = shown.iter().map(|step| step.closed_line.unwrap_or(step.opened_line)).max().unwrap_or(0);
        let lines = |step: &StepResult| match step.closed_line {
            Some(closed) => format!("{}-{closed}", step.opened_line),
            None => format!("{}-", step.opened_line),
        };
        let said = |step: &StepResult| format!("{} → {}", step.asked, step.answered);
        let width = |text: &dyn Fn(&StepResult) -> String| {
            shown.iter().map(|step| text(step).chars().count()).max().unwrap_or(0)
        };
        let (lines_width, said_width) = (width(&lines).max(5), width(&said));
        writeln!(out, "  {}", self.palette.dim(&format!("{:>lines_width$}  process", "lines")))?;
        for step in shown {
            let bar = bar(step, u64::from(first), u64::from(last));
            let (lines, said, process) = (lines(step), said(step), step.process);
            let line = format!("  {lines:>lines_width$}  {process:<7}  {said:said_width$}  {bar}");
            let line = line.trim_end();
            writeln!(out, "{}", if step.proves { line.to_owned() } else { self.palette.dim(&format!("{line} (*)")) })?;
        }
        if part.witness.len() > shown.len() {
            writeln!(out, "  showing {} of {} operations; --output json has all", shown.len(), part.witness.len())?;
        }
        if shown.iter().any(|step| !step.proves) {
            writeln!(
                out,
                "  {}",
                self.palette.dim("(*) belongs to the story: wherever it is placed, there is no legal order")
            )?;
        }
        Ok(())
    }
}

fn of_key(part: &PartResult) -> String {
    part.key.as_ref().map(|key| format!(" of key \"{key}\"")).unwrap_or_default()
}

/// A window on a line of [`COLUMNS`] columns.
fn bar(step: &StepResult, first: u64, last: u64) -> String {
    let span = (last - first).max(1);
    let column = |line: u32| usize::try_from((u64::from(line) - first) * (COLUMNS - 1) / span).expect("a column");
    let from = column(step.opened_line);
    let mut bar = " ".repeat(from);
    bar.push('|');
    if let Some(closed) = step.closed_line {
        let to = column(closed).max(from + 1);
        bar.push_str(&"-".repeat(to - from - 1));
        bar.push('|');
    } else {
        let left = usize::try_from(COLUMNS).expect("small") - from;
        bar.push_str(&"- ".repeat(left / 2));
        bar.push('>');
    }
    bar
}
