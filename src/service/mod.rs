//! The reference order service: a food-delivery API that is correct by default, and wrong on request in exactly one
//! way. It is the yardstick that the harness is held against.
//!
//! ```text
//! routes ──► body, etag, idempotency, identity     what was asked, read from the wire
//!    │
//!    ├─────► actions, placing ──► transition ──► orders   read, judge (pure), write conditionally
//!    │                   └─────► stores                   whole atomic operations
//!    └─────► defects                                      the same with one mistake, if one was asked for
//! ```
//!
//! ```no_run
//! use quickeats_bench::service::{Defect, ServiceConfig, run};
//!
//! # async fn serve() -> std::io::Result<()> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let config = ServiceConfig {
//!     defect: Some(Defect::CheckThenSave),
//!     ..ServiceConfig::default()
//! };
//! run(listener, config, async {
//!     let _ = tokio::signal::ctrl_c().await;
//! })
//! .await
//! # }
//! ```

use std::io;
use std::sync::Arc;

use tokio::net::TcpListener;

mod access;
mod actions;
mod answer;
mod body;
mod config;
mod defect;
mod defects;
mod etag;
mod idempotency;
mod identity;
mod latency;
mod log;
mod metrics;
mod orders;
mod pause;
mod placing;
mod problem;
mod routes;
mod seeds;
mod server;
mod stores;
mod strategy;
mod transition;

pub use config::ServiceConfig;
pub use defect::{Defect, UnknownDefect, Unsuited};
pub use identity::Auth;
pub use latency::{Latency, LatencyRule, UnknownLatency};
pub use log::{LogLine, RequestLog};
pub use stores::{KeyStoreChoice, OpenError, PostgresUrl, RedisUrl, StoreChoice, UnknownKeyStore, UnknownStore};
pub use strategy::{Strategy, UnknownStrategy};

use access::{ActRules, Viewer};
use defects::Mistake;
use identity::{Believed, Principal, Role};
use metrics::Metrics;
use orders::{Action, Order, OrderId};
use problem::Problem;
use seeds::Seeds;
use stores::{Careless, Store};

/// Opens the store and serves the order API on `listener` until `shutdown` is done. Requests in flight are finished,
/// within [`ServiceConfig::shutdown_grace`].
///
/// # Errors
/// A store that cannot be opened; and a handler that panicked is reported at the end: the service goes on without it,
/// and its word is not to be trusted.
pub async fn run(
    listener: TcpListener,
    config: ServiceConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = OrderService::open(config).await.map_err(io::Error::other)?;
    service.serve(listener, shutdown).await
}

/// What lies outside of a service's process, and outlives it. Databases do; a store in memory stands for one, so that a crash
/// can be played without a database.
#[derive(Clone)]
pub struct Outside {
    memory: Option<Arc<dyn Careless>>,
}

impl Outside {
    /// What a service like this keeps outside.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub async fn of(config: &ServiceConfig) -> Result<Self, OpenError> {
        Ok(Self {
            memory: match config.store {
                StoreChoice::Memory => Some(config.store.open(config.retention).await?),
                StoreChoice::Sqlite(_) | StoreChoice::Postgres(_) => None,
            },
        })
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("memory", &self.memory.is_some()).finish()
    }
}

/// The service with its store open, for whoever wants to know that before it listens.
pub struct OrderService(Service);

impl OrderService {
    /// Opens the store, makes or migrates its schema, and loads [`seed_data`](ServiceConfig::seed_data).
    ///
    /// # Errors
    /// If the store cannot be opened; or if the service cannot be what it is [asked](ServiceConfig::check) to be.
    pub async fn open(config: ServiceConfig) -> Result<Self, OpenError> {
        config.check()?;
        let orders = config.store.open(config.retention).await?;
        Self::on(orders, config).await
    }

