//! From a refuted history to the few operations that refute it.
//!
//! What does it mean to leave an operation out? Not to strike it: without the write of 1, a read of 1 is illegal for
//! another reason than the true one, and a witness of that read alone would tell a lie. An operation that is left out
//! becomes an *alibi*: it may have taken effect within its window, or never (one that only observes is gone). That only
//! adds legal orders, so
//!
//! - what is illegal with alibis is illegal without them, and the whole history with it: the witness proves it;
//! - leaving out more never turns legal into illegal: one pass over single operations ends in a smallest witness, of
//!   which each operation, left out, makes the rest legal.
//!
//! ```text
//! write 1 |--|  write 2 |--|  read 1 |--|     proof: `write 2` and `read 1`. Without `write 2`, or the read, all is well
//! ```
//!
//! Alibis that those legal orders need (here `write 1`) are told as the witness's *context*.

use super::alibi::{Told, WithAlibis, needed};
use super::{Answer, Budget, Entry, explore};
use crate::clock::Stamp;
use crate::spec::Spec;

/// The few operations that refute a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Operations that have no legal order, in order of opening.
    pub proves: Vec<usize>,
    /// Others that belong to the story: whether and wherever in their windows they took effect, there is no legal order.
    pub context: Vec<usize>,
    /// Whether each of them is known to be needed: not so if a budget ran out on the way.
    pub is_smallest: bool,
}

/// Shrinks `entries`, which have no legal order from `start`. Each question on the way may cost `budget`. `None` if they
/// have one, or it cannot be told within that.
pub fn shrink<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], budget: &Budget<'_>) -> Option<Witness>
where
    S::Op: Clone,
{
    let all: Vec<bool> = entries.iter().map(|entry| !entry.optional).collect();
    let mut shrinking = Shrinking { spec, start, entries, budget, until: None };
    if shrinking.ask(&all).0 != Ruling::Illegal {
        return None;
    }
    shrinking.cut();
    let mut kept: Vec<bool> = all.iter().zip(entries).map(|(kept, entry)| *kept && shrinking.is_over(entry)).collect();
    let observes = |index: usize| spec.only_observes(&entries[index].op);
    shrinking.thin_out(&mut kept, &observes);
    shrinking.thin_out(&mut kept, &|_| true);
    Some(shrinking.witness(kept))
}

struct Shrinking<'a, S: Spec> {
    spec: &'a S,
    start: &'a S::State,
    entries: &'a [Entry<S::Op>],
    budget: &'a Budget<'a>,
    /// Only what was opened until then is looked at; what was over by then may be required.
    until: Option<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ruling {
    Legal,
    Illegal,
    Doubtful,
}

impl<S: Spec> Shrinking<'_, S>
where
    S::Op: Clone,
{
    fn is_over(&self, entry: &Entry<S::Op>) -> bool {
        self.until.is_none_or(|until| entry.closed.is_some_and(|closed| closed <= until))
    }

    /// Whether the kept operations can be ordered, the others being alibis; and which of them the order needs.
    fn ask(&self, kept: &[bool]) -> (Ruling, Vec<usize>) {
        let mut numbers = vec![None; self.entries.len()];
        let mut asked: Vec<Entry<Told<S::Op>>> = Vec::new();
        let mut indices = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let is_kept = kept[index] && self.is_over(entry);
            let began = self.until.is_none_or(|until| entry.opened <= until);
            if began && (is_kept || !self.spec.only_observes(&entry.op)) {
                numbers[index] = Some(asked.len());
                indices.push(index);
                let optional = entry.optional || !self.is_over(entry);
                let op = Told { op: entry.op.clone(), is_alibi: !is_kept && !optional };
                let after = entry.after;
                asked.push(Entry { op, opened: entry.opened, closed: entry.closed, optional, after });
            }
        }
        for entry in &mut asked {
            entry.after = entry.after.and_then(|earlier| numbers[earlier]);
        }
        let spec = WithAlibis(self.spec);
        match explore(&spec, self.start, &asked, self.budget).answer {
            Answer::Legal(order) => {
                let needed = needed(self.spec, self.start, &asked, &order);
                (Ruling::Legal, needed.into_iter().map(|number| indices[number]).collect())
            }
            Answer::Illegal => (Ruling::Illegal, Vec::new()),
            Answer::GaveUp => (Ruling::Doubtful, Vec::new()),
        }
    }

    /// Finds the first moment by which it has gone wrong. A history that is illegal until some moment (what is in flight
    /// then being open) is illegal until any later one, so halving finds it.
    fn cut(&mut self) {
        let required = self.entries.iter().filter(|entry| !entry.optional);
        let mut ends: Vec<Stamp> = required.filter_map(|entry| entry.closed).collect();
        ends.sort_unstable();
        ends.dedup();
        let all: Vec<bool> = self.entries.iter().map(|entry| !entry.optional).collect();
        let (mut legal, mut illegal) = (0, ends.len());
        while legal < illegal {
            let middle = usize::midpoint(legal, illegal);
            self.until = Some(ends[middle]);
            if self.ask(&all).0 == Ruling::Illegal {
                illegal = middle;
            } else {
                legal = middle + 1;
            }
        }
        self.until = ends.get(illegal).copied();
    }

    /// Makes alibis of all that can be: many at once, then fewer, then one by one.
    fn thin_out(&self, kept: &mut [bool], may_go: &dyn Fn(usize) -> bool) {
        let left =
            |kept: &[bool]| -> Vec<usize> { (0..kept.len()).filter(|index| kept[*index] && may_go(*index)).collect() };
        let mut size = left(kept).len().next_power_of_two();
        while size >= 1 {
            for chunk in left(kept).chunks(size) {
                if self.budget.is_over.is_some_and(|is_over| is_over()) {
                    return;
                }
                mark(kept, chunk, false);
                if self.ask(kept).0 != Ruling::Illegal {
                    mark(kept, chunk, true);
                }
            }
            size /= 2;
        }
    }

    fn witness(&self, mut kept: Vec<bool>) -> Witness {
        let mut proves: Vec<usize> = (0..kept.len()).filter(|index| kept[*index]).collect();
        proves.sort_by_key(|index| (self.entries[*index].opened, *index));
        let mut context = Vec::new();
        let mut is_smallest = true;
        for index in &proves {
            kept[*index] = false;
            let (ruling, used) = self.ask(&kept);
            is_smallest &= ruling == Ruling::Legal;
            context.extend(used.into_iter().filter(|other| other != index && !proves.contains(other)));
            kept[*index] = true;
        }
        context.sort_by_key(|index| (self.entries[*index].opened, *index));
        context.dedup();
        Witness { proves, context, is_smallest }
    }
}

fn mark(kept: &mut [bool], chunk: &[usize], is_kept: bool) {
    for index in chunk {
        kept[*index] = is_kept;
    }
}
