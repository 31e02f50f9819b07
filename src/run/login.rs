//! Logging in, before anything is raced. No part of the history.

use std::sync::Arc;

use super::{RunConfig, RunError};
use crate::race::Stop;
use crate::target::{self, HttpTarget};

/// The same run, with everybody logged in.
pub(super) async fn log_in(
    config: &RunConfig,
    target: &HttpTarget,
    url: &str,
    stop: &Stop,
) -> Result<RunConfig, RunError> {
    let mut config = config.clone();
    if config.api.dialect.logins().next().is_none() {
        return Ok(config);
    }
    let known = tokio::select! {
        biased;
        () = stop.asked() => return Ok(config),
        known = target::log_in(target, &config.api) => known,
    };
    let api = Arc::new(known.map_err(|error| RunError::TargetUnusable {
        target: url.to_owned(),
        why: error.to_string(),
        help: error.help(),
    })?);
    config.plans.iter_mut().for_each(|plan| plan.api = Arc::clone(&api));
    config.api = api;
    Ok(config)
}
