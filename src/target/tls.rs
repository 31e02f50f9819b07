//! TLS, the same for set-up and for measured requests: the platform's trusted roots, and no others.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::Endpoint;

/// TLS could not be prepared.
#[derive(Debug, thiserror::Error)]
#[error("TLS cannot be set up: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// The configuration for `endpoint`. A plain-text target needs no trusted roots, so a machine without any will do.
pub(super) fn config(endpoint: &Endpoint) -> Result<ClientConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    if endpoint.is_tls() {
        return Ok(builder.with_platform_verifier()?.with_no_client_auth());
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
