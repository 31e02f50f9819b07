//! One clock for the stamps of several processes.
//!
//! A stamp counts from when its own process's clock read zero. So each process notes when that was: by the wall clock, and, where the
//! system has one, by the clock that all processes of its machine have in common.
//!
//! ```text
//! shard 1   0----|op|----------------        zero at 12:00:00.000 000 100
//! shard 2        0------|op|---------        zero at 12:00:00.250 000 000
//! merged    0----|op|----------------
//!           .....0----|·|op|·|-------        · by so much each window is widened that is placed among others
//! ```
//!
//! **What `--clock-error` *e* means**: no machine's clock was further than *e* from the true time while the load ran. Then the true moment
//! of a stamp lies within *e* of where the wall clock places it, so the window from *e* earlier to *e* later has all of the true one in
//! it: it is widened, never narrowed, and whatever is proved of widened windows is true (an order of operations that fits the true
//! windows fits wider ones too). Two clocks may then be 2·*e* apart, and two operations are known to follow each other if by their stamps
//! more than 2·*e* lies between them. Who takes *e* for the most that two clocks are apart is on the safe side.
//!
//! What is measured is added to *e*: how long reading the two clocks took, and by how much the wall clock and the process's own had parted
//! when the load was over (a clock that was set, or runs at another speed).

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Stamp;
use crate::history::Operation;

/// Processes of one machine agree on how far its common clock and its wall clock are apart, unless that was set meanwhile. Two machines
/// that take themselves for one (copies of one that was asleep) do not.
const MOST_APART_NS: i128 = 50_000_000;

/// When a process's clock read zero, and what else places its stamps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockInfo {
    /// The wall time when it read zero: RFC 3339, UTC.
    #[serde(with = "moment")]
    #[schemars(with = "String")]
    pub zero: jiff::Timestamp,
    /// How far that may be off, as the two clocks are not read at once: in nanoseconds.
    pub within_ns: u64,
    /// By how much the two had parted when the load was over: in nanoseconds.
    pub parted_ns: u64,
    /// What it read when the load began: in nanoseconds.
    pub begin_ns: u64,
    /// The clock that all processes of this machine have in common; null where the system does not tell.
    pub machine: Option<MachineInfo>,
}

/// The clock of a machine since it started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineInfo {
    /// Which machine, and which start of it: a digest that means nothing elsewhere.
    pub id: String,
    /// What its clock read when the process's read zero: in nanoseconds.
    pub zero_ns: u64,
    /// How far that may be off: in nanoseconds.
    pub within_ns: u64,
}

/// A moment as text.
mod moment {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(moment: &jiff::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(moment)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<jiff::Timestamp, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Stamps that cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unaligned {
    /// Nothing tells how far the clocks are apart.
    #[error("the shards ran on several machines, and nothing tells how far their clocks were apart")]
    SeveralMachines,
}

/// How the stamps of several processes are placed on one clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alignment {
    places: Vec<Place>,
    one_machine: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// What is added to a stamp, in nanoseconds.
    shift: u64,
    /// How far a stamp may be off then.
    error: u64,
}

impl Alignment {
    /// Of these processes. `error`: how far each machine's clock may have been from the true time; it need not be said where all were on one
    /// machine.
    ///
    /// # Errors
    /// If it must be said and is not.
    pub fn of(clocks: &[&ClockInfo], error: Option<Duration>) -> Result<Self, Unaligned> {
        let said = error.map_or(0, |error| u64::try_from(error.as_nanos()).unwrap_or(u64::MAX / 8));
        let common = one_machine(clocks);
        let zeros: Vec<(i128, u64)> = match &common {
            Some(machines) => machines.iter().map(|one| (i128::from(one.zero_ns), said + one.within_ns)).collect(),
            None if error.is_none() && clocks.len() > 1 => return Err(Unaligned::SeveralMachines),
            None => {
                let doubt = |clock: &ClockInfo| said.saturating_add(clock.within_ns).saturating_add(clock.parted_ns);
                clocks.iter().map(|clock| (clock.zero.as_nanosecond(), doubt(clock))).collect()
            }
        };
        let first = zeros.iter().map(|(zero, _)| *zero).min().unwrap_or(0);
        // Room before the first stamp, so that no window is cut off at zero.
        let room = zeros.iter().map(|(_, error)| *error).max().unwrap_or(0);
        let shift = |zero: i128| u64::try_from(zero - first).unwrap_or(u64::MAX / 8).saturating_add(room);
        let places = zeros.into_iter().map(|(zero, error)| Place { shift: shift(zero), error }).collect();
        Ok(Self { places, one_machine: common.is_some() })
    }

