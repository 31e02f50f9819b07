//! Bearer tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256 (`HS256`), minted and verified. Pure: the time is
//! an argument when minting; verifying asks the clock whether a token has expired.
//!
//! ```
//! use quickeats_bench::jwt::{Claims, Secret};
//!
//! let secret = Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap();
//! let claims = Claims { sub: "ann".into(), role: "customer".into(), exp: 4_000_000_000 };
//! let token = secret.mint(&claims);
//! assert_eq!(secret.verify(&token).unwrap(), claims);
//! assert!(Secret::random().verify(&token).is_err());
//! ```

use std::fmt;
use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};

/// The fewest bytes that a secret may have: as many as the hash (RFC 7518 §3.2).
pub const SHORTEST_SECRET: usize = 32;

/// Who somebody is, until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Whom the token names.
    pub sub: String,
    /// What they are to an order.
    pub role: String,
    /// When the token expires, in seconds since 1970.
    pub exp: u64,
}

/// The secret that tokens are signed and verified with. Shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The secret is too short to keep one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret for HS256 has {SHORTEST_SECRET} bytes at least, and this one has {0}")]
pub struct TooShort(usize);

/// The token is not to be believed. Which of the reasons it was is nobody's business, but whether it has expired is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelievable {
    /// It was good once.
    #[error("the token has expired")]
    Expired,
    /// It is no token, or not one that was signed with this secret, or it lacks a claim.
    #[error("the token is not valid")]
    Invalid,
}

impl Secret {
    /// Takes the bytes of a secret.
    ///
    /// # Errors
    /// If they are fewer than [`SHORTEST_SECRET`].
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, TooShort> {
        let bytes = bytes.into();
        if bytes.len() < SHORTEST_SECRET { Err(TooShort(bytes.len())) } else { Ok(Self(bytes)) }
    }

    /// A secret that somebody else has chosen, however short: to speak with their server, it must be theirs.
    pub fn theirs(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A secret that nobody knows.
    pub fn random() -> Self {
        // Two version 4 UUIDs: 244 random bits from the system.
        Self([uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(uuid::Uuid::into_bytes).concat())
    }

    /// Makes a token of `claims`.
    pub fn mint(&self, claims: &Claims) -> String {
        self.sign(claims)
    }

    /// Makes a token of any claims: a JSON object, whose `exp` is the caller's to set.
    pub fn mint_claims(&self, claims: &serde_json::Value) -> String {
        self.sign(claims)
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        use_ring();
        let key = EncodingKey::from_secret(&self.0);
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).expect("JSON can be signed")
    }

    /// The claims of a token that was signed with this secret and has not expired.
    ///
    /// # Errors
    /// If it is anything else: another algorithm (`none` included), another secret, a claim missing, or out of time.
    pub fn verify(&self, token: &str) -> Result<Claims, Unbelievable> {
        use_ring();
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        let verified = jsonwebtoken::decode(token, &DecodingKey::from_secret(&self.0), &rules);
        verified.map(|token| token.claims).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => Unbelievable::Expired,
            _ => Unbelievable::Invalid,
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Gives the library the one algorithm it needs, from the crate that does this program's TLS.
fn use_ring() {
    static PROVIDER: CryptoProvider =
        CryptoProvider { signer_factory: signer, verifier_factory: verifier, key_utils: KeyUtils::new_unimplemented() };
    static ONCE: Once = Once::new();
    // A second installation fails and changes nothing: whoever made the first has brought HS256, too.
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

struct Hs256(hmac::Key);

impl Hs256 {
    fn new(algorithm: Algorithm, secret: &[u8]) -> Result<Self, Error> {
        match algorithm {
            Algorithm::HS256 => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the library's")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.as_bytes())?))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the library's")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(Box::new(Hs256::new(*algorithm, key.try_get_as_bytes()?)?))
}

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    /// In constant time.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7515 appendix A.1, whose key is given there in base64url.
    #[test]
    fn the_example_of_the_rfc_is_signed_as_the_rfc_signs_it() {
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0\
                       dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let key = [
            3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230, 240, 84, 201, 40,
            169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239, 150, 138, 180, 195, 119, 98, 61,
            34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245, 103, 208, 128, 163,
        ];
        use_ring();
        let signed =
            jsonwebtoken::crypto::sign(message.as_bytes(), &EncodingKey::from_secret(&key), Algorithm::HS256).unwrap();
        assert_eq!(signed, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    fn ann(exp: u64) -> Claims {
        Claims { sub: "ann".to_owned(), role: "customer".to_owned(), exp }
    }

    #[test]
    fn an_expired_token_is_not_believed() {
        let secret = Secret::random();
        assert_eq!(secret.verify(&secret.mint(&ann(1_000_000))), Err(Unbelievable::Expired));
    }

    #[test]
    fn neither_another_key_nor_a_changed_or_unsigned_token_is_believed() {
        let (secret, other) = (Secret::random(), Secret::random());
        let token = secret.mint(&ann(4_000_000_000));
        let (head, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = head.split_once('.').unwrap();
        let forged = other.mint(&ann(4_000_000_001));
        let claims = forged.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for bad in [forged.clone(), format!("{header}.{claims}.{signature}"), none, head.to_owned(), String::new()] {
            assert_eq!(secret.verify(&bad), Err(Unbelievable::Invalid), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_long_and_shown_to_nobody() {
        assert_eq!(Secret::new(*b"hunter2"), Err(TooShort(7)));
        let secret = Secret::new(b"hunter2".repeat(5)).unwrap();
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
