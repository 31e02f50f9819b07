//! The race: rounds of a plan against a target, recorded.
//!
//! Per scenario, first the *serial controls* (each kind of contender alone: what does it hear when nothing races?),
//! then the rounds. Per round: a fresh resource, brought to its start; contenders connected and warmed, each holding
//! the token it read; all requests sent but for their end; the gate; observation. A slow target gets several rounds side by
//! side ([`Parallel`]). Each round goes to the [`Sink`] when it and all before it are over, so an interrupted run loses
//! nothing.

mod abreast;
mod cap;
#[cfg(test)]
mod fake;
mod observe;
mod round;
mod schedule;
mod servers;
mod set_up;
mod settle;
mod stage;
mod stop;
mod streak;
mod swarm;
mod sweep;
#[cfg(test)]
mod tests;
mod volley;
mod width;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::Clock;
use crate::history::{Delivered, Operation, Recorder};
use crate::ids::RoundId;
use crate::scenario::Plan;
use crate::seed::Seed;
use crate::target::{Method, Target};
use round::RoundRunner;
use schedule::Orders;
use servers::Servers;
pub use stop::Stop;
pub use width::{MOST_PARALLEL, Parallel};

/// How a scenario is raced.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How many rounds.
    pub rounds: u32,
    /// From when on no further round begins.
    pub deadline: Option<Instant>,
    /// How many of them run side by side. Swarms, and plans that restart their target, run one round after the other.
    pub parallel: Parallel,
    /// The most requests in a second, on average; `None` is no cap. A volley goes as one all the same.
    pub max_rate: Option<f64>,
    /// How long a volley may take to assemble.
    pub gate_limit: Duration,
    /// The methods by which volleys are delivered: one at least, the first of them where there is no choice.
    pub methods: Vec<Method>,
    /// Whether the delay between contenders is explored.
    pub sweep: bool,
    /// Rounds of an earlier race, to be delivered as they were where the target allows it.
    pub replay: Vec<Delivered>,
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
    /// Takes one round: how its volley was delivered, if it had one that raced, and its operations. Called in order of the
    /// rounds' numbers; others may be under way. Those are noted as well after the sink had enough, and a later answer may
    /// take that back.
    fn round(&mut self, id: RoundId, delivered: Option<&Delivered>, operations: &[Operation]) -> Noted;
}

/// What a sink makes of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// It showed a violation.
    pub is_violated: bool,
    /// No more rounds are needed.
    pub is_enough: bool,
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

/// What came of racing a plan, beside what the sink took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// How it ended.
    pub ending: Ending,
    /// The most rounds that were under way at one time; 0 if there was none.
    pub parallel: u32,
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
        let servers = Servers::new(target, replica);
        Self { servers, plan, seed: seed.child(&plan.name), nonce: Seed::arbitrary(), clock, clients, pace }
    }

    fn recorder(&self, id: RoundId) -> Recorder {
        Recorder::new(id, self.clock, Arc::clone(&self.clients))
    }

    fn runner<'r>(&'r self, id: RoundId, orders: &'r Orders) -> RoundRunner<'r, T> {
        let label = id.to_string();
        let (order, nonce) = (self.seed.child(&label), self.nonce.child(&label));
        RoundRunner::new(&self.servers, (self.plan, orders), order, nonce, self.pace.gate_limit)
    }

    /// How many controls there are: one for each kind of contender.
    fn controls(&self) -> usize {
        self.plan.contenders.iter().map(|contender| contender.entry + 1).max().unwrap_or(0)
    }

    /// How many contenders there are of each kind.
    fn kinds(&self) -> Vec<usize> {
        let of = |kind| self.plan.contenders.iter().filter(|contender| contender.entry == kind).count();
        (0..self.controls()).map(of).collect()
    }

    /// The controls, then the rounds.
    fn rounds(&self) -> impl Iterator<Item = RoundId> + use<'a, T> {
        let kinds = u32::try_from(self.controls()).expect("volleys are small");
        (1..=kinds).map(RoundId::Control).chain((1..=self.pace.rounds).map(RoundId::Raced))
    }
}
