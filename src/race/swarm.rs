//! A swarm: clients that act at random on a few fresh resources, all at once, with nobody holding anybody back.
//!
//! ```text
//! set-up      create ─ act ─┐   (each resource)
//! client 1                  read A ─ act A ─ act B ─ read B …
//! client 2                  act B ─ act A (stale) ─ act A (again, same key) …
//! observer                                                    read ─ lists ─ read   (each resource)
//! ```
//!
//! What a client does is drawn from the seed: it reads, acts on what it was shown last, on what it was shown long ago, or
//! without looking, tries what the state does not allow, and says things again. Each resource's history is a round.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Stop;
use super::observe::Told;
use super::round::RoundRunner;
use super::stage::{Extras, Persons, Stage, read_exchange, speak};
use super::volley::Volley;
use crate::api::{Api, Settling};
use crate::history::{Actor, Lane, Operation, Phase, Precondition, Recorder, Reply, Verb};
use crate::scenario::{ServerUse, Swarm};
use crate::seed::{Dice, Seed};
use crate::target::{Contender, Target, Version};

/// Lets one swarm loose.
pub(super) struct SwarmRunner<'a, T: Target> {
    pub(super) swarm: Swarm,
    pub(super) api: &'a Arc<Api>,
    /// What the seed decides: who does what to which resource.
    pub(super) seed: Seed,
    /// What its clients speak.
    pub(super) version: Version,
    /// A round for each resource.
    pub(super) rounds: Vec<(Recorder, RoundRunner<'a, T>)>,
}

/// A resource, as a client's task owns it.
#[derive(Clone)]
struct Subject {
    id: Arc<str>,
    persons: Persons,
    shared_key: Arc<str>,
    shared_word: String,
}

/// What a client knows of one resource, and the lane it is recorded on.
struct Acquaintance {
    subject: Subject,
    lane: Lane,
    /// Tokens it was shown, the latest last.
    tokens: Vec<Arc<str>>,
}

/// What a client does next.
#[derive(Debug, Clone, Copy)]
enum Whim {
    Read,
    ActOnTheLatest,
    ActOnTheFirst,
    ActBlindly,
    SayAgain,
}

impl Whim {
    /// Most acts are on what was seen last: only they can get anywhere.
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(16) {
            0..4 => Self::Read,
            4..11 => Self::ActOnTheLatest,
            11..13 => Self::ActOnTheFirst,
            13 => Self::ActBlindly,
            _ => Self::SayAgain,
        }
    }
}

impl<T: Target> SwarmRunner<'_, T> {
    /// Runs it and returns all that was asked, resource by resource, also if it is stopped half-way.
    pub(super) async fn run(self, volley: &Volley<T::Contender>, stop: &Stop) -> Vec<Vec<Operation>> {
        let mut tasks = JoinSet::new();
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = self.play(volley, &mut tasks) => {}
        }
        // Clients still under way give their lanes back as they are dropped; the record is sealed after that.
        tasks.shutdown().await;
        self.rounds.into_iter().map(|(recorder, _)| recorder.seal()).collect()
    }

    async fn play(&self, volley: &Volley<T::Contender>, tasks: &mut JoinSet<(T::Contender, Vec<Told>)>) {
        let mut stages = Vec::with_capacity(self.rounds.len());
        let mut told = Vec::with_capacity(self.rounds.len());
        for (recorder, runner) in &self.rounds {
            let mut dice = runner.nonce.dice();
            let mut lane = recorder.lane(Phase::SetUp);
            let Some((stage, known)) = runner.set_up(&mut lane, &mut dice).await else { return };
            stages.push((stage, known.and_then(|known| known.token)));
            told.push(Told::default());
        }
        for number in 0..self.swarm.clients {
            let Some(connection) = self.connect(volley).await else { break };
            let known = (self.rounds.iter().zip(&stages))
                .map(|((recorder, _), (stage, token))| Acquaintance {
                    subject: Subject {
                        id: Arc::clone(&stage.id),
                        persons: stage.persons,
                        shared_key: Arc::clone(&stage.shared_key),
                        shared_word: stage.shared_word.clone(),
                    },
                    lane: recorder.lane(Phase::Contend),
                    tokens: token.iter().cloned().collect(),
                })
                .collect();
            let label = format!("client {number}");
            let nonce = self.rounds[0].1.nonce.child(&label).dice();
            let client =
                Client { api: Arc::clone(self.api), number, known, whims: self.seed.child(&label).dice(), nonce };
            tasks.spawn(client.act(connection, self.swarm.steps));
        }
        while let Some(done) = tasks.join_next().await {
            // A task that panicked has recorded its operation as Unknown; its connection is gone with it.
            if let Ok((connection, heard)) = done {
                volley.give_back(ServerUse::Target, connection);
                for (told, heard) in told.iter_mut().zip(heard) {
                    told.join(heard);
                }
            }
        }
        for (((recorder, runner), (stage, _)), told) in self.rounds.iter().zip(&stages).zip(told) {
            let mut dice = runner.nonce.child("settled").dice();
            if !runner.settle(stage, &mut recorder.lane(Phase::Settle), Settling::End, &mut dice).await {
                continue;
            }
            runner.observe(stage, recorder, told, &mut runner.nonce.child("observer").dice()).await;
        }
    }

    async fn connect(&self, volley: &Volley<T::Contender>) -> Option<T::Contender> {
        self.rounds[0].1.servers.connection(ServerUse::Target, self.version, volley).await.ok()
    }
}

