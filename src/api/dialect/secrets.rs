//! What people must not see: secrets in requests, and in replies that repeat them.

use std::fmt;
use std::sync::Arc;

use super::Dialect;
use super::asking::Send;
use crate::api::exchange::{Headers, Request};
use crate::api::template::MASKED;

/// Words in the names of headers that carry secrets.
const SECRET_WORDS: [&str; 9] =
    ["auth", "cookie", "credential", "key", "password", "secret", "session", "signature", "token"];
/// What is shorter is no secret, and would be found in every other text (bytes).
const SHORTEST: usize = 4;

/// The secrets that requests carry, to be taken out of what is shown. Printing it shows none.
///
/// ```
/// use quickeats_bench::api::{Credentials, builtin};
///
/// let api = (*builtin::api("quickeats-v2").unwrap()).clone();
/// let api = api.with_credentials(Credentials::default().with_bearer("rider", "t0ken"));
/// assert_eq!(api.dialect.secrets().mask("who is t0ken?"), "who is (masked)?");
/// ```
#[derive(Clone, Default)]
pub struct Secrets(Vec<Arc<str>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

impl Secrets {
    fn new(mut all: Vec<Arc<str>>) -> Self {
        all.retain(|secret| secret.len() >= SHORTEST);
        let bare: Vec<Arc<str>> = all.iter().filter_map(|secret| Some(secret.split_once(' ')?.1.into())).collect();
        all.extend(bare.into_iter().filter(|secret| secret.len() >= SHORTEST));
        // The longest first: one may be part of another.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all.dedup();
        Self(all)
    }

    /// What these headers carry: the whole of each, and what follows a scheme (`Bearer`).
    pub fn of(headers: &Headers) -> Self {
        Self::new(headers.iter().map(|(_, value)| Arc::clone(value)).collect())
    }

    /// `text` with `(masked)` in the place of every secret.
    pub fn mask(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(&**secret, MASKED))
    }

    /// These, and what `request` proves who asks with: a minted token is known nowhere else.
    #[must_use]
    pub fn with_sent(&self, request: &Request) -> Self {
        let sent = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        Self::new(self.0.iter().cloned().chain(sent.map(|(_, value)| Arc::clone(value))).collect())
    }
}

impl Dialect {
    /// What the environment, logins and the command line gave, that nobody is to see.
    pub fn secrets(&self) -> Secrets {
        let logins = self.logged_in.values().flat_map(|login| {
            let cookies = login.cookie.iter().flat_map(|cookie| cookie.split("; "));
            let values = cookies.filter_map(|pair| pair.split_once('=')).map(|(_, value)| Arc::from(value));
            login.token.iter().cloned().chain(values).collect::<Vec<_>>()
        });
        let given = self.environment.values().cloned().chain(logins);
        Secrets::new(given.chain(self.credentials.secrets()).collect())
    }

    /// Masks the values of headers that may be secrets, but for the version token and the idempotency key.
    pub(super) fn mask_headers(&self, headers: &mut Headers) {
        let sent_in = |send: Option<&Send>| match send {
            Some(Send::Header(name)) => Some(Arc::clone(name)),
            Some(Send::Query(_) | Send::Body(_)) | None => None,
        };
        let token = self.token.as_ref().and_then(|token| sent_in(token.send.as_ref()));
        let key = self.idempotency.as_ref().and_then(|key| sent_in(key.send.as_ref()));
        for (name, value) in headers {
            let is_plain = [&token, &key].into_iter().flatten().any(|plain| plain == name);
            let is_given = self.credentials.names_header(name);
            let lower = name.to_ascii_lowercase();
            if is_given || !is_plain && SECRET_WORDS.iter().any(|word| lower.contains(word)) {
                *value = masked(name, value);
            }
        }
    }
}

/// What is shown of a secret header: its scheme, if it is one of those that have one.
fn masked(name: &str, value: &str) -> Arc<str> {
    match value.split_once(' ') {
        Some((scheme @ ("Basic" | "Bearer"), _)) if name.eq_ignore_ascii_case("authorization") => {
            format!("{scheme} {MASKED}").into()
        }
        Some(_) | None => MASKED.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::api::{Api, Credentials, Fill, Login};
    use crate::history::Verb;

    const TEXT: &str = "schema = \"quickeats-bench/api@1\"\nname = \"x\"\nsummary = \"\"\nmodel = \"register\"\n\
        [resource]\nname = \"x\"\nid = { made = \"d-{unique}\" }\nvalue = \"/v\"\n\
        [token]\nread = { header = \"ETag\" }\nsend = { header = \"X-Version-Token\" }\nrequired = true\n\
        [actors.a]\nheaders = { X-Api-Key = \"literal-key\", X-Tenant = \"plain\" }\nbearer = \"{login}\"\n\
        [read]\nmethod = \"GET\"\npath = \"/{id}/{env:PASS}\"\n\
        [actions.put]\nmethod = \"PUT\"\npath = \"/{id}?t={login}\"\nbody = { v = \"{value}\", p = \"{env:PASS|base64}\" }\nwrites = \"value\"\n";

    #[test]
    fn no_secret_is_shown_and_everything_is_sent() {
        let api = Api::parse("x.toml", TEXT).unwrap();
        let api = api.with_environment(|_| Some("s3cret".to_owned())).unwrap();
        let api = api.with_login(&"a".into(), Login { token: Some("l0gin".into()), cookie: Some("sid=c00kie".into()) });
        let api = api.with_credentials(Credentials::default().with_header("X-Own", "0wn-value"));
        let verb = Verb::Act("put".into());
        let fill = Fill { id: "d-1", role: "a", unique: "u", token: Some("\"7\""), ..Fill::default() };
        let (sent, shown) = api.dialect.request_and_shown(&verb, fill);
        assert_eq!(sent.path, "/d-1?t=l0gin");
        assert_eq!(&*api.dialect.shown(&verb, fill, &sent), "PUT /d-1?t=(masked)");
        let (sent, shown) = (format!("{sent:?}"), format!("{shown:?}"));
        for secret in ["czNjcmV0", "l0gin", "c00kie", "literal-key", "0wn-value"] {
            assert!(sent.contains(secret) && !shown.contains(secret), "{secret}: {shown}");
        }
        for plain in ["plain", "\\\"7\\\"", "Bearer (masked)"] {
            assert!(shown.contains(plain), "{plain}: {shown}");
        }
        let (_, shown) = api.dialect.request_and_shown(&Verb::Read, fill);
        assert_eq!(shown.path, "/d-1/(masked)");
        let told = api.dialect.secrets().mask("s3cret l0gin c00kie 0wn-value");
        assert_eq!(told, "(masked) (masked) (masked) (masked)");
    }
}