    /// Several services on one store, which share nothing else: what a load balancer stands before. Each has its own
    /// connections; a store in memory, which nobody connects to, is handed to all of them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_replicas(config: ServiceConfig, count: usize) -> Result<Vec<Self>, OpenError> {
        config.check()?;
        let outside = Outside::of(&config).await?;
        Self::open_on(&outside, config, count).await
    }

    /// The same, on what an earlier process left behind.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_on(outside: &Outside, config: ServiceConfig, count: usize) -> Result<Vec<Self>, OpenError> {
        config.check()?;
        let mut replicas = Vec::with_capacity(count);
        for _ in 0..count {
            let orders = match &outside.memory {
                Some(shared) => Arc::clone(shared),
                None => config.store.open(config.retention).await?,
            };
            replicas.push(Self::on(orders, config.clone()).await?);
        }
        Ok(replicas)
    }

    async fn on(orders: Arc<dyn Careless>, config: ServiceConfig) -> Result<Self, OpenError> {
        let store = if config.defect.is_some_and(defects::keeps_keys_in_the_process) {
            stores::with_keys_in_this_process(orders)
        } else {
            config.key_store.open(orders).await?
        };
        if config.seed_data > 0 {
            let loaded = store.load(Seeds::new(config.seed_data)).await;
            loaded.map_err(|error| OpenError::Database(error.to_string()))?;
        }
        let mistaken = config.defect.map(|defect| defects::make(defect, store.clone(), config.defect_window));
        let access = mistaken.as_ref().map_or(ActRules::SOUND, |mistaken| mistaken.access());
        Ok(Self(Service {
            config,
            store,
            access,
            mistaken,
            believed: Believed::default(),
            metrics: Metrics::default(),
        }))
    }

    /// Serves until `shutdown` is done: see [`run`].
    ///
    /// # Errors
    /// If a handler panicked.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let config = &self.0.config;
        let limits = server::Limits {
            connections: config.connection_limit.max(1),
            head_bytes: config.head_limit.max(8192),
            head: config.head_timeout,
            // No request works on an order that is forgotten meanwhile.
            request: config.retention.map_or(config.request_timeout, |kept| kept.min(config.request_timeout)),
            grace: config.shutdown_grace,
        };
        let log = config.log.clone();
        server::serve(listener, routes::router(self.0), limits, log, shutdown).await
    }
}

/// What all requests share.
struct Service {
    config: ServiceConfig,
    store: Arc<dyn Store>,
    access: ActRules,
    mistaken: Option<Box<dyn Mistake>>,
    believed: Believed,
    metrics: Metrics,
}

impl Service {
    /// The current version of an order, or the problem that there is none.
    async fn read(&self, id: OrderId) -> Result<Arc<Order>, Problem> {
        self.store.order(id).await?.ok_or_else(|| Problem::not_found("this order"))
    }

    /// Refuses a caller who has not the role for something. With authentication off everyone has every role.
    fn demand(&self, caller: &Principal, role: Role) -> Result<(), Problem> {
        if self.config.auth.is_off() || access::has_role(caller, role) { Ok(()) } else { Err(Problem::forbidden(role)) }
    }

    /// Whose orders `caller` may see.
    fn viewer(&self, caller: &Principal) -> Viewer {
        if self.config.auth.is_off() { Viewer::Everyone } else { Viewer::of(caller) }
    }

    /// An order that `caller` may see. Another one does not exist.
    async fn read_as(&self, id: OrderId, caller: &Principal) -> Result<Arc<Order>, Problem> {
        let order = self.read(id).await?;
        self.show(order, caller)
    }

    fn show(&self, order: Arc<Order>, caller: &Principal) -> Result<Arc<Order>, Problem> {
        if self.viewer(caller).sees(&order) { Ok(order) } else { Err(Problem::not_found("this order")) }
    }

    /// Refuses a caller who may not see an order. Takes a look at it only if there is somebody to refuse.
    async fn check_sight(&self, id: OrderId, caller: &Principal) -> Result<(), Problem> {
        match self.viewer(caller) {
            Viewer::Everyone => Ok(()),
            Viewer::Customer(_) | Viewer::Restaurant(_) | Viewer::Rider(_) => self.read_as(id, caller).await.map(drop),
        }
    }

    /// An order that `caller` may act on. Another one does not exist, and a wrong role is refused before anything else.
    async fn read_to_act(&self, id: OrderId, caller: &Principal, action: Action) -> Result<Arc<Order>, Problem> {
        let open = self.config.auth.is_off();
        if !open && !(self.access.may_try)(caller, action) {
            return Err(Problem::forbidden(access::role_for(action)));
        }
        let order = self.read(id).await?;
        if open || (self.access.may_act)(caller, action, &order) {
            Ok(order)
        } else {
            Err(Problem::not_found("this order"))
        }
    }
}
