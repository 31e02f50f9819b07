//! Secrets: from the environment or the command line, into requests, and nowhere else.

use anyhow::{Context, anyhow, bail};

use super::args::aim::CredentialArgs;
use crate::api::{Api, Credentials};
use crate::jwt::Secret;

/// How long minted tokens are good for: longer than any run.
const LIFETIME_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Reads the secret that `--jwt-secret-env` names the variable of.
pub(super) fn secret(variable: &str) -> anyhow::Result<Secret> {
    let value = std::env::var_os(variable).with_context(|| {
        format!(
            "--jwt-secret-env {variable}: there is no such variable in the environment\n  = help: export {variable}=…"
        )
    })?;
    Secret::new(value.into_encoded_bytes()).with_context(|| format!("--jwt-secret-env {variable}"))
}

/// Tokens for everybody, signed with `secret`.
pub(super) fn minting(secret: Secret) -> Credentials {
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    Credentials::minting(secret, now + LIFETIME_SECONDS)
}

/// The headers that the command line says to send, and nothing that proves a role.
pub(super) fn headers(args: &CredentialArgs) -> anyhow::Result<Credentials> {
    with_headers(Credentials::default(), args)
}

fn with_headers(mut credentials: Credentials, args: &CredentialArgs) -> anyhow::Result<Credentials> {
    for typed in &args.header {
        // A header may be a secret: no error repeats its value.
        let (name, value) = typed.split_once(':').ok_or_else(|| anyhow!("--header takes NAME:VALUE"))?;
        let (name, value) = (name.trim(), value.trim());
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            bail!("--header: `{}` is not a header name", crate::text::harmless(name, 80));
        }
        if !is_visible(value) {
            bail!("--header {name}: a value is made of visible ASCII characters and blanks");
        }
        credentials = credentials.with_header(name, value);
    }
    Ok(credentials)
}

/// What the command line says to say to a target that is there.
pub(super) fn given(args: &CredentialArgs, api: &Api) -> anyhow::Result<Credentials> {
    let mut credentials = match &args.jwt_secret_env {
        Some(variable) => minting(secret(variable)?),
        None => Credentials::default(),
    };
    credentials = with_headers(credentials, args)?;
    for typed in &args.bearer {
        let (role, token) = typed.split_once('=').ok_or_else(|| anyhow!("--bearer takes ROLE=TOKEN"))?;
        if !api.dialect.has_role(role) {
            let known: Vec<_> = api.dialect.roles().collect();
            let role = crate::text::harmless(role, 80);
            bail!("--bearer: `{}` has no role `{role}`\n  = help: its roles are {}", api.name, known.join(", "));
        }
        if token.is_empty() || !is_visible(token) || token.contains(' ') {
            bail!("--bearer {role}: a token is made of visible ASCII characters");
        }
        credentials = credentials.with_bearer(role, token);
    }
    Ok(credentials)
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}
