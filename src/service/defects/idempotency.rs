//! Mistakes about idempotency keys.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::super::Service;
use super::super::actions::{self, ActionRequest, Conduct};
use super::super::answer::Answer;
use super::super::idempotency::{CallerKey, Completion, Fingerprint, Keyed, Lease, after};
use super::super::orders::{Action, OrderId};
use super::super::placing::{self, Placement};
use super::super::problem::Problem;
use super::super::stores::{Claimed, StoreError, Written, to_its_end};
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
    reservations: Arc<Reservations>,
}

impl CheckThenAct {
    pub(super) fn new(means: Means) -> Self {
        Self { means, reservations: Arc::default() }
    }
}

impl Mistake for CheckThenAct {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { check_then_act(self, service, &request).await })
    }

    /// The same where an order is placed: two in flight place two.
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
    let mut reserved = reservations.reserve(request.order, key).await;
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
        let (id, store) = (request.order, Arc::clone(&means.store));
        let (kept, fingerprint) = (completion(service, keyed, &answer), keyed.fingerprint.clone());
        // To its end, and reserved until then: one mistake is enough, and a key that is new after its effect is another.
        let written;
        (written, reserved) = to_its_end(async move {
            if let Some(charge) = change.charge.take() {
                store.charge(id, charge).await?;
            }
            let written = store.commit(change, None).await?;
            if written == Written::Done {
                store.remember(kept, fingerprint).await?;
            }
            Ok::<_, StoreError>((written, reserved))
        })
        .await?;
        match written {
            Written::Done => return Ok(answer),
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
    means.store.remember(completion(service, keyed, answer), keyed.fingerprint.clone()).await
}

/// What to keep under the key.
fn completion(service: &Service, keyed: &Keyed, answer: &Answer) -> Completion {
    Completion {
        lease: nobodys(keyed),
        answer: answer.clone(),
        keep_until: after(Timestamp::now(), service.config.idempotency_ttl),
        order: None,
    }
}

/// The key, under a lease that nobody holds.
fn nobodys(keyed: &Keyed) -> Lease {
    Lease { key: Arc::clone(&keyed.key), token: Uuid::nil() }
}

/// A mistake in what a key is, or in what is known by it.
pub(super) struct Miskeyed(pub(super) fn(Keyed) -> Keyed);

impl Mistake for Miskeyed {
    fn perform<'a>(&'a self, service: &'a Service, mut request: ActionRequest) -> Answering<'a> {
        request.keyed = request.keyed.map(self.0);
        Box::pin(async move { actions::perform(service, &request).await })
    }

    fn place<'a>(&'a self, service: &'a Service, placement: Placement, keyed: Option<Keyed>) -> Answering<'a> {
        let keyed = keyed.map(self.0);
        Box::pin(async move { placing::place(service, placement, keyed.as_ref()).await })
    }
}

/// `idempotency-replays-anything`: the key alone says which answer it is, whatever is asked for under it.
pub(super) fn replays_anything(keyed: Keyed) -> Keyed {
    Keyed { fingerprint: Fingerprint::from_text(String::new()), ..keyed }
}

/// `idempotency-key-global`: a key is a key, whoever sends it.
pub(super) fn key_global(keyed: Keyed) -> Keyed {
    Keyed { key: Arc::new(CallerKey::new("anyone", keyed.key.key())), ..keyed }
}

/// `idempotency-stores-412`: every refusal is the key's answer, also one that a fresh `ETag` would cure.
pub(super) struct Stores412;

impl Conduct for Stores412 {
    fn is_final(&self, refused: &Problem) -> bool {
        refused.is_final() || refused.answer().status() == StatusCode::PRECONDITION_FAILED
    }
}

/// `idempotency-replay-differs`: it is known that the key was answered with success, and of which order; what the order
/// was then is not, and the replay tells of the order as it is now. Refusals are replayed as they were.
pub(super) struct ReplayDiffers;

impl Mistake for ReplayDiffers {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move {
            let answer = actions::perform(service, &request).await?;
            if !is_replayed_success(&answer) {
                return Ok(answer);
            }
            let order = service.read(request.order).await?;
            let charges = match request.command.action() {
                Action::Payment => service.store.charges(order.id).await?.unwrap_or_default(),
                Action::Cancellation
                | Action::Rejection
                | Action::Acceptance
                | Action::PreparationComplete
                | Action::Pickup
                | Action::Delivery => Vec::new(),
            };
            Ok(Answer::acted(&order, charges.last()).replayed())
        })
    }

    fn place<'a>(&'a self, service: &'a Service, placement: Placement, keyed: Option<Keyed>) -> Answering<'a> {
        Box::pin(async move {
            let answer = placing::place(service, placement, keyed.as_ref()).await?;
            match placed(&answer) {
                Some(id) if is_replayed_success(&answer) => Ok(Answer::created(&*service.read(id).await?).replayed()),
                Some(_) | None => Ok(answer),
            }
        })
    }
}

fn is_replayed_success(answer: &Answer) -> bool {
    answer.is_replayed() && answer.status().is_success()
}

/// The order that an answer says was placed.
fn placed(answer: &Answer) -> Option<OrderId> {
    answer.location()?.to_str().ok()?.rsplit('/').next()?.parse().ok()
}

/// `idempotency-memory-per-replica`: keys are kept where the process keeps its variables. The whole mistake is in where
/// the keys are, and the code that uses them is the sound one.
pub(super) struct MemoryPerReplica;

impl Mistake for MemoryPerReplica {}
