//! `quickeats-bench compare-strategies`.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::args::Format;
use super::args::service::InProcessArgs;
use super::args::strategies::StrategiesArgs;
use super::resolve::{self, DEFAULT_API};
use super::{Failure, credentials, load, print, print_exactly, race, usage};
use crate::check::{Severity, Verdict};
use crate::jwt::Secret;
use crate::load_result::{LoadObserver, Unobserved};
use crate::race::Stop;
use crate::report::load::Lines;
use crate::run::TargetChoice;
use crate::run::load::{LoadConfig, Subject};
use crate::run::strategies::{StrategiesConfig, compare_strategies};
use crate::run_result::{Exit, Rerun};
use crate::seed::Seed;
use crate::service::Strategy;
use crate::traffic::{Part, Shape};

/// The limit for one request.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn main(args: &StrategiesArgs, stop: &Stop) -> Result<Exit, Failure> {
    let config = resolved(args).map_err(usage)?;
    let observer: Box<dyn LoadObserver> = if args.quiet { Box::new(Unobserved) } else { Box::new(Lines::default()) };
    let (result, folder) = compare_strategies(&config, &*observer, stop)
        .await
        .map_err(|error| Failure { exit: error.exit(), error: error.into() })?;
    match args.format {
        Format::Table => {
            print(&race::terminal().render_strategies(&result))?;
            print(&format!("Saved in {}\n", folder.display()))?;
        }
        Format::Json => {
            let mut text = serde_json::to_string_pretty(&result).expect("a result is plain data");
            text.push('\n');
            print_exactly(&text)?;
            if !args.quiet {
                // stdout is the JSON alone.
                let _ = writeln!(io::stderr(), "saved in {}", folder.display());
            }
        }
    }
    Ok(match result.verdict {
        _ if result.interrupted => Exit::Interrupted,
        Some(Verdict::Holds) => Exit::Holds,
        Some(Verdict::Violated) => Exit::Violated,
        Some(Verdict::Inconclusive) | None => Exit::Inconclusive,
    })
}

fn resolved(args: &StrategiesArgs) -> anyhow::Result<StrategiesConfig> {
    if args.warm_up >= args.duration {
        bail!("--warm-up {:?} leaves nothing to measure\n  = help: let each load last longer", args.warm_up);
    }
    let secret = Secret::random();
    let service = resolve::in_process(
        &InProcessArgs {
            store: args.store.clone(),
            idempotency_store: args.idempotency_store.clone(),
            strategy: Strategy::default(),
            latency: args.latency.clone(),
            defect: None,
            defect_window: None,
        },
        TIMEOUT,
        &secret,
    )?;
    let api = resolve::description(DEFAULT_API)?;
    let api = Arc::new((*api).clone().with_credentials(credentials::minting(secret)));
    let mut plan = load::traffic_for(&api)?;
    // Nobody is careless: a refusal is the contention's doing.
    plan.hot.mischief = 0.0;
    plan.hot.resources = args.resources;
    let seed = args.seed.map_or_else(Seed::arbitrary, Seed::new);
    let load = LoadConfig {
        subject: Subject::Traffic(Arc::new(plan)),
        target: TargetChoice::InProcess(Box::new(load::loaded(service, args.clients))),
        shape: Shape::Closed,
        clients: args.clients,
        threads: load::threads(None),
        part: Part::WHOLE,
        requests: None,
        duration: Some(args.duration),
        warm_up: args.warm_up,
        timeout: TIMEOUT,
        start_at: None,
        seed,
        hot_ids: Vec::new(),
        fail_on: Severity::Violation,
        thresholds: Vec::new(),
        abort_on_fail: false,
        stop_on_violated: false,
        saves_all: false,
        out: args.out.clone(),
        rerun: Rerun {
            arguments: Vec::new(),
            out: args.out.display().to_string(),
            files: std::collections::BTreeMap::new(),
        },
    };
    Ok(StrategiesConfig { load, shares: args.hot.clone(), repeats: args.repeats })
}
