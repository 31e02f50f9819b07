//! One round: a fresh resource, brought to its start, raced once, observed.
//!
//! ```text
//! set-up    create ─ act ─ act ─┐
//! contender 1                   read ── [request, but for its end] ──┐ gate ─── answer
//! contender 2                   read ── [request, but for its end] ──┘      ─── answer
//! followers                                                                         act ─ act
//! observer                                                                                      read ─ lists ─ read
//! ```

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Stop;
use super::observe::Told;
use super::schedule::{Orders, Volleyed};
use super::servers::Servers;
use super::stage::{Stage, read_exchange};
use super::sweep::{as_left, offset, without_offsets};
use super::volley::Volley;
use crate::api::{Dialect, Request, Settling};
use crate::clock::Stamp;
use crate::history::{Call, Cause, Lane, Meaning, Outcome, Phase, Precondition, Recorder, Reply, Stagger};
use crate::ids::RoundId;
use crate::scenario::{ContenderPlan, Plan, ServerUse, TokenUse};
use crate::seed::{Dice, Seed};
use crate::target::gate::{Gate, Leave, Ticket};
use crate::target::{Contender, Method, Target};

/// Runs one round of a plan.
pub(super) struct RoundRunner<'a, T: Target> {
    pub(super) servers: &'a Servers<'a, T>,
    pub(super) plan: &'a Plan,
    /// What the seed decides: the order of contenders within the volley.
    order: Seed,
    /// Where ids, keys and unique words come from: never the same in two runs.
    pub(super) nonce: Seed,
    gate_limit: Duration,
    /// How its volley is to be delivered.
    orders: &'a Orders,
    /// How long it waited without a request on its way.
    pub(super) waited_ms: AtomicU64,
}

impl<'a, T: Target> RoundRunner<'a, T> {
    pub(super) const fn new(
        servers: &'a Servers<'a, T>,
        (plan, orders): (&'a Plan, &'a Orders),
        order: Seed,
        nonce: Seed,
        gate_limit: Duration,
    ) -> Self {
        Self { servers, plan, order, nonce, gate_limit, orders, waited_ms: AtomicU64::new(0) }
    }

