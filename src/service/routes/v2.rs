//! V2: every action is a resource, protected by `If-Match` and `Idempotency-Key`.

use axum::extract::State;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::actions::{self, ActionRequest};
use super::super::answer::Answer;
use super::super::body::JsonObject;
use super::super::etag::{Preconditions, ReadAnswer};
use super::super::idempotency::{Fingerprint, Keyed};
use super::super::identity::{Principal, Role};
use super::super::orders::{Action, Event, OrderId};
use super::super::placing::{self, Placement};
use super::super::problem::Problem;
use super::super::transition::{Command, Refusal};
use super::listing::{self, ListQuery};
use super::{Paths, Segment, Shared};

type Answered = Result<Answer, Problem>;

pub(super) fn paths() -> Paths {
    let paths = Paths::default()
        .at("/api/v2/orders", get(list).post(place))
        .at("/api/v2/orders/{id}", get(read))
        .at("/api/v2/orders/{id}/payments", get(ledger))
        .at("/api/v2/orders/{id}/events", get(events))
        .at("/api/v2/restaurants/{id}", get(restaurant))
        .at("/api/v2/riders/{id}", get(rider));
    Action::ALL.into_iter().fold(paths, |paths, action| {
        let act = move |service, caller, id, headers, body| act(action, service, caller, id, headers, body);
        paths.at(&format!("/api/v2/orders/{{id}}/{}", action.name()), post(act))
    })
}

/// `POST /orders/{id}/{action}`.
///
/// In the contract's order: who is asking, what they may do, what the request says, and then, by [`actions`], what was answered
/// to it before, its precondition and the lifecycle.
async fn act(
    action: Action,
    State(service): State<Shared>,
    caller: Principal,
    id: OrderId,
    headers: HeaderMap,
    body: Result<JsonObject, Problem>,
) -> Answered {
    service.config.latency.pass(action).await;
    let seen = service.read_to_act(id, &caller, action).await?;
    let body = body?;
    let command = Command::read(action, &body)?;
    let preconditions = Preconditions::from_headers(&headers)?;
    let keyed = Keyed::from_headers(&headers, &caller, || {
        // The resource's own name, and not the path as it was spelt: `/payment` and `/payment/` are one request.
        let path = format_args!("/api/v2/orders/{id}/{}", action.name()).to_string();
        Fingerprint::of("POST", path, &body)
    })?;
    if action == Action::Payment && keyed.is_none() {
        return Err(Problem::key_missing());
    }
    let request = ActionRequest { order: id, seen, command, preconditions, caller, keyed };
    match &service.mistaken {
        None => actions::perform(&service, &request).await,
        Some(mistaken) => mistaken.perform(&service, request).await,
    }
}

/// `POST /orders`
async fn place(
    State(service): State<Shared>,
    caller: Principal,
    headers: HeaderMap,
    body: Result<JsonObject, Problem>,
) -> Answered {
    service.demand(&caller, Role::Customer)?;
    let body = body?;
    let placement = Placement::read(&body, &caller)?;
    let keyed = Keyed::from_headers(&headers, &caller, || Fingerprint::of("POST", "/api/v2/orders", &body))?;
    match &service.mistaken {
        None => placing::place(&service, placement, keyed.as_ref()).await,
        Some(mistaken) => mistaken.place(&service, placement, keyed).await,
    }
}

/// `GET /orders/{id}`
async fn read(State(service): State<Shared>, caller: Principal, id: OrderId, headers: HeaderMap) -> Answered {
    let preconditions = Preconditions::from_headers(&headers)?;
    let order = match &service.mistaken {
        None => service.read_as(id, &caller).await?,
        Some(mistaken) => mistaken.read(&service, id, &caller).await?,
    };
    match preconditions.judge_read(&order.tag) {
        ReadAnswer::Send => Ok(Answer::order(&order)),
        ReadAnswer::NotModified => Ok(Answer::not_modified(&order)),
        ReadAnswer::Failed => Err(Problem::refused(Refusal::PreconditionFailed, &order)),
    }
}

/// `GET /orders`
async fn list(State(service): State<Shared>, caller: Principal, query: ListQuery) -> Answered {
    listing::with_included(&service, service.viewer(&caller), query).await
}

/// All rows of one kind that an order has.
#[derive(JsonSchema, Serialize)]
#[schemars(inline)]
pub(super) struct Results<T> {
    results: Vec<T>,
}

/// `GET /orders/{id}/payments`
async fn ledger(State(service): State<Shared>, caller: Principal, id: OrderId) -> Answered {
    service.check_sight(id, &caller).await?;
    let charges = service.store.charges(id).await?;
    let results = charges.ok_or_else(|| Problem::not_found("this order"))?;
    Ok(Answer::json(StatusCode::OK, &Results { results }))
}

/// An event, and its place among its order's events, from 1.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Event")]
pub(super) struct Numbered {
    seq: u64,
    #[serde(flatten)]
    event: Event,
}

/// `GET /orders/{id}/events`
async fn events(State(service): State<Shared>, caller: Principal, id: OrderId) -> Answered {
    service.check_sight(id, &caller).await?;
    let events = service.store.events(id).await?;
    let events = events.ok_or_else(|| Problem::not_found("this order"))?;
    let numbered = (1..).zip(events);
    let results = numbered.map(|(seq, event)| Numbered { seq, event }).collect();
    Ok(Answer::json(StatusCode::OK, &Results { results }))
}

/// `GET /restaurants/{id}`
async fn restaurant(State(service): State<Shared>, _: Principal, Segment(id): Segment) -> Answered {
    let found = service.store.restaurants(vec![id]).await?;
    only(&found, "this restaurant")
}

/// `GET /riders/{id}`
async fn rider(State(service): State<Shared>, _: Principal, Segment(id): Segment) -> Answered {
    let found = service.store.riders(vec![id]).await?;
    only(&found, "this rider")
}

fn only<T: Serialize>(found: &[T], what: &str) -> Answered {
    match found.first() {
        Some(row) => Ok(Answer::json(StatusCode::OK, row)),
        None => Err(Problem::not_found(what)),
    }
}
