//! A comparison of two runs: the answer, what became worse, better or cannot be told, and a table of all numbers. For a terminal, and
//! as Markdown.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::markdown::{code, escaped};
use super::terminal::wrap;
use super::words::percent;
use super::{Markdown, Palette, Terminal};
use crate::check::Verdict;
use crate::compare_result::{Change, Comparison, Measure, Quantity, ScenarioChange};
use crate::text::{count, harmless, list, micros};

/// Characters of one name that are shown.
const NAME: usize = 200;

impl Terminal {
    /// The comparison for people.
    pub fn render_comparison(&self, comparison: &Comparison) -> String {
        let mut out = String::new();
        self.compared(&mut out, comparison).expect("writing to a string does not fail");
        match self.width {
            None => out,
            Some(width) => {
                out.lines().flat_map(|line| wrap(line, usize::from(width))).map(|line| line + "\n").collect()
            }
        }
    }

    fn compared(self, out: &mut String, comparison: &Comparison) -> std::fmt::Result {
        let answer = paint(self.palette, comparison.change, &answer(comparison));
        writeln!(out, "{answer}, {}", sides(comparison))?;
        for remark in &comparison.remarks {
            writeln!(out, "{} {}", self.palette.warning("! note"), harmless(remark, NAME))?;
        }
        for scenario in comparison.scenarios.iter().filter(|scenario| is_told(scenario)) {
            let mark = paint(self.palette, scenario.change, mark(scenario.change));
            writeln!(out, "\n{mark} {}: {}", self.palette.strong(&name(scenario)), verdicts(scenario))?;
            for line in details(scenario) {
                writeln!(out, "  {line}")?;
            }
        }
        if !comparison.scenarios.is_empty() {
            writeln!(out, "\n{}", table(comparison, self.width))?;
        }
        writeln!(out, "{}", self.palette.dim(&footer(comparison)))
    }
}

impl Markdown {
    /// The comparison as a comment on a pull request; what is left out, to stay within its limit, is counted.
    pub fn render_comparison(&self, comparison: &Comparison) -> String {
        let mut out =
            format!("<!-- quickeats-bench compare -->\n## {}\n\n{}\n", answer(comparison), escaped(&sides(comparison)));
        for remark in &comparison.remarks {
            let _ = write!(out, "\n- ! {}", escaped(&harmless(remark, NAME)));
        }
        out += "\n\n| scenario | change | verdict | what changed |\n|---|---|---|---|\n";
        let mut left_out = 0;
        let mut sorted: Vec<&ScenarioChange> = comparison.scenarios.iter().collect();
        sorted.sort_by_key(|scenario| std::cmp::Reverse(scenario.change));
        for scenario in sorted {
            let details: Vec<String> = details(scenario).iter().map(|line| escaped(line)).collect();
            let row = format!(
                "| {} | {} | {} | {} |\n",
                code(&name(scenario)),
                mark(scenario.change),
                escaped(&verdicts(scenario)),
                details.join("<br>")
            );
            if left_out > 0 || out.chars().count() + row.chars().count() > Self::MOST - 1_000 {
                left_out += 1;
            } else {
                out += &row;
            }
        }
        if left_out > 0 {
            let _ = writeln!(
                out,
                "\n*Left out, to stay below {} characters: {}.*",
                Self::MOST,
                count(left_out, "scenario")
            );
        }
        let _ = writeln!(out, "\n<sub>{}</sub>", escaped(&footer(comparison)));
        out
    }
}

/// `✗ worse: 1 of 9 scenarios (2 better, 6 same)`.
fn answer(comparison: &Comparison) -> String {
    let of = |change| comparison.scenarios.iter().filter(|scenario| scenario.change == change).count() as u64;
    let all = count(comparison.scenarios.len() as u64, "scenario");
    let others = [Change::Worse, Change::Better, Change::Same, Change::Unclear].into_iter();
    let others = others.filter(|change| *change != comparison.change && of(*change) > 0);
    let others: Vec<String> = others.map(|change| format!("{} {}", of(change), word(change))).collect();
    let others = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("{}: {} of {all}{others}", mark(comparison.change), of(comparison.change))
}

const fn word(change: Change) -> &'static str {
    match change {
        Change::Better => "better",
        Change::Same => "same",
        Change::Unclear => "unclear",
        Change::Worse => "worse",
    }
}

const fn mark(change: Change) -> &'static str {
    match change {
        Change::Better => "✓ better",
        Change::Same => "= same",
        Change::Unclear => "? unclear",
        Change::Worse => "✗ worse",
    }
}

