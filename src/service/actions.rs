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
use super::stores::{Locked, Reply, Written};
use super::strategy::Strategy;
use super::transition::{Change, Command, Refusal, Rules, plan};

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
        self.plan_by(&Rules::SOUND, order)
    }

    /// The same by other rules.
    pub(super) fn plan_by(&self, rules: &Rules, order: &Order) -> Result<Change, Refusal> {
        plan(rules, order, &self.command, &self.preconditions, &self.caller, Minted::now())
    }
}

/// The steps of an action. As they stand here they are right; a mistake replaces one of them and inherits the others.
pub(super) trait Conduct: Send + Sync {
    /// What the request would write on top of `order`, or why it may not.
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        request.plan(order)
    }

    /// What of the change is written in one transaction with the order: all of it.
    fn to_write(&self, change: Change) -> Change {
        change
    }

    /// Whether a refusal is what this key's retries are to hear.
    fn is_final(&self, refused: &Problem) -> bool {
        refused.is_final()
    }

    /// How the order is locked, where it is.
    fn lock<'a>(&'a self, service: &'a Service, request: &'a ActionRequest) -> Reply<'a, Option<Box<dyn Locked>>> {
        service.store.lock(request.order)
    }
}

/// Every step as it should be.
pub(super) struct Sound;

impl Conduct for Sound {}

/// Acts on an order, once however often the request is repeated under its key.
pub(super) async fn perform(service: &Service, request: &ActionRequest) -> Result<Answer, Problem> {
    perform_as(&Sound, service, request).await
}

/// The same with one step of another kind.
pub(super) async fn perform_as(
    conduct: &impl Conduct,
    service: &Service,
    request: &ActionRequest,
) -> Result<Answer, Problem> {
    idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
        act(conduct, service, request, claim)
    })
    .await
}

/// Acts under a claim, by the service's strategy.
pub(super) async fn act(
    conduct: &impl Conduct,
    service: &Service,
    request: &ActionRequest,
    claim: Claim,
) -> Result<Answer, Problem> {
    match service.config.strategy {
        Strategy::Optimistic => optimistic(conduct, service, request, claim).await,
        Strategy::Pessimistic => pessimistic(conduct, service, request, claim).await,
    }
}

/// Judges and writes until the one follows from the other. Every turn but the last is somebody else's progress. What is
/// judged first is what the caller was found to be allowed to act on: it was current within the request, and if it no
/// longer is, the write finds out.
async fn optimistic(
    conduct: &impl Conduct,
    service: &Service,
    request: &ActionRequest,
    mut claim: Claim,
) -> Result<Answer, Problem> {
    let mut order = Arc::clone(&request.seen);
    loop {
        let change = match conduct.judge(request, &order) {
            Ok(change) => change,
            Err(refusal) => return refuse_as(conduct, refusal, &order, claim).await,
        };
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        let (store, change) = (Arc::clone(&service.store), conduct.to_write(change));
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
pub(super) async fn pessimistic(
    conduct: &impl Conduct,
    service: &Service,
    request: &ActionRequest,
    mut claim: Claim,
) -> Result<Answer, Problem> {
    loop {
        let locked = conduct.lock(service, request).await?;
        let locked = locked.ok_or_else(|| Problem::not_found("this order"))?;
        let order = Arc::clone(locked.order());
        let change = match conduct.judge(request, &order) {
            Ok(change) => change,
            Err(refusal) => {
                // First the lock, then the key: whoever holds the one while it waits for the other blocks two lines.
                locked.unlock().await;
                return refuse_as(conduct, refusal, &order, claim).await;
            }
        };
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        let written;
        (written, claim) = claim.write(locked.commit(conduct.to_write(change), completion)).await?;
        match written {
            Written::Done => return Ok(answer),
            Written::Conflict => {}
            Written::ClaimLost => return Err(idempotency::in_use(Some(&order))),
        }
    }
}

/// Refuses, and leaves the key as the refusal demands: answered for good, or free for another try.
pub(super) async fn refuse(refusal: Refusal, order: &Order, claim: Claim) -> Result<Answer, Problem> {
    refuse_as(&Sound, refusal, order, claim).await
}

async fn refuse_as(conduct: &impl Conduct, refusal: Refusal, order: &Order, claim: Claim) -> Result<Answer, Problem> {
    let problem = Problem::refused(refusal, order);
    if conduct.is_final(&problem) {
        claim.settle(&problem.answer()).await?;
    } else {
        claim.release().await?;
    }
    Err(problem)
}
