//! A client that sends one request over and over, and judges nothing: for comparison with other load generators.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::client::sample;
use super::slots::{Slots, after};
use crate::history::{Meaning, Outcome, Reply};
use crate::measure::{Ended, Sample};
use crate::target::{Failure, Persistent, Prepared};

/// How long a client waits that found no connection.
const BREATH: Duration = Duration::from_millis(20);

/// One client.
pub(super) struct PlainClient {
    pub(super) slots: Rc<Slots>,
    pub(super) line: Persistent,
    pub(super) request: Arc<Prepared>,
    pub(super) achieved: Rc<Cell<u64>>,
}

impl PlainClient {
    /// Takes turns until there are no more.
    pub(super) async fn run(&mut self) {
        while let Some(slot) = self.slots.next(None).await {
            let under_way = self.slots.under_way(slot, self.slots.clock.now(), 0, false);
            let brief = self.line.ask(&self.request).await;
            under_way.end();
            let window = brief.window;
            let outcome = match brief.result {
                Ok(reply) if reply.status < 400 => Outcome::Answered(Reply::new(reply.status, Meaning::Applied)),
                // Nothing is to be known of it but its status: also of a 5xx.
                Ok(reply) => Outcome::Answered(Reply::new(reply.status, Meaning::Refused)),
                Err(Failure::NotSent(cause)) => Outcome::NotSent(cause),
                Err(Failure::Unknown(cause)) => Outcome::Unknown(cause),
            };
            let sample = sample(slot, window.opened, window.closed, &outcome);
            let is_refused = sample.ended == Ended::Answered && !sample.achieved;
            let sample = Sample { is_error: sample.is_error || is_refused, ..sample };
            self.achieved.set(self.achieved.get() + u64::from(sample.achieved));
            self.slots.record(slot.intended.unwrap_or(window.opened), &sample);
            if matches!(outcome, Outcome::NotSent(_)) {
                self.slots.pacer.until(after(self.slots.clock.now(), BREATH)).await;
            }
        }
    }
}
