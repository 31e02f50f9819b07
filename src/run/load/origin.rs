//! When this process's clock read zero, by the clocks that others can read: taken as it starts, and looked at again in the end.

use crate::clock::{Clock, Stamp};
use crate::history::Digest;
use crate::load_result::{ClockInfo, MachineInfo};
use crate::seed::Seed;

/// Two clocks are read side by side so often, and the closest reading counts: the system may do something else in between.
const READINGS: usize = 32;

/// When a clock read zero.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    wall: Zero,
    machine: Option<MachineInfo>,
}

/// When a clock read zero, by another clock.
#[derive(Debug, Clone, Copy)]
struct Zero {
    nanos: i128,
    /// How far that may be off.
    within: u64,
}

impl Origin {
    /// Of this clock. `seed` makes the machine's name mean nothing elsewhere.
    pub(super) fn of(clock: Clock, seed: Seed) -> Self {
        Self { wall: wall_zero(clock), machine: machine(clock, seed) }
    }

    /// What is told of it, now that the load which began at `begin` is over.
    pub(super) fn at_the_end(self, clock: Clock, begin: Stamp) -> ClockInfo {
        let parted = (wall_zero(clock).nanos - self.wall.nanos).unsigned_abs();
        ClockInfo {
            zero: jiff::Timestamp::from_nanosecond(self.wall.nanos).unwrap_or_default(),
            within_ns: self.wall.within,
            parted_ns: u64::try_from(parted).unwrap_or(u64::MAX / 8),
            begin_ns: begin.nanos(),
            machine: self.machine,
        }
    }
}

fn wall_zero(clock: Clock) -> Zero {
    zero(clock, || jiff::Timestamp::now().as_nanosecond())
}

/// When `clock` read zero by another clock, which is read between two readings of it: somewhere between them the other read what it did.
fn zero(clock: Clock, other: impl Fn() -> i128) -> Zero {
    let reading = || {
        let (before, there, after) = (clock.now().nanos(), other(), clock.now().nanos());
        let apart = after - before;
        Zero { nanos: there - i128::from(before + apart / 2), within: apart / 2 + 1 }
    };
    let closest = (0..READINGS).map(|_| reading()).min_by_key(|reading| reading.within);
    closest.expect("there are some readings")
}

/// The clock that counts since this machine was started, and which start that was. Containers of one machine have it in common, unless they
/// are given a time of their own: the name of that is part of the machine's.
#[cfg(target_os = "linux")]
fn machine(clock: Clock, seed: Seed) -> Option<MachineInfo> {
    let started = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let time = std::fs::read_link("/proc/self/ns/time").map(|name| name.display().to_string()).unwrap_or_default();
    let read = || {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
    };
    let Zero { nanos, within } = zero(clock, read);
    let id = Digest::of(format!("{} {time} {seed}", started.trim()).as_bytes());
    Some(MachineInfo { id: format!("{:016x}", id.0), zero_ns: u64::try_from(nanos).ok()?, within_ns: within })
}

#[cfg(not(target_os = "linux"))]
const fn machine(_: Clock, _: Seed) -> Option<MachineInfo> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::load_result::Alignment;

    #[test]
    fn two_clocks_of_one_machine_are_placed_on_one() {
        let (first, second) = (Clock::start(), Clock::start());
        let told = |clock| Origin::of(clock, Seed::new(7)).at_the_end(clock, Stamp::from_nanos(0));
        let alignment = Alignment::of(&[&told(first), &told(second)], None).unwrap();
        assert!(alignment.one_machine());
        // What is read one after the other, on either clock, is placed so, but for what is not known.
        for _ in 0..100 {
            let readings = [(0, first.now()), (1, second.now()), (0, first.now())];
            let [one, two, three] = readings.map(|(shard, stamp)| alignment.at(shard, stamp));
            let unsure = 2 * alignment.widest();
            assert!(one.since(two) <= unsure && two.since(three) <= unsure, "{one:?} {two:?} {three:?}");
        }
    }
}
