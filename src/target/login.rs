//! Logging in, where the API description says that actors must: once a role, before anything else is asked.

use std::sync::Arc;

use super::Target;
use crate::api::Api;
use crate::seed::Seed;

/// A role could not log in. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{role}` could not log in: {why}")]
pub struct LoginError {
    /// The role.
    pub role: Arc<str>,
    /// Why.
    pub why: String,
}

impl LoginError {
    /// What to do about it.
    pub fn help(&self) -> String {
        format!("check [actors.{}.login] of the API description, and what it takes from the environment", self.role)
    }
}

/// The same API, spoken as somebody who is logged in in every role that must be.
///
/// # Errors
/// The first role that could not log in.
pub async fn log_in(target: &impl Target, api: &Api) -> Result<Api, LoginError> {
    let mut known = api.clone();
    let roles: Vec<Arc<str>> = api.dialect.logins().cloned().collect();
    let mut dice = Seed::arbitrary().dice();
    for role in &roles {
        let (person, unique) = (dice.uuid().to_string(), dice.uuid().to_string());
        let Some(request) = known.dialect.login_request(role, &person, &unique) else { continue };
        let failed = |why: String| LoginError { role: Arc::clone(role), why };
        let response = target.send(&request).await.result.map_err(|failure| failed(failure.cause().to_string()))?;
        let login = known.dialect.read_login(role, &response).map_err(failed)?;
        known = known.with_login(role, login);
    }
    Ok(known)
}
