//! Before the race: a fresh resource, made or made up, and brought to where the plan starts.

use std::sync::Arc;

use super::round::RoundRunner;
use super::stage::{Extras, Persons, Stage, reader, speak};
use crate::api::Settling;
use crate::history::{Actor, Lane, Meaning, Phase, Reply, Verb};
use crate::scenario::{ServerUse, Step, TokenUse};
use crate::seed::Dice;
use crate::target::Target;

impl<'a, T: Target> RoundRunner<'a, T> {
    /// The token that the resource has before anybody races, where something that follows the race is about it.
    pub(super) async fn token_before(
        &self,
        stage: &Stage<'_>,
        known: Option<&Reply>,
        lane: &mut Lane,
        dice: &mut Dice,
    ) -> Option<Arc<str>> {
        let shown = known.and_then(|known| known.token.clone());
        let is_needed = self.plan.then.iter().any(|follower| follower.token == TokenUse::Stale);
        if shown.is_some() || !is_needed || !stage.dialect.reads() {
            return shown;
        }
        self.read(stage, lane, dice).await?.token
    }

    /// A fresh resource, brought to where the plan starts, and what the last reply showed of it, if there was one.
    pub(super) async fn set_up(&self, lane: &mut Lane, dice: &mut Dice) -> Option<(Stage<'a>, Option<Reply>)> {
        let (stage, created) = self.create(lane, dice).await?;
        let known = self.walk(&stage, lane, &self.plan.set_up, created, dice).await?;
        let known = self.settled(&stage, lane, known, dice).await?;
        Some((stage, known))
    }

    /// Waits until the resource has settled, where that is asked for, and looks at what it has come to. `None` if it does not.
    pub(super) async fn settled(
        &self,
        stage: &Stage<'_>,
        lane: &mut Lane,
        known: Option<Reply>,
        dice: &mut Dice,
    ) -> Option<Option<Reply>> {
        let Some(settle) = stage.dialect.settle() else { return Some(known) };
        let has_settled = self.settle(stage, lane, Settling::Start, dice).await;
        if !has_settled {
            return None;
        }
        lane.enter(Phase::SetUp);
        // What was known of a resource that is there is of before.
        if known.is_some() && settle.is_seen(Settling::Start) {
            self.read(stage, lane, dice).await.map(Some)
        } else {
            Some(known)
        }
    }

    /// The resource: made, and what was told of it; or an id that nobody has used yet.
    async fn create(&self, lane: &mut Lane, dice: &mut Dice) -> Option<(Stage<'a>, Option<Reply>)> {
        let dialect = &self.plan.api.dialect;
        let persons = Persons { seed: self.nonce.child("persons"), round: lane.round() };
        let made = dialect.made_id(&dice.uuid().to_string()).map(Arc::from);
        let (id, created) = if self.plan.creates {
            let (id, created) = self.ask_for_one(persons, made, lane, dice).await?;
            (id, Some(created))
        } else {
            (made?, None)
        };
        let (shared_key, shared_word) = (dice.uuid().to_string().into(), dice.uuid().to_string());
        Some((Stage { dialect, id, persons, shared_key, shared_word }, created))
    }

    /// Asks for a resource, under an id that was `made` up or that the server then tells.
    async fn ask_for_one(
        &self,
        persons: Persons,
        made: Option<Arc<str>>,
        lane: &mut Lane,
        dice: &mut Dice,
    ) -> Option<(Arc<str>, Reply)> {
        let dialect = &self.plan.api.dialect;
        let actor = Actor { role: Arc::clone(dialect.role(&Verb::Create)), person: 1 };
        let id = made.as_deref().unwrap_or_default();
        let extras = Extras { id, starts: self.plan.starts, ..Extras::default() };
        let (request, call) = speak(dialect, persons, Verb::Create, actor, extras, dice);
        let reply = self.ask(dialect, ServerUse::Target, lane, call, &request).await?;
        if reply.meaning != Meaning::Applied {
            return None;
        }
        let id = made.or_else(|| reply.resource.clone())?;
        Some((id, reply))
    }

    /// Takes the steps one after the other, each conditional on what the last one answered. `None` if one does not
    /// lead where it should.
    pub(super) async fn walk(
        &self,
        stage: &Stage<'_>,
        lane: &mut Lane,
        steps: &[Step],
        mut known: Option<Reply>,
        dice: &mut Dice,
    ) -> Option<Option<Reply>> {
        for step in steps {
            let verb = step.verb();
            if known.is_some() && stage.dialect.sends_token(&verb) {
                known = self.settled(stage, lane, known, dice).await?;
            }
            // A change whose answer told no token left one behind all the same: somebody is to have seen it.
            let is_untold = known.is_some() && stage.dialect.has_token() && stage.dialect.reads();
            let token = match known.and_then(|known| known.token) {
                Some(token) => Some(token),
                None if is_untold || stage.dialect.sends_token(&verb) => self.read(stage, lane, dice).await?.token,
                None => None,
            };
            let token = token.filter(|_| stage.dialect.sends_token(&verb));
            let key = stage.dialect.sends_key(&verb).then(|| dice.uuid().to_string().into());
            let extras = Extras { id: &stage.id, token, key, ..Extras::default() };
            let (request, call) = speak(stage.dialect, stage.persons, verb, step.actor.clone(), extras, dice);
            let reply = self.ask(stage.dialect, ServerUse::Target, lane, call, &request).await?;
            let arrived = match (&step.leads_to, &reply.state) {
                (Some(goal), Some(shown)) => goal == shown,
                _ => true,
            };
            if reply.meaning != Meaning::Applied || !arrived {
                return None;
            }
            known = Some(reply);
        }
        Some(known)
    }

    pub(super) async fn read(&self, stage: &Stage<'_>, lane: &mut Lane, dice: &mut Dice) -> Option<Reply> {
        let (request, call) = stage.speak_read(&reader(stage.dialect), dice);
        self.ask(stage.dialect, ServerUse::Target, lane, call, &request).await
    }
}
