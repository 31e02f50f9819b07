//! The race: rounds of a plan against a target, recorded.
//!
//! Per scenario, first the *serial controls* (each kind of contender alone: what does it hear when nothing races?),
//! then the rounds. Per round: a fresh resource, brought to its start; contenders connected and warmed, each holding
//! the token it read; all requests sent but for their end; the gate; observation. Each round goes to the [`Sink`]
//! as soon as it is over, so an interrupted run loses nothing.

mod observe;
mod round;
mod stage;
mod swarm;
#[cfg_attr(not(test), expect(dead_code, reason = "no race holds its contenders apart yet"))]
mod sweep;
mod volley;

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::history::{Cause, Operation, Outcome, Phase, Recorder};
use crate::ids::RoundId;
use crate::scenario::{Plan, Swarm};
use crate::seed::Seed;
use crate::target::{Delivery, Target};
use round::{RoundRunner, Servers};
use volley::Volley;

/// Rounds in a row without one usable answer, after which a scenario is given up: its target hangs, refuses the set-up,
/// or is gone.
const MOST_FRUITLESS_ROUNDS: u32 = 5;

/// How a scenario is raced.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many rounds.
    pub rounds: u32,
    /// From when on no further round begins.
    pub deadline: Option<Instant>,
    /// How long a volley may take to assemble.
    pub gate_limit: Duration,
    /// Where the target holds contenders' requests: how long the gate dwells goes with it.
    pub delivery: Delivery,
}

/// Something that can restart the target, in the middle of whatever it does, on the data that it left behind.
pub trait Restart: Send + Sync {
    /// Restarts it, and returns when it takes connections again.
    ///
    /// # Errors
    /// Why it could not be restarted, or did not come back.
    fn restart(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
}

/// Where rounds go.
pub trait Sink {
    /// Takes one round's operations, and breaks if it has seen enough. Called between rounds.
    fn round(&mut self, id: RoundId, operations: &[Operation]) -> ControlFlow<()>;
}

/// How a scenario ended. Whether the target is still there is for the caller to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// All rounds were raced, or the run was asked to stop.
    Complete,
    /// The sink had seen enough.
    Settled,
    /// The deadline passed before all rounds were raced; and why the last of them had no usable answer, if so.
    OutOfTime(Option<String>),
    /// All rounds were made, and the last of them yielded no usable answer; why.
    Faltered(String),
    /// Given up after several rounds in a row without a usable answer; why the last one had none.
    GaveUp(String),
}

/// Races one plan.
pub struct Race<'a, T: Target> {
    servers: Servers<'a, T>,
    plan: &'a Plan,
    seed: Seed,
    nonce: Seed,
    clock: Clock,
    clients: Arc<AtomicU32>,
    pace: Pace,
}

impl<'a, T: Target> Race<'a, T> {
    /// Lets a plan that restarts its target do so. One that may not leaves it running, and proves less.
    #[must_use]
    pub const fn with_restart(mut self, restart: Option<&'a dyn Restart>) -> Self {
        self.servers.restart = restart;
        self
    }

    /// A race of `plan` against `target`, and where the plan says so against `replica`, if there is one. The seed repeats choices; ids, idempotency keys and unique words come from a
    /// nonce of this race alone, or a second run with the same seed would meet its own keys on the server. `clients`
    /// numbers the clients of the whole run.
    pub fn new(
        (target, replica): (&'a T, Option<&'a T>),
        plan: &'a Plan,
        seed: Seed,
        clock: Clock,
        clients: Arc<AtomicU32>,
        pace: Pace,
    ) -> Self {
        let servers = Servers {
            target,
            replica,
            restart: None,
            restart_failure: Mutex::default(),
            vain_waits: AtomicU32::new(0),
        };
        Self { servers, plan, seed: seed.child(&plan.name), nonce: Seed::arbitrary(), clock, clients, pace }
    }

