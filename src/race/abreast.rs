//! The rounds of a race, several side by side: begun in order, noted in order.
//!
//! ```text
//! c1 ─┐                                     begin: controls, and the first round, alone
//!     c2 ─┐
//!         r1 ─┐
//!             r2 ────────┐                  then as many side by side as the width allows
//!              r3 ───┐   │
//!               r4 ──│──┐│
//! note  c1  c2  r1       r2 r3 r4           r3 was over first, and waited for r2
//! ```
//!
//! In order of their numbers, since whoever counts rounds as they end counts the quick ones first, and those may be the sound ones.
//!
//! One task polls all of them; the requests that are measured run in tasks of their own. Whatever ends a race, each
//! round that was begun goes to the sink:
//!
//! - *Asked to stop*, or *given up*: rounds under way are cut short, and what is not answered by then is Unknown.
//! - *The deadline*: no further round begins; those under way go on to their end.
//! - *The sink has seen enough*: the same. They must neither be cut nor left out. How many were begun was settled
//!   before it was known what they show; so "no violation in all of them" is at least as hard to come by as in the number
//!   that the rule asks for, and what it excludes stays excluded. Were they left out, a violation that was seen would not be told.
//!   Were they cut, those that take longer would not count, and a round that shows a violation may well take longer. And if one
//!   of them takes back what the sink said (there is nothing to exclude after a violation), the race goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::cap::Cap;
use super::schedule::{Orders, Schedule, Volleyed};
use super::streak::{Streak, fruitless_because};
use super::swarm::SwarmRunner;
use super::volley::Volley;
use super::width::{Room, Width};
use super::{Ending, Finish, Parallel, Race, Sink, Stop};
use crate::history::{Operation, starved};
use crate::ids::RoundId;
use crate::scenario::Swarm;
use crate::target::Target;

/// What is begun at once, and is over: one round, or all resources of a swarm, each a round.
struct Heat {
    /// Its place in the order of heats, from 0.
    number: usize,
    /// How many were under way when it began, itself included.
    abreast: usize,
    orders: Orders,
    /// What its volley showed, if it had one and that was let go.
    volleyed: Option<Volleyed>,
    rounds: Vec<(RoundId, Vec<Operation>)>,
    begun: Instant,
    /// How long the target took, waiting of its own accord left out.
    took: Duration,
    /// Why it yielded nothing usable, if so.
    failure: Option<String>,
    /// Whether it came to nothing since nobody answered its set-up.
    is_starved: bool,
}

/// What has been noted, in order.
struct Notes<'s> {
    sink: &'s mut dyn Sink,
    /// The next heat to be noted, and those after it that are over.
    next: usize,
    over: BTreeMap<usize, Heat>,
    streak: Streak,
    is_settled: bool,
    /// Why the race was given up, if it was.
    given_up: Option<String>,
    is_out_of_time: bool,
}

