//! One who asks a target, one request after the other, and notes down for people what was said.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::asked;
use crate::api::{Api, Because, Explained, Fill, Headers, Request, Response, Secrets, Settling};
use crate::history::{Actor, Cause, Digest, Outcome, Reply, Verb};
use crate::probe_result::{Asked, Heard, Told, Turn};
use crate::seed::{Dice, Seed};
use crate::target::{Failure, Target};
use crate::text::harmless;

/// Headers of replies that matter, whatever the description says.
const SHOWN: [&str; 8] = [
    "allow",
    "content-type",
    "etag",
    "idempotent-replayed",
    "last-modified",
    "location",
    "retry-after",
    "www-authenticate",
];
/// Characters shown of a reply's body.
const BODY: usize = 600;
/// Between two reads that ask whether a resource has settled.
const PAUSE: Duration = Duration::from_millis(20);
/// What stands for what repeats a secret.
const MASKED: &str = "(masked)";

/// What a request is made of, beside its verb and actor.
#[derive(Debug, Clone, Default)]
pub(super) struct Say<'a> {
    pub(super) id: &'a str,
    pub(super) token: Option<Arc<str>>,
    pub(super) key: Option<Arc<str>>,
    /// The unique word; a fresh one, if none.
    pub(super) word: Option<String>,
    pub(super) body: Option<&'a serde_json::Value>,
    pub(super) starts: Option<i64>,
    /// A header beside the described ones.
    pub(super) header: Option<(&'a str, Arc<str>)>,
    /// Of a read: the view it is made at, from 0; the resource itself, if none is named.
    pub(super) view: Option<usize>,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) outcome: Outcome,
    pub(super) response: Option<Response>,
    /// What was heard, for people: `412 (stale)`.
    pub(super) heard: String,
    /// What the request carried.
    pub(super) payload: Digest,
}

impl Answer {
    pub(super) fn reply(&self) -> Option<&Reply> {
        self.outcome.reply()
    }
}

/// Asks `target` as `api` says.
pub(super) struct Speaker<'a, T> {
    target: &'a T,
    pub(super) api: &'a Api,
    /// What was known to be secret before anything was asked.
    secrets: Secrets,
    /// Headers that requests proved with who asks, a minted token say: known nowhere else.
    sent: Headers,
    persons: Seed,
    pub(super) dice: Dice,
    /// The last request, for people.
    pub(super) last: Option<Turn>,
    /// By status and what it means: the requests that heard it.
    pub(super) statuses: BTreeMap<(u16, &'static str), std::collections::BTreeSet<String>>,
    /// Why the last request had no reply, if it had none.
    pub(super) lost: Option<Cause>,
}

impl<'a, T: Target> Speaker<'a, T> {
    pub(super) fn new(target: &'a T, api: &'a Api) -> Self {
        let seed = Seed::arbitrary();
        Self {
            target,
            api,
            secrets: api.dialect.secrets(),
            sent: Headers::new(),
            persons: seed.child("persons"),
            dice: seed.dice(),
            last: None,
            statuses: BTreeMap::new(),
            lost: None,
        }
    }

    /// A stranger's text with no secret in it, and then no longer than `most`. In this order: what is cut is found no more.
    pub(super) fn safe(&self, text: &str, most: usize) -> String {
        harmless(&self.masked(text), most)
    }

    /// `text` with no secret in it: neither one that was sent, nor one that was given.
    pub(super) fn masked(&self, text: &str) -> String {
        self.secrets.mask(&Secrets::of(&self.sent).mask(text))
    }

    /// Keeps in mind what people are not shown of a request.
    fn keep_secrets(&mut self, sent: &Request, shown: &Request) {
        for (own, shown) in sent.headers.iter().zip(&shown.headers) {
            if own != shown && !self.sent.contains(own) {
                self.sent.push(own.clone());
            }
        }
    }

    /// The request for people: an id in it, or a token, may be a secret that the server repeats.
    fn asked(&self, shown: Request) -> Asked {
        let masked = |text: &str| self.masked(text).into();
        let body = shown.body.map(|body| self.masked(&String::from_utf8_lossy(&body)).into());
        let headers = shown.headers.into_iter().map(|(name, value)| (name, masked(&value))).collect();
        asked(&Request { path: self.masked(&shown.path), headers, body, ..shown })
    }

    /// Why nobody may be there any more: the last request was answered by nothing that speaks HTTP.
    pub(super) fn gone(&self) -> Option<&Cause> {
        self.lost.as_ref().filter(|cause| matches!(cause, Cause::Connect(_) | Cause::Tls(_) | Cause::NotHttp(_)))
    }

    /// A word that nobody said before.
    pub(super) fn word(&mut self) -> String {
        self.dice.uuid().to_string()
    }

    /// Whoever does this, unless somebody else is named.
    pub(super) fn actor(&self, verb: &Verb) -> Actor {
        Actor { role: Arc::clone(self.api.dialect.role(verb)), person: 1 }
    }

    /// Asks, in the role that does this.
    pub(super) async fn say(&mut self, verb: &Verb, say: Say<'_>) -> Answer {
        let actor = self.actor(verb);
        self.ask(verb, &actor, say).await
    }

