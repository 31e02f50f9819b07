//! The probe of a description: questions asked one after the other, each on a resource of its own.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::speaker::{Answer, Say, Speaker};
use crate::api::{Api, Family, Model, StateIx};
use crate::history::{Cause, Meaning, Reply, Verb};
use crate::probe_result::{Advice, Heard, Mark, ProbeFinding, ProbeResult, SCHEMA, StatusSeen};
use crate::target::Target;

/// How long a server is given whose reads or lists lag.
pub(super) const SETTLING: Duration = Duration::from_millis(400);

/// Why nothing can be asked of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be reached, or does not answer.
    #[error("{0}")]
    Unreachable(Cause),
    /// It makes no resource to ask with.
    #[error("{asked} was answered so that nothing can be asked: {why}")]
    NoResource {
        /// The request, for people.
        asked: String,
        /// What came.
        why: String,
    },
}

/// Asks `target` at `url` what `api` says of it. Makes a few resources there.
///
/// # Errors
/// Why nothing could be asked.
pub async fn probe<T: Target>(target: &T, url: &str, api: &Api) -> Result<ProbeResult, ProbeError> {
    let mut prober = Prober { speaker: Speaker::new(target, api), findings: Vec::new(), advice: Vec::new() };
    prober.ask_all().await?;
    let statuses = std::mem::take(&mut prober.speaker.statuses);
    Ok(ProbeResult {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: url.to_owned(),
        api: Some(api.name.to_string()),
        findings: prober.findings,
        statuses: (statuses.into_iter())
            .map(|((status, meaning), requests)| StatusSeen {
                status,
                meaning: meaning.to_owned(),
                requests: requests.into_iter().collect(),
            })
            .collect(),
        advice: prober.advice,
    })
}

/// Asks, and notes down what it found.
pub(super) struct Prober<'a, T> {
    pub(super) speaker: Speaker<'a, T>,
    findings: Vec<ProbeFinding>,
    advice: Vec<Advice>,
}

/// A resource that nobody else uses.
pub(super) struct Fresh {
    pub(super) id: Arc<str>,
    /// The last reply that showed it, if there was one.
    pub(super) reply: Option<Reply>,
    /// Where it is by the model.
    pub(super) state: StateIx,
}

impl<'a, T: Target> Prober<'a, T> {
    async fn ask_all(&mut self) -> Result<(), ProbeError> {
        let start = self.api().model.initial;
        if self.fresh(start).await.is_none() {
            return Err(self.no_resource());
        }
        self.ask_for_nothing().await;
        self.ask_tokens().await;
        self.ask_keys().await;
        self.ask_actions().await;
        match self.gone().await {
            Some(cause) => Err(ProbeError::Unreachable(cause)),
            None => Ok(()),
        }
    }

    /// Why nobody answers any more, if so. One bad reply is a finding, and not the end: who gave it is asked once more.
    async fn gone(&mut self) -> Option<Cause> {
        self.speaker.gone()?;
        let dialect = &self.api().dialect;
        let looks = dialect.reads().then_some(Verb::Read).into_iter().chain(dialect.lists()).next();
        if let Some(look) = looks {
            let word = self.speaker.word();
            let id = dialect.made_id(&word).unwrap_or(word);
            self.speaker.say(&look, Say { id: &id, ..Say::default() }).await;
        } else {
            self.fresh(self.api().model.initial).await;
        }
        self.speaker.gone().cloned()
    }

    /// Why no resource could be had.
    fn no_resource(&mut self) -> ProbeError {
        let (lost, turn) = (self.speaker.lost.take(), self.speaker.last.take());
        let Some(turn) = turn.filter(|_| lost.is_none()) else {
            return ProbeError::Unreachable(lost.unwrap_or(Cause::Abandoned));
        };
        let why = turn.failure().unwrap_or_else(|| match &turn.heard {
            Heard::Reply(told) => format!("{} ({})", told.status, told.meaning),
            Heard::Nothing(why) => why.clone(),
        });
        ProbeError::NoResource { asked: turn.asked.request, why }
    }

