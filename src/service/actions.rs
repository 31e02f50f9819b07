//! The sound way to act on an order: optimistic locking (or pessimistic, where asked for) and idempotency keys.
//!
//! ```text
//! claim the key ──► read ──► judge what was read ──► write if nothing changed since, and keep the answer ──► answer
//!                     ▲                                            │
//!                     └───────────── somebody was faster ──────────┘
//! ```
//!
//! A refusal is told from the version that was read: it was the current one at a moment within the request. An
//! acceptance is not: it becomes true only by the conditional write.

use std::sync::Arc;

use super::Service;
use super::answer::Answer;
use super::etag::Preconditions;
use super::idempotency::{self, Claim, Keyed};
use super::identity::Principal;
use super::orders::{Minted, Order, OrderId};
use super::problem::Problem;
use super::stores::Written;
use super::strategy::Strategy;
use super::transition::{Change, Command, Refusal, plan};

/// A request to act on an order, read and well-formed.
#[derive(Clone, Debug)]
pub(super) struct ActionRequest {
    pub(super) order: OrderId,
    /// The order as the caller was found to be allowed to see it. It may have changed since.
    pub(super) seen: Arc<Order>,
    pub(super) command: Command,
    pub(super) preconditions: Preconditions,
    pub(super) caller: Principal,
    pub(super) keyed: Option<Keyed>,
}

impl ActionRequest {
    /// What this request would write on top of `order`, or why it may not.
    pub(super) fn plan(&self, order: &Order) -> Result<Change, Refusal> {
        plan(order, &self.command, &self.preconditions, &self.caller, Minted::now())
    }
}

/// Acts on an order, once however often the request is repeated under its key.
pub(super) async fn perform(service: &Service, request: &ActionRequest) -> Result<Answer, Problem> {
    idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), async |claim| {
        match service.config.strategy {
            Strategy::Optimistic => optimistic(service, request, claim).await,
            Strategy::Pessimistic => pessimistic(service, request, claim).await,
        }
    })
    .await
}

/// Judges and writes until the one follows from the other. Every turn but the last is somebody else's progress. What is
/// judged first is what the caller was found to be allowed to act on: it was current within the request, and if it no
/// longer is, the write finds out.
async fn optimistic(service: &Service, request: &ActionRequest, mut claim: Claim) -> Result<Answer, Problem> {
    let mut order = Arc::clone(&request.seen);
    loop {
        let change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => return refuse(refusal, &order, claim).await,
        };
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        let store = Arc::clone(&service.store);
        let written;
        (written, claim) = claim.write(async move { store.commit(change, completion).await }).await?;
        match written {
            Written::Done => return Ok(answer),
            Written::Conflict => order = service.read(request.order).await?,
            Written::ClaimLost => return Err(idempotency::in_use(Some(&order))),
        }
    }
}

/// Judges and writes while nobody else who locks can. Only V1, which does not, makes another turn necessary.
///
/// ```text
/// one    lock ── judge v1 ── write v2, unlock ── 200
/// other      lock ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ judge v2: stale, unlock ── 412
/// ```
async fn pessimistic(service: &Service, request: &ActionRequest, mut claim: Claim) -> Result<Answer, Problem> {
    loop {
        let locked = service.store.lock(request.order).await?;
        let locked = locked.ok_or_else(|| Problem::not_found("this order"))?;
        let order = Arc::clone(locked.order());
        let change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => {
                // First the lock, then the key: whoever holds the one while it waits for the other blocks two lines.
                locked.unlock().await;
                return refuse(refusal, &order, claim).await;
            }
        };
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        let written;
        (written, claim) = claim.write(locked.commit(change, completion)).await?;
        match written {
            Written::Done => return Ok(answer),
            Written::Conflict => {}
            Written::ClaimLost => return Err(idempotency::in_use(Some(&order))),
        }
    }
}

/// Refuses, and leaves the key as the refusal demands: answered for good, or free for another try.
pub(super) async fn refuse(refusal: Refusal, order: &Order, claim: Claim) -> Result<Answer, Problem> {
    let problem = Problem::refused(refusal, order);
    if problem.is_final() {
        claim.settle(&problem.answer()).await?;
    } else {
        claim.release().await?;
    }
    Err(problem)
}
