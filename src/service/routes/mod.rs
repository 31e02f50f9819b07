//! The paths of the API, and what answers on each. A trailing slash is accepted everywhere.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::routing::{MethodRouter, get};
use http::request::Parts;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::Service;
use super::answer::Answer;
use super::metrics;
use super::orders::OrderId;
use super::problem::Problem;

mod listing;
mod openapi;
mod v1;
mod v2;

/// What every handler is given of the service.
type Shared = Arc<Service>;

pub(super) fn router(service: Service) -> Router {
    // V1 is nested and not merged, so that its fallback, too, is told apart and says that V1 is deprecated.
    let service = Arc::new(service);
    let root = root_paths().into_router();
    root.merge(v2::paths().into_router())
        .nest(V1, v1::router())
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(metrics::CountLayer(Arc::clone(&service)))
        .with_state(service)
}

/// Where V1 is.
const V1: &str = "/api/v1";

fn root_paths() -> Paths {
    Paths::default()
        .at("/healthz", get(healthz))
        .at("/metrics", get(metrics::page))
        .at("/openapi.json", get(openapi::page))
}

/// Routes, each with and without a trailing slash.
#[derive(Default)]
struct Paths {
    router: Router<Shared>,
    #[cfg(test)]
    names: Vec<String>,
}

impl Paths {
    fn at(self, path: &str, methods: MethodRouter<Shared>) -> Self {
        let router = self.router.route(&format!("{path}/"), methods.clone()).route(path, methods);
        #[cfg(test)]
        let names = [self.names, vec![path.to_owned()]].concat();
        Self {
            router,
            #[cfg(test)]
            names,
        }
    }

    fn into_router(self) -> Router<Shared> {
        self.router
    }
}

/// That the service is there.
#[derive(JsonSchema, Serialize)]
struct Health {
    status: &'static str,
}

async fn healthz() -> Answer {
    Answer::json(StatusCode::OK, &Health { status: "ok" })
}

async fn no_such_path() -> Problem {
    Problem::not_found("this path")
}

/// The router adds `Allow`. Asking for it is no mistake (RFC 9110 §9.3.7), whatever preconditions come with the question.
async fn wrong_method(method: Method) -> Result<StatusCode, Problem> {
    if method == Method::OPTIONS { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::method_not_allowed()) }
}

/// `{id}` in a path, decoded. What is no text names nothing.
struct Segment(String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path::<String>(text)) if !text.contains('\0') => Ok(Self(text)),
            Ok(_) | Err(_) => Err(Problem::not_found("this path")),
        }
    }
}

/// What cannot be an id names no order.
impl<S: Send + Sync> FromRequestParts<S> for OrderId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Segment(text) = Segment::from_request_parts(parts, state).await?;
        text.parse().map_err(|_| Problem::not_found("this order"))
    }
}
