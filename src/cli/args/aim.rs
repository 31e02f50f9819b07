//! How to get at a target, for everything that asks one; and `scenarios check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::text::parse_duration;

pub(super) const CHECK_EXIT_CODES: &str = "\
Exit codes:
  0  nothing is wrong with the files; and, with --target, every reply could be read
  2  there is a mistake in a file, or on the command line
  4  the target is not usable, or a reply could not be read
  130  interrupted";

/// What proves who asks.
#[derive(Debug, Args)]
pub(in crate::cli) struct CredentialArgs {
    /// Send a bearer token with every request, minted for the actor (HS256; claims sub, role, exp) and signed with the
    /// secret in this environment variable: the target's own, of 32 bytes at least
    #[arg(long, value_name = "VAR", requires = "target", conflicts_with = "bearer")]
    pub(in crate::cli) jwt_secret_env: Option<String>,

    /// Send a header with every request; may be given several times
    #[arg(long, value_name = "NAME:VALUE", requires = "target")]
    pub(in crate::cli) header: Vec<String>,

    /// Send this bearer token with the requests of one role, such as rider=eyJ…; may be given for several
    #[arg(long, value_name = "ROLE=TOKEN", requires = "target")]
    pub(in crate::cli) bearer: Vec<String>,
}

/// How TLS is spoken to a target.
#[derive(Debug, Args)]
pub(in crate::cli) struct TlsArgs {
    /// Trust the certificate authorities of this PEM file, too
    #[arg(long, value_name = "FILE", requires = "target")]
    pub(in crate::cli) cacert: Option<PathBuf>,

    /// Show this client certificate (PEM, with those it stems from) to a target that asks for one
    #[arg(long, value_name = "FILE", requires_all = ["target", "key"])]
    pub(in crate::cli) cert: Option<PathBuf>,

    /// The private key of --cert (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(in crate::cli) key: Option<PathBuf>,

    /// Believe any certificate. Whoever is on the way can then read and change all that is said, tokens included
    #[arg(long, requires = "target", conflicts_with = "cacert")]
    pub(in crate::cli) insecure: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ScenarioCheckArgs {
    /// Scenarios and API descriptions: files ending in .toml, told apart by their `schema`, or built-in names
    #[arg(value_name = "FILE", required = true)]
    pub(in crate::cli) files: Vec<String>,

    /// The API description that scenarios are checked against: a built-in name, or a file ending in .toml [default: a
    /// description among the files that the scenario is for, else the built-in one that it names]
    #[arg(long, value_name = "NAME|FILE")]
    pub(in crate::cli) api: Option<String>,

    /// Play each file once against this server, one request after the other: a scenario from set-up to what follows its race,
    /// a description from its create to its lists. It makes resources there
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) target: Option<String>,

    #[command(flatten)]
    pub(in crate::cli) credentials: CredentialArgs,

    #[command(flatten)]
    pub(in crate::cli) tls: TlsArgs,

    /// Allow a target that is not on this machine, and whose data you may change
    #[arg(long, requires = "target")]
    pub(in crate::cli) allow_remote: bool,

    /// The limit for one request
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_timeout)]
    pub(in crate::cli) timeout: Duration,
}

pub(super) fn parse_timeout(typed: &str) -> Result<Duration, String> {
    let timeout = parse_duration(typed)?;
    let range = Duration::from_millis(1)..=Duration::from_mins(1);
    if range.contains(&timeout) { Ok(timeout) } else { Err("a timeout is between 1ms and 60s".to_owned()) }
}
