//! `quickeats-bench race`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use super::args::{Format, RaceArgs};
use super::saved::SavedRun;
use super::{Failure, dry_run, print, print_exactly, report, resolve, usage, workflow};
use crate::event::{Observer, Silent};
use crate::race::Stop;
use crate::report::progress::{Bar, Lines};
use crate::report::{Json, Palette, Terminal};
use crate::run::{self, Run};
use crate::run_result::Exit;
use crate::text::harmless;

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
    // Before anything is printed: who reads stdout may go away, and loses no report by it.
    let result = SavedRun::Race(Box::new(result));
    let reports = report::beside(&folder, &args.report, &result);
    let written = if reports.is_empty() { Ok(String::new()) } else { report::write(&result, &reports) };
    let mut saved = format!("aved in {}\n", harmless(&folder.display().to_string(), usize::MAX));
    if let (Ok(files), false) = (&written, reports.is_empty()) {
        let _ = writeln!(saved, "Reports: {files}");
    }
    match args.format {
        Format::Table => {
            print(&result.render(&terminal()))?;
            if unsaved.is_none() {
                print(&format!("S{saved}"))?;
            }
        }
        Format::Json => {
            print_exactly(&result.render(&Json))?;
            if !args.quiet && unsaved.is_none() {
                // stdout is the JSON alone.
                let _ = write!(io::stderr(), "s{saved}");
            }
        }
    }
    workflow::tell(&result);
    if let Some(error) = unsaved {
        return Err(usage(error));
    }
    written.map_err(usage)?;
    Ok(exit_of(result.exit_code()))
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
pub(super) fn palette(is_terminal: bool) -> Palette {
    let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    if is_terminal && wants_colour { Palette::Colour } else { Palette::Plain }
}
