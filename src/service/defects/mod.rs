//! The wrong code paths, one file per family of mistakes. Nothing here is reached unless a defect was asked for.
//!
//! Each mistake is made where a real service makes it, and takes the sound way for everything else: a [`Mistake`]
//! replaces one way of answering, a [`Conduct`] one step of an action. A new defect is a name in [`Defect`], a type in one
//! of these files, and a line in [`make`].

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Service;
use super::access::ActRules;
use super::actions::{self, ActionRequest, Conduct};
use super::answer::Answer;
use super::defect::Defect;
use super::idempotency::Keyed;
use super::identity::Principal;
use super::orders::{Order, OrderId};
use super::pause::pause;
use super::placing::{self, Placement};
use super::problem::Problem;
use super::stores::{Careless, let_others_have_a_turn};
use super::transition::Change;

mod access;
mod commits;
mod distress;
mod effects;
mod idempotency;
mod lifecycle;
mod preconditions;
mod reads;
mod record;
mod reservations;
mod tags;

/// An answer, when it comes.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send + 'a>>;

/// An order that a caller may see, when it comes.
type Reading<'a> = Pin<Box<dyn Future<Output = Result<Arc<Order>, Problem>> + Send + 'a>>;

/// How a service that makes one mistake answers. What a mistake is not about is answered the sound way.
pub(super) trait Mistake: Send + Sync {
    /// Acts on an order.
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { actions::perform(service, &request).await })
    }

    /// Places an order.
    fn place<'a>(&'a self, service: &'a Service, placement: Placement, keyed: Option<Keyed>) -> Answering<'a> {
        Box::pin(async move { placing::place(service, placement, keyed.as_ref()).await })
    }

    /// Finds an order for `GET`.
    fn read<'a>(&'a self, service: &'a Service, id: OrderId, caller: &'a Principal) -> Reading<'a> {
        Box::pin(service.read_as(id, caller))
    }

    /// Who may act on what, asked once, at start.
    fn access(&self) -> ActRules {
        ActRules::SOUND
    }

    /// What V1 writes over `order`.
    fn rewrite(&self, _order: &Order, change: Change) -> Change {
        change
    }
}

/// The mistake that `defect` names, made on `store`.
pub(super) fn make(defect: Defect, store: Arc<dyn Careless>, window: Duration) -> Box<dyn Mistake> {
    let means = Means { store, window };
    match defect {
        Defect::CheckThenSave => Box::new(preconditions::CheckThenSave(means)),
        Defect::IgnoreIfMatch => Box::new(Misread(preconditions::ignore_if_match)),
        Defect::OptionalIfMatch => Box::new(Misread(preconditions::optional_if_match)),
        Defect::WeakCompare => Box::new(Misconduct(preconditions::WEAK_COMPARE)),
        Defect::EtagUnchanged => Box::new(tags::ETAG_UNCHANGED),
        Defect::EtagPerStatus => Box::new(tags::ETAG_PER_STATUS),
        Defect::Spurious412 => Box::new(Misconduct(preconditions::Spurious412::default())),
        Defect::Stale412Applies => Box::new(effects::Stale412Applies),
        Defect::IdempotencyCheckThenAct => Box::new(idempotency::CheckThenAct::new(means)),
        Defect::IdempotencyMemoryPerReplica => Box::new(idempotency::MemoryPerReplica),
        Defect::IdempotencyReplaysAnything => Box::new(idempotency::Miskeyed(idempotency::replays_anything)),
        Defect::IdempotencyKeyGlobal => Box::new(idempotency::Miskeyed(idempotency::key_global)),
        Defect::IdempotencyReplayDiffers => Box::new(idempotency::ReplayDiffers),
        Defect::IdempotencyStores412 => Box::new(Misconduct(idempotency::Stores412)),
        Defect::DoubleCharge => Box::new(effects::DoubleCharge(means)),
        Defect::ChargeOutsideTransaction => Box::new(effects::ChargeOutsideTransaction(means)),
        Defect::AckBeforeCommit => Box::new(commits::AckBeforeCommit::new(&means)),
        Defect::StaleReads => Box::new(reads::StaleReads::new(&means)),
        Defect::LostEvent => Box::new(Misconduct(record::LostEvent::default())),
        Defect::VersionSkips => Box::new(record::VersionSkips::new(means)),
        Defect::TerminalResurrects => Box::new(Misconduct(lifecycle::TERMINAL_RESURRECTS)),
        Defect::SkipsAState => Box::new(Misconduct(lifecycle::SKIPS_A_STATE)),
        Defect::WrongActor => Box::new(access::Misruled(access::WRONG_ACTOR)),
        Defect::OthersOrders => Box::new(access::Misruled(access::OTHERS_ORDERS)),
        Defect::ErrorAfterCommit => Box::new(distress::ErrorAfterCommit::new(means)),
        Defect::Deadlock => Box::new(distress::Deadlock(means)),
    }
}

/// Whether keys are kept in the process's memory.
pub(super) fn keeps_keys_in_the_process(defect: Defect) -> bool {
    defect == Defect::IdempotencyMemoryPerReplica
}

/// What it takes to make a mistake.
struct Means {
    store: Arc<dyn Careless>,
    window: Duration,
}

impl Means {
    /// The time between check and act. Without an added window there still is the natural one: a service that asks
    /// its database lets others run meanwhile, and a store in memory does not.
    async fn gap(&self) {
        if self.window.is_zero() {
            let_others_have_a_turn().await;
        } else {
            pause(self.window).await;
        }
    }
}

/// Counts, for mistakes that are made now and then: predictably, so that a test can wait for them, and not at every
/// turn, so that they look like chance.
#[derive(Default)]
struct Turns(AtomicU64);

impl Turns {
    /// Whether this turn is an `n`-th one.
    fn is_every(&self, n: u64) -> bool {
        (self.0.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(n)
    }
}

/// A mistake in reading a request, which is then acted on as it should be.
struct Misread(fn(ActionRequest) -> ActionRequest);

impl Mistake for Misread {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { actions::perform(service, &self.0(request)).await })
    }
}

/// A mistake in one step of an action.
struct Misconduct<C>(C);

impl<C: Conduct> Mistake for Misconduct<C> {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { actions::perform_as(&self.0, service, &request).await })
    }
}
