//! The search itself: no recursion, no copies of sets, everything done is undone in reverse.
//!
//! Six prunings, each of which keeps at least one legal order if there is any:
//!
//! *Taking observations at once.* If an operation that only observes may go next and agrees with the state as
//! it is, it is taken without trying anything else. In any legal order that has it later, moving it here changes no
//! state that another operation meets (it changes none anywhere), breaks no real-time edge (everything that had to
//! precede it has been taken), and leaves at most less known to those that followed it, which forbids them nothing.
//! The same is *not* true of an operation that merely happens to change nothing here, such as writing the value that
//! is there already: later it may be what restores that value.
//!
//! *Leaving out what made no difference.* Since an optional operation was taken, the search follows, beside the state,
//! the state that there would be without it (its *shadow*), as long as everything taken since is legal there, too. When
//! the two are equal again, the same could be reached with one optional operation fewer, which is then still there to be
//! used: this branch is given up. Of all legal orders take one with the fewest optional operations (with observations
//! moved forward as above, which adds none): no such branch lies on its way, or there would be one with fewer. The shadow
//! belongs to the key of what was visited, so a branch is skipped only if one with the very same future was exhausted.
//! An operation that another must follow (`after`) has no shadow: without it that other could not be.
//!
//! *Trying only what may help.* By the same token, in such an order an optional operation comes right before one that
//! it makes a difference to ([`Spec::may_help`]), or it could be left out. Where nothing that may go next is such, it is
//! not tried.
//!
//! *Using the first of equals.* Of optional operations that do the same, the one that was opened first may go wherever
//! another may: they are taken in order of opening.
//!
//! *Of equals, the one that must go first.* Of required operations that do the same, and may both go next, the one whose window
//! ends first is taken. In any legal order that has the other one here, the two can change places: the same is done at both;
//! the one that ends first may go now; and what must follow the other, which ends later, must follow it, too, and so stands
//! behind both.
//!
//! *Not visiting twice* the same operations done, state and shadow: see `memo`.

use super::done::Done;
use super::events::{END, Event, Events, Node};
use super::memo::Memo;
use super::optional::{alike, equals, helpers};
use super::{Answer, Budget, Effort, Entry, Found, Limit};
use crate::spec::Spec;

/// Searches for a legal order of `entries` from `start` within `budget`.
pub fn explore<S: Spec>(spec: &S, start: &S::State, entries: &[Entry<S::Op>], budget: &Budget<'_>) -> Found {
    let mut needed = vec![false; entries.len()];
    for entry in entries {
        if let Some(earlier) = entry.after {
            needed[earlier] = true;
        }
    }
    let mut search = Search {
        spec,
        entries,
        budget,
        has_edges: needed.contains(&true),
        equal_before: equals(entries, &needed),
        always_helps: helpers(spec, entries, &needed),
        alike: alike(spec, entries, &needed),
        needed,
        events: Events::of(entries),
        done: Done::none_of(entries),
        memo: Memo::new(),
        here: Here { state: start.clone(), shadow: None },
        order: Vec::new(),
        choices: Vec::new(),
        effort: Effort::default(),
        deepest: Vec::new(),
        next: Vec::new(),
        key: Vec::new(),
        window: Vec::new(),
    };
    let answer = match search.run() {
        Ok(true) => Answer::Legal(std::mem::take(&mut search.order)),
        Ok(false) => Answer::Illegal,
        Err(limit) => {
            search.effort.limit = Some(limit);
            Answer::GaveUp
        }
    };
    Found { answer, effort: Effort { states: search.memo.len(), ..search.effort }, deepest: search.deepest }
}

/// Where the search stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Here<S> {
    state: S,
    /// The state without the optional operation that was taken last.
    shadow: Option<S>,
}

/// A choice that can be undone.
struct Choice<S> {
    /// How many operations were in order before it.
    mark: usize,
    before: Here<S>,
    /// Other states that the chosen operation may lead to, not tried yet.
    others: Vec<S>,
}

