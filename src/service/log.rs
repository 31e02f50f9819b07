//! One line per request, for machines: what was asked, what came of it, what it took, and the trace it belongs to.
//!
//! ```text
//! {"at":"2026-01-02T03:04:05.678901Z","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","method":"POST",
//!  "path":"/api/v2/orders/…/payment","status":412,"duration_ms":1.208,"statements":4}
//! ```
//!
//! The trace is the caller's (`traceparent`, W3C Trace Context), or a new one where the caller has none. Neither query
//! strings nor headers nor bodies are logged: they may hold what is nobody's business.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// A longer path is cut off, in bytes.
const LONGEST_PATH: usize = 256;

/// What is known of a request when it has been answered.
#[derive(Clone, Debug, Serialize)]
pub struct LogLine {
    /// When its head had come, RFC 3339.
    pub at: String,
    /// 32 lower-case hexadecimal digits.
    pub trace_id: String,
    /// Its method.
    pub method: String,
    /// Its path, without a query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// From its head to its answer, in milliseconds.
    pub duration_ms: f64,
    /// How many SQL statements it took.
    pub statements: u32,
}

/// Where lines go. Called by the task that answers, so it should not take long.
#[derive(Clone)]
pub struct RequestLog(Arc<dyn Fn(&LogLine) + Send + Sync>);

impl RequestLog {
    /// Sends every line to `write`.
    pub fn new(write: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }
}

impl fmt::Debug for RequestLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestLog")
    }
}

/// The beginning of a line, taken before the request is handed on.
pub(super) struct Begun {
    log: RequestLog,
    line: LogLine,
}

impl Begun {
    pub(super) fn new<B>(log: &RequestLog, request: &Request<B>) -> Self {
        let path: String = request.uri().path().chars().take(LONGEST_PATH).collect();
        let line = LogLine {
            at: format!("{:.6}", Timestamp::now()),
            trace_id: trace_id(request.headers()),
            method: request.method().to_string(),
            path,
            status: 0,
            duration_ms: 0.0,
            statements: 0,
        };
        Self { log: log.clone(), line }
    }

    pub(super) fn answered(mut self, status: u16, took: Duration, statements: u32) {
        self.line.status = status;
        self.line.duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
        self.line.statements = statements;
        (self.log.0)(&self.line);
    }
}

/// The caller's trace, if what it says is one (version 00, or a later one that begins like it), else a new one.
fn trace_id(headers: &HeaderMap) -> String {
    let mut lines = headers.get_all("traceparent").iter();
    let said = lines.next().filter(|_| lines.next().is_none()).and_then(|line| read_trace_id(line.to_str().ok()?));
    said.map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned)
}

fn read_trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
    let whole = parts.next().is_none() || version != "00";
    let good = is_hex(version, 2) && version != "ff" && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2);
    (good && whole).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_the_callers_if_it_is_well_formed() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for (said, known) in [
            (format!("00-{trace}-00f067aa0ba902b7-01"), true),
            (format!("01-{trace}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{trace}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{trace}-00f067aa0ba902b7-01"), false),
            (format!("00-{trace}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), false),
            (trace.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(read_trace_id(&said), known.then_some(trace), "{said}");
        }
        assert_ne!(trace_id(&HeaderMap::new()), trace_id(&HeaderMap::new()));
    }
}
