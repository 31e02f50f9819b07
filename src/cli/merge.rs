//! `quickeats-bench merge`.

use std::io::{self, Write};

use super::args::merge::MergeArgs;
use super::{Failure, load, usage};
use crate::run::merge::{MergeConfig, merge};
use crate::run_result::Exit;

pub(super) fn main(args: &MergeArgs) -> Result<Exit, Failure> {
    let config = MergeConfig {
        folders: args.folders.clone(),
        partial: args.partial,
        clock_error: args.clock_error,
        thresholds: args.threshold.clone(),
        out: args.out.clone(),
    };
    let done = merge(&config).map_err(usage)?;
    if let Some(merged) = done.result.merged.as_ref().filter(|_| !args.quiet) {
        // Who reads stderr may have gone away: then nobody is told.
        let _ = writeln!(
            io::stderr(),
            "merged {} of {} shards; {} that several of them acted on; windows widened by {:.3} ms to each side",
            merged.shards.len(),
            merged.of,
            crate::text::count(merged.joint_rounds, "resource"),
            merged.widened_us / 1e3,
        );
    }
    load::show(done, args.format, args.quiet, &[])
}
