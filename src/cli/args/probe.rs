//! `probe`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Format;
use super::aim::{CredentialArgs, TlsArgs, parse_timeout};

pub(in crate::cli) const HELP: &str = "\
Examples:
  quickeats-bench probe http://127.0.0.1:8000/docs/1
      how the URL is reached and read, by GET and OPTIONS alone
  quickeats-bench probe http://127.0.0.1:8000 --api mine.toml
      whether the server does what the description says, nothing racing; it makes resources there

Exit codes:
  0    asked; what differs from the description is told
  2    usage: the command line, or a file it names, is wrong
  4    the target is not usable
  130  interrupted";

#[derive(Debug, Args)]
pub(in crate::cli) struct ProbeArgs {
    /// What to ask: a server such as http://127.0.0.1:8000; or, without a description, any URL that can be read
    #[arg(value_name = "URL", id = "target")]
    pub(in crate::cli) target: String,

    /// The API description to hold it against: a built-in name, or a file ending in .toml. With one, resources are made and changed
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) api: Option<String>,

    /// Write the description with what was learned to this file: those keys alone, the rest as it is
    #[arg(long, value_name = "FILE", requires = "api")]
    pub(in crate::cli) write: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) credentials: CredentialArgs,

    #[command(flatten)]
    pub(in crate::cli) tls: TlsArgs,

    /// Allow a target that is not on this machine
    #[arg(long)]
    pub(in crate::cli) allow_remote: bool,

    /// The limit for one request
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_timeout)]
    pub(in crate::cli) timeout: Duration,

    /// What is printed on stdout
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(in crate::cli) format: Format,
}
