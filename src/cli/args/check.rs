//! The arguments of `check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{FailOn, Format};
use crate::text::parse_duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// The history
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,

    /// How the file is written
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(in crate::cli) format: InputFormat,

    /// What the history is held against [default: order for history, register for etcd, kv for edn]
    #[arg(long, value_name = "MODEL")]
    pub(in crate::cli) model: Option<InputModel>,

    /// Judge what is whole of a damaged file: what stands before the first line that is not as it should be. It is told
    /// which that is, and the file holds nothing for sure: the answer is violated or inconclusive
    #[arg(long)]
    pub(in crate::cli) lenient: bool,

    /// How long the search may take before it gives up (of a recorded history) [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(in crate::cli) timeout: Option<Duration>,

    /// From which severity on a finding counts (of a run's history) [default: violation]
    #[arg(long, value_name = "SEVERITY")]
    pub(in crate::cli) fail_on: Option<FailOn>,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) output: Format,
}

/// How a history is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum InputFormat {
    /// As its first line looks like
    Auto,
    /// The JSON lines that race saves
    History,
    /// Jepsen's log of a register, as recorded against etcd
    Etcd,
    /// EDN, one map a line
    Edn,
}

/// What a history is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum InputModel {
    /// The API description in the history
    Order,
    /// Registers with read, write and cas; one, or one per key
    Register,
    /// A key-value store with get, put and append
    Kv,
}
