//! Waiting as long as was asked for, and not until the next tick of a timer.
//!
//! tokio's timers have ticks of a millisecond, and so has the system call behind them: a sleep of 50 µs ends after one or two
//! milliseconds. What is asked to last 50 µs here has to, since which mistakes show depends on it.
//!
//! ```text
//! asked for   |------------------- 5 ms -------------------|
//! asleep      |--------- 3 ms ---------|┄┄┄┄|
//! in turn                                   ·─·─·─·─·─·─·─·| others run between
//! ```

use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::sleep;

/// How much later than asked a sleep may end on an idle machine: a tick of the timer, and one of the system call.
const TICKS: Duration = Duration::from_millis(2);

/// Waits for `length`: never less, and on a machine with a core to spare hardly more. The last two milliseconds are spent
/// in asking again and again whether it is time, with whoever else has work to do let through in between; so a core is
/// busy meanwhile, and a thread is never blocked.
pub(super) async fn pause(length: Duration) {
    // A moment that no clock can tell is too far away to be waited for exactly.
    let Some(end) = Instant::now().checked_add(length) else { return sleep(length).await };
    if let Some(asleep) = length.checked_sub(TICKS).filter(|asleep| !asleep.is_zero()) {
        sleep(asleep).await;
    }
    take_turns_until(end).await;
}

async fn take_turns_until(end: Instant) {
    while Instant::now() < end {
        yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pause_lasts_at_least_as_long_as_was_asked_for() {
        for micros in [0, 1, 50, 200, 1_000, 2_000, 2_001, 5_000] {
            let length = Duration::from_micros(micros);
            let begun = Instant::now();
            pause(length).await;
            assert!(begun.elapsed() >= length, "{length:?}");
        }
    }

    /// On one thread: the other task gets to its end only if it is let through.
    #[tokio::test]
    async fn others_are_let_through() {
        let waiting = tokio::spawn(take_turns_until(Instant::now() + Duration::from_mins(1)));
        let other = tokio::spawn(async {
            for _ in 0..10 {
                yield_now().await;
            }
        });
        other.await.expect("it cannot fail");
        assert!(!waiting.is_finished());
        waiting.abort();
    }
}
