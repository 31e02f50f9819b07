//! A cap on how many requests a race makes in a second, on average: so that a server that others use is not worn down.
//!
//! A round is begun as soon as all that was made before it is paid for, and its volley goes as one: spread out, it would be no
//! race. Rounds side by side are paid for as they end.

use std::time::Duration;

use tokio::time::Instant;

/// The most requests in a second, on average; `None` is no cap.
#[derive(Debug)]
pub(super) struct Cap {
    per_second: Option<f64>,
    /// When all that was made is paid for.
    paid: Option<Instant>,
}

impl Cap {
    pub(super) const fn new(per_second: Option<f64>) -> Self {
        Self { per_second, paid: None }
    }

    /// When another round may begin, if not now.
    pub(super) fn opens(&self, now: Instant) -> Option<Instant> {
        self.paid.filter(|paid| *paid > now)
    }

    /// Takes note of `requests` that were made. What was not used up before is lost: no burst makes up for a pause.
    pub(super) fn spend(&mut self, requests: usize, begun: Instant) {
        let Some(per_second) = self.per_second else { return };
        let count = f64::from(u32::try_from(requests).unwrap_or(u32::MAX));
        // A cap so low that nothing would ever be paid for waits for years: the deadline comes before.
        let price = Duration::try_from_secs_f64(count / per_second).unwrap_or(Duration::from_hours(24 * 365));
        self.paid = Some(self.paid.map_or(begun, |paid| paid.max(begun)) + price);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_paid_for_one_after_the_other_and_pauses_are_not_saved_up() {
        let begun = Instant::now();
        let mut cap = Cap::new(Some(10.0));
        assert_eq!(cap.opens(begun), None);
        cap.spend(5, begun);
        cap.spend(5, begun);
        assert_eq!(cap.opens(begun), Some(begun + Duration::from_secs(1)));
        let later = begun + Duration::from_secs(30);
        assert_eq!(cap.opens(later), None);
        cap.spend(10, later);
        assert_eq!(cap.opens(later), Some(later + Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_cap_nothing_waits_and_an_absurd_one_does_not_panic() {
        let now = Instant::now();
        let mut none = Cap::new(None);
        none.spend(1_000_000, now);
        assert_eq!(none.opens(now), None);
        let mut tiny = Cap::new(Some(f64::MIN_POSITIVE));
        tiny.spend(1_000, now);
        assert!(tiny.opens(now).is_some());
    }
}
