//! A witness as a timeline in words: who sent what when, and what came back.

use std::fmt::Write as _;

use super::super::Palette;
use super::Terminal;
use crate::run_result::WitnessLine;
use crate::text::short;

/// Witness operations shown of one finding; the saved result has all.
const MOST_LINES: usize = 8;

impl Terminal {
    /// The timeline of `witness`, and of what the server said in the end.
    pub fn render_timeline(&self, witness: &[WitnessLine], aftermath: Option<&WitnessLine>) -> String {
        self.fit(&render(witness, aftermath, self.palette, self.width))
    }
}

/// The timeline of `witness` and of what the server said in the end, indented. Long ids and tokens are shown by their
/// beginning, and where `width` columns are too few for a path, its end; the saved result has them whole.
pub(in crate::report) fn render(
    witness: &[WitnessLine],
    aftermath: Option<&WitnessLine>,
    palette: Palette,
    width: Option<u16>,
) -> String {
    let mut out = String::new();
    let last = aftermath.filter(|last| witness.iter().all(|line| line.operation != last.operation));
    let proves = |line: &&WitnessLine| !line.beside;
    let count = witness.iter().filter(proves).count();
    let end = witness.iter().filter(proves).nth(MOST_LINES).map(|line| line.operation);
    // Who wrote what the last read shows is told, however long the proof is.
    let is_shown = |line: &&WitnessLine| line.beside || end.is_none_or(|end| line.operation < end);
    let shown = || witness.iter().filter(is_shown).chain(last);
    let actor_width = shown().map(|line| line.actor.chars().count()).max().unwrap_or(0);
    for line in shown() {
        operation(&mut out, line, actor_width, (palette, width));
    }
    if count > MOST_LINES {
        let text = format!("    showing {MOST_LINES} of {count} operations; the saved result has all");
        let _ = writeln!(out, "{}", palette.dim(&text));
    }
    out
}

fn operation(out: &mut String, line: &WitnessLine, actor_width: usize, (palette, width): (Palette, Option<u16>)) {
    let margin = " ".repeat(4 + 9 + 2 + actor_width + 2);
    let opened = palette.dim(&format!("{:>9}", at(line.opened_us)));
    let request = fitted(short_path(&line.request), width.map(|width| usize::from(width).saturating_sub(margin.len())));
    let _ = writeln!(out, "    {opened}  {:actor_width$}  {request}", line.actor);
    let token = line.precondition.as_deref().map(|token| format!("if version is {}", short(token)));
    let key = line.idempotency_key.as_deref().map(|key| format!("idempotency key {}", short(key)));
    let conditions: Vec<String> = token.into_iter().chain(key).collect();
    if !conditions.is_empty() {
        let _ = writeln!(out, "{margin}{}", conditions.join(", "));
    }
    let released = line.released_us.map(|stamp| format!("let go {}, ", at(stamp))).unwrap_or_default();
    let times = palette.dim(&format!("({released}answered {})", at(line.closed_us)));
    let _ = writeln!(out, "{margin}→ {} {times}", line.answer);
    if line.beside {
        let _ = writeln!(out, "{margin}{}", palette.dim("(no part of the proof: it wrote what a read here shows)"));
    }
}

/// Method and path, with long segments (ids) by their beginning.
fn short_path(request: &str) -> String {
    request.split('/').map(short).collect::<Vec<_>>().join("/")
}

/// Method and path without its first segments, as far as there is no room for them.
fn fitted(request: String, room: Option<usize>) -> String {
    let Some((method, path)) = request.split_once(" /") else { return request };
    let segments: Vec<&str> = path.split('/').collect();
    let told = |from: usize| {
        let cut = if from == 0 { "" } else { "…" };
        format!("{method} {cut}/{}", segments[from..].join("/"))
    };
    let fits = |from: &usize| room.is_none_or(|room| told(*from).chars().count() <= room);
    told((0..segments.len()).find(fits).unwrap_or(segments.len() - 1))
}

/// A moment of a timeline: milliseconds.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn at(micros: i64) -> String {
    format!("{:.2} ms", micros as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_in_paths_are_shown_by_their_beginning() {
        let path = "POST /api/v2/orders/847ddb32-23b4-4075-8365-1eace10e51b4/cancellation";
        assert_eq!(short_path(path), "POST /api/v2/orders/847ddb32…/cancellation");
        assert_eq!(short_path("POST /orders/1/preparation-complete"), "POST /orders/1/preparation-complete");
    }

    #[test]
    fn a_path_that_has_no_room_is_shown_by_its_end() {
        let shown = |room| fitted("POST /api/v2/orders/847ddb32…/cancellation".to_owned(), room);
        assert_eq!(shown(None), "POST /api/v2/orders/847ddb32…/cancellation");
        assert_eq!(shown(Some(42)), "POST /api/v2/orders/847ddb32…/cancellation");
        assert_eq!(shown(Some(41)), "POST …/v2/orders/847ddb32…/cancellation");
        assert_eq!(shown(Some(30)), "POST …/847ddb32…/cancellation");
        assert_eq!(shown(Some(3)), "POST …/cancellation");
        assert_eq!(fitted("connect".to_owned(), Some(3)), "connect");
    }

    #[test]
    fn who_wrote_what_is_read_is_shown_beside_the_proof_however_long_that_is() {
        let line = |operation: u32, beside: bool| -> WitnessLine {
            serde_json::from_value(serde_json::json!({
                "round": "r1", "operation": operation, "client": 1, "actor": "client", "request": format!("PUT /{operation}"),
                "precondition": null, "idempotency_key": null, "answer": "204", "opened_us": operation, "released_us": null,
                "closed_us": operation, "beside": beside,
            }))
            .unwrap()
        };
        let lines: Vec<WitnessLine> = (0..12).map(|number| line(number, number == 11)).collect();
        let text = render(&lines, Some(&line(12, false)), Palette::Plain, None);
        let shown = |number: u32| text.contains(&format!("PUT /{number}\n"));
        assert!((0..8).all(shown) && !(8..11).any(shown) && shown(11) && shown(12), "{text}");
        assert!(text.contains("showing 8 of 11 operations"), "{text}");
        assert_eq!(text.matches("no part of the proof").count(), 1, "{text}");
    }
}
