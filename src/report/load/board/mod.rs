//! A load's progress on a terminal: a few lines that are drawn anew in the same place once a second.
//!
//! It uses no other screen and hides no cursor, so that nothing has to be put back, however the process ends. What has to stay is
//! written above it.

mod draw;
mod spark;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use crate::check::Kind;
use crate::load_result::{LoadEvent, LoadObserver, Second, Snapshot};
use crate::report::{Palette, visible_width};
use crate::text::harmless;

/// Seconds that are drawn.
const PAST: usize = 60;
/// The goodput is that of so many seconds: the judge takes resources as they end, not evenly.
const RECENT: usize = 10;
/// Clears to the end of the line, and below.
const TO_LINE_END: &str = "\u{1b}[K";
const BELOW: &str = "\u{1b}[J";

/// What is drawn: all that was heard of a load so far.
#[derive(Debug, Clone, Default)]
pub struct Board {
    target: String,
    traffic: String,
    seed: u64,
    snapshot: Snapshot,
    /// The last seconds, complete ones.
    past: VecDeque<Second>,
    /// Correct operations, by when there were so many.
    good: VecDeque<(Duration, u64)>,
    found: Vec<(Kind, String)>,
    stopping: Option<String>,
}

impl Board {
    /// Takes in what happened.
    pub fn hear(&mut self, event: &LoadEvent<'_>) {
        match event {
            LoadEvent::Started { target, traffic, seed } => {
                (self.target, self.traffic, self.seed) = (harmless(target, 200), harmless(traffic, 200), *seed);
            }
            LoadEvent::Second(snapshot) => {
                if self.past.back().is_none_or(|last| last.at < snapshot.last.at) && snapshot.last.of > 0 {
                    self.past.push_back(snapshot.last);
                }
                self.good.extend(snapshot.judged.as_ref().map(|judged| (snapshot.elapsed, judged.good)));
                while self.past.len() > PAST {
                    self.past.pop_front();
                }
                while self.good.len() > RECENT + 1 {
                    self.good.pop_front();
                }
                self.snapshot = (*snapshot).clone();
            }
            LoadEvent::Found { kind, sentence } => self.found.push((*kind, harmless(sentence, 400))),
            LoadEvent::Stopping(why) => self.stopping = Some(harmless(why, 200)),
            LoadEvent::Notice(_) => {}
        }
    }

    /// Correct operations in a second, of late.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn goodput(&self) -> Option<f64> {
        let (first, last) = (self.good.front()?, self.good.back()?);
        let time = last.0.saturating_sub(first.0).as_secs_f64();
        (time > 0.0).then(|| last.1.saturating_sub(first.1) as f64 / time)
    }

    /// The lines, none wider than `columns`, and no more than `rows` of them: what matters least is left out first.
    pub fn draw(&self, (columns, rows): (usize, usize), palette: Palette) -> Vec<String> {
        draw::draw(self, (columns, rows), palette)
    }
}

/// Draws a [`Board`] on stderr.
#[derive(Debug)]
pub struct Dashboard {
    board: RefCell<Board>,
    /// How wide the lines are that are drawn at the moment.
    drawn: RefCell<Vec<usize>>,
    palette: Palette,
}

impl Dashboard {
    /// Nothing is drawn yet.
    pub fn new(palette: Palette) -> Self {
        Self { board: RefCell::default(), drawn: RefCell::default(), palette }
    }

    /// Writes `above`, to stay, and draws the board below it.
    fn show(&self, above: &str) {
        let (rows, columns) = console::Term::stderr().size();
        let (rows, columns) = (usize::from(rows), usize::from(columns));
        // The last row stays free: the cursor waits there.
        let lines = self.board.borrow().draw((columns.saturating_sub(1), rows.saturating_sub(1)), self.palette);
        let widths = lines.iter().map(|line| visible_width(line)).collect();
        let drawn = self.drawn.replace(widths);
        say(&frame(&drawn, columns, above, &lines));
    }
}

impl LoadObserver for Dashboard {
    fn on(&self, event: &LoadEvent<'_>) {
        self.board.borrow_mut().hear(event);
        let above = match event {
            LoadEvent::Notice(text) => format!("note: {}", harmless(text, 400)),
            LoadEvent::Stopping(why) => format!("stopping: {}", harmless(why, 200)),
            LoadEvent::Started { .. } | LoadEvent::Second(_) | LoadEvent::Found { .. } => String::new(),
        };
        self.show(&above);
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let columns = usize::from(console::Term::stderr().size().1);
        say(&frame(&self.drawn.take(), columns, "", &[]));
    }
}

/// One write, so that nothing flickers. Nothing can be done about a stderr that is closed.
fn say(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// What is to be written so that `lines` stand where lines as wide as `drawn` stood, and `above` above them. A terminal that has become
/// narrower than they are has broken them into several rows.
fn frame(drawn: &[usize], columns: usize, above: &str, lines: &[String]) -> String {
    let rows: usize = drawn.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
    let mut text = String::from("\r");
    if rows > 0 {
        let _ = write!(text, "\u{1b}[{rows}A");
    }
    let above = Some(above).filter(|above| !above.is_empty());
    for line in above.into_iter().chain(lines.iter().map(String::as_str)) {
        text += line;
        text += TO_LINE_END;
        text.push('\n');
    }
    text + BELOW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_begins_where_the_last_one_did_and_clears_what_is_left_of_it() {
        let lines = ["one".to_owned(), "two".to_owned()];
        assert_eq!(frame(&[], 80, "", &lines), "\rone\u{1b}[K\ntwo\u{1b}[K\n\u{1b}[J");
        assert_eq!(frame(&[3, 3], 80, "note", &lines[..1]), "\r\u{1b}[2Anote\u{1b}[K\none\u{1b}[K\n\u{1b}[J");
        assert_eq!(frame(&[3, 0], 80, "", &[]), "\r\u{1b}[2A\u{1b}[J");
        assert!(frame(&[79, 79, 10], 40, "", &lines).starts_with("\r\u{1b}[5A"), "two of them take two rows now");
    }
}
