//! The few resources that all clients act on.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use super::resource::Resource;
use crate::seed::Dice;

/// A resource on which so much was asked is replaced: its history is judged, and its memory given back.
const MOST_OPERATIONS: usize = 400;
/// A visitor asks for so many changes at most, in most cases: the same thing twice, or one that is refused and another one.
const CHANGES_OF_A_VISIT: usize = 2;

/// The resources that all clients act on.
#[derive(Debug)]
pub(super) struct HotSet {
    places: Mutex<Vec<Place>>,
    /// What a resource's lists show at most, where that is known. What they leave out cannot be judged, so no resource is to have more.
    longest_list: Option<usize>,
}

#[derive(Debug, Clone)]
enum Place {
    /// Nobody has made one yet.
    Vacant,
    /// Somebody is at it.
    BeingMade,
    Taken(Arc<Resource>),
}

/// What a client finds when it turns to the hot resources.
#[derive(Debug)]
pub(super) enum Found {
    /// A resource; the client is its visitor until it leaves.
    Resource(usize, Arc<Resource>),
    /// A place for which it is to make one.
    Vacancy(usize),
}

impl HotSet {
    /// So many resources, the lists of which show `longest_list` rows at most, where that is known.
    pub(super) fn new(resources: usize, longest_list: Option<usize>) -> Self {
        Self { places: Mutex::new(vec![Place::Vacant; resources]), longest_list }
    }

    /// A resource to act on, or a place to fill; `None` if all are being made.
    pub(super) fn visit(&self, dice: &mut Dice) -> Option<Found> {
        let mut places = self.places();
        if places.is_empty() {
            return None;
        }
        let first = dice.below(places.len());
        let count = places.len();
        for index in (0..count).map(|step| (first + step) % count) {
            match &places[index] {
                Place::BeingMade => {}
                // Those who are at it may fill it up: nobody else is let in.
                Place::Taken(resource) if self.is_full(resource, resource.visitors.load(Ordering::Relaxed) + 1) => {}
                Place::Vacant => {
                    places[index] = Place::BeingMade;
                    return Some(Found::Vacancy(index));
                }
                Place::Taken(resource) => {
                    resource.visitors.fetch_add(1, Ordering::Relaxed);
                    return Some(Found::Resource(index, Arc::clone(resource)));
                }
            }
        }
        None
    }

    /// Whether `visitors` more could do more to `resource` than its lists show.
    fn is_full(&self, resource: &Resource, visitors: usize) -> bool {
        self.longest_list.is_some_and(|rows| resource.len() + CHANGES_OF_A_VISIT * visitors >= rows)
    }

    /// Fills a place, or leaves it to the next one, if nothing could be made.
    pub(super) fn fill(&self, index: usize, made: Option<Arc<Resource>>) {
        self.places()[index] = made.map_or(Place::Vacant, Place::Taken);
    }

    /// Ends a visit. Whoever leaves a retired resource as the last of its visitors is to look at what became of it: it is given back.
    pub(super) fn leave(&self, index: usize, resource: Arc<Resource>, is_over: bool) -> Option<Arc<Resource>> {
        let mut places = self.places();
        let is_worn = is_over || resource.len() >= MOST_OPERATIONS || self.is_full(&resource, 1);
        if is_worn && !resource.is_retired.swap(true, Ordering::Relaxed) {
            places[index] = Place::Vacant;
        }
        let is_last = resource.visitors.fetch_sub(1, Ordering::Relaxed) == 1;
        (is_last && resource.is_retired.load(Ordering::Relaxed)).then_some(resource)
    }

    /// All that are left when the load is over, each to be looked at by whoever takes it. Nobody visits them any more.
    pub(super) fn take_one(&self) -> Option<Arc<Resource>> {
        let mut places = self.places();
        let index = places.iter().position(|place| matches!(place, Place::Taken(_)))?;
        match std::mem::replace(&mut places[index], Place::BeingMade) {
            Place::Taken(resource) => Some(resource),
            Place::Vacant | Place::BeingMade => None,
        }
    }

    /// Under this lock visitors come and go, so that none comes to a resource that was given back.
    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().expect("no code panics while it holds this lock")
    }
}
