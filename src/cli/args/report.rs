//! The arguments of `report`, and the formats that a run is rendered in.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

pub(in crate::cli) const HELP: &str = "\
Examples:
  quickeats-bench report reports/2026-01-31T12-00-00Z
      the report that race printed
  quickeats-bench report reports/2026-01-31T12-00-00Z --html
      a page for a browser: report.html in the run's folder, or stdout where that is no terminal
  quickeats-bench report reports/2026-01-31T12-00-00Z --md > comment.md
      as a comment on a pull request
  quickeats-bench report reports/2026-01-31T12-00-00Z --format junit,sarif --out ci
      ci/junit.xml and ci/report.sarif

Exit codes:
  0  rendered, whatever the run's verdict was
  2  usage: the run cannot be read, or the report not be written";

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArgs {
    /// A run's or a load's folder, or the run.json or load.json there
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: PathBuf,

    /// How to render it; several, parted by commas, go to a folder
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', default_value = "table")]
    pub(in crate::cli) format: Vec<ReportFormat>,

    #[command(flatten)]
    pub(in crate::cli) short: ShortFormat,

    /// Where to write: a file, or a folder for files named as race --report names them; needed for several formats [default: stdout]
    #[arg(long, value_name = "FILE|DIR")]
    pub(in crate::cli) out: Option<PathBuf>,
}

/// One format by its own flag.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with = "format")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(in crate::cli) struct ShortFormat {
    /// The same as --format html
    #[arg(long)]
    html: bool,
    /// The same as --format md
    #[arg(long)]
    md: bool,
    /// The same as --format junit
    #[arg(long)]
    junit: bool,
    /// The same as --format sarif
    #[arg(long)]
    sarif: bool,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

impl ReportArgs {
    /// The formats that are named, in either way.
    pub(in crate::cli) fn formats(&self) -> Vec<ReportFormat> {
        let ShortFormat { html, md, junit, sarif, json } = self.short;
        let short = [
            (html, ReportFormat::Html),
            (md, ReportFormat::Md),
            (junit, ReportFormat::Junit),
            (sarif, ReportFormat::Sarif),
            (json, ReportFormat::Json),
        ];
        let named = short.into_iter().find_map(|(is_named, format)| is_named.then_some(format));
        named.map_or_else(|| self.format.clone(), |format| vec![format])
    }
}

/// A form of a report, and the file it goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// For people at a terminal: report.txt
    Table,
    /// One page for a browser, with all that is in it: report.html
    Html,
    /// Markdown for a comment on a pull request: report.md
    Md,
    /// JUnit XML, tests for a CI server: junit.xml
    Junit,
    /// SARIF 2.1.0, alerts for code scanning: report.sarif
    Sarif,
    /// The result itself: run.json or load.json, which are written anyway
    Json,
    /// GitHub's workflow commands: annotations.txt. In a workflow race and load print them unasked
    Github,
}

impl ReportFormat {
    /// The file that it goes to, in a run's folder. (The result of a load is its load.json.)
    pub(in crate::cli) const fn file_name(self) -> &'static str {
        match self {
            Self::Table => "report.txt",
            Self::Html => "report.html",
            Self::Md => "report.md",
            Self::Junit => "junit.xml",
            Self::Sarif => "report.sarif",
            Self::Json => "run.json",
            Self::Github => "annotations.txt",
        }
    }
}
