//! One thread of a load: its clients, and the book that is kept of them, handed out once a second.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use super::client::Client;
use super::hot::HotSet;
use super::joint::{JointSet, QUIET};
use super::mind::{Mind, Numbers, Shared};
use super::outlet::Outlet;
use super::pace::Pacer;
use super::plain::PlainClient;
use super::slots::{Slots, after};
use super::{Load, Told, What, cpu};
use crate::clock::{Clock, Stamp};
use crate::race::Stop;
use crate::target::{Persistent, Route};
use crate::traffic::{Arrivals, Part, Shape};

/// How often a thread looks whether it is late.
const HEARTBEAT: Duration = Duration::from_millis(10);
/// How long requests under way are waited for once a load is stopped.
const GRACE: Duration = Duration::from_secs(1);
/// How long looking at what is left may take.
const WINDING_UP: Duration = Duration::from_secs(5);

/// What the threads of a load share.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) load: Arc<Load>,
    pub(super) route: Route,
    pub(super) clock: Clock,
    pub(super) begin: Stamp,
    pub(super) stop: Stop,
    pub(super) outlet: Outlet,
    pub(super) told: UnboundedSender<Told>,
    pub(super) hot: Arc<HotSet>,
    pub(super) joint: Option<Arc<JointSet>>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) budget: Option<Arc<AtomicU64>>,
    /// Threads whose clients still take turns.
    pub(super) at_work: Arc<AtomicU32>,
}

/// Runs a thread's clients to their end.
pub(super) fn work(common: Common, thread: u32) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, clients(common, thread))
}

/// A client's life: all it does until there are no more turns, and what it does then.
enum Worker {
    Judged(Box<Client>),
    Plain(PlainClient),
}

impl Worker {
    async fn run(mut self) -> Self {
        match &mut self {
            Self::Judged(client) => client.run().await,
            Self::Plain(client) => client.run().await,
        }
        self
    }

    const fn achieved(&self) -> u64 {
        match self {
            Self::Judged(client) => client.achieved(),
            Self::Plain(client) => client.achieved,
        }
    }
}

async fn clients(common: Common, thread: u32) -> io::Result<()> {
    let pacer = Pacer::new(common.clock)?;
    let driven = Rc::clone(&pacer);
    spawn_local(async move { driven.drive().await });
    let shared = Rc::new(Sharing::new(&common, thread, pacer));
    let mut workers: Vec<Worker> = shared.workers(&common, thread);
    let slots = shared.slots();
    connect(&mut workers, &common).await;
    if let (Some(joint), Some(Worker::Judged(client))) = (&common.joint, workers.first_mut()) {
        slots.closing.set(true); // a look is no part of what is measured
        client.look_first(joint).await;
        slots.closing.set(false);
    }
    tokio::select! {
        () = slots.pacer.until(common.begin) => {}
        () = common.stop.asked() => {}
    }
    let _heart = spawn_local(beat(Rc::clone(&shared)));
    let book = spawn_local(keep_book(Rc::clone(&shared), common.told.clone()));
    let tasks: Vec<JoinHandle<Worker>> = workers.into_iter().map(|worker| spawn_local(worker.run())).collect();
    let mut done = join(tasks, &common).await;
    slots.give_up_the_rest();
    slots.closing.set(true);
    book.abort();
    hand_out(slots, &common.told);
    let achieved = done.iter().map(Worker::achieved).collect();
    // Whoever listened has gone only if the whole load was given up.
    let _ = common.told.send(Told::Ended { at: slots.clock.now(), achieved });
    // Clients of other threads may still be at what all act on: it is looked at when nobody is, by the last one.
    let is_last = common.at_work.fetch_sub(1, Ordering::AcqRel) == 1;
    // Looking at what is left may meet a target that hangs; then it is left.
    let winding_up = async {
        for worker in &mut done {
            if let Worker::Judged(client) = worker {
                client.wind_up(is_last).await;
            }
        }
        let Some(joint) = &common.joint else { return };
        // Other processes end when this one does, or a little later: what is read after all are done tells most.
        slots.pacer.until(after(slots.clock.now(), QUIET)).await;
        if let Some(Worker::Judged(client)) = done.first_mut() {
            client.wind_up_joint(joint).await;
        }
    };
    let limit = if common.stop.is_asked() { GRACE } else { WINDING_UP };
    let _ = tokio::time::timeout(limit.min(common.load.timeout), winding_up).await;
    Ok(())
}

/// Opens connections before the load begins, so that none is part of a request's time. Who finds none will try again.
async fn connect(workers: &mut [Worker], common: &Common) {
    let before_the_beginning = common.begin.since(common.clock.now());
    let connecting = async {
        for worker in workers {
            // What is wrong shows in the first request.
            let _ = match worker {
                Worker::Judged(client) => client.connect().await,
                Worker::Plain(client) => client.line.connect().await,
            };
        }
    };
    let _ = tokio::time::timeout(before_the_beginning, connecting).await;
}

