//! What a request came to that was said twice with one key: by what the replies tell, and where they tell nothing, by what another
//! key comes to.
//!
//! ```text
//! key A ──► 200        key A ──► 200
//! key A ──► 200        key B ──► 409   so A was recognised: the state refuses whatever has another key
//! ```

use std::sync::Arc;

use super::fresh::{Prober, applied, is_refused};
use super::keys::Keyed;
use super::speaker::{Answer, Say};
use crate::api::{Family, StateIx};
use crate::history::{Meaning, Reply, Verb};
use crate::target::Target;

/// What a request came to that was said again with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The first answer, word for word.
    Stored,
    /// It was recognised, and answered otherwise.
    Recognised,
    /// It was refused.
    Refused,
    /// It was refused, and would be without its key: that tells nothing of the key.
    RefusedAnyway,
    /// It was done once more.
    Done,
    /// It cannot be told.
    Open,
}

/// A request that was said twice.
pub(super) struct Twice<'a> {
    pub(super) keyed: &'a Keyed,
    /// What it was said with.
    pub(super) say: &'a Say<'a>,
    pub(super) first: &'a Answer,
    pub(super) second: &'a Answer,
    /// What was done between the two, if anything was.
    pub(super) between: Option<&'a Verb>,
    /// The last reply before the second: the first, or that to what was done between.
    pub(super) latest: &'a Reply,
    /// Where the resource may be before the second.
    pub(super) states: &'a [StateIx],
    /// How many effects were listed before the second, and after it.
    pub(super) listed: (Option<usize>, Option<usize>),
}

impl<T: Target> Prober<'_, T> {
    pub(super) async fn again(&mut self, twice: &Twice<'_>) -> Again {
        let (Some(first), Some(second)) = (twice.first.reply(), twice.second.reply()) else { return Again::Open };
        match second.meaning {
            meaning if meaning.is_refusal() || meaning == Meaning::InProgress => {
                // Who promises the first answer breaks that promise, whatever the reason.
                let is_promised = self.api().model.keys.replays_what_was_stored;
                let is_moot = !is_promised && self.is_refused_anyway(twice, meaning);
                return if is_moot { Again::RefusedAnyway } else { Again::Refused };
            }
            Meaning::Applied | Meaning::Replayed => {}
            _ => return Again::Open,
        }
        let is_same = match self.is_same(twice, first, second) {
            None if self.is_refused_with_another_key(twice).await => Some(true),
            told => told,
        };
        match is_same {
            Some(false) => Again::Done,
            Some(true) if first.status == second.status && first.digest == second.digest => Again::Stored,
            Some(true) => Again::Recognised,
            None => Again::Open,
        }
    }

    /// Whether both were one, by what the replies and the list of effects tell.
    fn is_same(&self, twice: &Twice<'_>, first: &Reply, second: &Reply) -> Option<bool> {
        let (before, after) = twice.listed;
        let has_moved = self.has_moved(first, twice.latest, second);
        match twice.keyed.verb {
            _ if before.is_some() && before < after => Some(false),
            Verb::Create if !self.api().dialect.makes_ids() => Some(first.resource == second.resource),
            _ if second.meaning == Meaning::Applied && has_moved == Some(true) => Some(false),
            _ if first.effect.is_some() || second.effect.is_some() => Some(first.effect == second.effect),
            _ if second.meaning == Meaning::Replayed => Some(true),
            _ => has_moved.map(|moved| !moved),
        }
    }

    /// Whether the second reply shows a resource that nobody has seen before it. The same token proves nothing: it may be made of the
    /// value, which was written once more. The same version does.
    fn has_moved(&self, first: &Reply, latest: &Reply, second: &Reply) -> Option<bool> {
        fn is_new<V: PartialEq>(first: Option<&V>, latest: Option<&V>, second: Option<&V>) -> Option<bool> {
            let (latest, second) = (latest?, second?);
            Some(latest != second && first != Some(second))
        }
        let model = &self.api().model;
        let version = is_new(first.version.as_ref(), latest.version.as_ref(), second.version.as_ref())
            .filter(|_| model.versioned);
        let token = is_new(first.token.as_ref(), latest.token.as_ref(), second.token.as_ref());
        let is_number = matches!(model.family, Family::Counter(_));
        let number = is_new(first.state.as_ref(), latest.state.as_ref(), second.state.as_ref()).filter(|_| is_number);
        match (version, [token, number].contains(&Some(true))) {
            (Some(true), _) | (_, true) => Some(true),
            (version, false) => version,
        }
    }

    /// Whether a request with any other key would be refused as well: for its token, or where the resource is.
    fn is_refused_anyway(&self, twice: &Twice<'_>, meaning: Meaning) -> bool {
        if twice.say.token.is_some() && meaning == Meaning::Stale {
            return true;
        }
        let model = &self.api().model;
        let Verb::Act(name) = &twice.keyed.verb else { return self.api().dialect.makes_ids() };
        let action = model.action(name).expect("a keyed action is one of the model");
        if let Family::Counter(bounds) = model.family {
            let number = twice.latest.state.as_deref().and_then(|number| number.parse::<i64>().ok());
            let next = number.zip(action.adds).and_then(|(number, adds)| number.checked_add(adds));
            let is_free = bounds.least.is_none() && bounds.most.is_none();
            let fits =
                |next| bounds.least.is_none_or(|least| next >= least) && bounds.most.is_none_or(|most| next <= most);
            return !is_free && !next.is_some_and(fits);
        }
        !twice.states.iter().all(|state| action.next(*state).next().is_some())
    }

    /// Whether all the same, said with a key of its own in the place of the second, is refused.
    async fn is_refused_with_another_key(&mut self, twice: &Twice<'_>) -> bool {
        let Some(mut fresh) = self.before(twice.keyed).await else { return false };
        let verb = &twice.keyed.verb;
        let token = if twice.say.token.is_some() { self.token(&fresh).await } else { None };
        let say =
            Say { token, key: Some(self.speaker.word().into()), word: Some(self.speaker.word()), ..Say::default() };
        let first = self.say_to(&fresh, verb, &say).await;
        let Some(reply) = applied(&first).cloned() else { return false };
        let id = Arc::clone(&fresh.id);
        if let Some(between) = twice.between {
            if let Some(made) = reply.resource.clone().filter(|_| *verb == Verb::Create) {
                fresh.id = made;
            }
            fresh.reply = Some(reply);
            let answer = self.act(between, &mut fresh, None).await;
            if applied(&answer).is_none() {
                return false;
            }
        }
        fresh.id = id;
        let other = Say { key: Some(self.speaker.word().into()), ..say };
        is_refused(&self.say_to(&fresh, verb, &other).await) == Some(true)
    }

    /// Where `verb` leads from `from`, by the reply to it if that says so.
    pub(super) fn leads_to(&self, verb: &Verb, from: StateIx, reply: &Reply) -> Vec<StateIx> {
        let model = &self.api().model;
        let told = reply.state.as_ref().filter(|_| model.family == Family::Lifecycle);
        match (told, verb) {
            (Some(told), _) => model.state(told).into_iter().collect(),
            (None, Verb::Act(name)) => model.action(name).into_iter().flat_map(|action| action.next(from)).collect(),
            (None, _) => vec![model.initial],
        }
    }
}
