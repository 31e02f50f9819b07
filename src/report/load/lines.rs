//! A load's progress on a pipe: a line every few seconds, and one for each new kind of finding.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use super::told::lasted;
use crate::load_result::{LoadEvent, LoadObserver, MOST_LAG, Snapshot};
use crate::text::{count, harmless, micros};

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
            let _ = write!(line, ", {count} {word}");
        }
    }
    if let Some(judged) = &snapshot.judged {
        let violated = match judged.violated {
            0 => "none violated".to_owned(),
            violated => format!("{violated} violated"),
        };
        let resources = count(judged.rounds, "resource");
        let _ = write!(line, "; {} operations on {resources} judged, {violated}", judged.operations);
    }
    let crossed: Vec<String> = (snapshot.thresholds.iter())
        .filter(|limit| limit.crossed && limit.measured.is_some())
        .map(|limit| format!("{} crossed ({})", limit.threshold, limit.shown))
        .collect();
    if !crossed.is_empty() {
        let _ = write!(line, "; {}", crossed.join(", "));
    }
    let late = snapshot.lag.at(0.99);
    if late > MOST_LAG {
        let _ = write!(line, "; the load itself is late (p99 {})", lasted(late));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_result::{JudgedSoFar, LimitResult, Second};

    #[test]
    fn a_line_says_how_fast_it_is_and_what_is_wrong() {
        let last = Second { of: 1, answered: 900, p50_us: 800, p99_us: 12_300, ..Second::default() };
        let mut snapshot = Snapshot { elapsed: Duration::from_secs(5), last, ..Snapshot::default() };
        assert_eq!(line(&snapshot), "5 s: 900/s answered, p50 800 µs, p99 12.3 ms");
        snapshot.total = Some(Duration::from_mins(1));
        snapshot.last.errors = 2;
        snapshot.judged = Some(JudgedSoFar { rounds: 40, operations: 800, violated: 1, ..JudgedSoFar::default() });
        snapshot.thresholds = vec![LimitResult {
            threshold: "p95<5ms".into(),
            measured: Some(0.012),
            shown: "12.0 ms".into(),
            crossed: true,
        }];
        (0..9).for_each(|_| snapshot.lag.record(Duration::from_millis(80)));
        assert_eq!(
            line(&snapshot),
            "5/60 s: 900/s answered, p50 800 µs, p99 12.3 ms, 2 errors; 800 operations on 40 resources judged, 1 violated; \
             p95<5ms crossed (12.0 ms); the load itself is late (p99 80.0ms)"
        );
    }
}
