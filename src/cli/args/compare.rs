//! The arguments of `compare` and of `history`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;

pub(in crate::cli) const HELP: &str = "\
Worse is
  - a verdict that got worse, or a kind of violation that the base does not show: always, it is proven
  - how often rounds are violated, the share of 412, or p95, if the whole interval of the change lies beyond --tolerance

All intervals hold together at 95 % confidence. 412 and p95 are judged where neither run was violated: a server that does the
wrong thing refuses less.

Exit codes:
  0  no regression
  2  usage: a run cannot be read
  5  a regression";

#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
    /// The run that is compared with: its folder, or its run.json
    #[arg(value_name = "BASE")]
    pub(in crate::cli) base: PathBuf,

    /// The run that is judged: its folder, or its run.json
    #[arg(value_name = "NEW")]
    pub(in crate::cli) new: PathBuf,

    /// By how much of its value in the base a measured quantity may be worse
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = parse_tolerance)]
    pub(in crate::cli) tolerance: f64,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: CompareFormat,
}

/// What `compare` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum CompareFormat {
    /// The answer, what changed, and a table, for people
    Table,
    /// The comparison as JSON alone
    Json,
    /// Markdown for a comment on a pull request
    Md,
}

fn parse_tolerance(typed: &str) -> Result<f64, String> {
    match typed.strip_suffix('%').map(|number| number.trim().parse::<f64>()) {
        Some(Ok(percent)) if (0.0..=10_000.0).contains(&percent) => Ok(percent / 100.0),
        Some(_) | None => Err("a tolerance is a percentage from 0% on, such as 10%".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArgs {
    /// The folder that runs were saved in
    #[arg(value_name = "DIR", default_value = "reports")]
    pub(in crate::cli) folder: PathBuf,

    /// List no more than the last so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) limit: Option<u32>,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: Format,
}
