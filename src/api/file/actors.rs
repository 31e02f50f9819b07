//! Who asks, and how their requests prove it.

use super::super::dialect::ActorDialect;
use super::super::dialect::login::LoginDialect;
use super::super::dialect::proof::Proof;
use super::super::template::Template;
use super::Reader;
use super::shape::{ActorFile, LoginFile};
use crate::source::SourceError;

/// How long a minted token is good for: longer than any run (seconds).
const LIFETIME: u64 = 7 * 24 * 60 * 60;

impl Reader<'_> {
    pub(super) fn actor_dialect(&self, actor: &ActorFile) -> Result<ActorDialect, SourceError> {
        let subject = match &actor.subject {
            Some(subject) => self.template(subject.get_ref(), subject.span())?,
            None => Template::parse("{person}").expect("this is a template"),
        };
        let login = actor.login.as_ref().map(|login| self.login(login)).transpose()?;
        Ok(ActorDialect { headers: self.headers(&actor.headers)?, subject, proof: self.proof(actor)?, login })
    }

    fn login(&self, login: &LoginFile) -> Result<LoginDialect, SourceError> {
        if let Some(actor) = &login.actor {
            return Err(self.wrong(actor.span(), "a login is made by the actor whose login it is"));
        }
        // Its own path says nothing of an actor: whose it is, is clear.
        let mut parts = login.parts();
        let own = self.actors.first().map(|name| toml::Spanned::new(0..0, name.clone()));
        parts.actor = own.as_ref();
        let request = self.request(&parts)?;
        Ok(LoginDialect { request, token: self.place_option(login.token.as_ref())? })
    }

    fn proof(&self, actor: &ActorFile) -> Result<Option<Proof>, SourceError> {
        match (&actor.bearer, &actor.basic, &actor.mint) {
            (None, None, None) => Ok(None),
            (Some(bearer), None, None) => Ok(Some(Proof::Bearer(self.template(bearer.get_ref(), bearer.span())?))),
            (None, Some(basic), None) => Ok(Some(Proof::Basic {
                user: self.template(basic.user.get_ref(), basic.user.span())?,
                password: self.template(basic.password.get_ref(), basic.password.span())?,
            })),
            (None, None, Some(mint)) => {
                if !mint.claims.get_ref().is_object() {
                    return Err(self
                        .wrong(mint.claims.span(), "the claims of a token are a table")
                        .help("claims = { sub = \"{person}\" }"));
                }
                let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
                Ok(Some(Proof::Mint {
                    secret: self.template(mint.secret.get_ref(), mint.secret.span())?,
                    claims: self.json_body(mint.claims.get_ref(), &mint.claims.span())?,
                    expires: now + LIFETIME,
                }))
            }
            (bearer, basic, mint) => {
                let basic = basic.as_ref().map(|basic| basic.user.span());
                let mint = mint.as_ref().map(|mint| mint.secret.span());
                let at = basic.or(mint).or(bearer.as_ref().map(toml::Spanned::span)).unwrap_or_default();
                Err(self
                    .wrong(at, "an actor proves who it is in one way: `bearer`, `basic` or `mint`")
                    .help("keep the one that the server asks for"))
            }
        }
    }
}
