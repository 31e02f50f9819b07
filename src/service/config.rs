//! What a service is asked to be.

use std::time::Duration;

use super::defect::Unsuited;
use super::{Auth, Defect, KeyStoreChoice, Latency, RequestLog, StoreChoice, Strategy};

/// How the service behaves. The default is sound.
#[derive(Clone, Debug)]
pub struct ServiceConfig {
    /// Where orders are kept.
    pub store: StoreChoice,
    /// Where idempotency keys are kept.
    pub key_store: KeyStoreChoice,
    /// How contenders for one order are kept apart.
    pub strategy: Strategy,
    /// Whether callers must prove who they are.
    pub auth: Auth,
    /// The one mistake to make; none: no mistake.
    pub defect: Option<Defect>,
    /// How much wider than it naturally is the gap between check and act becomes, for a defect that has one.
    pub defect_window: Duration,
    /// How long actions take before they reach the store. Part of the time that a [request](Self::request_timeout) may take.
    pub latency: Latency,
    /// How many orders, restaurants and riders to load at start.
    pub seed_data: u32,
    /// How long the answer to an idempotency key is kept.
    pub idempotency_ttl: Duration,
    /// How long a claim on an idempotency key lasts if its holder is never heard of again. Longer than
    /// [`request_timeout`](Self::request_timeout), so that no request outlives its claim.
    pub idempotency_lease: Duration,
    /// How long an order is remembered that nobody changes, with its ledger, its events and the idempotency keys whose answers tell of
    /// it; then it is forgotten, at the latest when as many orders have been written as there were, and whoever asks for it hears 404.
    /// None: as long as the store keeps it. For a store in memory alone, with the keys in it. No request takes longer.
    pub retention: Option<Duration>,
    /// Where a line about every request goes; none: nowhere.
    pub log: Option<RequestLog>,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// The largest head of a request, in bytes; 8192 at least. A larger one is refused with 431.
    pub head_limit: usize,
    /// How many connections are served at once. Whoever comes then waits to be let in.
    pub connection_limit: usize,
    /// How long a connection may take over the head of its next request, waiting for it included.
    pub head_timeout: Duration,
    /// How long a request may take, from the end of its head to the start of its answer.
    pub request_timeout: Duration,
    /// How long requests in flight may take to finish once the service is told to stop.
    pub shutdown_grace: Duration,
}

impl ServiceConfig {
    /// The stores as they are typed on a command line, without passwords: what an error about them names.
    pub fn stores(&self) -> String {
        match &self.key_store {
            KeyStoreChoice::Same => format!("--store {}", self.store),
            keys @ KeyStoreChoice::Redis(_) => format!("--store {} --idempotency-store {keys}", self.store),
        }
    }

    /// Whether the service can make the mistake that it is to make, and forget orders as it is to.
    ///
    /// # Errors
    /// If the mistake could not show in a service like this; or if it keeps orders where it does not forget them.
    pub fn check(&self) -> Result<(), Unsuited> {
        let forgets = matches!((&self.store, &self.key_store), (StoreChoice::Memory, KeyStoreChoice::Same));
        match self.retention {
            Some(Duration::ZERO) => return Err(Unsuited::NoTime),
            Some(_) if !forgets => return Err(Unsuited::KeptElsewhere),
            Some(_) | None => {}
        }
        self.defect.map_or(Ok(()), |defect| defect.suits(self))
    }
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            store: StoreChoice::Memory,
            key_store: KeyStoreChoice::Same,
            strategy: Strategy::Optimistic,
            auth: Auth::Off,
            defect: None,
            defect_window: Duration::ZERO,
            latency: Latency::default(),
            seed_data: 0,
            idempotency_ttl: Duration::from_hours(24),
            idempotency_lease: Duration::from_mins(1),
            retention: None,
            log: None,
            body_limit: 64 * 1024,
            head_limit: 16 * 1024,
            connection_limit: 1024,
            head_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(5),
        }
    }
}
