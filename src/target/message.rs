//! What the two versions of HTTP share: how a request is put, how an answer is read, and how long one is waited for.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::hold::Charge;
use super::{BODY_LIMIT, Endpoint, Failure, Version, http};
use crate::api::{Request, Response};
use crate::clock::Clock;
use crate::history::Cause;

/// The head of `request`. Over HTTP/2 the target is named by its URI (RFC 9113 §8.3.1), before that by a header.
pub(super) fn head(endpoint: &Endpoint, request: &Request, version: Version) -> ::http::request::Builder {
    let mut builder = ::http::Request::builder().method(&*request.method);
    builder = match version {
        Version::Http1 => builder.uri(endpoint.path(&request.path)).header("host", endpoint.authority()),
        Version::Http2 => builder.uri(endpoint.join(&request.path)).version(::http::Version::HTTP_2),
    };
    for (name, value) in http::defaults(request) {
        builder = builder.header(name, value);
    }
    if let (Version::Http2, Some(body)) = (version, &request.body) {
        builder = builder.header("content-length", body.len());
    }
    for (name, value) in &request.headers {
        builder = builder.header(&**name, &**value);
    }
    builder
}

/// Names, values and paths were checked when the description was read; tokens are visible ASCII by then.
pub(super) fn misshapen(error: &::http::Error) -> Failure {
    Failure::NotSent(Cause::Broken(error.to_string()))
}

/// A response's body while it comes in.
#[derive(Debug, Default)]
pub(super) struct Body(BytesMut);

impl Body {
    /// Takes what has come.
    pub(super) fn push(&mut self, data: &Bytes) -> Result<(), Failure> {
        if self.0.len() + data.len() > BODY_LIMIT {
            return Err(Failure::Unknown(Cause::TooLarge));
        }
        self.0.extend_from_slice(data);
        Ok(())
    }

    /// The response that it completes.
    pub(super) fn complete(self, head: &::http::response::Parts) -> Response {
        let (status, headers) = (head.status.as_u16(), http::headers(&head.headers));
        Response { status, headers, body: self.0.freeze() }
    }
}

/// Ends when waiting has lasted `limit`: from now, or, of a request that was held, from its release.
pub(super) async fn patience(charge: Option<&Charge>, clock: Clock, limit: Duration) {
    tokio::time::sleep(limit).await;
    if let Some(released) = charge.and_then(Charge::released) {
        tokio::time::sleep(limit.saturating_sub(clock.now().since(released))).await;
    }
}
