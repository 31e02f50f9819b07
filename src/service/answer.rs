//! Answers as data: what a handler says, in a form that can also be stored under an idempotency key and said again.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use uuid::Uuid;

use super::orders::{Charge, Order, Status};
use super::problem::Problem;
use super::transition::Change;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Status, headers and body of a response. Cheap to clone: the body is shared.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::typed(status, "application/json", body)
    }

    pub(super) fn typed(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("our own types have text keys and finite numbers");
        Self { status, headers: vec![(CONTENT_TYPE, HeaderValue::from_static(content_type))], body: body.into() }
    }

    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// 200 with the order and its tag.
    pub(super) fn order(order: &Order) -> Self {
        Self::json(StatusCode::OK, order).with(ETAG, order.tag.header())
    }

    /// 304: the tag, and no body.
    pub(super) fn not_modified(order: &Order) -> Self {
        Self { status: StatusCode::NOT_MODIFIED, headers: vec![(ETAG, order.tag.header())], body: Bytes::new() }
    }

    /// 201 with the order, its tag and where to find it.
    pub(super) fn created(order: &Order) -> Self {
        Self::json(StatusCode::CREATED, order).with(LOCATION, location("v2", order)).with(ETAG, order.tag.header())
    }

    /// What is said when `change` is applied: the new order, or that the payment was declined.
    pub(super) fn to_change(change: &Change) -> Self {
        let order = &change.order;
        if order.status == Status::PaymentFailed {
            // The refusal is itself a transition, so the caller learns the tag it led to.
            return Problem::payment_declined(order).answer().with(ETAG, order.tag.header());
        }
        Self::acted(order, change.charge.as_ref())
    }

    /// 200 with the order and the payment that was made for it, if one was.
    pub(super) fn acted(order: &Order, charge: Option<&Charge>) -> Self {
        let body = OrderWithPayment { order, payment: charge.map(Payment::of) };
        Self::json(StatusCode::OK, &body).with(ETAG, order.tag.header())
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn is_replayed(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == IDEMPOTENT_REPLAYED)
    }

    /// Where the order is that the answer tells of; none in an answer to anything but an order being placed.
    pub(super) fn location(&self) -> Option<&HeaderValue> {
        self.headers.iter().find(|(name, _)| *name == LOCATION).map(|(_, value)| value)
    }

    /// The answer as a database keeps it: status, header lines as JSON, body.
    pub(super) fn to_parts(&self) -> (u16, String, Vec<u8>) {
        let lines = self.headers.iter().map(|(name, value)| {
            let value = value.to_str().expect("the service's own headers are visible ASCII");
            (name.as_str(), value)
        });
        let lines: Vec<_> = lines.collect();
        let headers = serde_json::to_string(&lines).expect("pairs of texts are JSON");
        (self.status.as_u16(), headers, self.body.to_vec())
    }

    /// The answer that [`to_parts`](Self::to_parts) took apart; none if these are no such parts.
    pub(super) fn from_parts(status: u16, headers: &str, body: Vec<u8>) -> Option<Self> {
        let lines: Vec<(String, String)> = serde_json::from_str(headers).ok()?;
        let parsed = lines.iter().map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        let headers = parsed.collect::<Option<_>>()?;
        Some(Self { status: StatusCode::from_u16(status).ok()?, headers, body: body.into() })
    }

    /// The same answer, marked as said before.
    pub(super) fn replayed(self) -> Self {
        self.with(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"))
    }
}

/// Where an order is found in one version of the API.
pub(super) fn location(api: &str, order: &Order) -> HeaderValue {
    HeaderValue::try_from(format!("/api/{api}/orders/{}", order.id)).expect("a path with a UUID in it is visible ASCII")
}

/// An order, and the payment that was just made for it, if one was.
#[derive(Serialize)]
pub(super) struct OrderWithPayment<'a> {
    #[serde(flatten)]
    pub(super) order: &'a Order,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payment: Option<Payment<'a>>,
}

/// A payment as the payer sees it.
#[derive(Serialize)]
pub(super) struct Payment<'a> {
    id: Uuid,
    amount: i64,
    #[serde(rename = "payment_method")]
    method: &'a str,
    status: &'static str,
}

impl<'a> Payment<'a> {
    pub(super) fn of(charge: &'a Charge) -> Self {
        Self { id: charge.id, amount: charge.amount, method: &charge.payment_method, status: "succeeded" }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_taken_apart_and_put_together_is_the_same() {
        let answer = Answer::json(StatusCode::CREATED, &"é").with(ETAG, HeaderValue::from_static("\"a,b\""));
        let (status, headers, body) = answer.to_parts();
        let again = Answer::from_parts(status, &headers, body).unwrap();
        assert_eq!((again.status, &again.headers, &again.body), (answer.status, &answer.headers, &answer.body));
        assert!(Answer::from_parts(200, "{}", Vec::new()).is_none());
        assert!(Answer::from_parts(99, "[]", Vec::new()).is_none());
    }
}
