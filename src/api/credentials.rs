//! What a request carries to prove who makes it. Comes from the command line and never from a file, goes into requests
//! and nowhere else: neither a description nor a history knows any of it, and printing shows names alone.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::exchange::Headers;
use crate::jwt::{Claims, Secret};

/// As many minted tokens are kept; then all are minted anew.
const MOST_MINTED: usize = 4_096;

/// How requests prove who makes them. The default proves nothing.
#[derive(Clone, Default)]
pub struct Credentials {
    headers: Headers,
    bearer: BTreeMap<Arc<str>, Arc<str>>,
    minting: Option<Arc<Minting>>,
}

/// Who is given a token, signed with this secret and good until then. It is signed once: the same claims make the same token
/// (RFC 7515 §5.1, HS256), and signing takes longer than all else that a request takes to write.
struct Minting {
    secret: Secret,
    expires: u64,
    minted: Mutex<Minted>,
}

/// What goes into `Authorization`, by role and subject.
#[derive(Default)]
struct Minted {
    tokens: HashMap<String, HashMap<String, Arc<str>>>,
    count: usize,
}

impl Minting {
    fn bearer(&self, role: &str, subject: &str) -> Arc<str> {
        // A map is whole after every step, so that a panic elsewhere leaves nothing half-done.
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = minted.tokens.get(role).and_then(|tokens| tokens.get(subject)) {
            return Arc::clone(known);
        }
        let claims = Claims { sub: subject.to_owned(), role: role.to_owned(), exp: self.expires };
        let bearer: Arc<str> = format!("Bearer {}", self.secret.mint(&claims)).into();
        if minted.count == MOST_MINTED {
            *minted = Minted::default();
        }
        minted.count += 1;
        minted.tokens.entry(claims.role).or_default().insert(claims.sub, Arc::clone(&bearer));
        bearer
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let roles: Vec<_> = self.bearer.keys().collect();
        let minting = self.minting.is_some();
        f.debug_struct("Credentials")
            .field("headers", &headers)
            .field("bearer", &roles)
            .field("minting", &minting)
            .finish()
    }
}

/// How well a server can tell who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tells {
    /// Not at all.
    Nothing,
    /// By role alone: all in a role have one token.
    Role,
    /// Each person is a principal.
    Person,
}

impl Credentials {
    /// The ready-made token of `role`.
    pub(super) fn bearer(&self, role: &str) -> Option<&Arc<str>> {
        self.bearer.get(role)
    }

    /// Whether a token is minted for each person in `role`.
    pub(super) fn mints_for(&self, role: &str) -> bool {
        self.minting.is_some() && !self.bearer.contains_key(role)
    }

    /// Mints a token for every actor, signed with `secret` and good until `expires` (seconds since 1970).
    ///
    /// ```
    /// use quickeats_bench::{api::Credentials, jwt::Secret};
    ///
    /// let credentials = Credentials::minting(Secret::random(), 4_000_000_000);
    /// assert!(!format!("{credentials:?}").contains("Secret"));
    /// ```
    pub fn minting(secret: Secret, expires: u64) -> Self {
        let minting = Minting { secret, expires, minted: Mutex::default() };
        Self { minting: Some(Arc::new(minting)), ..Self::default() }
    }

    /// Sends a header with every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase().into(), value.into()));
        self
    }

    /// Sends a ready-made token with the requests of one role.
    #[must_use]
    pub fn with_bearer(mut self, role: &str, token: &str) -> Self {
        self.bearer.insert(role.into(), token.into());
        self
    }

    /// The headers that are sent with every request, whoever asks.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// What is not to be shown of these.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Arc<str>> {
        self.headers.iter().map(|(_, value)| value).chain(self.bearer.values()).cloned()
    }

    /// Whether a header of this name is sent with every request.
    pub(super) fn names_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// Puts what proves that `subject` in `role` is asking in the place of what `headers` said about that.
    pub(super) fn apply(&self, role: &str, subject: &str, headers: &mut Headers) {
        for (name, value) in &self.headers {
            replace(headers, name, Arc::clone(value));
        }
        let bearer = match (self.bearer.get(role), &self.minting) {
            (Some(token), _) => Some(format!("Bearer {token}").into()),
            (None, Some(minting)) => Some(minting.bearer(role, subject)),
            (None, None) => None,
        };
        if let Some(bearer) = bearer {
            replace(headers, "authorization", bearer);
        }
    }
}

/// Puts a header in the place of what `headers` said under its name.
pub(super) fn replace(headers: &mut Headers, name: &str, value: Arc<str>) {
    headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    headers.push((name.into(), value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(credentials: &Credentials, role: &str) -> Headers {
        let mut headers: Headers =
            vec![("x-actor".into(), "customer:p".into()), ("authorization".into(), "old".into())];
        credentials.apply(role, "p", &mut headers);
        headers
    }

    #[test]
    fn nothing_is_changed_by_no_credentials() {
        assert_eq!(said(&Credentials::default(), "customer").len(), 2);
    }

    #[test]
    fn a_minted_token_names_the_actor_and_replaces_what_was_said() {
        let secret = Secret::random();
        let headers = said(&Credentials::minting(secret.clone(), 4_000_000_000), "customer");
        let [(_, actor), (name, value)] = &headers[..] else { panic!("{headers:?}") };
        assert_eq!((&**actor, &**name), ("customer:p", "authorization"));
        let claims = secret.verify(value.strip_prefix("Bearer ").unwrap()).unwrap();
        assert_eq!((claims.sub.as_str(), claims.role.as_str()), ("p", "customer"));
    }

    #[test]
    fn a_token_is_kept_for_each_person_in_each_role_and_for_so_many() {
        let secret = Secret::random();
        let minting = Minting { secret: secret.clone(), expires: 4_000_000_000, minted: Mutex::default() };
        let claimed = |role: &str, subject: &str| {
            let bearer = minting.bearer(role, subject);
            assert_eq!(bearer, minting.bearer(role, subject));
            let claims = secret.verify(bearer.strip_prefix("Bearer ").unwrap()).unwrap();
            (claims.role, claims.sub)
        };
        for _ in 0..2 {
            for (role, subject) in [("customer", "ann"), ("rider", "ann"), ("rider", "customer")] {
                assert_eq!(claimed(role, subject), (role.to_owned(), subject.to_owned()));
            }
        }
        for number in 3..MOST_MINTED {
            minting.bearer("customer", &number.to_string());
        }
        assert_eq!(minting.minted.lock().unwrap().count, MOST_MINTED);
        assert_eq!(claimed("customer", "one more"), ("customer".to_owned(), "one more".to_owned()));
        assert_eq!(minting.minted.lock().unwrap().count, 1);
    }

    #[test]
    fn a_given_token_is_for_its_role_and_a_header_for_all() {
        let credentials = Credentials::default().with_bearer("rider", "t0ken").with_header("X-Tenant", "a");
        assert!(said(&credentials, "rider").contains(&("authorization".into(), "Bearer t0ken".into())));
        assert!(said(&credentials, "customer").contains(&("authorization".into(), "old".into())));
        assert!(said(&credentials, "customer").contains(&("x-tenant".into(), "a".into())));
        assert!(!format!("{credentials:?}").contains("t0ken"));
    }
}
