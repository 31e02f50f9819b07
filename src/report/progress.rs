//! Progress on stderr: a bar on a terminal, a line a scenario on a pipe, nothing when asked to be quiet.

use std::cell::RefCell;
use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{Event, Observer};
use crate::text::{count, harmless};

/// A bar for a terminal.
#[derive(Debug)]
pub struct Bar {
    bar: RefCell<ProgressBar>,
}

impl Default for Bar {
    fn default() -> Self {
        Self { bar: RefCell::new(ProgressBar::hidden()) }
    }
}

impl Observer for Bar {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::RunStarted { target, scenarios, seed } => {
                // Nothing can be done about a stderr that is closed.
                let scenarios = count(*scenarios as u64, "scenario");
                let _ = writeln!(io::stderr(), "racing {scenarios} against {} (seed {seed})", harmless(target, 200));
            }
            Event::ScenarioStarted { name, rounds } => {
                let bar =
                    ProgressBar::with_draw_target(Some(u64::from(*rounds)), ProgressDrawTarget::stderr_with_hz(10));
                let style = ProgressStyle::with_template("{prefix:>20} {wide_bar} {pos}/{len} {msg} {eta} left");
                bar.set_style(style.expect("the template is valid"));
                bar.set_prefix((*name).to_owned());
                self.bar.replace(bar);
            }
            Event::RoundDone { done, violated } => {
                let bar = self.bar.borrow();
                if *violated > 0 {
                    bar.set_message(format!("{violated} violated"));
                }
                bar.set_position(u64::from(*done));
            }
            Event::ScenarioDone { .. } => self.bar.borrow().finish_and_clear(),
            Event::Notice(text) => self.bar.borrow().suspend(|| {
                let _ = writeln!(io::stderr(), "note: {text}");
            }),
        }
    }
}

/// Plain lines for a pipe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Observer for Lines {
    fn on(&self, event: &Event<'_>) {
        let line = match event {
            Event::RunStarted { target, scenarios, seed } => {
                format!(
                    "racing {} against {} (seed {seed})",
                    count(*scenarios as u64, "scenario"),
                    harmless(target, 200)
                )
            }
            Event::ScenarioDone { name, verdict, rounds } => format!("{name}: {verdict} after {rounds} rounds"),
            Event::Notice(text) => format!("note: {text}"),
            Event::ScenarioStarted { .. } | Event::RoundDone { .. } => return,
        };
        let _ = writeln!(io::stderr(), "{line}");
    }
}
