//! One round: a fresh resource, brought to its start, raced once, observed.
//!
//! ```text
//! set-up    create ─ act ─ act ─┐
//! contender 1                   read ── [request, but for its end] ──┐ gate ─── answer
//! contender 2                   read ── [request, but for its end] ──┘      ─── answer
//! observer                                                                          read ─ lists ─ read
//! ```

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Stop;
use crate::api::{Dialect, Fill, Request};
use crate::clock::Clock;
use crate::history::{
    Actor, Call, Cause, Lane, Meaning, Operation, Outcome, Phase, Precondition, Recorder, Reply, Verb, Window,
};
use crate::ids::RoundId;
use crate::scenario::{ContenderPlan, KeyUse, Plan, Step, TokenUse};
use crate::seed::{Dice, Seed};
use crate::target::gate::{Gate, Ticket};
use crate::target::{Contender, Exchange, Failure, Target};

/// Contenders' connections, kept from round to round as long as they are usable.
#[derive(Debug)]
pub(super) struct Volley<C> {
    connections: Vec<C>,
}

impl<C: Contender> Volley<C> {
    pub(super) const fn new() -> Self {
        Self { connections: Vec::new() }
    }

    fn take(&mut self) -> Option<C> {
        while let Some(connection) = self.connections.pop() {
            if connection.is_usable() {
                return Some(connection);
            }
        }
        None
    }

    fn give_back(&mut self, connection: C) {
        if connection.is_usable() {
            self.connections.push(connection);
        }
    }
}

/// Runs one round of a plan.
pub(super) struct RoundRunner<'a, T: Target> {
    target: &'a T,
    plan: &'a Plan,
    /// What the seed decides: the order of contenders within the volley.
    order: Seed,
    /// Where ids, keys and unique words come from: never the same in two runs.
    nonce: Seed,
    gate_limit: Duration,
}

/// A fresh resource and who deals with it.
struct Stage<'a> {
    dialect: &'a Dialect,
    id: Arc<str>,
    persons: Persons,
    shared_key: Arc<str>,
}

/// Names for a round's people: unguessable, and the same person has the same name throughout the round.
#[derive(Clone, Copy)]
struct Persons(Seed);

impl Persons {
    fn name(self, actor: &Actor) -> String {
        self.0.child(&actor.to_string()).dice().uuid().to_string()
    }
}

/// What a call is made of, beside its verb and actor.
#[derive(Default)]
struct Extras<'a> {
    id: &'a str,
    token: Option<Arc<str>>,
    key: Option<Arc<str>>,
    body: Option<&'a serde_json::Value>,
}

impl<'a, T: Target> RoundRunner<'a, T> {
    pub(super) const fn new(target: &'a T, plan: &'a Plan, order: Seed, nonce: Seed, gate_limit: Duration) -> Self {
        Self { target, plan, order, nonce, gate_limit }
    }

