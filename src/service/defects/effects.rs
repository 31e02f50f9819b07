//! Mistakes about what a refused request may leave behind.

use super::super::Service;
use super::super::actions::{self, ActionRequest, Conduct, refuse};
use super::super::answer::Answer;
use super::super::etag::TagList;
use super::super::idempotency::{self, Claim};
use super::super::orders::{Charge, Minted, Order};
use super::super::problem::Problem;
use super::super::stores::Written;
use super::super::transition::{Change, Refusal};
use super::{Answering, Means, Mistake};

/// `stale-412-applies`: a stale request is refused, after it has been applied to the current version.
pub(super) struct Stale412Applies;

impl Mistake for Stale412Applies {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                apply_then_refuse(service, &request, claim)
            })
            .await
        })
    }
}

async fn apply_then_refuse(service: &Service, request: &ActionRequest, claim: Claim) -> Result<Answer, Problem> {
    let mut unconditional = request.clone();
    unconditional.preconditions.if_match = Some(TagList::Any);
    unconditional.preconditions.if_none_match = None;
    loop {
        let order = service.read(request.order).await?;
        let (change, verdict) = match request.plan(&order) {
            Ok(change) => (change, None),
            Err(stale @ Refusal::PreconditionFailed) => match unconditional.plan(&order) {
                Ok(change) => (change, Some(stale)),
                Err(_) => return refuse(stale, &order, claim).await,
            },
            Err(refusal) => return refuse(refusal, &order, claim).await,
        };
        let answer = Answer::to_change(&change);
        // A 412 is not kept under the key: the claim goes back, and the retry is judged again.
        let completion = match verdict {
            None => claim.completion(&answer),
            Some(_) => None,
        };
        match (service.store.commit(change, completion).await?, verdict) {
            (Written::Done, None) => {
                claim.completed();
                return Ok(answer);
            }
            (Written::Done, Some(stale)) => return refuse(stale, &order, claim).await,
            (Written::Conflict, _) => {}
            (Written::ClaimLost, _) => return Err(idempotency::in_use(Some(&order))),
        }
    }
}

/// An action whose charge stands in the ledger before the order is written.
struct AlreadyCharged(Option<Charge>);

impl Conduct for AlreadyCharged {
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        let change = request.plan(order)?;
        Ok(Change { charge: self.0.clone(), ..change })
    }

    fn to_write(&self, change: Change) -> Change {
        Change { charge: None, ..change }
    }
}

impl AlreadyCharged {
    /// Charges what the request asks for, if anything, in a transaction of its own.
    async fn charge(means: &Means, request: &ActionRequest) -> Result<Self, Problem> {
        let Minted { at, id, .. } = Minted::now();
        let charge = request.command.charge(id, at);
        if let Some(charge) = charge.clone() {
            means.store.charge(request.order, charge).await?;
        }
        Ok(Self(charge))
    }
}

/// `double-charge`: money first, questions later. The state machine still lets one payment through only, and the
/// other's charge stays in the ledger.
///
/// ```text
/// one    charge ── If-Match and state: good ── 200
/// other     charge ────────── If-Match: stale ── 412      two rows, one payment
/// ```
pub(super) struct DoubleCharge(pub(super) Means);

impl DoubleCharge {
    async fn charge_then_judge(
        &self,
        service: &Service,
        request: &ActionRequest,
        claim: Claim,
    ) -> Result<Answer, Problem> {
        // What can be told from the request alone is still told first: no charge without If-Match, none of a wrong
        // amount.
        if let Err(refusal @ (Refusal::Unpayable { .. } | Refusal::PreconditionMissing)) = request.plan(&request.seen) {
            return refuse(refusal, &request.seen, claim).await;
        }
        let charged = AlreadyCharged::charge(&self.0, request).await?;
        actions::act(&charged, service, request, claim).await
    }
}

impl Mistake for DoubleCharge {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                self.charge_then_judge(service, &request, claim)
            })
            .await
        })
    }
}

/// `charge-outside-transaction`: the order is judged, then charged for, then written on condition of its version. When the
/// condition fails the order is as it was, and the charge stays.
///
/// ```text
/// pay      judge v1: good ── charge ──────────── v1→v2? no: 412      a row in the ledger, and nobody has paid
/// cancel       judge v1: good ────── v1→v2 ── 200
/// ```
///
/// Who locks the order does so after the charge: not to hold a lock while the payment provider thinks is good advice.
pub(super) struct ChargeOutsideTransaction(pub(super) Means);

impl ChargeOutsideTransaction {
    async fn charge_then_write(
        &self,
        service: &Service,
        request: &ActionRequest,
        claim: Claim,
    ) -> Result<Answer, Problem> {
        let order = service.read(request.order).await?;
        if let Err(refusal) = request.plan(&order) {
            return refuse(refusal, &order, claim).await;
        }
        let charged = AlreadyCharged::charge(&self.0, request).await?;
        if charged.0.is_some() {
            self.0.gap().await;
        }
        actions::act(&charged, service, request, claim).await
    }
}

impl Mistake for ChargeOutsideTransaction {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                self.charge_then_write(service, &request, claim)
            })
            .await
        })
    }
}
