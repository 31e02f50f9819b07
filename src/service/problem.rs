//! Every error this service gives, as `application/problem+json` (RFC 9457).

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::answer::Answer;
use super::etag::MalformedTags;
use super::idempotency::MalformedKey;
use super::identity::Role;
use super::orders::{Order, Status};
use super::stores::{GivenUp, StoreError};
use super::transition::Refusal;

/// What kind of problem it is. One kind has one `type`, one title and one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Malformed,
    KeyMissing,
    Unauthenticated,
    PaymentDeclined,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    IllegalTransition,
    KeyInUse,
    PreconditionFailed,
    BodyTooLarge,
    NotJson,
    Invalid,
    KeyReused,
    PreconditionRequired,
    OutcomeUnknown,
    Unavailable,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Malformed,
        Self::KeyMissing,
        Self::Unauthenticated,
        Self::PaymentDeclined,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::IllegalTransition,
        Self::KeyInUse,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::NotJson,
        Self::Invalid,
        Self::KeyReused,
        Self::PreconditionRequired,
        Self::OutcomeUnknown,
        Self::Unavailable,
    ];

    /// Status, the last part of `type`, title; and `error`, the short name that clients branch on.
    const fn facts(self) -> (StatusCode, &'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "malformed-request", "The request is malformed", None),
            Self::KeyMissing => {
                (StatusCode::BAD_REQUEST, "idempotency-key-missing", "Idempotency-Key is missing", None)
            }
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "It is not known who is asking", None)
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "The caller's role may not do this", None),
            Self::PaymentDeclined => {
                (StatusCode::PAYMENT_REQUIRED, "payment-declined", "The payment was declined", Some("payment_declined"))
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing here", None),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed here", None)
            }
            Self::IllegalTransition => (
                StatusCode::CONFLICT,
                "illegal-transition",
                "The order's state does not allow this",
                Some("illegal_transition"),
            ),
            Self::KeyInUse => (
                StatusCode::CONFLICT,
                "idempotency-key-in-use",
                "A request with this Idempotency-Key is in flight",
                Some("idempotency_key_in_use"),
            ),
            Self::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "The order has changed since it was read",
                Some("precondition_failed"),
            ),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", None),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body is not JSON", None),
            Self::Invalid => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid-request",
                "The request is well-formed, and invalid",
                Some("invalid"),
            ),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key belongs to another request",
                Some("idempotency_key_reused"),
            ),
            Self::PreconditionRequired => {
                (StatusCode::PRECONDITION_REQUIRED, "precondition-required", "If-Match is missing", None)
            }
            Self::OutcomeUnknown => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "outcome-unknown",
                "The request may have been applied",
                Some("outcome_unknown"),
            ),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now", None)
            }
        }
    }
}

/// One problem, told to one caller.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    current: Option<(Status, u64)>,
}

/// Problem details (RFC 9457).
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Problem")]
pub(super) struct Members<'a> {
    /// Names the kind of problem. One kind has one title and one status.
    r#type: String,
    title: &'static str,
    status: u16,
    /// What is wrong this time, and what to do about it.
    detail: &'a str,
    /// The kind's short name, where clients branch on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "&'static str")]
    error: Option<&'static str>,
    /// Where the order that this is about stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Status")]
    current_status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u64")]
    current_version: Option<u64>,
}

/// `type` of a problem.
fn type_uri(name: &str) -> String {
    format!("urn:problem-type:quickeats:{name}")
}