    /// Runs the round and returns all that was asked in it, also if it is stopped half-way.
    pub(super) async fn run(
        &self,
        id: RoundId,
        clock: Clock,
        clients: &Arc<AtomicU32>,
        volley: &mut Volley<T::Contender>,
        stop: &Stop,
    ) -> Vec<Operation> {
        let recorder = Recorder::new(id, clock, Arc::clone(clients));
        let contenders: Vec<&ContenderPlan> = match id {
            RoundId::Raced(_) => self.plan.contenders.iter().collect(),
            // A control is one entry's first contender, alone.
            RoundId::Control(kind) => {
                self.plan.contenders.iter().filter(|one| one.entry + 1 == kind as usize).take(1).collect()
            }
        };
        let mut tasks = JoinSet::new();
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = self.play(&recorder, &contenders, volley, &mut tasks) => {}
        }
        // Contenders still under way give their lanes back as they are dropped; the record is sealed after that.
        tasks.shutdown().await;
        recorder.seal()
    }

    async fn play(
        &self,
        recorder: &Recorder,
        contenders: &[&ContenderPlan],
        volley: &mut Volley<T::Contender>,
        tasks: &mut JoinSet<T::Contender>,
    ) {
        let mut dice = self.nonce.dice();
        let mut lane = recorder.lane(Phase::SetUp);
        let Some((stage, created)) = self.create(&mut lane, &mut dice).await else {
            return;
        };
        let Some(known) = self.walk(&stage, &mut lane, &self.plan.set_up, created, &mut dice).await else {
            return;
        };
        let Some(mut ready) = self.connect(recorder, contenders, volley).await else {
            return;
        };
        self.read_tokens(recorder, &stage, &mut ready, TokenUse::Stale, &mut dice).await;
        if self.walk(&stage, &mut lane, &self.plan.change, known, &mut dice).await.is_none() {
            return;
        }
        self.read_tokens(recorder, &stage, &mut ready, TokenUse::Current, &mut dice).await;
        if ready.iter().any(|contender| contender.token.is_none() && contender.plan.token != TokenUse::None) {
            return; // a contender that could not read its token cannot race
        }
        if self.race(&stage, ready, tasks, &mut dice).await {
            while let Some(done) = tasks.join_next().await {
                // A task that panicked has recorded its operation as Unknown; its connection is gone with it.
                if let Ok(connection) = done {
                    volley.give_back(connection);
                }
            }
            self.observe(&stage, recorder, &mut dice).await;
        }
    }

    async fn create(&self, lane: &mut Lane, dice: &mut Dice) -> Option<(Stage<'a>, Reply)> {
        let dialect = &self.plan.api.dialect;
        let persons = Persons(self.nonce.child("persons"));
        let actor = Actor { role: Arc::clone(dialect.role(&Verb::Create)), person: 1 };
        let (request, call) = speak(dialect, persons, Verb::Create, actor, Extras::default(), dice);
        let reply = self.ask(dialect, lane, call, &request).await?;
        let id = reply.resource.clone().filter(|_| reply.meaning == Meaning::Applied)?;
        let shared_key = dice.uuid().to_string().into();
        Some((Stage { dialect, id, persons, shared_key }, reply))
    }

    /// Takes the steps one after the other, each conditional on what the last one answered. `None` if one does not
    /// lead where it should.
    async fn walk(
        &self,
        stage: &Stage<'_>,
        lane: &mut Lane,
        steps: &[Step],
        mut known: Reply,
        dice: &mut Dice,
    ) -> Option<Reply> {
        for step in steps {
            let token = match &known.token {
                Some(token) => Some(Arc::clone(token)),
                None if stage.dialect.has_token() => self.read(stage, lane, dice).await?.token,
                None => None,
            };
            let key = (stage.dialect.sends_key(&step.action)).then(|| dice.uuid().to_string().into());
            let extras = Extras { id: &stage.id, token, key, body: None };
            let (request, call) = speak(stage.dialect, stage.persons, step.verb(), step.actor.clone(), extras, dice);
            let reply = self.ask(stage.dialect, lane, call, &request).await?;
            let arrived = match (&step.leads_to, &reply.state) {
                (Some(goal), Some(shown)) => goal == shown,
                _ => true,
            };
            if reply.meaning != Meaning::Applied || !arrived {
                return None;
            }
            known = reply;
        }
        Some(known)
    }

    async fn read(&self, stage: &Stage<'_>, lane: &mut Lane, dice: &mut Dice) -> Option<Reply> {
        let (request, call) = stage.speak_read(&reader(stage.dialect), dice);
        self.ask(stage.dialect, lane, call, &request).await
    }

    async fn ask(&self, dialect: &Dialect, lane: &mut Lane, call: Call, request: &Request) -> Option<Reply> {
        let verb = call.verb.clone();
        let open = lane.open(call);
        let exchange = self.target.send(request).await;
        let (window, outcome) = read_exchange(dialect, &verb, exchange);
        let reply = outcome.reply().cloned();
        open.close(window, outcome);
        reply
    }

    /// A usable connection for each contender. `None` if one cannot be had; the record says why.
    async fn connect<'p>(
        &self,
        recorder: &Recorder,
        contenders: &[&'p ContenderPlan],
        volley: &mut Volley<T::Contender>,
    ) -> Option<Vec<Ready<'p, T::Contender>>> {
        let mut ready = Vec::with_capacity(contenders.len());
        for plan in contenders {
            let connection = match volley.take() {
                Some(connection) => connection,
                None => match self.target.contender().await {
                    Ok(connection) => connection,
                    Err(cause) => {
                        note_unconnected(recorder, plan, cause);
                        return None;
                    }
                },
            };
            ready.push(Ready { plan, connection, lane: recorder.lane(Phase::SetUp), token: None });
        }
        Some(ready)
    }

    /// Every contender that wants a token of this use reads the resource on its own connection: the read warms the
    /// connection, too. Those without tokens read just to warm it. A kept connection that the server has closed in the
    /// meantime is replaced, and the read made once more, by another client and as an operation of its own.
    async fn read_tokens(
        &self,
        recorder: &Recorder,
        stage: &Stage<'_>,
        ready: &mut [Ready<'_, T::Contender>],
        wanted: TokenUse,
        dice: &mut Dice,
    ) {
        for contender in ready {
            let reads_now = match contender.plan.token {
                TokenUse::Stale => wanted == TokenUse::Stale,
                TokenUse::Current | TokenUse::None => wanted == TokenUse::Current,
            };
            if !reads_now {
                continue;
            }
            for _attempt in 0..2 {
                let (request, call) = stage.speak_read(&contender.plan.actor, dice);
                let open = contender.lane.open(call);
                let exchange = contender.connection.send(&request).await;
                let (window, outcome) = read_exchange(stage.dialect, &Verb::Read, exchange);
                let token = outcome.reply().and_then(|reply| reply.token.clone());
                let is_retired = outcome.is_open_ended();
                open.close(window, outcome);
                if is_retired {
                    contender.lane = recorder.lane(Phase::SetUp);
                }
                if contender.plan.token != TokenUse::None {
                    contender.token = token;
                }
                if contender.connection.is_usable() {
                    break;
                }
                match self.target.contender().await {
                    Ok(connection) => contender.connection = connection,
                    Err(_) => break,
                }
            }
        }
    }

    /// Sends every request but for its end, and opens the gate. Whether it opened; if the volley never assembled, whoever
    /// parked goes down with its request unfinished.
    async fn race(
        &self,
        stage: &Stage<'_>,
        ready: Vec<Ready<'_, T::Contender>>,
        tasks: &mut JoinSet<T::Contender>,
        dice: &mut Dice,
    ) -> bool {
        let (gate, tickets) = Gate::new(ready.len());
        let mut order: Vec<usize> = (0..ready.len()).collect();
        self.order.dice().shuffle(&mut order);
        for (contender, ticket) in ready.into_iter().zip(tickets) {
            let plan = contender.plan;
            let key: Option<Arc<str>> = match plan.key {
                KeyUse::Own => Some(dice.uuid().to_string().into()),
                KeyUse::Shared => Some(Arc::clone(&stage.shared_key)),
                KeyUse::None => None,
            };
            let extras = Extras { id: &stage.id, token: contender.token.clone(), key, body: plan.body.as_ref() };
            let (request, call) = speak(stage.dialect, stage.persons, plan.verb(), plan.actor.clone(), extras, dice);
            let api = Arc::clone(&self.plan.api);
            let Ready { connection, lane, .. } = contender;
            tasks.spawn(async move { contend(&api.dialect, connection, lane, call, &request, ticket).await });
        }
        gate.open(&order, self.gate_limit).await.is_ok()
    }

    /// Looks at what the server says now: the resource, the lists of what really happened, and the resource again.
    async fn observe(&self, stage: &Stage<'_>, recorder: &Recorder, dice: &mut Dice) {
        for verb in std::iter::once(Verb::Read).chain(stage.dialect.lists()).chain([Verb::Read]) {
            let actor = Actor { role: Arc::clone(stage.dialect.role(&verb)), person: 1 };
            let extras = Extras { id: &stage.id, ..Extras::default() };
            let (request, call) = speak(stage.dialect, stage.persons, verb, actor, extras, dice);
            // A client of its own for each look: one that saw Unknown is not asked again.
            self.ask(stage.dialect, &mut recorder.lane(Phase::Observe), call, &request).await;
        }
    }
}

