//! V1, kept for old apps: unsafe by design. It reads an order, thinks, and writes the whole of it back; whoever wrote
//! in between is overwritten, and any state may follow any other. A token, where one is needed, is looked at, and then
//! anyone may do anything.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{LINK, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};

use super::super::Service;
use super::super::answer::{Answer, OrderWithPayment, Payment, location};
use super::super::body::JsonObject;
use super::super::identity::Principal;
use super::super::orders::{Cause, Charge, Event, Minted, Order, OrderId, Status};
use super::super::placing::Placement;
use super::super::problem::Problem;
use super::super::stores::let_others_have_a_turn;
use super::super::transition::{Change, charge};
use super::listing::{self, ListQuery};
use super::{Paths, Shared, no_such_path, wrong_method};

type Answered = Result<Answer, Problem>;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Since 1 January 2026 (RFC 9745: seconds since 1970), until a year later (RFC 8594: a date).
const DEPRECATED_SINCE: HeaderValue = HeaderValue::from_static("@1767225600");
const SUNSET_AT: HeaderValue = HeaderValue::from_static("Fri, 01 Jan 2027 00:00:00 GMT");
const SUCCESSOR: HeaderValue = HeaderValue::from_static("</api/v2/orders>; rel=\"successor-version\"");

pub(super) fn router() -> Router<Shared> {
    Paths::default()
        .at("/orders", get(list).post(place))
        .at("/orders/{id}", get(read).put(put))
        .at("/orders/{id}/pay", post(pay))
        .into_router()
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(map_response(deprecated))
}

/// Every answer says that there is something better, the refusals too.
async fn deprecated(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(DEPRECATION, DEPRECATED_SINCE);
    headers.insert(SUNSET, SUNSET_AT);
    headers.append(LINK, SUCCESSOR);
    response
}

/// `GET /orders`
async fn list(State(service): State<Shared>, _: Principal, query: ListQuery) -> Answered {
    listing::plain(&service, query).await
}

/// `POST /orders`
async fn place(State(service): State<Shared>, caller: Principal, body: JsonObject) -> Answered {
    let order = Placement::read(&body, &caller)?.draw_up(&service).await?;
    let answer = Answer::json(StatusCode::CREATED, &order).with(LOCATION, location("v1", &order));
    service.store.create(order, None).await?;
    Ok(answer)
}

/// `GET /orders/{id}`
async fn read(State(service): State<Shared>, _: Principal, id: OrderId) -> Answered {
    let order = service.read(id).await?;
    Ok(Answer::json(StatusCode::OK, &*order))
}

/// `PUT /orders/{id}`
async fn put(State(service): State<Shared>, caller: Principal, id: OrderId, body: JsonObject) -> Answered {
    let status = Status::named(body.required_text("status")?)
        .ok_or_else(|| Problem::malformed("`status` must be the name of an order's state"))?;
    let order = service.read(id).await?;
    let change = rewrite(&order, status, Cause::V1Put, &caller, Minted::now(), None);
    let order = write_back(&service, &order, change).await?;
    Ok(Answer::json(StatusCode::OK, &*order))
}

/// `POST /orders/{id}/pay`: charges every time it is called.
async fn pay(State(service): State<Shared>, caller: Principal, id: OrderId, body: JsonObject) -> Answered {
    let order = service.read(id).await?;
    let method = body.text("payment_method")?.unwrap_or("card");
    let amount = body.integer("amount")?.unwrap_or(order.amount);
    if amount <= 0 {
        return Err(Problem::invalid("`amount` must be above zero"));
    }
    let minted = Minted::now();
    let charge = charge(method, amount, minted.id, minted.at);
    let status = match (order.status, &charge) {
        (Status::PendingPayment, Some(_)) => Status::PendingAcceptance,
        (Status::PendingPayment, None) => Status::PaymentFailed,
        (other, _) => other,
    };
    let paid = rewrite(&order, status, Cause::V1Pay, &caller, minted, charge.clone());
    let order = write_back(&service, &order, paid).await?;
    let Some(charge) = charge else {
        return Err(Problem::payment_declined(&order));
    };
    let body = OrderWithPayment { order: &order, payment: Some(Payment::of(&charge)) };
    Ok(Answer::json(StatusCode::OK, &body))
}

/// The order as it was read, with another status: what a V1 handler writes back.
fn rewrite(
    order: &Order,
    status: Status,
    cause: Cause,
    caller: &Principal,
    minted: Minted,
    charge: Option<Charge>,
) -> Change {
    let version = order.version + 1;
    Change {
        expected_version: order.version,
        event: Some(Event {
            action: cause,
            actor: caller.to_string(),
            from: order.status,
            to: status,
            version,
            at: minted.at,
            reason: None,
        }),
        order: Order { status, version, tag: minted.tag, updated_at: minted.at, ..order.clone() },
        charge,
        rider: None,
    }
}

/// Writes without looking. Between the read and this, others get their turn, as they do while a service waits for its
/// database.
async fn write_back(service: &Service, order: &Order, change: Change) -> Result<Arc<Order>, Problem> {
    let change = match &service.mistaken {
        None => change,
        Some(mistaken) => mistaken.rewrite(order, change),
    };
    let_others_have_a_turn().await;
    let written = service.store.put(change).await?;
    written.ok_or_else(|| Problem::not_found("this order"))
}