    /// Runs controls and rounds, one after the other, until all are done or given up.
    ///
    /// When `stop` is asked for, the round under way ends at once: what is not answered by then is recorded as Unknown,
    /// and the round goes to the sink like any other.
    pub async fn run(&self, stop: &Stop, sink: &mut dyn Sink) -> Ending {
        let mut volley = Volley::new();
        let mut fruitless = 0;
        let mut last_failure = None;
        let together = self.plan.swarm.map_or(1, |swarm| usize::from(swarm.resources));
        let rounds: Vec<RoundId> = self.rounds().collect();
        for ids in rounds.chunks(together) {
            if stop.is_asked() {
                break;
            }
            if self.pace.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ending::OutOfTime(last_failure);
            }
            let mut raced = Vec::with_capacity(ids.len());
            match self.plan.swarm {
                Some(swarm) => self.let_swarm(swarm, ids, &mut volley, stop, &mut raced).await,
                None => {
                    for id in ids {
                        let recorder = self.recorder(*id);
                        self.runner(*id).run(*id, &recorder, &mut volley, stop).await;
                        raced.push((*id, recorder.seal()));
                    }
                }
            }
            let mut is_settled = false;
            for (id, operations) in &raced {
                is_settled |= sink.round(*id, operations).is_break();
            }
            let failed = self.servers.restart_failure.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(why) = failed {
                return Ending::GaveUp(format!("the target was not restarted: {why}"));
            }
            if is_settled {
                return Ending::Settled;
            }
            last_failure = raced.iter().find_map(|(_, operations)| fruitless_because(operations));
            match &last_failure {
                None => fruitless = 0,
                Some(why) => {
                    fruitless += 1;
                    if fruitless >= MOST_FRUITLESS_ROUNDS && !stop.is_asked() {
                        return Ending::GaveUp(why.clone());
                    }
                }
            }
        }
        match last_failure {
            Some(why) if !stop.is_asked() => Ending::Faltered(why),
            Some(_) | None => Ending::Complete,
        }
    }

    fn recorder(&self, id: RoundId) -> Recorder {
        Recorder::new(id, self.clock, Arc::clone(&self.clients))
    }

    fn runner(&self, id: RoundId) -> RoundRunner<'_, T> {
        let label = id.to_string();
        let (order, nonce) = (self.seed.child(&label), self.nonce.child(&label));
        RoundRunner::new(&self.servers, self.plan, order, nonce, self.pace)
    }

    /// Lets a swarm loose on as many resources as there are `ids`, each a round of its own.
    async fn let_swarm(
        &self,
        swarm: Swarm,
        ids: &[RoundId],
        volley: &mut Volley<T::Contender>,
        stop: &Stop,
        raced: &mut Vec<(RoundId, Vec<Operation>)>,
    ) {
        let seed = self.seed.child(&ids[0].to_string());
        let rounds = ids.iter().map(|id| (self.recorder(*id), self.runner(*id))).collect();
        let sealed = swarm::SwarmRunner { swarm, api: &self.plan.api, seed, rounds }.run(volley, stop).await;
        raced.extend(ids.iter().copied().zip(sealed));
    }

    /// One control for each kind of contender, then the rounds.
    fn rounds(&self) -> impl Iterator<Item = RoundId> + use<'a, T> {
        let kinds = self.plan.contenders.iter().map(|contender| contender.entry + 1).max().unwrap_or(0);
        let controls = (1..=kinds).map(|kind| RoundId::Control(u32::try_from(kind).expect("volleys are small")));
        controls.chain((1..=self.pace.rounds).map(RoundId::Raced))
    }
}

/// Why a round yielded nothing usable, if so: no contender was answered.
fn fruitless_because(operations: &[Operation]) -> Option<String> {
    let answered = |operation: &&Operation| matches!(operation.outcome, Outcome::Answered(_));
    let contended = operations.iter().filter(|operation| operation.phase == Phase::Contend);
    if contended.clone().any(|operation| answered(&operation)) {
        return None;
    }
    // A server that answers set-up but nothing of a race with 5xx is there: that is a finding, not an absence.
    let is_error_answer = |operation: &Operation| {
        matches!(&operation.outcome, Outcome::Unknown(Cause::Status(_) | Cause::Unreadable { .. }))
    };
    if contended.clone().any(is_error_answer) {
        return None;
    }
    let last = operations.iter().rfind(|operation| !answered(operation)).or_else(|| operations.last())?;
    Some(format!("{} {}", last.call.request, crate::check::answer(last)))
}

/// Asks a run to stop. Cheap to clone; all clones agree.
#[derive(Debug, Clone)]
pub struct Stop {
    sender: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { sender: Arc::new(tokio::sync::watch::Sender::new(false)) }
    }
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.sender.send_replace(true);
    }

    /// Whether someone has asked.
    pub fn is_asked(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until someone asks.
    pub async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|asked| *asked).await;
    }
}
