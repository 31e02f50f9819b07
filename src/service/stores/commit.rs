//! The point of no return: from when a database has been told to commit until it has said how that went, nobody knows
//! whether there was an effect.
//!
//! ```text
//! request ── read, judge, write ──────────── COMMIT ──────────── answer
//!            given up here: 503,             given up here: it may be applied;
//!            and nothing was applied         so nobody gives up here if it can be helped
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

tokio::task_local! {
    static COMMITTING: Arc<AtomicBool>;
}

/// Why work did not end within its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum GivenUp {
    /// It had not been told to commit: there is no effect.
    BeforeCommit,
    /// It had, and twice the time was not enough to hear how it went.
    DuringCommit,
}

/// Gives `work` its time, and as much again if it is committing when that is over.
pub(in super::super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, GivenUp> {
    let committing = Arc::new(AtomicBool::new(false));
    let mut work = Box::pin(COMMITTING.scope(Arc::clone(&committing), work));
    if let Ok(done) = timeout(limit, &mut work).await {
        return Ok(done);
    }
    if !committing.load(Ordering::Relaxed) {
        return Err(GivenUp::BeforeCommit);
    }
    timeout(limit, &mut work).await.map_err(|_| GivenUp::DuringCommit)
}

/// Says that a commit is about to be sent. A flag of this task alone: nothing is ordered by it.
pub(super) fn point_of_no_return() {
    // Outside a request nobody has a limit to keep.
    let _ = COMMITTING.try_with(|committing| committing.store(true, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    async fn commit_after(before: Duration, during: Duration) -> Result<(), GivenUp> {
        within(LIMIT, async move {
            sleep(before).await;
            point_of_no_return();
            sleep(during).await;
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_not_been_told_to_commit_is_given_up_at_the_limit() {
        assert_eq!(commit_after(LIMIT / 2, LIMIT / 4).await, Ok(()));
        assert_eq!(commit_after(LIMIT * 2, Duration::ZERO).await, Err(GivenUp::BeforeCommit));
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_under_way_is_waited_for_once_more() {
        assert_eq!(commit_after(LIMIT / 2, LIMIT).await, Ok(()));
        assert_eq!(commit_after(LIMIT / 2, LIMIT * 3).await, Err(GivenUp::DuringCommit));
    }
}
