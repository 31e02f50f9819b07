//! What is asked and answered where.

use serde_json::{Value, json};

use super::super::super::answer::OrderWithPayment;
use super::super::super::orders::{Action, Charge, Order, Restaurant, Rider, Status};
use super::super::super::placing::PlacementBody;
use super::super::super::problem::Members;
use super::super::super::transition::{PaymentBody, ReasonBody};
use super::super::Health;
use super::super::listing::OrderPage;
use super::super::v1::{PayBody, PutBody};
use super::super::v2::{Numbered, Results};
use super::Door;
pub(super) use super::operation::Operation;
use super::operation::{Describing, always_with, reference};
use super::schemas::Schemas;

const PAGE: &[&str] = &["Include", "Status", "Limit", "Cursor"];

/// Every operation but `OPTIONS`.
pub(super) fn all(schemas: &mut Schemas, door: Door) -> Vec<Operation> {
    let mut operations = of_service(schemas, door);
    operations.extend(of_v2(schemas, door));
    operations.extend(Action::ALL.into_iter().map(|action| act(schemas, door, action)));
    operations.extend(of_v1(schemas, door));
    operations
}

/// `OPTIONS` of a path whose other methods are these.
pub(super) fn options(path: &str, methods: &Value) -> Value {
    let first = methods.as_object().and_then(|methods| methods.values().next());
    let of_first = first.expect("a path has a method");
    let deprecated = of_first["deprecated"] == true;
    let id = format!("options of {path}");
    let described = Describing::new("options", path, &id, "Which methods are there?", Door::Open, Value::Null);
    let described = if deprecated { described.deprecated() } else { described };
    let mut told = described.answers_without_a_body(204, "They are in Allow.", &["Allow"]).done().told;
    // Whatever the id: it is the path that is asked about, and not what is there.
    if path.contains("{id}") {
        told["parameters"] = json!([reference("parameters", "RowId")]);
    }
    told["tags"] = of_first["tags"].clone();
    told
}

fn of_service(schemas: &mut Schemas, door: Door) -> Vec<Operation> {
    let describe = |path, id, summary| Describing::new("get", path, id, summary, door, Value::Null);
    let health = schemas.of_answer::<Health>();
    vec![
        describe("/healthz", "health", "Is it there?").answers_json(200, "It is.", &[], &health).done(),
        describe("/metrics", "metrics", "What has it counted?")
            .answers_text("application/openmetrics-text", "For Prometheus.")
            .done(),
        describe("/openapi.json", "describe", "What can be asked?")
            .answers_json(200, "This document.", &[], &json!({"type": "object", "required": ["openapi", "paths"]}))
            .done(),
    ]
}

