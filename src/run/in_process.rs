//! The reference service in this process: its own runtime and threads, a real socket on a free port; and a replica of it on
//! the same store, where a scenario wants one.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::service::{OpenError, OrderService, ServiceConfig};
use crate::target::Endpoint;

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The system has no socket or no thread for it.
    #[error(transparent)]
    System(#[from] io::Error),
    /// Its store cannot be opened.
    #[error("{stores}")]
    Store {
        /// The stores, as they are typed.
        stores: String,
        /// Why not.
        source: OpenError,
    },
}

/// The running service; stops when dropped.
#[derive(Debug)]
pub(super) struct InProcess {
    endpoint: Endpoint,
    replica: Option<Endpoint>,
    stop: Option<watch::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    /// Returns when the service listens, with its store open, and its replica, too, if there is to be one.
    pub(super) async fn start(config: ServiceConfig, with_replica: bool) -> Result<Self, StartError> {
        let (listener, endpoint) = listen()?;
        let (second, replica) = with_replica.then(listen).transpose()?.unzip();
        let listeners: Vec<TcpListener> = std::iter::once(listener).chain(second).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("service")
            .on_thread_start(step_back)
            .enable_all()
            .build()?;
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = watch::channel(());
        let thread = std::thread::Builder::new().name("service".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let services = match open(config, listeners.len()).await {
                    Ok(opened) => opened,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                // Nobody hears this if the run was given up meanwhile; then the service is told to stop, too.
                let _ = ready.send(Ok(()));
                let mut serving = JoinSet::new();
                for (service, listener) in services.into_iter().zip(listeners) {
                    serving.spawn(serve(service, listener, stopped.clone()));
                }
                while serving.join_next().await.is_some() {}
            });
        })?;
        let started = Self { endpoint, replica, stop: Some(stop), thread: Some(thread) };
        // A thread that ends without a word has panicked, and said why on stderr.
        is_ready.await.unwrap_or_else(|_| Err(io::Error::other("its thread ended").into()))?;
        Ok(started)
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) const fn replica(&self) -> Option<&Endpoint> {
        self.replica.as_ref()
    }
}

/// Lets the harness go first where the two share a core. The first release of a volley wakes a thread of the service, and
/// the kernel would often run it at once in place of the thread that has the other releases still to write: the contenders
/// would be served one after the other, and nothing would race. (5 runs of 8 scenarios of 200 rounds on two busy cores: 94 %
/// of rounds overlapped without this and 98 % with it; in the worst scenario 84 % and 95 %.)
fn step_back() {
    // On Linux a thread has a priority of its own; elsewhere this would slow the harness, too.
    #[cfg(target_os = "linux")]
    {
        // Races are as true without it, there are only fewer of them.
        let _ = rustix::process::setpriority_process(None, 5);
    }
}

/// A socket on a free port, and where it is.
fn listen() -> io::Result<(TcpListener, Endpoint)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, Endpoint::parse(&url).expect("a socket address makes a URL")))
}

async fn open(config: ServiceConfig, replicas: usize) -> Result<Vec<OrderService>, StartError> {
    let stores = config.stores();
    OrderService::open_replicas(config, replicas).await.map_err(|source| StartError::Store { stores, source })
}

/// Serves until all is stopped. A service that fails stops answering, which the race sees and reports.
async fn serve(service: OrderService, listener: TcpListener, mut stopped: watch::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // The sender says nothing: it goes away.
    let shutdown = async move { while stopped.changed().await.is_ok() {} };
    let _ = service.serve(listener, shutdown).await;
}

impl Drop for InProcess {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the service has been printed by its thread, and shown as a lost target.
            let _ = thread.join();
        }
    }
}
