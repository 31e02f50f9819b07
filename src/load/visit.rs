//! A visit to a resource that all clients act on: look, act on what was seen, and try again if somebody was quicker. Some visitors
//! are careless.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::mind::Mind;
use super::resource::Resource;
use super::saying::{Known, Saying};
use crate::api::Family;
use crate::history::{Meaning, Phase, Reply, Verb};
use crate::scenario::KeyUse;
use crate::seed::Dice;

/// A visit under way.
#[derive(Debug)]
pub(super) struct Visit {
    /// Which of the places of this process; `None` for a resource that other processes act on, too.
    pub(super) place: Option<usize>,
    pub(super) resource: Arc<Resource>,
    step: Step,
    manner: Manner,
    known: Known,
    tries: usize,
    /// What was said, for who says it again.
    said: Option<Said>,
    /// The resource has come to its end.
    pub(super) is_over: bool,
    /// Whether it counts as a visitor: not before the resource was made.
    pub(super) is_in: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The resource is to be made: the visitor is the first one.
    Make,
    Look,
    Act,
    Again,
    Done,
}

/// How a visitor behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Acts on what it was shown last.
    Careful,
    /// Acts without looking, on no token.
    Blind,
    /// Acts on the first token that anybody was shown.
    Late,
    /// Tries what the state does not allow.
    Stubborn,
    /// Says the same thing twice.
    Twice,
}

impl Manner {
    fn draw(mischief: f64, dice: &mut Dice) -> Self {
        if dice.fraction() >= mischief {
            return Self::Careful;
        }
        [Self::Blind, Self::Late, Self::Stubborn, Self::Twice][dice.below(4)]
    }
}

/// A keyed request that can be said again.
#[derive(Debug)]
struct Said {
    verb: Verb,
    actor: crate::history::Actor,
    token: Option<Arc<str>>,
    key: Option<Arc<str>>,
    word: Option<Arc<str>>,
}

impl Visit {
    /// A visit to `resource`, which the visitor is to make first if it `is_new`.
    pub(super) fn begin(mind: &mut Mind, place: Option<usize>, resource: Arc<Resource>, is_new: bool) -> Self {
        let manner = Manner::draw(mind.shared.plan.hot.mischief, &mut mind.whims);
        let looks = mind.dialect().reads() && !matches!(manner, Manner::Blind | Manner::Late);
        let step = if is_new {
            Step::Make
        } else if looks {
            Step::Look
        } else {
            Step::Act
        };
        let known = Known::default();
        Self { place, resource, step, manner, known, tries: 1, said: None, is_over: false, is_in: !is_new }
    }

    /// What it asks for next; `None` when it is over.
    pub(super) fn next(&mut self, mind: &mut Mind) -> Option<Saying> {
        match self.step {
            Step::Make => Some(Saying::create(mind, &self.resource)),
            Step::Look => Some(Saying::plain(mind, &self.resource, Verb::Read, Phase::Contend)),
            Step::Act => self.act(mind),
            Step::Again => self.say_again(),
            Step::Done => None,
        }
    }

    fn act(&mut self, mind: &mut Mind) -> Option<Saying> {
        let state = if self.manner == Manner::Stubborn { None } else { self.known.state.as_deref() };
        let action = mind.action(state)?;
        let (actor, verb) = (mind.actor(&action, true), Verb::Act(action));
        let token = match self.manner {
            Manner::Blind => None,
            Manner::Late => self.resource.first_token.get().cloned(),
            Manner::Careful | Manner::Stubborn | Manner::Twice => self.known.token.clone(),
        };
        let token = token.filter(|_| mind.dialect().sends_token(&verb));
        let sends_key = mind.dialect().sends_key(&verb);
        let key = match (sends_key, mind.whims.below(3)) {
            (false, _) => KeyUse::None,
            (true, 0) => KeyUse::Shared,
            (true, _) => KeyUse::Own,
        };
        let (key, word) = mind.key(&self.resource, key);
        // What is to be said again must be the same.
        let word = word.or_else(|| (self.manner == Manner::Twice).then(|| mind.nonce.uuid().to_string().into()));
        self.said = Some(Said {
            verb: verb.clone(),
            actor: actor.clone(),
            token: token.clone(),
            key: key.clone(),
            word: word.clone(),
        });
        Some(Saying { actor, token, key, word, ..Saying::plain(mind, &self.resource, verb, Phase::Contend) })
    }

    fn say_again(&mut self) -> Option<Saying> {
        let Said { verb, actor, token, key, word } = self.said.take()?;
        let (resource, phase, body) = (Arc::clone(&self.resource), Phase::Contend, None);
        Some(Saying { resource, phase, verb, actor, token, key, word, body, is_doubled: false })
    }

    /// Learns what came of its request. `None` if nobody knows.
    pub(super) fn heard(&mut self, mind: &Mind, verb: &Verb, reply: Option<&Reply>) {
        let Some(reply) = reply else {
            self.end_with(false);
            return;
        };
        self.known.learn(verb, reply, mind.dialect().has_token());
        if let Some(token) = &reply.token {
            // The first one that came stays.
            let _ = self.resource.first_token.set(Arc::clone(token));
        }
        let is_applied = reply.meaning == Meaning::Applied;
        let is_terminal = is_applied && mind.is_terminal(self.known.state.as_deref());
        match self.step {
            Step::Make => self.made(mind, reply),
            // What has no value yet, or none any more, can be given one.
            Step::Look if reply.meaning == Meaning::NotFound && mind.model().family == Family::Register => {
                self.known = Known::default();
                self.step = Step::Act;
            }
            Step::Look if is_terminal || !is_applied => self.end_with(is_terminal),
            Step::Look => self.step = Step::Act,
            Step::Act if self.manner == Manner::Twice => self.step = Step::Again,
            Step::Act => self.acted(mind, reply, is_terminal),
            Step::Again | Step::Done => self.end_with(is_terminal),
        }
    }

    fn made(&mut self, mind: &Mind, reply: &Reply) {
        if let (Meaning::Applied, Some(id)) = (reply.meaning, &reply.resource) {
            self.resource.is_called(Arc::clone(id));
        }
        let is_made = reply.meaning == Meaning::Applied && !self.resource.id().is_empty();
        self.step = Step::Done;
        if is_made {
            self.is_in = true;
            self.resource.visitors.store(1, Ordering::Relaxed);
            if let Some(place) = self.place {
                mind.shared.hot.fill(place, Some(Arc::clone(&self.resource)));
            }
        }
    }

    fn acted(&mut self, mind: &Mind, reply: &Reply, is_terminal: bool) {
        let may_retry = self.manner == Manner::Careful && mind.dialect().reads();
        match reply.meaning {
            Meaning::Stale if may_retry && self.tries <= usize::from(mind.shared.plan.hot.retries) => {
                self.tries += 1;
                self.step = Step::Look;
                return;
            }
            Meaning::Stale if may_retry => mind.shared.slots.record_tries(self.tries, false),
            Meaning::Applied if self.manner == Manner::Careful => mind.shared.slots.record_tries(self.tries, true),
            _ => {}
        }
        self.end_with(is_terminal);
    }

    const fn end_with(&mut self, is_over: bool) {
        self.step = Step::Done;
        self.is_over |= is_over;
    }
}
