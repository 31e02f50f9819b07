//! Whom a TLS target is trusted by, and how it is shown who asks: the platform's roots, more of one's own, a client's
//! certificate; or, on one's own head, nobody asked.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// How TLS is spoken to a target. The default trusts the platform's roots and shows nothing.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    roots: Vec<CertificateDer<'static>>,
    identity: Option<Arc<Identity>>,
    believes_anyone: bool,
}

/// A client's certificate, with those it stems from, and its key.
#[derive(Debug)]
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why a file of certificates or keys is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, String),
    /// There is nothing of the kind in it.
    #[error("{0} holds no {1} in PEM form")]
    Empty(String, &'static str),
}

impl Trust {
    /// Trusts the authorities of a PEM file, too.
    ///
    /// # Errors
    /// If it cannot be read, or holds no certificate.
    pub fn with_roots(mut self, file: &Path) -> Result<Self, TrustError> {
        self.roots = certificates(file)?;
        Ok(self)
    }

    /// Shows a certificate when the target asks for one: PEM files of the certificate, with those it stems from, and of its key.
    ///
    /// # Errors
    /// If one cannot be read, or holds nothing of the kind.
    pub fn with_identity(mut self, certificate: &Path, key: &Path) -> Result<Self, TrustError> {
        let chain = certificates(certificate)?;
        let key = match PrivateKeyDer::from_pem_file(key) {
            Ok(key) => key,
            Err(rustls::pki_types::pem::Error::NoItemsFound) => {
                return Err(TrustError::Empty(shown(key), "private key"));
            }
            Err(error) => return Err(TrustError::Unreadable(shown(key), error.to_string())),
        };
        self.identity = Some(Arc::new(Identity { chain, key }));
        Ok(self)
    }

    /// Believes whoever answers. Anybody on the way can read and change what is said.
    #[must_use]
    pub const fn believing_anyone(mut self) -> Self {
        self.believes_anyone = true;
        self
    }

    /// The configuration of a client that trusts so.
    pub(super) fn config(&self, provider: Arc<CryptoProvider>) -> Result<ClientConfig, rustls::Error> {
        let verifier: Arc<dyn ServerCertVerifier> = if self.believes_anyone {
            Arc::new(Credulous(provider.signature_verification_algorithms))
        } else {
            Arc::new(Verifier::new_with_extra_roots(self.roots.iter().cloned(), Arc::clone(&provider))?)
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some(identity) => builder.with_client_auth_cert(identity.chain.clone(), identity.key.clone_key()),
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let unreadable = |error: &dyn std::fmt::Display| TrustError::Unreadable(shown(file), error.to_string());
    let all: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(|error| unreadable(&error))?
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(&error))?;
    if all.is_empty() { Err(TrustError::Empty(shown(file), "certificate")) } else { Ok(all) }
}

fn shown(file: &Path) -> String {
    crate::text::harmless(&file.display().to_string(), 200)
}

/// Believes every certificate; that the peer has its key is still checked.
#[derive(Debug)]
struct Credulous(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
