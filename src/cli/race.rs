//! `quickeats-bench race`.

use std::io::{self, IsTerminal, Write};

use super::args::{Format, RaceArgs};
use super::{Failure, dry_run, print, resolve, usage};
use crate::event::{Observer, Silent};
use crate::race::Stop;
use crate::report::progress::{Bar, Lines};
use crate::report::{Json, Palette, Renderer, Terminal};
use crate::run::{self, Run};
use crate::run_result::Exit;

pub(super) async fn main(args: RaceArgs, stop: &Stop) -> Result<Exit, Failure> {
    let resolved = resolve::race(&args).map_err(usage)?;
    if args.dry_run {
        return dry_run::main(&resolved);
    }
    let observer = observer(args.quiet);
    for notice in &resolved.notices {
        observer.on(notice);
    }
    let Run { result, folder, unsaved } = match run::run(&resolved.config, &*observer, stop).await {
        Ok(done) => done,
        Err(error) => {
            let exit = if stop.is_asked() { Exit::Interrupted } else { error.exit() };
            return Err(Failure { error: error.into(), exit });
        }
    };
    match args.format {
        Format::Table => {
            print(&terminal().render(&result))?;
            if unsaved.is_none() {
                print(&format!("Saved in {}\n", folder.display()))?;
            }
        }
        Format::Json => {
            print(&Json.render(&result))?;
            if !args.quiet && unsaved.is_none() {
                // stdout is the JSON alone.
                let _ = writeln!(io::stderr(), "saved in {}", folder.display());
            }
        }
    }
    match unsaved {
        Some(error) => Err(usage(error)),
        None => Ok(exit_of(result.exit_code)),
    }
}

pub(super) fn exit_of(code: u8) -> Exit {
    let all = [
        Exit::Holds,
        Exit::Violated,
        Exit::Usage,
        Exit::Inconclusive,
        Exit::TargetUnusable,
        Exit::Threshold,
        Exit::Interrupted,
    ];
    all.into_iter().find(|exit| exit.code() == code).expect("a result's code is one of these")
}

fn observer(quiet: bool) -> Box<dyn Observer> {
    if quiet {
        Box::new(Silent)
    } else if io::stderr().is_terminal() {
        Box::new(Bar::new(palette(true)))
    } else {
        Box::new(Lines::default())
    }
}

/// The report for the terminal that stdout is, if it is one.
pub(super) fn terminal() -> Terminal {
    let is_terminal = io::stdout().is_terminal();
    Terminal { palette: palette(is_terminal), width: is_terminal.then(|| console::Term::stdout().size().1) }
}

/// Colour on a terminal, unless the environment wants none.
fn palette(is_terminal: bool) -> Palette {
    let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    if is_terminal && wants_colour { Palette::Colour } else { Palette::Plain }
}
