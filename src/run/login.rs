//! Logging in, where the API description says that actors must: once a run and role, before anything is raced. No part of the
//! history.

use std::sync::Arc;

use super::{RunConfig, RunError};
use crate::race::Stop;
use crate::seed::Seed;
use crate::target::{HttpTarget, Target};

/// The same run, with everybody logged in.
pub(super) async fn log_in(
    config: &RunConfig,
    target: &HttpTarget,
    url: &str,
    stop: &Stop,
) -> Result<RunConfig, RunError> {
    let mut config = config.clone();
    let roles: Vec<Arc<str>> = config.api.dialect.logins().cloned().collect();
    if roles.is_empty() {
        return Ok(config);
    }
    let mut api = (*config.api).clone();
    let mut dice = Seed::arbitrary().dice();
    for role in &roles {
        let (person, unique) = (dice.uuid().to_string(), dice.uuid().to_string());
        let Some(request) = api.dialect.login_request(role, &person, &unique) else { continue };
        let exchange = tokio::select! {
            biased;
            () = stop.asked() => return Ok(config),
            exchange = target.send(&request) => exchange,
        };
        let failed = |why: String| RunError::TargetUnusable {
            target: url.to_owned(),
            why: format!("`{role}` could not log in: {why}"),
            help: format!("check [actors.{role}.login] of the API description, and what it takes from the environment"),
        };
        let response = exchange.result.map_err(|failure| failed(failure.cause().to_string()))?;
        let login = api.dialect.read_login(role, &response).map_err(failed)?;
        api = api.with_login(role, login);
    }
    let api = Arc::new(api);
    config.plans.iter_mut().for_each(|plan| plan.api = Arc::clone(&api));
    config.api = api;
    Ok(config)
}
