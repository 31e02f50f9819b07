//! The bytes of a persistent connection: TCP with `TCP_NODELAY`, or TLS over it. Nothing is ever held here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::history::Cause;
use crate::target::http::broken;

/// Plain or encrypted.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a connection does while nothing is asked on it.
#[derive(Debug)]
pub(super) enum Idle {
    /// Nothing, as it should.
    Silent,
    /// It has ended.
    Ended(Cause),
    /// It says something: the end of an answer that was too long, or "408", or no HTTP.
    Talking,
}

impl Stream {
    /// What has come while nothing was asked, as far as the runtime has heard of it: that costs no system call. What comes a
    /// moment later is found out by the request.
    pub(super) fn idle(&mut self, cx: &mut Context<'_>) -> Idle {
        let mut byte = [0; 1];
        let come = match self {
            Self::Plain(tcp) => match tcp.try_read(&mut byte) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Idle::Silent,
                come => come,
            },
            // Tickets and the like may come at any time: only the session can tell them from data.
            Self::Tls(session) => {
                let mut buffer = ReadBuf::new(&mut byte);
                match Pin::new(session).poll_read(cx, &mut buffer) {
                    Poll::Pending => return Idle::Silent,
                    Poll::Ready(read) => read.map(|()| buffer.filled().len()),
                }
            }
        };
        match come {
            Ok(0) => Idle::Ended(Cause::Broken("the server closed the connection".to_owned())),
            Ok(_) => Idle::Talking,
            Err(error) => Idle::Ended(broken(&error, false)),
        }
    }

    /// Whether what a failed write did not take may have left all the same: a TLS session sends what it has, and then says
    /// that it failed.
    pub(super) const fn is_buffered(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(_) => true,
        }
    }

    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(session) => Pin::new(session).poll_read(cx, buffer),
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(session) => Pin::new(session).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())), // nothing stands between it and the kernel
            Self::Tls(session) => Pin::new(session).poll_flush(cx),
        }
    }
}
