//! Orders that somebody is working on, within this process: others wait, the same key does not.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::super::idempotency::CallerKey;
use super::super::orders::OrderId;

#[derive(Default)]
pub(super) struct Reservations {
    held: Mutex<HashMap<OrderId, Hold>>,
    released: Notify,
}

struct Hold {
    /// None for a request without a key, which shares its hold with nobody.
    by: Option<Arc<CallerKey>>,
    times: usize,
}

/// An order is held until this is dropped.
pub(super) struct Reserved {
    all: Arc<Reservations>,
    order: OrderId,
}

impl Reservations {
    /// Waits until `order` is free, or held by the same key.
    pub(super) async fn reserve(self: &Arc<Self>, order: OrderId, by: Option<Arc<CallerKey>>) -> Reserved {
        loop {
            // Made before the look, so that a release between look and wait is not missed.
            let released = self.released.notified();
            if self.take(order, by.as_ref()) {
                return Reserved { all: Arc::clone(self), order };
            }
            released.await;
        }
    }

    fn take(&self, order: OrderId, by: Option<&Arc<CallerKey>>) -> bool {
        match self.lock().entry(order) {
            Entry::Vacant(free) => {
                free.insert(Hold { by: by.cloned(), times: 1 });
                true
            }
            Entry::Occupied(mut held) => {
                let own = by.is_some() && held.get().by.as_ref() == by;
                held.get_mut().times += usize::from(own);
                own
            }
        }
    }

    /// A count of holds is whole after every step, so that a panic elsewhere leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, Hold>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Entry::Occupied(mut held) = self.all.lock().entry(self.order) {
            held.get_mut().times -= 1;
            if held.get().times == 0 {
                held.remove();
            }
        }
        self.all.released.notify_waiters();
    }
}
