//! The time limit of one request after another, on one timer.
//!
//! ```text
//! request   ▏1 ─▏ ▏2 ──▏ ▏3 ─▏            ▏7 ──────────────────── too long ─▏
//! timer     armed for 1 ─────────── fires: not 1 any more, armed for 7 ───── fires: it is 7
//! ```
//!
//! Arming a timer takes a lock and a place in the runtime's wheel. So it is armed again only after it has fired for a
//! request that was answered long ago: once in a limit, not once in a request.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::clock::{Clock, Stamp};

#[derive(Debug)]
pub(super) struct Deadline {
    clock: Clock,
    limit: Duration,
    timer: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    sleep: Pin<Box<Sleep>>,
    /// When the request began that the timer was armed for.
    since: Stamp,
}

impl Deadline {
    pub(super) const fn new(clock: Clock, limit: Duration) -> Self {
        Self { clock, limit, timer: None }
    }

    /// Ready when the request that began at `since` has lasted for the limit.
    pub(super) fn poll(&mut self, since: Stamp, cx: &mut Context<'_>) -> Poll<()> {
        let left = |this: &Self| this.limit.saturating_sub(this.clock.now().since(since));
        let mut armed = match self.timer.take() {
            Some(armed) => armed,
            None => Armed { sleep: Box::pin(tokio::time::sleep(left(self))), since },
        };
        let mut result = armed.sleep.as_mut().poll(cx);
        if result.is_ready() && armed.since != since {
            armed.since = since;
            armed.sleep.as_mut().reset(Instant::now() + left(self));
            result = armed.sleep.as_mut().poll(cx);
        }
        self.timer = Some(armed);
        result
    }

    /// Whether it has, by the clock: for one whose bytes come without a pause, so that no timer is ever asked.
    pub(super) fn is_over(&self, since: Stamp) -> bool {
        self.clock.now().since(since) > self.limit
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn is_over(deadline: &mut Deadline, since: Stamp) -> bool {
        poll_fn(|cx| Poll::Ready(deadline.poll(since, cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn each_request_has_the_whole_limit_though_the_timer_was_armed_for_another() {
        let clock = Clock::start();
        let mut deadline = Deadline::new(clock, LIMIT);
        let first = clock.now();
        assert!(!is_over(&mut deadline, first).await);
        tokio::time::advance(LIMIT + Duration::from_secs(1)).await;
        // The timer has fired, for the first one. The second began just now.
        let second = clock.now();
        assert!(!is_over(&mut deadline, second).await);
        poll_fn(|cx| deadline.poll(second, cx)).await;
        assert!(is_over(&mut deadline, second).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_lasts_ends_with_its_limit() {
        let clock = Clock::start();
        let mut deadline = Deadline::new(clock, LIMIT);
        let (began, since) = (Instant::now(), clock.now());
        poll_fn(|cx| deadline.poll(since, cx)).await;
        assert!(began.elapsed() >= Duration::from_secs(9));
    }
}