fn paint(palette: Palette, change: Change, text: &str) -> String {
    match change {
        Change::Better => palette.verdict(Verdict::Holds, text),
        Change::Same => palette.strong(text),
        Change::Unclear => palette.verdict(Verdict::Inconclusive, text),
        Change::Worse => palette.verdict(Verdict::Violated, text),
    }
}

fn sides(comparison: &Comparison) -> String {
    let told = |side: &crate::compare_result::Side| {
        let (run, api) = (harmless(&side.run_id, NAME), harmless(&side.api, NAME));
        format!("{run} ({api} against {}, {})", harmless(&side.target, NAME), side.verdict)
    };
    format!("from {} to {}", told(&comparison.base), told(&comparison.new))
}

/// A scenario of which there is more to tell than its row.
fn is_told(scenario: &ScenarioChange) -> bool {
    scenario.change != Change::Same || !scenario.appeared.is_empty() || !scenario.vanished.is_empty()
}

fn name(scenario: &ScenarioChange) -> String {
    harmless(&scenario.name, NAME)
}

/// `holds → violated`.
fn verdicts(scenario: &ScenarioChange) -> String {
    match (scenario.base, scenario.new) {
        (Some(base), Some(new)) if base == new => format!("{new} as before"),
        (Some(base), Some(new)) => format!("{base} → {new}"),
        (None, Some(new)) => format!("{new}, not raced in the base"),
        (Some(base), None) => format!("{base} in the base, not raced any more"),
        (None, None) => String::new(),
    }
}

/// What became of a scenario, a line each.
fn details(scenario: &ScenarioChange) -> Vec<String> {
    let kinds = |kinds: &[crate::check::Kind], what: &str| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        (!names.is_empty()).then(|| format!("{what}: {}", list(&names)))
    };
    let told = scenario.measures.iter().filter(|measure| [Change::Worse, Change::Better].contains(&measure.change));
    kinds(&scenario.appeared, "appeared")
        .into_iter()
        .chain(kinds(&scenario.vanished, "not seen any more"))
        .chain(told.map(|measure| format!("{}: {}", word(measure.change), measured(measure))))
        .collect()
}

/// `p95 3.20 ms → 9.70 ms (× 2.1 to 3.9)`.
fn measured(measure: &Measure) -> String {
    let values = format!("{} → {}", value(measure.quantity, measure.base), value(measure.quantity, measure.new));
    format!("{} {values} ({})", quantity(measure.quantity), interval(measure))
}

const fn quantity(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::ViolationRate => "violation rate",
        Quantity::Rate412 => "412 rate",
        Quantity::P95 => "p95",
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a latency in whole µs")]
fn value(quantity: Quantity, value: f64) -> String {
    match quantity {
        Quantity::ViolationRate | Quantity::Rate412 => percent(value),
        Quantity::P95 => micros(value as u64),
    }
}

fn interval(measure: &Measure) -> String {
    let end = |end: Option<f64>| {
        end.map_or_else(
            || "?".to_owned(),
            |end| match measure.quantity {
                Quantity::ViolationRate | Quantity::Rate412 => format!("{:+.1}", end * 100.0),
                Quantity::P95 => format!("{end:.2}"),
            },
        )
    };
    let (low, high) = (end(measure.low), end(measure.high));
    match measure.quantity {
        _ if measure.change == Change::Unclear => "not judged: violated".to_owned(),
        Quantity::P95 if measure.high.is_none() => "too few rounds to bound it".to_owned(),
        Quantity::ViolationRate | Quantity::Rate412 => format!("{low} to {high} points"),
        Quantity::P95 => format!("× {low} to {high}"),
    }
}

fn table(comparison: &Comparison, width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(width) = width {
        table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_width(width.max(60));
    }
    table.set_header(["scenario", "change", "violation rate", "412 rate", "p95"]);
    for scenario in &comparison.scenarios {
        let cell = |wanted: Quantity| {
            let found = scenario.measures.iter().find(|measure| measure.quantity == wanted);
            found.map_or_else(
                || "–".to_owned(),
                |measure| {
                    format!("{} → {} ({})", value(wanted, measure.base), value(wanted, measure.new), interval(measure))
                },
            )
        };
        table.add_row([
            name(scenario),
            mark(scenario.change).to_owned(),
            cell(Quantity::ViolationRate),
            cell(Quantity::Rate412),
            cell(Quantity::P95),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn footer(comparison: &Comparison) -> String {
    format!(
        "Worse is a new violation, or a change that lies beyond a tolerance of {} with its whole interval; all intervals hold together at {} confidence. \
         They are about these two runs: that the machine was busier during one, they do not know.",
        percent(comparison.tolerance),
        percent(comparison.confidence)
    )
}
