//! A request in bytes, put once and sent many times.

use bytes::Bytes;

use super::Route;
use crate::api::Request;
use crate::history::Cause;
use crate::target::{Endpoint, Failure, Version, message};

/// Header lines that say where a message ends, or what becomes of the connection: they are this side's own.
const OWN: [&str; 4] = ["connection", "content-length", "transfer-encoding", "upgrade"];

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

/// Adds `request` to `bytes` (RFC 9112 §2.1), with the header lines of [`message::head`].
pub(super) fn write(endpoint: &Endpoint, request: &Request, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let message = message::head(endpoint, request, Version::Http1).body(());
    let (head, ()) = message.map_err(|error| message::misshapen(&error))?.into_parts();
    if let Some(name) = OWN.into_iter().find(|name| head.headers.contains_key(*name)) {
        return Err(Failure::NotSent(Cause::Broken(format!("the header line `{name}` is not a request's to say"))));
    }
    let body = request.body.as_deref().unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    bytes.reserve(256 + path.len() + body.len());
    bytes.extend_from_slice(head.method.as_str().as_bytes());
    bytes.push(b' ');
    bytes.extend_from_slice(path.as_bytes());
    bytes.extend_from_slice(b" HTTP/1.1\r\n");
    for (name, value) in &head.headers {
        line(bytes, name.as_str(), value.as_bytes());
    }
    if !body.is_empty() {
        line(bytes, "content-length", body.len().to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    Ok(())
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
}
