//! From the clients to the judge: the history of one resource after the other, each when nobody acts on it any more, through a
//! queue of bounded size. What does not fit in is written to a file and judged later: nothing is left out.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::history::Operation;
use crate::ids::{OpId, RoundId};

/// How many operations wait for the judge in memory (some 500 bytes each).
const MOST_WAITING: usize = 100_000;

/// All that was asked of one resource.
#[derive(Debug)]
pub struct Settled {
    /// Which one.
    pub round: RoundId,
    /// What was asked, in order of opening.
    pub operations: Vec<Operation>,
    /// How many of these were measured and did what they asked for.
    pub achieved: u32,
}

/// Where clients put what they are done with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outlet {
    sender: mpsc::Sender<Settled>,
    waiting: Arc<AtomicUsize>,
    spill: Arc<Mutex<Spill>>,
}

/// Where the judge takes it.
#[derive(Debug)]
pub struct Inlet {
    receiver: mpsc::Receiver<Settled>,
    waiting: Arc<AtomicUsize>,
    spill: Arc<Mutex<Spill>>,
}

/// What did not fit in.
#[derive(Debug)]
struct Spill {
    file: BufWriter<File>,
    operations: u64,
    /// What could not be written: then it was not judged, and the run says so.
    lost: Option<io::Error>,
}

/// A queue that spills into a file of `folder` that has no name.
///
/// # Errors
/// If no file can be made there.
pub fn queue(folder: &Path) -> io::Result<(Outlet, Inlet)> {
    let (sender, receiver) = mpsc::channel();
    let spill = Spill { file: BufWriter::new(tempfile::tempfile_in(folder)?), operations: 0, lost: None };
    let (waiting, spill) = (Arc::default(), Arc::new(Mutex::new(spill)));
    let outlet = Outlet { sender, waiting: Arc::clone(&waiting), spill: Arc::clone(&spill) };
    Ok((outlet, Inlet { receiver, waiting, spill }))
}

impl Outlet {
    /// Hands over what was asked of a resource.
    pub(super) fn settle(&self, round: RoundId, mut operations: Vec<Operation>, achieved: u32) {
        operations.sort_by_key(|operation| (operation.window.opened, operation.client));
        for (index, operation) in operations.iter_mut().enumerate() {
            operation.id = OpId(u32::try_from(index).expect("a resource has fewer than 2^32 operations"));
        }
        if self.waiting.load(Ordering::Relaxed) + operations.len() > MOST_WAITING {
            self.spill.lock().expect("no code panics while it holds this lock").write(&operations, achieved);
            return;
        }
        self.waiting.fetch_add(operations.len(), Ordering::Relaxed);
        // Nobody listens only once the load was given up altogether.
        let _ = self.sender.send(Settled { round, operations, achieved });
    }
}

impl Spill {
    fn write(&mut self, operations: &[Operation], achieved: u32) {
        for operation in operations {
            let line = serde_json::to_writer(&mut self.file, &(achieved, operation)).map_err(io::Error::from);
            if let Err(error) = line.and_then(|()| self.file.write_all(b"\n")) {
                self.lost.get_or_insert(error);
            }
        }
        self.operations += operations.len() as u64;
    }
}

impl Inlet {
    /// Waits for the next resource's history. `None` when all outlets are gone.
    pub fn next(&self) -> Option<Settled> {
        let settled = self.receiver.recv().ok()?;
        self.waiting.fetch_sub(settled.operations.len(), Ordering::Relaxed);
        Some(settled)
    }

    /// How many operations were written to the file.
    pub fn spilled(&self) -> u64 {
        self.spill.lock().expect("no code panics while it holds this lock").operations
    }

    /// Reads what did not fit in, resource by resource, once all outlets are gone.
    ///
    /// # Errors
    /// If it could not all be written, or cannot be read.
    pub fn drain(self, mut judge: impl FnMut(Settled)) -> io::Result<()> {
        let mut spill = self.spill.lock().expect("no code panics while it holds this lock");
        if let Some(error) = spill.lost.take() {
            return Err(error);
        }
        spill.file.flush()?;
        let mut file = spill.file.get_ref().try_clone()?;
        file.rewind()?;
        let lines = serde_json::Deserializer::from_reader(io::BufReader::new(file)).into_iter::<(u32, Operation)>();
        let mut settled: Option<Settled> = None;
        for line in lines {
            let (achieved, operation) = line.map_err(io::Error::from)?;
            match &mut settled {
                // Those of one resource were written one after the other, from 0.
                Some(one) if one.round == operation.round && operation.id.0 > 0 => one.operations.push(operation),
                _ => {
                    let next = Settled { round: operation.round, operations: vec![operation], achieved };
                    settled.replace(next).into_iter().for_each(&mut judge);
                }
            }
        }
        settled.into_iter().for_each(judge);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stamp;
    use crate::history::{Actor, Call, Cause, Outcome, Phase, Precondition, Verb, Window};
    use crate::ids::ClientId;

    fn operation(round: RoundId, opened: u64) -> Operation {
        let at = Stamp::from_nanos(opened);
        Operation {
            id: OpId::default(),
            client: ClientId(1),
            round,
            phase: Phase::Contend,
            call: Call {
                verb: Verb::Read,
                actor: Actor { role: "customer".into(), person: 1 },
                principal: None,
                request: "GET /orders/1".into(),
                precondition: Precondition::Absent,
                key: None,
                payload: None,
                value: None,
            },
            window: Window { opened: at, released: None, closed: at },
            outcome: Outcome::Unknown(Cause::Abandoned),
        }
    }

    #[test]
    fn what_does_not_fit_in_is_judged_later_and_nothing_is_left_out() {
        let (outlet, inlet) = queue(Path::new(".")).unwrap();
        let rounds = 60;
        for number in 1..=rounds {
            let round = RoundId::Raced(number);
            // Out of order, as concurrent clients leave them.
            outlet.settle(round, (0..5_000).rev().map(|opened| operation(round, opened)).collect(), number);
        }
        drop(outlet);
        let mut seen = Vec::new();
        let mut note = |settled: Settled| {
            assert_eq!((settled.operations.len(), settled.achieved), (5_000, settled.round.number()));
            assert!(settled.operations.iter().zip(0_u32..).all(|(operation, id)| operation.id == OpId(id)));
            assert!(settled.operations.is_sorted_by_key(|operation| operation.window.opened));
            seen.push(settled.round.number());
        };
        while let Some(settled) = inlet.next() {
            note(settled);
        }
        assert_eq!(inlet.spilled(), 40 * 5_000);
        inlet.drain(note).unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (1..=rounds).collect::<Vec<_>>());
    }
}
