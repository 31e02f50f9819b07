//! Who is asking: the bearer of a token, or, with authentication off, whoever a header says.
//!
//! The name scopes idempotency keys, becomes the rider at pickup, and is the `actor` of events. What a caller may do is
//! for [`access`](super::access) to say.
//!
//! With authentication off an optional header `X-Actor: <role>:<name>` is believed and gives a name to keys, riders and
//! events; nobody is kept from anything.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use quick_cache::sync::Cache;

use super::Service;
use super::problem::Problem;
use crate::jwt::{Claims, Secret, Unbelievable};

const X_ACTOR: HeaderName = HeaderName::from_static("x-actor");
const LONGEST_NAME: usize = 100;
/// So many tokens are remembered, some 300 bytes each.
const MOST_BELIEVED: usize = 10_000;

/// What a person is to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Customer,
    Restaurant,
    Rider,
}

impl Role {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Restaurant => "restaurant",
            Self::Rider => "rider",
        }
    }
}

/// The caller. Displayed as `anonymous` or `role:name`; no two callers display alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Principal {
    Anonymous,
    Named { role: Role, name: String },
}

impl Principal {
    /// Reads `role:name`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (role, name) = text.split_once(':')?;
        let role = [Role::Customer, Role::Restaurant, Role::Rider].into_iter().find(|known| known.name() == role)?;
        let named = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        named.then(|| Self::Named { role, name: name.to_owned() })
    }

    /// The name by which the caller orders, if ordering is what the caller does.
    pub(super) fn customer(&self) -> Option<&str> {
        match self {
            Self::Named { role: Role::Customer, name } => Some(name),
            Self::Named { .. } | Self::Anonymous => None,
        }
    }

    /// The name by which the caller rides, if riding is what the caller does.
    pub(super) fn rider(&self) -> Option<&str> {
        match self {
            Self::Named { role: Role::Rider, name } => Some(name),
            Self::Named { .. } | Self::Anonymous => None,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Named { role, name } => write!(f, "{}:{name}", role.name()),
        }
    }
}

/// Whether callers must prove who they are.
#[derive(Clone, Debug, Default)]
pub enum Auth {
    /// Anyone may do anything.
    #[default]
    Off,
    /// A bearer token signed with this secret says who it is, and roles and ownership say what that one may do.
    Jwt(Secret),
}

impl Auth {
    /// Whether nobody is asked who they are.
    pub const fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }
}

impl FromRequestParts<Arc<Service>> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        match &service.config.auth {
            Auth::Off => self_declared(&parts.headers),
            Auth::Jwt(secret) => service.believed.principal(&parts.headers, secret),
        }
    }
}

fn self_declared(headers: &HeaderMap) -> Result<Principal, Problem> {
    let mut lines = headers.get_all(X_ACTOR).iter();
    let Some(line) = lines.next() else {
        return Ok(Principal::Anonymous);
    };
    line.to_str().ok().filter(|_| lines.next().is_none()).and_then(Principal::parse).ok_or_else(|| {
        Problem::malformed(
            "X-Actor must be one `role:name`: customer, restaurant or rider, \
                 and 1 to 100 visible ASCII characters",
        )
    })
}

/// Whom the tokens name that were good the last time, and until when they are. A token is known by all its text, its signature
/// included, and whether it has expired is asked each time: so one that is remembered proves what it would prove again.
#[derive(Debug)]
pub(super) struct Believed(Cache<String, (Principal, u64)>);

impl Default for Believed {
    fn default() -> Self {
        Self(Cache::new(MOST_BELIEVED))
    }
}

impl Believed {
    fn principal(&self, headers: &HeaderMap, secret: &Secret) -> Result<Principal, Problem> {
        let token = bearer(headers)?;
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
        if let Some((principal, expires)) = self.0.get(token) {
            // Good in the second in which it expires, as `verify` has it.
            let expired = || Problem::unauthenticated(&Unbelievable::Expired.to_string());
            return if expires < now { Err(expired()) } else { Ok(principal) };
        }
        let (principal, expires) = proven(token, secret)?;
        self.0.insert(token.to_owned(), (principal.clone(), expires));
        Ok(principal)
    }
}

/// The one token that came (RFC 6750 §2.1); the scheme's name is read in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next().ok_or_else(|| Problem::unauthenticated("send a token in `Authorization: Bearer …`"))?;
    let token = line.to_str().ok().filter(|_| lines.next().is_none()).and_then(|line| {
        let (scheme, token) = line.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
    });
    token.ok_or_else(|| Problem::unauthenticated("Authorization must be one `Bearer …`"))
}

/// Whom it names, and until when.
fn proven(token: &str, secret: &Secret) -> Result<(Principal, u64), Problem> {
    let Claims { sub, role, exp } =
        secret.verify(token).map_err(|error| Problem::unauthenticated(&error.to_string()))?;
    let principal = Principal::parse(&format!("{role}:{sub}")).ok_or_else(|| {
        Problem::unauthenticated(
            "the token must have `role` customer, restaurant or rider, and `sub` of 1 to 100 visible ASCII characters",
        )
    })?;
    Ok((principal, exp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_a_name_make_a_principal() {
        for text in ["customer:ann", "restaurant:trattoria-roma", "rider:b:o:b"] {
            assert_eq!(Principal::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Principal::parse("rider:bob").unwrap().rider(), Some("bob"));
        assert_eq!(Principal::parse("customer:bob").unwrap().rider(), None);
    }

    #[test]
    fn anything_else_is_malformed() {
        let too_long = format!("rider:{}", "x".repeat(101));
        for text in ["", "ann", "admin:ann", "rider:", "rider:a b", "rider:é", &too_long] {
            assert_eq!(Principal::parse(text), None, "{text}");
        }
    }

    fn sent(token: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())])
    }

    #[test]
    fn a_token_that_was_believed_once_is_believed_until_it_expires_and_by_its_whole_text_alone() {
        let (believed, secret) = (Believed::default(), Secret::random());
        let claims = |exp| Claims { sub: "ann".to_owned(), role: "customer".to_owned(), exp };
        let token = secret.mint(&claims(4_000_000_000));
        for _ in 0..3 {
            assert_eq!(believed.principal(&sent(&token), &secret).unwrap().to_string(), "customer:ann");
        }
        // The same claims, and another signature.
        let (signed, _) = token.rsplit_once('.').unwrap();
        let forged = Secret::random().mint(&claims(4_000_000_000));
        for forged in [forged.as_str(), signed, &format!("{signed}."), &token[..token.len() - 1]] {
            assert!(believed.principal(&sent(forged), &secret).is_err(), "{forged}");
        }
        // What was good until a moment ago.
        let token = secret.mint(&claims(1_000));
        believed.0.insert(token.clone(), (Principal::parse("customer:ann").unwrap(), 1_000));
        assert!(believed.principal(&sent(&token), &secret).is_err());
    }
}
