//! Who is raced: a handler that does nothing but stamp, and the reference service.

use std::convert::Infallible;
use std::fs;
use std::future::pending;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quickeats_bench::clock::Clock;
use quickeats_bench::service::{OrderService, ServiceConfig};
use quickeats_bench::target::Version;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A key and the certificate that it signed for itself, which clients trust if `SSL_CERT_FILE` names it.
#[derive(Clone)]
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl Identity {
    /// Writes a new one into `folder`.
    pub(crate) fn write(folder: &Path) {
        let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(Self::certificate_file(folder), signed.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), signed.signing_key.serialize_pem()).unwrap();
    }

    pub(crate) fn read(folder: &Path) -> Self {
        let certificate = CertificateDer::from_pem_file(Self::certificate_file(folder)).unwrap();
        let key = Arc::new(PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap());
        Self { certificate, key }
    }

    pub(crate) fn certificate_file(folder: &Path) -> std::path::PathBuf {
        folder.join("certificate.pem")
    }

    fn acceptor(&self, protocol: &[u8]) -> TlsAcceptor {
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A handler that stamps and answers, by one version of HTTP, on so many threads; over TLS if it has an identity.
pub(crate) fn lean(version: Version, identity: Option<Identity>, workers: usize) -> SocketAddr {
    let acceptor = identity.map(|identity| {
        identity.acceptor(match version {
            Version::Http1 => b"http/1.1",
            Version::Http2 => b"h2",
        })
    });
    on_a_runtime_of_its_own((0, workers), async move |listener: TcpListener| {
        let clock = Clock::start();
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // How a connection ends is its peer's affair.
                match acceptor {
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(tcp).await {
                            serve(stream, version, clock).await;
                        }
                    }
                    None => serve(tcp, version, clock).await,
                }
            });
        }
    })
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, version: Version, clock: Clock) {
    let (io, service) = (TokioIo::new(stream), service_fn(move |request| stamp(request, clock.now().nanos(), clock)));
    let _ = match version {
        Version::Http1 => http1::Builder::new().serve_connection(io, service).await,
        Version::Http2 => http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await,
    };
}

/// Says when it had the head of the request (stamped as the service is called, which the reference service does as well), and when
/// it had all of it.
async fn stamp(request: Request<Incoming>, arrived: u64, clock: Clock) -> Result<Response<Full<Bytes>>, Infallible> {
    // A body that breaks off ends its connection, and the round with it.
    let _ = request.into_body().collect().await;
    let whole = clock.now().nanos();
    let millis = |nanos: u64| format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000);
    let timing = format!("arrival;dur={}, whole;dur={}", millis(arrived), millis(whole));
    Ok(Response::builder().header("server-timing", timing).body(Full::from("{}")).unwrap())
}

/// The reference service in memory, which steps back as it does when `race` starts it.
pub(crate) fn reference() -> SocketAddr {
    on_a_runtime_of_its_own((5, 2), async |listener| {
        let service = OrderService::open(ServiceConfig::default()).await.unwrap();
        service.serve(listener, pending()).await.unwrap();
    })
}

/// Starts a thread with a runtime of so many workers, whose threads are that `nice`, and a server on it that nobody stops.
fn on_a_runtime_of_its_own<F: Future<Output = ()>>(
    (nice, workers): (i32, usize),
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let step_back = move || {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, nice);
    };
    thread::spawn(move || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(workers).on_thread_start(step_back).enable_all().build().unwrap();
        runtime.block_on(async { serve(TcpListener::from_std(listener).unwrap()).await });
    });
    address
}