struct Search<'a, S: Spec> {
    spec: &'a S,
    entries: &'a [Entry<S::Op>],
    budget: &'a Budget<'a>,
    /// Whether any entry must follow a certain other.
    has_edges: bool,
    /// Which entries others must follow.
    needed: Vec<bool>,
    /// For an optional entry: the one like it that was opened just before.
    equal_before: Vec<Option<u32>>,
    /// For a required entry that others do the same as: the number of their kind.
    alike: Vec<Option<u32>>,
    /// Which optional entries may help another optional one, or must precede one.
    always_helps: Vec<bool>,
    events: Events,
    done: Done,
    memo: Memo<Here<S::State>>,
    here: Here<S::State>,
    order: Vec<usize>,
    choices: Vec<Choice<S::State>>,
    effort: Effort,
    /// The order in which the most required operations had a place.
    deepest: Vec<usize>,
    /// Room for what a step leads to.
    next: Vec<S::State>,
    /// Room for the spelling of what is done.
    key: Vec<u64>,
    /// Room for the required operations that may go next.
    window: Vec<usize>,
}

/// Which operation to try next.
#[derive(Debug, Clone, Copy)]
enum Cursor {
    /// This required one, if it may go next.
    Required(Node),
    /// One of the first so many optional ones. The last first: what was done although its answer was lost, was most
    /// often done soon.
    Optional(usize),
    /// None: go back.
    Nowhere,
}

