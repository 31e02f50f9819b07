//! What holds and releases a volley.
//!
//! ```text
//! contender 1 ── parks ──┐
//! contender 2 ─── parks ─┤ gate: all here? ── dwells ── loads ──► fires: one write each, in the order given
//! contender 3 ──── gone ─┘ (failed before it parked)                      on a thread that does nothing else
//! ```
//!
//! A [`Gate`] is armed for *n* contenders. Each gets a [`Ticket`], and either parks with it (all but the request's end
//! is sent) or is gone (the ticket is dropped). When each has done one of the two, the gate opens, once. Before, all that
//! can be done beforehand is done: frames are put together, TLS records encrypted, the order drawn up. What is left is
//! a row of system calls with nothing between them: no lock, no allocation, no scheduler. That row is gone through on a
//! thread of the runtime's blocking pool, since a delay between contenders would hold up whatever shared the thread.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// How much of a delay is spun away: a thread that sleeps wakes late by some tens of microseconds.
const SPUN: Duration = Duration::from_micros(200);

/// A request whose end is withheld.
pub trait Parked: Send + Sync {
    /// Makes all that is withheld ready to be written; `spread` if contenders do not leave together.
    fn load(&self, spread: bool) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = spread;
        Box::pin(std::future::ready(()))
    }

    /// Lets the end go, now: one write, without a lock or an allocation.
    fn fire(&self);

    /// Puts things in order after all have fired: what a write did not take, and what came in the meantime.
    fn settle(&self) {}
}

/// One contender's leave, in a gate's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// Its ticket.
    pub index: usize,
    /// How long after the gate opens.
    pub delay: Duration,
}

/// Holds a volley until all of it is there.
#[derive(Debug)]
pub struct Gate {
    armed: usize,
    dwell: Duration,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

/// One contender's place in a volley.
#[derive(Debug)]
pub struct Ticket {
    index: usize,
    gate: Option<mpsc::UnboundedSender<Arrival>>,
}

struct Arrival {
    index: usize,
    parked: Option<Arc<dyn Parked>>,
}

/// The volley was not complete in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only {arrived} of {armed} contenders were ready within {limit:?}")]
pub struct GateTimedOut {
    /// How many the gate was armed for.
    pub armed: usize,
    /// How many had parked or were gone.
    pub arrived: usize,
    /// How long it waited.
    pub limit: Duration,
}

impl Gate {
    /// A gate for `armed` contenders, and their tickets.
    pub fn new(armed: usize) -> (Self, Vec<Ticket>) {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let tickets = (0..armed).map(|index| Ticket { index, gate: Some(sender.clone()) }).collect();
        (Self { armed, dwell: Duration::ZERO, arrivals }, tickets)
    }

    /// Stays closed for so long after the last contender has parked: a server that works on what it already has gets time
    /// to.
    #[must_use]
    pub const fn dwelling(mut self, dwell: Duration) -> Self {
        self.dwell = dwell;
        self
    }

    /// Waits until every contender has parked or is gone, then releases those parked, in the order of `leaves`, whose delays
    /// do not decrease. Returns how many were released.
    ///
    /// # Errors
    /// If the volley is not complete within `limit`. Nothing is released then.
    pub async fn open(mut self, leaves: &[Leave], limit: Duration) -> Result<usize, GateTimedOut> {
        let mut parked: Vec<Option<Arc<dyn Parked>>> = vec![None; self.armed];
        let mut arrived = 0;
        let assembly = async {
            while arrived < self.armed {
                let Some(arrival) = self.arrivals.recv().await else { break };
                parked[arrival.index] = arrival.parked;
                arrived += 1;
            }
        };
        if tokio::time::timeout(limit, assembly).await.is_err() {
            return Err(GateTimedOut { armed: self.armed, arrived, limit });
        }
        if !self.dwell.is_zero() {
            tokio::time::sleep(self.dwell).await;
        }
        let volley: Vec<(Duration, Arc<dyn Parked>)> =
            (leaves.iter()).filter_map(|leave| Some((leave.delay, parked[leave.index].take()?))).collect();
        let spread = leaves.iter().any(|leave| !leave.delay.is_zero());
        let loading = async {
            for (_, contender) in &volley {
                contender.load(spread).await;
            }
        };
        if tokio::time::timeout(limit, loading).await.is_err() {
            return Err(GateTimedOut { armed: self.armed, arrived, limit });
        }
        let released = volley.len();
        let firing = tokio::task::spawn_blocking(move || fire(&volley));
        firing.await.expect("nothing in a release can panic");
        Ok(released)
    }
}

/// Lets all go, each after its delay.
fn fire(volley: &[(Duration, Arc<dyn Parked>)]) {
    let begun = Instant::now();
    for (delay, contender) in volley {
        if !delay.is_zero() {
            wait_until(begun, *delay);
        }
        contender.fire();
    }
    for (_, contender) in volley {
        contender.settle();
    }
}

/// Waits until `delay` after `begun`: asleep as long as that is exact enough.
fn wait_until(begun: Instant, delay: Duration) {
    if let Some(asleep) = delay.checked_sub(begun.elapsed() + SPUN) {
        std::thread::sleep(asleep);
    }
    while begun.elapsed() < delay {
        std::hint::spin_loop();
    }
}

impl Ticket {
    /// Everything but the end is sent.
    pub fn park(mut self, contender: Arc<dyn Parked>) {
        self.arrive(Some(contender));
    }

