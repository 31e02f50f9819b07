//! How far a request has come: how many statements it has sent, and whether it is past the point of no return. From when
//! a database has been told to commit until it has said how that went, nobody knows whether there was an effect.
//!
//! ```text
//! request ── read, judge, write ──────────── COMMIT ──────────── answer
//!            given up here: 503,             given up here: it may be applied;
//!            and nothing was applied         so nobody gives up here if it can be helped
//! ```

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;

use super::StoreError;

/// Neither given up nor committing.
const OPEN: u8 = 0;
/// A commit is on its way: too late to give up.
const COMMITTING: u8 = 1;
/// Told to be without effect: too late to commit.
const GIVEN_UP: u8 = 2;

/// What a request's stores have noted.
#[derive(Debug, Default)]
struct Progress {
    state: AtomicU8,
    statements: AtomicU32,
}

impl Progress {
    /// Whether the request is in `state` now: it was, or it was open.
    fn enter(&self, state: u8) -> bool {
        match self.state.compare_exchange(OPEN, state, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(already) => already == state,
        }
    }
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
    let mut work = pin!(PROGRESS.scope(Arc::clone(&progress), work));
    let ended = match timeout(limit, &mut work).await {
        Ok(done) => Ok(done),
        Err(_) if progress.enter(GIVEN_UP) => Err(GivenUp::BeforeCommit),
        Err(_) => timeout(limit, &mut work).await.map_err(|_| GivenUp::DuringCommit),
    };
    Watched { ended, statements: progress.statements.load(Ordering::Relaxed) }
}

/// Says that a commit is about to be sent. It must not be if the request was told that nothing was applied.
pub(super) fn point_of_no_return() -> Result<(), StoreError> {
    // Outside a request nobody has a limit to keep.
    match PROGRESS.try_with(|progress| progress.enter(COMMITTING)) {
        Ok(true) | Err(_) => Ok(()),
        Ok(false) => Err(StoreError::Database("the request was given up")),
    }
}

/// Does `work` to its end, even if whoever waits for it is gone: a caller who hangs up cuts a handler short anywhere, and
/// not everything can be left half done. What is done at once is done here, and only what waits gets a task of its own.
///
/// ```text
/// handler   poll ── waits ── ╳ dropped
/// task                ├────────────────── done; what came of it is dropped
/// ```
pub(in super::super) async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let mut work = Box::pin(work);
    if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        return done;
    }
    let task = match PROGRESS.try_with(Arc::clone) {
        Ok(progress) => tokio::spawn(PROGRESS.scope(progress, work)),
        Err(_) => tokio::spawn(work),
    };
    match task.await {
        Ok(done) => done,
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime ends, and this task with it.
        Err(_) => std::future::pending().await,
    }
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
            point_of_no_return().unwrap();
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
    async fn what_was_given_up_goes_on_to_its_end_but_does_not_commit() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let work = to_its_end(async move {
            sleep(LIMIT * 2).await;
            let _ = ended.send(point_of_no_return());
        });
        assert_eq!(within(LIMIT, work).await.ended, Err(GivenUp::BeforeCommit));
        assert!(end.await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_is_done_and_counted_all_the_same() {
        let (ended, end) = tokio::sync::oneshot::channel();
        let whole = within(LIMIT, async {
            let work = to_its_end(async move {
                sleep(LIMIT / 4).await;
                count_statement();
                let _ = ended.send(point_of_no_return());
            });
            assert!(timeout(LIMIT / 8, work).await.is_err());
            end.await.unwrap()
        });
        let Watched { ended, statements } = whole.await;
        assert_eq!((ended, statements), (Ok(Ok(())), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_under_way_is_waited_for_once_more() {
        assert_eq!(commit_after(LIMIT / 2, LIMIT).await, Ok(()));
        assert_eq!(commit_after(LIMIT / 2, LIMIT * 3).await, Err(GivenUp::DuringCommit));
    }
}
