//! Targets over TLS, trusted and not; and those that only seem to be.

use std::fs;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;

use crate::bench::Bench;
use crate::server::{Greeting, Reaction, Server};
use crate::shop::Shop;

/// A self-signed certificate for 127.0.0.1: a server's configuration, and the file that makes it trusted.
fn self_signed() -> (Arc<ServerConfig>, NamedTempFile) {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let trusted = NamedTempFile::new().unwrap();
    fs::write(trusted.path(), signed.cert.pem()).unwrap();
    (Arc::new(config), trusted)
}

/// The environment variable that names the platform's trusted roots, where they are files.
const ROOTS: &str = "SSL_CERT_FILE";

#[cfg(target_os = "linux")]
#[test]
fn a_trusted_target_is_raced_over_tls() {
    let (config, trusted) = self_signed();
    let server = Server::start_tls(config, Shop::default());
    let ended = Bench::race(&server.url()).rounds(10).env(ROOTS, trusted.path()).run().expect_code(0);
    assert!(ended.result().scenarios[0].rounds_overlapped > 0, "{}", ended.said());
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let (config, _) = self_signed();
    let (_, other) = self_signed();
    let server = Server::start_tls(config, Shop::default());
    Bench::race(&server.url())
        .env(ROOTS, other.path())
        .run()
        .expect_unusable("no TLS session (")
        .expect_stderr("certificate")
        .expect_stderr("For plain HTTP write http://");
    assert!(server.asked().is_empty());
}

#[test]
fn a_plain_server_behind_an_https_url_is_recognised() {
    let (_, trusted) = self_signed();
    let bad_request = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec();
    let plain = Server::start(Greeting(Reaction::SayAndClose(bad_request)));
    let url = plain.url().replace("http://", "https://");
    Bench::race(&url)
        .env(ROOTS, trusted.path())
        .run()
        .expect_unusable("no TLS session (")
        .expect_stderr("For plain HTTP write http://");
}

#[test]
fn a_handshake_that_is_never_answered_is_given_up_in_time() {
    let (_, trusted) = self_signed();
    let silent = Server::start(Greeting(Reaction::Hang));
    let url = silent.url().replace("http://", "https://");
    Bench::race(&url).timeout("300ms").env(ROOTS, trusted.path()).run().expect_unusable("= help: ");
}

#[test]
fn a_tls_server_behind_an_http_url_is_recognised() {
    let (config, _) = self_signed();
    let server = Server::start_tls(config, Shop::default());
    let url = server.url().replace("https://", "http://");
    Bench::race(&url).run().expect_unusable("For TLS write https://");
    assert!(server.asked().is_empty());
}
