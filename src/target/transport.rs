//! How a target is reached, as far as one can ask without an effect: TLS, versions of HTTP, whether connections are kept.

use std::sync::Arc;

use super::stream::Stream;
use super::tls::HTTP_2;
use super::{Contender, Failure, HttpTarget, Line, Spoken, Version};
use crate::api::Request;
use crate::history::Cause;

/// How a target is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The versions of HTTP that it speaks.
    pub spoken: Spoken,
    /// What it chose, over TLS.
    pub tls: Option<TlsFacts>,
    /// Whether it answered a second request on one connection (HTTP/1.1, RFC 9112 §9.3).
    pub keeps_alive: bool,
}

/// What a TLS server chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version: `TLS 1.3`.
    pub version: String,
    /// Whether it chooses HTTP/2 where that is offered (ALPN, RFC 7301).
    pub chooses_http2: bool,
}

impl HttpTarget {
    /// Asks how it is reached; `request` must be a safe one, and is sent twice on one connection.
    ///
    /// # Errors
    /// Why it cannot be reached, or does not answer.
    pub async fn transport(&self, request: &Request) -> Result<Transport, Cause> {
        let spoken = self.ask_what_it_speaks().await;
        let version = if spoken.http1 { Version::Http1 } else { Version::Http2 };
        let tls = if self.endpoint.is_tls() { Some(self.tls_facts(version).await?) } else { None };
        let mut line = Line::open(Arc::clone(&self.endpoint), &self.tls, self.clock, version, self.limit).await?;
        if let Err(Failure::NotSent(cause) | Failure::Unknown(cause)) = line.send(request).await.result {
            return Err(cause);
        }
        let keeps_alive = line.is_usable() && line.send(request).await.result.is_ok();
        Ok(Transport { spoken, tls, keeps_alive })
    }

    async fn tls_facts(&self, version: Version) -> Result<TlsFacts, Cause> {
        let within = |version| {
            let connecting = Stream::connect(&self.endpoint, self.tls.of(version), self.clock);
            tokio::time::timeout(self.limit, connecting)
        };
        let (stream, _) = within(version).await.map_err(|_| Cause::TimedOut)??;
        let chosen = within(Version::Http2).await.map_err(|_| Cause::TimedOut)?;
        let chooses_http2 = chosen.is_ok_and(|(stream, _)| stream.protocol() == Some(HTTP_2));
        Ok(TlsFacts { version: stream.tls_version().unwrap_or_default(), chooses_http2 })
    }
}
