//! `quickeats-bench serve`.

use anyhow::Context;
use tokio::net::TcpListener;

use super::args::ServeArgs;
use super::{Failure, print, resolve, usage};
use crate::race::Stop;
use crate::run_result::Exit;
use crate::service::{self, ServiceConfig};
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
    let banner = format!(
        "\
listening on http://{address}
  APIs    /api/v2 (ETag, Idempotency-Key), /api/v1 (unsafe by design)
  store   memory: orders are gone when this process ends
  auth    off: anyone may do anything
  defect  {defect}
"
    );
    print(&banner)?;
    let config = ServiceConfig { defect: args.defect, defect_window: window, ..ServiceConfig::default() };
    let stopped = {
        let stop = stop.clone();
        async move { stop.asked().await }
    };
    service::run(listener, config, stopped).await.context("the service failed").map_err(usage)?;
    Ok(Exit::Holds)
}