    pub(super) const fn api(&self) -> &'a Api {
        self.speaker.api
    }

    pub(super) fn note(&mut self, about: &str, mark: Mark, sentence: impl Into<String>) {
        let sentence = self.speaker.masked(&sentence.into());
        self.findings.push(ProbeFinding { about: about.to_owned(), mark, sentence });
    }

    /// Notes what the description should say at a dotted key; `None` takes the key out.
    pub(super) fn advise(&mut self, key: &[&str], value: Option<Value>) {
        let advice = Advice { key: key.iter().map(|part| (*part).to_owned()).collect(), value };
        if !self.advice.contains(&advice) {
            self.advice.push(advice);
        }
    }

    /// A read of what nobody made.
    async fn ask_for_nothing(&mut self) {
        if !self.api().dialect.reads() {
            return;
        }
        let word = self.speaker.word();
        let id = self.api().dialect.made_id(&word).unwrap_or(word);
        let answer = self.speaker.say(&Verb::Read, Say { id: &id, ..Say::default() }).await;
        let noun = &self.api().model.noun;
        let heard = heard(&answer);
        let mark = match answer.reply().map(|reply| reply.meaning) {
            Some(Meaning::NotFound) => Mark::AsDescribed,
            // What may be absent must be told apart from what is there.
            Some(_) if self.api().model.family == Family::Register => Mark::Differs,
            Some(_) | None => Mark::Open,
        };
        self.note("absence", mark, format!("a read where nobody made any {noun} is answered {heard}"));
    }

    /// A resource in `goal`: made, and brought there by the shortest way.
    pub(super) async fn fresh(&mut self, goal: StateIx) -> Option<Fresh> {
        let api = self.api();
        let (model, dialect) = (&api.model, &api.dialect);
        let made: Option<Arc<str>> = dialect.made_id(&self.speaker.word()).map(Into::into);
        let absent = model.state(Model::ABSENT).filter(|_| model.family == Family::Register);
        if Some(goal) == absent {
            return made.map(|id| Fresh { id, reply: None, state: goal });
        }
        let mut fresh = Fresh { id: made.clone().unwrap_or_default(), reply: None, state: model.initial };
        if dialect.creates() {
            let key = dialect.sends_key(&Verb::Create).then(|| self.speaker.word().into());
            let answer = self.speaker.say(&Verb::Create, Say { id: &fresh.id, key, ..Say::default() }).await;
            let reply = applied(&answer)?.clone();
            fresh.id = made.or_else(|| reply.resource.clone())?;
            fresh.reply = Some(reply);
        }
        for (action, to) in model.path_to(goal)? {
            let verb = Verb::Act(Arc::clone(&action.name));
            let answer = self.act(&verb, &mut fresh, None).await;
            applied(&answer)?;
            fresh.state = to;
        }
        Some(fresh)
    }

    /// Does something as one who has just read, with a key of its own and a word, if one is named.
    pub(super) async fn act(&mut self, verb: &Verb, fresh: &mut Fresh, word: Option<String>) -> Answer {
        // What a reply told may be of a resource that has not settled yet: a read waits for that.
        let known = fresh.reply.as_ref().filter(|_| self.api().dialect.settle().is_none());
        let token = match known.and_then(|reply| reply.token.clone()) {
            _ if !self.api().dialect.sends_token(verb) => None,
            // What the last reply told is newer than a read that lags.
            Some(token) => Some(token),
            None => self.token(fresh).await,
        };
        let key = self.api().dialect.sends_key(verb).then(|| self.speaker.word().into());
        let answer = self.speaker.say(verb, Say { id: &fresh.id, token, key, word, ..Say::default() }).await;
        if let Some(reply) = applied(&answer) {
            fresh.reply = Some(reply.clone());
        }
        answer
    }

    /// The version token that is current now.
    pub(super) async fn token(&mut self, fresh: &Fresh) -> Option<Arc<str>> {
        match self.read(fresh).await {
            Some(reply) => reply.token,
            None => fresh.reply.as_ref().and_then(|reply| reply.token.clone()),
        }
    }

    /// What is shown now; nothing where nothing can be read, or is there.
    pub(super) async fn read(&mut self, fresh: &Fresh) -> Option<Reply> {
        if !self.api().dialect.reads() {
            return None;
        }
        let answer = self.speaker.say(&Verb::Read, Say { id: &fresh.id, ..Say::default() }).await;
        applied(&answer).cloned()
    }

    /// How many rows a list has.
    pub(super) async fn rows(&mut self, list: &Verb, fresh: &Fresh) -> Option<usize> {
        let answer = self.speaker.say(list, Say { id: &fresh.id, ..Say::default() }).await;
        answer.reply()?.records.as_ref().map(Vec::len)
    }
}

/// The reply, if it says that this was done.
pub(super) fn applied(answer: &Answer) -> Option<&Reply> {
    answer.reply().filter(|reply| reply.meaning == Meaning::Applied)
}

/// Whether it was refused, or done; `None` if that is left open.
pub(super) fn is_refused(answer: &Answer) -> Option<bool> {
    match answer.reply()?.meaning {
        Meaning::Applied | Meaning::Replayed => Some(false),
        meaning if meaning.is_refusal() => Some(true),
        _ => None,
    }
}

/// What was heard: `412 (stale)`.
pub(super) fn heard(answer: &Answer) -> String {
    answer.heard.clone()
}
