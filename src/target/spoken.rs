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
/// How the content type of gRPC's answers begins.
const GRPC: &[u8] = b"application/grpc";
/// The type of a SETTINGS frame, and where it stands in the frame's header (RFC 9113 §4.1, §6.5).
const SETTINGS: (usize, u8) = (3, 0x4);

/// What a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoken {
    /// HTTP/1.1.
    pub http1: bool,
    /// HTTP/2: chosen by ALPN over TLS, known beforehand in plain text (RFC 9113 §3). Not where it carries gRPC alone: that is
    /// another API than the one that HTTP/1.1 reaches on the same port.
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
        let http2 = within(limit, speaks_http2(endpoint, tls, clock)).await
            && !within(limit, is_grpc(endpoint, tls, clock)).await;
        let http1 = !http2 || within(limit, speaks_http1(endpoint, tls, clock)).await;
        Self { http1, http2 }
    }
}

async fn within(limit: Duration, asked: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(limit, asked).await.unwrap_or(false)
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

/// Whether the server resets a request that is not gRPC's, or answers it as gRPC does. It is asked for what it allows at the
/// target's own URL, which has no effect (RFC 9110 §9.3.7); whatever else comes of that, nothing is concluded.
async fn is_grpc(endpoint: &Endpoint, tls: &Offers, clock: Clock) -> bool {
    let asked = async {
        let (stream, _) = Stream::connect(endpoint, tls.of(Version::Http2), clock).await.ok()?;
        let (client, connection) = h2::client::handshake(stream).await.ok()?;
        let answered = async {
            let request = http::Request::options(endpoint.join("/")).body(()).ok()?;
            let (response, _) = client.ready().await.ok()?.send_request(request, true).ok()?;
            Some(match response.await {
                Ok(response) => response
                    .headers()
                    .get(http::header::CONTENT_TYPE)
                    .is_some_and(|kind| kind.as_bytes().starts_with(GRPC)),
                Err(error) => {
                    error.is_remote() && error.is_reset() && error.reason() == Some(h2::Reason::PROTOCOL_ERROR)
                }
            })
        };
        tokio::select! {
            answered = answered => answered,
            _ = connection => None,
        }
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
