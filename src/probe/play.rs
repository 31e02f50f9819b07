//! Playing a scenario, or a description, once and in sequence: to see what is read from each reply.

use std::sync::Arc;

use super::mismatch::{self, Before};
use super::speaker::{Answer, Say, Speaker};
use crate::api::{ActionModel, Api, Family, Headers, Leaves, Model, StateIx};
use crate::history::{Actor, Meaning, Outcome, Reply, Verb};
use crate::probe_result::Played;
use crate::scenario::{ContenderPlan, KeyUse, Plan, Step, TokenUse};
use crate::target::Target;

/// Plays against one target.
pub struct Player<'a, T> {
    speaker: Speaker<'a, T>,
    played: Played,
    /// What the next request begins.
    title: Option<String>,
    /// The headers of the last reply that had any.
    headers: Headers,
}

/// It cannot go on; why stands in what was played.
struct Ended;

/// What is known of the resource that is played with.
struct Known {
    id: Arc<str>,
    /// The token that the last reply told.
    token: Option<Arc<str>>,
    /// The value that was written last, if any.
    wrote: Option<String>,
}

/// What is to be written, and what came of it.
struct Stepped {
    answer: Answer,
    /// The token that the request named.
    token: Option<Arc<str>>,
    word: String,
    /// The headers of the reply before.
    told: Headers,
}

impl<'a, T: Target> Player<'a, T> {
    /// One who asks `target` as `api` says.
    pub fn new(target: &'a T, api: &'a Api) -> Self {
        Self { speaker: Speaker::new(target, api), played: Played::default(), title: None, headers: Headers::new() }
    }

    /// Plays a scenario: set-up, change, one contender after the other, what follows, and a look in the end.
    pub async fn play(mut self, plan: &Plan) -> Played {
        let _ = self.play_all(plan).await;
        self.played
    }

    /// Plays a description: makes a resource, reads it, does what may be done at first, each on a resource of its own, and lists.
    pub async fn play_description(mut self) -> Played {
        let _ = self.play_actions().await;
        self.played
    }

    async fn play_all(&mut self, plan: &Plan) -> Result<(), Ended> {
        self.begin("set-up");
        let mut known = self.make(plan.creates, plan.starts).await?;
        for step in &plan.set_up {
            self.step(&mut known, step).await?;
        }
        let wants_stale = |one: &ContenderPlan| one.token == TokenUse::Stale;
        let mut before = None;
        if plan.contenders.iter().chain(&plan.then).any(wants_stale) {
            before = self.look(&known).await.and_then(|reply| reply.token);
        }
        self.begin("change");
        for step in &plan.change {
            self.step(&mut known, step).await?;
        }
        // From here on others write.
        known.wrote = None;
        let shared = (Arc::from(self.speaker.word()), self.speaker.word());
        for (title, all) in [("contenders, one after the other", &plan.contenders), ("then", &plan.then)] {
            self.begin(title);
            for one in all {
                self.contend(&known, one, before.as_ref(), &shared).await?;
            }
        }
        if plan.swarm.is_some() {
            let why = "a swarm acts at random: check the description itself to see each of its actions";
            self.played.notes.push(why.to_owned());
        }
        if plan.restart {
            self.played.notes.push("the target was not restarted".to_owned());
        }
        self.begin("look");
        self.look_at_all(&known).await;
        Ok(())
    }

    async fn play_actions(&mut self) -> Result<(), Ended> {
        let model = &self.speaker.api.model;
        let absent = model.state(Model::ABSENT).filter(|_| model.family == Family::Register);
        let (mut left_out, mut has_looked) = (Vec::new(), false);
        for action in &model.actions {
            let allowed = |state: StateIx| action.next(state).next().is_some();
            let dialect = &self.speaker.api.dialect;
            let is_there = allowed(model.initial) && Some(model.initial) != absent;
            // What no request makes is there already, under whatever id.
            let creates = dialect.creates() && is_there;
            let is_unmade = (is_there || absent.is_some_and(allowed)) && dialect.makes_ids();
            if action.is_aside || !(creates || is_unmade) {
                left_out.push(format!("`{}`", action.name));
                continue;
            }
            self.begin(&format!("`{}` on a fresh {}", action.name, model.noun));
            let mut known = self.make(creates, None).await?;
            let mut before = Before { is_there, number: None };
            if is_there && self.speaker.api.dialect.reads() {
                let shown = self.look(&known).await.and_then(|reply| reply.state);
                before.number = shown.and_then(|shown| shown.parse().ok());
            }
            has_looked |= self.try_alone(&mut known, action, before).await;
            if self.is_gone(&known).await {
                return self.end("the target does not answer");
            }
        }
        if !left_out.is_empty() {
            let names = crate::text::list(&left_out);
            self.played.notes.push(format!("not tried, as a fresh {} does not allow it: {names}", model.noun));
        }
        if !has_looked {
            self.begin("look");
            let known = self.make(self.speaker.api.dialect.creates(), None).await?;
            self.look_at_all(&known).await;
        }
        Ok(())
    }

