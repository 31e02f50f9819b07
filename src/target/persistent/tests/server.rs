//! A server that does what a script says, one connection after the other.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::clock::Clock;
use crate::target::persistent::{Persistent, Route};
use crate::target::{Endpoint, Patience, tls};

/// What it does on a connection, one after the other; then it closes it.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Waits for a whole request.
    Take,
    /// Waits for the header section of a request, and reads no more than that.
    TakeHead,
    Say(Vec<u8>),
    /// Says it byte by byte.
    Trickle(Vec<u8>),
    /// Says it again and again until nobody listens.
    Repeat(Vec<u8>),
    /// Does nothing, until the other side is gone.
    Hang,
    /// Ends the connection with a reset.
    Reset,
    /// Ends the connection without a word, which TLS has for that.
    Cut,
}

impl Act {
    pub(super) fn say(bytes: &[u8]) -> Self {
        Self::Say(bytes.to_vec())
    }
}

/// A running server.
pub(super) struct Server {
    /// A message for each connection that is over.
    over: mpsc::UnboundedReceiver<()>,
    requests: JoinHandle<Vec<Vec<u8>>>,
}

impl Server {
    /// Plays a script: what is done on each connection. When it is over, nobody listens any more. With it a line that leads
    /// there.
    pub(super) async fn start(is_tls: bool, limit: Duration, script: Vec<Vec<Act>>) -> (Self, Persistent) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (server_tls, client_tls) = private_tls();
        let route = route(&listener, is_tls, &client_tls, limit).await;
        let acceptor = is_tls.then(|| TlsAcceptor::from(Arc::new(server_tls)));
        let (close, over) = mpsc::unbounded_channel();
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for acts in script {
                let (tcp, _) = listener.accept().await.unwrap();
                tcp.set_nodelay(true).unwrap();
                requests.push(serve(tcp, acceptor.as_ref(), acts).await);
                let _ = close.send(());
            }
            requests
        });
        (Self { over, requests }, Persistent::new(route))
    }

    /// Waits until a connection is over, and the runtime has heard of it.
    pub(super) async fn hangs_up(&mut self) {
        self.over.recv().await.unwrap();
        super::listen().await;
    }

    /// What came in on each connection, when the script is over.
    pub(super) async fn requests(self) -> Vec<String> {
        let requests = self.requests.await.unwrap();
        requests.into_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }
}

async fn serve(tcp: TcpStream, acceptor: Option<&TlsAcceptor>, acts: Vec<Act>) -> Vec<u8> {
    let is_reset = acts.iter().any(|act| matches!(act, Act::Reset));
    if is_reset {
        tcp.set_zero_linger().unwrap();
    }
    match acceptor {
        None => play(tcp, acts).await,
        Some(acceptor) => match acceptor.accept(tcp).await {
            Ok(session) => play(session, acts).await,
            Err(_) => Vec::new(),
        },
    }
}

/// What came in. The other side may be gone at any time.
async fn play(mut wire: impl AsyncRead + AsyncWrite + Unpin, acts: Vec<Act>) -> Vec<u8> {
    let (mut came, mut at) = (Vec::new(), 0);
    for act in acts {
        match act {
            Act::Take => at = take(&mut wire, &mut came, at, true).await,
            Act::TakeHead => at = take(&mut wire, &mut came, at, false).await,
            Act::Say(bytes) => drop(say(&mut wire, &bytes).await),
            Act::Trickle(bytes) => {
                for byte in bytes {
                    let _ = say(&mut wire, &[byte]).await;
                    tokio::task::yield_now().await;
                }
            }
            Act::Repeat(bytes) => while say(&mut wire, &bytes).await.is_ok() {},
            Act::Hang => while wire.read_buf(&mut came).await.is_ok_and(|read| read > 0) {},
            Act::Reset | Act::Cut => return came,
        }
    }
    let _ = wire.shutdown().await;
    came
}

async fn say(wire: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    wire.write_all(bytes).await?;
    wire.flush().await
}

/// Reads until a request is there that begins `at`, and returns where it ends.
async fn take(wire: &mut (impl AsyncRead + Unpin), came: &mut Vec<u8>, at: usize, has_body: bool) -> usize {
    loop {
        let text = String::from_utf8_lossy(&came[at..]);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split_once("content-length: ").map(|(_, rest)| rest.split("\r\n").next().unwrap());
            let length = length.map_or(0, |digits| digits.parse().unwrap());
            if !has_body || body.len() >= length {
                return at + head.len() + 4 + if has_body { length } else { body.len() };
            }
        }
        if !wire.read_buf(came).await.is_ok_and(|read| read > 0) {
            return came.len();
        }
    }
}

/// The route to a listener, trusting it alone.
pub(super) async fn route(listener: &TcpListener, is_tls: bool, tls: &ClientConfig, limit: Duration) -> Route {
    let scheme = if is_tls { "https" } else { "http" };
    let endpoint = Endpoint::parse(&format!("{scheme}://{}", listener.local_addr().unwrap())).unwrap();
    Route::with_tls(&endpoint, tls, Clock::start(), Patience { request: limit }).await.unwrap()
}

/// A server's configuration, and a client's that trusts it alone.
pub(super) fn private_tls() -> (ServerConfig, ClientConfig) {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = signed.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (server, tls::trusting(roots))
}
