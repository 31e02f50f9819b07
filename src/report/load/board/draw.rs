//! The lines of the board. Pure: what was heard → text.

use super::Board;
use super::spark::spark;
use crate::check::Severity;
use crate::load_result::{LimitResult, MOST_LAG, Second, Snapshot};
use crate::measure::Spans;
use crate::report::Palette;
use crate::report::load::times::{cut, padded};
use crate::report::load::told::{lasted, rate, share, span, statuses};

/// Columns of the names of lines.
const NAME: usize = 10;
/// Columns of a time.
const TIME: usize = 9;
/// Columns of what a row of blocks ends in.
const LAST: usize = 12;
/// Limits and findings that have a line of their own.
const MOST: usize = 6;
/// The percentiles, as shares.
const TOLD: [(&str, f64); 5] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)];

/// Some lines, and how soon they are left out where there is little room: 0 never.
struct Part(u8, Vec<String>);

pub(super) fn draw(board: &Board, (columns, rows): (usize, usize), palette: Palette) -> Vec<String> {
    let pen = Pen { columns, palette };
    let snapshot = &board.snapshot;
    let title = format!("loading {} with {} (seed {})", board.target, board.traffic, board.seed);
    let mut parts = vec![
        Part(5, vec![cut(&title, columns)]),
        Part(0, vec![pen.progress(snapshot)]),
        Part(9, vec![String::new()]),
        Part(0, pen.rates(board)),
        Part(6, pen.past(board)),
        Part(9, vec![String::new()]),
        Part(1, pen.times(snapshot)),
        Part(9, vec![String::new()]),
        Part(3, vec![pen.named("answers", &statuses(&snapshot.statuses))]),
        Part(4, pen.stale(snapshot)),
        Part(2, vec![pen.lag(snapshot)]),
        Part(1, pen.limits(&snapshot.thresholds)),
        Part(0, pen.found(board)),
    ];
    let height = |parts: &[Part]| parts.iter().map(|part| part.1.len()).sum::<usize>();
    while height(&parts) > rows {
        let Some(least) = (0..parts.len()).filter(|at| parts[*at].0 > 0).max_by_key(|at| parts[*at].0) else { break };
        parts.remove(least);
    }
    let mut lines: Vec<String> = parts.into_iter().flat_map(|part| part.1).collect();
    lines.truncate(rows);
    lines
}

#[derive(Clone, Copy)]
struct Pen {
    columns: usize,
    palette: Palette,
}

impl Pen {
    /// A line with its name before it.
    fn named(self, name: &str, told: &str) -> String {
        let room = self.columns.saturating_sub(NAME);
        self.palette.dim(&padded(name, NAME.min(self.columns))) + &cut(told, room)
    }