impl<T: Target> Race<'_, T> {
    /// Runs controls and rounds until all are done or given up.
    ///
    /// When `stop` is asked for, the rounds under way end at once: what is not answered by then is recorded as Unknown,
    /// and they go to the sink like any other.
    pub async fn run(&self, stop: &Stop, sink: &mut dyn Sink) -> Finish {
        let (volley, halt) = (Volley::new(), Stop::default());
        let rounds: Vec<RoundId> = self.rounds().collect();
        let together = self.plan.swarm.map_or(1, |swarm| usize::from(swarm.resources));
        let mut due = rounds.chunks(together).enumerate().peekable();
        let mut under_way = FuturesUnordered::new();
        let mut width = self.width();
        let mut cap = Cap::new(self.pace.max_rate);
        let mut notes = Notes::new(sink);
        let mut schedule = Schedule::new(&self.pace.methods, self.seed, self.pace.sweep.then(|| self.kinds()))
            .replaying(&self.pace.replay);
        loop {
            let is_wanted = due.peek().is_some() && notes.wants_more() && !stop.is_asked();
            let now = Instant::now();
            let deadline = self.pace.deadline;
            let is_over = deadline.is_some_and(|deadline| now >= deadline);
            let room = match (is_wanted, cap.opens(now)) {
                (false, _) => Room::None,
                // Whether time is over is looked at where a round would begin, and when it is.
                (true, Some(paid)) if !is_over => Room::At(deadline.map_or(paid, |deadline| paid.min(deadline))),
                (true, _) => width.room(under_way.len(), notes.over.len(), now),
            };
            if room == Room::Now {
                if is_over {
                    notes.is_out_of_time = true;
                } else if let Some((number, ids)) = due.next() {
                    let orders = schedule.begin(ids[0]);
                    let place = (number, under_way.len() + 1);
                    under_way.push(self.begin(place, ids, orders, &volley, &halt));
                    width.begin(under_way.len());
                }
                continue;
            }
            if under_way.is_empty() && room == Room::None {
                break;
            }
            tokio::select! {
                biased;
                () = stop.asked(), if !halt.is_asked() => halt.ask(),
                Some(heat) = under_way.next() => {
                    if heat.is_starved {
                        width.starve(heat.number, heat.abreast.max(under_way.len() + 1));
                    }
                    width.over(heat.number, heat.took, heat.failure.is_none());
                    cap.spend(heat.rounds.iter().map(|(_, operations)| operations.len()).sum(), heat.begun);
                    notes.over.insert(heat.number, heat);
                    while let Some(heat) = notes.next() {
                        self.note(&heat, width.begun(), (&mut notes, &mut schedule), stop);
                    }
                    if notes.given_up.is_some() {
                        halt.ask();
                    }
                }
                () = opening(room) => {}
            }
        }
        debug_assert!(notes.over.is_empty(), "all that was begun is noted");
        Finish { ending: notes.ending(stop), parallel: width.most() }
    }

    /// The places for rounds side by side. A swarm is a crowd by itself; and a target that is restarted is nobody
    /// else's meanwhile.
    fn width(&self) -> Width {
        let runs_alone = self.plan.swarm.is_some() || self.plan.restart;
        let parallel = if runs_alone { Parallel::Rounds(1) } else { self.pace.parallel };
        Width::new(parallel, self.controls(), self.plan.contenders.len())
    }

    /// Begins a heat, and sees it through: where a round begins. It has a number, and begins as one of so many.
    async fn begin(
        &self,
        (number, abreast): (usize, usize),
        ids: &[RoundId],
        orders: Orders,
        volley: &Volley<T::Contender>,
        halt: &Stop,
    ) -> Heat {
        let begun = Instant::now();
        let mut rounds = Vec::with_capacity(ids.len());
        let mut waited = Duration::ZERO;
        let mut volleyed = None;
        match self.plan.swarm {
            Some(swarm) => rounds = self.let_swarm(swarm, (ids, &orders), volley, halt).await,
            None => {
                for id in ids {
                    let recorder = self.recorder(*id);
                    let runner = self.runner(*id, &orders);
                    volleyed = runner.run(*id, &recorder, volley, halt).await;
                    waited += runner.waited();
                    rounds.push((*id, recorder.seal()));
                }
            }
        }
        let failure = rounds.iter().find_map(|(_, operations)| fruitless_because(operations));
        let is_starved = rounds.iter().any(|(_, operations)| starved(operations));
        let took = begun.elapsed().saturating_sub(waited);
        Heat { number, abreast, orders, volleyed, rounds, begun, took, failure, is_starved }
    }

    /// Notes a heat that is over, as are all before it: where a round's result is known. `begun` heats were begun so far.
    fn note(&self, heat: &Heat, begun: usize, (notes, schedule): (&mut Notes<'_>, &mut Schedule), stop: &Stop) {
        let is_raced = |id: RoundId| id.is_raced() && self.plan.swarm.is_none();
        for (id, operations) in &heat.rounds {
            let delivered = is_raced(*id).then(|| heat.orders.delivered(*id, heat.volleyed.as_ref()));
            let told = notes.sink.round(*id, delivered.as_ref(), operations);
            notes.is_settled = told.is_enough;
            schedule.note((*id, &heat.orders), heat.volleyed.as_ref(), operations, told);
        }
        if notes.given_up.is_some() {
            return; // it was cut short for that
        }
        notes.streak.note(heat.failure.clone(), begun);
        if let Some(why) = self.servers.take_restart_failure() {
            notes.is_settled = false;
            notes.given_up = Some(format!("the target was not restarted: {why}"));
        } else if !notes.is_settled && !stop.is_asked() {
            notes.given_up = notes.streak.is_hopeless(heat.number, self.pace.gate_limit).map(str::to_owned);
        }
    }

    /// Lets a swarm loose on as many resources as there are `ids`, each a round of its own.
    async fn let_swarm(
        &self,
        swarm: Swarm,
        (ids, orders): (&[RoundId], &Orders),
        volley: &Volley<T::Contender>,
        stop: &Stop,
    ) -> Vec<(RoundId, Vec<Operation>)> {
        let seed = self.seed.child(&ids[0].to_string());
        let rounds = ids.iter().map(|id| (self.recorder(*id), self.runner(*id, orders))).collect();
        let sealed = SwarmRunner { swarm, api: &self.plan.api, seed, rounds, version: orders.method.version() }
            .run(volley, stop)
            .await;
        ids.iter().copied().zip(sealed).collect()
    }
}

impl<'s> Notes<'s> {
    fn new(sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            next: 0,
            over: BTreeMap::new(),
            streak: Streak::default(),
            is_settled: false,
            given_up: None,
            is_out_of_time: false,
        }
    }

    /// The next heat in order, if it is over.
    fn next(&mut self) -> Option<Heat> {
        let heat = self.over.remove(&self.next)?;
        self.next += 1;
        Some(heat)
    }

    fn wants_more(&self) -> bool {
        !self.is_settled && self.given_up.is_none() && !self.is_out_of_time
    }

    fn ending(self, stop: &Stop) -> Ending {
        let last_failure = self.streak.last().map(str::to_owned);
        match (self.given_up, last_failure) {
            _ if self.is_settled => Ending::Settled,
            (Some(why), _) => Ending::GaveUp(why),
            _ if stop.is_asked() => Ending::Complete,
            (None, last_failure) if self.is_out_of_time => Ending::OutOfTime(last_failure),
            (None, Some(why)) => Ending::Faltered(why),
            (None, None) => Ending::Complete,
        }
    }
}

/// Waits until there is room, if time makes some.
async fn opening(room: Room) {
    match room {
        Room::At(at) => tokio::time::sleep_until(at).await,
        Room::Now | Room::None => std::future::pending().await,
    }
}
