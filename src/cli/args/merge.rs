//! `merge`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Format;
use crate::text::parse_duration;
use crate::traffic::Threshold;

#[derive(Debug, Args)]
pub(in crate::cli) struct MergeArgs {
    /// The folders that the processes of one load saved, each started with --shard: all of them, in any order
    #[arg(value_name = "DIR", required = true)]
    pub(in crate::cli) folders: Vec<PathBuf>,

    /// Merge though shards are missing: their figures are not in the sums, and what all shards act on is not judged
    #[arg(long)]
    pub(in crate::cli) partial: bool,

    /// How far the clock of any of the machines was from the true time at most, such as 2ms: the window of each operation on a resource that
    /// several shards act on is widened by it to both sides. Too much hides violations, too little may show what never was [default: must
    /// be said, unless all shards ran on one machine, whose clock they have in common]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(in crate::cli) clock_error: Option<Duration>,

    /// Exit 5 if this is not kept by all shards together, beside the thresholds that they had. May be given several times
    #[arg(long, value_name = "LIMIT")]
    pub(in crate::cli) threshold: Vec<Threshold>,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: Format,

    /// The folder that the merged load's own folder goes into
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub(in crate::cli) out: PathBuf,

    /// Nothing on stderr
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,
}