    /// `12 s of 60 s ████████░░░░ 20 %`
    fn progress(self, snapshot: &Snapshot) -> String {
        let (elapsed, warm_up) = (snapshot.elapsed.as_secs(), if snapshot.last.is_warm_up { "  warm-up" } else { "" });
        let Some(total) = snapshot.total.filter(|total| !total.is_zero()) else {
            return cut(&format!("{elapsed} s{warm_up}"), self.columns);
        };
        let done = (snapshot.elapsed.as_secs_f64() / total.as_secs_f64()).clamp(0.0, 1.0);
        let before = format!("{elapsed} s of {} s ", total.as_secs());
        let after = format!(" {:.0} %{warm_up}", done * 100.0);
        let room = self.columns.saturating_sub(before.chars().count() + after.chars().count()).min(60);
        if room < 5 {
            return cut(&(before.trim_end().to_owned() + &after), self.columns);
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 60"
        )]
        let full = ((done * room as f64).floor() as usize).min(room);
        format!("{before}{}{}{after}", "█".repeat(full), "░".repeat(room - full))
    }

    /// Of the last second; what is wrong only if anything is.
    fn rates(self, board: &Board) -> Vec<String> {
        let last = &board.snapshot.last;
        let each = |count: u64| count / last.of.max(1);
        let mut told = vec![format!("{}/s offered", each(last.offered)), format!("{}/s answered", each(last.answered))];
        for (count, word) in [(last.dropped, "dropped"), (last.errors, "errors"), (last.stale, "refused as stale")] {
            told.extend((count > 0).then(|| format!("{}/s {word}", each(count).max(1))));
        }
        let mut lines = vec![self.named("rate", &told.join("  "))];
        if let Some(judged) = &board.snapshot.judged {
            let goodput = board.goodput().map_or_else(|| "–".to_owned(), |goodput| rate(goodput) + "/s");
            let violated = match judged.violated {
                0 => "none violated".to_owned(),
                violated => format!("{violated} violated"),
            };
            let told = format!(
                "{goodput} correct; judged {} operations on {} resources, {violated}",
                judged.operations, judged.rounds
            );
            lines.push(self.named("goodput", &told));
        }
        lines
    }

    fn past(self, board: &Board) -> Vec<String> {
        let room = self.columns.saturating_sub(NAME + LAST);
        let row = |name: &str, of: fn(&Second) -> u64, last: String| {
            let blocks = spark(board.past.iter().map(of), room);
            self.named(name, &format!("{blocks} {last}"))
        };
        let Some(last) = board.past.back() else { return Vec::new() };
        vec![
            row(
                "answered",
                |second| second.answered / second.of.max(1),
                format!("{}/s", last.answered / last.of.max(1)),
            ),
            row("p99", |second| second.p99_us, micros(last.p99_us)),
        ]
    }

    fn times(self, snapshot: &Snapshot) -> Vec<String> {
        let told: Vec<_> = TOLD.iter().take(self.columns.saturating_sub(NAME + TIME) / TIME).collect();
        let column = |text: &str| format!("{text:>TIME$}");
        let names = told.iter().map(|(name, _)| *name).chain(["max"]);
        let header = names.map(column).collect::<Vec<_>>().concat();
        let view = |spans: &Spans| {
            let at = |share: f64| if spans.count() == 0 { "–".to_owned() } else { lasted(spans.at(share)) };
            let shares = told.iter().map(|(_, share)| *share).chain([1.0]);
            shares.map(|share| column(&at(share))).collect::<Vec<_>>().concat()
        };
        vec![
            self.palette.dim(&cut(&format!("{}{header}", padded("from", NAME)), self.columns)),
            self.named("intended", &view(&snapshot.from_intended)),
            self.named("actual", &view(&snapshot.from_actual)),
        ]
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn stale(self, snapshot: &Snapshot) -> Vec<String> {
        if snapshot.conditional == 0 {
            return Vec::new();
        }
        let told = share(snapshot.stale as f64 / snapshot.conditional as f64);
        vec![self.named("412 rate", &format!("{told} of {} conditional requests", snapshot.conditional))]
    }

    fn lag(self, snapshot: &Snapshot) -> String {
        let late = snapshot.lag.at(0.99);
        let told = format!("p99 {}, at most {}", lasted(late), lasted(snapshot.lag.longest()));
        if late > MOST_LAG {
            let told = format!("! {told}: the load itself is late, its times are void");
            let room = self.columns.saturating_sub(NAME);
            return self.palette.dim(&padded("lag", NAME)) + &self.palette.warning(&cut(&told, room));
        }
        self.named("lag", &told)
    }

    fn limits(self, limits: &[LimitResult]) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for limit in limits.iter().take(MOST) {
            let told =
                cut(&format!("{} (now {})", limit.threshold, limit.shown), self.columns.saturating_sub(NAME + 2));
            let mark = match (limit.measured, limit.crossed) {
                (None, _) => self.palette.warning("?"),
                (Some(_), true) => self.palette.wrong("✗"),
                (Some(_), false) => self.palette.fine("✓"),
            };
            let name = if lines.is_empty() { "threshold" } else { "" };
            lines.push(format!("{}{mark} {told}", self.palette.dim(&padded(name, NAME))));
        }
        lines.extend(self.more(limits.len()));
        lines
    }

    fn found(self, board: &Board) -> Vec<String> {
        let mut lines = Vec::new();
        for (kind, sentence) in board.found.iter().take(MOST) {
            let mark = match kind.severity() {
                Severity::Violation => self.palette.wrong("✗"),
                Severity::Warning => self.palette.warning("!"),
            };
            let name = cut(kind.name(), self.columns.saturating_sub(2));
            let room = self.columns.saturating_sub(4 + name.chars().count());
            lines.push(format!("{mark} {}: {}", self.palette.strong(&name), cut(sentence, room)));
        }
        lines.extend(self.more(board.found.len()));
        if let Some(why) = &board.stopping {
            lines.push(self.palette.warning(&cut(&format!("! stopping: {why}"), self.columns)));
        }
        lines
    }

    /// How many have no line.
    fn more(self, all: usize) -> Option<String> {
        (all > MOST).then(|| self.palette.dim(&format!("  and {} more", all - MOST)))
    }
}

