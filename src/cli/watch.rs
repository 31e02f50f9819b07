//! Who watches a load: what shows it on stderr, and a page for Prometheus.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::race;
use crate::load_result::{LoadEvent, LoadObserver, Snapshot, Unobserved};
use crate::report::Palette;
use crate::report::load::{Dashboard, Lines, metrics};

/// Shows a load on stderr, and serves how it stands if that was asked for.
pub(super) struct Watch {
    shown: Box<dyn LoadObserver>,
    page: Option<Page>,
}

/// The page, and the task that serves it until the load is over.
struct Page {
    text: Arc<Mutex<String>>,
    server: JoinHandle<()>,
}

/// Where metrics are served, as typed: `127.0.0.1:9100`, or a port alone, which is one of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MetricsAddr(SocketAddr);

impl FromStr for MetricsAddr {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        let port = typed.strip_prefix(':').unwrap_or(typed).parse::<u16>();
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let address = port.map_or_else(|_| typed.parse(), |port| Ok(local(port)));
        address.map(Self).map_err(|_| "write an address and a port, such as 127.0.0.1:9100, or a port".to_owned())
    }
}

impl Watch {
    /// Takes the port before anything else happens.
    ///
    /// # Errors
    /// If it cannot be taken.
    pub(super) async fn begin(quiet: bool, metrics: Option<MetricsAddr>) -> anyhow::Result<Self> {
        let shown = shown(quiet);
        let Some(MetricsAddr(address)) = metrics else { return Ok(Self { shown, page: None }) };
        let cannot = |error: io::Error| {
            anyhow!(
                "--metrics-addr {address} cannot be listened at: {error}\n  = help: take another port, or 0 for any that is free"
            )
        };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let watch = Self { shown, page: Some(Page::serve(listener)) };
        watch.shown.on(&LoadEvent::Notice(&format!("metrics at http://{address}/metrics")));
        Ok(watch)
    }
}

impl LoadObserver for Watch {
    fn on(&self, event: &LoadEvent<'_>) {
        if let (LoadEvent::Second(snapshot), Some(page)) = (event, &self.page) {
            *page.text.lock().unwrap_or_else(PoisonError::into_inner) = metrics::page(snapshot);
        }
        self.shown.on(event);
    }
}

impl Page {
    fn serve(listener: TcpListener) -> Self {
        let text = Arc::new(Mutex::new(metrics::page(&Snapshot::default())));
        let shared = Arc::clone(&text);
        let page = move || {
            let text = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
            std::future::ready(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
        };
        let router = Router::new().route("/metrics", get(page));
        // It ends with the load. If it fails, nobody is served, and the load goes on.
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Self { text, server }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A board on a terminal, lines on a pipe and on a terminal that knows no escape sequences.
fn shown(quiet: bool) -> Box<dyn LoadObserver> {
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if quiet {
        Box::new(Unobserved)
    } else if io::stderr().is_terminal() && !is_dumb {
        let palette: Palette = race::palette(true);
        Box::new(Dashboard::new(palette))
    } else {
        Box::new(Lines::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_alone_is_one_of_this_machine() {
        let read = |typed: &str| typed.parse::<MetricsAddr>().map(|address| address.0.to_string());
        assert_eq!(read("9100").as_deref(), Ok("127.0.0.1:9100"));
        assert_eq!(read(":0").as_deref(), Ok("127.0.0.1:0"));
        assert_eq!(read("0.0.0.0:9100").as_deref(), Ok("0.0.0.0:9100"));
        assert_eq!(read("[::1]:9100").as_deref(), Ok("[::1]:9100"));
        assert!(read("localhost").is_err() && read("70000").is_err() && read("").is_err());
    }
}
