//! Which HTTP the target speaks, and which methods of delivery are left by that.

use super::look::look;
use super::{RunConfig, RunError};
use crate::history::{Method, Version};
use crate::race::Stop;
use crate::target::{HttpTarget, Spoken};

/// What the target speaks, as far as it matters: who asks for HTTP/1.1 alone is told by the target's answers.
pub(super) async fn spoken(config: &RunConfig, target: &HttpTarget, stop: &Stop) -> Spoken {
    if !is_asked(config) {
        return Spoken::HTTP_1;
    }
    ask(target, stop).await
}

/// Whether it matters what the target speaks.
fn is_asked(config: &RunConfig) -> bool {
    config.delivery.methods().iter().any(|method| !Spoken::HTTP_1.allows(*method))
}

async fn ask(target: &HttpTarget, stop: &Stop) -> Spoken {
    tokio::select! {
        biased;
        () = stop.asked() => Spoken::HTTP_1,
        spoken = target.ask_what_it_speaks() => spoken,
    }
}

/// Looks whether the target can be raced, by the methods of delivery that are asked for and that it allows: these.
///
/// # Errors
/// If it cannot be raced at all; or not so, as it does not speak what they need.
pub(super) async fn methods(
    config: &RunConfig,
    target: &HttpTarget,
    url: &str,
    stop: &Stop,
) -> Result<Vec<Method>, RunError> {
    let looked = look(&config.api, target, url, stop).await;
    let allowed = config.delivery.methods().iter().copied().filter(|method| target.spoken().allows(*method));
    let methods: Vec<Method> = allowed.collect();
    match looked {
        // Nothing is raced any more.
        Ok(()) if stop.is_asked() => Ok(config.delivery.methods().to_vec()),
        Ok(()) if methods.is_empty() => Err(unspoken(config, url, Version::Http2)),
        Ok(()) => Ok(methods),
        // Nobody has asked yet, and the answer may be the better reason.
        Err(_) if !is_asked(config) && !ask(target, stop).await.http1 => Err(unspoken(config, url, Version::Http1)),
        Err(error) => Err(error),
    }
}

fn unspoken(config: &RunConfig, url: &str, version: Version) -> RunError {
    let (missing, others) = match version {
        Version::Http1 => ("HTTP/1.1", "HTTP/2: single-packet, single-packet-head or single-packet-tail"),
        Version::Http2 => ("HTTP/2", "HTTP/1.1: barrier, head or tail"),
    };
    RunError::TargetUnusable {
        target: url.to_owned(),
        why: format!("it does not speak {missing}, which --delivery {} needs", config.delivery),
        help: format!("leave --delivery out, or name one over {others}"),
    }
}
