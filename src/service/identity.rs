//! Who is asking. Nothing is proven yet: an optional header `X-Actor: <role>:<name>` is believed.
//!
//! The name scopes idempotency keys, becomes the rider at pickup, and is the `actor` of events. Without the header
//! the caller is `anonymous`, who may do everything. No authorization is decided here or anywhere else.

use std::fmt;

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;

use super::problem::Problem;

const X_ACTOR: HeaderName = HeaderName::from_static("x-actor");
const LONGEST_NAME: usize = 100;

/// What a person is to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Customer,
    Restaurant,
    Rider,
}

impl Role {
    const fn name(self) -> &'static str {
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
    fn parse(text: &str) -> Option<Self> {
        let (role, name) = text.split_once(':')?;
        let role = [Role::Customer, Role::Restaurant, Role::Rider].into_iter().find(|known| known.name() == role)?;
        let named = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
        named.then(|| Self::Named { role, name: name.to_owned() })
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

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut lines = parts.headers.get_all(X_ACTOR).iter();
        let Some(line) = lines.next() else {
            return Ok(Self::Anonymous);
        };
        line.to_str().ok().filter(|_| lines.next().is_none()).and_then(Self::parse).ok_or_else(|| {
            Problem::malformed(
                "X-Actor must be one `role:name`: customer, restaurant or rider, \
                     and 1 to 100 visible ASCII characters",
            )
        })
    }
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
}
