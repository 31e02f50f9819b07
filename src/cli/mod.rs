//! The rim: what was typed → what is meant → run → exit code.

mod args;
mod check;
mod compare;
mod credentials;
mod demo;
mod dry_run;
mod history;
mod init;
mod load;
mod merge;
mod probe;
mod race;
mod replay;
mod report;
mod rerun;
mod resolve;
mod saved;
mod scenario_check;
mod scenarios;
mod selection;
mod serve;
mod strategies;
mod verify;
mod watch;
mod workflow;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::race::Stop;
use crate::report::disarmed;
use crate::run_result::Exit;
use crate::text::harmless_lines;
use args::{Cli, Command};

/// Reads the command line, does what it says, and returns the exit code. `stop` is asked for from outside (Ctrl-C).
pub async fn main(stop: Stop) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own: help and version go to stdout with 0, everything else to stderr with 2.
            let (told, shown) = (error.render().to_string(), harmless_lines(&error.render().to_string()));
            let _ = if told == shown { error.print() } else { io::stderr().write_all(shown.as_bytes()) };
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { 0 });
        }
    };
    let done = match cli.command {
        Command::Race(args) => race::main(*args, &stop).await,
        Command::Load(args) => load::main(*args, &stop).await,
        Command::Merge(args) => merge::main(&args),
        Command::Probe(args) => probe::main(&args, &stop).await,
        Command::Check(args) => check::main(&args),
        Command::CompareStrategies(args) => strategies::main(&args, &stop).await,
        Command::Demo(args) => demo::main(&args, &stop).await,
        Command::Serve(args) => serve::main(&args, &stop).await,
        Command::Verify(args) => verify::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::History(args) => history::main(&args),
        Command::Init(args) => init::main(&args),
        Command::Scenarios(args) => scenarios::main(args, &stop).await,
    };
    let exit = done.unwrap_or_else(|failure| {
        // It may name a path, and a path may have any character in it.
        let _ = writeln!(io::stderr(), "{}", harmless_lines(&format!("error: {:#}", failure.error)));
        failure.exit
    });
    ExitCode::from(exit.code())
}

/// An error with the exit code it stands for.
#[derive(Debug)]
struct Failure {
    error: anyhow::Error,
    exit: Exit,
}

/// A mistake on the command line, or in a file it names.
fn usage(error: impl Into<anyhow::Error>) -> Failure {
    Failure { error: error.into(), exit: Exit::Usage }
}

/// A target that nothing can be learned from.
fn unusable(error: impl Into<anyhow::Error>) -> Failure {
    Failure { error: error.into(), exit: Exit::TargetUnusable }
}

/// Prints an answer for people to stdout. In the log of a workflow, what strangers said in it is no command.
fn print(text: &str) -> Result<(), Failure> {
    if workflow::is_github() { print_exactly(&disarmed(text)) } else { print_exactly(text) }
}

/// Prints an answer to stdout. A reader that has gone away (`| head`) is no error; an answer that is lost is.
fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(usage(anyhow::Error::new(error).context("the answer cannot be written to stdout")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
