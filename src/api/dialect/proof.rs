//! How an actor's requests prove who asks, where the description says it. Secrets are holes: the text has their names alone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::asking::JsonTemplate;
use crate::api::credentials::replace;
use crate::api::exchange::Headers;
use crate::api::template::{Hole, Template, Values};
use crate::jwt::Secret;

/// What proves that an actor is asking.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::api) enum Proof {
    /// A bearer token (RFC 6750).
    Bearer(Template),
    /// A user and a password (RFC 7617).
    Basic {
        /// Who.
        user: Template,
        /// The password.
        password: Template,
    },
    /// A token made for the person: HS256, with these claims and `exp`.
    Mint {
        /// What it is signed with.
        secret: Template,
        /// What it claims.
        claims: JsonTemplate,
        /// When it expires, in seconds since 1970.
        expires: u64,
    },
}

impl Proof {
    /// Whether two persons of one role are told apart by it.
    pub(super) fn names_the_person(&self) -> bool {
        let mut names = false;
        self.templates(&mut |template| names |= template.has(&Hole::Person));
        names
    }

    pub(super) fn templates(&self, see: &mut dyn FnMut(&Template)) {
        match self {
            Self::Bearer(token) => see(token),
            Self::Basic { user, password } => [user, password].into_iter().for_each(see),
            Self::Mint { secret, claims, .. } => {
                see(secret);
                claims.templates(see);
            }
        }
    }

    /// What is compared with another role's: all of it that says who asks, and no time.
    pub(super) fn compared(&self, values: Values<'_>) -> String {
        match self {
            Self::Bearer(token) => format!("Bearer {}", token.fill(values)),
            Self::Basic { user, password } => format!("Basic {:?}", (user.fill(values), password.fill(values))),
            Self::Mint { secret, claims, .. } => format!("Mint {:?}", (secret.fill(values), claims.fill(values))),
        }
    }

    /// Puts it in the place of what `headers` said.
    pub(super) fn apply(&self, values: Values<'_>, headers: &mut Headers) {
        let said = match self {
            Self::Bearer(token) => format!("Bearer {}", token.fill(values)),
            Self::Basic { user, password } => {
                let pair = format!("{}:{}", user.fill(values), password.fill(values));
                format!("Basic {}", STANDARD.encode(pair))
            }
            Self::Mint { secret, claims, expires } => {
                let mut claims = claims.fill(values);
                if let Some(claims) = claims.as_object_mut() {
                    claims.entry("exp").or_insert_with(|| (*expires).into());
                }
                format!("Bearer {}", Secret::theirs(secret.fill(values)).mint_claims(&claims))
            }
        };
        replace(headers, "authorization", said.into());
    }
}