/// What can be told with a status, as pairs of `type` and `title`.
pub(super) fn told_with(status: StatusCode) -> Vec<(String, &'static str)> {
    let facts = Kind::ALL.map(Kind::facts).into_iter().filter(|(own, ..)| *own == status);
    facts.map(|(_, name, title, _)| (type_uri(name), title)).collect()
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), current: None }
    }

    /// Tells where `order` stands, so that the caller can decide what to do next.
    pub(super) fn about(mut self, order: &Order) -> Self {
        self.current = Some((order.status, order.version));
        self
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, detail)
    }

    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    /// The caller has no token, or none that is believed.
    pub(super) fn unauthenticated(detail: &str) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    pub(super) fn forbidden(wanted: Role) -> Self {
        Self::new(Kind::Forbidden, format!("this is for a {}", wanted.name()))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} does not exist"))
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(Kind::MethodNotAllowed, "the Allow header names the methods that are")
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        Self::new(Kind::BodyTooLarge, format!("a request body may have {limit} bytes"))
    }

    pub(super) fn not_json() -> Self {
        Self::new(Kind::NotJson, "send the body with Content-Type: application/json")
    }

    pub(super) fn key_missing() -> Self {
        Self::new(
            Kind::KeyMissing,
            "this request needs an Idempotency-Key header: a quoted string of 1 to 255 visible ASCII characters, \
             new for every payment and the same for its retries",
        )
    }

    pub(super) fn key_in_use() -> Self {
        Self::new(Kind::KeyInUse, "wait for its answer, or retry later with the same key")
    }

    pub(super) fn key_reused() -> Self {
        Self::new(
            Kind::KeyReused,
            "it was used before with another path or another body; use a new key for a new request",
        )
    }

    pub(super) fn payment_declined(order: &Order) -> Self {
        Self::new(Kind::PaymentDeclined, "no charge was made; the order needs another one to be placed").about(order)
    }

    /// The request took too long, and was given up.
    pub(super) fn timed_out(given_up: GivenUp) -> Self {
        match given_up {
            GivenUp::BeforeCommit => Self::new(Kind::Unavailable, "the request took too long; nothing was applied"),
            GivenUp::DuringCommit => Self::outcome_unknown(),
        }
    }

    fn outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            "the store did not say whether it was; send the request again with the same Idempotency-Key, \
             or GET the order",
        )
    }

    /// What is said when `order` does not take an action.
    pub(super) fn refused(refusal: Refusal, order: &Order) -> Self {
        match refusal {
            Refusal::Unpayable { amount } => {
                Self::invalid(format!("the amount {amount} is not the order's, which is {}", order.amount))
            }
            Refusal::PreconditionMissing => {
                Self::new(Kind::PreconditionRequired, "GET the order and send its ETag back in an If-Match header")
            }
            Refusal::PreconditionFailed => Self::new(
                Kind::PreconditionFailed,
                "GET the order again, and decide anew with its current ETag in If-Match",
            )
            .about(order),
            Refusal::Illegal(action) => Self::new(
                Kind::IllegalTransition,
                format!("{} is not possible while the order is {}", action.name(), order.status.name()),
            )
            .about(order),
        }
    }

    /// Whether a retry under the same idempotency key is to hear this again: a result of the business is what that
    /// request came to. After anything else the request has not started, and the key may be used again: a failed
    /// precondition in particular is cured by a fresh `ETag`.
    pub(super) const fn is_final(&self) -> bool {
        match self.kind {
            Kind::PaymentDeclined | Kind::IllegalTransition | Kind::Invalid => true,
            Kind::Malformed
            | Kind::KeyMissing
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::MethodNotAllowed
            | Kind::KeyInUse
            | Kind::PreconditionFailed
            | Kind::BodyTooLarge
            | Kind::NotJson
            | Kind::KeyReused
            | Kind::PreconditionRequired
            | Kind::OutcomeUnknown
            | Kind::Unavailable => false,
        }
    }

    pub(super) fn answer(&self) -> Answer {
        let (status, name, title, error) = self.kind.facts();
        let members = Members {
            r#type: type_uri(name),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            error,
            current_status: self.current.map(|(status, _)| status),
            current_version: self.current.map(|(_, version)| version),
        };
        let answer = Answer::typed(status, "application/problem+json", &members);
        let answer = match self.kind {
            // RFC 9110 §15.5.2: a 401 says how to authenticate.
            Kind::Unauthenticated => answer.with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => answer,
        };
        // A 428 must not be stored by a cache (RFC 6585 §3); no other problem gains by it.
        answer.with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.answer().into_response()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown => Self::outcome_unknown(),
            StoreError::HalfWritten | StoreError::Database(_) | StoreError::Unreadable => {
                Self::new(Kind::Unavailable, error.to_string())
            }
        }
    }
}

impl From<MalformedTags> for Problem {
    fn from(error: MalformedTags) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<MalformedKey> for Problem {
    fn from(error: MalformedKey) -> Self {
        Self::malformed(error.to_string())
    }
}