    /// How long the round waited of its own accord, for the target to settle.
    pub(super) fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms.load(Ordering::Relaxed))
    }

    /// Runs the round and records all that was asked in it, also if it is stopped half-way. What its volley showed, if it was
    /// let go.
    pub(super) async fn run(
        &self,
        id: RoundId,
        recorder: &Recorder,
        volley: &Volley<T::Contender>,
        stop: &Stop,
    ) -> Option<Volleyed> {
        let contenders: Vec<&ContenderPlan> = match id {
            RoundId::Raced(_) => self.plan.contenders.iter().collect(),
            // A control is one entry's first contender, alone.
            RoundId::Control(kind) => {
                self.plan.contenders.iter().filter(|one| one.entry + 1 == kind as usize).take(1).collect()
            }
        };
        let (mut tasks, mut departures) = (JoinSet::new(), Vec::with_capacity(contenders.len()));
        tokio::select! {
            biased;
            () = stop.asked() => {}
            () = self.play(recorder, &contenders, volley, &mut tasks, &mut departures) => {}
        }
        // Contenders still under way give their lanes back as they are dropped; the record is sealed after that.
        tasks.shutdown().await;
        (departures.len() == contenders.len()).then(|| self.volleyed(departures))
    }

    /// What a volley showed all of whose contenders are back.
    fn volleyed(&self, mut departures: Vec<Departure>) -> Volleyed {
        let kinds = self.plan.contenders.iter().map(|contender| contender.entry + 1).max().unwrap_or(0);
        let acknowledged = |kind: usize| {
            let mut own = departures.iter().filter(|departure| departure.kind == kind).map(|one| one.acknowledged);
            if own.clone().any(|one| one == Some(true)) {
                return Some(true);
            }
            own.all(|one| one.is_some()).then_some(false)
        };
        let acknowledged = (0..kinds).map(acknowledged).collect();
        departures.sort_by_key(|departure| departure.place);
        let origin = departures.iter().filter_map(|departure| departure.released).min();
        let since = |stamp: Option<Stamp>| Some(stamp?.since(origin?));
        let left: Option<Vec<Duration>> = match &self.orders.stagger {
            None => None,
            Some(Stagger::Steps(_)) => departures.iter().map(|departure| since(departure.released)).collect(),
            Some(Stagger::Kinds(_)) => {
                let first_of = |kind| {
                    departures.iter().filter(move |departure| departure.kind == kind).map(|one| one.released).min()
                };
                let left = (0..kinds).map(|kind| since(first_of(kind)?)).collect::<Option<Vec<Duration>>>();
                let offsets: Vec<Duration> = (0..kinds).map(|kind| self.offset_of(kind)).collect();
                left.map(|left| without_offsets(&left, &offsets))
            }
        };
        let left = self.orders.stagger.as_ref().zip(left).map(|(stagger, left)| as_left(stagger, &left));
        Volleyed { left, acknowledged }
    }

    async fn play(
        &self,
        recorder: &Recorder,
        contenders: &[&ContenderPlan],
        volley: &Volley<T::Contender>,
        tasks: &mut JoinSet<Raced<T::Contender>>,
        departures: &mut Vec<Departure>,
    ) {
        let mut dice = self.nonce.dice();
        let mut lane = recorder.lane(Phase::SetUp);
        let Some((stage, known)) = self.set_up(&mut lane, &mut dice).await else {
            return;
        };
        let before = self.token_before(&stage, known.as_ref(), &mut lane, &mut dice).await;
        let Some(mut ready) = self.connect(recorder, contenders, volley).await else {
            return;
        };
        self.read_tokens(recorder, &stage, &mut ready, TokenUse::Stale, &mut dice).await;
        if !self.plan.change.is_empty() {
            let Some(changed) = self.walk(&stage, &mut lane, &self.plan.change, known.clone(), &mut dice).await else {
                return;
            };
            if self.settled(&stage, &mut lane, changed, &mut dice).await.is_none() {
                return;
            }
            // What the changes came to, also where no contender wants to know.
            if stage.dialect.reads() {
                self.read(&stage, &mut lane, &mut dice).await;
            }
        }
        self.read_tokens(recorder, &stage, &mut ready, TokenUse::Current, &mut dice).await;
        if ready.iter().any(|contender| contender.token.is_none() && contender.plan.token != TokenUse::None) {
            return; // a contender that could not read its token cannot race
        }
        // A resource that was just made has a version, and nothing that tells of it.
        let is_changed = !self.plan.set_up.is_empty() && self.plan.change.is_empty();
        let mut told = Told { version: known.and_then(|known| known.version).filter(|_| is_changed) };
        if self.race(&stage, ready, tasks, &mut dice).await {
            while let Some(done) = tasks.join_next().await {
                // A task that panicked has recorded its operation as Unknown; its connection is gone with it.
                if let Ok(raced) = done {
                    told.note(raced.reply.as_ref());
                    departures.push(raced.departure);
                    volley.give_back(raced.at, raced.connection);
                }
            }
            if self.plan.restart
                && let Some(restart) = self.servers.restart
            {
                volley.clear();
                if let Err(why) = restart.restart().await {
                    // Nobody looks afterwards: the round proves nothing, and the race is given up.
                    self.servers.note_restart_failure(why);
                    return;
                }
                self.servers.forget_connections();
            }
            self.follow(&stage, recorder, before.as_ref(), &mut told, &mut dice).await;
            let mut lane = recorder.lane(Phase::Settle);
            if !self.settle(&stage, &mut lane, Settling::End, &mut dice).await {
                return; // what it shows now may not hold
            }
            drop(lane);
            self.observe(&stage, recorder, told, &mut dice).await;
        }
    }

    pub(super) async fn ask(
        &self,
        dialect: &Dialect,
        at: ServerUse,
        lane: &mut Lane,
        call: Call,
        request: &Request,
    ) -> Option<Reply> {
        let verb = call.verb.clone();
        let open = lane.open(call);
        let exchange = self.servers.at(at).send(request).await;
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
        volley: &Volley<T::Contender>,
    ) -> Option<Vec<Ready<'p, T::Contender>>> {
        let mut ready: Vec<Ready<'p, T::Contender>> = Vec::with_capacity(contenders.len());
        for plan in contenders {
            let own = |other: &&Ready<'_, T::Contender>| other.plan.at == plan.at;
            let twin = ready.iter().filter(own).find_map(|other| other.connection.twin());
            let connection = match twin {
                Some(twin) => Ok(twin),
                None => self.servers.connection(plan.at, self.orders.method.version(), volley).await,
            };
            let connection = match connection {
                Ok(connection) => connection,
                Err(cause) => {
                    note_unconnected(recorder, plan, cause);
                    return None;
                }
            };
            ready.push(Ready {
                plan,
                connection,
                lane: recorder.lane(Phase::SetUp),
                token: None,
                read: Duration::ZERO,
            });
        }
        Some(ready)
    }

    /// Every contender that wants a token of this use reads the resource on its own connection: the read warms the
    /// connection, too. Those without tokens read just to warm it; where nothing can be read, a list does that. A kept
    /// connection that the server has closed in the meantime is replaced, and the read made once more, by another client and
    /// as an operation of its own.
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
                TokenUse::Current | TokenUse::Weak | TokenUse::Unheard | TokenUse::None => wanted == TokenUse::Current,
            };
            if !reads_now {
                continue;
            }
            for _attempt in 0..2 {
                let Some((request, call)) = stage.speak_look(&contender.plan.reader, dice) else { break };
                let (verb, open) = (call.verb.clone(), contender.lane.open(call));
                let exchange = contender.connection.send(&request).await;
                let (window, outcome) = read_exchange(stage.dialect, &verb, exchange);
                let token = outcome.reply().and_then(|reply| reply.token.clone());
                let is_retired = outcome.is_open_ended();
                open.close(window, outcome);
                contender.read = window.closed.since(window.opened);
                if is_retired {
                    contender.lane = recorder.lane(Phase::SetUp);
                }
                contender.token = contender.plan.token.sent(token, dice);
                if contender.connection.is_usable() {
                    break;
                }
                match self.servers.connect(contender.plan.at, self.orders.method.version()).await {
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
        mut ready: Vec<Ready<'_, T::Contender>>,
        tasks: &mut JoinSet<Raced<T::Contender>>,
        dice: &mut Dice,
    ) -> bool {
        let (gate, tickets) = Gate::new(ready.len());
        let read = ready.iter().map(|contender| contender.read).max().unwrap_or_default();
        let gate = gate.dwelling(self.orders.method.dwell(read, self.gate_limit));
        let plans: Vec<&ContenderPlan> = ready.iter().map(|contender| contender.plan).collect();
        let (leaves, places) = self.leaves(&plans);
        let spoken: Vec<(Request, Call)> = (ready.iter_mut())
            .enumerate()
            .map(|(index, contender)| stage.speak_plan((contender.plan, index + 1), contender.token.take(), dice))
            .collect();
        let mut contenders: Vec<Option<_>> = ready.into_iter().zip(tickets).zip(spoken).map(Some).collect();
        for (leave, place) in leaves.iter().zip(places) {
            let Some(((Ready { plan, connection, lane, .. }, ticket), (request, call))) =
                contenders[leave.index].take()
            else {
                continue;
            };
            let (api, at, kind, method) = (Arc::clone(&self.plan.api), plan.at, plan.entry, self.orders.method);
            begin(tasks, async move {
                let held = (method, ticket);
                let raced = contend(&api.dialect, connection, lane, call, &request, held).await;
                let (connection, released, outcome) = raced;
                let reply = outcome.reply().cloned();
                let acknowledged = reply.as_ref().map(|reply| reply.meaning == Meaning::Applied);
                let departure = Departure { kind, place, released, acknowledged };
                Raced { at, connection, reply, departure }
            })
            .await;
        }
        gate.open(&leaves, self.gate_limit).await.is_ok()
    }

    /// How much later than the first a kind of contender leaves because its scenario says so.
    fn offset_of(&self, kind: usize) -> Duration {
        self.plan.contenders.iter().find(|contender| contender.entry == kind).map_or(Duration::ZERO, |one| one.offset)
    }

    /// Who leaves when, in order, and the place that each has in the volley's shuffled order.
    pub(super) fn leaves(&self, plans: &[&ContenderPlan]) -> (Vec<Leave>, Vec<usize>) {
        let mut order: Vec<usize> = (0..plans.len()).collect();
        self.order.dice().shuffle(&mut order);
        let earliest = plans.iter().map(|plan| plan.offset).min().unwrap_or_default();
        let delay = |place: usize, index: usize| {
            let (stagger, plan) = (self.orders.stagger.as_ref(), plans[index]);
            let swept = stagger.map_or(Duration::ZERO, |stagger| offset(stagger, plan.entry, place));
            swept + plan.offset.saturating_sub(earliest)
        };
        let mut leaves: Vec<(Leave, usize)> = (order.into_iter().enumerate())
            .map(|(place, index)| (Leave { index, delay: delay(place, index) }, place))
            .collect();
        leaves.sort_by_key(|(leave, place)| (leave.delay, *place));
        leaves.into_iter().unzip()
    }
}

