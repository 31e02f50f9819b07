//! `race --dry-run`: everything is resolved, and nothing is sent.

use std::fmt::Write as _;
use std::io::Write as _;

use super::resolve::{Resolved, is_spoken_in_process};
use super::{Failure, print, race};
use crate::event::Event;
use crate::probe::outline;
use crate::race::Parallel;
use crate::report::Detail;
use crate::run::{RunConfig, TargetChoice};
use crate::run_result::Exit;
use crate::text::count;

pub(super) fn main(resolved: &Resolved) -> Result<Exit, Failure> {
    for notice in &resolved.notices {
        if let Event::Notice(text) = notice {
            let _ = writeln!(std::io::stderr(), "note: {text}");
        }
    }
    let terminal = race::terminal();
    let mut text = heading(&resolved.config);
    for plan in &resolved.config.plans {
        let _ = write!(text, "\n{}", terminal.render_outline(&outline(plan), Detail::Whole));
    }
    print(&text)?;
    Ok(Exit::Holds)
}

/// What would be raced, against what and how.
fn heading(config: &RunConfig) -> String {
    let target = match &config.target {
        TargetChoice::InProcess(_) if !is_spoken_in_process(&config.api) => "no target yet (--target)".to_owned(),
        TargetChoice::InProcess(_) => "the reference service, in-process".to_owned(),
        TargetChoice::Remote { endpoint, .. } => endpoint.to_string(),
    };
    let scenarios = count(config.plans.len() as u64, "scenario");
    let rounds = count(u64::from(config.extent.rounds), "round");
    let side_by_side = match config.parallel {
        Parallel::Auto => "as many side by side as the target takes".to_owned(),
        Parallel::Rounds(rounds) => format!("{rounds} side by side"),
    };
    format!(
        "dry run, nothing is sent: {scenarios}, {} against {target}\n{rounds} of each, {side_by_side}; delivery {}, {:?} for one \
         request, seed {}\n",
        config.api.name, config.delivery, config.timeout, config.seed
    )
}
