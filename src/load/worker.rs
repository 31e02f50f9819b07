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

    /// How many of its requests did what they asked for, as it counts them.
    fn achieved(&self) -> Rc<Cell<u64>> {
        match self {
            Self::Judged(client) => client.achieved(),
            Self::Plain(client) => Rc::clone(&client.achieved),
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
    let achieved: Vec<Rc<Cell<u64>>> = workers.iter().map(Worker::achieved).collect();
    let tasks: Vec<JoinHandle<Worker>> = workers.into_iter().map(|worker| spawn_local(worker.run())).collect();
    let (done, is_broken) = join(tasks, &common).await;
    slots.give_up_the_rest();
    slots.closing.set(true);
    book.abort();
    hand_out(slots, &common.told);
    let achieved = achieved.iter().map(|count| count.get()).collect();
    // Whoever listened has gone only if the whole load was given up.
    let _ = common.told.send(Told::Ended { at: slots.clock.now(), achieved });
    // Clients of other threads may still be at what all act on: it is looked at when nobody is, by the last one.
    let is_last = common.at_work.fetch_sub(1, Ordering::AcqRel) == 1;
    let is_read = wind_up(done, is_last, slots, &common).await;
    match (is_broken, is_read || common.stop.is_asked()) {
        (true, _) => Err(io::Error::other("a client panicked")),
        (false, true) => Ok(()),
        (false, false) => {
            let why = "what all act on could not be read in the end: it took too long to answer";
            Err(io::Error::new(io::ErrorKind::TimedOut, why))
        }
    }
}

/// Looks at what is left. A target that hangs is not waited for: then it is left. Whether all that other processes act on, too, was read.
async fn wind_up(mut done: Vec<Worker>, is_last: bool, slots: &Slots, common: &Common) -> bool {
    let limit = if common.stop.is_asked() { GRACE } else { WINDING_UP };
    let mut is_read = true;
    if let (Some(joint), Some(Worker::Judged(client))) = (&common.joint, done.first_mut()) {
        // Other processes end when this one does, or a little later: what is read after all are done tells most.
        slots.pacer.until(after(slots.clock.now(), QUIET)).await;
        is_read = tokio::time::timeout(limit, client.wind_up_joint(joint)).await.is_ok();
    }
    let looks = done.into_iter().filter_map(|worker| match worker {
        Worker::Judged(mut client) => Some(spawn_local(async move { client.wind_up(is_last).await })),
        Worker::Plain(_) => None,
    });
    let mut looks: Vec<JoinHandle<()>> = looks.collect();
    let all = async {
        for look in &mut looks {
            // A look that ended in a panic has shown less than it might have: what it saw is judged.
            let _ = look.await;
        }
    };
    let _ = tokio::time::timeout(limit, all).await;
    looks.iter().for_each(JoinHandle::abort);
    is_read
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

/// Waits for all clients; once the load is stopped, only for so long. Whether one of them panicked, too.
async fn join(tasks: Vec<JoinHandle<Worker>>, common: &Common) -> (Vec<Worker>, bool) {
    let mut done = Vec::with_capacity(tasks.len());
    let mut is_broken = false;
    let patience = async {
        common.stop.asked().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::pin!(patience);
    let mut is_patient = true;
    for mut task in tasks {
        let ended = if is_patient {
            tokio::select! {
                biased;
                ended = &mut task => Some(ended),
                () = &mut patience => {
                    is_patient = false;
                    None
                }
            }
        } else {
            None
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            // What it was waiting for may have taken effect, and is recorded so as it is dropped.
            task.abort();
            task.await
        };
        is_broken |= ended.as_ref().is_err_and(tokio::task::JoinError::is_panic);
        done.extend(ended);
    }
    (done, is_broken)
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
                    achieved: Rc::default(),
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
