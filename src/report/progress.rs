//! Progress on stderr: a bar on a terminal, lines on a pipe, nothing when asked to be quiet.
//!
//! ```text
//! cancel-vs-accept  █████▌░░░░░░░░░░░░░░  120/500, 85/s, 5 s left, 3 violated (lost-update)
//! ✗ violated cancel-vs-accept: 500 rounds, 431 violated (lost-update), 5.9 s
//! ```

mod track;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Stderr, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Palette;
use crate::event::{Event, Observer};
use crate::text::{count, harmless};
use track::Track;

/// How often a line tells of a long scenario.
const STEADY: Duration = Duration::from_secs(5);

fn started(target: &str, scenarios: usize, seed: u64) -> String {
    format!("racing {} against {} (seed {seed})", count(scenarios as u64, "scenario"), harmless(target, 200))
}

/// Where a scenario is, by what was heard of it.
#[derive(Debug, Default)]
struct Tracked(RefCell<Option<Track>>);

impl Tracked {
    fn hear(&self, event: &Event<'_>, now: Duration) {
        match event {
            Event::ScenarioStarted { name, rounds, needed, time } => {
                self.0.replace(Some(Track {
                    name: (*name).to_owned(),
                    rounds: u64::from(*rounds),
                    needed: *needed,
                    time: *time,
                    started: now,
                    done: 0,
                    trials: 0,
                    violated: 0,
                    kinds: Vec::new(),
                }));
            }
            Event::RoundDone { violated, trials, kinds, .. } => {
                if let Some(track) = self.0.borrow_mut().as_mut() {
                    // Rounds that run side by side end in any order: they are counted.
                    track.done += 1;
                    (track.violated, track.trials) = (*violated, *trials);
                    track.kinds.clear();
                    track.kinds.extend_from_slice(kinds);
                }
            }
            Event::RunStarted { .. } | Event::ScenarioDone { .. } | Event::Notice(_) => {}
        }
    }

    fn tell(&self, tell: impl FnOnce(&Track) -> String) -> String {
        self.0.borrow().as_ref().map(tell).unwrap_or_default()
    }
}

/// A bar for a terminal, and a line of each scenario that is over.
#[derive(Debug)]
pub struct Bar {
    shown: RefCell<ProgressBar>,
    tracked: Tracked,
    start: Instant,
    palette: Palette,
}

impl Bar {
    /// On stderr.
    pub fn new(palette: Palette) -> Self {
        let shown = RefCell::new(ProgressBar::hidden());
        Self { shown, tracked: Tracked::default(), start: Instant::now(), palette }
    }

    fn say(&self, line: &str) {
        // Nothing can be done about a stderr that is closed.
        let _ = self.shown.borrow().suspend(|| writeln!(io::stderr(), "{line}"));
    }
}

impl Observer for Bar {
    fn on(&self, event: &Event<'_>) {
        let now = self.start.elapsed();
        self.tracked.hear(event, now);
        match event {
            Event::RunStarted { target, scenarios, seed } => self.say(&started(target, *scenarios, *seed)),
            Event::ScenarioStarted { name, rounds, .. } => {
                let bar =
                    ProgressBar::with_draw_target(Some(u64::from(*rounds)), ProgressDrawTarget::stderr_with_hz(10));
                // One line, whatever is in it: the message is cut, and where there is little room, the bar is left out.
                let is_wide = console::Term::stderr().size().1 >= 100;
                let style = ProgressStyle::with_template(if is_wide {
                    "{prefix}  {bar:20}  {wide_msg}"
                } else {
                    "{prefix}  {wide_msg}"
                });
                bar.set_style(style.expect("the template is valid").progress_chars("█▌░"));
                bar.set_prefix((*name).to_owned());
                bar.set_message(self.tracked.tell(|track| track.briefly(now)));
                self.shown.replace(bar);
            }
            Event::RoundDone { .. } => {
                let bar = self.shown.borrow();
                bar.set_message(self.tracked.tell(|track| track.briefly(now)));
                bar.inc(1);
            }
            Event::ScenarioDone { name, verdict, rounds } => {
                self.shown.borrow().finish_and_clear();
                let word = self.palette.verdict(*verdict, Track::verdict(*verdict));
                let told = self.tracked.tell(|track| track.ended(*rounds, now));
                self.say(&format!("{word} {}: {told}", self.palette.strong(name)));
            }
            Event::Notice(text) => self.say(&format!("note: {text}")),
        }
    }
}

