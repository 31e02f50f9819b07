//! What people must not see: secrets in requests, and in replies that repeat them.

use std::fmt;
use std::sync::Arc;

use super::Dialect;
use super::asking::Send;
use super::proof::Proof;
use crate::api::exchange::{Headers, Request};
use crate::api::template::{Hole, MASKED, Template};

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

/// Why `secret` cannot stand in a header (RFC 9110 §5.5), in words that follow its name. Shows none of it.
pub(in crate::api) fn unfit_for_a_header(secret: &str) -> Option<&'static str> {
    if secret.contains(['\r', '\n']) {
        Some("holds a line break, and goes into a header")
    } else if !secret.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Some("holds what is no visible ASCII character, and goes into a header")
    } else {
        None
    }
}

impl Dialect {
    /// Whether `secret` goes into a header as it is: of any request, or for the proof of an actor.
    pub(in crate::api) fn goes_into_a_header(&self, secret: &Hole) -> bool {
        let mut goes = false;
        let mut see = |template: &Template| goes |= template.bare_secrets().any(|own| own == secret);
        let lists = [&self.effects, &self.events].into_iter().flatten().map(|list| &list.request);
        let logins = self.actors.values().filter_map(|actor| actor.login.as_ref()).map(|login| &login.request);
        let requests = self.create.iter().chain(&self.read).chain(lists).chain(logins);
        for request in requests.chain(self.actions.values().map(|action| &action.request)) {
            request.headers.iter().for_each(|(_, value)| see(value));
        }
        for actor in self.actors.values() {
            actor.headers.iter().for_each(|(_, value)| see(value));
            if let Some(Proof::Bearer(token)) = &actor.proof {
                see(token);
            }
        }
        goes
    }

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
    use crate::api::{Api, Credentials, EnvironmentError, Fill, Login, Response};
    use crate::history::Verb;

    const TEXT: &str = "schema = \"quickeats-bench/api@1\"\nname = \"x\"\nsummary = \"\"\nmodel = \"register\"\n\
        [resource]\nname = \"x\"\nid = { made = \"d-{unique}\" }\nvalue = \"/v\"\n\
        [token]\nread = { header = \"ETag\" }\nsend = { header = \"X-Version-Token\" }\nrequired = true\n\
        [actors.a]\nheaders = { X-Api-Key = \"literal-key\", X-Tenant = \"plain\" }\nbearer = \"{login}\"\n\
        [read]\nmethod = \"GET\"\npath = \"/{id}/{env:PASS}\"\n\
        [actions.put]\nmethod = \"PUT\"\npath = \"/{id}?t={login}\"\nbody = { v = \"{value}\", p = \"{env:PASS|base64}\" }\nwrites = \"value\"\n";

    #[test]
    fn what_cannot_stand_in_a_header_is_named_and_not_shown() {
        let bearer = TEXT.replace("bearer = \"{login}\"", "bearer = \"{env:TOKEN}\"");
        let with = |text: &str, value: &str| {
            Api::parse("x.toml", text).unwrap().with_environment(|_| Some(value.to_owned())).map(drop)
        };
        for (value, expected) in
            [("abc\r", "holds a line break"), ("a\nb", "line break"), ("h\u{fc}nter2", "no visible ASCII")]
        {
            let error = with(&bearer, value).unwrap_err().to_string();
            assert!(error.starts_with("TOKEN ") && error.contains(expected) && !error.contains(value), "{error}");
            // In a path and a body, or in base64, anything can stand.
            with(TEXT, value).unwrap();
            with(&TEXT.replace("bearer = \"{login}\"", "basic = { user = \"u\", password = \"{env:TOKEN}\" }"), value)
                .unwrap();
        }
        with(&bearer, "abc def").unwrap();
        let missing = Api::parse("x.toml", TEXT).unwrap().with_environment(|_| None).unwrap_err();
        assert_eq!(missing, EnvironmentError::Missing("PASS".into()));
    }

    #[test]
    fn a_login_s_token_that_cannot_stand_in_a_header_is_the_login_s_fault() {
        let login = "[actors.a.login]\nmethod = \"POST\"\npath = \"/login\"\ntoken = \"/t\"\n[read]";
        let text = TEXT.replace("[read]", login);
        let told = |text: &str, body: &'static str| {
            let response = Response { status: 200, body: body.into(), ..Response::default() };
            Api::parse("x.toml", text).unwrap().dialect.read_login("a", &response).map(drop)
        };
        told(&text, "{\"t\":\"abc\"}").unwrap();
        assert_eq!(
            told(&text, "{\"t\":\"abc\\n\"}").unwrap_err(),
            "its token holds a line break, and goes into a header"
        );
        told(&text.replace("bearer = \"{login}\"", ""), "{\"t\":\"abc\\n\"}").unwrap();
    }

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
