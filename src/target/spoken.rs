//! Which versions of HTTP a target speaks: asked once, before a run, without a request that could have an effect.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stream::Stream;
use super::tls::{HTTP_2, Offers};
use super::{Endpoint, Method, Version};
use crate::clock::Clock;
use crate::history::Cause;

/// How long a server has to show that it understands HTTP/2. One that waits for the end of a request it does not understand
/// would wait for ever.
const LIMIT: Duration = Duration::from_secs(1);

/// The client's connection preface, with empty settings (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a SETTINGS frame, and where it stands in the frame's header (RFC 9113 §4.1, §6.5).
const SETTINGS: (usize, u8) = (3, 0x4);

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    /// HTTP/1.1.
    pub http1: bool,
    /// HTTP/2: chosen by ALPN over TLS, known beforehand in plain text (RFC 9113 §3).
    pub http2: bool,
}

impl Spoken {
    /// HTTP/1.1 alone: what is taken for granted where nobody asked.
    pub const HTTP_1: Self = Self { http1: true, http2: false };

    /// Whether a volley can be delivered so.
    pub const fn allows(self, method: Method) -> bool {
        match method.version() {
            Version::Http1 => self.http1,
            Version::Http2 => self.http2,
        }
    }

    /// Asks. A server that cannot be reached is taken to speak HTTP/1.1: whoever sends it a request is told what is wrong.
    pub(super) async fn of(endpoint: &Endpoint, tls: &Offers, clock: Clock, limit: Duration) -> Self {
        let limit = limit.min(LIMIT);
        let within = |asked| async move { tokio::time::timeout(limit, asked).await.unwrap_or(false) };
        let http2 = within(speaks_http2(endpoint, tls, clock)).await;
        let http1 = !http2 || tokio::time::timeout(limit, speaks_http1(endpoint, tls, clock)).await.unwrap_or(false);
        Self { http1, http2 }
    }
}

async fn speaks_http2(endpoint: &Endpoint, tls: &Offers, clock: Clock) -> bool {
    let asked = async {
        let (mut stream, _) = Stream::connect(endpoint, tls.of(Version::Http2), clock).await?;
        if endpoint.is_tls() {
            return Ok(stream.protocol() == Some(HTTP_2));
        }
        let broken = |error: std::io::Error| Cause::Connect(error.to_string());
        stream.write_all(PREFACE).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.map_err(broken)?;
        Ok::<_, Cause>(head[SETTINGS.0] == SETTINGS.1 && head[4..] == [0; 5])
    };
    asked.await.unwrap_or(false)
}

async fn speaks_http1(endpoint: &Endpoint, tls: &Offers, clock: Clock) -> bool {
    let asked = async {
        let (mut stream, _) = Stream::connect(endpoint, tls.of(Version::Http1), clock).await?;
        let broken = |error: std::io::Error| Cause::Connect(error.to_string());
        // About the server as a whole, and without an effect (RFC 9110 §9.3.7).
        let request = format!("OPTIONS * HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", endpoint.authority());
        stream.write_all(request.as_bytes()).await.map_err(broken)?;
        stream.flush().await.map_err(broken)?;
        let mut begin = [0; 7];
        stream.read_exact(&mut begin).await.map_err(broken)?;
        Ok::<_, Cause>(&begin == b"HTTP/1.")
    };
    asked.await.unwrap_or(false)
}
