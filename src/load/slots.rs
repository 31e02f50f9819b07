//! When the clients of one thread begin their requests, and the book that is kept of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::pace::Pacer;
use crate::clock::{Clock, Stamp};
use crate::measure::{Ended, Meter, Sample, Spans};
use crate::race::Stop;
use crate::traffic::Arrivals;

/// A request's turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// When it is meant to begin; `None` if that is when it does.
    pub(super) intended: Option<Stamp>,
}

/// What one thread measured since it was last asked.
#[derive(Debug, Default)]
pub struct Interval {
    /// Which thread.
    pub thread: u32,
    /// Of requests that were meant to begin after the warm-up.
    pub measured: Meter,
    /// Of those before.
    pub warm_up: Meter,
    /// How late the thread was when it was to do something at a moment and nothing else was in the way.
    pub lag: Spans,
    /// When it ended.
    pub until: Stamp,
    /// How long the thread has been at work since it began.
    pub cpu: Duration,
}

/// A request under way. Where nobody hears what comes of it, since its client is given up meanwhile, it is counted all the same: it may
/// have taken effect.
pub(super) struct UnderWay<'a> {
    slots: &'a Slots,
    slot: Slot,
    opened: Stamp,
    label: usize,
    is_conditional: bool,
}

impl UnderWay<'_> {
    /// What came of it is known, or known not to be known: whoever calls this counts it.
    pub(super) fn end(self) {
        std::mem::forget(self);
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let (intended, now) = (self.slot.intended.unwrap_or(self.opened), self.slots.clock.now());
        let sample = Sample {
            label: self.label,
            from_intended: now.since(intended),
            from_actual: now.since(self.opened),
            ended: Ended::Unknown,
            is_error: true,
            // As long as that, and longer.
            timed_out: true,
            status: None,
            achieved: false,
            conditional: self.is_conditional,
            stale: false,
            abreast: 0,
        };
        self.slots.record(intended, &sample);
    }
}

/// Hands out turns to the clients of one thread.
pub(super) struct Slots {
    pub(super) thread: u32,
    pub(super) clock: Clock,
    pub(super) pacer: Rc<Pacer>,
    pub(super) stop: Stop,
    /// When the load begins, and from when on it is measured.
    pub(super) begin: Stamp,
    pub(super) measured_from: Stamp,
    /// When no more turns are handed out in a closed load.
    pub(super) end: Option<Stamp>,
    /// How many are left, over all threads, if that is limited.
    pub(super) budget: Option<Arc<AtomicU64>>,
    /// The turns of an open load.
    pub(super) arrivals: RefCell<Option<Arrivals>>,
    /// A turn that cannot begin within this time is given up.
    pub(super) patience: Duration,
    pub(super) interval: RefCell<Interval>,
    pub(super) closing: Cell<bool>,
}

impl Slots {
    /// Waits for the next turn. `None` when there is none any more.
    pub(super) async fn next(&self, think: Option<Duration>) -> Option<Slot> {
        if let Some(think) = think.filter(|think| !think.is_zero()) {
            let moment = after(self.clock.now(), think);
            // Who would think beyond the end has no turn any more.
            let end = self.end.filter(|end| *end <= moment);
            self.sleep(end.unwrap_or(moment)).await?;
        }
        if self.stop.is_asked() {
            return None;
        }
        let is_open = self.arrivals.borrow().is_some();
        if is_open { self.arrival().await } else { self.turn() }
    }

    fn turn(&self) -> Option<Slot> {
        let is_over = self.end.is_some_and(|end| self.clock.now() >= end);
        (!is_over && self.take_from_budget()).then_some(Slot { intended: None })
    }

    async fn arrival(&self) -> Option<Slot> {
        loop {
            let offset = self.arrivals.borrow_mut().as_mut()?.next()?;
            if !self.take_from_budget() {
                return None;
            }
            let intended = after(self.begin, offset);
            let now = self.clock.now();
            if now < intended {
                // Whoever is stopped while it waits had no turn: its time had not come.
                self.sleep(intended).await?;
                self.interval.borrow_mut().lag.record(self.clock.now().since(intended));
                return Some(Slot { intended: Some(intended) });
            }
            if now.since(intended) <= self.patience {
                return Some(Slot { intended: Some(intended) });
            }
            self.drop_slot(intended);
        }
    }

    /// Whether another request may be sent.
    pub(super) fn take_from_budget(&self) -> bool {
        let Some(budget) = &self.budget else { return true };
        budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// `None` if the load is stopped meanwhile.
    async fn sleep(&self, moment: Stamp) -> Option<()> {
        tokio::select! {
            biased;
            () = self.pacer.until(moment) => Some(()),
            () = self.stop.asked() => None,
        }
    }

    fn drop_slot(&self, intended: Stamp) {
        let mut interval = self.interval.borrow_mut();
        if intended < self.measured_from {
            interval.warm_up.drop_slot();
        } else {
            interval.measured.drop_slot();
        }
    }

    /// Turns whose time came, and that nobody took before the load was stopped.
    pub(super) fn give_up_the_rest(&self) {
        let now = self.clock.now();
        while let Some(offset) = self.arrivals.borrow_mut().as_mut().and_then(Iterator::next) {
            let intended = after(self.begin, offset);
            if intended > now || !self.take_from_budget() {
                return;
            }
            self.drop_slot(intended);
        }
    }

    /// Notes that a request of this kind goes out.
    pub(super) const fn under_way(
        &self,
        slot: Slot,
        opened: Stamp,
        label: usize,
        is_conditional: bool,
    ) -> UnderWay<'_> {
        UnderWay { slots: self, slot, opened, label, is_conditional }
    }

    /// Counts a request. Returns whether it is one that is measured.
    pub(super) fn record(&self, began: Stamp, sample: &Sample) -> bool {
        if self.closing.get() {
            return false; // What winds the load up is no part of it.
        }
        let mut interval = self.interval.borrow_mut();
        let is_measured = began >= self.measured_from;
        if is_measured {
            interval.measured.record(sample);
        } else {
            interval.warm_up.record(sample);
        }
        is_measured
    }

    /// Counts how a change went that may have been tried more than once.
    pub(super) fn record_tries(&self, tries: usize, is_done: bool) {
        let is_measured = self.clock.now() >= self.measured_from;
        let mut interval = self.interval.borrow_mut();
        let meter = if is_measured { &mut interval.measured } else { &mut interval.warm_up };
        if is_done {
            meter.done_after(tries);
        } else {
            meter.given_up += 1;
        }
    }
}

/// The moment `span` after `moment`.
pub(super) fn after(moment: Stamp, span: Duration) -> Stamp {
    Stamp::from_nanos(moment.nanos().saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
}