    /// Does what the description allows, and looks at what came of it. Whether it was done.
    async fn try_alone(&mut self, known: &mut Known, action: &ActionModel, before: Before) -> bool {
        let step = Step {
            action: Arc::clone(&action.name),
            actor: Actor { role: Arc::clone(&action.actor), person: 1 },
            leads_to: None,
        };
        let stepped = self.say_step(known, &step).await;
        match stepped.answer.reply().map(|reply| reply.meaning) {
            Some(Meaning::Applied) => {}
            Some(meaning) => {
                let model = &self.speaker.api.model;
                if meaning.is_refusal() && !mismatch::may_be_refused(model, action, meaning, before) {
                    self.note_refusal(&action.name, before, &stepped);
                }
                return false;
            }
            None => return false,
        }
        if self.speaker.api.dialect.writes_a_value(&step.verb()) {
            known.wrote = Some(stepped.word);
        } else if action.write.is_some_and(|write| write.leaves == Leaves::Nothing) {
            known.wrote = None;
        }
        self.look_at_all(known).await;
        true
    }

    fn note_refusal(&mut self, name: &str, before: Before, stepped: &Stepped) {
        let speaker = &self.speaker;
        let noun = &speaker.api.model.noun;
        let body = stepped.answer.response.as_ref().map(|response| String::from_utf8_lossy(&response.body));
        let status = stepped.answer.reply().map_or(0, |reply| reply.status);
        let said = match body.as_deref().map(str::trim).filter(|body| !body.is_empty()) {
            Some(body) => format!("{status}: {}", speaker.safe(body, 100)),
            None => status.to_string(),
        };
        let state = if before.is_there { format!("a fresh {noun}") } else { format!("a {noun} that nobody made") };
        let sentence = format!("`{name}` was refused ({said}) on {state}, where the description allows it");
        let sent = stepped.token.as_deref();
        let hint = sent.and_then(|sent| Some((sent, mismatch::quoted(&stepped.told, sent)?))).map(|(sent, (header, value))| {
            let (sent, value) = (speaker.safe(sent, 60), speaker.safe(value, 60));
            format!(
                "it named the token `{sent}`, and the header `{header}` of the reply before says `{value}`: the quotes belong to \
                 it; [token] read = {{ header = \"{header}\" }}"
            )
        });
        self.played.mismatches.push((sentence, hint));
    }

    fn begin(&mut self, title: &str) {
        self.title = Some(title.to_owned());
    }

    fn end<R>(&mut self, why: impl Into<String>) -> Result<R, Ended> {
        self.played.ended = Some(why.into());
        Err(Ended)
    }

    /// Whether nobody answers. One bad reply is not the end: who gave it is asked once more.
    async fn is_gone(&mut self, known: &Known) -> bool {
        if self.speaker.gone().is_some() {
            self.look_at_all(known).await;
        }
        self.speaker.gone().is_some()
    }

    async fn ask(&mut self, verb: &Verb, actor: &Actor, say: Say<'_>) -> Answer {
        let answer = self.speaker.ask(verb, actor, say).await;
        if let Some(response) = &answer.response {
            self.headers.clone_from(&response.headers);
        }
        self.played.turns.extend(self.speaker.last.take().map(|turn| (self.title.take(), turn)));
        answer
    }

    /// A fresh resource: made, or one whose id was made up.
    async fn make(&mut self, creates: bool, starts: Option<i64>) -> Result<Known, Ended> {
        let dialect = &self.speaker.api.dialect;
        let made: Option<Arc<str>> = dialect.made_id(&self.speaker.word()).map(Into::into);
        if !creates {
            return match made {
                Some(id) => Ok(Known { id, token: None, wrote: None }),
                None => self.end("the description has no way to a fresh resource"),
            };
        }
        let key = dialect.sends_key(&Verb::Create).then(|| self.speaker.word().into());
        let wrote = dialect.writes_a_value(&Verb::Create).then(|| self.speaker.word());
        let id = made.clone().unwrap_or_default();
        let actor = self.speaker.actor(&Verb::Create);
        let say = Say { id: &id, key, starts, word: wrote.clone(), ..Say::default() };
        let answer = self.ask(&Verb::Create, &actor, say).await;
        let reply = self.applied(&answer, "`create`")?;
        match made.or(reply.resource) {
            Some(id) => Ok(Known { id, token: reply.token, wrote }),
            None => self.end("`create` told no id"),
        }
    }

    /// The reply, if it says that it was done.
    fn applied(&mut self, answer: &Answer, what: &str) -> Result<Reply, Ended> {
        match &answer.outcome {
            Outcome::Answered(reply) if reply.meaning == Meaning::Applied => Ok(reply.clone()),
            Outcome::Answered(reply) => {
                let why = format!("{what} was answered {} ({}), not applied", reply.status, reply.meaning.word());
                self.end(why)
            }
            Outcome::NotSent(_) | Outcome::Unknown(_) => {
                self.end(format!("nothing can be made of the answer to {what}"))
            }
        }
    }

