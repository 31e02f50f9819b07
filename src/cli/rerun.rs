//! What to type to race the same again: what was typed this time, without what `--replay` repeats by itself, and without secrets.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use super::args::aim::{CredentialArgs, TlsArgs};
use super::args::load::{LoadArgs, StopOn, Think};
use super::args::service::InProcessArgs;
use super::args::{FailOn, RaceArgs};
use crate::run::TargetChoice;
use crate::run_result::Rerun;
use crate::service::ServiceConfig;

/// What stands for a secret.
const SECRET: &str = "…";

/// Of a run with these arguments, against `target`. `files`: where scenarios were read from, by name.
pub(super) fn rerun(args: &RaceArgs, target: &TargetChoice, files: BTreeMap<String, String>) -> Rerun {
    let mut words = Words::default();
    match target {
        TargetChoice::Remote { endpoint, replica, restart } => {
            words.option("--target", Some(endpoint));
            words.option("--replica", replica.as_deref());
            words.option("--restart", restart.as_deref());
            words.credentials(&args.credentials, &args.tls, args.allow_remote);
        }
        TargetChoice::InProcess(service) => words.service(&args.service, service),
    }
    words.option("--api", args.api.as_deref());
    words.option("--parallel", args.parallel);
    words.option("--max-rate", args.max_rate);
    words.option("--contenders", args.contenders);
    words.option_unless("--timeout", typed(args.timeout), "5000ms");
    words.option("--fail-on", (args.fail_on == FailOn::Warning).then_some("warning"));
    Rerun { arguments: words.0, out: args.out.display().to_string(), files }
}

/// Of a load with these arguments, against `target`.
pub(super) fn rerun_load(args: &LoadArgs, target: &TargetChoice, seed: u64) -> Rerun {
    let mut words = Words::default();
    match target {
        TargetChoice::Remote { endpoint, .. } if args.url.is_none() => {
            words.option("--target", Some(endpoint));
            words.credentials(&args.credentials, &args.tls, args.allow_remote);
        }
        TargetChoice::Remote { .. } => words.credentials(&args.credentials, &args.tls, args.allow_remote),
        TargetChoice::InProcess(service) => words.service(&args.service, service),
    }
    words.option("--api", args.api.as_deref());
    words.option("--traffic", args.traffic.as_deref());
    words.option("--clients", args.clients);
    words.option("--threads", args.threads);
    words.option("--rate", args.rate);
    words.flag("--poisson", args.poisson);
    args.stage.iter().for_each(|stage| words.option("--stage", Some(stage)));
    words.option("--duration", args.duration.map(typed));
    words.option("--requests", args.requests);
    words.option_unless("--warm-up", typed(args.warm_up), "0ms");
    args.hot_id.iter().for_each(|id| words.option("--hot-id", Some(id)));
    words.option("--hot", args.hot.map(|share| share.to_string()));
    words.option("--seed", Some(seed));
    words.option_unless("--timeout", typed(args.timeout), "5000ms");
    words.flag("--read-only", args.read_only);
    words.option(
        "--think",
        args.think.as_ref().map(|Think(time)| format!("{}..{}", typed(time.start), typed(time.end))),
    );
    args.threshold.iter().for_each(|threshold| words.option("--threshold", Some(threshold)));
    words.flag("--abort-on-fail", args.abort_on_fail);
    words.option("--stop-on", args.stop_on.map(|StopOn::Violated| "violated"));
    words.option("--shard", args.shard);
    words.flag("--save-all", args.save_all);
    words.option("--fail-on", (args.fail_on == FailOn::Warning).then_some("warning"));
    words.0.extend(args.url.clone());
    Rerun { arguments: words.0, out: args.out.display().to_string(), files: BTreeMap::new() }
}

/// A duration as it is typed.
fn typed(duration: Duration) -> String {
    match duration.subsec_nanos() {
        nanos if nanos % 1_000_000 == 0 => format!("{}ms", duration.as_millis()),
        _ => format!("{}us", duration.as_micros()),
    }
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn option(&mut self, name: &str, value: Option<impl Display>) {
        self.0.extend(value.into_iter().flat_map(|value| [name.to_owned(), value.to_string()]));
    }

    fn option_unless(&mut self, name: &str, value: impl Display, default: &str) {
        let value = value.to_string();
        self.option(name, (value != default).then_some(value));
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        self.0.extend(is_set.then(|| name.to_owned()));
    }

    fn service(&mut self, args: &InProcessArgs, service: &ServiceConfig) {
        // A store's text leaves its password out.
        self.option_unless("--store", &service.store, "memory");
        self.option_unless("--idempotency-store", &service.key_store, "same");
        self.option_unless("--strategy", service.strategy, "optimistic");
        args.latency.iter().for_each(|rule| self.option("--latency", Some(rule)));
        self.option("--defect", args.defect);
        self.option("--defect-window", args.defect_window.map(typed));
    }

    fn credentials(&mut self, credentials: &CredentialArgs, tls: &TlsArgs, allow_remote: bool) {
        let shown = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        self.option("--jwt-secret-env", credentials.jwt_secret_env.as_deref());
        for typed in &credentials.header {
            let name = typed.split(':').next().unwrap_or_default();
            self.option("--header", Some(format!("{name}: {SECRET}")));
        }
        for typed in &credentials.bearer {
            let role = typed.split('=').next().unwrap_or_default();
            self.option("--bearer", Some(format!("{role}={SECRET}")));
        }
        self.option("--cacert", shown(&tls.cacert));
        self.option("--cert", shown(&tls.cert));
        self.option("--key", shown(&tls.key));
        self.flag("--insecure", tls.insecure);
        self.flag("--allow-remote", allow_remote);
    }
}
