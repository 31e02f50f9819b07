//! What the service counts, as Prometheus reads it: `GET /metrics`.
//!
//! ```text
//! quickeats_http_requests_total{method="POST",route="/api/v2/orders/{id}/payment",status="412"} 19
//! quickeats_http_request_seconds_bucket{route="…",le="0.005"} 20
//! ```
//!
//! Routes are counted as they are written, with `{id}`, so that no caller can make the number of series grow.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tower_layer::Layer;

use super::Service;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets, in seconds: from a store in memory to the limit of a request.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    route: String,
}

/// The counters, and the registry that knows their names.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Asked, Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("quickeats_http");
        let requests = Family::default();
        registry.register("requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let help = "Time from the head of a request to its answer";
        registry.register_with_unit("request", help, Unit::Seconds, seconds.clone());
        Self { registry, requests, seconds }
    }
}

impl Metrics {
    fn count(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let asked = Asked { route: route.to_owned() };
        self.seconds.get_or_create(&asked).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { method, route: asked.route, status }).inc();
    }

    fn page(&self) -> String {
        let mut page = String::new();
        encode(&mut page, &self.registry).expect("a string can be written to");
        page
    }
}

/// Counts every request that reaches the router; those that no route is for, as one.
#[derive(Clone)]
pub(super) struct CountLayer(pub(super) Arc<Service>);

impl<S> Layer<S> for CountLayer {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, service: Arc::clone(&self.0) }
    }
}

/// A part of the router whose requests are counted. By hand, because every request passes here: axum's `from_fn` copies
/// the route it wraps twice and puts what it calls into boxes of boxes.
#[derive(Clone)]
pub(super) struct Counted<S> {
    inner: S,
    service: Arc<Service>,
}

impl<S> tower_service::Service<Request> for Counted<S>
where
    S: tower_service::Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let method = known(request.method());
        let answered = self.inner.call(request);
        let service = Arc::clone(&self.service);
        Box::pin(async move {
            let response = answered.await?;
            let route = matched.as_ref().map_or("none", MatchedPath::as_str);
            let route = if route.len() > 1 { route.trim_end_matches('/') } else { route };
            service.metrics.count(method, route, response.status().as_u16(), started.elapsed());
            Ok(response)
        })
    }
}

/// A method's name, if it is one of those that everybody knows.
fn known(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// `GET /metrics`
pub(super) async fn page(State(service): State<Arc<Service>>) -> Response {
    ([(CONTENT_TYPE, OPEN_METRICS)], service.metrics.page()).into_response()
}