fn of_v2(schemas: &mut Schemas, door: Door) -> Vec<Operation> {
    let problem = schemas.of_answer::<Members<'_>>();
    let describe = |method, path: &str, id, summary| {
        Describing::new(method, &format!("/api/v2{path}"), id, summary, door, problem.clone()).in_v2()
    };
    let order = schemas.of_answer::<Order>();
    let rows = |described: Describing, schema: &Value| {
        described
            .takes(&["OrderId"])
            .refuses(&[404])
            .answers_json(200, "All of them, oldest first.", &[], schema)
            .done()
    };
    let one = |described: Describing, schema: &Value| {
        described.takes(&["RowId"]).refuses(&[404]).answers_json(200, "It.", &[], schema).done()
    };
    vec![
        describe("get", "/orders", "listOrders", "Orders that the caller may see")
            .takes(PAGE)
            .refuses(&[400])
            .answers_json(200, "A page of them.", &[], &always_with("included", &schemas.of_answer::<OrderPage<'_>>()))
            .done(),
        describe("post", "/orders", "placeOrder", "Place an order")
            .takes(&["IdempotencyKey"])
            .with_body(&schemas.of_request::<PlacementBody>(), false)
            .of_a_role()
            .refuses(&[409])
            .refuses_with(422, &["Idempotent-Replayed"])
            .answers_json(201, "It is placed.", &["Location", "ETag", "Idempotent-Replayed"], &order)
            .leads_to(201, Status::PendingPayment)
            .done(),
        describe("get", "/orders/{id}", "readOrder", "One order")
            .takes(&["OrderId", "IfMatchOnRead", "IfNoneMatch"])
            .refuses(&[400, 404, 412])
            .answers_json(200, "The order.", &["ETag"], &order)
            .answers_without_a_body(304, "It is as If-None-Match says.", &["ETag"])
            .done(),
        rows(
            describe("get", "/orders/{id}/payments", "listPayments", "Charges really made for an order"),
            &schemas.of_answer::<Results<Charge>>(),
        ),
        rows(
            describe("get", "/orders/{id}/events", "listEvents", "Every transition of an order"),
            &schemas.of_answer::<Results<Numbered>>(),
        ),
        one(
            describe("get", "/restaurants/{id}", "readRestaurant", "One restaurant"),
            &schemas.of_answer::<Restaurant>(),
        ),
        one(describe("get", "/riders/{id}", "readRider", "One rider"), &schemas.of_answer::<Rider>()),
    ]
}

/// `POST /orders/{id}/{action}`
fn act(schemas: &mut Schemas, door: Door, action: Action) -> Operation {
    let problem = schemas.of_answer::<Members<'_>>();
    let path = format!("/api/v2/orders/{{id}}/{}", action.name());
    let from: Vec<_> = Status::ALL.into_iter().filter(|status| status.after(action).is_some()).collect();
    let to = from.first().and_then(|status| status.after(action)).expect("every action has a state to start from");
    let from: Vec<_> = from.into_iter().map(Status::name).collect();
    let summary = format!("{} → {}", from.join(" or "), to.name());
    let described = Describing::new("post", &path, action.name(), &summary, door, problem).in_v2().of_a_role();
    let (body, required) = match action {
        Action::Payment => (schemas.of_request::<PaymentBody>(), true),
        Action::Cancellation | Action::Rejection => (schemas.of_request::<ReasonBody>(), true),
        // Any object, or none: nothing in it is looked at.
        Action::Acceptance | Action::PreparationComplete | Action::Pickup | Action::Delivery => {
            (json!({"type": "object"}), false)
        }
    };
    let replayed = &["Idempotent-Replayed"];
    let described = described
        .takes(&["OrderId", "IfMatch", "IfNoneMatch"])
        .with_body(&body, required)
        .refuses(&[404, 412, 428])
        .refuses_with(409, replayed)
        .refuses_with(422, replayed);
    let (described, answer) = match action {
        Action::Payment => (
            described.takes(&["IdempotencyKeyOfPayment"]).refuses_with(402, &["ETag", "Idempotent-Replayed"]),
            always_with("payment", &schemas.of_answer::<OrderWithPayment<'_>>()),
        ),
        Action::Cancellation
        | Action::Rejection
        | Action::Acceptance
        | Action::PreparationComplete
        | Action::Pickup
        | Action::Delivery => (described.takes(&["IdempotencyKey"]), schemas.of_answer::<Order>()),
    };
    let headers = ["ETag", "Idempotent-Replayed"];
    described.answers_json(200, "The order as it is now.", &headers, &answer).leads_to(200, to).done()
}

fn of_v1(schemas: &mut Schemas, door: Door) -> Vec<Operation> {
    let problem = schemas.of_answer::<Members<'_>>();
    let describe = |method, path: &str, id, summary| {
        Describing::new(method, &format!("/api/v1{path}"), id, summary, door, problem.clone()).in_v1()
    };
    let order = schemas.of_answer::<Order>();
    let paid = always_with("payment", &schemas.of_answer::<OrderWithPayment<'_>>());
    vec![
        describe("get", "/orders", "listOrdersV1", "All orders")
            .takes(PAGE)
            .refuses(&[400])
            .answers_json(200, "A page of them.", &[], &schemas.of_answer::<OrderPage<'_>>())
            .done(),
        describe("post", "/orders", "placeOrderV1", "Place an order")
            .with_body(&schemas.of_request::<PlacementBody>(), false)
            .answers_json(201, "It is placed.", &["Location"], &order)
            .done(),
        describe("get", "/orders/{id}", "readOrderV1", "One order")
            .takes(&["OrderId"])
            .refuses(&[404])
            .answers_json(200, "The order.", &[], &order)
            .done(),
        describe("put", "/orders/{id}", "putOrderV1", "Any state after any other, and the last write wins")
            .takes(&["OrderId"])
            .with_body(&schemas.of_request::<PutBody>(), true)
            .refuses(&[404])
            .answers_json(200, "The order as it is now.", &[], &order)
            .done(),
        describe("post", "/orders/{id}/pay", "payOrderV1", "Charges every time it is called")
            .takes(&["OrderId"])
            .with_body(&schemas.of_request::<PayBody>(), false)
            .refuses(&[402, 404])
            .answers_json(200, "The order as it is now.", &[], &paid)
            .done(),
    ]
}
