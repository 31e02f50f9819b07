//! The look: can this target be raced at all? Taken before a race, and again when a race yields nothing any more.
//!
//! Its two requests make a resource that no round uses; they are no part of the history.

use std::sync::Arc;

use super::RunError;
use crate::api::{Api, Fill, Request};
use crate::history::{Cause, Meaning, Outcome, Verb};
use crate::race::Stop;
use crate::seed::Seed;
use crate::target::{HttpTarget, Target};
use crate::text::harmless;

/// Looks whether the target can be raced. A run that is asked to stop meanwhile races nothing more, so it need not know.
pub(super) async fn look(api: &Api, target: &HttpTarget, url: &str, stop: &Stop) -> Result<(), RunError> {
    tokio::select! {
        biased;
        () = stop.asked() => Ok(()),
        tried = try_out(target, url, api) => tried,
    }
}

/// Makes one resource, where one is made, and looks at it.
async fn try_out(target: &HttpTarget, url: &str, api: &Api) -> Result<(), RunError> {
    let mut dice = Seed::arbitrary().dice();
    let (person, unique) = (dice.uuid().to_string(), dice.uuid().to_string());
    let mut id: Arc<str> = api.dialect.made_id(&unique).unwrap_or_default().into();
    let mut token = None;
    for verb in [Verb::Create, sight(api)] {
        if !api.dialect.speaks(&verb) {
            continue;
        }
        let role = api.dialect.role(&verb);
        let fill = Fill { id: &id, role, person: &person, unique: &unique, ..Fill::default() };
        let request = api.dialect.request(&verb, fill);
        let mut outcome = ask(target, api, &verb, &request).await;
        if matches!(outcome, Outcome::Unknown(Cause::Broken(_))) {
            // A kept connection that the server has closed in the meantime. Nothing of the look is judged, so asking
            // once more misleads nobody.
            outcome = ask(target, api, &verb, &request).await;
        }
        match outcome {
            Outcome::Answered(reply) if reply.meaning == Meaning::Applied => {
                id = reply.resource.unwrap_or(id);
                token = reply.token;
            }
            // What nobody made need not be there.
            Outcome::Answered(reply) if reply.meaning == Meaning::NotFound && !api.dialect.creates() => return Ok(()),
            other => return Err(unusable(url, api, &api.dialect.shown(&verb, fill, &request), &other)),
        }
    }
    match api.dialect.token_place() {
        Some(place) if token.is_none() && api.dialect.reads() => Err(RunError::TargetUnusable {
            target: url.to_owned(),
            why: format!(
                "the {} was read, and the answer has no version token at {place}, which actions are conditional on",
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

/// Looks at resources that are said to be there.
pub(super) async fn look_at(ids: &[Arc<str>], api: &Api, target: &HttpTarget, url: &str) -> Result<(), RunError> {
    let person = Seed::arbitrary().dice().uuid().to_string();
    for id in ids {
        let role = api.dialect.role(&Verb::Read);
        let fill = Fill { id, role, person: &person, unique: &person, ..Fill::default() };
        let request = api.dialect.request(&Verb::Read, fill);
        match ask(target, api, &Verb::Read, &request).await {
            Outcome::Answered(reply) if reply.meaning == Meaning::Applied && reply.state.is_some() => {}
            Outcome::Answered(reply) if reply.meaning == Meaning::Applied => {
                let shown = api.dialect.shown(&Verb::Read, fill, &request);
                let why =
                    format!("{} shows nothing of the {} `{}`", harmless(&shown, 200), api.model.noun, harmless(id, 80));
                let help = "does --hot-id name one that is there?".to_owned();
                return Err(RunError::TargetUnusable { target: url.to_owned(), why, help });
            }
            other => return Err(unusable(url, api, &api.dialect.shown(&Verb::Read, fill, &request), &other)),
        }
    }
    Ok(())
}

/// The request that shows what there is: a read, or the list of effects where nothing can be read.
fn sight(api: &Api) -> Verb {
    if api.dialect.reads() { Verb::Read } else { Verb::ListEffects }
}

/// Whether the target answers at all: to a look at a resource that nobody made, whatever it says to that.
pub(super) async fn answers(target: &HttpTarget, api: &Api) -> bool {
    let id = Seed::arbitrary().dice().uuid().to_string();
    let verb = sight(api);
    let fill = Fill { id: &id, role: api.dialect.role(&verb), person: &id, unique: &id, ..Fill::default() };
    target.send(&api.dialect.request(&verb, fill)).await.result.is_ok()
}

async fn ask(target: &HttpTarget, api: &Api, verb: &Verb, request: &Request) -> Outcome {
    match target.send(request).await.result {
        Ok(response) => api.dialect.read(verb, &response),
        Err(failure) => Outcome::Unknown(failure.cause().clone()),
    }
}

fn unusable(url: &str, api: &Api, shown: &str, outcome: &Outcome) -> RunError {
    let asked = crate::text::harmless(shown, 200);
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