/// A contender, connected.
struct Ready<'p, C> {
    plan: &'p ContenderPlan,
    connection: C,
    lane: Lane,
    token: Option<Arc<str>>,
}

async fn contend<C: Contender>(
    dialect: &Dialect,
    mut connection: C,
    mut lane: Lane,
    call: Call,
    request: &Request,
    ticket: Ticket,
) -> C {
    lane.enter(Phase::Contend);
    let verb = call.verb.clone();
    let open = lane.open(call);
    let exchange = connection.race(request, ticket).await;
    let (window, outcome) = read_exchange(dialect, &verb, exchange);
    open.close(window, outcome);
    connection
}

impl Stage<'_> {
    fn speak_read(&self, actor: &Actor, dice: &mut Dice) -> (Request, Call) {
        let extras = Extras { id: &self.id, ..Extras::default() };
        speak(self.dialect, self.persons, Verb::Read, actor.clone(), extras, dice)
    }
}

/// Records that a contender could not connect: its request was certainly not sent.
fn note_unconnected(recorder: &Recorder, plan: &ContenderPlan, cause: Cause) {
    let mut lane = recorder.lane(Phase::SetUp);
    let call = Call {
        verb: plan.verb(),
        actor: plan.actor.clone(),
        request: "connect".into(),
        precondition: Precondition::Absent,
        key: None,
    };
    lane.open(call).close_now(Outcome::NotSent(cause));
}

fn reader(dialect: &Dialect) -> Actor {
    Actor { role: Arc::clone(dialect.role(&Verb::Read)), person: 1 }
}

/// The request for a call, and the call as the history keeps it.
fn speak(
    dialect: &Dialect,
    persons: Persons,
    verb: Verb,
    actor: Actor,
    extras: Extras<'_>,
    dice: &mut Dice,
) -> (Request, Call) {
    let person = persons.name(&actor);
    let unique = dice.uuid().to_string();
    let fill = Fill {
        id: extras.id,
        role: &actor.role,
        person: &person,
        unique: &unique,
        token: extras.token.as_deref(),
        key: extras.key.as_deref(),
        body: extras.body,
    };
    let request = dialect.request(&verb, fill);
    let call = Call {
        verb,
        actor,
        request: format!("{} {}", request.method, request.path).into(),
        precondition: extras.token.map_or(Precondition::Absent, Precondition::Token),
        key: extras.key,
    };
    (request, call)
}

fn read_exchange(dialect: &Dialect, verb: &Verb, exchange: Exchange) -> (Window, Outcome) {
    let outcome = match exchange.result {
        Ok(response) => dialect.read(verb, &response),
        Err(Failure::NotSent(cause)) => Outcome::NotSent(cause),
        Err(Failure::Unknown(cause)) => Outcome::Unknown(cause),
    };
    (exchange.window, outcome)
}
