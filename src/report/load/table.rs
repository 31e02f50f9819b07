//! What a load came to, on a terminal: the answer and the one number, what was found, then the measurements.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::told;
use super::{times, view};
use crate::check::Verdict;
use crate::load_result::LoadResult;
use crate::report::clean::clean;
use crate::report::replay;
use crate::report::terminal::wrap;
use crate::report::words::{Counted, Limit};
use crate::report::{Terminal, visible_width};
use crate::run_result::TargetKind;

/// Columns of the names of facts.
const NAME: usize = 11;
/// Columns where nobody says how many there are.
const PIPE: usize = 132;

impl Terminal {
    /// The report of a load.
    pub(in crate::report) fn of_load(self, result: &LoadResult) -> String {
        let result = &clean(result);
        let mut out = String::new();
        self.load_answer(&mut out, result);
        self.load_findings(&mut out, result).expect("writing to a string does not fail");
        let width = self.width.map_or(PIPE, usize::from);
        let tables = [times::times(result, width), times::counts(result, width), times::intervals(result)];
        for (at, table) in tables.iter().enumerate().filter(|(_, table)| !table.is_empty()) {
            let header = if at == 0 && width >= 84 { 2 } else { 1 };
            out.push('\n');
            for (number, line) in table.iter().enumerate() {
                let line = line.trim_end();
                let _ = writeln!(out, "{}", if number < header { self.palette.dim(line) } else { line.to_owned() });
            }
        }
        if result.all.sent > 0 && !tables[2].is_empty() {
            let _ = writeln!(
                out,
                "{}",
                self.palette.dim("in brackets: where it lies at 95 % confidence, if requests are independent")
            );
        }
        out.push('\n');
        self.load_facts(&mut out, result);
        self.load_foot(&mut out, result);
        self.fitted(&out)
    }

    fn load_answer(self, out: &mut String, result: &LoadResult) {
        let answer = told::answer(result);
        let answer = result.verdict.map_or_else(|| answer.clone(), |verdict| self.palette.verdict(verdict, &answer));
        let _ = writeln!(out, "{answer}; {}", self.palette.strong(&told::number(result)));
        let _ = writeln!(out, "{}", told::loaded(result));
        if let Some(ended) = told::ended(result) {
            let _ = writeln!(out, "{}", self.palette.warning(&format!("! {ended}")));
        }
        for caveat in told::caveats(result) {
            let _ = writeln!(out, "{}", self.palette.warning(&format!("! {caveat}")));
        }
        for why in &result.generator.void {
            let _ = writeln!(out, "{} {why}", self.palette.warning("! times are void:"));
        }
        for limit in &result.thresholds {
            let (limit, told) = told::threshold(limit);
            let mark = match limit {
                Limit::Kept => self.palette.verdict(Verdict::Holds, told::kept(limit)),
                Limit::Crossed => self.palette.verdict(Verdict::Violated, told::kept(limit)),
                Limit::NotMeasured => self.palette.verdict(Verdict::Inconclusive, told::kept(limit)),
            };
            let _ = writeln!(out, "{mark} {told}");
        }
    }

    /// As of a race: each kind with its sentence, its timeline, and what usually helps.
    fn load_findings(self, out: &mut String, result: &LoadResult) -> std::fmt::Result {
        let run = view::as_run(result);
        let Some(scenario) = run.scenarios.first() else { return Ok(()) };
        let mut told = BTreeSet::new();
        for finding in &scenario.findings {
            self.finding(out, Counted::Resources, scenario, finding)?;
            if told.insert(finding.kind) {
                self.example(out, finding)?;
            }
        }
        for doubt in &scenario.doubts {
            writeln!(out, "\n{} {doubt}", self.palette.verdict(Verdict::Inconclusive, "? in doubt:"))?;
        }
        Ok(())
    }

    fn load_facts(self, out: &mut String, result: &LoadResult) {
        let facts = [
            ("rates", Some(told::rates(result))),
            ("slots", Some(told::slots(result))),
            ("", told::dropped(result)),
            ("answers", Some(told::statuses(&result.status_counts))),
            ("stale", told::refused(result)),
            ("tries", told::tries(result)),
            ("fairness", told::fairness(result)),
            ("generator", Some(told::generator(result))),
            ("judged", told::judged(result)),
            ("holds means", told::excluded(result)),
        ];
        for (name, told) in facts {
            let Some(told) = told else { continue };
            let width = self.width.map_or(PIPE, usize::from).saturating_sub(NAME + 1);
            for (at, line) in wrap(&told, width).iter().enumerate() {
                let name = if at == 0 { name } else { "" };
                let _ = writeln!(out, "{} {line}", self.palette.dim(&times::padded(name, NAME)));
            }
        }
    }

    fn load_foot(self, out: &mut String, result: &LoadResult) {
        if result.target.kind == TargetKind::InProcess {
            let told = "The service ran in-process and shared the cores with the load: times compare runs, not servers";
            let _ = writeln!(out, "{}", self.palette.dim(told));
        }
        if let Some(rerun) = &result.rerun {
            let _ = writeln!(out, "Again: {}", replay::load_command(rerun));
        }
    }

    /// `text` within the terminal's width. Tables have it already.
    fn fitted(self, text: &str) -> String {
        let Some(width) = self.width.map(usize::from) else { return text.to_owned() };
        let fit = |line: &str| if visible_width(line) <= width { vec![line.to_owned()] } else { wrap(line, width) };
        text.lines().flat_map(fit).map(|line| line + "\n").collect()
    }
}
