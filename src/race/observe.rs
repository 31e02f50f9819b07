//! What comes after the race: requests that follow it, and the look at what the server says now.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::round::RoundRunner;
use super::stage::{Extras, Stage, speak};
use crate::history::{Actor, Meaning, Phase, Recorder, Reply, Verb};
use crate::scenario::{ServerUse, TokenUse};
use crate::seed::Dice;
use crate::target::Target;

/// How long an observer waits for a server whose reads or lists lag behind what it acknowledged, before it looks again.
const SETTLING: [Duration; 3] = [Duration::from_millis(10), Duration::from_millis(40), Duration::from_millis(150)];
/// Rounds of a scenario in which waiting so long did not help, after which the first wait is the only one.
const MOST_VAIN_WAITS: u32 = 8;

impl<T: Target> RoundRunner<'_, T> {
    /// Sends what follows the race, one after the other, each by a client of its own.
    pub(super) async fn follow(
        &self,
        stage: &Stage<'_>,
        recorder: &Recorder,
        before: Option<&Arc<str>>,
        told: &mut Told,
        dice: &mut Dice,
    ) {
        for plan in &self.plan.then {
            let mut lane = recorder.lane(Phase::Follow);
            let read = match plan.token {
                TokenUse::Current | TokenUse::Weak if stage.dialect.reads() => {
                    let (request, call) = stage.speak_read(&plan.reader, dice);
                    let reply = self.ask(stage.dialect, plan.at, &mut lane, call, &request).await;
                    reply.and_then(|reply| reply.token)
                }
                TokenUse::Stale => before.cloned(),
                TokenUse::Current | TokenUse::Weak | TokenUse::Unheard | TokenUse::None => None,
            };
            let token = plan.token.sent(read, dice);
            if token.is_none() && plan.token != TokenUse::None {
                continue; // without the token it is about, it says nothing
            }
            let (request, call) = stage.speak_plan((plan, 0), token, dice);
            let reply = self.ask(stage.dialect, plan.at, &mut lane, call, &request).await;
            told.note(reply.as_ref().filter(|_| matches!(plan.verb, Verb::Act(_))));
        }
    }

    /// Looks at what the server says now: the resource, the lists of what really happened, the resource at every other place
    /// that shows it, and the resource again. If that
    /// lags behind what it has told, it is given time to settle, and looked at again.
    pub(super) async fn observe(&self, stage: &Stage<'_>, recorder: &Recorder, told: Told, dice: &mut Dice) {
        let vain_waits = &self.servers.vain_waits;
        let waits = if vain_waits.load(Ordering::Relaxed) < MOST_VAIN_WAITS { &SETTLING[..] } else { &SETTLING[..1] };
        for wait in waits {
            if !self.look(stage, recorder, told, dice).await {
                return;
            }
            tokio::time::sleep(*wait).await;
            self.waited_ms.fetch_add(wait.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        if self.look(stage, recorder, told, dice).await {
            vain_waits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One look; whether it lags behind what was told.
    async fn look(&self, stage: &Stage<'_>, recorder: &Recorder, told: Told, dice: &mut Dice) -> bool {
        let mut lags = false;
        let read = || stage.dialect.reads().then_some((Verb::Read, None));
        let lists = stage.dialect.lists().map(|list| (list, None));
        let views = (0..stage.dialect.views()).map(|view| (Verb::Read, Some(view)));
        for (verb, view) in read().into_iter().chain(lists).chain(views).chain(read()) {
            let actor = Actor { role: Arc::clone(stage.dialect.reader_of(&verb, view)), person: 1 };
            let extras = Extras { id: &stage.id, view, ..Extras::default() };
            let (request, call) = speak(stage.dialect, stage.persons, verb.clone(), actor, extras, dice);
            // A client of its own for each look: one that saw Unknown is not asked again.
            let mut lane = recorder.lane(Phase::Observe);
            let reply = self.ask(stage.dialect, ServerUse::Target, &mut lane, call, &request).await;
            lags |= reply.is_some_and(|reply| told.is_ahead_of(&verb, &reply));
        }
        lags
    }
}

/// The highest version that anything acknowledged has shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    pub(super) version: Option<u64>,
}

impl Told {
    pub(super) fn note(&mut self, reply: Option<&Reply>) {
        let shown = reply.filter(|reply| reply.meaning == Meaning::Applied).and_then(|reply| reply.version);
        self.version = self.version.max(shown);
    }

    pub(super) fn join(&mut self, other: Self) {
        self.version = self.version.max(other.version);
    }

    /// Whether an answer to `verb` shows less than was told.
    fn is_ahead_of(self, verb: &Verb, reply: &Reply) -> bool {
        let Some(told) = self.version else { return false };
        match (verb, &reply.records) {
            (Verb::Read, _) => reply.version.is_some_and(|shown| shown < told),
            (Verb::ListEvents, Some(rows)) => {
                // Rows that name versions, and not the one that was told.
                rows.iter().all(|row| row.version.is_some()) && !rows.iter().any(|row| row.version == Some(told))
            }
            (Verb::Create | Verb::Act(_) | Verb::ListEffects | Verb::ListEvents, _) => false,
        }
    }
}
