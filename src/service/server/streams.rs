//! The requests of one HTTP/2 connection. Each is a task of its own; all of them belong to the connection, end with it, and
//! a panic in one is not lost.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hyper::rt::Executor;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

/// A connection's requests; those under way are cut off when this is dropped.
#[derive(Default)]
pub(super) struct Streams(Arc<Mutex<Tasks>>);

/// Begins requests, as long as there is the connection. (Each request holds one of these, and would else keep itself alive.)
#[derive(Clone)]
pub(super) struct Begin(Weak<Mutex<Tasks>>);

#[derive(Default)]
struct Tasks {
    running: JoinSet<()>,
    /// How many have begun, ever.
    begun: u64,
    panicked: Option<JoinError>,
}

impl Tasks {
    /// Forgets those that are over, but for a panic.
    fn reap(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            self.note(ended);
        }
    }

    fn note(&mut self, ended: Result<(), JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.panicked = Some(error);
        }
    }
}

impl Streams {
    /// What hyper begins requests with.
    pub(super) fn executor(&self) -> Begin {
        Begin(Arc::downgrade(&self.0))
    }

    /// Returns when for `limit` at least (and twice that at most) there was no request.
    pub(super) async fn rest(&self, limit: Duration) {
        let mut before = None;
        loop {
            let now = {
                let mut tasks = lock(&self.0);
                tasks.reap();
                tasks.running.is_empty().then_some(tasks.begun)
            };
            if now.is_some() && now == before {
                return;
            }
            before = now;
            sleep(limit).await;
        }
    }

    /// Waits for those that are left of a connection that has ended, and panics if one of all has.
    pub(super) async fn end(self) {
        let mut tasks = std::mem::take(&mut *lock(&self.0));
        while let Some(ended) = tasks.running.join_next().await {
            tasks.note(ended);
        }
        if let Some(panicked) = tasks.panicked {
            resume_unwind(panicked.into_panic());
        }
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Begin {
    fn execute(&self, request: F) {
        if let Some(tasks) = self.0.upgrade() {
            let mut tasks = lock(&tasks);
            tasks.reap();
            tasks.begun += 1;
            tasks.running.spawn(request);
        }
    }
}

/// Nothing under the lock can panic and leave it half-done.
fn lock(tasks: &Mutex<Tasks>) -> MutexGuard<'_, Tasks> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_connection_rests_only_while_nothing_runs() {
        let streams = Streams::default();
        let begun = Instant::now();
        streams.executor().execute(sleep(LIMIT * 3));
        streams.rest(LIMIT).await;
        assert!((LIMIT * 4..=LIMIT * 5).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_request_starts_the_rest_anew() {
        let streams = Streams::default();
        let (executor, begun) = (streams.executor(), Instant::now());
        let asking = async {
            for _ in 0..5 {
                sleep(LIMIT / 2).await;
                executor.execute(async {});
            }
        };
        tokio::join!(asking, streams.rest(LIMIT));
        assert!(begun.elapsed() >= LIMIT / 2 * 5 + LIMIT, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    #[should_panic(expected = "a mistake in a handler")]
    async fn a_panic_comes_out_at_the_end() {
        let streams = Streams::default();
        streams.executor().execute(async { panic!("a mistake in a handler") });
        streams.executor().execute(async {});
        streams.end().await;
    }

    #[tokio::test]
    async fn requests_end_with_their_connection_though_they_hold_its_executor() {
        let streams = Streams::default();
        let executor = streams.executor();
        let (running, ended) = oneshot::channel::<()>();
        streams.executor().execute(async move {
            let _held = (executor, running);
            pending::<()>().await;
        });
        drop(streams);
        assert!(ended.await.is_err());
    }
}
