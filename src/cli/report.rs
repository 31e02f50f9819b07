//! `quickeats-bench report`: a saved run or load rendered again. And `--report` of both: rendered beside its `run.json` or `load.json`.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::args::report::{ReportArgs, ReportFormat};
use super::race::terminal;
use super::saved::SavedRun;
use super::{Failure, print, print_exactly, saved, usage};
use crate::report::{Github, Html, Json, Junit, Markdown, Palette, Sarif, Terminal};
use crate::run_result::Exit;
use crate::text::harmless;

pub(super) fn main(args: &ReportArgs) -> Result<Exit, Failure> {
    let result = saved::read_any(&args.run).map_err(usage)?;
    match (&args.out, args.formats().as_slice()) {
        (None, [ReportFormat::Table]) => print(&result.render(&terminal()))?,
        // Nobody reads a page's source at a terminal.
        (None, [ReportFormat::Html]) if io::stdout().is_terminal() => {
            let folder = if args.run.is_dir() { Some(args.run.as_path()) } else { args.run.parent() };
            let written =
                write(&result, &beside(folder.unwrap_or(&args.run), &[ReportFormat::Html], &result)).map_err(usage)?;
            print(&format!("Wrote {written}\n"))?;
        }
        (None, [format]) => print_exactly(&render(*format, &result))?,
        (None, _) => {
            return Err(usage(anyhow!(
                "stdout takes one format, and {} are named\n  = help: --out DIR takes a file of each",
                args.format.len()
            )));
        }
        (Some(out), formats) => {
            let files = files(out, formats, &result).map_err(usage)?;
            let written = write(&result, &files).map_err(usage)?;
            print(&format!("Wrote {written}\n"))?;
        }
    }
    Ok(Exit::Holds)
}

/// Where each format goes.
fn files(out: &Path, formats: &[ReportFormat], of: &SavedRun) -> anyhow::Result<Vec<(ReportFormat, PathBuf)>> {
    let is_folder = out.is_dir() || formats.len() > 1 || out.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    if !is_folder {
        return Ok(formats.iter().map(|format| (*format, out.to_owned())).collect());
    }
    if out.exists() && !out.is_dir() {
        bail!("--out {} is a file, and {} formats are named\n  = help: name a folder", out.display(), formats.len());
    }
    fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
    Ok(beside(out, formats, of))
}

/// The files of these formats in a folder, each once.
pub(super) fn beside(folder: &Path, formats: &[ReportFormat], of: &SavedRun) -> Vec<(ReportFormat, PathBuf)> {
    let mut files: Vec<(ReportFormat, PathBuf)> = Vec::new();
    for format in formats {
        if files.iter().all(|(known, _)| known != format) {
            let name = if *format == ReportFormat::Json { of.file_name() } else { format.file_name() };
            files.push((*format, folder.join(name)));
        }
    }
    files
}

/// Writes each to its file, all that can be written. The files' names, as a list.
///
/// # Errors
/// The first that cannot be written.
pub(super) fn write(result: &SavedRun, files: &[(ReportFormat, PathBuf)]) -> anyhow::Result<String> {
    let mut failed = None;
    for (format, path) in files {
        let written =
            fs::write(path, render(*format, result)).with_context(|| format!("{} cannot be written", path.display()));
        failed = failed.or(written.err());
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let names: Vec<String> = files.iter().map(|(_, path)| harmless(&path.display().to_string(), usize::MAX)).collect();
    Ok(crate::text::list(&names))
}

fn render(format: ReportFormat, result: &SavedRun) -> String {
    match format {
        ReportFormat::Table => result.render(&Terminal { palette: Palette::Plain, width: None }),
        ReportFormat::Html => result.render(&Html),
        ReportFormat::Md => result.render(&Markdown),
        ReportFormat::Junit => result.render(&Junit),
        ReportFormat::Sarif => result.render(&Sarif),
        ReportFormat::Json => result.render(&Json),
        ReportFormat::Github => result.render(&Github),
    }
}
