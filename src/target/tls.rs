//! TLS, the same for set-up and for measured requests.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::{Endpoint, Version};

/// HTTP/2 as a protocol to choose (RFC 9113 §3.2).
pub(super) const HTTP_2: &[u8] = b"h2";
/// HTTP/1.1 as a protocol to choose (RFC 7301 §6).
const HTTP_1: &[u8] = b"http/1.1";

/// TLS could not be prepared.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// The configuration for `endpoint`. A plain-text target needs no trusted roots, so a machine without any will do.
pub(super) fn config(endpoint: &Endpoint) -> Result<ClientConfig, TlsError> {
    if endpoint.is_tls() {
        return Ok(endpoint.trust().config(Arc::new(ring::default_provider()))?);
    }
    Ok(trusting(RootCertStore::empty()))
}

/// A configuration that trusts `roots` alone.
pub(super) fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// One configuration for each version of HTTP, with nothing else to choose: they share their session tickets.
#[derive(Debug, Clone)]
pub(super) struct Offers {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Offers {
    pub(super) fn new(config: &ClientConfig) -> Self {
        let offering = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        Self { http1: offering(HTTP_1), http2: offering(HTTP_2) }
    }

    pub(super) const fn of(&self, version: Version) -> &Arc<ClientConfig> {
        match version {
            Version::Http1 => &self.http1,
            Version::Http2 => &self.http2,
        }
    }
}