fn micros(us: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    span(us as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::Kind;
    use crate::load_result::{JudgedSoFar, LoadEvent};
    use crate::measure::Slots;
    use crate::report::visible_width;

    fn spans(to: u64) -> Spans {
        let mut spans = Spans::default();
        (1..=to).for_each(|us| spans.record(Duration::from_micros(us)));
        spans
    }

    /// A board after so many seconds of a load that finds something.
    fn board(seconds: u64) -> Board {
        let mut board = Board::default();
        board.hear(&LoadEvent::Started { target: "http://127.0.0.1:8000", traffic: "delivery-day", seed: 7 });
        for at in 0..seconds {
            let last = Second {
                at,
                of: 1,
                offered: 5_000,
                dropped: 12 * u64::from(at == 30),
                answered: 4_000 + at * 10,
                errors: 3,
                stale: 40,
                p50_us: 800,
                p99_us: 2_000 + at * 40,
                violated: 0,
                is_warm_up: at < 2,
            };
            let limit = |threshold: &str, crossed| LimitResult {
                threshold: threshold.to_owned(),
                measured: Some(1.0),
                shown: "1.00 ms".to_owned(),
                crossed,
            };
            let judged = JudgedSoFar {
                rounds: at * 90,
                operations: at * 1_000,
                good: at * 950,
                violated: 3,
                ..JudgedSoFar::default()
            };
            board.hear(&LoadEvent::Second(&Snapshot {
                elapsed: Duration::from_secs(at + 1),
                total: Some(Duration::from_mins(2)),
                last,
                slots: Slots::default(),
                statuses: [(200, 120_000), (201, 31_000), (412, 1_234)].into(),
                from_intended: spans(5_000),
                from_actual: spans(2_000),
                conditional: 40_000,
                stale: 1_234,
                lag: spans(90),
                thresholds: vec![limit("p95<50ms", false), limit("goodput>100000/s", true)],
                judged: Some(judged),
                ..Snapshot::default()
            }));
        }
        let sentence = "the customer's cancellation was acknowledged, and the restaurant's acceptance as well: one of them is lost";
        board.hear(&LoadEvent::Found { kind: Kind::LostUpdate, sentence });
        board.hear(&LoadEvent::Found { kind: Kind::DoubleCasWin, sentence });
        board
    }

    #[test]
    fn a_board_stays_within_its_terminal() {
        for board in [board(0), board(1), board(90)] {
            for (columns, rows) in [(60, 20), (80, 24), (120, 40), (60, 8), (20, 5), (1, 1), (0, 0)] {
                for palette in [Palette::Plain, Palette::Colour] {
                    let lines = board.draw((columns, rows), palette);
                    assert!(lines.len() <= rows, "{rows} rows: {lines:#?}");
                    let widest = lines.iter().map(|line| visible_width(line)).max().unwrap_or(0);
                    assert!(widest <= columns.max(1) || columns < 20, "{widest} of {columns}: {lines:#?}");
                }
            }
        }
    }

    #[test]
    fn at_sixty_columns_all_is_told_and_long_lines_are_cut() {
        let drawn = board(90).draw((60, 24), Palette::Plain).join("\n");
        let told = "\
loading http://127.0.0.1:8000 with delivery-day (seed 7)
90 s of 120 s ██████████████████████████████░░░░░░░░░░░ 75 %

rate      5000/s offered  4890/s answered  3/s errors  40/s…
goodput   950/s correct; judged 89000 operations on 8010 re…
answered  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇█ 4890/s
p99       ▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇█ 5.56ms

from            p50      p90      p95      p99      max
intended     2.50ms   4.50ms   4.75ms   4.95ms   5.00ms
actual       1.00ms   1.80ms   1.90ms   1.98ms   2.00ms

answers   200 × 120000, 201 × 31000, 412 × 1234
412 rate  3.1 % of 40000 conditional requests
lag       p99 90µs, at most 90µs
threshold ✓ p95<50ms (now 1.00 ms)
          ✗ goodput>100000/s (now 1.00 ms)
✗ lost-update: the customer's cancellation was acknowledged…
✗ double-cas-win: the customer's cancellation was acknowled…";
        assert_eq!(drawn, told, "\n{drawn}\n");
    }

    #[test]
    fn where_there_is_little_room_the_findings_stay() {
        let drawn = board(90).draw((80, 8), Palette::Plain).join("\n");
        for part in ["90 s of 120 s", "goodput", "lost-update", "double-cas-win"] {
            assert!(drawn.contains(part), "{part}: {drawn}");
        }
        assert!(!drawn.contains("answers") && !drawn.contains("loading"), "{drawn}");
    }

    #[test]
    fn a_late_load_says_that_its_times_are_void() {
        let mut board = board(3);
        board.snapshot.lag.record(Duration::from_millis(80));
        (0..5).for_each(|_| board.snapshot.lag.record(Duration::from_millis(80)));
        assert!(board.draw((100, 30), Palette::Plain).iter().any(|line| line.contains("its times are void")));
    }
}
