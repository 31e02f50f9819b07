//! The wrong code paths, one file per family of mistakes. Nothing here is reached unless a defect was asked for.
//!
//! Each mistake is made where a real service makes it, and takes the sound way for everything else.

use std::sync::Arc;
use std::time::Duration;

use super::Service;
use super::actions::{self, ActionRequest};
use super::answer::Answer;
use super::defect::Defect;
use super::idempotency::Keyed;
use super::placing::{self, Placement};
use super::problem::Problem;
use super::stores::{Careless, let_others_have_a_turn};

mod effects;
mod idempotency;
mod preconditions;
mod reservations;

use reservations::Reservations;

/// A service's one mistake, and what it takes to make it.
pub(super) struct Mistaken {
    defect: Defect,
    store: Arc<dyn Careless>,
    window: Duration,
    reservations: Reservations,
}

impl Mistaken {
    pub(super) fn new(defect: Defect, store: Arc<dyn Careless>, window: Duration) -> Self {
        Self { defect, store, window, reservations: Reservations::default() }
    }

    /// Acts on an order, with the mistake.
    pub(super) async fn perform(&self, service: &Service, request: ActionRequest) -> Result<Answer, Problem> {
        match self.defect {
            Defect::CheckThenSave => preconditions::check_then_save(self, service, &request).await,
            Defect::IgnoreIfMatch => actions::perform(service, &preconditions::ignore_if_match(request)).await,
            Defect::OptionalIfMatch => actions::perform(service, &preconditions::optional_if_match(request)).await,
            Defect::Stale412Applies => effects::stale_412_applies(service, &request).await,
            Defect::DoubleCharge => effects::double_charge(self, service, &request).await,
            Defect::IdempotencyCheckThenAct => idempotency::check_then_act(self, service, &request).await,
        }
    }

    /// Places an order, with the mistake, if it is one that can be made there.
    pub(super) async fn place(
        &self,
        service: &Service,
        placement: Placement,
        keyed: Option<&Keyed>,
    ) -> Result<Answer, Problem> {
        match self.defect {
            Defect::IdempotencyCheckThenAct => idempotency::check_then_place(self, service, placement, keyed).await,
            Defect::CheckThenSave
            | Defect::IgnoreIfMatch
            | Defect::OptionalIfMatch
            | Defect::Stale412Applies
            | Defect::DoubleCharge => placing::place(service, placement, keyed).await,
        }
    }

    /// The time between check and act. Without an added window there still is the natural one: a service that asks
    /// its database lets others run meanwhile, and a store in memory does not.
    async fn gap(&self) {
        if self.window.is_zero() {
            let_others_have_a_turn().await;
        } else {
            tokio::time::sleep(self.window).await;
        }
    }
}
