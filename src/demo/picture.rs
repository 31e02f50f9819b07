//! The contenders of a round as bars over time: who was held back, let go and answered when.
//!
//! ```text
//!   customer    ┄┄┄┄┄┄┃━━━━━━━━━━━━━━━   200 cancelled
//!   restaurant   ┄┄┄┄┄┃━━━━━━━━━━━       200 preparing
//!               0.00 ms        3.86 ms
//! ```

use std::fmt::Write as _;

use console::measure_text_width;

use super::page::{Page, pad};
use crate::history::Meaning;
use crate::run_result::WitnessLine;

/// Columns of the longest bars.
const MOST_CELLS: usize = 56;

/// A line a contender, and a scale.
pub(super) fn render(contenders: &[WitnessLine], page: Page) -> String {
    let (Some(start), Some(end)) =
        (contenders.iter().map(|line| line.opened_us).min(), contenders.iter().map(|line| line.closed_us).max())
    else {
        return String::new();
    };
    let widest = |of: fn(&WitnessLine) -> String| contenders.iter().map(|line| measure_text_width(&of(line))).max();
    let actor = widest(|line| line.actor.clone()).unwrap_or(0);
    let answer = widest(answer).unwrap_or(0);
    let cells = page.width.saturating_sub(2 + actor + 2 + 2 + answer).clamp(8, MOST_CELLS);
    let scale = Scale { start, end: end.max(start + 1), cells };
    let mut out = String::new();
    for line in contenders {
        let said = match line.meaning {
            Some(Meaning::Applied | Meaning::Replayed) => page.palette.strong(&answer_of(line)),
            Some(_) | None => page.palette.warning(&answer_of(line)),
        };
        let _ = writeln!(out, "  {}  {}  {said}", pad(&line.actor, actor), scale.bar(line));
    }
    let (from, to) = ("0.00 ms", at(end - start));
    let gap = cells.saturating_sub(from.len() + to.len()).max(1);
    out + &page.palette.dim(&format!("  {:actor$}  {from}{:gap$}{to}", "", "")) + "\n"
}

fn answer(line: &WitnessLine) -> String {
    answer_of(line)
}

/// `200 cancelled`, `412 stale`.
pub(super) fn answer_of(line: &WitnessLine) -> String {
    match (line.status, line.meaning) {
        (Some(status), Some(Meaning::Applied)) => {
            format!("{status} {}", line.state.as_deref().unwrap_or_else(|| Meaning::Applied.word()))
        }
        (Some(status), Some(meaning)) => format!("{status} {}", meaning.word()),
        (_, _) => line.answer.clone(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn at(micros: i64) -> String {
    format!("{:.2} ms", micros as f64 / 1e3)
}

struct Scale {
    start: i64,
    end: i64,
    cells: usize,
}

impl Scale {
    /// The cell that a moment falls into.
    fn cell(&self, micros: i64) -> usize {
        let cells = i64::try_from(self.cells).unwrap_or(i64::MAX);
        let cell = (micros - self.start).max(0) * cells / (self.end - self.start);
        usize::try_from(cell).unwrap_or(0).min(self.cells - 1)
    }

    fn bar(&self, line: &WitnessLine) -> String {
        let (opened, closed) = (self.cell(line.opened_us), self.cell(line.closed_us));
        let released = line.released_us.map_or(opened, |stamp| self.cell(stamp));
        (0..self.cells)
            .map(|cell| match cell {
                _ if cell < opened || cell > closed => ' ',
                _ if cell < released => '┄',
                _ if cell == released && line.released_us.is_some() => '┃',
                _ => '━',
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Palette;

    fn line(actor: &str, [opened, released, closed]: [i64; 3], status: u16, meaning: Meaning) -> WitnessLine {
        WitnessLine {
            round: "r1".to_owned(),
            operation: 0,
            client: 0,
            actor: actor.to_owned(),
            request: "PUT /1".to_owned(),
            precondition: None,
            idempotency_key: None,
            phase: None,
            answer: String::new(),
            status: Some(status),
            meaning: Some(meaning),
            state: None,
            version: None,
            token: None,
            opened_us: opened,
            released_us: Some(released),
            closed_us: closed,
            beside: false,
        }
    }

    #[test]
    fn bars_show_who_was_let_go_and_answered_when() {
        let lines = [
            line("customer", [0, 40, 100], 200, Meaning::Applied),
            line("restaurant", [20, 50, 80], 412, Meaning::Stale),
        ];
        let page = Page { width: 36, palette: Palette::Plain };
        let picture = [
            "  customer    ┄┄┄┃━━━━━  200 applied",
            "  restaurant   ┄┄┄┃━━━   412 stale",
            "              0.00 ms 0.10 ms",
            "",
        ];
        assert_eq!(render(&lines, page).split('\n').collect::<Vec<_>>(), picture);
    }

    #[test]
    fn nobody_makes_no_picture() {
        assert_eq!(render(&[], Page { width: 80, palette: Palette::Plain }), "");
    }
}
