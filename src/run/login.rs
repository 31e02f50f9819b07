//! Logging in, before anything is raced. No part of the history.

use std::sync::Arc;

use super::RunError;
use crate::api::Api;
use crate::race::Stop;
use crate::target::{self, HttpTarget};

/// The same description, with everybody logged in.
pub(super) async fn log_in(api: &Arc<Api>, target: &HttpTarget, url: &str, stop: &Stop) -> Result<Arc<Api>, RunError> {
    if api.dialect.logins().next().is_none() {
        return Ok(Arc::clone(api));
    }
    let known = tokio::select! {
        biased;
        () = stop.asked() => return Ok(Arc::clone(api)),
        known = target::log_in(target, api) => known,
    };
    Ok(Arc::new(known.map_err(|error| RunError::TargetUnusable {
        target: url.to_owned(),
        why: error.to_string(),
        help: error.help(),
    })?))
}
