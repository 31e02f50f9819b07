//! A connection's bytes: TCP with a hold at the bottom, TLS over it where the target wants it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Endpoint;
use super::hold::{HeldSocket, Hold};
use crate::clock::Clock;
use crate::history::Cause;

/// Plain or encrypted.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(HeldSocket),
    Tls(Box<TlsStream<HeldSocket>>),
}

impl Stream {
    /// Connects, with `TCP_NODELAY`; over TLS if the endpoint says so, which then chooses among the protocols that `tls`
    /// offers (RFC 7301).
    pub(super) async fn connect(
        endpoint: &Endpoint,
        tls: &Arc<ClientConfig>,
        clock: Clock,
    ) -> Result<(Self, Arc<Hold>), Cause> {
        let refused = |error: io::Error| Cause::Connect(error.to_string());
        let tcp = TcpStream::connect((endpoint.host(), endpoint.port())).await.map_err(refused)?;
        tcp.set_nodelay(true).map_err(refused)?;
        let hold = Hold::new(tcp, clock);
        let socket = HeldSocket(Arc::clone(&hold));
        if !endpoint.is_tls() {
            return Ok((Self::Plain(socket), hold));
        }
        let name = ServerName::try_from(endpoint.host()).map_err(|error| Cause::Tls(error.to_string()))?;
        let session = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await;
        let session = session.map_err(|error| Cause::Tls(error.to_string()))?;
        Ok((Self::Tls(Box::new(session)), hold))
    }

    /// The version of TLS that was agreed on: `TLS 1.3`.
    pub(super) fn tls_version(&self) -> Option<String> {
        let Self::Tls(session) = self else { return None };
        let version = session.get_ref().1.protocol_version()?;
        Some(match version {
            rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3".to_owned(),
            rustls::ProtocolVersion::TLSv1_2 => "TLS 1.2".to_owned(),
            other => format!("{other:?}"),
        })
    }

    /// The protocol that the server chose, if it chose any.
    pub(super) fn protocol(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(session) => session.get_ref().1.alpn_protocol(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Tls(session) => Pin::new(session).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(session) => Pin::new(session).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(session) => Pin::new(session).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(session) => Pin::new(session).poll_shutdown(cx),
        }
    }
}
