//! Logging in: what an actor asks for before anything else, once a run and role, and what its other requests carry from then on.

use std::fmt;
use std::sync::Arc;

use super::asking::RequestTemplate;
use super::secrets::unfit_for_a_header;
use super::{Dialect, Fill};
use crate::api::credentials::replace;
use crate::api::exchange::{Headers, Request, Response};
use crate::api::place::{Place, Sight};
use crate::api::template::Hole;

/// The request that logs an actor in, and where its reply tells a token.
#[derive(Debug, Clone)]
pub(in crate::api) struct LoginDialect {
    pub(in crate::api) request: RequestTemplate,
    pub(in crate::api) token: Option<Place>,
}

/// What a login told. Shown to nobody.
#[derive(Clone, Default)]
pub struct Login {
    /// What `{login}` is filled with.
    pub(in crate::api) token: Option<Arc<str>>,
    /// The cookies that were set, as they are sent back (RFC 6265 §4.2.1).
    pub(in crate::api) cookie: Option<Arc<str>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (token, cookie) = (self.token.is_some(), self.cookie.is_some());
        f.debug_struct("Login").field("token", &token).field("cookie", &cookie).finish()
    }
}

impl Dialect {
    /// The request that logs `role` in, if it has one. `unique` and `person` are words that nobody has used yet.
    ///
    /// The actor's headers go with it, but for those that say what only the login tells, and so do the command line's. Where
    /// they and the login's own have one name, the login's own is sent.
    pub fn login_request(&self, role: &str, person: &str, unique: &str) -> Option<Request> {
        let actor = self.actors.get(role)?;
        let login = actor.login.as_ref()?;
        let fill = Fill { role, person, unique, ..Fill::default() };
        Some(self.with_values(fill, |values| {
            let known = actor.headers.iter().filter(|(_, value)| !value.has(&Hole::Login));
            let mut headers: Headers =
                known.map(|(name, value)| (Arc::clone(name), value.fill(values).into())).collect();
            for (name, value) in self.credentials.headers() {
                replace(&mut headers, name, Arc::clone(value));
            }
            login.request.fill(values, headers)
        }))
    }

    /// What the reply to a login told.
    ///
    /// # Errors
    /// Why nothing can be done with it, as half a sentence without secrets.
    pub fn read_login(&self, role: &str, response: &Response) -> Result<Login, String> {
        let place = self.actors.get(role).and_then(|actor| actor.login.as_ref()?.token.as_ref());
        if !(200..400).contains(&response.status) {
            return Err(format!("it was answered {}", response.status));
        }
        let json = serde_json::from_slice(&response.body).ok();
        let sight = Sight { response, json: json.as_ref() };
        let token = match place {
            None => None,
            Some(place) => Some(place.text(sight).ok_or_else(|| format!("there is no token at {place}"))?),
        };
        let unfit = token
            .as_ref()
            .filter(|_| self.goes_into_a_header(&Hole::Login))
            .and_then(|token| unfit_for_a_header(token));
        if let Some(unfit) = unfit {
            return Err(format!("its token {unfit}"));
        }
        let pair = |cookie: &Arc<str>| cookie.split(';').next().map(str::trim).unwrap_or_default().to_owned();
        let set = response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let cookies: Vec<String> = set.map(|(_, cookie)| pair(cookie)).filter(|pair| pair.contains('=')).collect();
        if token.is_none() && cookies.is_empty() {
            return Err("it set no cookie, and the description names no place of a token".to_owned());
        }
        Ok(Login { token, cookie: (!cookies.is_empty()).then(|| cookies.join("; ").into()) })
    }
}

#[cfg(test)]
mod tests {
    use crate::api::{Api, Credentials};

    #[test]
    fn what_goes_with_all_requests_of_an_actor_goes_with_its_login() {
        let text = "schema = \"quickeats-bench/api@1\"\nname = \"x\"\nsummary = \"\"\nmodel = \"register\"\n\
            [resource]\nname = \"x\"\nid = { made = \"d-{unique}\" }\nvalue = \"/v\"\n\
            [actors.a]\nheaders = { X-Tenant = \"t-{person}\", X-Session = \"{login}\", X-Kind = \"actor\", Content-Type = \"text/json\" }\n\
            [actors.a.login]\nmethod = \"POST\"\npath = \"/login\"\nheaders = { X-Kind = \"login\" }\nbody = {}\ntoken = \"/t\"\n\
            [read]\nmethod = \"GET\"\npath = \"/{id}\"\n\
            [actions.put]\nmethod = \"PUT\"\npath = \"/{id}\"\nbody = { v = \"{value}\" }\nwrites = \"value\"\n";
        let api = Api::parse("x.toml", text).unwrap();
        let given = Credentials::default().with_header("X-Api-Key", "k").with_header("X-Kind", "all");
        let request = api.with_credentials(given).dialect.login_request("a", "p", "u").unwrap();
        let headers: Vec<(&str, &str)> = request.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(
            headers,
            [("content-type", "text/json"), ("x-tenant", "t-p"), ("x-api-key", "k"), ("x-kind", "login")]
        );
    }
}
