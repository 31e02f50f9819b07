//! Writing a history while it happens: one [`Lane`] per client, no lock shared between them.
//!
//! Opening an operation returns an [`OpenOp`] that must be closed. Dropping it instead (the run was interrupted, a
//! task was cancelled) records `Unknown(abandoned)`: the request may have taken effect, and the record says so.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use super::{Call, Cause, Operation, Outcome, Phase, Window};
use crate::clock::Clock;
use crate::ids::{ClientId, OpId, RoundId};

/// Collects the operations of one round.
#[derive(Debug)]
pub struct Recorder {
    round: RoundId,
    clock: Clock,
    clients: Arc<AtomicU32>,
    lanes: mpsc::Sender<Vec<Operation>>,
    collected: mpsc::Receiver<Vec<Operation>>,
}

impl Recorder {
    /// A recorder of `round`. Client ids are drawn from `clients`, which is shared by all rounds of a run.
    pub fn new(round: RoundId, clock: Clock, clients: Arc<AtomicU32>) -> Self {
        let (lanes, collected) = mpsc::channel();
        Self { round, clock, clients, lanes, collected }
    }

    /// A lane for a client never seen before.
    pub fn lane(&self, phase: Phase) -> Lane {
        Lane {
            client: ClientId(self.clients.fetch_add(1, Ordering::Relaxed)),
            round: self.round,
            phase,
            clock: self.clock,
            operations: Vec::new(),
            done: self.lanes.clone(),
        }
    }

    /// The round's operations, numbered by opening. All lanes must be gone; those still alive are left out.
    pub fn seal(self) -> Vec<Operation> {
        drop(self.lanes);
        let mut operations: Vec<Operation> = self.collected.try_iter().flatten().collect();
        operations.sort_by_key(|operation| (operation.window.opened, operation.client));
        for (index, operation) in operations.iter_mut().enumerate() {
            operation.id = OpId(u32::try_from(index).expect("a round has fewer than 2^32 operations"));
        }
        operations
    }
}

/// One sequential client's record.
#[derive(Debug)]
pub struct Lane {
    client: ClientId,
    round: RoundId,
    phase: Phase,
    clock: Clock,
    operations: Vec<Operation>,
    done: mpsc::Sender<Vec<Operation>>,
}

impl Lane {
    /// The round that it is of.
    pub const fn round(&self) -> RoundId {
        self.round
    }

    /// What part the next operations play.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Opens `call`'s window now. Close it with what came of it.
    pub fn open(&mut self, call: Call) -> OpenOp<'_> {
        let opened = self.clock.now();
        OpenOp {
            operation: Some(Operation {
                id: OpId::default(),
                client: self.client,
                round: self.round,
                phase: self.phase,
                call,
                window: Window { opened, released: None, closed: opened },
                outcome: Outcome::Unknown(Cause::Abandoned),
            }),
            lane: self,
        }
    }

    /// The operations closed so far.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // The receiver is gone only when nobody wants the round any more.
        let _ = self.done.send(std::mem::take(&mut self.operations));
    }
}

/// An operation whose outcome is not known yet.
#[derive(Debug)]
#[must_use = "an operation that is never closed is recorded as unknown"]
pub struct OpenOp<'lane> {
    lane: &'lane mut Lane,
    operation: Option<Operation>,
}

impl OpenOp<'_> {
    /// Closes with the transport's own window: the earlier opening wins; the closing is the transport's stamp, taken after
    /// the last byte, since nothing that came later could have mattered.
    pub fn close(mut self, window: Window, outcome: Outcome) {
        self.finish(Some(window), outcome);
    }

    /// Closes the window now, with what came of it.
    pub fn close_now(mut self, outcome: Outcome) {
        self.finish(None, outcome);
    }

    fn finish(&mut self, seen: Option<Window>, outcome: Outcome) {
        let Some(mut operation) = self.operation.take() else {
            return;
        };
        operation.window.closed = self.lane.clock.now();
        if let Some(seen) = seen {
            operation.window.opened = operation.window.opened.min(seen.opened);
            operation.window.released = seen.released;
            operation.window.closed = seen.closed.max(operation.window.opened);
        }
        operation.outcome = outcome;
        self.lane.operations.push(operation);
    }
}

impl Drop for OpenOp<'_> {
    fn drop(&mut self) {
        self.finish(None, Outcome::Unknown(Cause::Abandoned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;
    use crate::history::{Actor, Precondition, Verb};

    fn call() -> Call {
        Call {
            verb: Verb::Read,
            actor: Actor { role: "customer".into(), person: 1 },
            request: "GET /orders/1".into(),
            precondition: Precondition::Absent,
            key: None,
            payload: None,
            value: None,
            principal: None,
        }
    }

    fn recorder() -> Recorder {
        Recorder::new(RoundId::Raced(1), Clock::start(), Arc::default())
    }

    #[test]
    fn an_operation_dropped_before_its_answer_may_have_taken_effect() {
        let recorder = recorder();
        let mut lane = recorder.lane(Phase::Contend);
        drop(lane.open(call()));
        drop(lane);
        let operations = recorder.seal();
        assert_eq!(operations[0].outcome, Outcome::Unknown(Cause::Abandoned));
    }

    #[test]
    fn a_window_can_be_widened_at_its_start_and_never_narrowed() {
        let recorder = recorder();
        let mut lane = recorder.lane(Phase::Contend);
        let open = lane.open(call());
        let before = open.operation.as_ref().unwrap().window.opened;
        let a_second_later = Stamp::from_nanos(before.nanos() + 1_000_000_000);
        open.close(
            Window { opened: a_second_later, released: None, closed: a_second_later },
            Outcome::Unknown(Cause::TimedOut),
        );
        assert_eq!(lane.operations()[0].window.opened, before);
        assert_eq!(lane.operations()[0].window.closed, a_second_later);
    }

    #[test]
    fn every_lane_is_another_client_and_ids_are_dense() {
        let recorder = recorder();
        for _ in 0..3 {
            let mut lane = recorder.lane(Phase::Contend);
            drop(lane.open(call()));
            drop(lane.open(call()));
        }
        let operations = recorder.seal();
        let ids: Vec<u32> = operations.iter().map(|operation| operation.id.0).collect();
        assert_eq!(ids, [0, 1, 2, 3, 4, 5]);
        let mut clients: Vec<ClientId> = operations.iter().map(|operation| operation.client).collect();
        clients.dedup();
        assert_eq!(clients.len(), 3);
    }
}
