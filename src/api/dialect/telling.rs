//! How well a server can tell who asks: by what the requests of each role carry that proves it.

use std::sync::Arc;

use super::Dialect;
use super::login::Login;
use super::proof::Proof;
use crate::api::credentials::Tells;
use crate::api::template::{Hole, Values};
use crate::history::Actor;

/// What is known of logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logins {
    /// The requests alone: whoever sends the same is the same to the server, whatever token it tells each time.
    AsAsked,
    /// What they told, where they were made.
    AsTold,
}

impl Dialect {
    /// Whom the server is told to be dealing with, if anything proves it: `customer 2`, or `customer` where all customers
    /// have one token.
    pub fn principal(&self, actor: &Actor) -> Option<Arc<str>> {
        match self.tells(&actor.role) {
            Tells::Nothing => None,
            Tells::Role => Some(Arc::clone(&actor.role)),
            Tells::Person => Some(actor.to_string().into()),
        }
    }

    /// How well a server can tell who is asking in `role`.
    pub fn tells(&self, role: &str) -> Tells {
        let all = || self.actors.keys().map(|role| (Arc::clone(role), self.find_out(role))).collect();
        let known = self.told_apart.get_or_init(all).get(role);
        known.copied().unwrap_or_else(|| self.find_out(role))
    }

    /// One proof for two roles proves neither: also where it names the person, and says nothing of the role.
    fn find_out(&self, role: &str) -> Tells {
        let is_alike = |other: &str, logins| self.proofs(role, logins) == self.proofs(other, logins);
        let is_shared = |other: &Arc<str>| {
            **other != *role && [Logins::AsAsked, Logins::AsTold].iter().any(|by| is_alike(other, *by))
        };
        let own = self.actors.get(role).and_then(|actor| actor.proof.as_ref());
        let is_replaced = self.credentials.bearer(role).is_some() || self.credentials.names_header("authorization");
        let names_the_person = || own.is_some_and(Proof::names_the_person) && !is_replaced;
        if self.proofs(role, Logins::AsTold).is_empty() || self.actors.keys().any(is_shared) {
            Tells::Nothing
        } else if self.credentials.mints_for(role) || names_the_person() {
            Tells::Person
        } else {
            Tells::Role
        }
    }

    /// All that proves who asks in `role`, filled for one and the same person. What comes from the command line stands in the
    /// place of what the description says.
    fn proofs(&self, role: &str, logins: Logins) -> Vec<String> {
        let mut proofs = Vec::new();
        if let Some(token) = self.credentials.bearer(role) {
            proofs.push(format!("Bearer {token}"));
        } else if self.credentials.mints_for(role) {
            proofs.push(format!("minted for {role}"));
        }
        let Some(actor) = self.actors.get(role) else { return proofs };
        let is_given = |name: &str| self.credentials.names_header(name);
        let login = self.login(role, logins).unwrap_or_default();
        self.with_plain_values(role, &login, |values| {
            if let Some(proof) = actor.proof.as_ref().filter(|_| proofs.is_empty() && !is_given("authorization")) {
                proofs.push(proof.compared(values));
            }
            let told = (actor.headers.iter()).filter(|(name, value)| value.has(&Hole::Login) && !is_given(name));
            proofs.extend(told.map(|(name, value)| format!("{name}: {}", value.fill(values))));
        });
        proofs.extend(login.cookie.filter(|_| !is_given("cookie")).map(|cookie| cookie.to_string()));
        proofs
    }

    /// What the login of `role` told; its request stands for that as long as nobody knows.
    fn login(&self, role: &str, logins: Logins) -> Option<Login> {
        let dialect = self.actors.get(role)?.login.as_ref()?;
        if let Some(told) = self.logged_in.get(role).filter(|_| logins == Logins::AsTold) {
            return Some(told.clone());
        }
        let request = |values: Values<'_>| Arc::from(format!("{:?}", dialect.request.fill(values, Vec::new())));
        let asked: Arc<str> = self.with_plain_values(role, &Login::default(), request);
        // One that tells no token sets a cookie; one that does may.
        let may_set_one = dialect.token.is_none() || logins == Logins::AsAsked;
        let cookie = may_set_one.then(|| Arc::clone(&asked));
        Some(Login { token: Some(asked), cookie })
    }

