//! The reference service behind a front that decides which versions of HTTP are spoken, and whether within TLS.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use quickeats_bench::history::Version;
use quickeats_bench::jwt::Secret;
use quickeats_bench::service::{Auth, OrderService, ServiceConfig};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::transport::Transport;

/// What tokens are signed with.
pub(crate) const SECRET: &str = "a secret that is as long as one must be";

/// How the preface of HTTP/2 begins, and no request of HTTP/1.1 (RFC 9113 §3.4).
const PREFACE: &[u8; 3] = b"PRI";

/// A service that asks who is calling, and its front; gone when dropped.
pub(crate) struct Target {
    pub(crate) url: String,
    trusted: Option<NamedTempFile>,
    runtime: Option<Runtime>,
}

/// Who is let in, over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    Anyone,
    /// Whoever shows the very certificate that the front shows.
    WithTheCertificate,
}

/// A front of this kind, before a service at `behind`.
#[derive(Clone)]
struct Front {
    transport: Transport,
    tls: Option<TlsAcceptor>,
    behind: SocketAddr,
}

impl Target {
    pub(crate) fn start(transport: Transport, config: ServiceConfig) -> Self {
        Self::start_for(Callers::Anyone, transport, config)
    }

    pub(crate) fn start_for(callers: Callers, transport: Transport, config: ServiceConfig) -> Self {
        let config = ServiceConfig { auth: Auth::Jwt(Secret::new(SECRET).unwrap()), ..config };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (tls, trusted) = transport.is_tls().then(|| self_signed(transport, callers)).unzip();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let behind = listener.local_addr().unwrap();
            let service = OrderService::open(config).await.unwrap();
            tokio::spawn(service.serve(listener, std::future::pending()));
            let front = Front { transport, tls, behind };
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(front.serve(listener));
            address
        });
        let scheme = if transport.is_tls() { "https" } else { "http" };
        Self { url: format!("{scheme}://{address}"), trusted, runtime: Some(runtime) }
    }

    /// The file that makes it trusted, where it must be.
    pub(crate) fn trusted(&self) -> Option<&Path> {
        self.trusted.as_ref().map(NamedTempFile::path)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Front {
    async fn serve(self, listener: TcpListener) {
        while let Ok((tcp, _)) = listener.accept().await {
            let front = self.clone();
            // How a connection ends is the client's affair.
            tokio::spawn(async move { drop(front.connection(tcp).await) });
        }
    }

    async fn connection(self, tcp: TcpStream) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        match &self.tls {
            Some(tls) => self.pass_on(tls.accept(tcp).await?).await,
            None => self.pass_on(tcp).await,
        }
    }

    async fn pass_on(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let mut begin = [0; PREFACE.len()];
        stream.read_exact(&mut begin).await?;
        let version = if &begin == PREFACE { Version::Http2 } else { Version::Http1 };
        if !self.transport.speaks(version) {
            if version == Version::Http2 {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await?;
            }
            return stream.shutdown().await;
        }
        let mut service = TcpStream::connect(self.behind).await?;
        service.set_nodelay(true)?;
        service.write_all(&begin).await?;
        copy_bidirectional(&mut stream, &mut service).await.map(drop)
    }
}

/// A certificate for 127.0.0.1 that nobody else vouches for, with the protocols to choose (RFC 7301); and the file that makes it trusted.
/// (Certificate and key, both: a client that is to show them finds them there.)
fn self_signed(transport: Transport, callers: Callers) -> (TlsAcceptor, NamedTempFile) {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match callers {
        Callers::Anyone => builder.with_no_client_auth(),
        Callers::WithTheCertificate => {
            let mut roots = RootCertStore::empty();
            roots.add(signed.cert.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(vec![signed.cert.der().clone()], key).unwrap();
    for (version, protocol) in [(Version::Http2, "h2"), (Version::Http1, "http/1.1")] {
        if transport.speaks(version) {
            config.alpn_protocols.push(protocol.into());
        }
    }
    let trusted = NamedTempFile::new().unwrap();
    fs::write(trusted.path(), signed.cert.pem() + &signed.signing_key.serialize_pem()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), trusted)
}
