//! Mistakes in what is written down about an order: its history, and the numbers of its versions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::super::Service;
use super::super::actions::{self, ActionRequest, Conduct, refuse};
use super::super::answer::Answer;
use super::super::idempotency::{self, Claim};
use super::super::orders::{Order, OrderId};
use super::super::problem::Problem;
use super::super::transition::{Change, Refusal};
use super::{Answering, Means, Mistake, Turns};

/// Which of the transitions leaves no event.
const LOST: u64 = 3;

/// `lost-event`: events are somebody else's business (a queue's, a log's), and every third one of a process does not come
/// through.
#[derive(Default)]
pub(super) struct LostEvent(Turns);

impl Conduct for LostEvent {
    fn to_write(&self, change: Change) -> Change {
        if self.0.is_every(LOST) { Change { event: None, ..change } } else { change }
    }
}

/// `version-skips`: the number of the next version is drawn from a counter as soon as the order has been looked at. Whoever
/// is then too late has drawn one, too, and nobody else gets it.
///
/// ```text
/// one     look: v2 ── draw 3 ──────────── v2→v3? no: 412
/// other       look: v2 ── draw 4 ── v2→v4 ── 200             there is no version 3
/// ```
///
/// The counter is the process's own, and numbers only: that the order is still at the version that was looked at is the
/// condition of the write, as ever. Alone with an order one draws the number after its version.
pub(super) struct VersionSkips {
    means: Means,
    drawn: Counters,
}

#[derive(Default)]
struct Counters(Mutex<HashMap<OrderId, u64>>);

impl Counters {
    fn draw(&self, order: &Order) -> u64 {
        // A number is drawn in one step: there is no half of it for a panic to leave behind.
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.entry(order.id).or_default();
        *last = order.version.max(*last) + 1;
        *last
    }
}

/// An action whose number was drawn when the order was looked at.
struct Drawn<'a> {
    counters: &'a Counters,
    at_version: u64,
    number: u64,
}

impl Conduct for Drawn<'_> {
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        let change = request.plan(order)?;
        let number = if order.version == self.at_version { self.number } else { self.counters.draw(order) };
        Ok(change.numbered(number))
    }
}

impl VersionSkips {
    pub(super) fn new(means: Means) -> Self {
        Self { means, drawn: Counters::default() }
    }

    async fn draw_then_act(&self, service: &Service, request: &ActionRequest, claim: Claim) -> Result<Answer, Problem> {
        let order = service.read(request.order).await?;
        if let Err(refusal) = request.plan(&order) {
            return refuse(refusal, &order, claim).await;
        }
        let drawn = Drawn { counters: &self.drawn, at_version: order.version, number: self.drawn.draw(&order) };
        self.means.gap().await;
        actions::act(&drawn, service, request, claim).await
    }
}

impl Mistake for VersionSkips {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                self.draw_then_act(service, &request, claim)
            })
            .await
        })
    }
}
