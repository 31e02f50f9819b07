//! How far a request has come: how many statements it has sent, and whether it is past the point of no return. From when a database has been told to commit until it has said how that went, nobody knows
//! whether there was an effect.
//!
//! ```text
//! request ── read, judge, write ──────────── COMMIT ──────────── answer
//!            given up here: 503,             given up here: it may be applied;
//!            and nothing was applied         so nobody gives up here if it can be helped
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::timeout;

/// What a request's stores have noted. Of one task alone: nothing is ordered by it.
#[derive(Debug, Default)]
struct Progress {
    committing: AtomicBool,
    statements: AtomicU32,
}

tokio::task_local! {
    static PROGRESS: Arc<Progress>;
}

/// What came of a request, and what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Watched<T> {
    pub(in super::super) ended: Result<T, GivenUp>,
    /// How many SQL statements were sent, those that begin and end a transaction left out.
    pub(in super::super) statements: u32,
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
pub(in super::super) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Watched<T> {
    let progress = Arc::new(Progress::default());
    let mut work = Box::pin(PROGRESS.scope(Arc::clone(&progress), work));
    let ended = match timeout(limit, &mut work).await {
        Ok(done) => Ok(done),
        Err(_) if progress.committing.load(Ordering::Relaxed) => {
            timeout(limit, &mut work).await.map_err(|_| GivenUp::DuringCommit)
        }
        Err(_) => Err(GivenUp::BeforeCommit),
    };
    Watched { ended, statements: progress.statements.load(Ordering::Relaxed) }
}

/// Says that a commit is about to be sent.
pub(super) fn point_of_no_return() {
    // Outside a request nobody has a limit to keep.
    let _ = PROGRESS.try_with(|progress| progress.committing.store(true, Ordering::Relaxed));
}

/// Says that a statement is about to be sent.
pub(super) fn count_statement() {
    // Outside a request nobody asks.
    let _ = PROGRESS.try_with(|progress| progress.statements.fetch_add(1, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(1);

    async fn commit_after(before: Duration, during: Duration) -> Result<(), GivenUp> {
        within(LIMIT, async move {
            sleep(before).await;
            count_statement();
            point_of_no_return();
            sleep(during).await;
        })
        .await
        .ended
    }

    #[tokio::test]
    async fn statements_are_counted_request_by_request() {
        let two = within(LIMIT, async {
            count_statement();
            within(LIMIT, async { count_statement() }).await;
            count_statement();
        });
        assert_eq!(two.await.statements, 2);
        count_statement();
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
