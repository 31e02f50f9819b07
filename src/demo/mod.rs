//! The interview story, told by races that are really run: an order is cancelled while it is accepted, a payment is sent twice.
//!
//! ```text
//! act (what is raced) ──► run::run ──► history + result ──► chapter (pages of text) ──► stage (prints, waits for a key)
//!                                                              ▲
//!                                              texts (one file per language)
//! ```
//!
//! Stands at the rim, beside the command line: it runs what a user would run, and tells it in the words of the report. So it
//! needs both `run` and `report`, which know nothing of each other, and nothing below may need it.
//!
//! Nothing is staged. A race that does not show what its act is about says so, and the story has not come true.

mod act;
mod chapter;
mod code;
mod page;
mod picture;
mod race;
mod stage;
mod texts;

pub use act::Act;
pub use race::DemoError;
pub use stage::{Pace, Stage};
pub use texts::Lang;

use crate::race::Stop;
use crate::seed::Seed;
use chapter::Chapter;
use stage::{Next, say};

/// What is to be shown.
#[derive(Debug, Clone)]
pub struct Show {
    /// In which language.
    pub lang: Lang,
    /// The seed of all choices.
    pub seed: Seed,
    /// Rounds of each race.
    pub rounds: u32,
    /// Which acts, in order.
    pub acts: Vec<Act>,
}

/// How a show ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Each race that was run showed what its act is about. (Who leaves early has seen no other.)
    CameTrue,
    /// Some race did not.
    NotAsTold,
    /// Ctrl-C.
    Interrupted,
}

/// Plays the show.
///
/// # Errors
/// If a race cannot be run, or what it is to say not be printed.
pub async fn play(show: &Show, stage: &mut Stage, stop: &Stop) -> Result<Ending, DemoError> {
    let chapter = Chapter { texts: show.lang.texts(), page: stage.page(), show };
    let mut played = Vec::new();
    match tell(&chapter, stage, stop, &mut played).await? {
        Next::Interrupted => return Ok(Ending::Interrupted),
        Next::Quit => say(&chapter.left())?,
        Next::Go => say(&chapter.closing(&played))?,
    }
    let came_true = played.iter().all(|(act, raced)| act.came_true(raced));
    Ok(if came_true { Ending::CameTrue } else { Ending::NotAsTold })
}

/// The acts up to their end, or as far as the audience stays.
async fn tell(
    chapter: &Chapter<'_>,
    stage: &mut Stage,
    stop: &Stop,
    played: &mut Vec<(Act, race::Raced)>,
) -> Result<Next, DemoError> {
    let show = chapter.show;
    let mut next = stage.beat(&chapter.opening(), stop).await?;
    for (index, act) in show.acts.iter().enumerate() {
        for page in chapter.before(*act, index) {
            if next != Next::Go {
                return Ok(next);
            }
            next = stage.beat(&page, stop).await?;
        }
        if next != Next::Go {
            return Ok(next);
        }
        say(&chapter.announced())?;
        let raced = race::race(*act, show, &stage.ticker(chapter.running()), stop).await?;
        let Some(raced) = raced else { return Ok(Next::Interrupted) };
        for page in chapter.after(*act, &raced) {
            if next != Next::Go {
                break;
            }
            next = stage.beat(&page, stop).await?;
        }
        played.push((*act, raced));
    }
    Ok(next)
}
