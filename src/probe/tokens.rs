//! Version tokens: told, strong, changing; a current one accepted, any other refused.

use std::sync::Arc;
use std::time::Duration;

use super::fresh::SETTLING;
use super::fresh::{Fresh, Prober, applied, heard, is_refused};
use super::speaker::{Answer, Say};
use crate::api::{Family, Model, StateIx};
use crate::history::{Meaning, Verb};
use crate::probe_result::Mark;
use crate::target::Target;

const ABOUT: &str = "version token";

/// Conditional actions: one that may be done, and those that may be done after it, but for their token.
#[derive(Clone)]
struct Pair {
    from: StateIx,
    first: Verb,
    /// None, if it leaves nothing that another could be done to.
    after: Vec<Verb>,
}

/// Whether a tag says that it is weak (RFC 9110 §8.8.1).
fn is_weak(tag: &str) -> bool {
    tag.starts_with("W/")
}

impl<T: Target> Prober<'_, T> {
    pub(super) async fn ask_tokens(&mut self) {
        if !self.api().dialect.has_token() {
            return self.ask_undescribed_token().await;
        }
        let Some(pair) = self.pair() else {
            return self.note(ABOUT, Mark::Open, "no action that a fresh resource allows is conditional on one");
        };
        if !self.ask_how_it_is_told(&pair).await {
            return;
        }
        if self.ask_current_and_stale(&pair).await {
            self.ask_missing(&pair).await;
            self.ask_weak(&pair).await;
        }
        self.ask_absence().await;
    }

    /// The best two to ask with: from the nearest state, and preferably such that leave something behind.
    fn pair(&self) -> Option<Pair> {
        let (model, dialect) = (&self.api().model, &self.api().dialect);
        let verb = |name: &Arc<str>| Verb::Act(Arc::clone(name));
        let conditional = || model.actions.iter().filter(|action| dialect.sends_token(&verb(&action.name)));
        let mut states: Vec<(usize, StateIx)> = (0..model.states.len())
            .filter_map(|index| u16::try_from(index).ok().map(StateIx))
            .filter(|state| **model.state_name(*state) != *Model::ABSENT)
            .filter_map(|state| Some((model.path_to(state)?.len(), state)))
            .collect();
        states.sort_unstable();
        let mut lone = None;
        for (_, from) in states {
            for first in conditional().filter(|action| action.next(from).next().is_some()) {
                let follows = |second: &&crate::api::ActionModel| {
                    first.next(from).any(|to| {
                        !(model.family == Family::Register && **model.state_name(to) == *Model::ABSENT)
                            && second.next(to).next().is_some()
                    })
                };
                let after: Vec<Verb> = conditional().filter(follows).map(|second| verb(&second.name)).collect();
                let pair = Pair { from, first: verb(&first.name), after };
                if !pair.after.is_empty() {
                    return Some(pair);
                }
                lone = lone.or(Some(pair));
            }
        }
        lone
    }

    /// Where it is told, what kind it is, and whether it stays while nothing is done.
    async fn ask_how_it_is_told(&mut self, pair: &Pair) -> bool {
        let place = self.api().dialect.token_place().unwrap_or_default();
        let Some(fresh) = self.fresh(pair.from).await else {
            self.note(ABOUT, Mark::Open, "no resource could be brought to where it could be asked");
            return false;
        };
        let Some(first) = self.token(&fresh).await else {
            self.note(ABOUT, Mark::Differs, format!("none is told at {place}"));
            return false;
        };
        let dialect = &self.api().dialect;
        let is_tag = dialect.token_header().is_some_and(|header| header == "etag");
        let kind = match (dialect.has_weak_tokens(), is_weak(&first), first.starts_with('"')) {
            (true, true, _) => "weak: by RFC 9110 it never matches in If-Match",
            (true, false, true) => "strong",
            (false, _, _) if is_tag => "compared as it is",
            _ => "a word of the API's own",
        };
        let again = self.token(&fresh).await;
        if again.as_ref() == Some(&first) {
            self.note(ABOUT, Mark::AsDescribed, format!("told at {place}, {kind}; the same when it is read again"));
        } else {
            let sentence =
                format!("told at {place}, {kind}; but another one when it is read again, nothing having been done");
            self.note(ABOUT, Mark::Differs, sentence);
        }
        true
    }

    /// The current one is accepted and changes; then it is a stale one, and refused. Whether the first was done.
    async fn ask_current_and_stale(&mut self, pair: &Pair) -> bool {
        let Some(mut fresh) = self.fresh(pair.from).await else { return false };
        let Some(old) = self.token(&fresh).await else { return false };
        let answer = self.conditional(&pair.first, &fresh, Some(&old)).await;
        let (first, told) = (&pair.first, heard(&answer));
        if applied(&answer).is_none() {
            self.note(ABOUT, Mark::Differs, format!("a current one is not accepted: `{first}` is answered {told}"));
            return false;
        }
        // What is compared as it is never begins so here (`TokenDialect::known`).
        if is_weak(&old) {
            let sentence = format!(
                "a weak one is accepted, against RFC 9110 §13.1.1: `{first}` is answered {told}; a race calls that \
                 weak-etag-accepted, unless the description says compare = \"as-is\": that weak ones name versions here"
            );
            self.note(ABOUT, Mark::Differs, sentence);
            self.advise(&["token", "compare"], Some("as-is".into()));
        } else {
            self.note(ABOUT, Mark::AsDescribed, format!("a current one is accepted: `{first}` is answered {told}"));
        }
        fresh.reply = applied(&answer).cloned();
        let mut new = self.token(&fresh).await;
        if new.as_ref() == Some(&old) {
            // A read may lag; that is told elsewhere.
            tokio::time::sleep(SETTLING).await;
            new = self.token(&fresh).await;
        }
        if new.as_ref() == Some(&old) {
            self.note(ABOUT, Mark::Differs, format!("it does not change when `{first}` changes the resource"));
            return true;
        }
        self.note(ABOUT, Mark::AsDescribed, format!("it changes when `{first}` changes the resource"));
        self.ask_stale(pair, fresh, old).await;
        if pair.after.is_empty() {
            let sentence =
                "whether a stale one is refused: no action is allowed after another, so only a state could refuse";
            self.note(ABOUT, Mark::Open, sentence);
        }
        true
    }

    /// A stale one, with everything that may be done but for it, each on a resource of its own.
    async fn ask_stale(&mut self, pair: &Pair, fresh: Fresh, old: Arc<str>) {
        let mut refused: Vec<String> = Vec::new();
        let mut changed = Some((fresh, old));
        for second in &pair.after {
            let taken = match changed.take() {
                Some(changed) => Some(changed),
                None => self.changed(pair).await,
            };
            let Some((fresh, old)) = taken else { continue };
            let (answer, is_changed) = self.say_stale(second, &fresh, &old, Duration::ZERO).await;
            let told = heard(&answer);
            match (is_refused(&answer), answer.reply().map(|reply| reply.meaning)) {
                (Some(true), _) if is_changed && self.changes_all_the_same(pair, second).await => {
                    let sentence =
                        format!("a stale one is refused, {told}, and `{second}` changes the resource all the same");
                    self.note(ABOUT, Mark::Differs, sentence);
                }
                (Some(true), Some(Meaning::Stale)) => refused.push(format!("`{second}` {told}")),
                (Some(true), _) => self.note_other_refusal(second, &answer),
                (Some(false), _) => {
                    let sentence = format!(
                        "a stale one is accepted: `{second}` is answered {told}, and overwrites what nobody saw"
                    );
                    self.note(ABOUT, Mark::Differs, sentence);
                }
                (None, _) => {
                    let sentence = format!("whether a stale one is refused: `{second}` is answered {told}");
                    self.note(ABOUT, Mark::Open, sentence);
                }
            }
        }
        if !refused.is_empty() {
            let sentence = format!("a stale one is refused: {}", crate::text::list(&refused));
            self.note(ABOUT, Mark::AsDescribed, sentence);
        }
    }

    /// Says it on a stale token; and whether the resource, which was given time to settle before, has another token then.
    async fn say_stale(&mut self, second: &Verb, fresh: &Fresh, old: &Arc<str>, settling: Duration) -> (Answer, bool) {
        tokio::time::sleep(settling).await;
        let before = self.seen(fresh).await;
        let answer = self.conditional(second, fresh, Some(old)).await;
        tokio::time::sleep(settling).await;
        let after = self.seen(fresh).await;
        // What the change itself told is no change by the refusal: a read may just have been late.
        let known = fresh.reply.as_ref().and_then(|reply| reply.token.as_ref());
        let is_changed = before != after && (known.is_none() || after.as_ref() != known);
        (answer, is_changed)
    }

    /// The token that a read shows; none where nothing is there any more.
    async fn seen(&mut self, fresh: &Fresh) -> Option<Arc<str>> {
        self.read(fresh).await.and_then(|reply| reply.token)
    }

    /// Whether what was refused is seen to change the resource once more, with time for reads that are late.
    async fn changes_all_the_same(&mut self, pair: &Pair, second: &Verb) -> bool {
        let Some((fresh, old)) = self.changed(pair).await else { return false };
        let (answer, is_changed) = self.say_stale(second, &fresh, &old, SETTLING).await;
        is_refused(&answer) == Some(true) && is_changed
    }

    /// A refusal that the description does not read as one of a stale token.
    fn note_other_refusal(&mut self, second: &Verb, answer: &Answer) {
        let (told, status) = (heard(answer), answer.reply().map(|reply| reply.status).unwrap_or_default());
        let sentence = format!(
            "a stale one is refused, but not as `stale`: `{second}` is answered {told}; if {status} says so here, add [[replies]] \
             with status = [{status}] and means = \"stale\""
        );
        self.note(ABOUT, Mark::Open, sentence);
    }

    /// A resource that was changed, and the token from before that.
    async fn changed(&mut self, pair: &Pair) -> Option<(Fresh, Arc<str>)> {
        let mut fresh = self.fresh(pair.from).await?;
        let old = self.token(&fresh).await?;
        let answer = self.conditional(&pair.first, &fresh, Some(&old)).await;
        fresh.reply = Some(applied(&answer)?.clone());
        Some((fresh, old))
    }

    /// `required`, as described or not.
    async fn ask_missing(&mut self, pair: &Pair) {
        let Some(fresh) = self.fresh(pair.from).await else { return };
        let answer = self.conditional(&pair.first, &fresh, None).await;
        let (first, told) = (&pair.first, heard(&answer));
        let described = self.api().model.precondition_required;
        let Some(refused) = is_refused(&answer) else {
            return self.note(
                ABOUT,
                Mark::Open,
                format!("whether it is required: without it, `{first}` is answered {told}"),
            );
        };
        let word = if refused { "required" } else { "not required" };
        let mark = if refused == described { Mark::AsDescribed } else { Mark::Differs };
        self.note(ABOUT, mark, format!("it is {word}: without it, `{first}` is answered {told}"));
        if refused != described {
            self.advise(&["token", "required"], Some(refused.into()));
        }
    }

    /// What is said to be weak never matches in If-Match (RFC 9110 §13.1.1).
    async fn ask_weak(&mut self, pair: &Pair) {
        let Some(fresh) = self.fresh(pair.from).await else { return };
        let Some(token) = self.token(&fresh).await.filter(|token| token.starts_with('"')) else { return };
        let weak: Arc<str> = format!("W/{token}").into();
        let answer = self.conditional(&pair.first, &fresh, Some(&weak)).await;
        let (first, told) = (&pair.first, heard(&answer));
        let (mark, sentence) = match is_refused(&answer) {
            Some(true) => (Mark::AsDescribed, format!("a weak one is refused: `{first}` is answered {told}")),
            Some(false) => (
                Mark::Differs,
                format!("a weak one is accepted, against RFC 9110 §13.1.1: `{first}` is answered {told}"),
            ),
            None => (Mark::Open, format!("whether a weak one is refused: `{first}` is answered {told}")),
        };
        self.note(ABOUT, mark, sentence);
    }

    /// What needs that there is nothing (`If-None-Match: *`), where there is something.
    async fn ask_absence(&mut self) {
        let api = self.api();
        let (Some(absent), Some(present)) = (api.model.state(Model::ABSENT), api.model.state(Model::PRESENT)) else {
            return;
        };
        let needs_absence = |action: &&crate::api::ActionModel| {
            action.next(absent).next().is_some() && action.next(present).next().is_none()
        };
        let Some(action) =
            api.model.actions.iter().filter(|_| api.model.family == Family::Register).find(needs_absence)
        else {
            return;
        };
        let verb = Verb::Act(Arc::clone(&action.name));
        let Some(fresh) = self.fresh(present).await else { return };
        let answer = self.conditional(&verb, &fresh, None).await;
        let told = heard(&answer);
        let (mark, what) = match is_refused(&answer) {
            Some(true) => (Mark::AsDescribed, "is refused where there is one"),
            Some(false) => (Mark::Differs, "is accepted though there is one, and what was there is gone"),
            None => (Mark::Open, "where there is one"),
        };
        self.note("absence", mark, format!("`{verb}`, which needs that there is none, {what}: {told}"));
    }

    pub(super) async fn conditional(&mut self, verb: &Verb, fresh: &Fresh, token: Option<&Arc<str>>) -> Answer {
        let key = self.api().dialect.sends_key(verb).then(|| self.speaker.word().into());
        let say = Say { id: &fresh.id, token: token.cloned(), key, ..Say::default() };
        self.speaker.say(verb, say).await
    }
}