impl<S: Spec> Search<'_, S> {
    /// Whether there is a legal order.
    fn run(&mut self) -> Result<bool, Limit> {
        let mut cursor = self.arrive()?;
        while self.done.required_left() > 0 {
            cursor = match self.choose_from(cursor)? {
                Some(entry) => {
                    let others = if self.next.len() > 1 { self.next.drain(1..).rev().collect() } else { Vec::new() };
                    let state = self.next.pop().expect("a choice leads somewhere");
                    self.choices.push(Choice { mark: self.order.len(), before: self.here.clone(), others });
                    self.follow(entry, state)?;
                    self.arrive()?
                }
                None => match self.go_back()? {
                    Some(cursor) => cursor,
                    None => return Ok(false),
                },
            };
        }
        Ok(true)
    }

    /// The first operation from `cursor` on that may go next and is legal; where it leads is in `next`.
    fn choose_from(&mut self, mut cursor: Cursor) -> Result<Option<usize>, Limit> {
        self.window.clear();
        loop {
            let (entry, following) = match cursor {
                Cursor::Required(node) => match self.events.at(node) {
                    Some(Event::Opens(entry)) => (entry, Cursor::Required(self.events.next(node))),
                    Some(Event::Ends(entry)) => {
                        self.note_dead_end(entry);
                        cursor = Cursor::Optional(self.events.optional_before(node));
                        continue;
                    }
                    None => {
                        cursor = Cursor::Optional(self.events.optional_before(END));
                        continue;
                    }
                },
                Cursor::Nowhere | Cursor::Optional(0) => return Ok(None),
                Cursor::Optional(places) => {
                    let entry = self.events.optional(places - 1);
                    if !self.helps(entry) {
                        cursor = Cursor::Optional(places - 1);
                        continue;
                    }
                    (entry, Cursor::Optional(places - 1))
                }
            };
            if self.may_follow(entry) && !self.has_an_equal_before(entry) && self.step_here(entry)? {
                return Ok(Some(entry));
            }
            cursor = following;
        }
    }

    /// Whether another required operation does the same, may go next as well, and must go sooner.
    fn has_an_equal_before(&self, entry: usize) -> bool {
        let Some(kind) = self.alike[entry] else { return false };
        let must_go = |index: usize| {
            let Entry { opened, closed, .. } = &self.entries[index];
            ((*closed).max(Some(*opened)), index)
        };
        let mut node = self.events.first_required();
        while let Some(Event::Opens(other)) = self.events.at(node) {
            if self.alike[other] == Some(kind) && must_go(other) < must_go(entry) {
                return true;
            }
            node = self.events.next(node);
        }
        false
    }

    /// Whether an optional operation may make a difference to anything that may come right after it.
    fn helps(&mut self, entry: usize) -> bool {
        if self.window.is_empty() {
            let mut node = self.events.first_required();
            while let Some(Event::Opens(required)) = self.events.at(node) {
                self.window.push(required);
                node = self.events.next(node);
            }
        }
        let op = &self.entries[entry].op;
        let may_help = |then: &usize| self.spec.may_help(op, &self.entries[*then].op);
        self.always_helps[entry] || self.window.iter().any(may_help)
    }

    /// Undoes the last choice and tries what it left untried; `None` if nothing is left.
    fn go_back(&mut self) -> Result<Option<Cursor>, Limit> {
        let Some(choice) = self.choices.last_mut() else { return Ok(None) };
        let (mark, other) = (choice.mark, choice.others.pop());
        let entry = self.order[mark];
        while self.order.len() > mark {
            let undone = self.order.pop().expect("longer than the mark");
            self.done.remove(undone, &self.entries[undone]);
            if !self.entries[undone].optional {
                self.events.put_back(undone);
            }
        }
        if let Some(state) = other {
            self.here = choice.before.clone();
            self.follow(entry, state)?;
            return self.arrive().map(Some);
        }
        self.here = self.choices.pop().expect("looked at above").before;
        Ok(Some(if self.entries[entry].optional {
            Cursor::Optional(self.done.number(entry))
        } else {
            Cursor::Required(self.events.after_opening(entry))
        }))
    }

    /// Takes `entry`, which leads to `state`.
    fn follow(&mut self, entry: usize, state: S::State) -> Result<(), Limit> {
        self.advance_shadow(entry)?;
        if self.entries[entry].optional && !self.needed[entry] && self.here.shadow.is_none() {
            self.here.shadow = Some(std::mem::replace(&mut self.here.state, state));
        } else {
            self.here.state = state;
        }
        self.take(entry);
        Ok(())
    }

    /// Takes all observations; then says where to go on, if this is worth it and was not visited yet.
    fn arrive(&mut self) -> Result<Cursor, Limit> {
        while self.take_observations()? && self.has_edges {}
        if self.here.shadow.as_ref() == Some(&self.here.state) {
            return Ok(Cursor::Nowhere);
        }
        self.done.spell(&mut self.key);
        let is_new = self.memo.insert(&self.key, &self.here);
        Ok(if is_new { Cursor::Required(self.events.first_required()) } else { Cursor::Nowhere })
    }

    /// Takes what may go next and only observes; whether there was any.
    fn take_observations(&mut self) -> Result<bool, Limit> {
        let before = self.order.len();
        let mut node = self.events.first_required();
        while let Some(Event::Opens(entry)) = self.events.at(node) {
            let observes = self.spec.only_observes(&self.entries[entry].op);
            if observes && self.may_follow(entry) && self.step_here(entry)? {
                let Self { next, here, .. } = &*self;
                if next.iter().all(|after| *after == here.state) {
                    self.advance_shadow(entry)?;
                    self.take(entry);
                }
            }
            // Taken or not, its opening still knows what is left behind it.
            node = self.events.next(node);
        }
        Ok(self.order.len() > before)
    }

    /// Lets the shadow, if there is one, take `entry` as well; it is gone if it cannot, or not in one way only.
    fn advance_shadow(&mut self, entry: usize) -> Result<(), Limit> {
        if let Some(shadow) = self.here.shadow.take() {
            self.spend()?;
            self.next.clear();
            self.spec.step(&shadow, &self.entries[entry].op, &mut self.next);
            if self.next.len() == 1 {
                self.here.shadow = self.next.pop();
            }
        }
        Ok(())
    }

    fn step_here(&mut self, entry: usize) -> Result<bool, Limit> {
        self.spend()?;
        self.next.clear();
        self.spec.step(&self.here.state, &self.entries[entry].op, &mut self.next);
        Ok(!self.next.is_empty())
    }

    fn spend(&mut self) -> Result<(), Limit> {
        self.effort.steps += 1;
        self.budget.spent(self.effort.steps, self.memo.len()).map_or(Ok(()), Err)
    }

    fn may_follow(&self, entry: usize) -> bool {
        let is_done = |earlier: usize| self.done.contains(earlier, &self.entries[earlier]);
        if self.entries[entry].optional && is_done(entry) {
            return false;
        }
        self.entries[entry].after.is_none_or(is_done)
            && self.equal_before[entry].is_none_or(|equal| is_done(equal as usize))
    }

    fn take(&mut self, entry: usize) {
        self.done.insert(entry, &self.entries[entry]);
        if !self.entries[entry].optional {
            self.events.take_out(entry);
        }
        self.order.push(entry);
    }

    /// No required operation may go next any more before `blocked` does: how far did it come?
    fn note_dead_end(&mut self, blocked: usize) {
        let depth = self.done.required_done();
        if self.effort.stuck.is_none() || depth > self.effort.deepest {
            self.effort.deepest = depth;
            self.effort.stuck = Some(blocked);
            self.deepest.clone_from(&self.order);
        }
    }
}
