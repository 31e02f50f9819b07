//! A load's progress on a pipe: a line every few seconds, and one for each new kind of finding.

use std::cell::Cell;
use std::io::{self, Write};
use std::time::Duration;

use crate::load_result::{LoadEvent, LoadObserver, Snapshot};
use crate::text::{harmless, micros};

/// How often a line is written.
const EVERY: Duration = Duration::from_secs(5);

/// Writes lines to stderr.
#[derive(Debug, Default)]
pub struct Lines {
    told: Cell<Duration>,
}

impl LoadObserver for Lines {
    fn on(&self, event: &LoadEvent<'_>) {
        // Who reads stderr may have gone away: then nobody is told.
        let mut out = io::stderr().lock();
        let _ = match event {
            LoadEvent::Started { target, traffic, seed } => {
                writeln!(out, "loading {} with {} (seed {seed})", harmless(target, 200), harmless(traffic, 200))
            }
            LoadEvent::Second(snapshot) => {
                if snapshot.elapsed < self.told.get() + EVERY {
                    return;
                }
                self.told.set(snapshot.elapsed);
                writeln!(out, "{}", line(snapshot))
            }
            LoadEvent::Found { kind, sentence } => writeln!(out, "found {kind}: {}", harmless(sentence, 400)),
            LoadEvent::Stopping(why) => writeln!(out, "stopping: {}", harmless(why, 200)),
            LoadEvent::Notice(text) => writeln!(out, "note: {}", harmless(text, 400)),
        };
    }
}

/// One line: how far it is, how fast, what is wrong.
fn line(snapshot: &Snapshot) -> String {
    let Snapshot { elapsed, total, last, .. } = snapshot;
    let of = total.map_or_else(String::new, |total| format!("/{}", total.as_secs()));
    let mut line = format!(
        "{}{of} s: {}/s answered, p50 {}, p99 {}",
        elapsed.as_secs(),
        last.answered / last.of.max(1),
        micros(last.p50_us),
        micros(last.p99_us),
    );
    for (count, word) in [(last.errors, "errors"), (last.dropped, "dropped"), (last.stale, "refused as stale")] {
        if count > 0 {
            line += &format!(", {count} {word}");
        }
    }
    if let Some(judged) = &snapshot.judged {
        line += &format!("; {} operations judged, {} resources violated", judged.operations, judged.violated);
    }
    line
}
