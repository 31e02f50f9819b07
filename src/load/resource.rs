//! A resource of a load, and the record of all that was asked of it: handed to the judge when nobody holds it any more.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::outlet::Outlet;
use crate::clock::Stamp;
use crate::history::{Actor, Call, Cause, Operation, Outcome, Phase, Window};
use crate::ids::{ClientId, OpId, RoundId};
use crate::seed::{Dice, Seed};

/// How many people there are in each role who make resources of their own. (A server keeps something of each that it met.)
const POPULATION: u32 = 1_000;

/// A resource and what was asked of it.
#[derive(Debug)]
pub(super) struct Resource {
    round: RoundId,
    /// Known when it was made.
    id: OnceLock<Arc<str>>,
    people: Seed,
    /// The one key of all who share, and the unique word in what they send.
    pub(super) shared_key: Arc<str>,
    pub(super) shared_word: Arc<str>,
    record: Mutex<Vec<Operation>>,
    /// Requests that were measured and did what they asked for.
    achieved: AtomicU32,
    /// Requests under way for it.
    abreast: AtomicUsize,
    /// Clients that are at it, where there may be several.
    pub(super) visitors: AtomicUsize,
    /// Whether nobody else is to come.
    pub(super) is_retired: AtomicBool,
    /// The first version token that anybody was shown.
    pub(super) first_token: OnceLock<Arc<str>>,
    outlet: Outlet,
}

/// A request under way: its place in the record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    index: usize,
    /// How many requests are under way for the resource, this one included.
    pub(super) abreast: usize,
}

impl Resource {
    pub(super) fn new(round: RoundId, people: Seed, dice: &mut Dice, outlet: Outlet) -> Self {
        Self {
            round,
            id: OnceLock::new(),
            people,
            shared_key: dice.uuid().to_string().into(),
            shared_word: dice.uuid().to_string().into(),
            record: Mutex::default(),
            achieved: AtomicU32::new(0),
            abreast: AtomicUsize::new(0),
            visitors: AtomicUsize::new(0),
            is_retired: AtomicBool::new(false),
            first_token: OnceLock::new(),
            outlet,
        }
    }

    pub(super) const fn round(&self) -> RoundId {
        self.round
    }

    /// Its id; empty before it is made.
    pub(super) fn id(&self) -> &str {
        self.id.get().map_or("", |id| &**id)
    }

    /// Notes its id, once.
    pub(super) fn is_called(&self, id: Arc<str>) {
        // The first answer that tells one decides.
        let _ = self.id.set(id);
    }

    /// What `actor` is called. Whoever made it is one of a population, and others are known by their number: so no two of them
    /// are one.
    pub(super) fn name(&self, actor: &Actor) -> String {
        name(self.people, actor, self.round.number())
    }

    /// Notes that a request begins now, before its first byte can leave.
    pub(super) fn begin(&self, call: Call, phase: Phase, client: ClientId, opened: Stamp) -> Begun {
        let abreast = self.abreast.fetch_add(1, Ordering::Relaxed) + 1;
        let mut record = self.record();
        // Whoever goes away without a word leaves this: it may have taken effect.
        record.push(Operation {
            id: OpId::default(),
            client,
            round: self.round,
            phase,
            call,
            window: Window { opened, released: Some(opened), closed: opened },
            outcome: Outcome::Unknown(Cause::Abandoned),
        });
        Begun { index: record.len() - 1, abreast }
    }

    /// Notes what came of it.
    pub(super) fn end(&self, begun: Begun, closed: Stamp, outcome: Outcome) {
        self.abreast.fetch_sub(1, Ordering::Relaxed);
        let operation = &mut self.record()[begun.index];
        operation.window.closed = closed.max(operation.window.opened);
        operation.outcome = outcome;
    }

    /// Notes that a request that was measured did what it asked for.
    pub(super) fn note_achieved(&self) {
        self.achieved.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests were recorded.
    pub(super) fn len(&self) -> usize {
        self.record().len()
    }

    fn record(&self) -> MutexGuard<'_, Vec<Operation>> {
        self.record.lock().expect("no code panics while it holds this lock")
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        let operations = std::mem::take(&mut *self.record());
        if !operations.is_empty() {
            self.outlet.settle(self.round, operations, *self.achieved.get_mut());
        }
    }
}

/// What `actor` is called in dealing with the resource of this number.
pub(super) fn name(people: Seed, actor: &Actor, number: u32) -> String {
    let label = match actor.person {
        1 => format!("{} {} of all", actor.role, number % POPULATION),
        person => format!("{} beside {person}", actor.role),
    };
    people.child(&label).dice().uuid().to_string()
}
