//! The look: can this target be raced at all? Taken before a race, and again when a race yields nothing any more.
//!
//! Its two requests make a resource that no round uses; they are no part of the history.

use std::sync::Arc;

use super::{RunConfig, RunError};
use crate::api::{Api, Fill, Request};
use crate::history::{Cause, Meaning, Outcome, Verb};
use crate::race::Stop;
use crate::seed::Seed;
use crate::target::{HttpTarget, Target};

/// Looks whether the target can be raced. A run that is asked to stop meanwhile races nothing more, so it need not know.
pub(super) async fn look(config: &RunConfig, target: &HttpTarget, url: &str, stop: &Stop) -> Result<(), RunError> {
    tokio::select! {
        biased;
        () = stop.asked() => Ok(()),
        tried = try_out(target, url, &config.api) => tried,
    }
}

/// Makes one resource and reads it, as far as the API has requests for that.
async fn try_out(target: &HttpTarget, url: &str, api: &Api) -> Result<(), RunError> {
    let mut dice = Seed::arbitrary().dice();
    let (person, unique) = (dice.uuid().to_string(), dice.uuid().to_string());
    let dialect = &api.dialect;
    let mut id: Arc<str> = dialect.made_id(&unique).unwrap_or_default().into();
    let mut token = None;
    for verb in dialect.creates().then_some(Verb::Create).into_iter().chain(harmless(api)) {
        let role = dialect.role(&verb);
        let fill =
            Fill { id: &id, role, person: &person, unique: &unique, token: None, key: None, body: None, starts: None };
        let request = dialect.request(&verb, fill);
        let mut outcome = ask(target, api, &verb, &request).await;
        if matches!(outcome, Outcome::Unknown(Cause::Broken(_))) {
            // A kept connection that the server has closed in the meantime. Nothing of the look is judged, so asking
            // once more misleads nobody.
            outcome = ask(target, api, &verb, &request).await;
        }
        match outcome {
            Outcome::Answered(reply) if reply.meaning == Meaning::Applied => {
                if dialect.made_id("").is_none() {
                    id = reply.resource.unwrap_or(id);
                }
                token = reply.token;
            }
            // Nobody has made it.
            Outcome::Answered(reply) if reply.meaning == Meaning::NotFound && !dialect.creates() => {}
            other => return Err(unusable(url, api, &request, &other)),
        }
    }
    match dialect.token_header() {
        Some(header) if token.is_none() && dialect.creates() && dialect.reads() => Err(RunError::TargetUnusable {
            target: url.to_owned(),
            why: format!(
                "the {} was read, and the answer has no `{header}` header, which actions are conditional on",
                api.model.noun
            ),
            help: format!(
                "`{}` has version tokens: describe an API that has none in a file, and name it with --api",
                api.name
            ),
        }),
        Some(_) | None => Ok(()),
    }
}

/// A request that changes nothing: a read, or a list where nothing can be read; none if there is neither.
fn harmless(api: &Api) -> Option<Verb> {
    api.dialect.reads().then_some(Verb::Read).or_else(|| api.dialect.lists().next())
}

/// Whether the target answers at all: to a read of a resource that nobody made, whatever it says to that. (Where nothing can be
/// read or listed, it makes one.)
pub(super) async fn answers(target: &HttpTarget, api: &Api) -> bool {
    let id = Seed::arbitrary().dice().uuid().to_string();
    let Some(verb) = harmless(api).or_else(|| api.dialect.creates().then_some(Verb::Create)) else {
        // There is nothing but actions, and they are for those who race.
        return true;
    };
    let role = api.dialect.role(&verb);
    let fill = Fill { id: &id, role, person: &id, unique: &id, token: None, key: None, body: None, starts: None };
    target.send(&api.dialect.request(&verb, fill)).await.result.is_ok()
}

async fn ask(target: &HttpTarget, api: &Api, verb: &Verb, request: &Request) -> Outcome {
    match target.send(request).await.result {
        Ok(response) => api.dialect.read(verb, &response),
        Err(failure) => Outcome::Unknown(failure.cause().clone()),
    }
}

fn unusable(url: &str, api: &Api, request: &Request, outcome: &Outcome) -> RunError {
    let asked = format!("{} {}", request.method, crate::text::harmless(&request.path, 200));
    let (why, help) = match outcome {
        Outcome::Answered(reply) => (
            format!("{asked} was answered {} ({})", reply.status, reply.meaning.word()),
            format!(
                "is it a `{}` API? See `quickeats-bench scenarios` and --api; check the path in --target",
                api.name
            ),
        ),
        Outcome::NotSent(cause) | Outcome::Unknown(cause) => {
            let help = match cause {
                Cause::Connect(_) => "is the server running, and is the port right?".to_owned(),
                Cause::Tls(_) => "does the server speak TLS on this port, with a certificate this machine trusts? For plain HTTP write http://".to_owned(),
                Cause::TimedOut => "is the server stuck? --timeout gives it longer".to_owned(),
                Cause::NotHttp(_) | Cause::Broken(_) => "is it an HTTP server? For TLS write https://".to_owned(),
                Cause::TooLarge | Cause::Unreadable { .. } => {
                    format!("is it a `{}` API? Its answers must be JSON as the API description says", api.name)
                }
                Cause::Status(_) | Cause::Abandoned => "the server's own log should say why".to_owned(),
            };
            (format!("{asked}: {}", crate::text::harmless(&cause.to_string(), 400)), help)
        }
    };
    RunError::TargetUnusable { target: url.to_owned(), why, help }
}
