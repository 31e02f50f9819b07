//! The reference service in this process: its own runtime and threads, a real socket on a free port; and a replica of it on
//! the same store, where a scenario wants one. It can be made to crash, and started anew on what it left behind.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::pin::Pin;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Mutex, oneshot, watch};
use tokio::task::JoinSet;

use crate::race::Restart;
use crate::service::{OpenError, OrderService, Outside, ServiceConfig};
use crate::target::Endpoint;

/// How long a crashed service's threads are waited for. They do nothing long without asking whether they should go on.
const CRASH_LIMIT: Duration = Duration::from_secs(5);

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

/// The service, whatever process it is in; stops when dropped.
#[derive(Debug)]
pub(super) struct InProcess {
    endpoint: Endpoint,
    replica: Option<Endpoint>,
    process: Mutex<Process>,
}

/// What a new process of it starts from, and the one that runs.
#[derive(Debug)]
struct Process {
    config: ServiceConfig,
    outside: Outside,
    /// They stay open from process to process, so that whoever connects meanwhile waits instead of being refused.
    listeners: Vec<TcpListener>,
    running: Option<Running>,
}

impl InProcess {
    /// Returns when the service listens, with its store open, and its replica, too, if there is to be one.
    pub(super) async fn start(config: ServiceConfig, with_replica: bool) -> Result<Self, StartError> {
        let (listener, endpoint) = listen()?;
        let (second, replica) = with_replica.then(listen).transpose()?.unzip();
        let listeners: Vec<TcpListener> = std::iter::once(listener).chain(second).collect();
        let outside = Outside::of(&config).await.map_err(|source| cannot_open(&config, source))?;
        let running = Some(Running::start(&config, &outside, &listeners).await?);
        Ok(Self { endpoint, replica, process: Mutex::new(Process { config, outside, listeners, running }) })
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) const fn replica(&self) -> Option<&Endpoint> {
        self.replica.as_ref()
    }

    /// Ends the process in the middle of whatever it does, and starts another one.
    async fn crash_and_start(&self) -> Result<(), StartError> {
        let mut process = self.process.lock().await;
        if let Some(running) = process.running.take() {
            let crashed = tokio::task::spawn_blocking(move || running.crash());
            crashed.await.map_err(io::Error::other)?;
        }
        process.running = Some(Running::start(&process.config, &process.outside, &process.listeners).await?);
        Ok(())
    }
}

impl Restart for InProcess {
    fn restart(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move { self.crash_and_start().await.map_err(|error| error.to_string()) })
    }
}

/// A running process of the service.
#[derive(Debug)]
struct Running {
    stop: Option<watch::Sender<()>>,
    crash: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    async fn start(config: &ServiceConfig, outside: &Outside, listeners: &[TcpListener]) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("service")
            .on_thread_start(step_back)
            .enable_all()
            .build()?;
        let listeners = listeners.iter().map(TcpListener::try_clone).collect::<io::Result<Vec<_>>>()?;
        let (config, outside) = (config.clone(), outside.clone());
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = watch::channel(());
        let (crash, when_told) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("service".to_owned()).spawn(move || {
            let serving = async move {
                let count = listeners.len();
                let services = match OrderService::open_on(&outside, config.clone(), count).await {
                    Ok(opened) => opened,
                    Err(error) => return drop(ready.send(Err(cannot_open(&config, error)))),
                };
                // Nobody hears this if the run was given up meanwhile; then the service is told to stop, too.
                let _ = ready.send(Ok(()));
                let mut serving = JoinSet::new();
                for (service, listener) in services.into_iter().zip(listeners) {
                    serving.spawn(serve(service, listener, stopped.clone()));
                }
                while serving.join_next().await.is_some() {}
            };
            let is_crash = runtime.block_on(async move {
                tokio::select! {
                    () = serving => false,
                    Ok(()) = when_told => true,
                }
            });
            if is_crash {
                // Every task ends where it stands. Nothing is finished, and nobody is told.
                runtime.shutdown_timeout(CRASH_LIMIT);
            }
        })?;
        let running = Self { stop: Some(stop), crash: Some(crash), thread: Some(thread) };
        // A thread that ends without a word has panicked, and said why on stderr.
        is_ready.await.unwrap_or_else(|_| Err(io::Error::other("its thread ended").into()))?;
        Ok(running)
    }

    fn crash(mut self) {
        if let Some(crash) = self.crash.take() {
            // Nobody hears it only if the process is gone already.
            let _ = crash.send(());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in the service has been printed by its thread, and shown as a lost target.
            let _ = thread.join();
        }
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

fn cannot_open(config: &ServiceConfig, source: OpenError) -> StartError {
    StartError::Store { stores: config.stores(), source }
}

/// Serves until all is stopped. A service that fails stops answering, which the race sees and reports.
async fn serve(service: OrderService, listener: TcpListener, mut stopped: watch::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    // The sender says nothing: it goes away.
    let shutdown = async move { while stopped.changed().await.is_ok() {} };
    let _ = service.serve(listener, shutdown).await;
}