/// Plain lines for a pipe: one when a scenario ends, and one every few seconds of a long one.
pub struct Lines<W: Write> {
    out: RefCell<W>,
    now: Box<dyn Fn() -> Duration>,
    tracked: Tracked,
    /// When the last line was written, or its scenario began.
    said: Cell<Duration>,
}

impl<W: Write> fmt::Debug for Lines<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("tracked", &self.tracked).field("said", &self.said).finish_non_exhaustive()
    }
}

impl Default for Lines<Stderr> {
    fn default() -> Self {
        let start = Instant::now();
        Self::new(io::stderr(), move || start.elapsed())
    }
}

impl<W: Write> Lines<W> {
    /// Lines on `out`. `now`: the time since some moment.
    pub fn new(out: W, now: impl Fn() -> Duration + 'static) -> Self {
        Self { out: RefCell::new(out), now: Box::new(now), tracked: Tracked::default(), said: Cell::default() }
    }
}

impl<W: Write> Observer for Lines<W> {
    fn on(&self, event: &Event<'_>) {
        let now = (self.now)();
        self.tracked.hear(event, now);
        let line = match event {
            Event::RunStarted { target, scenarios, seed } => started(target, *scenarios, *seed),
            Event::ScenarioStarted { .. } => return self.said.set(now),
            Event::RoundDone { .. } if now.saturating_sub(self.said.get()) < STEADY => return,
            Event::RoundDone { .. } => {
                self.said.set(now);
                self.tracked.tell(|track| format!("{}: {}", track.name, track.under_way(now)))
            }
            Event::ScenarioDone { name, verdict, rounds } => {
                format!("{name}: {verdict} after {}", self.tracked.tell(|track| track.ended(*rounds, now)))
            }
            Event::Notice(text) => format!("note: {text}"),
        };
        // Nothing can be done about a stderr that is closed.
        let _ = writeln!(self.out.borrow_mut(), "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::check::{Kind, Verdict};

    /// What a pipe gets of a scenario with a round a `beat`, for so many rounds, and one violation in the third.
    fn lines(beat: Duration, rounds: u32) -> String {
        let clock = Rc::new(Cell::new(Duration::ZERO));
        let reading = Rc::clone(&clock);
        let lines = Lines::new(Vec::new(), move || reading.get());
        lines.on(&Event::RunStarted { target: "http://\u{1b}[31m", scenarios: 1, seed: 7 });
        lines.on(&Event::ScenarioStarted { name: "stale-write", rounds, needed: None, time: None });
        for done in 1..=rounds {
            clock.set(clock.get() + beat);
            let is_violated = done >= 3;
            let kinds: &[Kind] = if is_violated { &[Kind::LostUpdate] } else { &[] };
            let violated = u64::from(is_violated);
            lines.on(&Event::RoundDone { done, violated, trials: u64::from(done), kinds });
        }
        let rounds = u64::from(rounds);
        lines.on(&Event::ScenarioDone { name: "stale-write", verdict: Verdict::Violated, rounds });
        String::from_utf8(lines.out.into_inner()).expect("it is text")
    }

    #[test]
    fn a_short_scenario_is_one_line_on_a_pipe() {
        let told = "racing 1 scenario against http://\\u{1b}[31m (seed 7)
stale-write: violated after 4 rounds, 1 violated (lost-update), 4.0 s
";
        assert_eq!(lines(Duration::from_secs(1), 4), told);
    }

    #[test]
    fn a_long_scenario_is_told_of_every_few_seconds() {
        let told = lines(Duration::from_secs(2), 7);
        let expected = [
            "racing 1 scenario against http://\\u{1b}[31m (seed 7)",
            "stale-write: 3 of 7 rounds, 0.5/s, 8 s left, 1 violated (lost-update)",
            "stale-write: 6 of 7 rounds, 0.5/s, 2 s left, 1 violated (lost-update)",
            "stale-write: violated after 7 rounds, 1 violated (lost-update), 14.0 s",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), expected);
    }
}
