//! A load: many clients at once, as fast as they are served or by the clock, and every answer recorded for the judge.
//!
//! ```text
//! thread 1   clients ── each turn one request ──► target          [slots] when a turn begins, [pace] waiting for it
//! thread 2   clients ──────────────────────────►                  [journey], [visit], [audit] what a turn is for
//!    │  once a second: what was measured ──► Told
//!    └─ a resource that nobody acts on any more: its history ──► Outlet ═ queue ═► Inlet ──► the judge
//! ```
//!
//! A client owns a connection and sends one request at a time. Its resources' histories are judged as those of a race's rounds are:
//! one resource, one round. What is under way when a load ends is waited for, or recorded as unknown.

mod audit;
mod client;
mod cpu;
mod hot;
mod joint;
mod journey;
mod mind;
mod outlet;
mod pace;
mod plain;
mod resource;
mod saying;
mod slots;
mod visit;
mod worker;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::clock::{Clock, Stamp};
use crate::race::Stop;
use crate::seed::Seed;
use crate::target::{Prepared, Route};
use crate::traffic::{Part, Shape, TrafficPlan};
use hot::HotSet;
use joint::JointSet;
pub use joint::{Joint, Which};
use mind::Numbers;
pub use outlet::{Inlet, Outlet, Settled, queue};
pub use slots::Interval;
use worker::{Common, work};

/// A load, as one process makes it.
#[derive(Debug, Clone)]
pub struct Load {
    /// What is sent.
    pub what: What,
    /// When.
    pub shape: Shape,
    /// How many clients this process has.
    pub clients: u32,
    /// On how many threads they are.
    pub threads: u32,
    /// Which part of the whole load this process is.
    pub part: Part,
    /// How many requests this process sends at most.
    pub requests: Option<u64>,
    /// How long a closed load lasts.
    pub duration: Option<Duration>,
    /// What begins before this is left out of the figures.
    pub warm_up: Duration,
    /// The limit for one request, and for a turn to begin.
    pub timeout: Duration,
    /// Whether its one client is alone, to be compared with: nothing is asked of resources that others act on, too.
    pub is_alone: bool,
    /// Resources that other processes act on, too.
    pub joint: Option<Joint>,
    /// What is done.
    pub seed: Seed,
    /// Who does it, under which keys: never the same in two loads.
    pub nonce: Seed,
}

/// What a load sends.
#[derive(Debug, Clone)]
pub enum What {
    /// Traffic whose answers are judged.
    Traffic(Arc<TrafficPlan>),
    /// One request over and over, of whose answer only the status counts.
    Plain(Arc<Prepared>),
}

/// What a load tells while it is under way.
#[derive(Debug)]
pub enum Told {
    /// What one thread measured in about a second.
    Interval(Box<Interval>),
    /// A thread's clients have no more turns.
    Ended {
        /// Since when.
        at: Stamp,
        /// How many requests of each did what they asked for.
        achieved: Vec<u64>,
    },
}

/// Starts a load that begins at `begin`. It ends by itself, or soon after `stop` is asked for; its threads end when all is told.
///
/// # Errors
/// If the system has no thread for it.
pub fn start(
    load: Load,
    route: &Route,
    clock: Clock,
    begin: Stamp,
    stop: &Stop,
    outlet: Outlet,
    told: UnboundedSender<Told>,
) -> io::Result<Vec<JoinHandle<io::Result<()>>>> {
    let hot = match &load.what {
        What::Traffic(plan) if !load.is_alone => usize::from(plan.hot.resources),
        What::Traffic(_) | What::Plain(_) => 0,
    };
    let longest_list = match &load.what {
        What::Traffic(plan) => plan.api.dialect.longest_list(),
        What::Plain(_) => None,
    };
    let numbers = Arc::new(Numbers::new(load.part, load.is_alone));
    let joint = match (&load.joint, &load.what) {
        (Some(joint), What::Traffic(plan)) if !load.is_alone => {
            Some(Arc::new(JointSet::new(joint.clone(), &numbers, begin, plan, outlet.clone())))
        }
        (Some(_) | None, _) => None,
    };
    let common = Common {
        route: route.clone(),
        clock,
        begin,
        stop: stop.clone(),
        outlet,
        told,
        hot: Arc::new(HotSet::new(hot, longest_list)),
        joint,
        numbers,
        budget: load.requests.map(|requests| Arc::new(AtomicU64::new(requests))),
        at_work: Arc::new(AtomicU32::new(load.threads)),
        load: Arc::new(load),
    };
    (0..common.load.threads)
        .map(|thread| {
            let common = common.clone();
            std::thread::Builder::new().name(format!("load {thread}")).spawn(move || work(common, thread))
        })
        .collect()
}
