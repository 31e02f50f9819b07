//! `quickeats-bench compare`.

use super::args::compare::{CompareArgs, CompareFormat};
use super::race::{exit_of, terminal};
use super::{Failure, print, print_exactly, saved, usage};
use crate::compare_result::Comparison;
use crate::report::Markdown;
use crate::run_result::Exit;

pub(super) fn main(args: &CompareArgs) -> Result<Exit, Failure> {
    let base = saved::read(&args.base).map_err(usage)?;
    let new = saved::read(&args.new).map_err(usage)?;
    let comparison = Comparison::of(&base, &new, args.tolerance);
    match args.format {
        CompareFormat::Table => print(&terminal().render_comparison(&comparison))?,
        CompareFormat::Md => print_exactly(&Markdown.render_comparison(&comparison))?,
        CompareFormat::Json => print_exactly(&crate::text::json(&comparison))?,
    }
    Ok(exit_of(comparison.exit_code))
}
