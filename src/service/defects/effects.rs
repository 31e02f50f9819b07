//! Mistakes about what a refused request may leave behind.

use super::super::Service;
use super::super::actions::{ActionRequest, refuse};
use super::super::answer::Answer;
use super::super::etag::TagList;
use super::super::idempotency::{self, Claim};
use super::super::orders::{Charge, Minted};
use super::super::problem::Problem;
use super::super::stores::Written;
use super::super::transition::Refusal;
use super::Mistaken;

/// `stale-412-applies`: a stale request is refused, after it has been applied to the current version.
pub(super) async fn stale_412_applies(service: &Service, request: &ActionRequest) -> Result<Answer, Problem> {
    idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
        apply_then_refuse(service, request, claim)
    })
    .await
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

/// `double-charge`: money first, questions later. The state machine still lets one payment through only, and the
/// other's charge stays in the ledger.
///
/// ```text
/// one    charge ── If-Match and state: good ── 200
/// other     charge ────────── If-Match: stale ── 412      two rows, one payment
/// ```
pub(super) async fn double_charge(
    mistaken: &Mistaken,
    service: &Service,
    request: &ActionRequest,
) -> Result<Answer, Problem> {
    idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
        charge_then_judge(mistaken, service, request, claim)
    })
    .await
}

async fn charge_then_judge(
    mistaken: &Mistaken,
    service: &Service,
    request: &ActionRequest,
    claim: Claim,
) -> Result<Answer, Problem> {
    // What can be told from the request alone is still told first: no charge without If-Match, none of a wrong amount.
    if let Err(refusal @ (Refusal::Unpayable { .. } | Refusal::PreconditionMissing)) = request.plan(&request.seen) {
        return refuse(refusal, &request.seen, claim).await;
    }
    let charged = charge_early(mistaken, request).await?;
    loop {
        let order = service.read(request.order).await?;
        let mut change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => return refuse(refusal, &order, claim).await,
        };
        change.charge.clone_from(&charged);
        let answer = Answer::to_change(&change);
        change.charge = None; // it is in the ledger already
        let completion = claim.completion(&answer);
        match service.store.commit(change, completion).await? {
            Written::Done => {
                claim.completed();
                return Ok(answer);
            }
            Written::Conflict => {}
            Written::ClaimLost => return Err(idempotency::in_use(Some(&order))),
        }
    }
}

async fn charge_early(mistaken: &Mistaken, request: &ActionRequest) -> Result<Option<Charge>, Problem> {
    let Minted { at, id, .. } = Minted::now();
    let charge = request.command.charge(id, at);
    if let Some(charge) = charge.clone() {
        mistaken.store.charge(request.order, charge).await?;
    }
    Ok(charge)
}
