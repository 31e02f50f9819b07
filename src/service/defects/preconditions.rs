//! Mistakes about `If-Match`.

use super::super::Service;
use super::super::actions::{ActionRequest, Conduct, refuse};
use super::super::answer::Answer;
use super::super::etag::{EntityTag, Preconditions, TagList, Unmet};
use super::super::idempotency::{self, Claim};
use super::super::orders::Order;
use super::super::problem::Problem;
use super::super::stores::Written;
use super::super::transition::{Change, Refusal, Rules};
use super::{Answering, Means, Mistake, Turns};

/// `check-then-save`: the comparison is right, and about a copy. Whoever compared meanwhile is overwritten.
///
/// ```text
/// one   read v1 ── compare: equal ──────── save v2 ── 200
/// other     read v1 ── compare: equal ────────── save v2 ── 200      one's v2 is gone
/// ```
pub(super) struct CheckThenSave(pub(super) Means);

impl CheckThenSave {
    async fn save_what_was_checked(
        &self,
        service: &Service,
        request: &ActionRequest,
        claim: Claim,
    ) -> Result<Answer, Problem> {
        let order = service.read(request.order).await?;
        let change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => return refuse(refusal, &order, claim).await,
        };
        self.0.gap().await;
        let answer = Answer::to_change(&change);
        let completion = claim.completion(&answer);
        match self.0.store.overwrite(change, completion).await? {
            Written::Done => {
                claim.completed();
                Ok(answer)
            }
            Written::Conflict | Written::ClaimLost => Err(idempotency::in_use(Some(&order))),
        }
    }
}

impl Mistake for CheckThenSave {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            idempotency::once(service, request.keyed.as_ref(), Some(&request.seen), |claim| {
                self.save_what_was_checked(service, &request, claim)
            })
            .await
        })
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

impl Conduct for Rules {
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        request.plan_by(self, order)
    }
}

/// `weak-compare`: `W/"x"` is as good as `"x"`, as if `If-Match` were a cache's `If-None-Match`.
pub(super) const WEAK_COMPARE: Rules = Rules { precondition: judge_write_weakly, ..Rules::SOUND };

fn judge_write_weakly(preconditions: &Preconditions, current: &EntityTag) -> Result<(), Unmet> {
    let named = preconditions.if_match.as_ref().is_some_and(|list| list.any(|tag| tag.matches_weakly(current)));
    if !named {
        return preconditions.judge_write(current);
    }
    let met = Preconditions { if_match: Some(TagList::Any), if_none_match: preconditions.if_none_match.clone() };
    met.judge_write(current)
}

/// Which of the requests that name the current tag hears that it is stale.
const SPURIOUS: u64 = 4;

/// `spurious-412`: every fourth request of a process that names the current tag, and would be applied, is refused as
/// stale. (It asked a copy that lags behind, or compared with a tag that somebody had cached.) A `*` names no tag, and is
/// never refused so.
#[derive(Default)]
pub(super) struct Spurious412(Turns);

impl Conduct for Spurious412 {
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        let change = request.plan(order)?;
        match request.preconditions.if_match {
            Some(TagList::Tags(_)) if self.0.is_every(SPURIOUS) => Err(Refusal::PreconditionFailed),
            Some(_) | None => Ok(change),
        }
    }
}
