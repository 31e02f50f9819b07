//! Mistakes about idempotency keys.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::Service;
use super::super::actions::{self, ActionRequest};
use super::super::answer::Answer;
use super::super::idempotency::{Completion, Keyed, Lease, after};
use super::super::placing::{self, Placement};
use super::super::problem::Problem;
use super::super::stores::{Claimed, StoreError, Written};
use super::reservations::Reservations;
use super::{Answering, Means, Mistake};

/// `idempotency-check-then-act`: the key is looked up, not claimed. Two requests that look before either has stored
/// its answer both find nothing, and both charge.
///
/// ```text
/// one    look up: new ── charge ── v1→v2 ── store answer ── 200
/// other     look up: new ── charge ── v1→v2? no: 412                two rows under one key
/// ```
///
/// The order is reserved for the key meanwhile, so that this mistake is not another one as well: requests with
/// different keys never charge twice. The twin with the same key takes the reservation for its own.
pub(super) struct CheckThenAct {
    means: Means,
    reservations: Reservations,
}

impl CheckThenAct {
    pub(super) fn new(means: Means) -> Self {
        Self { means, reservations: Reservations::default() }
    }
}

impl Mistake for CheckThenAct {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { check_then_act(self, service, &request).await })
    }

    /// The same mistake where an order is placed: two in flight place two.
    fn place<'a>(&'a self, service: &'a Service, placement: Placement, keyed: Option<Keyed>) -> Answering<'a> {
        Box::pin(async move { check_then_place(&self.means, service, placement, keyed.as_ref()).await })
    }
}

async fn check_then_act(
    CheckThenAct { means, reservations }: &CheckThenAct,
    service: &Service,
    request: &ActionRequest,
) -> Result<Answer, Problem> {
    let key = request.keyed.as_ref().map(|keyed| Arc::clone(&keyed.key));
    let Some(keyed) = &request.keyed else {
        let _reserved = reservations.reserve(request.order, key).await;
        return actions::perform(service, request).await;
    };
    if let Some(known) = look_up(means, keyed).await? {
        return known;
    }
    let _reserved = reservations.reserve(request.order, key).await;
    loop {
        let order = service.read(request.order).await?;
        let mut change = match request.plan(&order) {
            Ok(change) => change,
            Err(refusal) => {
                let problem = Problem::refused(refusal, &order);
                // A refusal for good is this key's answer, unless the twin has been given a better one.
                if problem.is_final() && !matches!(recall(means, keyed).await?, Claimed::Known { .. }) {
                    store_answer(means, service, keyed, &problem.answer()).await?;
                }
                return Err(problem);
            }
        };
        means.gap().await;
        let answer = Answer::to_change(&change);
        if let Some(charge) = change.charge.take() {
            means.store.charge(request.order, charge).await?;
        }
        match service.store.commit(change, None).await? {
            Written::Done => {
                store_answer(means, service, keyed, &answer).await?;
                return Ok(answer);
            }
            Written::Conflict | Written::ClaimLost => {}
        }
    }
}

async fn check_then_place(
    means: &Means,
    service: &Service,
    placement: Placement,
    keyed: Option<&Keyed>,
) -> Result<Answer, Problem> {
    let Some(keyed) = keyed else {
        return placing::place(service, placement, None).await;
    };
    if let Some(known) = look_up(means, keyed).await? {
        return known;
    }
    means.gap().await;
    let placed = placing::place(service, placement, None).await;
    match &placed {
        Ok(answer) => store_answer(means, service, keyed, answer).await?,
        Err(problem) if problem.is_final() => {
            store_answer(means, service, keyed, &problem.answer()).await?;
        }
        Err(_) => {}
    }
    placed
}

/// What the key says, if it has been answered: the only thing this service knows about keys.
async fn look_up(means: &Means, keyed: &Keyed) -> Result<Option<Result<Answer, Problem>>, StoreError> {
    Ok(match recall(means, keyed).await? {
        Claimed::Known { fingerprint, .. } if fingerprint != keyed.fingerprint => Some(Err(Problem::key_reused())),
        Claimed::Known { answer: Some(answer), .. } => Some(Ok(answer.replayed())),
        Claimed::Known { answer: None, .. } | Claimed::Fresh => None,
    })
}

async fn recall(means: &Means, keyed: &Keyed) -> Result<Claimed, StoreError> {
    means.store.recall(nobodys(keyed), Timestamp::now()).await
}

async fn store_answer(means: &Means, service: &Service, keyed: &Keyed, answer: &Answer) -> Result<(), StoreError> {
    let completion = Completion {
        lease: nobodys(keyed),
        answer: answer.clone(),
        keep_until: after(Timestamp::now(), service.config.idempotency_ttl),
    };
    let fingerprint = keyed.fingerprint.clone();
    means.store.remember(completion, fingerprint).await
}

/// The key, under a lease that nobody holds.
fn nobodys(keyed: &Keyed) -> Lease {
    Lease { key: Arc::clone(&keyed.key), token: Uuid::nil() }
}
