//! The resources that all processes of a load act on, where it is parted (`--shard`): without them, no process would ever be in another's
//! way, and nothing could go wrong between them.
//!
//! They agree without a word. A resource follows from what all know: the load's seed, when it began, a place among these resources, and
//! a generation, which changes every few seconds after that beginning.
//!
//! ```text
//!             begin            + 4 s             + 8 s
//! place 0       | doc-a (r3)     | doc-c (r9)      | doc-e …      process 1, 2, 3: the same ids, the same numbers of rounds
//! place 1       | doc-b (r6)     | doc-d (r12)     | doc-f …
//! ```
//!
//! These are named after what all know. Nobody makes them: all find nothing there at first, so this is for registers under a name that clients choose. No process sees more than its part of what was done, so none judges them: `merge` does.
//!
//! Or the user names some that are there already (`--hot-id`). These are never replaced. Each process looks at each of them before it acts,
//! so that the judge knows where they started; what their lists tell of earlier times is not asked for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::mind::Numbers;
use super::outlet::Outlet;
use super::resource::Resource;
use super::slots::after;
use crate::api::{Api, Family};
use crate::clock::Stamp;
use crate::ids::RoundId;
use crate::seed::{Dice, Seed};
use crate::traffic::{Part, TrafficPlan};

/// How long a resource is acted on before another takes its place.
const GENERATION: Duration = Duration::from_secs(4);
/// So much is asked of one by all processes together, about: then it is left alone until its generation is over.
const MOST_OPERATIONS: usize = 400;
/// What is left alone is looked at so much later: by then, whoever was still at it is done, in other processes as well.
pub(super) const QUIET: Duration = Duration::from_millis(250);

/// What all processes know of the resources that they share.
#[derive(Debug, Clone)]
pub struct Joint {
    /// What names, people and keys are drawn from: the same in all processes, and never the same in two loads.
    pub seed: Seed,
    /// Which ones.
    pub which: Which,
}

/// Which resources all processes act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// Those that they agree on.
    Agreed {
        /// How many there are at a time.
        resources: u16,
        /// How much later than all together this process begins.
        late: Duration,
    },
    /// Those that are there already, by their ids.
    Given(Vec<Arc<str>>),
}

impl Joint {
    /// Whether processes can agree on resources of this API: each can name one that nobody need make, and the name follows from what
    /// all know.
    pub fn suits(api: &Api) -> bool {
        let dialect = &api.dialect;
        let is_named = dialect.made_id("word").is_some_and(|name| dialect.made_id("word") == Some(name));
        // Of effects alone there is a list, which servers cut off somewhere: what all processes did need not fit in.
        is_named && api.model.family == Family::Register
    }
}

/// What is at a place now, and of which generation it is; nothing before somebody came to it.
type Place = Option<(u32, Arc<Resource>)>;

/// The resources that all processes act on, as one of them holds them.
#[derive(Debug)]
pub(super) struct JointSet {
    joint: Joint,
    part: Part,
    begin: Stamp,
    plan: Arc<TrafficPlan>,
    outlet: Outlet,
    /// What this process asks of one at most.
    most: usize,
    places: Mutex<Vec<Place>>,
    /// Those that are there already, and were not looked at yet.
    given: Mutex<VecDeque<Arc<Resource>>>,
    /// Those whose time is over, and from when on they are to be looked at.
    left: Mutex<VecDeque<(Stamp, Arc<Resource>)>>,
    /// From when on the first of them is; `u64::MAX` without any.
    due: AtomicU64,
}

