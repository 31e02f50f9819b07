//! Mistakes in reading.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::Service;
use super::super::identity::Principal;
use super::super::orders::{Order, OrderId};
use super::{Means, Mistake, Reading};

/// How long an order is answered from the cache, without an added window.
const LIFE: Duration = Duration::from_millis(50);
/// Which of the reads that could be answered from the cache goes past it.
const PAST: u64 = 4;
/// From how many orders on those that are too old are cleared out.
const MANY: usize = 10_000;

/// `stale-reads`: `GET` of one order is answered from a cache of the process that nobody tells of writes. Every fourth
/// read goes past it (as behind a load balancer, of whose servers one has no cache), so that a client may see the order
/// go back to what it was.
///
/// ```text
/// read: v1, kept ── action: v2 ── read: v1 ── read: v1 ── read: v1 ── read: v2 ── read: v1 ┄ 50 ms later ┄ read: v2
/// ```
///
/// What is cached is whole: the tag is the one of the content. Actions, lists, ledgers and histories are the store's.
pub(super) struct StaleReads {
    cached: Mutex<HashMap<OrderId, Cached>>,
    life: Duration,
}

struct Cached {
    order: Arc<Order>,
    since: Instant,
    asked: u64,
}

impl StaleReads {
    pub(super) fn new(means: &Means) -> Self {
        Self { cached: Mutex::default(), life: LIFE + means.window }
    }

    /// Every entry is whole at any time, so that a panic elsewhere leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the cache says of an order: an answer, or that the store is to be asked, and whether to keep what it says.
    fn look_up(&self, id: OrderId, now: Instant) -> Cache {
        match self.lock().get_mut(&id) {
            Some(cached) if now.duration_since(cached.since) < self.life => {
                cached.asked += 1;
                if cached.asked.is_multiple_of(PAST) { Cache::Passed } else { Cache::Hit(Arc::clone(&cached.order)) }
            }
            Some(_) | None => Cache::Miss,
        }
    }

    fn keep(&self, order: &Arc<Order>, now: Instant) {
        let mut cached = self.lock();
        if cached.len() >= MANY {
            cached.retain(|_, cached| now.duration_since(cached.since) < self.life);
        }
        cached.insert(order.id, Cached { order: Arc::clone(order), since: now, asked: 0 });
    }
}

enum Cache {
    Hit(Arc<Order>),
    Miss,
    Passed,
}

impl Mistake for StaleReads {
    fn read<'a>(&'a self, service: &'a Service, id: OrderId, caller: &'a Principal) -> Reading<'a> {
        Box::pin(async move {
            let now = Instant::now();
            let order = match self.look_up(id, now) {
                Cache::Hit(order) => order,
                Cache::Passed => service.read(id).await?,
                Cache::Miss => {
                    let order = service.read(id).await?;
                    self.keep(&order, now);
                    order
                }
            };
            service.show(order, caller)
        })
    }
}
