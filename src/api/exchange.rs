//! A request and a response as plain data: what the dialect writes and reads, and a target carries.

use std::sync::Arc;

use bytes::Bytes;

/// Header names (lower case) and values.
pub type Headers = Vec<(Arc<str>, Arc<str>)>;

/// One HTTP request, without its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, upper case.
    pub method: Arc<str>,
    /// Path and query, percent-encoded, from `/`.
    pub path: String,
    /// Header lines beyond those every request has.
    pub headers: Headers,
    /// The body; `None` sends none.
    pub body: Option<Bytes>,
}

/// One complete HTTP response.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines; those that are not visible ASCII are left out.
    pub headers: Headers,
    /// The whole body.
    pub body: Bytes,
}

impl Response {
    /// The value of the first header line called `name` (compared without case).
    pub fn header(&self, name: &str) -> Option<&Arc<str>> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
