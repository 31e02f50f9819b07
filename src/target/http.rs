//! Any URL as a target: `reqwest` for what is not measured, [`Line`]s for contenders.

use std::error::Error;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::BytesMut;
use rustls::ClientConfig;

use super::tls::Offers;
use super::{BODY_LIMIT, Endpoint, Exchange, Failure, Line, Patience, Spoken, Target, TlsError, Version, tls};
use crate::api::{Headers, Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Window};
use crate::text::harmless;

/// What requests say unless the API description says otherwise: who asks, and what is understood.
const DEFAULTS: [(&str, &str); 2] = [
    ("user-agent", concat!("quickeats-bench/", env!("CARGO_PKG_VERSION"))),
    ("accept", "application/json, application/problem+json, */*;q=0.5"),
];

/// Those of the default headers that `request` does not have itself.
pub(super) fn defaults(request: &Request) -> impl Iterator<Item = (&'static str, &'static str)> {
    DEFAULTS.into_iter().filter(|(name, _)| !request.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)))
}

/// A server at a URL.
#[derive(Debug, Clone)]
pub struct HttpTarget {
    pub(super) endpoint: Arc<Endpoint>,
    client: Arc<RwLock<reqwest::Client>>,
    pub(super) tls: Offers,
    pub(super) clock: Clock,
    spoken: Spoken,
    pub(super) limit: Duration,
}

impl HttpTarget {
    /// A client of `endpoint`. Nothing is sent yet.
    ///
    /// # Errors
    /// If TLS is asked for and cannot be set up.
    pub fn new(endpoint: Endpoint, clock: Clock, patience: Patience) -> Result<Self, TlsError> {
        let tls = tls::config(&endpoint)?;
        Ok(Self::with_tls(endpoint, &tls, clock, patience))
    }

    pub(super) fn with_tls(endpoint: Endpoint, tls: &ClientConfig, clock: Clock, patience: Patience) -> Self {
        let (endpoint, tls, spoken) = (Arc::new(endpoint), Offers::new(tls), Spoken::HTTP_1);
        let client = Arc::new(RwLock::new(client(&tls, spoken, patience.request)));
        Self { endpoint, client, tls, clock, spoken, limit: patience.request }
    }

    /// Asks the target which versions of HTTP it speaks.
    pub async fn ask_what_it_speaks(&self) -> Spoken {
        Spoken::of(&self.endpoint, &self.tls, self.clock, self.limit).await
    }

    /// Speaks to the target like this: over HTTP/1.1 where it understands that.
    #[must_use]
    pub fn speaking(mut self, spoken: Spoken) -> Self {
        self.client = Arc::new(RwLock::new(client(&self.tls, spoken, self.limit)));
        self.spoken = spoken;
        self
    }

    /// What the target speaks, as far as is known.
    pub const fn spoken(&self) -> Spoken {
        self.spoken
    }

    /// The path of the target's own URL, as a request below it says it.
    pub fn own_path(&self) -> &'static str {
        if self.endpoint.path("").is_empty() { "/" } else { "" }
    }

    async fn exchange(&self, request: &Request) -> Result<Response, Failure> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).expect("descriptions name known methods");
        let client = self.client.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut message = client.request(method, self.endpoint.join(&request.path));
        for (name, value) in defaults(request) {
            message = message.header(name, value);
        }
        for (name, value) in &request.headers {
            message = message.header(&**name, &**value);
        }
        if let Some(body) = &request.body {
            message = message.body(body.clone());
        }
        let mut response = message.send().await.map_err(|error| failure(&error))?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Failure::Unknown(Cause::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status().as_u16();
        Ok(Response { status, headers: headers(response.headers()), body: body.freeze() })
    }
}

impl Target for HttpTarget {
    type Contender = Line;

    async fn send(&self, request: &Request) -> Exchange {
        let opened = self.clock.now();
        let result = match tokio::time::timeout(self.limit, self.exchange(request)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Unknown(Cause::TimedOut)),
        };
        let closed = self.clock.now();
        Exchange { window: Window { opened, released: None, closed }, result }
    }

    fn forget_connections(&self) {
        let fresh = client(&self.tls, self.spoken, self.limit);
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    async fn contender(&self, version: Version) -> Result<Line, Cause> {
        Line::open(Arc::clone(&self.endpoint), &self.tls, self.clock, version, self.limit).await
    }
}

/// The client for what is not measured: HTTP/1.1 where that is spoken.
fn client(tls: &Offers, spoken: Spoken, limit: Duration) -> reqwest::Client {
    let version = if spoken.http1 { Version::Http1 } else { Version::Http2 };
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(ClientConfig::clone(tls.of(version)))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy() // measured requests go straight to the target, so must the others
        .tcp_nodelay(true)
        .connect_timeout(limit);
    let builder = match version {
        Version::Http1 => builder.http1_only(),
        Version::Http2 => builder.http2_prior_knowledge(),
    };
    builder.build().expect("every option is valid and TLS is configured")
}

/// Header lines as text; a value that is not visible ASCII is left out.
pub(super) fn headers(map: &http::HeaderMap) -> Headers {
    map.iter().filter_map(|(name, value)| Some((name.as_str().into(), value.to_str().ok()?.into()))).collect()
}

fn failure(error: &reqwest::Error) -> Failure {
    if error.is_connect() {
        return Failure::NotSent(if has_source::<rustls::Error>(error) {
            Cause::Tls(innermost(error))
        } else {
            Cause::Connect(innermost(error))
        });
    }
    if error.is_builder() {
        return Failure::NotSent(Cause::Broken(innermost(error)));
    }
    let is_parse = sources(error).any(|source| source.downcast_ref().is_some_and(hyper::Error::is_parse));
    Failure::Unknown(broken(error, is_parse))
}

/// The cause of a connection that broke, or spoke something else.
pub(super) fn broken(error: &(dyn Error + 'static), is_parse: bool) -> Cause {
    if is_parse { Cause::NotHttp(innermost(error)) } else { Cause::Broken(innermost(error)) }
}

/// `error` and all that stands behind it. An I/O error that carries another is not its source in the standard
/// library's terms (it speaks for it), and carries may be nested: what is carried comes next here.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let behind = |error: &'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => error.source(),
        }
    };
    std::iter::successors(Some(error), move |error| behind(*error))
}

/// Whether an error of type `E` stands behind `error`.
fn has_source<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    sources(error).any(<dyn Error>::is::<E>)
}

/// What the lowest layer said: the part that helps.
fn innermost(error: &(dyn Error + 'static)) -> String {
    sources(error).last().map_or_else(String::new, |last| harmless(&last.to_string(), 300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_found_however_deep_io_errors_carry_it() {
        let tls = rustls::Error::DecryptError;
        let shown = tls.to_string();
        let nested = io::Error::other(io::Error::other(tls));
        assert!(has_source::<rustls::Error>(&nested));
        assert!(!has_source::<hyper::Error>(&nested));
        assert_eq!(innermost(&nested), shown);
    }
}
