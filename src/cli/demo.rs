//! `quickeats-bench demo`.

use std::io::{self, ErrorKind, IsTerminal};

use super::args::demo::{DemoArgs, LangChoice};
use super::{Failure, race, usage};
use crate::demo::{self, Act, DemoError, Ending, Lang, Pace, Show, Stage};
use crate::race::Stop;
use crate::run_result::Exit;
use crate::seed::Seed;

/// Columns on a pipe, unless `COLUMNS` says otherwise.
const ON_A_PIPE: u16 = 80;

pub(super) async fn main(args: &DemoArgs, stop: &Stop) -> Result<Exit, Failure> {
    let lang = match args.lang {
        LangChoice::En => Lang::En,
        LangChoice::Ko => Lang::Ko,
    };
    let show = Show {
        lang,
        seed: args.seed.map_or_else(Seed::arbitrary, Seed::new),
        rounds: args.rounds,
        acts: if args.step.is_empty() { Act::ALL.to_vec() } else { args.step.clone() },
    };
    let terminal = race::terminal();
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let is_watched = terminal.width.is_some();
    let pace = match (args.auto, is_watched && io::stdin().is_terminal()) {
        (true, _) => Pace::Timed,
        (false, true) => Pace::Keys,
        (false, false) => Pace::Flow,
    };
    let columns = || std::env::var("COLUMNS").ok().and_then(|typed| typed.parse().ok());
    let width = terminal.width.or_else(columns).unwrap_or(ON_A_PIPE).clamp(40, 120);
    let mut stage = Stage::new(pace, width, terminal.palette, is_watched && !is_dumb, lang);
    match demo::play(&show, &mut stage, stop).await {
        Ok(Ending::CameTrue) => Ok(Exit::Holds),
        Ok(Ending::NotAsTold) => Ok(Exit::Inconclusive),
        Ok(Ending::Interrupted) => Ok(Exit::Interrupted),
        // A reader that has gone away (`| head`) is no error.
        Err(DemoError::Stdout(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Holds),
        Err(DemoError::Run(error)) => Err(Failure { exit: error.exit(), error: error.into() }),
        Err(error @ (DemoError::Folder { .. } | DemoError::Stdout(_))) => Err(usage(error)),
    }
}