impl JointSet {
    pub(super) fn new(joint: Joint, numbers: &Numbers, begin: Stamp, plan: &Arc<TrafficPlan>, outlet: Outlet) -> Self {
        let part = numbers.part();
        let places = match &joint.which {
            Which::Agreed { resources, .. } => vec![None; usize::from(*resources)],
            Which::Given(_) => Vec::new(),
        };
        let given = match &joint.which {
            Which::Agreed { .. } => VecDeque::new(),
            Which::Given(ids) => ids
                .iter()
                .zip(0..)
                .map(|(id, count)| {
                    let round = part.joint_number(count).map_or_else(|| numbers.round(), RoundId::Raced);
                    let mut dice = joint.seed.child(&format!("resource {count}")).dice();
                    let resource = Resource::new(round, joint.seed.child("people"), &mut dice, outlet.clone());
                    resource.is_called(Arc::clone(id));
                    Arc::new(resource)
                })
                .collect(),
        };
        Self {
            part,
            begin,
            plan: Arc::clone(plan),
            outlet,
            most: (MOST_OPERATIONS / part.of as usize).max(1),
            places: Mutex::new(places),
            given: Mutex::new(given),
            left: Mutex::default(),
            due: AtomicU64::new(u64::MAX),
            joint,
        }
    }

    /// A resource to act on now; `None` if enough was asked of all of them.
    pub(super) fn visit(&self, now: Stamp, dice: &mut Dice) -> Option<Arc<Resource>> {
        let generation = match self.joint.which {
            Which::Agreed { late, .. } => (now.since(self.begin) + late).as_secs() / GENERATION.as_secs(),
            Which::Given(_) => 0,
        };
        let generation = u32::try_from(generation).ok()?;
        let mut places = lock(&self.places);
        if places.is_empty() {
            return None;
        }
        let (first, count) = (dice.below(places.len()), places.len());
        for index in (0..count).map(|step| (first + step) % count) {
            let place = &mut places[index];
            if place.as_ref().is_none_or(|(of, _)| *of != generation) {
                let next = self.resource(generation, index, count)?;
                if let Some((_, old)) = place.replace((generation, next)) {
                    self.leave(now, old);
                }
            }
            if let Some((_, resource)) = place.as_ref().filter(|(_, resource)| resource.len() < self.most) {
                return Some(Arc::clone(resource));
            }
        }
        None
    }

    /// The resource of a place and a generation: the same in all processes.
    fn resource(&self, generation: u32, index: usize, places: usize) -> Option<Arc<Resource>> {
        let (index, places) = (u32::try_from(index).ok()?, u32::try_from(places).ok()?);
        let count = generation.checked_mul(places)?.checked_add(index)?;
        let round = RoundId::Raced(self.part.joint_number(count)?);
        let mut dice = self.joint.seed.child(&format!("resource {count}")).dice();
        let id = self.plan.api.dialect.made_id(&dice.uuid().to_string())?;
        let resource = Resource::new(round, self.joint.seed.child("people"), &mut dice, self.outlet.clone());
        resource.is_called(id.into());
        Some(Arc::new(resource))
    }

    /// Whether they were there before.
    pub(super) const fn were_there(&self) -> bool {
        matches!(self.joint.which, Which::Given(_))
    }

    /// One that was there before, and is to be looked at before anybody acts on it.
    pub(super) fn next_given(&self) -> Option<Arc<Resource>> {
        lock(&self.given).pop_front()
    }

    /// Lets clients come to what was looked at.
    pub(super) fn open(&self, resource: Arc<Resource>) {
        lock(&self.places).push(Some((0, resource)));
    }

    fn leave(&self, now: Stamp, resource: Arc<Resource>) {
        let mut left = lock(&self.left);
        left.push_back((after(now, QUIET), resource));
        self.note_due(&left);
    }

    /// One that is to be looked at now.
    pub(super) fn due(&self, now: Stamp) -> Option<Arc<Resource>> {
        if now.nanos() < self.due.load(Ordering::Relaxed) {
            return None;
        }
        let mut left = lock(&self.left);
        let is_due = left.front().is_some_and(|(due, _)| *due <= now);
        let resource = if is_due { left.pop_front() } else { None };
        self.note_due(&left);
        resource.map(|(_, resource)| resource)
    }

    fn note_due(&self, left: &VecDeque<(Stamp, Arc<Resource>)>) {
        let due = left.front().map_or(u64::MAX, |(due, _)| due.nanos());
        self.due.store(due, Ordering::Relaxed);
    }