/// Waits for all clients; once the load is stopped, only for so long.
async fn join(tasks: Vec<JoinHandle<Worker>>, common: &Common) -> Vec<Worker> {
    let mut done = Vec::with_capacity(tasks.len());
    let patience = async {
        common.stop.asked().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::pin!(patience);
    let mut is_patient = true;
    for mut task in tasks {
        if is_patient {
            tokio::select! {
                biased;
                worker = &mut task => {
                    done.extend(worker);
                    continue;
                }
                () = &mut patience => is_patient = false,
            }
        }
        // What it was waiting for may have taken effect, and is recorded so as it is dropped.
        task.abort();
        done.extend(task.await);
    }
    done
}

/// What the clients of this thread share.
enum Sharing {
    Judged(Rc<Shared>),
    Plain(Rc<Slots>),
}

impl Sharing {
    fn new(common: &Common, thread: u32, pacer: Rc<Pacer>) -> Self {
        let load = &common.load;
        let part = load.part.split(Part { index: thread, of: load.threads });
        let arrivals = match &load.shape {
            Shape::Closed => None,
            Shape::Open { stages, arrivals } => {
                let dice = load.seed.child(&format!("arrivals {}", part.index)).dice();
                Some(Arrivals::new(stages, *arrivals, part, dice))
            }
        };
        let slots = Slots {
            thread,
            clock: common.clock,
            pacer,
            stop: common.stop.clone(),
            begin: common.begin,
            measured_from: after(common.begin, load.warm_up),
            end: load.duration.map(|duration| after(common.begin, duration)),
            budget: common.budget.clone(),
            arrivals: RefCell::new(arrivals),
            patience: load.timeout,
            interval: RefCell::default(),
            closing: Cell::new(false),
        };
        match &load.what {
            What::Traffic(plan) => Self::Judged(Rc::new(Shared {
                plan: Arc::clone(plan),
                slots,
                hot: Arc::clone(&common.hot),
                joint: common.joint.clone(),
                numbers: Arc::clone(&common.numbers),
                outlet: common.outlet.clone(),
                people: load.nonce.child("people"),
            })),
            What::Plain(_) => Self::Plain(Rc::new(slots)),
        }
    }

    fn slots(&self) -> &Slots {
        match self {
            Self::Judged(shared) => &shared.slots,
            Self::Plain(slots) => slots,
        }
    }

    /// The clients of this thread: every so many-th of all.
    fn workers(&self, common: &Common, thread: u32) -> Vec<Worker> {
        let load = &common.load;
        let own = (thread..load.clients).step_by(load.threads as usize);
        own.map(|index| {
            let route = common.route.clone();
            match (self, &load.what) {
                (Self::Judged(shared), _) => {
                    let number = index * load.part.of + load.part.index + 1;
                    let label = format!("client {number}");
                    Worker::Judged(Box::new(Client::new(
                        Mind {
                            shared: Rc::clone(shared),
                            number,
                            whims: load.seed.child(&label).dice(),
                            nonce: load.nonce.child(&label).dice(),
                        },
                        route,
                    )))
                }
                (Self::Plain(slots), What::Plain(request)) => Worker::Plain(PlainClient {
                    slots: Rc::clone(slots),
                    line: Persistent::new(route),
                    request: Arc::clone(request),
                    achieved: 0,
                }),
                (Self::Plain(_), What::Traffic(_)) => unreachable!("made of the same load"),
            }
        })
        .collect()
    }
}

/// Looks again and again whether the thread is late: whatever it does then, clients wait for it.
async fn beat(shared: Rc<Sharing>) {
    let slots = shared.slots();
    loop {
        let next = after(slots.clock.now(), HEARTBEAT);
        slots.pacer.until(next).await;
        let late = slots.clock.now().since(next);
        slots.interval.borrow_mut().lag.record(late);
    }
}

/// Hands out what was measured, once a second.
async fn keep_book(shared: Rc<Sharing>, told: UnboundedSender<Told>) {
    let slots = shared.slots();
    for second in 1.. {
        slots.pacer.until(after(slots.begin, Duration::from_secs(second))).await;
        hand_out(slots, &told);
    }
}

fn hand_out(slots: &Slots, told: &UnboundedSender<Told>) {
    let mut interval = slots.interval.take();
    interval.cpu = cpu::time_of_this_thread();
    interval.until = slots.clock.now();
    interval.thread = slots.thread;
    // Whoever listened has gone only if the whole load was given up.
    let _ = told.send(Told::Interval(Box::new(interval)));
}
