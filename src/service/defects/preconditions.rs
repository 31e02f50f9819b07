//! Mistakes about `If-Match`.

use super::super::Service;
use super::super::actions::{ActionRequest, refuse};
use super::super::answer::Answer;
use super::super::etag::TagList;
use super::super::idempotency::{self, Claim};
use super::super::problem::Problem;
use super::super::stores::Written;
use super::Mistaken;

/// `check-then-save`: the comparison is right, and about a copy. Whoever compared meanwhile is overwritten.
///
/// ```text
/// one   read v1 ── compare: equal ──────── save v2 ── 200
/// other     read v1 ── compare: equal ────────── save v2 ── 200      one's v2 is gone
/// ```
pub(super) async fn check_then_save(
    mistaken: &Mistaken,
    service: &Service,
    request: &ActionRequest,
) -> Result<Answer, Problem> {
    idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
        save_what_was_checked(mistaken, service, request, claim)
    })
    .await
}

async fn save_what_was_checked(
    mistaken: &Mistaken,
    service: &Service,
    request: &ActionRequest,
    claim: Claim,
) -> Result<Answer, Problem> {
    let order = service.read(request.order).await?;
    let change = match request.plan(&order) {
        Ok(change) => change,
        Err(refusal) => return refuse(refusal, &order, claim).await,
    };
    mistaken.gap().await;
    let answer = Answer::to_change(&change);
    let completion = claim.completion(&answer);
    match mistaken.store.overwrite(change, completion).await? {
        Written::Done => {
            claim.completed();
            Ok(answer)
        }
        Written::Conflict | Written::ClaimLost => Err(idempotency::in_use(Some(&order))),
    }
}

/// `ignore-if-match`: the header must be there, and may say anything.
pub(super) fn ignore_if_match(mut request: ActionRequest) -> ActionRequest {
    request.preconditions.if_match = request.preconditions.if_match.map(|_| TagList::Any);
    request
}

/// `optional-if-match`: no header is as good as `*`.
pub(super) fn optional_if_match(mut request: ActionRequest) -> ActionRequest {
    request.preconditions.if_match.get_or_insert(TagList::Any);
    request
}
