//! How far apart the contenders of a volley arrived, by the clock of the server that they arrived at.
//!
//! ```text
//! our clock     A |─ released ────────────── closed ─|
//!               B    |─ released ──────────────── closed ─|
//! its clock     0 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄ A ┄ B                         1.3 µs apart, whenever its clock started
//! ```

use crate::history::{Operation, Outcome};

/// Nanoseconds from the first to the last arrival; none unless there are two contenders at least, each of which was held and
/// let go, and the server told of each when it arrived.
///
/// A request arrives after it was opened and before its answer is whole. If no one difference between the two clocks has every
/// arrival there, they are not by one clock (a balancer shared the volley out, a proxy answered): then nothing is told.
pub(super) fn of_arrivals(contenders: &[&Operation]) -> Option<u64> {
    if contenders.len() < 2 {
        return None;
    }
    let mut arrivals = Vec::with_capacity(contenders.len());
    // How much later than ours the server's clock started, at least and at most.
    let (mut at_least, mut at_most) = (i128::MIN, i128::MAX);
    for contender in contenders {
        let (window, Outcome::Answered(reply)) = (contender.window, &contender.outcome) else { return None };
        window.released?;
        let arrived = reply.arrived?.nanos();
        at_least = at_least.max(i128::from(window.opened.nanos()) - i128::from(arrived));
        at_most = at_most.min(i128::from(window.closed.nanos()) - i128::from(arrived));
        arrivals.push(arrived);
    }
    let (first, last) = (arrivals.iter().min()?, arrivals.iter().max()?);
    (at_least <= at_most).then(|| last - first)
}