    /// One of those that were not looked at yet, when the load is over.
    pub(super) fn take_one(&self) -> Option<Arc<Resource>> {
        let left = lock(&self.left).pop_front().map(|(_, resource)| resource);
        left.or_else(|| lock(&self.places).iter_mut().find_map(|place| Some(place.take()?.1)))
    }
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().expect("no code panics while it holds this lock")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::api::builtin;
    use crate::load::queue;

    fn set(index: u32, late: u64) -> JointSet {
        let plan = Arc::new(TrafficPlan::generic(&builtin::api("documents").unwrap()));
        let joint =
            Joint { seed: Seed::new(7), which: Which::Agreed { resources: 3, late: Duration::from_secs(late) } };
        let (outlet, _) = queue(Path::new(".")).unwrap();
        let numbers = Numbers::new(Part { index, of: 2 }, false);
        JointSet::new(joint, &numbers, Stamp::from_nanos(0), &plan, outlet)
    }

    /// What a process comes upon in this second after its begin.
    fn found(set: &JointSet, second: u64) -> BTreeSet<(u32, String)> {
        let mut dice = Seed::arbitrary().dice();
        let now = Stamp::from_nanos(second * 1_000_000_000);
        let visits = (0..60).filter_map(|_| set.visit(now, &mut dice));
        visits.map(|resource| (resource.round().number(), resource.id().to_owned())).collect()
    }

    #[test]
    fn all_processes_come_upon_the_same_resources_at_the_same_time() {
        let (one, other) = (set(0, 0), set(1, 5));
        let first = found(&one, 0);
        assert_eq!(first.len(), 3);
        assert_eq!(found(&one, 3), first, "the same for a while");
        assert!(found(&one, 4).is_disjoint(&first), "and then others");
        // The other one began 5 s later.
        assert_eq!(found(&other, 0), found(&one, 5));
        assert_eq!(found(&other, 4), found(&one, 9));
    }

    #[test]
    fn what_is_left_is_looked_at_once_and_not_at_once() {
        let set = set(0, 0);
        found(&set, 0);
        found(&set, 4);
        let at = |millis: u64| Stamp::from_nanos(millis * 1_000_000);
        assert!(set.due(at(4_100)).is_none());
        let looked_at = (0..5).filter_map(|_| set.due(at(4_300))).count();
        assert_eq!(looked_at, 3);
        assert_eq!(std::iter::from_fn(|| set.take_one()).count(), 3, "those of the second generation");
    }

    #[test]
    fn what_is_there_already_is_looked_at_before_anybody_comes_to_it_and_never_replaced() {
        let plan = Arc::new(TrafficPlan::generic(&builtin::api("stock").unwrap()));
        let (outlet, _) = queue(Path::new(".")).unwrap();
        for (of, numbers) in [(1, [1, 2]), (3, [4, 8])] {
            let which = Which::Given(vec!["pen".into(), "ink".into()]);
            let part = Part { index: of - 1, of };
            let joint = Joint { seed: Seed::new(7), which };
            let set = JointSet::new(joint, &Numbers::new(part, false), Stamp::from_nanos(0), &plan, outlet.clone());
            assert!(found(&set, 0).is_empty());
            while let Some(resource) = set.next_given() {
                set.open(resource);
            }
            let expected = BTreeSet::from([(numbers[0], "pen".to_owned()), (numbers[1], "ink".to_owned())]);
            assert_eq!(found(&set, 0), expected);
            assert_eq!(found(&set, 100), expected);
        }
    }

    #[test]
    fn names_that_do_not_follow_from_what_all_know_are_not_agreed_on() {
        for (name, suits) in
            [("documents", true), ("objects", true), ("charges", false), ("stock", false), ("quickeats-v2", false)]
        {
            assert_eq!(Joint::suits(&builtin::api(name).unwrap()), suits, "{name}");
        }
        let numbered =
            include_str!("../../scenarios/apis/documents.toml").replace("doc-{unique}", "doc-{unique}-{sequence}");
        assert!(!Joint::suits(&Api::parse("numbered.toml", &numbered).unwrap()));
    }
}