    /// Asks. A request that changes nothing is asked once more where its kept connection had been closed meanwhile.
    pub(super) async fn ask(&mut self, verb: &Verb, actor: &Actor, say: Say<'_>) -> Answer {
        let person = self.persons.child(&actor.to_string()).dice().uuid().to_string();
        let unique = say.word.unwrap_or_else(|| self.dice.uuid().to_string());
        let fill = Fill {
            id: say.id,
            role: &actor.role,
            person: &person,
            unique: &unique,
            token: say.token.as_deref(),
            key: say.key.as_deref(),
            body: say.body,
            starts: say.starts,
            ..Fill::default()
        };
        let (mut request, mut shown) = match say.view {
            Some(view) => self.api.dialect.view_and_shown(view, fill),
            None => self.api.dialect.request_and_shown(verb, fill),
        };
        self.keep_secrets(&request, &shown);
        for made in [&mut request, &mut shown] {
            made.headers.extend(say.header.iter().map(|(name, value)| (Arc::from(*name), Arc::clone(value))));
        }
        let mut result = match verb {
            Verb::Read => self.read_settled(&request).await,
            _ => self.target.send(&request).await.result,
        };
        let looks = matches!(verb, Verb::Read | Verb::ListEffects | Verb::ListEvents);
        if looks && matches!(result, Err(Failure::Unknown(Cause::Broken(_)))) {
            result = self.target.send(&request).await.result;
        }
        let payload = Digest::of(request.body.as_deref().unwrap_or_default());
        let (answer, heard) = self.hear(verb, result);
        self.last = Some(Turn { who: actor.to_string(), verb: verb.to_string(), asked: self.asked(shown), heard });
        Answer { payload, ..answer }
    }

    /// What a read says once the resource has settled, or when its time for that is over.
    async fn read_settled(&self, request: &Request) -> Result<Response, Failure> {
        let Some(settle) = self.api.dialect.settle() else { return self.target.send(request).await.result };
        tokio::time::sleep(settle.quiet).await;
        let end = Instant::now() + settle.limit;
        loop {
            let result = self.target.send(request).await.result;
            let waits = |response| !self.api.dialect.is_settled(response, Settling::Start);
            if !result.as_ref().is_ok_and(waits) || Instant::now() + PAUSE > end {
                return result;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn hear(&mut self, verb: &Verb, result: Result<Response, Failure>) -> (Answer, Heard) {
        let payload = Digest::of(&[]);
        let response = match result {
            Ok(response) => response,
            Err(failure) => {
                let cause = failure.cause().clone();
                self.lost = Some(cause.clone());
                let heard = self.safe(&cause.to_string(), 400);
                let outcome = match failure {
                    Failure::NotSent(cause) => Outcome::NotSent(cause),
                    Failure::Unknown(cause) => Outcome::Unknown(cause),
                };
                return (Answer { outcome, response: None, heard: heard.clone(), payload }, Heard::Nothing(heard));
            }
        };
        self.lost = None;
        let explained = self.api.dialect.explain(verb, &response);
        let outcome = explained.outcome.clone();
        let told = self.told(&response, explained);
        self.statuses.entry((told.status, told.meaning)).or_default().insert(verb.to_string());
        let heard = told.unreadable.clone().unwrap_or_else(|| format!("{} ({})", told.status, told.meaning));
        (Answer { outcome, response: Some(response), heard, payload }, Heard::Reply(Box::new(told)))
    }

    fn told(&self, response: &Response, explained: Explained) -> Told {
        let safe = |text: &str, most| self.safe(text, most);
        let body = String::from_utf8_lossy(&response.body);
        // What explains a reply may hold the beginning of what stands in it: of a secret, that is not told.
        let repeats = self.masked(&body) != body;
        let named = self.api.dialect.token_header();
        let matters = |name: &str| SHOWN.contains(&name) || Some(name) == named;
        let because = match explained.because {
            Because::Rule(line) => format!("says the [[replies]] rule on line {line}"),
            Because::Http if explained.meaning.is_some() => "says HTTP".to_owned(),
            Because::Http => "HTTP leaves open whether it was done".to_owned(),
            Because::Replayed => "says `replayed` of [idempotency]".to_owned(),
        };
        let unreadable = match &explained.outcome {
            Outcome::Answered(_) => None,
            Outcome::Unknown(Cause::Unreadable { status, .. }) if repeats => {
                Some(format!("status {status}, but what came cannot be read, and repeats a secret"))
            }
            Outcome::NotSent(cause) | Outcome::Unknown(cause) => Some(safe(&cause.to_string(), 400)),
        };
        let sights = explained.sights.into_iter().map(|mut sight| {
            let is_cut = |found: &String| repeats && found.contains('…');
            sight.found = sight.found.map(|found| if is_cut(&found) { MASKED.to_owned() } else { safe(&found, 100) });
            sight.hint = sight.hint.map(|hint| safe(&hint, 600));
            sight
        });
        Told {
            status: response.status,
            meaning: explained.meaning.map_or("unknown", crate::history::Meaning::word),
            because,
            headers: (response.headers.iter().filter(|(name, _)| matters(name)))
                .map(|(name, value)| (name.to_string(), safe(value, 200)))
                .collect(),
            body: (!response.body.is_empty()).then(|| safe(&body, BODY)),
            sights: sights.collect(),
            unreadable,
        }
    }
}