/// Begins what a task then goes on with: where several are begun on one connection, that decides their order on the wire.
async fn begin<R: Send + 'static>(tasks: &mut JoinSet<R>, task: impl Future<Output = R> + Send + 'static) {
    let mut task = Box::pin(task);
    match poll_fn(|cx| Poll::Ready(task.as_mut().poll(cx))).await {
        Poll::Ready(done) => tasks.spawn(std::future::ready(done)),
        Poll::Pending => tasks.spawn(task),
    };
}

/// A contender, connected.
struct Ready<'p, C> {
    plan: &'p ContenderPlan,
    connection: C,
    lane: Lane,
    token: Option<Arc<str>>,
    /// How long its last read took.
    read: Duration,
}

/// A contender that has raced.
pub(super) struct Raced<C> {
    at: ServerUse,
    connection: C,
    reply: Option<Reply>,
    departure: Departure,
}

/// How a contender left, and what came of it.
struct Departure {
    kind: usize,
    /// Its place in the volley's order.
    place: usize,
    released: Option<Stamp>,
    /// Whether it was acknowledged, if that is known.
    acknowledged: Option<bool>,
}

async fn contend<C: Contender>(
    dialect: &Dialect,
    mut connection: C,
    mut lane: Lane,
    call: Call,
    request: &Request,
    (method, ticket): (Method, Ticket),
) -> (C, Option<Stamp>, Outcome) {
    lane.enter(Phase::Contend);
    let verb = call.verb.clone();
    let open = lane.open(call);
    let exchange = connection.race(request, method, ticket).await;
    let (window, outcome) = read_exchange(dialect, &verb, exchange);
    open.close(window, outcome.clone());
    (connection, window.released, outcome)
}

/// Records that a contender could not connect: its request was certainly not sent.
fn note_unconnected(recorder: &Recorder, plan: &ContenderPlan, cause: Cause) {
    let mut lane = recorder.lane(Phase::SetUp);
    let call = Call {
        verb: plan.verb.clone(),
        actor: plan.actor.clone(),
        principal: None,
        request: "connect".into(),
        precondition: Precondition::Absent,
        key: None,
        payload: None,
        value: None,
    };
    lane.open(call).close_now(Outcome::NotSent(cause));
}
