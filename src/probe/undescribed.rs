//! What a description does not speak of, and the server may do all the same: If-Match and Idempotency-Key.

use std::sync::Arc;

use serde_json::json;

use super::fresh::{Fresh, Prober, applied, heard, is_refused};
use super::speaker::{Answer, Say};
use crate::history::{Meaning, Verb};
use crate::probe_result::Mark;
use crate::target::Target;

const UNHEARD: &str = "\"no-version-had-this-tag\"";

impl<T: Target> Prober<'_, T> {
    /// Whether reads tell an `ETag`, and If-Match is honoured.
    pub(super) async fn ask_undescribed_token(&mut self) {
        let start = self.api().model.initial;
        let Some(fresh) = self.fresh(start).await.filter(|_| self.api().dialect.reads()) else { return };
        let answer = self.speaker.say(&Verb::Read, Say { id: &fresh.id, ..Say::default() }).await;
        let Some(tag) = answer.response.as_ref().and_then(|response| response.header("etag").cloned()) else {
            return self.note("ETag", Mark::Learned, "none is sent, and no version token is described");
        };
        let kind = if tag.starts_with("W/") { "weak" } else { "strong" };
        let action = self
            .api()
            .model
            .actions
            .iter()
            .filter(|action| !action.is_aside)
            .find(|action| action.next(start).next().is_some());
        let Some(verb) = action.map(|action| Verb::Act(Arc::clone(&action.name))) else {
            return self.note("ETag", Mark::Learned, format!("a {kind} one is sent"));
        };
        let refused = self.with_header(&verb, &fresh, "if-match", UNHEARD).await;
        if refused.reply().is_none_or(|reply| reply.meaning != Meaning::Stale) {
            let told = heard(&refused);
            // A refusal may have any other reason.
            let (mark, sentence) = if applied(&refused).is_some() {
                (
                    Mark::Learned,
                    format!("and If-Match is not honoured: with an unheard-of tag, `{verb}` is answered {told}"),
                )
            } else {
                (Mark::Open, format!("and with an unheard-of tag in If-Match, `{verb}` is answered {told}"))
            };
            return self.note("ETag", mark, format!("a {kind} one is sent, {sentence}"));
        }
        let accepted = self.with_header(&verb, &fresh, "if-match", &tag).await;
        if applied(&accepted).is_none() {
            let told = heard(&accepted);
            return self.note(
                "ETag",
                Mark::Open,
                format!("a {kind} one is sent; with If-Match, `{verb}` is answered {told}"),
            );
        }
        let sentence =
            format!("a {kind} one is sent, and If-Match is honoured by `{verb}`, which the description does not say");
        self.note("ETag", Mark::Differs, sentence);
        self.advise(&["token", "read"], Some(json!({ "header": "ETag" })));
        self.advise(&["token", "send"], Some(json!({ "header": "If-Match" })));
        if kind == "weak" {
            self.advise(&["token", "compare"], Some("as-is".into()));
        }
        let Some(other) = self.fresh(start).await else { return };
        let key = self.key(&verb);
        let bare = self.say_to(&other, &verb, &Say { key, ..Say::default() }).await;
        if let Some(refused) = is_refused(&bare) {
            self.advise(&["token", "required"], Some(refused.into()));
        }
    }

    /// Whether two requests that make something are one under one Idempotency-Key.
    pub(super) async fn ask_undescribed_key(&mut self) {
        let dialect = &self.api().dialect;
        if !dialect.creates() || dialect.makes_ids() || dialect.has_keys() {
            return;
        }
        let nothing = Fresh { id: Arc::default(), reply: None, state: self.api().model.initial };
        let (key, word) = (self.speaker.word(), self.speaker.word());
        let mut ids = Vec::new();
        // Twice under one key, and once, the same otherwise, without.
        for header in [Some("idempotency-key"), Some("idempotency-key"), None] {
            let header = header.map(|name| (name, Arc::from(key.as_str())));
            let say = Say { word: Some(word.clone()), header, ..Say::default() };
            let answer = self.say_to(&nothing, &Verb::Create, &say).await;
            ids.push(answer.reply().and_then(|reply| reply.resource.clone()));
        }
        match &ids[..] {
            [Some(first), Some(second), Some(third)] if first == second && first != third => {
                let sentence = "`create` honours Idempotency-Key, which the description does not say";
                self.note("keys", Mark::Differs, sentence);
                self.advise(&["idempotency", "send"], Some(json!({ "header": "Idempotency-Key" })));
                self.advise(&["create", "idempotency_key"], Some(true.into()));
            }
            [Some(first), Some(second), _] if first != second => {
                self.note("keys", Mark::Learned, "none are described, and `create` does not honour Idempotency-Key");
            }
            _ => {}
        }
    }

    async fn with_header(&mut self, verb: &Verb, fresh: &Fresh, name: &str, value: &str) -> Answer {
        let say = Say { header: Some((name, value.into())), key: self.key(verb), ..Say::default() };
        self.say_to(fresh, verb, &say).await
    }

    /// A key of its own, for what is sent with one.
    fn key(&mut self, verb: &Verb) -> Option<Arc<str>> {
        self.api().dialect.sends_key(verb).then(|| self.speaker.word().into())
    }
}
