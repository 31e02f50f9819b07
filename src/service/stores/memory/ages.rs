//! How long nobody has changed an order: which of them are to be forgotten next.
//!
//! ```text
//! spans    |  12  |  13  |  14  | … |  77  |       each a 64th of the time that an order is kept
//! orders     a b            c           d
//!          ^ over: a and b are looked at. Changed since? then on to the span of the last change; else forgotten
//! ```
//!
//! An order stands in one span, and a change does not move it: it moves when its span is over. So a change costs nothing, and
//! each look either forgets an order or finds that it was changed within the time just past.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::super::super::orders::OrderId;

/// How exactly the time is kept: an order is forgotten so much of it late, at most.
const SPANS: u32 = 64;

#[derive(Debug)]
pub(super) struct Ages {
    kept: Duration,
    span: Duration,
    start: Instant,
    /// By the number of the span, counted from the start. None of them is empty.
    spans: BTreeMap<u128, Vec<OrderId>>,
}

impl Ages {
    /// Orders are kept for so long after their last change.
    pub(super) fn new(kept: Duration) -> Self {
        let span = (kept / SPANS).max(Duration::from_nanos(1));
        Self { kept, span, start: Instant::now(), spans: BTreeMap::new() }
    }

    /// How long orders are kept.
    pub(super) const fn kept(&self) -> Duration {
        self.kept
    }

    /// An order, and when it was changed last.
    pub(super) fn add(&mut self, id: OrderId, changed: Instant) {
        self.spans.entry(self.number(changed)).or_default().push(id);
    }

    /// Takes out an order that was added long enough ago. It may have been changed since.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<OrderId> {
        let mut oldest = self.spans.first_entry()?;
        let over = now.saturating_duration_since(self.start).checked_sub(self.kept)?;
        if self.span.as_nanos() * (oldest.key() + 1) > over.as_nanos() {
            return None;
        }
        let id = oldest.get_mut().pop();
        if oldest.get().is_empty() {
            oldest.remove();
        }
        id
    }

    /// Whether an order that was changed then has had its time.
    pub(super) fn is_over(&self, changed: Instant, now: Instant) -> bool {
        now.saturating_duration_since(changed) >= self.kept
    }

    fn number(&self, at: Instant) -> u128 {
        at.saturating_duration_since(self.start).as_nanos() / self.span.as_nanos()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const KEPT: Duration = Duration::from_secs(64);

    fn id(number: u128) -> OrderId {
        OrderId::new(Uuid::from_u128(number))
    }

    fn due(ages: &mut Ages, now: Instant) -> Vec<OrderId> {
        std::iter::from_fn(|| ages.take_due(now)).collect()
    }

    #[test]
    fn an_order_is_due_when_its_time_is_over_and_at_most_a_64th_of_it_later() {
        let mut ages = Ages::new(KEPT);
        let at = |seconds: f64| ages.start + Duration::from_secs_f64(seconds);
        let (added, early, late) = (at(10.2), at(74.1), at(75.3));
        ages.add(id(1), added);
        assert_eq!(due(&mut ages, early), []);
        assert_eq!(due(&mut ages, late), [id(1)]);
        assert_eq!(due(&mut ages, late), []);
        assert!(ages.is_over(added, late) && !ages.is_over(added, early));
    }

    #[test]
    fn whatever_is_added_later_is_due_later_and_empty_spans_are_not_kept() {
        let mut ages = Ages::new(KEPT);
        let start = ages.start;
        for second in 0..200 {
            ages.add(id(second.into()), start + Duration::from_secs(second));
        }
        let now = start + Duration::from_secs(164);
        let first = due(&mut ages, now);
        assert_eq!(first, (0..100).map(id).collect::<Vec<_>>());
        assert_eq!(ages.spans.len(), 100);
    }
}
