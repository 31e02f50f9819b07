//! What to type to race the same again: what was typed this time, without what `--replay` repeats by itself, and without secrets.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use super::args::{FailOn, RaceArgs};
use crate::run::TargetChoice;
use crate::run_result::Rerun;

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
            words.credentials(args);
        }
        TargetChoice::InProcess(service) => {
            // A store's text leaves its password out.
            words.option_unless("--store", &service.store, "memory");
            words.option_unless("--idempotency-store", &service.key_store, "same");
            words.option_unless("--strategy", service.strategy, "optimistic");
            args.latency.iter().for_each(|rule| words.option("--latency", Some(rule)));
            words.option("--defect", args.defect);
            words.option("--defect-window", args.defect_window.map(typed));
        }
    }
    words.option("--api", args.api.as_deref());
    words.option("--parallel", args.parallel);
    words.option("--max-rate", args.max_rate);
    words.option("--contenders", args.contenders);
    words.option_unless("--timeout", typed(args.timeout), "5000ms");
    words.option("--fail-on", (args.fail_on == FailOn::Warning).then_some("warning"));
    Rerun { arguments: words.0, out: args.out.display().to_string(), files }
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

    fn credentials(&mut self, args: &RaceArgs) {
        let shown = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        self.option("--jwt-secret-env", args.credentials.jwt_secret_env.as_deref());
        for typed in &args.credentials.header {
            let name = typed.split(':').next().unwrap_or_default();
            self.option("--header", Some(format!("{name}: {SECRET}")));
        }
        for typed in &args.credentials.bearer {
            let role = typed.split('=').next().unwrap_or_default();
            self.option("--bearer", Some(format!("{role}={SECRET}")));
        }
        self.option("--cacert", shown(&args.tls.cacert));
        self.option("--cert", shown(&args.tls.cert));
        self.option("--key", shown(&args.tls.key));
        self.flag("--insecure", args.tls.insecure);
        self.flag("--allow-remote", args.allow_remote);
    }
}