    fn arrive(&mut self, parked: Option<Arc<dyn Parked>>) {
        if let Some(gate) = self.gate.take() {
            // A gate that is gone (timed out, interrupted) releases nobody.
            let _ = gate.send(Arrival { index: self.index, parked });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.arrive(None);
    }
}

impl std::fmt::Debug for Arrival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arrival({}, parked: {})", self.index, self.parked.is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// What happened to whom.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Step {
        Loaded(usize, bool),
        Fired(usize),
        Settled(usize),
    }

    type Log = Arc<Mutex<Vec<(Step, Instant)>>>;

    /// Writes down what happens to it.
    struct Noted(usize, Log);

    impl Noted {
        fn note(&self, step: Step) {
            self.1.lock().unwrap().push((step, Instant::now()));
        }
    }

    impl Parked for Noted {
        fn load(&self, spread: bool) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(async move { self.note(Step::Loaded(self.0, spread)) })
        }

        fn fire(&self) {
            self.note(Step::Fired(self.0));
        }

        fn settle(&self) {
            self.note(Step::Settled(self.0));
        }
    }

    fn volley(armed: usize) -> (Gate, Vec<Ticket>, Log) {
        let (gate, tickets) = Gate::new(armed);
        (gate, tickets, Arc::default())
    }

    fn at_once(order: &[usize]) -> Vec<Leave> {
        order.iter().map(|index| Leave { index: *index, delay: Duration::ZERO }).collect()
    }

    fn fired(log: &Log) -> Vec<usize> {
        let only_fired = |(step, _): &(Step, Instant)| match step {
            Step::Fired(index) => Some(*index),
            Step::Loaded(..) | Step::Settled(_) => None,
        };
        log.lock().unwrap().iter().filter_map(only_fired).collect()
    }

    #[tokio::test]
    async fn the_gate_opens_when_all_are_there_in_the_order_given() {
        let (gate, tickets, log) = volley(3);
        for (index, ticket) in tickets.into_iter().enumerate() {
            assert!(log.lock().unwrap().is_empty());
            ticket.park(Arc::new(Noted(index, Arc::clone(&log))));
        }
        assert_eq!(gate.open(&at_once(&[2, 0, 1]), LIMIT).await, Ok(3));
        let steps: Vec<Step> = log.lock().unwrap().iter().map(|(step, _)| *step).collect();
        let expected = [
            [2, 0, 1].map(|index| Step::Loaded(index, false)),
            [2, 0, 1].map(Step::Fired),
            [2, 0, 1].map(Step::Settled),
        ];
        assert_eq!(steps, expected.concat(), "all are loaded before any fires, and settle after all have fired");
    }

    #[tokio::test]
    async fn nobody_leaves_before_their_delay() {
        let (gate, tickets, log) = volley(3);
        for (index, ticket) in tickets.into_iter().enumerate() {
            ticket.park(Arc::new(Noted(index, Arc::clone(&log))));
        }
        let delays = [0, 300, 2_500].map(Duration::from_micros);
        let leaves: Vec<Leave> =
            [1, 2, 0].into_iter().zip(delays).map(|(index, delay)| Leave { index, delay }).collect();
        let begin = Instant::now();
        assert_eq!(gate.open(&leaves, LIMIT).await, Ok(3));
        assert_eq!(fired(&log), [1, 2, 0]);
        let log = log.lock().unwrap();
        assert_eq!(log[0].0, Step::Loaded(1, true));
        for ((_, at), delay) in log[3..6].iter().zip(delays) {
            assert!(at.duration_since(begin) >= delay);
        }
    }

    #[tokio::test]
    async fn a_contender_that_is_gone_does_not_hold_the_others_up() {
        let (gate, mut tickets, log) = volley(2);
        drop(tickets.pop());
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        assert_eq!(gate.open(&at_once(&[0, 1]), LIMIT).await, Ok(1));
        assert_eq!(fired(&log), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_may_stay_closed_for_a_while_when_all_are_there() {
        let (gate, mut tickets, log) = volley(1);
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        let (begin, dwell) = (tokio::time::Instant::now(), Duration::from_millis(3));
        let leaves = at_once(&[0]);
        let opening = gate.dwelling(dwell).open(&leaves, LIMIT);
        tokio::pin!(opening);
        assert!(tokio::time::timeout(dwell / 2, &mut opening).await.is_err() && log.lock().unwrap().is_empty());
        assert_eq!(opening.await, Ok(1));
        assert_eq!((begin.elapsed(), fired(&log).len()), (dwell, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_volley_that_is_never_complete_is_an_error_and_releases_nobody() {
        let (gate, mut tickets, log) = volley(2);
        let missing = tickets.pop().unwrap();
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        let timed_out = GateTimedOut { armed: 2, arrived: 1, limit: LIMIT };
        assert_eq!(gate.open(&at_once(&[0, 1]), LIMIT).await, Err(timed_out));
        assert!(log.lock().unwrap().is_empty());
        drop(missing);
    }
}