    /// Values that are the same for all roles, but for what `login` told. A variable that nobody has looked up stands for itself.
    fn with_plain_values<R>(&self, role: &str, login: &Login, then: impl FnOnce(Values<'_>) -> R) -> R {
        let environment = |name: &str| {
            let known = self.environment.get(name).cloned();
            known.or_else(|| Some(format!("{{env:{name}}}").into()))
        };
        let fill = super::Fill { role, person: "somebody", unique: "word", ..super::Fill::default() };
        self.with_values(fill, |values| {
            let login = login.token.as_deref().unwrap_or_default();
            then(Values { login, sequence: 0, environment: &environment, ..values })
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::api::{Api, Credentials, Login, Tells};
    use crate::jwt::Secret;

    const TEXT: &str = "schema = \"quickeats-bench/api@1\"\nname = \"x\"\nsummary = \"\"\nmodel = \"register\"\n\
        [resource]\nname = \"x\"\nid = { made = \"d-{unique}\" }\nvalue = \"/v\"\n\
        [read]\nmethod = \"GET\"\npath = \"/{id}\"\nactor = \"boss\"\n\
        [actions.put]\nmethod = \"PUT\"\npath = \"/{id}\"\nactor = \"boss\"\nbody = { v = \"{value}\" }\nwrites = \"value\"\n";

    fn api(boss: &str, worker: &str) -> Api {
        let text = format!("{TEXT}[actors.boss]\n{boss}\n[actors.worker]\n{worker}\n");
        Api::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn told(api: &Api) -> (Tells, Tells) {
        (api.dialect.tells("boss"), api.dialect.tells("worker"))
    }

    const NOTHING: (Tells, Tells) = (Tells::Nothing, Tells::Nothing);
    const ROLES: (Tells, Tells) = (Tells::Role, Tells::Role);

    #[test]
    fn two_variables_that_hold_one_token_prove_neither_role() {
        let api = api("bearer = \"{env:A}\"", "bearer = \"{env:B}\"");
        assert_eq!(told(&api), ROLES, "as long as nobody knows what they hold");
        let known = |b: &str| {
            api.clone().with_environment(|name| Some(if name == "A" { "one" } else { b }.to_owned())).unwrap()
        };
        assert_eq!(told(&known("other")), ROLES);
        assert_eq!(told(&known("one")), NOTHING);
        let given = |token| known("other").with_credentials(Credentials::default().with_bearer("worker", token));
        assert_eq!(told(&given("third")), ROLES);
        assert_eq!(told(&given("one")), NOTHING, "a token of the command line may be the other role's, too");
    }

    #[test]
    fn a_proof_that_names_the_person_tells_no_role_where_two_roles_have_it() {
        let mint =
            |secret: &str| format!("mint = {{ secret = \"{{env:{secret}}}\", claims = {{ sub = \"{{person}}\" }} }}");
        let apart = api(&mint("A"), &mint("B"));
        assert_eq!(told(&apart), (Tells::Person, Tells::Person));
        assert_eq!(told(&apart.with_environment(|_| Some("s".to_owned())).unwrap()), NOTHING);
        let basic = |user: &str| format!("basic = {{ user = \"{user}-{{person}}\", password = \"p\" }}");
        assert_eq!(told(&api(&basic("boss"), &basic("worker"))), (Tells::Person, Tells::Person));
        assert_eq!(told(&api(&basic("u"), &basic("u"))), NOTHING);
        assert_eq!(told(&api("", &basic("u"))), (Tells::Nothing, Tells::Person));
        assert_eq!(told(&api("", "")), NOTHING);
    }

    #[test]
    fn logins_tell_roles_apart_that_ask_for_them_apart() {
        let login = |path: &str| {
            format!("login = {{ method = \"POST\", path = \"{path}\", token = \"/t\" }}\nbearer = \"{{login}}\"")
        };
        let apart = api(&login("/login/boss"), &login("/login/worker"));
        let logged_in = |api: &Api, boss: &str, worker: &str| {
            let login = |token: &str| Login { token: Some(token.into()), cookie: None };
            api.clone().with_login(&"boss".into(), login(boss)).with_login(&"worker".into(), login(worker))
        };
        assert_eq!(told(&apart), ROLES);
        assert_eq!(told(&logged_in(&apart, "b", "w")), ROLES);
        assert_eq!(told(&logged_in(&apart, "b", "b")), NOTHING);
        // Sessions of one account: another token each time, and one person to the server.
        let alike = api(&login("/login"), &login("/login"));
        assert_eq!(told(&alike), NOTHING);
        assert_eq!(told(&logged_in(&alike, "b", "w")), NOTHING);
        let unused = |path: &str| login(path).replace("bearer = \"{login}\"", "");
        assert_eq!(told(&api(&unused("/login/boss"), &unused("/login/worker"))), NOTHING);
        let header = |path: &str| unused(path) + "headers = { X-Session = \"{login}\" }";
        assert_eq!(told(&api(&header("/login/boss"), &header("/login/worker"))), ROLES);
    }

    #[test]
    fn a_cookie_that_a_login_sets_is_a_proof() {
        let login = |path: &str| format!("login = {{ method = \"POST\", path = \"{path}\" }}");
        let apart = api(&login("/login/boss"), &login("/login/worker"));
        assert_eq!(told(&apart), ROLES);
        let set = |cookie: &str| Login { token: None, cookie: Some(cookie.into()) };
        let logged_in =
            apart.clone().with_login(&"boss".into(), set("sid=1")).with_login(&"worker".into(), set("sid=2"));
        assert_eq!(told(&logged_in), ROLES);
        assert_eq!(told(&logged_in.with_login(&"worker".into(), set("sid=1"))), NOTHING);
        assert_eq!(told(&api(&login("/login"), &login("/login"))), NOTHING);
        let with_token = |path: &str| login(path).replace(" }", ", token = \"/t\" }");
        let both = |cookie: &str| Login { token: Some("t".into()), ..set(cookie) };
        let unused = api(&with_token("/login/boss"), &with_token("/login/worker"));
        assert_eq!(
            told(&unused.with_login(&"boss".into(), both("sid=1")).with_login(&"worker".into(), both("sid=2"))),
            ROLES
        );
        let given = apart.with_credentials(Credentials::default().with_header("Cookie", "sid=3"));
        assert_eq!(told(&given), NOTHING);
    }

    #[test]
    fn what_the_command_line_gives_stands_in_the_place_of_the_description() {
        let api = api("bearer = \"b\"", "bearer = \"w\"");
        let with = |credentials| told(&api.clone().with_credentials(credentials));
        assert_eq!(with(Credentials::minting(Secret::random(), 4_000_000_000)), (Tells::Person, Tells::Person));
        assert_eq!(with(Credentials::default().with_header("Authorization", "Basic eA==")), NOTHING);
        assert_eq!(with(Credentials::default().with_header("X-Tenant", "a")), ROLES);
        let one = Credentials::default().with_bearer("boss", "t").with_bearer("worker", "t");
        assert_eq!(with(one.clone()), NOTHING);
        assert_eq!(with(one.with_bearer("worker", "own")), ROLES);
    }
}
