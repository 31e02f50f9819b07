//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a request and its retries have one effect and one
//! answer.
//!
//! ```text
//! begin ──claimed──► work ──► commit effect + answer in one step ──► retries hear the stored answer
//!   │                  └────► refused for a passing reason (412 …): release, the key is as new
//!   ├──finished before, same request───► the stored answer
//!   ├──in flight───────────────────────► 409
//!   └──belongs to another request──────► 422
//! ```
//!
//! The claim is taken atomically *before* the work, so that two requests with one key never both work. It is a lease:
//! if its holder vanishes without a word it runs out. A handler that is cancelled gives it back at once.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Service;
use super::answer::Answer;
use super::orders::{Order, OrderId};
use super::problem::Problem;
use super::stores::{Claimed, Store, StoreError, Written, to_its_end};
pub(super) use key::{CallerKey, Fingerprint, Keyed, MalformedKey};

mod key;

/// Names one claim on one key. A claim that ran out and was taken over has another token, so that its first holder
/// can no longer write under it.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    pub(super) key: Arc<CallerKey>,
    pub(super) token: Uuid,
}

/// The answer to keep for a key, written together with the effect it tells of.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) lease: Lease,
    pub(super) answer: Answer,
    pub(super) keep_until: Timestamp,
    /// The order that the request was about, if it was there before. A store that forgets an order forgets its keys with it.
    pub(super) order: Option<OrderId>,
}

/// Does `work` once for a request and its retries: under a claim on its key, and only if nobody has done it or is
/// doing it. `seen` is the order that the request is about, if there is one yet.
pub(super) async fn once<W, F>(
    service: &Service,
    keyed: Option<&Keyed>,
    seen: Option<&Order>,
    work: W,
) -> Result<Answer, Problem>
where
    W: FnOnce(Claim) -> F,
    F: Future<Output = Result<Answer, Problem>>,
{
    match begin(service, keyed, seen).await? {
        Begun::Fresh(claim) => work(claim).await,
        Begun::Answered(answer) => Ok(answer),
        Begun::InFlight => Err(in_use(seen)),
        Begun::Reused => Err(Problem::key_reused()),
    }
}

/// The key is somebody's work in progress.
pub(super) fn in_use(seen: Option<&Order>) -> Problem {
    let problem = Problem::key_in_use();
    match seen {
        Some(order) => problem.about(order),
        None => problem,
    }
}

/// How a request that carries a key, or none, begins.
enum Begun {
    /// It is new: do the work, under this claim.
    Fresh(Claim),
    /// It has been answered already.
    Answered(Answer),
    /// It is being worked on.
    InFlight,
    /// Its key belongs to another request.
    Reused,
}

/// Claims the request's key, or says why there is nothing to do. A request without a key is always fresh.
async fn begin(service: &Service, keyed: Option<&Keyed>, seen: Option<&Order>) -> Result<Begun, StoreError> {
    let order = seen.map(|order| order.id);
    let Some(keyed) = keyed else {
        return Ok(Begun::Fresh(Claim::new(service, order, None)));
    };
    let now = Timestamp::now();
    let lease = Lease { key: Arc::clone(&keyed.key), token: Uuid::new_v4() };
    let until = after(now, service.config.idempotency_lease);
    // Made before the store is asked, so that a handler that is cancelled while it waits gives the key back as well.
    // What is not held cannot be given back: releasing another's claim does nothing.
    let claim = Claim::new(service, order, Some(lease.clone()));
    // To its end, with the claim: else the key might be given back before the store has taken it.
    let (store, fingerprint) = (Arc::clone(&service.store), keyed.fingerprint.clone());
    let (claim, claimed) = to_its_end(async move { (claim, store.claim(lease, fingerprint, now, until).await) }).await;
    let Claimed::Known { fingerprint, answer } = claimed? else {
        return Ok(Begun::Fresh(claim));
    };
    claim.completed();
    Ok(match answer {
        _ if fingerprint != keyed.fingerprint => Begun::Reused,
        None => Begun::InFlight,
        Some(answer) => Begun::Answered(answer.replayed()),
    })
}

/// The right to do a request's work, held by the one handler that does it. Without a key there is nothing to hold,
/// and everything here does nothing.
///
/// Dropping it gives the key back: a handler that is cancelled before the effect leaves the key as it found it. After
/// the effect there is nothing to give back, because the store keeps the answer and knows that the claim is over.
pub(super) struct Claim {
    store: Arc<dyn Store>,
    ttl: Duration,
    order: Option<OrderId>,
    lease: Option<Lease>,
}

impl Claim {
    fn new(service: &Service, order: Option<OrderId>, lease: Option<Lease>) -> Self {
        Self { store: Arc::clone(&service.store), ttl: service.config.idempotency_ttl, order, lease }
    }

    /// What the store is to keep in the same step as the effect.
    pub(super) fn completion(&self, answer: &Answer) -> Option<Completion> {
        self.lease.as_ref().map(|lease| Completion {
            lease: lease.clone(),
            answer: answer.clone(),
            keep_until: after(Timestamp::now(), self.ttl),
            order: self.order,
        })
    }

    /// Writes an effect, to its end even if the caller is gone, and the claim with it: given back between the effect and
    /// the end of `write`, the key would be new although its request has had its effect. Hands the claim back, which is
    /// over if the effect is there.
    pub(super) async fn write(
        mut self,
        write: impl Future<Output = Result<Written, StoreError>> + Send + 'static,
    ) -> Result<(Written, Self), StoreError> {
        to_its_end(async move {
            let written = write.await?;
            if written == Written::Done {
                self.lease = None;
            }
            Ok((written, self))
        })
        .await
    }

    /// There is nothing to give back: the store has kept the answer, or the claim was never won.
    pub(super) fn completed(mut self) {
        self.lease = None;
    }

    /// Keeps an answer that has no effect beside it.
    pub(super) async fn settle(self, answer: &Answer) -> Result<(), StoreError> {
        if let Some(completion) = self.completion(answer) {
            self.store.settle(completion).await?;
        }
        self.completed();
        Ok(())
    }

    /// Gives the key back, and returns when that is done: the caller may retry as soon as it hears the answer.
    pub(super) async fn release(mut self) -> Result<(), StoreError> {
        if let Some(lease) = self.lease.clone() {
            self.store.release(lease).await?;
            self.lease = None;
        }
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else {
            return;
        };
        // A drop cannot wait for a store. Should the task never run, the lease still runs out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let store = Arc::clone(&self.store);
            runtime.spawn(async move { store.release(lease).await });
        }
    }
}

/// `now + span`, or the end of time.
pub(super) fn after(now: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span).ok().and_then(|span| now.checked_add(span).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_time_is_not_passed() {
        assert_eq!(after(Timestamp::now(), Duration::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::from_secs(5)).as_second(), 5);
    }
}