    /// Asks for a step, as one who has just read, with a word of its own.
    async fn say_step(&mut self, known: &mut Known, step: &Step) -> Stepped {
        let verb = step.verb();
        let dialect = &self.speaker.api.dialect;
        // What a reply told may be of a resource that has not settled yet: a read waits for that.
        known.token = known.token.take().filter(|_| dialect.settle().is_none());
        if dialect.sends_token(&verb) && known.token.is_none() && dialect.reads() {
            known.token = self.look(known).await.and_then(|reply| reply.token);
        }
        let dialect = &self.speaker.api.dialect;
        let token = known.token.take().filter(|_| dialect.sends_token(&verb));
        let key = dialect.sends_key(&verb).then(|| self.speaker.word().into());
        let word = self.speaker.word();
        let told = self.headers.clone();
        let say = Say { id: &known.id, token: token.clone(), key, word: Some(word.clone()), ..Say::default() };
        let answer = self.ask(&verb, &step.actor, say).await;
        Stepped { answer, token, word, told }
    }

    async fn step(&mut self, known: &mut Known, step: &Step) -> Result<(), Ended> {
        let verb = step.verb();
        let stepped = self.say_step(known, step).await;
        let reply = self.applied(&stepped.answer, &format!("`{verb}`"))?;
        // What a scenario brings about is raced, and looked at when that is over.
        known.wrote = None;
        if let (Some(goal), Some(shown)) = (&step.leads_to, &reply.state)
            && goal != shown
        {
            let shown = self.speaker.safe(shown, 80);
            return self.end(format!("`{verb}` led to `{shown}`, and the scenario needs `{goal}`"));
        }
        known.token = reply.token;
        Ok(())
    }

    async fn contend(
        &mut self,
        known: &Known,
        plan: &ContenderPlan,
        before: Option<&Arc<str>>,
        (shared_key, shared_word): &(Arc<str>, String),
    ) -> Result<(), Ended> {
        let read = match plan.token {
            TokenUse::Current | TokenUse::Weak if self.speaker.api.dialect.reads() => {
                let answer = self.ask(&Verb::Read, &plan.reader, Say { id: &known.id, ..Say::default() }).await;
                answer.reply().and_then(|reply| reply.token.clone())
            }
            TokenUse::Stale => before.cloned(),
            TokenUse::Current | TokenUse::Weak | TokenUse::Unheard | TokenUse::None => None,
        };
        let token = plan.token.sent(read, &mut self.speaker.dice);
        if token.is_none() && plan.token != TokenUse::None {
            return self.end(format!("`{}` is about a version token, and none was read", plan.verb));
        }
        let (key, word) = match plan.key {
            KeyUse::Own => (Some(self.speaker.word().into()), None),
            KeyUse::Shared => (Some(Arc::clone(shared_key)), Some(shared_word.clone())),
            KeyUse::Reused => (Some(Arc::clone(shared_key)), None),
            KeyUse::None => (None, None),
        };
        let say = Say { id: &known.id, token, key, word, body: plan.body.as_ref(), ..Say::default() };
        self.ask(&plan.verb, &plan.actor, say).await;
        if self.is_gone(known).await {
            return self.end("the target does not answer");
        }
        Ok(())
    }

    async fn look(&mut self, known: &Known) -> Option<Reply> {
        let actor = self.speaker.actor(&Verb::Read);
        let answer = self.ask(&Verb::Read, &actor, Say { id: &known.id, ..Say::default() }).await;
        self.compare(known, &answer);
        answer.reply().cloned()
    }

    /// Whether a read shows what was written just before.
    fn compare(&mut self, known: &Known, answer: &Answer) {
        let read =
            answer.reply().filter(|reply| reply.meaning == Meaning::Applied).and_then(|reply| reply.state.as_ref());
        let (Some(wrote), Some(read), false) = (&known.wrote, read, self.speaker.api.model.lags.reads) else { return };
        let told = mismatch::changed(wrote, &self.speaker.masked(read)).map(|sentence| (sentence, None));
        // One is enough: what a place takes, it takes each time.
        let is_new = |told: &(String, Option<String>)| {
            let why = |sentence: &str| sentence.rsplit(": ").next().map(str::to_owned);
            !self.played.mismatches.iter().any(|(own, _)| own.starts_with("value: ") && why(own) == why(&told.0))
        };
        self.played.mismatches.extend(told.filter(is_new));
    }

    /// Reads the resource, wherever it can be read, and all lists.
    async fn look_at_all(&mut self, known: &Known) {
        let dialect = &self.speaker.api.dialect;
        let views = (0..dialect.views()).map(|view| (Verb::Read, Some(view)));
        let read = dialect.reads().then_some((Verb::Read, None));
        let looks: Vec<(Verb, Option<usize>)> =
            read.into_iter().chain(views).chain(dialect.lists().map(|list| (list, None))).collect();
        for (verb, view) in looks {
            let actor = Actor { role: Arc::clone(self.speaker.api.dialect.reader_of(&verb, view)), person: 1 };
            let answer = self.ask(&verb, &actor, Say { id: &known.id, view, ..Say::default() }).await;
            if verb == Verb::Read {
                self.compare(known, &answer);
            }
        }
    }
}
