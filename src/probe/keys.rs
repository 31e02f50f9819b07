//! Idempotency keys: a request that is said again with its key is one request, now and after the resource has moved on.

use std::sync::Arc;

use super::again::{Again, Twice};
use super::fresh::{Fresh, Prober, SETTLING, applied, heard};
use super::speaker::{Answer, Say};
use crate::api::StateIx;
use crate::history::{Meaning, Verb};
use crate::probe_result::Mark;
use crate::target::Target;

/// A request that carries a key, and where it may be made.
#[derive(Clone)]
pub(super) struct Keyed {
    pub(super) verb: Verb,
    pub(super) from: StateIx,
}

impl<T: Target> Prober<'_, T> {
    pub(super) async fn ask_keys(&mut self) {
        let keyed = self.keyed();
        if !self.api().dialect.has_keys() || keyed.is_empty() {
            return self.ask_undescribed_key().await;
        }
        let mut stored = Vec::new();
        for one in &keyed {
            stored.extend(self.ask_again(one).await);
        }
        // What is done once more is a breach whatever is promised: no description makes it right.
        let is_breached = stored.contains(&Again::Done);
        let is_stored = stored.iter().all(|again| *again == Again::Stored);
        let described = self.api().model.keys.replays_what_was_stored;
        if described && !is_stored && !is_breached {
            self.advise(&["idempotency", "replay"], None);
        }
        if !described && is_stored && !stored.is_empty() {
            self.advise(&["idempotency", "replay"], Some("stored".into()));
        }
        self.ask_reuse(&keyed, is_breached).await;
    }

    /// What is sent with a key: `create`, and actions, each from the nearest state that allows it.
    fn keyed(&self) -> Vec<Keyed> {
        let (model, dialect) = (&self.api().model, &self.api().dialect);
        let create = (dialect.creates() && dialect.sends_key(&Verb::Create))
            .then_some(Keyed { verb: Verb::Create, from: model.initial });
        let actions = model.actions.iter().filter(|action| !action.is_aside).filter_map(|action| {
            let verb = Verb::Act(Arc::clone(&action.name));
            let from = self.nearest(action)?;
            dialect.sends_key(&verb).then_some(Keyed { verb, from })
        });
        create.into_iter().chain(actions).collect()
    }

    /// Says a request twice, and a third time after another change. What that came to, if it can be told.
    async fn ask_again(&mut self, keyed: &Keyed) -> Option<Again> {
        let verb = &keyed.verb;
        let about = format!("keys of {verb}");
        let Some(mut fresh) = self.before(keyed).await else {
            self.note(&about, Mark::Open, "no resource could be brought to where it could be asked");
            return None;
        };
        let token = if self.api().dialect.sends_token(verb) { self.token(&fresh).await } else { None };
        let say =
            Say { token, key: Some(self.speaker.word().into()), word: Some(self.speaker.word()), ..Say::default() };
        let at_first = self.effects(&fresh).await;
        let first = self.say_to(&fresh, verb, &say).await;
        let Some(reply) = applied(&first).cloned() else {
            self.note(&about, Mark::Open, format!("alone, with a key of its own, it is answered {}", heard(&first)));
            return None;
        };
        let before = self.settled(&fresh, at_first, reply.effect.is_some()).await;
        let second = self.say_to(&fresh, verb, &say).await;
        let after = self.effects(&fresh).await;
        let states = self.leads_to(verb, keyed.from, &reply);
        let again = Twice {
            keyed,
            say: &say,
            first: &first,
            second: &second,
            between: None,
            latest: &reply,
            states: &states,
            listed: (before, after),
        };
        let again = self.again(&again).await;
        self.note_again(&about, again, &second, "said again");
        self.ask_marker(&about, again, &first, &second);
        match again {
            Again::Open => return None,
            Again::Done | Again::RefusedAnyway => return Some(again),
            Again::Stored | Again::Recognised | Again::Refused => {}
        }
        fresh.id = if *verb == Verb::Create { reply.resource.clone().unwrap_or(fresh.id) } else { fresh.id };
        fresh.reply = Some(reply);
        let late = self.ask_late(&about, keyed, (fresh, &states), &say, &first).await;
        Some(late.filter(|_| again == Again::Stored).unwrap_or(again))
    }

    /// The same once more, after the resource has moved on. What that came to, if it can be told.
    async fn ask_late(
        &mut self,
        about: &str,
        keyed: &Keyed,
        (mut fresh, states): (Fresh, &[StateIx]),
        say: &Say<'_>,
        first: &Answer,
    ) -> Option<Again> {
        let (model, dialect) = (&self.api().model, &self.api().dialect);
        let (verb, [state]) = (&keyed.verb, states) else { return None };
        let other = model.actions.iter().find(|action| {
            let other = Verb::Act(Arc::clone(&action.name));
            !action.is_aside && other != *verb && !dialect.sends_key(&other) && action.next(*state).next().is_some()
        })?;
        let other = Verb::Act(Arc::clone(&other.name));
        let id = Arc::clone(&fresh.id);
        let latest = applied(&self.act(&other, &mut fresh, None).await)?.clone();
        let has_no_id = *verb == Verb::Create && !dialect.makes_ids();
        let made = Fresh { id: if has_no_id { Arc::default() } else { id }, reply: None, state: *state };
        let before = self.effects(&fresh).await;
        let late = self.say_to(&made, verb, say).await;
        let listed = (before, self.effects(&fresh).await);
        let states = self.leads_to(&other, *state, &latest);
        let (between, latest, states) = (Some(&other), &latest, &states[..]);
        let again = self.again(&Twice { keyed, say, first, second: &late, between, latest, states, listed }).await;
        self.note_again(about, again, &late, &format!("said again after `{other}`"));
        (again != Again::Open).then_some(again)
    }

    fn note_again(&mut self, about: &str, again: Again, answer: &Answer, how: &str) {
        let told = heard(answer);
        let described = self.api().model.keys.replays_what_was_stored;
        let otherwise = if described { Mark::Differs } else { Mark::AsDescribed };
        let (mark, sentence) = match again {
            Again::Stored if described => (Mark::AsDescribed, format!("{how}, it hears the stored answer: {told}")),
            Again::Stored => {
                (Mark::Differs, format!("{how}, it hears the stored answer: {told}, which is not promised"))
            }
            Again::Recognised => (otherwise, format!("{how}, it is recognised, and hears another answer: {told}")),
            Again::Refused => (otherwise, format!("{how}, it is refused: {told}")),
            Again::RefusedAnyway => {
                (Mark::Open, format!("{how}, it is refused: {told}, as it would be without its key"))
            }
            Again::Done => (Mark::Differs, format!("{how}, it is done once more: {told}")),
            Again::Open => {
                (Mark::Open, format!("{how}, it is answered {told}, which does not tell whether it was done once more"))
            }
        };
        self.note(about, mark, sentence);
    }

    /// Whether a stored answer says that it is one.
    fn ask_marker(&mut self, about: &str, again: Again, first: &Answer, second: &Answer) {
        if !matches!(again, Again::Stored | Again::Recognised) {
            return;
        }
        let says = second.reply().is_some_and(|reply| reply.meaning == Meaning::Replayed);
        match self.api().dialect.replay_place() {
            Some(place) if says => self.note(about, Mark::AsDescribed, format!("a stored answer says so at {place}")),
            Some(place) => {
                self.note(about, Mark::Differs, format!("a stored answer says nothing at {place}"));
                self.advise(&["idempotency", "replayed"], None);
            }
            None => {
                let has = |answer: &Answer, name: &str| {
                    answer.response.as_ref().is_some_and(|response| response.header(name).is_some())
                };
                let names = second.response.iter().flat_map(|response| &response.headers).map(|(name, _)| name);
                let marker = names.filter(|name| name.contains("replay")).find(|name| !has(first, name)).cloned();
                if let Some(name) = marker {
                    self.note(about, Mark::Learned, format!("a stored answer says so at the header `{name}`"));
                    self.advise(&["idempotency", "replayed"], Some(serde_json::json!({ "header": *name })));
                }
            }
        }
    }

    /// What there must be before it: the resource in its state, or, for what makes one, nothing.
    pub(super) async fn before(&mut self, keyed: &Keyed) -> Option<Fresh> {
        if keyed.verb == Verb::Create {
            let made = self.api().dialect.made_id(&self.speaker.word()).map(Into::into);
            return Some(Fresh { id: made.unwrap_or_default(), reply: None, state: keyed.from });
        }
        self.fresh(keyed.from).await
    }

    pub(super) async fn say_to(&mut self, fresh: &Fresh, verb: &Verb, say: &Say<'_>) -> Answer {
        self.speaker.say(verb, Say { id: &fresh.id, ..say.clone() }).await
    }

    /// The same once the effect of a request is listed, or is given up for: there were so many before it.
    pub(super) async fn settled(&mut self, fresh: &Fresh, before: Option<usize>, is_expected: bool) -> Option<usize> {
        let now = self.effects(fresh).await;
        if !is_expected || now.is_none() || now > before {
            return now;
        }
        tokio::time::sleep(SETTLING).await;
        self.effects(fresh).await
    }

    /// How many effects there are of the resource, where that is listed.
    pub(super) async fn effects(&mut self, fresh: &Fresh) -> Option<usize> {
        if fresh.id.is_empty() || !self.api().dialect.speaks(&Verb::ListEffects) {
            return None;
        }
        self.rows(&Verb::ListEffects, fresh).await
    }
}
