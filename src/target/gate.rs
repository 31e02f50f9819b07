//! What holds and releases a volley.
//!
//! ```text
//! contender 1 ── parks ──┐
//! contender 2 ─── parks ─┤ gate: all here?  ── opens ──► one write each, in the order given
//! contender 3 ──── gone ─┘ (failed before it parked)
//! ```
//!
//! A [`Gate`] is armed for *n* contenders. Each gets a [`Ticket`], and either parks with it (all but the request's end
//! is sent) or is gone (the ticket is dropped). When each has done one of the two, the gate opens, once: the task
//! that opens it writes all withheld ends itself, one after the other, so that no scheduler stands between them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

/// A request whose end is withheld.
pub trait Parked: Send + Sync {
    /// Lets the end go, now.
    fn release(&self);
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

    /// Waits until every contender has parked or is gone, then releases those parked in `order` (indices of tickets).
    /// Returns how many were released.
    ///
    /// # Errors
    /// If the volley is not complete within `limit`. Nothing is released then.
    pub async fn open(mut self, order: &[usize], limit: Duration) -> Result<usize, GateTimedOut> {
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
        // Nothing but the writes happens between the first release and the last.
        let volley: Vec<&Arc<dyn Parked>> = order.iter().filter_map(|index| parked[*index].as_ref()).collect();
        for contender in &volley {
            contender.release();
        }
        Ok(volley.len())
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

    /// Writes its name when released.
    struct Noted(usize, Arc<Mutex<Vec<usize>>>);

    impl Parked for Noted {
        fn release(&self) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn volley(armed: usize) -> (Gate, Vec<Ticket>, Arc<Mutex<Vec<usize>>>) {
        let (gate, tickets) = Gate::new(armed);
        (gate, tickets, Arc::default())
    }

    #[tokio::test]
    async fn the_gate_opens_when_all_are_there_in_the_order_given() {
        let (gate, tickets, log) = volley(3);
        for (index, ticket) in tickets.into_iter().enumerate() {
            assert!(log.lock().unwrap().is_empty());
            ticket.park(Arc::new(Noted(index, Arc::clone(&log))));
        }
        assert_eq!(gate.open(&[2, 0, 1], Duration::from_secs(5)).await, Ok(3));
        assert_eq!(*log.lock().unwrap(), [2, 0, 1]);
    }

    #[tokio::test]
    async fn a_contender_that_is_gone_does_not_hold_the_others_up() {
        let (gate, mut tickets, log) = volley(2);
        drop(tickets.pop());
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        assert_eq!(gate.open(&[0, 1], Duration::from_secs(5)).await, Ok(1));
        assert_eq!(*log.lock().unwrap(), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gate_may_stay_closed_for_a_while_when_all_are_there() {
        let (gate, mut tickets, log) = volley(1);
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        let (begin, dwell) = (tokio::time::Instant::now(), Duration::from_millis(3));
        let opening = gate.dwelling(dwell).open(&[0], Duration::from_secs(5));
        tokio::pin!(opening);
        assert!(tokio::time::timeout(dwell / 2, &mut opening).await.is_err() && log.lock().unwrap().is_empty());
        assert_eq!(opening.await, Ok(1));
        assert_eq!((begin.elapsed(), log.lock().unwrap().len()), (dwell, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_volley_that_is_never_complete_is_an_error_and_releases_nobody() {
        let (gate, mut tickets, log) = volley(2);
        let missing = tickets.pop().unwrap();
        tickets.pop().unwrap().park(Arc::new(Noted(0, Arc::clone(&log))));
        let limit = Duration::from_secs(5);
        assert_eq!(gate.open(&[0, 1], limit).await, Err(GateTimedOut { armed: 2, arrived: 1, limit }));
        assert!(log.lock().unwrap().is_empty());
        drop(missing);
    }
}