/// One of the swarm.
struct Client {
    api: Arc<Api>,
    number: u8,
    known: Vec<Acquaintance>,
    /// What it does: from the seed.
    whims: Dice,
    /// Its keys and unique words: never the same in two runs.
    nonce: Dice,
}

/// A keyed request that can be said again.
struct Said {
    which: usize,
    verb: Verb,
    actor: Actor,
    token: Option<Arc<str>>,
    key: Arc<str>,
    word: String,
}

impl Client {
    /// Makes its requests one after the other, until they are made or its connection is lost: it may not know what came of
    /// the last one, and a client that does not know says nothing more (judging R3).
    async fn act<C: Contender>(mut self, mut connection: C, steps: u8) -> (C, Vec<Told>) {
        let mut told = vec![Told::default(); self.known.len()];
        let mut last: Option<Said> = None;
        for _ in 0..steps {
            let (which, said) = self.next(last.as_ref());
            let Some(reply) = self.say(&mut connection, which, &said).await else { break };
            told[which].note(Some(&reply).filter(|_| matches!(said.verb, Verb::Act(_))));
            if let Some(token) = &reply.token {
                self.known[which].tokens.push(Arc::clone(token));
            }
            if let Saying { verb, actor, token, key: Some(key), word } = said {
                last = Some(Said { which, verb, actor, token, key, word });
            }
        }
        (connection, told)
    }

    /// What it does next, and to which resource.
    fn next(&mut self, last: Option<&Said>) -> (usize, Saying) {
        let whim = Whim::draw(&mut self.whims);
        let which = self.whims.below(self.known.len());
        let latest = self.known[which].tokens.last().cloned();
        let token = match whim {
            Whim::SayAgain => match last {
                Some(said) => return (said.which, Saying::again(said)),
                None => latest,
            },
            Whim::Read => {
                let Some(verb) = self.look() else { return (which, self.any_action(which, None)) };
                let actor = Actor { role: Arc::clone(self.api.dialect.role(&verb)), person: 1 };
                return (which, Saying { verb, actor, token: None, key: None, word: String::new() });
            }
            Whim::ActOnTheLatest => latest,
            Whim::ActOnTheFirst => self.known[which].tokens.first().cloned(),
            Whim::ActBlindly => None,
        };
        (which, self.any_action(which, token))
    }

    /// What changes nothing: a read, or a list where nothing can be read.
    fn look(&self) -> Option<Verb> {
        let dialect = &self.api.dialect;
        dialect.reads().then_some(Verb::Read).or_else(|| dialect.lists().next())
    }

    /// Any action of the contract, by somebody in its role.
    fn any_action(&mut self, which: usize, token: Option<Arc<str>>) -> Saying {
        let mut actions: Vec<_> = self.api.model.actions.iter().filter(|action| !action.is_aside).collect();
        // A seed picks the same ones, wherever their tables stand in the file.
        actions.sort_by(|one, other| one.name.cmp(&other.name));
        let action = actions[self.whims.below(actions.len())];
        let verb = Verb::Act(Arc::clone(&action.name));
        // Where only the creator may act, others would never get anywhere; elsewhere each client is a person of its own.
        let person = if action.only.is_none_or(|only| only == crate::api::Allowed::Role) {
            u32::from(self.number) + 1
        } else {
            1
        };
        let actor = Actor { role: Arc::clone(&action.actor), person };
        let subject = &self.known[which].subject;
        let shares = self.whims.below(3) == 0;
        let (key, word) = match (self.api.dialect.sends_key(&verb), shares) {
            (true, true) => (Some(Arc::clone(&subject.shared_key)), subject.shared_word.clone()),
            (true, false) => (Some(self.nonce.uuid().to_string().into()), self.nonce.uuid().to_string()),
            (false, _) => (None, self.nonce.uuid().to_string()),
        };
        let token = token.filter(|_| self.api.dialect.sends_token(&verb));
        Saying { verb, actor, token, key, word }
    }

    /// Sends it. `None` if nothing is known of what came of it.
    async fn say<C: Contender>(&mut self, connection: &mut C, which: usize, saying: &Saying) -> Option<Reply> {
        let Acquaintance { subject, lane, .. } = &mut self.known[which];
        let stage = Stage {
            dialect: &self.api.dialect,
            id: Arc::clone(&subject.id),
            persons: subject.persons,
            shared_key: Arc::clone(&subject.shared_key),
            shared_word: subject.shared_word.clone(),
        };
        let extras = Extras {
            id: &stage.id,
            token: saying.token.clone(),
            key: saying.key.clone(),
            word: Some(saying.word.clone()),
            ..Extras::default()
        };
        let (verb, actor) = (saying.verb.clone(), saying.actor.clone());
        let (request, call) = speak(stage.dialect, stage.persons, verb, actor, extras, &mut self.nonce);
        debug_assert!(saying.token.is_some() || call.precondition == Precondition::Absent);
        let open = lane.open(call);
        let exchange = connection.send(&request).await;
        let (mut window, outcome) = read_exchange(stage.dialect, &saying.verb, exchange);
        // Nothing held it back: it was let go as it was opened.
        window.released = Some(window.opened);
        let reply = outcome.reply().cloned();
        open.close(window, outcome);
        reply.filter(|_| connection.is_usable())
    }
}

/// A request, as decided on.
struct Saying {
    verb: Verb,
    actor: Actor,
    token: Option<Arc<str>>,
    key: Option<Arc<str>>,
    word: String,
}

impl Saying {
    fn again(said: &Said) -> Self {
        Self {
            verb: said.verb.clone(),
            actor: said.actor.clone(),
            token: said.token.clone(),
            key: Some(Arc::clone(&said.key)),
            word: said.word.clone(),
        }
    }
}
