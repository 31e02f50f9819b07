//! `quickeats-bench serve`.

use std::io::{self, Write};

use anyhow::{Context, bail};
use tokio::net::TcpListener;

use super::args::{AuthChoice, LogFormat, ServeArgs};
use super::{Failure, credentials, print, resolve, usage};
use crate::race::Stop;
use crate::run_result::Exit;
use crate::service::{Auth, KeyStoreChoice, LogLine, OrderService, RequestLog, ServiceConfig, StoreChoice, Unsuited};
use crate::text::micros;

pub(super) async fn main(args: &ServeArgs, stop: &Stop) -> Result<Exit, Failure> {
    let window = resolve::defect_window(args.defect, args.defect_window).map_err(usage)?;
    let listener = TcpListener::bind(args.addr)
        .await
        .with_context(|| format!("cannot listen on {}; --addr takes another address, port 0 a free port", args.addr))
        .map_err(usage)?;
    let address = listener.local_addr().context("the listening socket has no address").map_err(usage)?;
    let defect = match args.defect {
        None => "none: this is the sound service".to_owned(),
        Some(defect) if window.is_zero() => format!("{defect}: {}", defect.mistake()),
        Some(defect) => {
            let added = micros(u64::try_from(window.as_micros()).unwrap_or(u64::MAX));
            format!("{defect}: {} (gap widened by {added})", defect.mistake())
        }
    };
    let store = match (&args.store, args.retention) {
        (StoreChoice::Memory, None) => "memory: orders are gone when this process ends".to_owned(),
        (StoreChoice::Memory, Some(kept)) => {
            let kept = micros(u64::try_from(kept.as_micros()).unwrap_or(u64::MAX));
            format!("memory: orders are gone when nobody has changed them for {kept}, and when this process ends")
        }
        (stored @ (StoreChoice::Sqlite(_) | StoreChoice::Postgres(_)), _) => stored.to_string(),
    };
    let keys = match &args.idempotency_store {
        KeyStoreChoice::Same => "with the orders, in one transaction".to_owned(),
        redis @ KeyStoreChoice::Redis(_) => redis.to_string(),
    };
    let auth = auth(args).map_err(usage)?;
    let who = match &auth {
        Auth::Off => "off: anyone may do anything",
        Auth::Jwt(_) => "jwt: a bearer token says who asks",
    };
    let latency = resolve::latency(&args.latency, ServiceConfig::default().request_timeout).map_err(usage)?;
    let pace = latency.to_string();
    let config = ServiceConfig {
        latency,
        auth,
        store: args.store.clone(),
        key_store: args.idempotency_store.clone(),
        seed_data: args.seed_data,
        log: args.log.map(|LogFormat::Json| RequestLog::new(log_json)),
        idempotency_ttl: args.idempotency_ttl,
        idempotency_lease: args.idempotency_lease,
        retention: args.retention,
        strategy: args.strategy,
        defect: args.defect,
        defect_window: window,
        ..ServiceConfig::default()
    };
    config.check().map_err(|why| usage(anyhow::Error::new(why).context(asked_for(why))))?;
    let stores = config.stores();
    let service = OrderService::open(config)
        .await
        .context(stores)
        .map_err(|error| Failure { error, exit: Exit::TargetUnusable })?;
    let banner = format!(
        "\
listening on http://{address}
  APIs      /api/v2 (ETag, Idempotency-Key), /api/v1 (unsafe by design); described at /openapi.json
  store     {store}
  keys      {keys}
  strategy  {strategy}: {means}
  auth      {who}
  latency   {pace}
  defect    {defect}
",
        strategy = args.strategy,
        means = args.strategy.means(),
    );
    print(&banner)?;
    let stopped = {
        let stop = stop.clone();
        async move { stop.asked().await }
    };
    service.serve(listener, stopped).await.context("the service failed").map_err(usage)?;
    Ok(Exit::Holds)
}

/// The flag that asks for what cannot be.
const fn asked_for(why: Unsuited) -> &'static str {
    match why {
        Unsuited::Open(_) | Unsuited::Locked(_) | Unsuited::KeysElsewhere(_) => "--defect",
        Unsuited::KeptElsewhere | Unsuited::NoTime => "--retention",
    }
}

fn auth(args: &ServeArgs) -> anyhow::Result<Auth> {
    match (args.auth, &args.jwt_secret_env) {
        (Some(AuthChoice::Off), Some(_)) => bail!("--jwt-secret-env is for --auth jwt"),
        (Some(AuthChoice::Off) | None, None) => Ok(Auth::Off),
        (Some(AuthChoice::Jwt) | None, Some(variable)) => Ok(Auth::Jwt(credentials::secret(variable)?)),
        (Some(AuthChoice::Jwt), None) => bail!(
            "--auth jwt needs a secret\n  = help: --jwt-secret-env VAR names the environment variable that has it"
        ),
    }
}

/// A line in one piece, so that those of several threads do not mix. Nobody to read it is no error.
fn log_json(line: &LogLine) {
    let mut text = serde_json::to_vec(line).expect("texts and finite numbers are JSON");
    text.push(b'\n');
    let _ = io::stderr().lock().write_all(&text);
}
