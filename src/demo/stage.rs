//! Where the demo is played: prints page after page, and waits in between as its audience likes it.

use std::cell::Cell;
use std::io::{self, Write};
use std::time::Duration;

use console::{Key, Term};
use tokio::sync::oneshot;

use super::page::Page;
use super::race::DemoError;
use crate::event::{Event, Observer};
use crate::race::Stop;
use crate::report::Palette;

/// How it goes on from page to page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A key is pressed.
    Keys,
    /// By itself, when a page may have been read.
    Timed,
    /// At once.
    Flow,
}

/// What is to come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Go,
    Quit,
    Interrupted,
}

/// Prints and waits.
#[derive(Debug)]
pub struct Stage {
    pace: Pace,
    page: Page,
    hint: String,
    /// Whether lines can be taken back.
    is_lively: bool,
    _manners: manners::Manners,
}

impl Stage {
    /// A stage of so many columns. `hint`: what can be pressed.
    pub fn new(pace: Pace, width: u16, palette: Palette, is_lively: bool, lang: super::Lang) -> Self {
        Self {
            pace,
            page: Page { width: width.into(), palette },
            hint: lang.texts().ui.next,
            is_lively,
            _manners: manners::Manners::of(pace),
        }
    }

    pub(super) const fn page(&self) -> Page {
        self.page
    }

    /// Prints a page and waits until it was read.
    pub(super) async fn beat(&mut self, page: &str, stop: &Stop) -> Result<Next, DemoError> {
        say(page)?;
        let next = match self.pace {
            Pace::Flow => Next::Go,
            Pace::Timed => {
                tokio::select! {
                    () = tokio::time::sleep(reading_time(page)) => {}
                    () = stop.asked() => {}
                }
                Next::Go
            }
            Pace::Keys => self.key(stop).await,
        };
        Ok(if stop.is_asked() { Next::Interrupted } else { next })
    }

    async fn key(&self, stop: &Stop) -> Next {
        let term = Term::stdout();
        // A terminal that is gone shows nothing, and gives no key: that ends the show below.
        let _ = term.write_str(&self.page.palette.dim(&format!("  {}", self.hint)));
        let next = loop {
            tokio::select! {
                key = pressed(&term) => match key {
                    Some(Key::Enter | Key::Char(' ') | Key::ArrowRight | Key::ArrowDown | Key::PageDown) => break Next::Go,
                    // The key of q where Hangul is typed.
                    Some(Key::Char('q' | 'Q' | 'ㅂ') | Key::Escape) | None => break Next::Quit,
                    Some(Key::CtrlC) => break Next::Interrupted,
                    Some(_) => {}
                },
                () = stop.asked() => break Next::Interrupted,
            }
        };
        let _ = if self.is_lively { term.clear_line() } else { term.write_line("") };
        next
    }

    /// Shows how far a race is, where it can be taken back.
    pub(super) fn ticker(&self, text: String) -> Ticker {
        let term = (self.is_lively && self.pace != Pace::Flow).then(Term::stdout);
        Ticker { term, text, palette: self.page.palette, rounds: Cell::new(0) }
    }
}

/// Prints a page.
pub(super) fn say(page: &str) -> Result<(), DemoError> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{page}").and_then(|()| stdout.flush()).map_err(DemoError::Stdout)
}

/// The next key, read by a thread that nobody waits for: it may never be pressed. None: there will be no more.
async fn pressed(term: &Term) -> Option<Key> {
    let (sender, receiver) = oneshot::channel();
    let term = term.clone();
    std::thread::spawn(move || {
        // Nobody may be listening any more.
        let _ = sender.send(term.read_key_raw().ok());
    });
    receiver.await.ok().flatten()
}

/// How long a page takes to read: some 25 columns in a second.
fn reading_time(page: &str) -> Duration {
    let columns: usize = page.lines().map(|line| crate::report::visible_width(line.trim_start())).sum();
    let millis = u64::try_from(columns).unwrap_or(u64::MAX).saturating_mul(40);
    Duration::from_millis(millis.clamp(2_000, 12_000))
}

/// One line that says how far a race is.
pub(super) struct Ticker {
    term: Option<Term>,
    text: String,
    palette: Palette,
    rounds: Cell<u32>,
}

impl Observer for Ticker {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::ScenarioStarted { rounds, .. } => self.rounds.set(*rounds),
            Event::RoundDone { done, .. } => {
                let Some(term) = self.term.as_ref().filter(|_| done % 5 == 0) else { return };
                let text = super::texts::fill(&self.text, &[("done", done), ("rounds", &self.rounds.get())]);
                // A terminal that is gone need not be told.
                let _ = term.clear_line().and_then(|()| term.write_str(&self.palette.dim(&format!("  {text}"))));
            }
            Event::RunStarted { .. } | Event::ScenarioDone { .. } | Event::Notice(_) => {}
        }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        if let Some(term) = &self.term {
            let _ = term.clear_line();
        }
    }
}

/// A terminal that keys are read from does not show what is typed; whatever ends the demo, it does again afterwards.
#[cfg(target_os = "linux")]
mod manners {
    use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

    use super::Pace;

    #[derive(Debug)]
    pub(super) struct Manners(Option<Termios>);

    impl Manners {
        pub(super) fn of(pace: Pace) -> Self {
            Self((pace == Pace::Keys).then(|| tcgetattr(std::io::stdin()).ok()).flatten())
        }
    }

    impl Drop for Manners {
        fn drop(&mut self) {
            if let Some(before) = &self.0 {
                let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod manners {
    use super::Pace;

    #[derive(Debug)]
    pub(super) struct Manners;

    impl Manners {
        pub(super) fn of(_: Pace) -> Self {
            Self
        }
    }
}
