//! `quickeats-bench probe`.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context, anyhow, bail};

use super::args::Format;
use super::args::probe::ProbeArgs;
use super::resolve::{self, is_file};
use super::{Failure, credentials, print, print_exactly, race, unusable, usage};
use crate::api::{Api, builtin};
use crate::clock::Clock;
use crate::probe::{ProbeError, probe, probe_plainly, written};
use crate::probe_result::ProbeResult;
use crate::race::Stop;
use crate::run_result::Exit;
use crate::target::{Endpoint, HttpTarget, Patience, log_in};
use crate::text::harmless;

pub(super) async fn main(args: &ProbeArgs, stop: &Stop) -> Result<Exit, Failure> {
    let endpoint = resolve::remote("URL", &args.target, args.allow_remote, &args.tls).map_err(usage)?;
    let described = args.api.as_deref().map(described).transpose().map_err(usage)?;
    let result = tokio::select! {
        biased;
        () = stop.asked() => return Ok(Exit::Interrupted),
        result = ask(args, &endpoint, described.as_ref().map(|(api, _)| api)) => result?,
    };
    match args.format {
        Format::Table => print(&race::terminal().render_probe(&result))?,
        Format::Json => print_exactly(&crate::text::json(&result))?,
    }
    if let (Some(path), Some((_, text))) = (&args.write, &described) {
        write(path, text, &result).map_err(usage)?;
    }
    Ok(Exit::Holds)
}

/// The description that is named, and its text.
fn described(typed: &str) -> anyhow::Result<(Api, String)> {
    let api = resolve::description(typed)?;
    let text = match builtin::text(typed) {
        Some(text) if !is_file(typed) => text.to_owned(),
        Some(_) | None => resolve::read(typed)?,
    };
    Ok(((*api).clone(), text))
}

async fn ask(args: &ProbeArgs, endpoint: &Endpoint, api: Option<&Api>) -> Result<ProbeResult, Failure> {
    let patience = Patience { request: args.timeout };
    let target = HttpTarget::new(endpoint.clone(), Clock::start(), patience).map_err(unusable)?;
    let url = endpoint.to_string();
    let gone = |error: ProbeError| {
        let help = match &error {
            ProbeError::Unreachable(_) => "is the server running, and is the URL right?",
            ProbeError::NoResource { .. } => {
                "`quickeats-bench scenarios check` with --target shows what was asked and heard"
            }
        };
        let why = harmless(&error.to_string(), 800);
        unusable(anyhow!("{url} cannot be asked: {why}\n  = help: {help}"))
    };
    let headers = credentials::headers(&args.credentials).map_err(usage)?;
    let plain = probe_plainly(&target, &url, headers.headers(), api.is_none()).await;
    let plain = plain.map_err(gone)?;
    let Some(api) = api else {
        check_plain(args).map_err(usage)?;
        return Ok(plain);
    };
    let credentials = credentials::given(&args.credentials, api).map_err(usage)?;
    let api = resolve::with_environment(api.clone()).map_err(usage)?.with_credentials(credentials);
    let spoken = target.ask_what_it_speaks().await;
    let target = target.speaking(spoken);
    let api = log_in(&target, &api).await.map_err(|error| {
        let help = error.help();
        unusable(anyhow!("{url}: {error}\n  = help: {help}"))
    })?;
    let mut result = probe(&target, &url, &api).await.map_err(gone)?;
    result.findings.splice(..0, plain.findings);
    Ok(result)
}

/// Roles, and so tokens, are a description's.
fn check_plain(args: &ProbeArgs) -> anyhow::Result<()> {
    if args.credentials.jwt_secret_env.is_some() || !args.credentials.bearer.is_empty() {
        bail!(
            "--bearer and --jwt-secret-env are for the roles of an API description\n  = help: name one with --api, or say --header"
        );
    }
    Ok(())
}

/// Writes the description with what was learned, if it is one then.
fn write(path: &Path, text: &str, result: &ProbeResult) -> anyhow::Result<()> {
    let shown = path.display().to_string();
    let text = written(text, &result.advice).with_context(|| format!("--write {shown}"))?;
    Api::parse(&shown, &text).with_context(|| format!("--write {shown}: what was learned makes no description"))?;
    fs::write(path, text).with_context(|| format!("--write {shown} cannot be written"))?;
    let keys = crate::text::count(result.advice.len() as u64, "key");
    let _ = writeln!(io::stderr(), "{keys} changed in {shown}");
    Ok(())
}
