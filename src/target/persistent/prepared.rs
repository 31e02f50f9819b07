//! A request in bytes, put once and sent many times.

use ::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use ::http::uri::PathAndQuery;
use ::http::{HeaderName, HeaderValue, Method, Uri};
use bytes::Bytes;

use super::Route;
use crate::api::Request;
use crate::history::Cause;
use crate::target::{Endpoint, Failure, http, message};

/// Header lines that say where a message ends, or what becomes of the connection: they are this side's own.
const OWN: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE];

/// A request in bytes, as every other part of the program would send it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) bytes: Bytes,
    pub(super) is_head: bool,
}

impl Prepared {
    /// Puts `request` in bytes, as it goes along `route`.
    ///
    /// # Errors
    /// [`Failure::NotSent`] if it cannot be put so: a path, header name or value that HTTP does not allow, or a header line
    /// that frames the message.
    pub fn new(route: &Route, request: &Request) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        write(route.endpoint(), request, &mut bytes)?;
        Ok(Self { bytes: bytes.into(), is_head: is_head(request) })
    }

    /// How many bytes it has, header section and body.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has none: never.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Whether an answer to it has no body, whatever it says (RFC 9110 §9.3.2).
pub(super) fn is_head(request: &Request) -> bool {
    &*request.method == "HEAD"
}

/// Adds `request` to `bytes` (RFC 9112 §2.1), with the header lines of [`message::head`], in its order.
pub(super) fn write(endpoint: &Endpoint, request: &Request, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let start = bytes.len();
    let written = put(endpoint, request, bytes);
    if written.is_err() {
        bytes.truncate(start); // nothing half done is sent with what comes next
    }
    written
}

fn put(endpoint: &Endpoint, request: &Request, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let method = Method::from_bytes(request.method.as_bytes()).map_err(misshapen)?;
    let uri = Uri::try_from(endpoint.path(&request.path)).map_err(misshapen)?;
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let body = request.body.as_deref().unwrap_or_default();
    bytes.reserve(512 + path.len() + body.len());
    for part in [method.as_str(), " ", path, " HTTP/1.1\r\n"] {
        bytes.extend_from_slice(part.as_bytes());
    }
    line(bytes, "host", endpoint.authority().as_bytes());
    for (name, value) in http::defaults(request) {
        line(bytes, name, value.as_bytes());
    }
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(misshapen)?;
        if OWN.contains(&name) {
            let why = format!("the header line `{name}` is not a request's to say");
            return Err(Failure::NotSent(Cause::Broken(why)));
        }
        line(bytes, name.as_str(), HeaderValue::from_str(value).map_err(misshapen)?.as_bytes());
    }
    if !body.is_empty() {
        line(bytes, "content-length", body.len().to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Ok(())
}

fn misshapen(error: impl Into<::http::Error>) -> Failure {
    message::misshapen(&error.into())
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        bytes.extend_from_slice(part);
    }
}
