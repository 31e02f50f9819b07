//! Placing an order: the one write that has no version to be conditional on.

use super::Service;
use super::answer::Answer;
use super::body::JsonObject;
use super::idempotency::{self, Claim, Keyed};
use super::identity::Principal;
use super::orders::{Minted, Order, OrderId, Restaurant, Status};
use super::problem::Problem;
use super::stores::Written;

/// What an order costs that does not say.
const DEFAULT_AMOUNT: i64 = 25_000;

/// A request to place an order, read and well-formed.
#[derive(Clone, Debug)]
pub(super) struct Placement {
    customer: Option<String>,
    restaurant: String,
    amount: i64,
}

impl Placement {
    /// Both members are optional, so that `{}` and no body at all place an order.
    pub(super) fn read(body: &JsonObject, caller: &Principal) -> Result<Self, Problem> {
        let (first, _) = Restaurant::SEEDED[0];
        Ok(Self {
            customer: caller.customer().map(str::to_owned),
            restaurant: body.text("restaurant")?.unwrap_or(first).to_owned(),
            amount: body.integer("amount")?.unwrap_or(DEFAULT_AMOUNT),
        })
    }

    /// The order as it will be stored, or why there can be no such order.
    pub(super) async fn draw_up(self, service: &Service) -> Result<Order, Problem> {
        if self.amount <= 0 {
            return Err(Problem::invalid("`amount` must be above zero"));
        }
        let found = service.store.restaurants(vec![self.restaurant]).await?;
        let Some(restaurant) = found.into_iter().next() else {
            return Err(Problem::invalid("`restaurant` must be the id of a restaurant"));
        };
        let Minted { at, tag, id } = Minted::now();
        Ok(Order {
            id: OrderId::new(id),
            customer: self.customer,
            restaurant: restaurant.id,
            restaurant_name: restaurant.name,
            rider: None,
            status: Status::PendingPayment,
            amount: self.amount,
            version: 1,
            created_at: at,
            updated_at: at,
            tag,
        })
    }
}

/// Places an order, once however often the request is repeated under its key.
pub(super) async fn place(service: &Service, placement: Placement, keyed: Option<&Keyed>) -> Result<Answer, Problem> {
    idempotency::once(service, keyed, None, |claim| open(service, placement, claim, |order| order)).await
}

/// The same, with the order `altered` before it is written.
pub(super) async fn place_as(
    service: &Service,
    placement: Placement,
    keyed: Option<Keyed>,
    altered: impl FnOnce(Order) -> Order + Send,
) -> Result<Answer, Problem> {
    idempotency::once(service, keyed.as_ref(), None, |claim| open(service, placement, claim, altered)).await
}

async fn open(
    service: &Service,
    placement: Placement,
    claim: Claim,
    altered: impl FnOnce(Order) -> Order + Send,
) -> Result<Answer, Problem> {
    let order = match placement.draw_up(service).await {
        Ok(order) => altered(order),
        Err(problem) => {
            if problem.is_final() {
                claim.settle(&problem.answer()).await?;
            }
            return Err(problem);
        }
    };
    let answer = Answer::created(&order);
    match service.store.create(order, claim.completion(&answer)).await? {
        Written::Done => {
            claim.completed();
            Ok(answer)
        }
        Written::Conflict | Written::ClaimLost => Err(Problem::key_in_use()),
    }
}
