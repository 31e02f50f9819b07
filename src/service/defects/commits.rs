//! Mistakes about when a write is one.

use std::sync::Arc;
use std::time::Duration;

use super::super::Service;
use super::super::actions::{ActionRequest, refuse};
use super::super::answer::Answer;
use super::super::idempotency::{self, Claim};
use super::super::pause::pause;
use super::super::problem::Problem;
use super::super::strategy::Strategy;
use super::reservations::{Reservations, Reserved};
use super::{Answering, Means, Mistake};

/// How long a write waits for its turn, without an added window: as long as a buffer does that is emptied a few hundred
/// times a second.
const FLUSH: Duration = Duration::from_millis(5);

/// `ack-before-commit`: judged, answered, and then written, by a task that nobody waits for. Who reads meanwhile sees what
/// was; and if the process dies, or another one is faster, what was promised never comes.
///
/// ```text
/// action   read v1 ── judge: good ── 200: v2      ┄┄┄┄┄┄┄┄ v1→v2, commit
/// reader                                     read: v1
/// ```
///
/// The next action on the order waits for the write, within this process: that is what makes such a service pass its own
/// tests. Orders are placed as they should be.
pub(super) struct AckBeforeCommit {
    window: Duration,
    unwritten: Arc<Reservations>,
}

impl AckBeforeCommit {
    pub(super) fn new(means: &Means) -> Self {
        Self { window: means.window, unwritten: Arc::default() }
    }

    async fn answer_then_commit(
        &self,
        service: &Service,
        request: &ActionRequest,
        claim: Claim,
        reserved: Reserved,
    ) -> Result<Answer, Problem> {
        let (order, locked) = match service.config.strategy {
            Strategy::Optimistic => (service.read(request.order).await?, None),
            Strategy::Pessimistic => {
                let locked = service.store.lock(request.order).await?;
                let locked = locked.ok_or_else(|| Problem::not_found("this order"))?;
                (Arc::clone(locked.order()), Some(locked))
            }
        };
        let change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => {
                if let Some(locked) = locked {
                    locked.unlock().await;
                }
                return refuse(refusal, &order, claim).await;
            }
        };
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        let store = Arc::clone(&service.store);
        let window = self.window;
        tokio::spawn(async move {
            tokio::time::sleep(FLUSH).await;
            pause(window).await;
            let write = async move {
                match locked {
                    Some(locked) => locked.commit(change, completion).await,
                    None => store.commit(change, completion).await,
                }
            };
            // Whatever came of it, there is nobody left to tell.
            let _ = claim.write(write).await;
            drop(reserved);
        });
        Ok(answer)
    }
}

impl Mistake for AckBeforeCommit {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            // Before the key is claimed, so that a retry waits as well, and hears the stored answer.
            let reserved = self.unwritten.reserve(request.order, None).await;
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                self.answer_then_commit(service, &request, claim, reserved)
            })
            .await
        })
    }
}