    /// Whether all were on one machine.
    pub const fn one_machine(&self) -> bool {
        self.one_machine
    }

    /// By how much a window is widened to each side, at most.
    pub fn widest(&self) -> Duration {
        Duration::from_nanos(self.places.iter().map(|place| place.error).max().unwrap_or(0))
    }

    /// Where a stamp of a process lies, as well as is known.
    pub fn at(&self, shard: usize, stamp: Stamp) -> Stamp {
        Stamp::from_nanos(stamp.nanos().saturating_add(self.places[shard].shift))
    }

    /// Places an operation of a process among those of others, in a window that has the true one in it. The release goes with the end of the
    /// window, so that latency stays what it was, and who overlapped with whom is told as the clocks have it.
    pub fn place(&self, shard: usize, operation: &mut Operation) {
        let Place { shift, error } = self.places[shard];
        let later = |stamp: Stamp, by: u64| Stamp::from_nanos(stamp.nanos().saturating_add(shift).saturating_add(by));
        let window = &mut operation.window;
        window.opened = Stamp::from_nanos(later(window.opened, 0).nanos().saturating_sub(error));
        window.released = window.released.map(|released| later(released, error));
        window.closed = later(window.closed, error);
    }

    /// Places an operation on a resource that nobody but its process acted on: its stamps are of one clock, and stay as far apart as they are.
    pub fn shift(&self, shard: usize, operation: &mut Operation) {
        let window = &mut operation.window;
        window.opened = self.at(shard, window.opened);
        window.released = window.released.map(|released| self.at(shard, released));
        window.closed = self.at(shard, window.closed);
    }
}

/// The common clock of all, if it is one.
fn one_machine<'a>(clocks: &[&'a ClockInfo]) -> Option<Vec<&'a MachineInfo>> {
    let machines: Vec<&MachineInfo> = clocks.iter().map(|clock| clock.machine.as_ref()).collect::<Option<_>>()?;
    let apart =
        |(clock, machine): (&&ClockInfo, &&MachineInfo)| clock.zero.as_nanosecond() - i128::from(machine.zero_ns);
    let offsets: Vec<i128> = clocks.iter().zip(&machines).map(apart).collect();
    let spread = offsets.iter().max()? - offsets.iter().min()?;
    let is_one = machines.iter().all(|machine| machine.id == machines[0].id) && spread <= MOST_APART_NS;
    is_one.then_some(machines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::builtin;
    use crate::check::{Alone, Judgment, Severity, Verdict, judge};
    use crate::history::{Actor, Call, History, Meaning, Outcome, Phase, Precondition, Reply, Verb, Window};
    use crate::ids::{ClientId, OpId, RoundId};

    const MILLI: u64 = 1_000_000;

    fn clock(zero_ms: u64, machine: Option<(&str, u64)>) -> ClockInfo {
        ClockInfo {
            zero: jiff::Timestamp::from_nanosecond(i128::from(zero_ms * MILLI)).unwrap(),
            within_ns: 0,
            parted_ns: 0,
            begin_ns: 0,
            machine: machine.map(|(id, ms)| MachineInfo { id: id.to_owned(), zero_ns: ms * MILLI, within_ns: 100 }),
        }
    }

    /// What a client of `shard` did, from one microsecond to another of its own clock.
    fn did(shard: u32, (opened, closed): (u64, u64), verb: Verb, value: Option<&str>, outcome: Outcome) -> Operation {
        let stamp = |micros: u64| Stamp::from_nanos(micros * 1_000);
        Operation {
            id: OpId::default(),
            client: ClientId(shard),
            round: RoundId::Raced(3),
            phase: Phase::Contend,
            call: Call {
                verb,
                actor: Actor { role: "client".into(), person: shard },
                principal: None,
                request: "PUT /bench/object-1".into(),
                precondition: Precondition::Absent,
                key: None,
                payload: None,
                value: value.map(Into::into),
            },
            window: Window { opened: stamp(opened), released: Some(stamp(opened)), closed: stamp(closed) },
            outcome,
        }
    }

    fn answered(state: Option<&str>) -> Outcome {
        let mut reply = Reply::new(200, Meaning::Applied);
        reply.state = state.map(Into::into);
        Outcome::Answered(reply)
    }

    fn judged(alignment: &Alignment, shards: [Vec<Operation>; 2]) -> Judgment {
        let mut all: Vec<Operation> = Vec::new();
        for (shard, operations) in shards.into_iter().enumerate() {
            all.extend(operations.into_iter().map(|mut operation| {
                alignment.place(shard, &mut operation);
                operation
            }));
        }
        all.sort_by_key(|operation| operation.window.opened);
        for (operation, id) in all.iter_mut().zip(0..) {
            operation.id = OpId(id);
        }
        judge(&History::seal(all), &builtin::api("objects").unwrap().model, Alone::Either)
    }

    #[test]
    fn stamps_that_are_a_millisecond_off_prove_nothing_within_the_clock_error() {
        // True time:  shard 1 writes `a` from 10.0 to 10.3 ms, and shard 2 reads it from 10.4 to 10.6 ms, and again at 20 ms.
        // Shard 2's clock is 1 ms slow, so its first read seems to be over before the write began.
        let write = did(1, (10_000, 10_300), Verb::Act("replace".into()), Some("a"), answered(None));
        let read = |at: u64| did(2, (at - 1_000, at - 800), Verb::Read, None, answered(Some("a")));
        let shards = || [vec![write.clone()], vec![read(10_400), read(20_000)]];
        let (one, other) = (clock(0, None), clock(0, None));
        let clocks = [&one, &other];
        let trusting = Alignment::of(&clocks, Some(Duration::ZERO)).unwrap();
        assert_eq!(
            judged(&trusting, shards()).verdict(Severity::Violation),
            Verdict::Violated,
            "a value from the future"
        );
        let careful = Alignment::of(&clocks, Some(Duration::from_millis(2))).unwrap();
        assert_eq!(judged(&careful, shards()).findings, []);
    }

    #[test]
    fn what_is_further_apart_than_the_clocks_still_proves_something() {
        // `a` was acknowledged by 10.3 ms, and 10 ms later nothing is there.
        let write = did(1, (10_000, 10_300), Verb::Act("replace".into()), Some("a"), answered(None));
        let read =
            |at: u64| did(2, (at, at + 200), Verb::Read, None, Outcome::Answered(Reply::new(404, Meaning::NotFound)));
        let (one, other) = (clock(0, None), clock(0, None));
        let careful = Alignment::of(&[&one, &other], Some(Duration::from_millis(2))).unwrap();
        let judgment = judged(&careful, [vec![write], vec![read(20_300), read(21_000)]]);
        assert_eq!(judgment.verdict(Severity::Violation), Verdict::Violated);
    }

    #[test]
    fn processes_of_one_machine_have_its_clock_and_several_machines_need_a_word() {
        let (one, other) = (clock(5_000, Some(("m", 1_000))), clock(5_240, Some(("m", 1_250))));
        // Their wall clock was set by 10 ms meanwhile, and they need not know.
        let alignment = Alignment::of(&[&one, &other], None).unwrap();
        assert!(alignment.one_machine());
        assert_eq!(alignment.widest(), Duration::from_nanos(100));
        let zeros = [0, 1].map(|shard| alignment.at(shard, Stamp::from_nanos(0)).nanos());
        assert_eq!(zeros[1] - zeros[0], 250 * MILLI);
        let copy = clock(9_000, Some(("m", 1_250)));
        let elsewhere = clock(5_250, Some(("n", 1_250)));
        for other in [copy, elsewhere, clock(5_250, None)] {
            assert_eq!(Alignment::of(&[&one, &other], None), Err(Unaligned::SeveralMachines));
            let alignment = Alignment::of(&[&one, &other], Some(Duration::from_millis(2))).unwrap();
            assert!(!alignment.one_machine() && alignment.widest() == Duration::from_millis(2));
        }
    }

    #[test]
    fn a_window_is_widened_by_all_that_is_not_known_and_latency_stays() {
        let unsure = ClockInfo { within_ns: 300, parted_ns: 5_000, ..clock(7, None) };
        let (sure, error) = (clock(0, None), Duration::from_micros(20));
        let alignment = Alignment::of(&[&sure, &unsure], Some(error)).unwrap();
        let mut operation = did(2, (0, 1_000), Verb::Read, None, answered(None));
        let latency = operation.latency();
        alignment.place(1, &mut operation);
        let (at, window) = (alignment.at(1, Stamp::from_nanos(0)), operation.window);
        assert_eq!(at.since(window.opened), Duration::from_nanos(25_300), "the first stamp of all is not cut off");
        assert_eq!(window.closed.since(at), Duration::from_nanos(1_025_300));
        assert_eq!(operation.latency(), latency);
    }
}
