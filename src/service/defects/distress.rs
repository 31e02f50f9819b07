//! Mistakes that show only in company: alone with an order, nobody notices.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::json;

use super::super::Service;
use super::super::actions::{self, ActionRequest, Conduct};
use super::super::answer::Answer;
use super::super::idempotency;
use super::super::orders::{Action, OrderId};
use super::super::stores::{Locked, Reply, Sequence};
use super::{Answering, Means, Mistake};

/// `error-after-commit`: what a service does after its commit (tell others, refresh a cache) fails if somebody else has
/// been at the order meanwhile, and the answer to what was done is 500. It is stored under the key as it should be: a
/// retry hears the truth.
pub(super) struct ErrorAfterCommit {
    means: Means,
    crowd: Crowd,
}

impl ErrorAfterCommit {
    pub(super) fn new(means: Means) -> Self {
        Self { means, crowd: Crowd::default() }
    }
}

impl Mistake for ErrorAfterCommit {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            let visit = self.crowd.enter(request.order);
            self.means.gap().await;
            let answer = actions::perform(service, &request).await?;
            let did_it = answer.status().is_success() && !answer.is_replayed();
            Ok(if did_it && visit.was_in_company() { broken() } else { answer })
        })
    }
}

/// What a framework answers for a handler that threw.
fn broken() -> Answer {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let body = json!({"type": "about:blank", "title": "Internal Server Error", "status": status.as_u16()});
    Answer::typed(status, "application/problem+json", &body)
}

/// Who is at which order, within this process.
#[derive(Default)]
struct Crowd(Mutex<HashMap<OrderId, Present>>);

#[derive(Default)]
struct Present {
    now: usize,
    /// How many have come since somebody has been there.
    ever: u64,
}

/// Somebody is at an order until this is dropped.
struct Visit<'a> {
    crowd: &'a Crowd,
    order: OrderId,
    /// Who came, this one included.
    came: u64,
    alone: bool,
}

impl Crowd {
    fn enter(&self, order: OrderId) -> Visit<'_> {
        let mut orders = self.lock();
        let present = orders.entry(order).or_default();
        present.now += 1;
        present.ever += 1;
        Visit { crowd: self, order, came: present.ever, alone: present.now == 1 }
    }

    /// Counts are whole after every step, so that a panic elsewhere leaves nothing half-done.
    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, Present>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visit<'_> {
    /// Whether somebody else was there at any moment of this visit.
    fn was_in_company(&self) -> bool {
        let came_since = self.crowd.lock().get(&self.order).is_some_and(|present| present.ever > self.came);
        !self.alone || came_since
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut present) = self.crowd.lock().entry(self.order) {
            present.get_mut().now -= 1;
            if present.get().now == 0 {
                present.remove();
            }
        }
    }
}

/// `deadlock`: who acts on an order locks its restaurant, too. Customers and riders come from the order, restaurants from
/// themselves, and each locks first what it comes from.
///
/// ```text
/// cancellation   lock order ────────── lock restaurant ┄┄┄┄ waits for the acceptance
/// acceptance         lock restaurant ────── lock order ┄┄┄┄ waits for the cancellation
/// ```
///
/// Locks are taken whatever the strategy is. In memory a lock that does not come in 100 ms is given up (503); PostgreSQL
/// sees after a second that two wait for each other, and refuses one of them (503). SQLite has one lock, and what comes to
/// the same there is two transactions that read, and then want it: one is refused at once (503).
pub(super) struct Deadlock(pub(super) Means);

impl Conduct for Deadlock {
    fn lock<'a>(&'a self, _: &'a Service, request: &'a ActionRequest) -> Reply<'a, Option<Box<dyn Locked>>> {
        let sequence = match request.command.action() {
            Action::Payment | Action::Cancellation | Action::Pickup | Action::Delivery => Sequence::OrderFirst,
            Action::Rejection | Action::Acceptance | Action::PreparationComplete => Sequence::RestaurantFirst,
        };
        self.0.store.lock_both(request.order, &request.seen.restaurant, sequence, Box::pin(self.0.gap()))
    }
}

impl Mistake for Deadlock {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                actions::pessimistic(self, service, &request, claim)
            })
            .await
        })
    }
}
