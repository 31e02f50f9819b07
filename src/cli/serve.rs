//! `quickeats-bench serve`.

use anyhow::Context;
use tokio::net::TcpListener;

use super::args::ServeArgs;
use super::{Failure, print, resolve, usage};
use crate::race::Stop;
use crate::run_result::Exit;
use crate::service::{OrderService, ServiceConfig, StoreChoice};
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
    let store = match &args.store {
        StoreChoice::Memory => "memory: orders are gone when this process ends".to_owned(),
        kept @ (StoreChoice::Sqlite(_) | StoreChoice::Postgres(_)) => kept.to_string(),
    };
    let config = ServiceConfig {
        store: args.store.clone(),
        strategy: args.strategy,
        defect: args.defect,
        defect_window: window,
        ..ServiceConfig::default()
    };
    let service = OrderService::open(config)
        .await
        .with_context(|| format!("--store {}", args.store))
        .map_err(|error| Failure { error, exit: Exit::TargetUnusable })?;
    let banner = format!(
        "\
listening on http://{address}
  APIs      /api/v2 (ETag, Idempotency-Key), /api/v1 (unsafe by design)
  store     {store}
  strategy  {strategy}: {means}
  auth      off: anyone may do anything
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
